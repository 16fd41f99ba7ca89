"""How fast messages become effects, and effects become refunds and restocks in a shop on loopback.

Time is time-machine's, so pacing costs no real seconds; what is measured is the CPU of our own thread, HTTP included.
"""

import time
from dataclasses import dataclass

import pytest
import requests
from django.db import connection

from connectors import inbox, pump, reads
from returnsops import states
from returnsops.models import Connection, Effect, InboundEvent
from returnsops.services.replan import replan_due
from tests.benchmarks.measuring import keep
from tests.journeys.world import World, world

RETURNS = 20
GOODS = 5

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(kw_only=True)
class Spent:
    """Seconds of CPU of the two halves, in the thread that works; the simulators have threads of their own."""

    on_events_s: float = 0.0
    on_effects_s: float = 0.0


def test_throughput() -> None:
    with world() as w:
        play(w)
        events = InboundEvent.objects.filter(state=states.EVENT_RECEIVED).count()
        calls_before = len(w.shop.calls.all())
        spent = work_off(w)
        calls = len(w.shop.calls.all()) - calls_before
        settled = Effect.objects.filter(state__in=[states.DONE, states.CONFIRMED]).count()
        assert Effect.objects.filter(kind=states.REFUND, state=states.CONFIRMED).count() == RETURNS
        floor_s = bare_calls_s(w, calls)
    total_s = spent.on_events_s + spent.on_effects_s
    engine = f"{connection.vendor}{' in memory' if connection.vendor == 'sqlite' else ''}"
    keep(
        what=f"processing messages into plans ({engine})",
        value=f"{events / spent.on_events_s:.0f} events/s, {1000 * spent.on_events_s / events:.0f} ms of CPU each",
        note=f"{events} messages of {RETURNS} returns, each with the order read",
    )
    keep(
        what=f"sending and reading back ({engine})",
        value=f"{settled / spent.on_effects_s:.0f} effects/s, {1000 * spent.on_effects_s / settled:.0f} ms of CPU each",
        note=f"{settled} effects: refunds, restocks, notes, mirrors",
    )
    keep(
        what=f"both together ({engine})",
        value=f"{calls / total_s:.0f} vendor calls/s",
        floor=f"{calls / floor_s:.0f} bare calls/s",
        note=f"{calls} calls, {calls / settled:.1f} per effect; {100 * floor_s / total_s:.0f} % of the time is theirs",
    )


def play(w: World) -> None:
    """Returns received, judged and to be paid; nothing of it processed yet."""
    goods = [w.product(f"SKU-{number}", stock=RETURNS) for number in range(GOODS)]
    for number in range(RETURNS):
        return_id = w.ask(w.order((goods[number % GOODS], 1)))
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
    w.tell()


def work_off(w: World) -> Spent:
    """Process and send until nothing is left, measuring the halves apart."""
    spent = Spent()
    ids = list(Connection.objects.values_list("pk", flat=True))
    for _ in range(500):
        at, began = w.now(), time.thread_time()
        done = inbox.process_due(at=at) + reads.read_wanted_orders(at=at) + replan_due(at=at)
        spent.on_events_s += time.thread_time() - began
        began = time.thread_time()
        for connection_id in ids:
            done += pump.run(connection_id=connection_id, runtime=w.runtime, is_threaded=False).worked
        spent.on_effects_s += time.thread_time() - began
        waiting = Effect.objects.exclude(state__in=[states.CONFIRMED, states.EFFECT_CANCELLED])
        if not done and not waiting.exclude(kind__in=[states.NOTE, states.MIRROR], state=states.DONE).exists():
            return spent
        w.tell()
        w.shift(0 if done else 5)
    raise AssertionError("The work does not end.")


def bare_calls_s(w: World, calls: int) -> float:
    """The same number of requests without any of our work."""
    order_id = next(iter(w.shop.state.orders))
    url = f"{w.shop_server.url}/wp-json/"
    with requests.Session() as session:
        began = time.thread_time()
        for _ in range(calls):
            session.get(url, params={"order": order_id}, timeout=10)
        return time.thread_time() - began
