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
