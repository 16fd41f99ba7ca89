"""Every way out of a delivery: what the vendor says decides between done, waiting, a person, and nothing at all."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError

from connectors import confirming, delivery, desk, ports
from connectors.jobs import Job, perform
from connectors.simulators.faults import Fault, FaultKind
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, Effect, HistoryEntry, ReturnAuthorisation
from returnsops.services import effects, replan, switches
from tests.factories import ReturnFactory, RouteFactory, UserFactory
from tests.faults import ledger
from tests.faults.ledger import START, World, purposes

LOST = Fault(kind=FaultKind.LOST_ANSWER, method="POST")


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """A ledger on loopback with one order of 60.00 GBP."""
    with ledger.world() as made:
        yield made


def cases() -> list[str]:
    """Kinds of the active cases."""
    return sorted(ExceptionCase.objects.active().values_list("kind_code", flat=True))


def state_of(effect: Effect) -> str:
    effect.refresh_from_db()
    return effect.state


def raising(error: Exception) -> Callable[..., Any]:
    """A function of a connector that fails."""

    def fail(*args: Any) -> Any:
        raise error

    return fail


def with_actions(world: World, **actions: Any) -> None:
    """Replace what the ledger's connector does with refunds."""
    refund = replace(ledger.ACTIONS, **actions)
    world.connector = replace(world.connector, effects={**world.connector.effects, states.REFUND: refund})


def deliver(world: World, effect: Effect, purpose: str = effects.SEND) -> bool:
    return delivery.deliver(effect_id=effect.pk, purpose=purpose, runtime=world.runtime())


def opened(world: World, effect: Effect, purpose: str = effects.SEND) -> Job:
    job = delivery.open_job(effect_id=effect.pk, purpose=purpose, runtime=world.runtime())
    assert job is not None
    return job


# --- the steps ---------------------------------------------------------------------------------------------------


def test_one_thread_delivers_to_the_end(world: World) -> None:
    effect = world.refund()
    assert deliver(world, effect)
    assert (state_of(effect), world.posted) == (states.DONE, [("refund", "20.00")])
    assert not deliver(world, effect)
    assert deliver(world, effect, effects.CONFIRM)
    assert state_of(effect) == states.CONFIRMED


def test_what_a_vendor_cannot_do_is_refused_without_a_call(world: World) -> None:
    effect = world.refund(kind=states.MIRROR, payload={}, amount=None)
    assert delivery.open_job(effect_id=effect.pk, purpose=effects.SEND, runtime=world.runtime()) is None
    assert (state_of(effect), effect.error_code) == (states.REJECTED, "not_supported")
    assert "Ledger cannot do mirror effects" in effect.error_text
    assert world.simulator.calls.all() == []


def test_a_busy_database_is_asked_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    effect = world.refund()
    job = opened(world, effect)
    real, fails = delivery.settle, [1, 1]

    def busy(*args: Any, **kwargs: Any) -> Job | None:
        if fails:
            fails.pop()
            raise OperationalError("database is locked")
        return real(*args, **kwargs)

    monkeypatch.setattr(delivery, "settle", busy)
    assert delivery.settle_surely(job, perform(job), runtime=world.runtime()) is not None
    fails.extend([1] * 9)
    with pytest.raises(OperationalError):
        delivery.settle_surely(job, perform(job), runtime=world.runtime())


# --- errors before anything left ---------------------------------------------------------------------------------


def test_a_refusal_is_a_case_with_the_vendors_words_and_is_not_repeated(world: World) -> None:
    effect = world.refund()
    world.ledger.refusal = (400, "too_much")
    world.play()
    assert (state_of(effect), effect.error_code, effect.first_attempt_at) == (states.REJECTED, "too_much", None)
    assert (world.sent, world.posted, cases()) == (1, [], [states.CASE_REJECTED])
    case = ExceptionCase.objects.active().get()
    assert case.evidence["code"] == "too_much"
    assert "The ledger refuses." in case.evidence["answer"]


def test_wrong_credentials_pause_the_connection_and_lose_nothing(world: World) -> None:
    effect = world.refund()
    world.ledger.refusal = (401, "")
    world.pump()
    assert state_of(effect) == states.READY
    shop = Connection.objects.get(pk=effect.connection_id)
    assert (shop.is_paused, shop.pause_reason) == (True, "The ledger does not know our key.")
    assert cases() == [states.CASE_CONNECTION_AUTH]
    world.pump()
    assert world.sent == 1

    world.ledger.refusal = None
    switches.resume_connection(connection=shop, reason="a new key", by="olivia", at=world.clock.now())
    world.play()
    assert (state_of(effect), world.posted, cases()) == (states.CONFIRMED, [("refund", "20.00")], [])


