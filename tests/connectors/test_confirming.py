"""What is there and not through yet stays done; what did not work after all is failed, once, with a case."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors import confirming, delivery, ports
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect
from returnsops.services import approvals, effects
from returnsops.services.effect_rows import EffectError
from tests.factories import UserFactory
from tests.faults import ledger
from tests.faults.ledger import World

COMPLETE = ports.Lookup(found=ports.Found.COMPLETE, remote_id="1")


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """A ledger on loopback with one order of 60.00 GBP."""
    with ledger.world() as made:
        yield made


def read_back(world: World, effect: Effect, **shown: Any) -> Effect:
    """Look at a done refund once; the other system shows it so."""
    actions = replace(ledger.ACTIONS, look_up=lambda link, intent: replace(COMPLETE, **shown))
    world.connector = replace(world.connector, effects={**world.connector.effects, states.REFUND: actions})
    delivery.deliver(effect_id=effect.pk, purpose=effects.CONFIRM, runtime=world.runtime())
    effect.refresh_from_db()
    return effect


def done(world: World) -> Effect:
    """A refund that was acknowledged."""
    effect = world.refund()
    delivery.deliver(effect_id=effect.pk, purpose=effects.SEND, runtime=world.runtime())
    return effect


def cases() -> list[str]:
    """Kinds of the active cases."""
    return sorted(ExceptionCase.objects.active().values_list("kind_code", flat=True))


@pytest.mark.requirement("S1-12")
def test_a_payment_under_way_stays_done_and_is_a_case_after_five_days(world: World) -> None:
    effect = done(world)
    waits = []
    for _ in range(12):
        read_back(world, effect, is_pending=True, text="The gateway is still paying.")
        assert (effect.state, effect.confirm_tries, effect.error_class) == (states.DONE, 0, "pending")
        assert effect.confirm_after_at is not None
        waits.append((effect.confirm_after_at - world.clock.now()).total_seconds())
        world.clock.advance(waits[-1])
    assert waits[:5] == [300.0, 300.0, 600.0, 1200.0, 2400.0]
    assert max(waits) == confirming.SLOW_S
    assert cases() == []
    world.clock.advance(confirming.PENDING_TO_CASE.total_seconds())
    read_back(world, effect, is_pending=True)
    assert cases() == [states.CASE_NOT_SEEN_AFTER_DONE]
    world.clock.advance(timedelta(hours=6).total_seconds())
    read_back(world, effect)
    assert (effect.state, cases(), world.sent) == (states.CONFIRMED, [], 1)


@pytest.mark.requirement("S1-12")
def test_a_gateway_that_fails_later_is_a_case_and_never_sent_again(world: World) -> None:
    effect = read_back(world, done(world), failed_because="The gateway refused: card closed.")
    assert (effect.state, effect.error_text) == (states.FAILED, "The gateway refused: card closed.")
    assert cases() == [states.CASE_FAILED_LATER]
    with pytest.raises(EffectError):
        approvals.requeue(effect_id=effect.pk, by=UserFactory(), at=world.clock.now(), why="try again")
    world.play()
    assert (effect.state, world.sent) == (states.FAILED, 1)


def test_a_failure_seen_with_a_lost_claim_changes_nothing(world: World) -> None:
    effect = done(world)
    job = delivery.open_job(effect_id=effect.pk, purpose=effects.CONFIRM, runtime=world.runtime())
    assert job is not None
    Effect.objects.filter(pk=effect.pk).update(claim_token="another")
    delivery.settle(job, replace(COMPLETE, failed_because="refused"), runtime=world.runtime())
    delivery.settle(job, replace(COMPLETE, is_pending=True), runtime=world.runtime())
    effect.refresh_from_db()
    assert (effect.state, cases()) == (states.DONE, [])


# --- a record that a person named --------------------------------------------------------------------------------


def adopted(world: World, remote_id: str, **fields: Any) -> Effect:
    """A refund of 20.00 that was never sent, and of which a person says which record it is."""
    effect = world.refund(state=states.REJECTED, **fields)
    approvals.adopt(effect_id=effect.pk, remote_id=remote_id, by="fin", at=world.clock.now(), why="paid by hand")
    return effect


def posting(world: World, amount: str, *, order: str = "1", key: str = "") -> str:
    """A record that somebody made in the ledger; its id."""
    number = str(len(world.ledger.postings) + 1)
    world.ledger.postings.append({"id": number, "order": order, "kind": "refund", "key": key, "amount": amount})
    return number


def confirm_until(world: World, effect: Effect, *, tries: int) -> None:
    """That many read-backs, each when it is due; a case comes with the last one only."""
    for number in range(tries):
        assert states.CASE_NOT_SEEN_AFTER_DONE not in cases(), f"after {number} read-backs"
        effect.refresh_from_db()
        assert effect.confirm_after_at is not None
        world.clock.advance(max(0.0, (effect.confirm_after_at - world.clock.now()).total_seconds()))
        assert delivery.deliver(effect_id=effect.pk, purpose=effects.CONFIRM, runtime=world.runtime())
    effect.refresh_from_db()


def test_a_named_record_that_is_there_is_confirmed_at_once(world: World) -> None:
    effect = adopted(world, posting(world, "20.00"))
    confirm_until(world, effect, tries=1)
    assert (effect.state, effect.remote_id, cases(), world.sent) == (states.CONFIRMED, "1", [], 0)


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        (None, "Refund '1' is not among the refunds of order 1."),
        ({"amount": "20.00", "order": "2"}, "Refund '1' is not among the refunds of order 1."),
        ({"amount": "5.00"}, "Refund 1 is over £5.00, and £20.00 were to be paid."),
        ({"amount": "20.00", "key": "refund:x"}, "Refund 1 carries the key of another effect (refund:x)."),
    ],
)
def test_a_named_record_that_is_not_there_is_a_case_and_can_be_named_anew(
    world: World, record: dict[str, str] | None, cause: str
) -> None:
    if record is not None:
        posting(world, **record)
    effect = adopted(world, "1")
    confirm_until(world, effect, tries=5)
    assert (effect.state, cases(), world.sent) == (states.DONE, [states.CASE_NOT_SEEN_AFTER_DONE], 0)
    assert ExceptionCase.objects.active().get().cause == cause

    right = posting(world, "20.00")
    approvals.adopt(effect_id=effect.pk, remote_id=right, by="fin", at=world.clock.now(), why="I mistyped it")
    delivery.deliver(effect_id=effect.pk, purpose=effects.CONFIRM, runtime=world.runtime())
    effect.refresh_from_db()
    assert (effect.state, effect.remote_id, cases(), world.sent) == (states.CONFIRMED, right, [], 0)


def test_a_record_with_our_key_beats_another_that_a_person_named(world: World) -> None:
    effect = adopted(world, "77")
    ours = posting(world, "20.00", key=f"{effect.key}#2")
    Effect.objects.filter(pk=effect.pk).update(generation=2)
    confirm_until(world, effect, tries=5)
    cause = "Refund '77' is not among the refunds of order 1. The one with our key is '1'."
    assert ExceptionCase.objects.active().get().cause == cause
    approvals.adopt(effect_id=effect.pk, remote_id=ours, by="fin", at=world.clock.now(), why="that one")
    delivery.deliver(effect_id=effect.pk, purpose=effects.CONFIRM, runtime=world.runtime())
    effect.refresh_from_db()
    assert (effect.state, effect.remote_id, cases(), world.sent) == (states.CONFIRMED, "1", [], 0)


def test_what_was_paid_instead_of_a_failed_payment_is_confirmed(world: World) -> None:
    """The record with our key stays as it failed; the one that a person named is what counts."""
    effect = read_back(world, done(world), failed_because="The gateway refused: card closed.")
    assert (effect.state, cases()) == (states.FAILED, [states.CASE_FAILED_LATER])
    instead = posting(world, "20.00")
    approvals.adopt(effect_id=effect.pk, remote_id=instead, by="fin", at=world.clock.now(), why="paid by cheque")
    order = ledger._snapshot({"id": "1", "total": "60.00", "postings": world.ledger.postings[1:]})
    read_back(world, effect, failed_because="The gateway refused: card closed.", order=order)
    assert (effect.state, effect.remote_id, world.sent) == (states.CONFIRMED, "2", 1)


def test_only_what_no_read_back_saw_is_named_anew(world: World) -> None:
    effect = done(world)
    for shown in ({"is_pending": True}, {}):
        read_back(world, effect, **shown)
        world.clock.advance(300)
        with pytest.raises(EffectError, match="cannot be adopted"):
            approvals.adopt(effect_id=effect.pk, remote_id="9", by="fin", at=world.clock.now(), why="another")
    assert (effect.state, effect.remote_id) == (states.CONFIRMED, "1")


def test_what_is_absent_from_a_shop_that_shows_no_order_is_looked_for_again(world: World) -> None:
    effect = read_back(world, done(world), found=ports.Found.ABSENT, remote_id="")
    assert (effect.state, effect.error_text) == (states.DONE, "Acknowledged, but not to be seen there.")


# --- a record that cannot be read --------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ports.Retryable("The line is busy."), ports.Rejected("Gone.", code="order_gone")])
def test_a_record_that_cannot_be_read_is_a_case_after_some_tries(world: World, error: ports.VendorError) -> None:
    effect = done(world)
    failing(world, error)
    confirm_until(world, effect, tries=5)
    assert (effect.state, effect.confirm_tries, world.sent) == (states.DONE, 0, 1)
    case = ExceptionCase.objects.active().get(kind_code=states.CASE_NOT_SEEN_AFTER_DONE)
    assert case.cause == f"It cannot be read back: {error.text}"
    world.clock.advance(3600)
    read_back(world, effect)
    assert (effect.state, world.sent) == (states.CONFIRMED, 1)
    assert states.CASE_NOT_SEEN_AFTER_DONE not in cases()


def test_a_read_back_that_found_something_out_begins_the_count_anew(world: World) -> None:
    effect = done(world)
    failing(world, ports.Retryable("The line is busy."))
    confirm_until(world, effect, tries=4)
    world.clock.advance(3600)
    read_back(world, effect, is_pending=True)
    world.clock.advance(3600)
    failing(world, ports.Retryable("The line is busy."))
    confirm_until(world, effect, tries=5)
    assert states.CASE_NOT_SEEN_AFTER_DONE in cases()


def test_a_vendors_pace_is_no_failure_to_read(world: World) -> None:
    effect = done(world)
    failing(world, ports.RateLimited("Slow down.", after_s=40))
    confirm_until(world, effect, tries=9)
    failing(world, ports.Retryable("The line is busy."))
    confirm_until(world, effect, tries=4)
    assert (effect.state, world.sent) == (states.DONE, 1)
    assert states.CASE_NOT_SEEN_AFTER_DONE not in cases()


def test_a_failure_to_read_with_a_lost_claim_opens_no_case(world: World) -> None:
    effect = done(world)
    failing(world, ports.Retryable("The line is busy."))
    confirm_until(world, effect, tries=4)
    assert effect.confirm_after_at is not None
    world.clock.advance((effect.confirm_after_at - world.clock.now()).total_seconds())
    job = delivery.open_job(effect_id=effect.pk, purpose=effects.CONFIRM, runtime=world.runtime())
    assert job is not None
    Effect.objects.filter(pk=effect.pk).update(claim_token="another")
    delivery.settle(job, ports.Retryable("The line is busy."), runtime=world.runtime())
    assert states.CASE_NOT_SEEN_AFTER_DONE not in cases()


def failing(world: World, error: ports.VendorError) -> None:
    """From now on the other system cannot be asked."""

    def fail(*args: Any) -> Any:
        raise error

    actions = replace(ledger.ACTIONS, look_up=fail)
    world.connector = replace(world.connector, effects={**world.connector.effects, states.REFUND: actions})
