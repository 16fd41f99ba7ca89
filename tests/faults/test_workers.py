"""Two workers, lost tokens, lapsed leases: whoever comes second sends nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from connectors import delivery, pump
from connectors.jobs import Job, Runtime, perform
from connectors.ports import OutcomeUnknown
from connectors.simulators.faults import Fault, FaultKind
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Attempt, Effect, ReturnAuthorisation
from returnsops.services import approvals, effects
from returnsops.services.effect_rows import EffectError
from tests.factories import ReturnFactory, RouteFactory, UserFactory
from tests.faults import ledger
from tests.faults.ledger import START, World, purposes

WORKERS = 4


def opened(world: World, effect: Effect, purpose: str = effects.SEND) -> Job | None:
    return delivery.open_job(effect_id=effect.pk, purpose=purpose, runtime=world.runtime())


def taken(job: Job | None) -> Job:
    assert job is not None
    return job


# --- what is locked first ------------------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize("purpose", [effects.SEND, effects.CONFIRM])
def test_a_return_is_locked_before_its_effect_as_planning_does(world: World, purpose: str) -> None:
    """The other way round a plan and a pump wait for each other, and a person's act may be what PostgreSQL ends."""
    rma = ReturnFactory(order=world.order, route=RouteFactory(commerce=world.order.connection), is_dirty=False)
    effect = world.refund(rma=rma)
    if purpose == effects.CONFIRM:
        delivery.deliver(effect_id=effect.pk, purpose=effects.SEND, runtime=world.runtime())
        world.ledger.postings.clear()  # acknowledged, and not to be seen: read back again later
    job = taken(opened(world, effect, purpose))
    answer = perform(job)
    ReturnAuthorisation.objects.update(is_dirty=purpose == effects.SEND)  # news: the effect is given back
    with CaptureQueriesContext(connection) as asked:
        delivery.settle(job, answer, runtime=world.runtime())
    statements = [query["sql"] for query in asked]
    changed = next(n for n, sql in enumerate(statements) if sql.startswith('UPDATE "returnsops_effect"'))
    locks = [n for n, sql in enumerate(statements) if "FOR UPDATE" in sql and '_returnauthorisation"."id" = ' in sql]
    assert locks[0] < changed


# --- interleaved in one thread, on every database -----------------------------------------------------------------


@pytest.mark.django_db
def test_a_claimed_effect_is_not_claimed_again(world: World) -> None:
    effect = world.refund()
    first = taken(opened(world, effect))
    assert opened(world, effect) is None
    sending = taken(delivery.settle(first, perform(first), runtime=world.runtime()))
    assert opened(world, effect) is None
    assert delivery.settle(sending, perform(sending), runtime=world.runtime()) is None
    assert opened(world, effect) is None
    assert world.posted == [("refund", "20.00")]


@pytest.mark.django_db
def test_two_refunds_of_one_order_go_one_after_the_other(world: World) -> None:
    first, second = world.refund(), world.refund()
    job = taken(opened(world, first))
    assert opened(world, second) is None
    assert Effect.objects.get(pk=second.pk).state == states.READY
    sending = taken(delivery.settle(job, perform(job), runtime=world.runtime()))
    delivery.settle(sending, OutcomeUnknown("no answer"), runtime=world.runtime())
    assert Effect.objects.get(pk=first.pk).state == states.UNKNOWN
    assert opened(world, second) is None
    assert list(pump.due_effects(connection=world.order.connection, at=START)) == []


@pytest.mark.django_db
def test_the_database_itself_refuses_two_in_flight_of_one_order(world: World) -> None:
    """The guard below the guard: the pump's own look at what is in flight can be out of date."""
    first, second = world.refund(), world.refund()
    until = START + timedelta(minutes=1)
    claims = [
        effects.claim(effect_id=effect.pk, purpose=effects.SEND, lease_until_at=until, at=START)
        for effect in (first, second)
    ]
    assert claims[0] is not None
    assert claims[1] is None
    assert Attempt.objects.filter(effect=second).count() == 0


