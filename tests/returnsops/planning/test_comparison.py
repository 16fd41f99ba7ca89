"""Shadow: what we would have sent against what people did, money and goods apart."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops.planning import comparison
from returnsops.planning.comparison import EQUAL, NOT_YET, PEOPLE_MORE, WE_MORE, Compared, Expected, Happened
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import ReturnView

from . import views as v

PAYS: dict[str, Any] = {"executed_by": "commerce_platform"}


def judged(**changes: Any) -> ReturnView:
    """In shadow: one T-shirt back, sellable, its refund asked for."""
    values: dict[str, Any] = {
        "is_live": False,
        "received_at": v.NOW - timedelta(hours=5),
        "inspected_at": v.NOW - timedelta(hours=2),
        "verdicts": (v.verdict(),),
        "payouts": (v.payout(**PAYS),),
    }
    return v.view(**(values | changes))


def ours(view: ReturnView, policy: Policy | None = None) -> Expected:
    return comparison.expected(v.planned(comparison.as_if_live(view), policy), currency="EUR")


def test_what_we_would_send_is_planned_as_if_live_and_untouched_by_hand() -> None:
    assert ours(judged()) == Expected(money=Decimal("24.20"), units=1)
    done = judged(
        shop_refunds=(v.shop_refund(),),
        order=v.order(lines=(v.order_line(reduced_stock=1), v.mug(), v.shipping_line())),
    )
    assert ours(done) == Expected(money=Decimal("24.20"), units=1)
    assert comparison.happened(done) == Happened(money=Decimal("24.20"), units=1)


def test_what_still_waits_is_told_apart_with_its_reason() -> None:
    found = ours(judged(verdicts=(), received_at=None, inspected_at=None))
    assert (found.money, found.money_waiting, found.units) == (Decimal(0), Decimal("24.20"), 0)
    assert any("waits" in text for text in found.waits)


def test_units_that_wait_for_their_confirmation_are_not_due() -> None:
    found = ours(judged(), parse_policy({"restock": {"confirmation": "both"}}))
    assert (found.units, found.units_waiting) == (0, 1)


def test_where_the_platform_writes_refunds_its_writing_is_compared() -> None:
    found = ours(judged(), parse_policy({"refund": {"writer": "platform"}}))
    assert found.money == Decimal("24.20")


def test_a_return_whose_order_is_not_known_expects_nothing_now() -> None:
    view = judged(order=None)
    assert comparison.as_if_live(view).order is None
    assert comparison.happened(view) == Happened(units=None)


@pytest.mark.parametrize(
    ("attribution", "days_ago", "next_days_ago", "is_counted"),
    [
        ("this_return", 30, None, True),
        ("other_return", 1, None, False),
        ("unrelated", 1, None, False),
        ("ours", 1, None, False),
        ("unattributed", 1, None, True),
        ("unattributed", 4, None, False),  # before the return began
        ("unattributed", 1, 2, False),  # since the next return of the order began
        ("unattributed", 2, 1, True),
    ],
)
def test_refunds_are_counted_for_the_return_they_were_made_for(
    attribution: str, days_ago: int, next_days_ago: int | None, is_counted: bool
) -> None:
    refund = v.shop_refund(attribution=attribution, refunded_at=v.NOW - timedelta(days=days_ago))
    next_begun_at = None if next_days_ago is None else v.NOW - timedelta(days=next_days_ago)
    found = comparison.by_people(judged(shop_refunds=(refund,)), next_begun_at=next_begun_at)
    assert found == ((refund,) if is_counted else ())


@pytest.mark.parametrize(("days_ago", "attribution"), [(5, "unattributed"), (4, "other_return"), (3.5, "other_return")])
def test_what_was_made_for_an_earlier_return_of_the_order_holds_nothing(days_ago: float, attribution: str) -> None:
    refund = v.shop_refund(refunded_at=v.NOW - timedelta(days=days_ago))
    ours = v.shop_refund("901", attribution="ours")
    view = judged(shop_refunds=(refund, ours))
    live = comparison.as_if_live(view, first_begun_at=v.NOW - timedelta(days=4))
    assert [one.attribution for one in live.shop_refunds] == [attribution, "ours"]
    assert comparison.as_if_live(view).shop_refunds[0].attribution == "unattributed"


def test_without_a_time_of_asking_only_attributed_refunds_count() -> None:
    view = judged(requested_at=None, shop_refunds=(v.shop_refund(),))
    assert comparison.by_people(view) == ()


@pytest.mark.parametrize(
    ("reduced_stock", "others", "units"), [(2, 0, 0), (1, 0, 1), (0, 0, 1), (0, 1, 1), (1, 1, 0), (None, 0, None)]
)
def test_units_back_are_those_of_the_returned_line_and_not_of_others(
    reduced_stock: int | None, others: int, units: int | None
) -> None:
    view = judged(order=v.order(lines=(v.order_line(reduced_stock=reduced_stock), v.mug(reduced_stock=0))))
    assert comparison.happened(view, others_units=others).units == units


@pytest.mark.parametrize(
    ("mine", "theirs", "is_over", "verdict"),
    [
        ("30.00", "30.00", False, EQUAL),
        ("30.00", "30.02", False, EQUAL),
        ("30.00", "30.03", False, PEOPLE_MORE),
        ("30.00", "25.00", False, WE_MORE),
        ("0", "30.00", False, PEOPLE_MORE),
        ("30.00", "0", False, NOT_YET),
        ("30.00", "0", True, WE_MORE),
        ("0", "0", False, NOT_YET),
        ("0", "0", True, EQUAL),
    ],
)
def test_verdicts(mine: str, theirs: str, is_over: bool, verdict: str) -> None:
    ours, shop = Expected(money=Decimal(mine), units=1), Happened(money=Decimal(theirs), units=1)
    found = comparison.compare(ours, shop, tolerance=Decimal("0.02"), is_over=is_over)
    assert found == Compared(money=verdict, stock=EQUAL)
    unseen = comparison.compare(ours, Happened(money=Decimal(theirs)), tolerance=Decimal("0.02"), is_over=is_over)
    assert unseen == Compared(money=verdict, stock=NOT_YET)
