"""The pump of one connection: naps, breaker, stops, the limit of refunds, and the tasks around it."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django_q.models import OrmQ, Schedule

from connectors import budget, pump, registry, stops, tasks
from connectors.models import ConnectionBudget
from connectors.pace_settings import CALLS_PER_MINUTE, CONCURRENCY, paced
from connectors.simulators.faults import Fault, FaultKind
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect, PolicyVersion, Route
from returnsops.services import effects, switches
from tests.factories import RouteFactory
from tests.faults import ledger
from tests.faults.ledger import START, World

BY: dict[str, Any] = {"by": "olivia", "at": START}


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """A ledger on loopback with one order of 60.00 GBP."""
    with ledger.world() as made:
        yield made


def cases() -> list[str]:
    """Kinds of the active cases."""
    return sorted(ExceptionCase.objects.active().values_list("kind_code", flat=True))


def run(world: World, **options: Any) -> pump.PumpResult:
    return pump.run(connection_id=world.order.connection_id, runtime=world.runtime(), is_threaded=False, **options)


def state_of(effect: Effect) -> str:
    effect.refresh_from_db()
    return effect.state


# --- naps --------------------------------------------------------------------------------------------------------


def test_what_is_due_soon_is_waited_for_in_the_slice(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    result = run(world, nap_s=5)
    assert (state_of(effect), result.next_due_at) == (states.CONFIRMED, None)
    assert world.clock.now() == START + timedelta(seconds=3)


def test_what_is_due_later_is_told(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(Fault(kind=FaultKind.RATE_LIMITED, method="GET", retry_after_s=17))
    result = run(world, nap_s=5)
    assert (state_of(effect), result.next_due_at) == (states.READY, START + timedelta(seconds=17))
    assert world.clock.now() == START


def test_without_naps_nothing_is_waited_for(world: World) -> None:
    world.refund(next_attempt_at=START + timedelta(seconds=2))
    assert run(world) == pump.PumpResult(next_due_at=START + timedelta(seconds=2))


# --- lanes, pace -------------------------------------------------------------------------------------------------


def test_refunds_go_before_restocks_before_notes(world: World) -> None:
    kinds = (states.NOTE, states.RESTOCK, states.REFUND)
    for kind in kinds:
        amount: dict[str, Any] = {"amount": "5.00"} if kind == states.REFUND else {"amount": None, "payload": {}}
        quantity = 1 if kind == states.RESTOCK else None
        world.refund_of(world.another_order(), kind=kind, lane=states.LANES[kind], quantity=quantity, **amount)
    run(world)
    assert [kind for kind, _ in world.posted] == list(reversed(kinds))


def test_within_a_lane_goes_first_what_was_due_first(world: World) -> None:
    late, early = (world.refund_of(world.another_order(), next_attempt_at=START - timedelta(n)) for n in (1, 2))
    assert list(pump.due_effects(connection=world.order.connection, at=START)) == [early, late]


def test_what_has_no_serial_key_waits_for_nobody(world: World) -> None:
    first, second = (world.refund(kind=states.NOTE, amount=None, payload={}, serial_key="") for _ in range(2))
    until = START + timedelta(seconds=50)
    assert effects.claim(effect_id=first.pk, purpose=effects.SEND, lease_until_at=until, at=START)
    assert list(pump.due_effects(connection=world.order.connection, at=START)) == [second]


def test_a_connection_has_its_own_pace() -> None:
    settings = {CALLS_PER_MINUTE.name: 600, CONCURRENCY.name: 7}
    mine = paced(ledger.CAPABILITIES, settings)
    assert (mine.calls_per_minute, mine.concurrency) == (600, 7)
    assert paced(ledger.CAPABILITIES, {CONCURRENCY.name: 0, CALLS_PER_MINUTE.name: "9"}) == ledger.CAPABILITIES


@pytest.mark.django_db
def test_slots_lie_apart_and_a_burst_may_go_at_once(world: World) -> None:
    shop = world.order.connection_id
    waits = [budget.take(connection_id=shop, calls_per_minute=60, at=START) for _ in range(14)]
    assert waits[:10] == [0.0] * 10
    assert waits[10:] == [1.0, 2.0, 3.0, 4.0]
    budget.take(connection_id=shop, calls_per_minute=60, at=START)
    with pytest.raises(budget.BudgetSpent) as refused:
        budget.take(connection_id=shop, calls_per_minute=60, at=START)
    assert refused.value.after_s == 6.0
    assert ConnectionBudget.objects.get().call_count == 15


# --- breaker -----------------------------------------------------------------------------------------------------


def test_the_breaker_opens_with_a_case_probes_and_closes(world: World) -> None:
    world.simulator.faults.script(Fault(kind=FaultKind.SERVER_ERROR, method="GET", times=6))
    refunds = [world.refund_of(world.another_order()) for _ in range(7)]
    shop = world.order.connection_id
    world.connector = ledger.failing_on_5xx(world.connector)
    run(world)
    assert (budget.is_open(budget.budget_of(connection_id=shop)), cases()) == (True, [states.CASE_CONNECTION_DOWN])
    assert len(world.simulator.calls.all()) == budget.FAILURES_TO_OPEN
    run(world)
    assert len(world.simulator.calls.all()) == budget.FAILURES_TO_OPEN

    world.clock.advance(budget.OPEN_S)
    run(world)  # one probe, which fails: closed for longer
    assert len(world.simulator.calls.all()) == budget.FAILURES_TO_OPEN + 1
    assert world.sent == 0
    world.clock.advance(2 * budget.OPEN_S)
    run(world)
    world.play()
    assert {state_of(refund) for refund in refunds} == {states.CONFIRMED}
    assert (budget.is_open(budget.budget_of(connection_id=shop)), cases()) == (False, [])


def test_behind_an_open_breaker_one_call_goes_and_none_beside_another(world: World) -> None:
    """The threads have room for four; the vendor gets one, and not while an earlier call is still out."""
    for _ in range(3):
        world.refund_of(world.another_order())
    shop = world.order.connection
    budget.change(budget.budget_of(connection_id=shop.pk), open_until_at=START, opened_count=1)
    part = pump._Slice(
        connection=shop,
        capabilities=ledger.CAPABILITIES,
        runtime=world.runtime(),
        ends_at=START + timedelta(seconds=pump.SLICE_S),
    )
    assert pump._next_jobs(part, active=1) == []
    assert len(pump._next_jobs(part, active=0)) == 1
    assert pump._next_jobs(part, active=0) == []


# --- stops -------------------------------------------------------------------------------------------------------


def _routed(world: World, document: dict[str, Any] | None = None) -> Route:
    route: Route = RouteFactory(commerce=world.order.connection, live=True)
    if document is not None:
        assert route.policy is not None
        PolicyVersion.objects.filter(pk=route.policy.pk).update(document=document)
    return route


@pytest.mark.parametrize("kind", ["all", "connection", "route", "kind"])
def test_a_stop_of_each_scope_holds_sends_back_and_lets_reading_go_on(world: World, kind: str) -> None:
    route = _routed(world)
    names = {"connection": world.order.connection.name, "route": route.name, "kind": states.REFUND}
    scope = "all" if kind == "all" else f"{kind}:{names[kind]}"
    lost = world.refund_of(world.another_order(), route=route)
    world.simulator.faults.script(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    run(world)
    waiting = world.refund(route=route)
    switches.stop(scope=scope, reason="wrong prices", **BY)
    assert stops.reason_to_stop(effect_id=waiting.pk)
    world.clock.advance(5)
    run(world)
    assert (state_of(lost), state_of(waiting), world.sent) == (states.CONFIRMED, states.READY, 1)

    switches.resume(scope=scope, reason="right again", **BY)
    world.play()
    assert (state_of(waiting), world.sent) == (states.CONFIRMED, 2)


def test_a_stop_of_another_scope_holds_nothing_back(world: World) -> None:
    effect = world.refund(route=_routed(world))
    for scope in ("kind:note", f"route:{RouteFactory().name}", f"connection:{RouteFactory().commerce.name}"):
        switches.stop(scope=scope, reason="wrong prices", **BY)
    world.play()
    assert state_of(effect) == states.CONFIRMED


LIMITS: list[dict[str, Any]] = [{"count": 2}, {"money": {"GBP": "45.00"}}]


@pytest.mark.parametrize("limit", LIMITS)
def test_the_limit_of_refunds_pauses_the_route_with_a_case(world: World, limit: dict[str, Any]) -> None:
    route = _routed(world, {"refund": {"limit_per_hour": limit}})
    refunds = [world.refund_of(world.another_order(), route=route) for _ in range(3)]
    run(world)
    route.refresh_from_db()
    assert route.is_paused
    assert "look at them, then resume the route" in route.pause_reason
    assert (cases(), world.sent) == ([states.CASE_REFUND_LIMIT], 2)
    world.clock.advance(3601)
    run(world)
    assert world.sent == 2

    switches.resume_route(route=route, reason="a sale", by="fin", at=world.clock.now())
    world.play()
    assert ({state_of(refund) for refund in refunds}, cases()) == ({states.CONFIRMED}, [])


def test_a_policy_that_cannot_be_read_stops_money(world: World) -> None:
    effect = world.refund(route=_routed(world, {"refund": {"limit_per_hour": {"count": "many"}}}))
    run(world)
    assert (state_of(effect), world.sent, cases()) == (states.READY, 0, [states.CASE_REFUND_LIMIT])


def test_another_currency_has_its_own_limit(world: World) -> None:
    route = _routed(world, {"refund": {"limit_per_hour": {"money": {"EUR": "1.00"}}}})
    effect = world.refund(route=route)
    assert stops.refund_limit_reached(effect_id=effect.pk, at=START) == ""
    assert effect.amount == Decimal("20.00")


# --- commands and tasks ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_pause_and_resume_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    route = RouteFactory(is_paused=True, pause_reason="limit")
    call_command("pause", "all", "--reason", "wrong prices")
    call_command("pause", "all", "--reason", "wrong prices")
    call_command("resume", "all")
    call_command("resume", f"route:{route.name}")
    call_command("resume", f"route:{route.name}")
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "all: stopped.",
        "all: was stopped already.",
        "all: sends again.",
        f"route:{route.name}: sends again.",
        f"route:{route.name}: was not stopped.",
    ]


@pytest.mark.django_db
def test_schedules_are_set_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("setup_schedules")
    Schedule.objects.filter(func="connectors.tasks.sweep").update(minutes=99)
    call_command("setup_schedules")
    minutes = dict(Schedule.objects.filter(schedule_type=Schedule.MINUTES).values_list("func", "minutes"))
    assert minutes["connectors.tasks.sweep"] == 1
    assert minutes["connectors.tasks.poll_all"] == 1
    assert minutes["exceptions_queue.tasks.upkeep"] == 1
    assert minutes["exceptions_queue.tasks.recheck_open"] == 5
    assert Schedule.objects.count() == len(set(Schedule.objects.values_list("name", flat=True)))


@pytest.mark.django_db
def test_a_pump_is_woken_again_when_its_next_effect_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    soon = registry.utc_now() + timedelta(seconds=20)
    results = [pump.PumpResult(worked=3, next_due_at=soon)] * 2 + [
        pump.PumpResult(next_due_at=soon + timedelta(hours=1)),
        pump.PumpResult(),
    ]
    monkeypatch.setattr(pump, "run", lambda **_: results.pop(0))
    assert [tasks.wake_pump(7) for _ in range(4)] == [3, 3, 0, 0]
    row = Schedule.objects.get()
    assert (row.func, row.args, row.next_run, row.schedule_type) == ("connectors.tasks.wake_pump", "(7,)", soon, "O")


@pytest.mark.django_db(transaction=True)
def test_an_unfinished_slice_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "run", lambda **_: pump.PumpResult(is_unfinished=True))
    tasks.wake_pump(7)
    assert OrmQ.objects.count() == 1
    OrmQ.objects.all().delete()