@pytest.mark.django_db
def test_a_worker_whose_lease_ended_before_its_send_sends_nothing(world: World) -> None:
    effect = world.refund()
    slow = taken(opened(world, effect))
    answer = perform(slow)
    world.clock.advance(60)
    world.pump()  # another worker takes over, looks up, and sends
    assert world.posted == [("refund", "20.00")]
    assert delivery.settle(slow, answer, runtime=world.runtime()) is None
    assert world.sent == 1


@pytest.mark.django_db
def test_a_call_that_could_outlast_the_lease_is_not_begun(world: World) -> None:
    effect = world.refund()
    job = taken(opened(world, effect))
    sending = taken(delivery.settle(job, perform(job), runtime=world.runtime()))
    world.clock.advance(49)  # the lease is 50 s, the call could take 5
    answer = perform(sending)
    assert world.sent == 0
    delivery.settle(sending, answer, runtime=world.runtime())
    effect.refresh_from_db()
    assert (effect.state, effect.error_class) == (states.READY, "retryable")
    world.play()
    assert world.posted == [("refund", "20.00")]


Interference = Callable[[World, Effect], Any]


def _lapse(world: World, effect: Effect) -> None:
    world.clock.advance(120)
    effects.recover_lapsed(connection_id=effect.connection_id, at=world.clock.now())


def _take_over(world: World, effect: Effect) -> None:
    _lapse(world, effect)
    taken(opened(world, effect, effects.LOOK_UP))


def _adopt(world: World, effect: Effect) -> None:
    _lapse(world, effect)
    approvals.adopt(effect_id=effect.pk, remote_id="77", by="fin", at=world.clock.now(), why="found it")


