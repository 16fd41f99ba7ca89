"""What django-q2 calls. Every task is a hint: lost or doubled, it costs a late or an empty wake-up, nothing else.

Attempts, back-off and truth are in our own rows. ``*_soon`` functions enqueue once the present transaction is
committed; the others do the work.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, transaction
from django.db.models import Q
from django_q.models import Schedule
from django_q.tasks import async_task

from connectors import catalogue, delivery_cases, inbox, polling, pump, reads, webhook_health
from connectors.models import WakeUp
from connectors.registry import utc_now
from exceptions_queue import services as queue
from exceptions_queue.kinds import find_kind
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.services.replan import replan_due

log = logging.getLogger(__name__)

INBOX_SLICE: Final = timedelta(seconds=5)
INBOX_BATCH: Final = 5
NAP_S: Final = 5.0  # longer than the first look after a lost answer; not so long that the next task waits for it
SWEEP_EVERY: Final = timedelta(minutes=1)
RECHECKED: Final = (states.CASE_CONNECTION_AUTH, states.CASE_CONNECTION_DOWN)


# --- hints -------------------------------------------------------------------------------------------------------


def wake_pump_soon(connection_id: int) -> None:
    """Ask a worker to run the pump of a connection."""
    _enqueue("connectors.tasks.wake_pump", connection_id)


def wake_inbox_soon() -> None:
    """Ask a worker to process the inbox."""
    _enqueue("connectors.tasks.wake_inbox")


def _enqueue(task: str, *args: Any) -> None:
    transaction.on_commit(lambda: _put(task, *args))


def _put(task: str, *args: Any) -> None:
    try:
        if _is_first_asking(_name(task, args)):
            async_task(task, *args)
    except (DatabaseError, OSError):  # a busy database or a broker that is away; the sweep finds what is due
        log.warning("no wake-up could be queued for %s", task)


def _is_first_asking(name: str) -> bool:
    """Whether no such hint is under way. One that got lost is asked for again after a minute."""
    now = utc_now()
    hint = WakeUp.objects.filter(name=name)
    free = hint.filter(Q(asked_at__isnull=True) | Q(asked_at__lt=now - SWEEP_EVERY))
    if free.update(asked_at=now):
        return True
    if hint.exists():
        return False
    WakeUp.objects.get_or_create(name=name)
    return bool(free.update(asked_at=now))


def _begun(task: str, *args: Any) -> None:
    """What is asked for from now on needs another run: this one may already have looked."""
    WakeUp.objects.filter(name=_name(task, args)).update(asked_at=None)


def _name(task: str, args: tuple[Any, ...]) -> str:
    return ":".join([task, *map(str, args)])


# --- work --------------------------------------------------------------------------------------------------------


def wake_pump(connection_id: int) -> int:
    """Run the pump of a connection for one slice; returns how many effects were worked on."""
    _begun("connectors.tasks.wake_pump", connection_id)
    result = pump.run(connection_id=connection_id, nap_s=NAP_S)
    if result.is_unfinished:
        wake_pump_soon(connection_id)
    elif result.next_due_at is not None and result.next_due_at <= utc_now() + SWEEP_EVERY:
        _wake_pump_at(connection_id, result.next_due_at)
    return result.worked


def _wake_pump_at(connection_id: int, at: datetime) -> None:
    """One row per connection that django-q2 looks at every half minute, deletes and runs once its time has come."""
    try:
        Schedule.objects.update_or_create(
            name=f"returnsops pump {connection_id}",
            defaults={
                "func": "connectors.tasks.wake_pump",
                "args": f"({connection_id},)",
                "schedule_type": Schedule.ONCE,
                "next_run": at,
                "repeats": -1,
            },
        )
    except (DatabaseError, Schedule.MultipleObjectsReturned):  # the sweep finds it all the same
        log.warning("no wake-up could be set for connection %s", connection_id)


def wake_inbox() -> int:
    """Process what came in, read the orders it asks for and plan, so that its first effect need not wait."""
    _begun("connectors.tasks.wake_inbox")
    total = _process_inbox()
    at = utc_now()
    replan_due(at=at)  # before the reads too: a shop that hangs must not keep the plans of the others
    reads.read_wanted_orders(at=at)
    replan_due(at=at)
    return total


def _process_inbox() -> int:
    """One slice of it: pumps wait in the same queue, and a refund must not wait for a flood of messages."""
    total = 0
    ends_at = utc_now() + INBOX_SLICE
    while utc_now() < ends_at:
        taken = inbox.process_due(at=utc_now(), limit=INBOX_BATCH)
        total += taken
        if not taken:
            return total
    wake_inbox_soon()
    return total


def sweep() -> dict[str, int]:
    """Each minute: everything whose time has come, whatever hint was lost."""
    at = utc_now()
    events, planned = _process_inbox(), replan_due(at=at)  # before the reads too, as above
    counts = {
        "events": events,
        "orders_read": reads.read_wanted_orders(at=at),
        "planned": planned + replan_due(at=at),
        "cases_closed": delivery_cases.close_gone(at=at) + recheck_connections(),
        "webhooks_checked": webhook_health.check_due(at=at),
        "catalogue_pages": catalogue.check_due(at=at),
    }
    for connection_id in pump.connections_with_work(at=at):
        wake_pump_soon(connection_id)
    return counts


def poll_all() -> int:
    """Poll every connection whose time has come, and process what was found."""
    found = polling.poll_due(at=utc_now())
    if found:
        wake_inbox_soon()
    return found


def recheck_connections() -> int:
    """Close cases about connections whose cause is gone; returns how many."""
    closed = 0
    for case in ExceptionCase.objects.active().filter(kind_code__in=RECHECKED, raised_by__isnull=True):
        kind = find_kind(case.kind_code)
        if kind is not None and kind.recheck is not None and kind.recheck(case):
            queue.auto_resolve(case=case, at=utc_now())
            closed += 1
    return closed
