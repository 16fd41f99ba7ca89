"""Letting things come to rest: by working ourselves (``demo --once``), or by waiting for the workers (``demo``)."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection as database
from django.db.models import Min

from connectors import inbox, polling, tasks
from connectors.management.commands.drain import one_round
from connectors.management.demo.markets import Market
from connectors.management.demo.programme import step
from connectors.management.demo.teller import Story
from connectors.registry import utc_now
from connectors.simulators.webhooks import WebhookSender
from returnsops import states
from returnsops.models import Connection, Effect, InboundEvent, ReturnAuthorisation
from returnsops.services.replan import replan_due

Settle = Callable[[], None]

HORIZON_S: Final = 25.0  # what is due later than this is not waited for: it rests
REST_S: Final = 300.0
LOOK_EVERY_S: Final = 0.3
YESTERDAY: Final = timedelta(hours=2)


class RestlessError(Exception):
    """Things do not come to rest; the text says what is still moving."""


def play(stories: Iterable[Story], settle: Settle) -> None:
    """Tell all stories side by side, step by step, each step to its end."""
    going: Sequence[Story] = list(stories)
    while going:
        going = step(going)
        settle()


# --- working ourselves -------------------------------------------------------------------------------------------


def settle_by_working(markets: Iterable[Market], *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Deliver, process and send until nothing is due soon. Raises RestlessError after five minutes."""
    markets = list(markets)
    senders = senders_of(markets)
    ask_polled(markets)
    ends = time.monotonic() + REST_S
    while time.monotonic() < ends:
        told = sum(len(sender.deliver_pending()) for sender in senders)
        if told + one_round():
            continue
        due_at = next_due(senders)
        wait_s = (due_at - utc_now()).total_seconds() if due_at else HORIZON_S + 1
        if wait_s > HORIZON_S:
            return
        sleep(max(0.0, wait_s) + 0.01)
    raise RestlessError(f"After {REST_S:g} s there is still work: {_moving()}.")


def senders_of(markets: Iterable[Market]) -> list[WebhookSender]:
    """Everybody who sends webhooks."""
    return [sender for market in markets for sender in market.senders]


def next_due(senders: Iterable[WebhookSender]) -> datetime | None:
    """When the next message, look-up, read-back, retry or read is due."""
    unpaused = Effect.objects.filter(connection__is_paused=False)
    live = unpaused.filter(state__in=[states.READY, states.UNKNOWN, states.SENDING])
    times = [
        live.aggregate(at=Min("next_attempt_at"))["at"],
        live.aggregate(at=Min("lease_until_at"))["at"],
        unpaused.filter(state=states.DONE).aggregate(at=Min("confirm_after_at"))["at"],
        InboundEvent.objects.filter(state=states.EVENT_RECEIVED).aggregate(at=Min("next_attempt_at"))["at"],
        *(waiting.due_at for sender in senders for waiting in sender.pending()),
    ]
    return min((at for at in times if at is not None), default=None)


def ask_polled(markets: Iterable[Market]) -> int:
    """One round of polling of the platforms that send no messages; how much was new."""
    names = [market.platform_name for market in markets if market.platform_webhooks is None]
    rows = Connection.objects.filter(name__in=names, is_paused=False)
    return sum(polling.poll_connection(connection=row, at=utc_now(), is_forced=True) for row in rows)


def poll_everything() -> int:
    """One round of polling of every connection, as the schedule does; how much was new."""
    at = utc_now()
    return sum(polling.poll_connection(connection=row, at=at, is_forced=True) for row in Connection.objects.all())


def play_as_of_yesterday(stories: Iterable[Story], markets: Iterable[Market]) -> None:
    """Take in what is told now as if two hours ago, so that deadlines of an hour have passed."""
    step(list(stories))
    for sender in senders_of(markets):
        sender.deliver_pending()
    while inbox.process_due(at=utc_now() - YESTERDAY):
        replan_due(at=utc_now() - YESTERDAY)


# --- waiting for the workers -------------------------------------------------------------------------------------


def settle_by_waiting(markets: Iterable[Market], *, is_over: Callable[[], bool], rest_s: float = 60.0) -> None:
    """Wait until the workers have nothing to do soon, at most a minute; what is left goes on by itself."""
    markets = list(markets)
    senders = senders_of(markets)
    if ask_polled(markets):
        tasks.wake_inbox_soon()
    ends = time.monotonic() + rest_s
    while time.monotonic() < ends and not is_over():
        if is_at_rest(senders):
            return
        database.close()  # each look sees what the workers wrote
        time.sleep(LOOK_EVERY_S)


def is_at_rest(senders: Iterable[WebhookSender]) -> bool:
    """Whether nothing waits that could move within the horizon."""
    if any(not waiting.is_held for sender in senders for waiting in sender.pending()):
        return False
    if ReturnAuthorisation.objects.filter(is_dirty=True).exists():
        return False
    if InboundEvent.objects.filter(state=states.EVENT_RECEIVED).exists():
        return False
    due_at = next_due([])
    return due_at is None or due_at > utc_now() + timedelta(seconds=HORIZON_S)


def _moving() -> str:
    waiting = InboundEvent.objects.filter(state=states.EVENT_RECEIVED).count()
    under_way = Effect.objects.filter(state__in=[states.READY, states.SENDING, states.UNKNOWN]).count()
    return f"{waiting} messages, {under_way} effects"
