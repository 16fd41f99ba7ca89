"""Points of vendors that count them: never more taken than are there, over all callers (S1-3, S5-22)."""

from datetime import datetime, timedelta

import pytest

from connectors import points
from connectors.budget import BudgetSpent, budget_of
from connectors.points import FORGET_S, SLACK_S, level_of, settle, take
from connectors.purses import Points
from tests import factories as make

pytestmark = pytest.mark.django_db

AT = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
ASSUMED = Points(left=2000.0, restored_per_s=100.0, most=2000.0)


def told(left: float) -> Points:
    return Points(left=left, restored_per_s=100.0, most=2000.0)


@pytest.fixture
def shop() -> int:
    connection = make.ConnectionFactory(vendor="shopify")
    return int(connection.pk)


def left(shop: int, at: datetime = AT) -> float:
    return level_of(budget_of(connection_id=shop), assumed=ASSUMED, at=at).left


def taken(shop: int, wanted: float, *, at: datetime = AT, max_wait_s: float = 5.0) -> float:
    return take(connection_id=shop, points=wanted, assumed=ASSUMED, at=at, max_wait_s=max_wait_s)


def settled(shop: int, asked: float, said: Points | None, *, at: datetime = AT) -> None:
    settle(connection_id=shop, points=asked, told=said, assumed=ASSUMED, at=at)


def test_a_full_bucket_is_emptied_at_once_and_then_callers_wait_their_turn(shop: int) -> None:
    assert [taken(shop, 500) for _ in range(4)] == [0.0, 0.0, 0.0, SLACK_S]
    assert [taken(shop, 100) for _ in range(3)] == [2.0, 3.0, 4.0]
    assert left(shop) == -300.0


def test_who_would_wait_too_long_takes_nothing_and_hears_when_to_come_back(shop: int) -> None:
    taken(shop, 1900)
    with pytest.raises(BudgetSpent) as refused:
        taken(shop, 600)
    assert refused.value.after_s == 5.0 + SLACK_S
    assert left(shop) == 100.0
    assert taken(shop, 600, at=AT + timedelta(seconds=6)) == 0.0


def test_what_was_not_used_is_there_again_once_the_vendor_says_so(shop: int) -> None:
    taken(shop, 500)
    settled(shop, 500, told(1977))
    assert left(shop) == 1977.0
    assert left(shop, AT + timedelta(seconds=0.1)) == pytest.approx(1987.0)
    assert left(shop, AT + timedelta(hours=1)) == 2000.0


def test_calls_under_way_are_held_back_from_what_the_vendor_says(shop: int) -> None:
    """The report of one call may be older than another one's start."""
    taken(shop, 400)
    taken(shop, 300)
    settled(shop, 400, told(1990))
    assert left(shop) == 1690.0
    settled(shop, 300, told(1950))
    assert left(shop) == 1950.0


def test_another_integration_that_empties_the_bucket_is_noticed(shop: int) -> None:
    taken(shop, 10)
    settled(shop, 10, told(5))
    assert taken(shop, 105) == 1.0 + SLACK_S


def test_a_call_without_an_answer_keeps_what_it_took_until_it_came_back(shop: int) -> None:
    taken(shop, 500)
    settled(shop, 500, None)
    assert left(shop) == 1500.0
    assert left(shop, AT + timedelta(seconds=5)) == 2000.0


def test_a_process_that_died_in_a_call_holds_nothing_back_for_ever(shop: int) -> None:
    taken(shop, 1500)
    taken(shop, 100)
    settled(shop, 100, told(1999))
    assert left(shop) == 499.0
    later = AT + timedelta(seconds=FORGET_S)
    assert level_of(budget_of(connection_id=shop), assumed=ASSUMED, at=later).under_way == 0.0
    taken(shop, 100, at=later)
    settled(shop, 100, told(1999), at=later)
    assert left(shop, later) == 1999.0


def test_a_larger_plan_is_learned_from_its_first_answer(shop: int) -> None:
    taken(shop, 500)
    settled(shop, 500, Points(left=19_990.0, restored_per_s=1000.0, most=20_000.0))
    row = budget_of(connection_id=shop)
    assert (row.points_left, row.points_most, row.points_per_s) == (19_990.0, 20_000.0, 1000.0)
    assert taken(shop, 21_000) == pytest.approx(0.01)  # more than ever fits asks for all of it


def test_a_purse_waits_by_itself(shop: int) -> None:
    waited: list[float] = []
    purse = points.purse_of(connection_id=shop, assumed=ASSUMED, now=lambda: AT, sleep=waited.append)
    purse.take(1900)
    purse.take(400)
    assert waited == [3.0 + SLACK_S]
    purse.settle(1900, told(1999))
    assert left(shop) == 1599.0


def test_nonsense_of_the_vendor_changes_nothing(shop: int) -> None:
    taken(shop, 500)
    settled(shop, 500, Points(left=0, restored_per_s=0, most=0))
    assert left(shop) == 1500.0
