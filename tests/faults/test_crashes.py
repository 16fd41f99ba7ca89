"""A worker that dies at any moment: exactly one record in the end, found again."""

import itertools

import pytest

from connectors.jobs import CHECKPOINTS
from returnsops import states
from tests.faults.ledger import World

BEFORE_THE_CALL = ("claimed", "looked_up", "send_begun")


@pytest.mark.parametrize("moment", CHECKPOINTS)
def test_crash_at_every_moment_ends_with_one_confirmed_refund(world: World, moment: str) -> None:
    effect = world.refund()
    world.crash_at = moment

    assert world.crash(), f"nobody came past {moment}"
    world.play()

    effect.refresh_from_db()
    assert effect.state == states.CONFIRMED
    assert world.posted == [("refund", "20.00")]
    assert effect.remote_id == "1"
    assert world.sent == 1


@pytest.mark.parametrize("moments", list(itertools.product(CHECKPOINTS, repeat=2)))
def test_crash_twice_ends_with_one_confirmed_refund(world: World, moments: tuple[str, str]) -> None:
    effect = world.refund()
    for moment in moments:
        world.crash_at = moment
        world.play()

    effect.refresh_from_db()
    assert effect.state == states.CONFIRMED
    assert world.posted == [("refund", "20.00")]


@pytest.mark.parametrize("moment", BEFORE_THE_CALL)
def test_nothing_left_before_the_crash(world: World, moment: str) -> None:
    effect = world.refund()
    world.crash_at = moment

    world.crash()

    assert world.sent == 0
    effect.refresh_from_db()
    assert effect.state == states.SENDING


def test_crash_after_the_call_is_found_not_repeated(world: World) -> None:
    effect = world.refund()
    world.crash_at = "sent"
    world.crash()
    assert world.posted == [("refund", "20.00")]

    world.play()

    effect.refresh_from_db()
    outcomes = [outcome for _, outcome in effect.attempts.order_by("number").values_list("purpose", "outcome")]
    assert outcomes == ["lapsed", "found", "confirmed"]