@pytest.mark.django_db
@pytest.mark.parametrize("interference", [_lapse, _take_over, _adopt])
@pytest.mark.parametrize("step", ["look_up", "send"])
def test_a_token_that_is_not_the_newest_changes_nothing_but_by_success(
    world: World, interference: Interference, step: str
) -> None:
    """What was sent is one record at most; a late success is adopted, or a case where another one is named."""
    effect = world.refund()
    job = taken(opened(world, effect))
    if step == "send":
        job = taken(delivery.settle(job, perform(job), runtime=world.runtime()))
    answer = perform(job)
    interference(world, effect)
    assert delivery.settle(job, answer, runtime=world.runtime()) is None
    assert world.sent == (1 if step == "send" else 0)
    effect.refresh_from_db()
    if interference is _adopt:
        assert (effect.state, effect.remote_id) == (states.DONE, "77")
        cases = set(ExceptionCase.objects.active().values_list("kind_code", flat=True))
        assert cases == ({states.CASE_OVER_REFUNDED} if step == "send" else set())
        return
    world.clock.advance(600)
    world.play()
    effect.refresh_from_db()
    assert (effect.state, world.posted) == (states.CONFIRMED, [("refund", "20.00")])


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", [effects.LOOK_UP, effects.CONFIRM])
def test_looking_is_claimed_too(world: World, purpose: str) -> None:
    effect = world.refund()
    if purpose == effects.LOOK_UP:
        world.simulator.faults.script(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    delivery.deliver(effect_id=effect.pk, purpose=effects.SEND, runtime=world.runtime())
    world.clock.advance(5)
    assert opened(world, effect, purpose) is not None
    assert opened(world, effect, purpose) is None
    world.clock.advance(60)
    assert opened(world, effect, purpose) is not None
    assert purposes(effect)[1:] == [(purpose, "lapsed"), (purpose, "")]


@pytest.mark.django_db
def test_only_one_pump_holds_the_lease(world: World) -> None:
    shop = world.order.connection_id
    holder = pump.take_lease(connection_id=shop, lease_for_s=60, at=START)
    assert holder
    assert pump.take_lease(connection_id=shop, lease_for_s=60, at=START + timedelta(seconds=59)) == ""
    world.refund()
    assert world.pump() == pump.PumpResult()
    pump.give_lease_back(connection_id=shop, holder="somebody else")
    assert world.pump() == pump.PumpResult()
    other = pump.take_lease(connection_id=shop, lease_for_s=60, at=START + timedelta(seconds=60))
    assert other not in ("", holder)
    pump.give_lease_back(connection_id=shop, holder=holder)
    assert pump.take_lease(connection_id=shop, lease_for_s=60, at=START + timedelta(seconds=61)) == ""


# --- at the same moment, in threads: PostgreSQL -------------------------------------------------------------------


@pytest.fixture
def committed_world(transactional_db: None) -> Iterator[World]:
    """A ledger whose rows other threads can see."""
    with ledger.world() as made:
        yield made


def at_once(work: Callable[[], Any]) -> list[Any]:
    """The same in several threads at the same moment, each with its own connection to the database."""
    barrier = Barrier(WORKERS)

    def one(_: int) -> Any:
        try:
            barrier.wait(10)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return list(pool.map(one, range(WORKERS)))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_workers_deliver_one_refund_once(committed_world: World) -> None:
    world = committed_world
    effect = world.refund()
    runtime = world.runtime()
    done = at_once(lambda: delivery.deliver(effect_id=effect.pk, purpose=effects.SEND, runtime=runtime))
    assert sorted(done) == [False] * (WORKERS - 1) + [True]
    assert world.posted == [("refund", "20.00")]
    assert effect.attempts.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_pumps_without_a_lease_still_send_each_refund_once(
    committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease saves calls; the claims are what keeps it right."""
    world = committed_world
    monkeypatch.setattr(pump, "take_lease", lambda **_: "everybody")
    rows = [world.refund_of(world.another_order()) for _ in range(8)]
    shop, runtime = world.order.connection_id, world.runtime()
    at_once(lambda: pump.run(connection_id=shop, runtime=runtime, is_threaded=False))
    world.play()
    assert {Effect.objects.get(pk=row.pk).state for row in rows} == {states.CONFIRMED}
    keys = [posting["key"] for posting in world.ledger.postings]
    assert sorted(keys) == sorted(row.key for row in rows)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_late_success_and_look_up_at_the_same_moment_agree(committed_world: World) -> None:
    world = committed_world
    effect = world.refund()
    job = taken(opened(world, effect))
    sending = taken(delivery.settle(job, perform(job), runtime=world.runtime()))
    answer = perform(sending)
    _lapse(world, effect)
    looking = taken(opened(world, effect, effects.LOOK_UP))
    found = perform(looking)
    steps = [(sending, answer), (looking, found)] * (WORKERS // 2)
    runtime: Runtime = world.runtime()
    at_once(lambda: delivery.settle(*steps.pop(), runtime=runtime))
    effect.refresh_from_db()
    assert (effect.state, effect.remote_id, world.sent) == (states.DONE, "1", 1)
    assert not ExceptionCase.objects.active().exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_approve_at_the_same_moment(committed_world: World) -> None:
    effect = committed_world.refund(
        state=states.AWAITING_APPROVAL, origin=states.ORIGIN_PERSON, proposed_by=UserFactory()
    )
    people = [UserFactory() for _ in range(WORKERS)]

    def approve() -> str:
        try:
            approvals.approve(effect_id=effect.pk, by=people.pop(), at=START, revision=1)
        except EffectError:
            return "too late"
        return "approved"

    assert sorted(at_once(approve)) == ["approved"] + ["too late"] * (WORKERS - 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_threaded_pump_sends_everything_once_and_keeps_orders_apart(committed_world: World) -> None:
    world = committed_world
    orders = [world.another_order() for _ in range(5)]
    rows = [world.refund_of(order) for order in orders]
    rows += [world.refund_of(order, kind=states.NOTE, amount=None, payload={}) for order in orders]
    result = pump.run(connection_id=world.order.connection_id, runtime=world.runtime())
    assert result.worked == len(rows) + len(orders)  # the refunds are read back too
    assert {Effect.objects.get(pk=row.pk).state for row in rows[:5]} == {states.CONFIRMED}
    assert {Effect.objects.get(pk=row.pk).state for row in rows[5:]} == {states.DONE}
    assert sorted(p["key"] for p in world.ledger.postings) == sorted(row.key for row in rows)