def test_a_vendors_pace_is_kept(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(Fault(kind=FaultKind.RATE_LIMITED, method="GET", retry_after_s=17))
    world.pump()
    assert state_of(effect) == states.READY
    assert effect.next_attempt_at == START + timedelta(seconds=17)
    assert effect.attempt_count == 0
    world.play()
    assert (state_of(effect), world.sent) == (states.CONFIRMED, 1)


def test_tries_end_and_a_person_decides(world: World) -> None:
    effect = world.refund()
    with_actions(world, send=raising(ports.Retryable("The line is busy.")))
    world.play(rounds=200)
    assert state_of(effect) == states.FAILED
    assert effect.attempt_count == effects.MAX_TRIES
    assert effect.first_attempt_at is None
    assert states.CASE_ATTEMPTS_EXHAUSTED in cases()
    assert world.posted == []


def test_our_own_mistake_after_the_call_began_is_an_unknown_outcome(world: World) -> None:
    effect = world.refund()
    with_actions(world, send=raising(KeyError("id")))
    world.pump()
    assert (state_of(effect), effect.error_text) == (states.UNKNOWN, "KeyError in our own program.")


def test_wrong_credentials_during_a_look_up_keep_the_unknown_outcome(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(LOST)
    world.pump()
    with_actions(world, look_up=raising(ports.AuthFailed("The key was revoked.")))
    world.clock.advance(5)
    world.pump()
    assert (state_of(effect), world.sent) == (states.UNKNOWN, 1)
    assert cases() == [states.CASE_CONNECTION_AUTH]


def test_a_refused_look_up_of_an_unknown_outcome_is_a_case_at_once(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(LOST)
    world.pump()
    with_actions(world, look_up=raising(ports.Rejected("Order 1 is gone.", code="order_not_found")))
    world.clock.advance(5)
    world.pump()
    assert (state_of(effect), cases()) == (states.UNKNOWN, [states.CASE_AMBIGUOUS_OUTCOME])


def test_look_ups_that_go_on_failing_reach_a_person(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(LOST)
    world.pump()
    with_actions(world, look_up=raising(ports.Retryable("The line is busy.")))
    for _ in range(delivery.LOOKS_TO_CASE):
        assert states.CASE_AMBIGUOUS_OUTCOME not in cases()
        effect.refresh_from_db()
        assert effect.next_attempt_at is not None
        world.clock.advance((effect.next_attempt_at - world.clock.now()).total_seconds())
        deliver(world, effect, effects.LOOK_UP)
    assert states.CASE_AMBIGUOUS_OUTCOME in cases()
    assert (state_of(effect), world.sent) == (states.UNKNOWN, 1)


def test_read_back_that_fails_is_done_later(world: World) -> None:
    effect = world.refund()
    deliver(world, effect)
    with_actions(world, look_up=raising(ports.RateLimited("Slow down.", after_s=40)))
    deliver(world, effect, effects.CONFIRM)
    assert state_of(effect) == states.DONE
    assert (effect.confirm_tries, effect.confirm_after_at) == (0, START + timedelta(seconds=40))
    with_actions(world)
    world.play()
    assert state_of(effect) == states.CONFIRMED


# --- what stands between look-up and send -------------------------------------------------------------------------


def test_a_stop_between_look_up_and_send_stops(world: World) -> None:
    effect = world.refund()
    job = opened(world, effect)
    switches.stop(scope="kind:refund", reason="prices", by="olivia", at=world.clock.now())
    assert delivery.settle(job, perform(job), runtime=world.runtime()) is None
    assert (state_of(effect), effect.error_class, world.sent) == (states.READY, "stopped", 0)


def test_news_between_look_up_and_send_is_planned_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim asked the same, but a look-up takes its time; here the news forbids nothing after all."""
    rma = ReturnFactory(order=world.order, route=RouteFactory(commerce=world.order.connection), is_dirty=False)
    effect = world.refund(rma=rma)
    job = opened(world, effect)
    mine, planned = ReturnAuthorisation.objects.filter(pk=rma.pk), list[int]()

    def plan(*, rma_id: int, at: datetime) -> None:
        planned.append(rma_id)
        mine.update(is_dirty=False)

    monkeypatch.setattr(desk, "plan_if_possible", plan)
    mine.update(is_dirty=True)
    assert delivery.settle(job, perform(job), runtime=world.runtime()) is None
    assert (state_of(effect), effect.error_class) == (states.READY, "stopped")
    assert (planned, world.sent) == ([rma.pk], 0)
    world.play()
    assert (state_of(effect), world.sent) == (states.CONFIRMED, 1)


def test_a_claim_lost_before_the_send_sends_nothing(world: World) -> None:
    effect = world.refund()
    job = opened(world, effect)
    answer = perform(job)
    world.clock.advance(120)
    effects.recover_lapsed(connection_id=effect.connection_id, at=world.clock.now())
    assert delivery.settle(job, answer, runtime=world.runtime()) is None
    assert (state_of(effect), world.sent) == (states.UNKNOWN, 0)
    assert effect.attempts.get().outcome == "claim_lost"


def test_half_done_goes_on_at_its_step_and_waits_while_stopped(world: World) -> None:
    effect = world.refund(kind=states.NOTE, payload={}, amount=None)
    draft = {"id": "1", "order": "1", "kind": "note", "key": effect.key, "amount": "0", "step": "authorise"}
    world.ledger.postings.append(draft)
    seen: list[str] = []

    def go_on(link: ports.Link, intent: ports.Intent, lookup: ports.Lookup) -> ports.Sent:
        seen.append(lookup.step)
        return ports.Sent(remote_id=lookup.remote_id)

    actions = replace(ledger.ACTIONS, send=go_on)
    world.connector = replace(world.connector, effects={states.NOTE: actions})
    job = opened(world, effect)
    switches.stop(scope="all", reason="prices", by="olivia", at=world.clock.now())
    assert delivery.settle(job, perform(job), runtime=world.runtime()) is None
    assert (state_of(effect), seen) == (states.UNKNOWN, [])
    assert effect.next_attempt_at == START + timedelta(seconds=delivery.STOPPED_WAIT_S)

    switches.resume(scope="all", reason="right again", by="olivia", at=world.clock.now())
    world.play()
    assert (state_of(effect), seen, effect.remote_id) == (states.DONE, ["authorise"], "1")


def test_where_absence_tells_nothing_the_same_key_is_sent_again_before_anything_is_planned_anew(world: World) -> None:
    """It may have happened: only the vendor's answer to the same key says that it did."""
    effect = world.refund()
    keys: list[str] = []

    def look_up(link: ports.Link, intent: ports.Intent) -> ports.Lookup:
        return replace(ledger.look_up(link, intent), found=ports.Found.ABSENT, is_repeatable=True, settle_s=300)

    def send(link: ports.Link, intent: ports.Intent, lookup: ports.Lookup) -> ports.Sent:
        keys.append(intent.remote_key)
        if len(keys) == 1:
            raise ports.OutcomeUnknown("the answer was lost")
        return ports.Sent(remote_id="7")

    world.connector = replace(
        world.connector, effects={states.REFUND: replace(ledger.ACTIONS, look_up=look_up, send=send)}
    )
    world.pump()
    world.ledger.total = Decimal("40.00")  # a change that would send it back to planning
    world.clock.advance(299)
    world.pump()
    assert (state_of(effect), len(keys)) == (states.UNKNOWN, 1)
    world.clock.advance(1)
    world.pump()
    assert (state_of(effect), effect.remote_id, len(keys), len(set(keys))) == (states.DONE, "7", 2, 1)


def test_changed_order_is_kept_and_the_effect_waits_for_its_new_plan(world: World) -> None:
    effect = world.refund()
    world.ledger.total = Decimal("40.00")
    world.pump()
    assert (state_of(effect), effect.error_class, world.sent) == (states.READY, "changed", 0)
    assert effect.next_attempt_at == START + timedelta(seconds=delivery.STOPPED_WAIT_S)
    world.order.refresh_from_db()
    assert world.order.total == Decimal("40.00")


@pytest.mark.parametrize(("total", "state"), [("40.00", states.CONFIRMED), ("15.00", states.REJECTED)])
def test_what_a_person_proposed_goes_on_where_it_still_fits(world: World, total: str, state: str) -> None:
    effect = world.refund(origin=states.ORIGIN_PERSON, approved_revision=1, **_approved())
    world.ledger.total = Decimal(total)
    world.play()
    assert state_of(effect) == state
    assert world.posted == ([("refund", "20.00")] if state == states.CONFIRMED else [])
    assert cases() == ([] if state == states.CONFIRMED else [states.CASE_REJECTED])


def test_what_a_person_proposed_does_not_go_to_a_locked_order(world: World) -> None:
    effect = world.refund(origin=states.ORIGIN_PERSON, approved_revision=1, **_approved())

    def locked(link: ports.Link, intent: ports.Intent) -> ports.Lookup:
        found = ledger.look_up(link, intent)
        assert found.order is not None
        return replace(found, order=replace(found.order, is_locked=True, lock_reason="on hold", status="on-hold"))

    with_actions(world, look_up=locked)
    world.pump()
    assert (state_of(effect), effect.error_code) == (states.REJECTED, "no_longer_fits")
    assert "not open for refunds any more: on hold" in effect.error_text


def _approved() -> dict[str, Any]:
    return {"proposed_by": UserFactory(), "approved_by": UserFactory(), "approved_at": START}


def test_a_refusal_that_comes_after_the_claim_was_lost_is_only_noted(world: World) -> None:
    effect = world.refund()
    job = opened(world, effect)
    following = delivery.settle(job, perform(job), runtime=world.runtime())
    assert following is not None
    world.clock.advance(120)
    effects.recover_lapsed(connection_id=effect.connection_id, at=world.clock.now())
    refusal = ports.Rejected("Too much.", code="too_much")
    assert delivery.settle(following, refusal, runtime=world.runtime()) is None
    assert (state_of(effect), cases()) == (states.UNKNOWN, [])
    assert purposes(effect) == [("send", "rejected")]


def test_the_last_try_of_a_lost_claim_opens_no_case(world: World) -> None:
    effect = world.refund(attempt_count=effects.MAX_TRIES - 1)
    job = opened(world, effect)
    Effect.objects.filter(pk=effect.pk).update(claim_token="another", attempt_count=0)
    delivery.settle(job, ports.Retryable("The line is busy."), runtime=world.runtime())
    assert (state_of(effect), cases()) == (states.SENDING, [])


def test_ambiguity_found_with_a_lost_claim_opens_no_case(world: World) -> None:
    effect = world.refund()
    job = opened(world, effect)
    Effect.objects.filter(pk=effect.pk).update(claim_token="another")
    ambiguous = ports.Lookup(found=ports.Found.AMBIGUOUS)
    delivery.settle(job, ambiguous, runtime=world.runtime())
    assert (state_of(effect), cases()) == (states.SENDING, [])


def test_a_second_record_of_a_done_refund_is_a_case(world: World) -> None:
    effect = world.refund()
    job = opened(world, effect)
    following = delivery.settle(job, perform(job), runtime=world.runtime())
    assert following is not None
    world.clock.advance(120)
    world.play()
    assert state_of(effect) == states.CONFIRMED
    delivery.settle(
        following, perform(replace(following, lease_until_at=START + timedelta(days=1))), runtime=world.runtime()
    )
    assert cases() == [states.CASE_OVER_REFUNDED]
    case = ExceptionCase.objects.active().get()
    assert case.evidence["records"] == ["1", "2"]


# --- read-back ---------------------------------------------------------------------------------------------------


def test_acknowledged_and_not_seen_is_looked_for_and_never_sent_again(world: World) -> None:
    effect = world.refund()
    deliver(world, effect)
    (posting,) = world.ledger.postings
    world.ledger.postings.clear()
    for tries, wait_s in enumerate((*confirming.WAITS_S, confirming.SLOW_S)):
        assert cases() == []
        deliver(world, effect, effects.CONFIRM)
        effect.refresh_from_db()
        assert (effect.state, effect.confirm_tries) == (states.DONE, tries + 1)
        assert effect.confirm_after_at == world.clock.now() + timedelta(seconds=wait_s)
        world.clock.advance(wait_s)
    assert cases() == [states.CASE_NOT_SEEN_AFTER_DONE]
    assert world.sent == 1

    world.ledger.postings.append(posting)
    deliver(world, effect, effects.CONFIRM)
    assert (state_of(effect), cases(), world.sent) == (states.CONFIRMED, [], 1)


def test_not_seen_with_a_lost_claim_opens_no_case(world: World) -> None:
    effect = world.refund()
    deliver(world, effect)
    world.ledger.postings.clear()
    Effect.objects.filter(pk=effect.pk).update(confirm_tries=9)
    job = opened(world, effect, effects.CONFIRM)
    answer = perform(job)
    Effect.objects.filter(pk=effect.pk).update(claim_token="another")
    delivery.settle(job, answer, runtime=world.runtime())
    assert (state_of(effect), cases()) == (states.DONE, [])


def test_seen_with_a_lost_claim_leaves_the_state(world: World) -> None:
    effect = world.refund()
    deliver(world, effect)
    job = opened(world, effect, effects.CONFIRM)
    answer = perform(job)
    Effect.objects.filter(pk=effect.pk).update(claim_token="another")
    delivery.settle(job, answer, runtime=world.runtime())
    assert state_of(effect) == states.DONE


def test_stock_is_read_back_without_comparing_money(world: World) -> None:
    effect = world.refund(kind=states.RESTOCK, quantity=1, amount=None, payload={}, item_external_id="i1")
    world.play()
    assert (state_of(effect), world.posted) == (states.CONFIRMED, [("restock", "0")])


def test_a_read_back_without_an_order_confirms_too(world: World) -> None:
    effect = world.refund()
    deliver(world, effect)
    complete = ports.Lookup(found=ports.Found.COMPLETE, remote_id="1")
    with_actions(world, look_up=lambda link, intent: complete)
    deliver(world, effect, effects.CONFIRM)
    assert state_of(effect) == states.CONFIRMED


# --- what follows ------------------------------------------------------------------------------------------------


def test_planning_that_fails_never_undoes_the_result(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    route = RouteFactory(commerce=world.order.connection)
    rma = ReturnFactory(order=world.order, route=route, is_dirty=False)
    effect = world.refund(rma=rma)
    monkeypatch.setattr(replan, "replan", raising(ValueError("a rule failed")))
    assert deliver(world, effect)
    assert deliver(world, effect, effects.CONFIRM)
    assert (state_of(effect), world.posted) == (states.CONFIRMED, [("refund", "20.00")])
    assert ReturnAuthorisation.objects.get(pk=rma.pk).is_dirty
    assert HistoryEntry.objects.filter(act="effect_done").count() == 1
    assert cases() == [states.CASE_PLANNING_FAILED]


def test_an_effect_without_an_order_plans_its_own_return(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rma = ReturnFactory(order=None, is_dirty=False, order_external_id="1")
    world.connector = replace(world.connector, effects={states.WRITE_BACK: world.connector.effects[states.NOTE]})
    effect = world.refund(kind=states.WRITE_BACK, payload={}, amount=None, order=None, rma=rma)
    planned: list[int] = []
    monkeypatch.setattr(desk, "plan_if_possible", lambda *, rma_id, at: planned.append(rma_id))
    assert deliver(world, effect)
    assert (state_of(effect), planned) == (states.DONE, [rma.pk])


def test_nothing_is_planned_anew_because_a_note_was_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rma = ReturnFactory(order=world.order, is_dirty=False)
    effect = world.refund(kind=states.NOTE, payload={}, amount=None, rma=rma)
    planned: list[int] = []
    monkeypatch.setattr(desk, "plan_if_possible", lambda *, rma_id, at: planned.append(rma_id))
    assert deliver(world, effect)
    assert (state_of(effect), planned) == (states.DONE, [])
    assert not ReturnAuthorisation.objects.get(pk=rma.pk).is_dirty


def test_looks_are_counted_from_the_last_write_only(world: World) -> None:
    """Else what was sent again after an absence would reach a person, or wait for hours, at its first failed look."""
    effect = world.refund()
    for _ in range(delivery.LOOKS_TO_CASE):
        effect.attempts.create(
            number=effect.attempts.count() + 1,
            generation=1,
            purpose="look_up",
            token=f"t{effect.attempts.count()}",
            started_at=START - timedelta(hours=1),
            ended_at=START,
            outcome="retryable",
        )
    world.simulator.faults.script(LOST)
    world.pump()
    with_actions(world, look_up=raising(ports.Retryable("The line is busy.")))
    world.clock.advance(5)
    world.pump()
    assert (state_of(effect), cases()) == (states.UNKNOWN, [])
    assert effect.next_attempt_at == world.clock.now() + timedelta(seconds=10)
