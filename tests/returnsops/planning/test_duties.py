"""Duties and tips: never, or with the last units of the order, in refunds that the policy starts."""

from dataclasses import replace
from decimal import Decimal

import pytest

from returnsops.facts import OrderLineSnapshot, RefundItem, RemoteRefundLine, TaxShare
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import ReturnView

from . import views as v

DUTY = OrderLineSnapshot(
    line_id="d1",
    kind="duty",
    name="Duty",
    quantity=1,
    net=Decimal("5.00"),
    taxes=(TaxShare(rate_id="1", amount=Decimal("1.00")),),
)
TIP = OrderLineSnapshot(line_id="tip", kind="tip", name="Tip", quantity=1, net=Decimal("2.00"))
TIP_REFUNDED = RemoteRefundLine(line_id="tip", quantity=0, net=Decimal("2.00"))
WHOLE = {"shipping": "never", "initiator": "policy_trigger", "trigger": "authorised"}


def amounts_of(view: ReturnView, policy: Policy) -> list[str]:
    return [str(one.amount) for one in v.of_kind(v.planned(view, policy), "refund")]


@pytest.mark.parametrize(
    ("settings", "taken", "last"),
    [
        ({}, (), "12.10"),
        ({"duties": "whole_order"}, (), "18.10"),
        ({"tips": "whole_order"}, (), "14.10"),
        ({"duties": "whole_order", "tips": "whole_order"}, (), "20.10"),
        ({"duties": "whole_order"}, (v.refund_line("d1", quantity=0, net="1.00", tax="0.00"),), "12.10"),
        ({"duties": "whole_order"}, (v.refund_line("d1", quantity=0, net="0.00", tax="0.00"),), "18.10"),
    ],
)
def test_duties_and_tips_go_back_by_policy_with_the_last_units_whole_and_once(
    settings: dict[str, str], taken: tuple[RemoteRefundLine, ...], last: str
) -> None:
    order = v.order(total=Decimal("74.55"), lines=(*v.order().lines, DUTY, TIP, replace(TIP, net=Decimal(0))))
    other = v.shop_refund("800", "1.00", attribution="unrelated", lines=taken)
    found = v.view(order=order, lines=(v.shirt_item(quantity=2), v.mug_item()), shop_refunds=(other,))
    policy = parse_policy({"refund": {**WHOLE, **settings}})
    assert amounts_of(found, policy) == ["48.40", last]
    only_some = replace(found, lines=(v.shirt_item(quantity=2),))
    assert amounts_of(only_some, policy) == ["48.40"]


def test_the_platforms_own_amount_gets_no_duties_on_top() -> None:
    order = v.order(total=Decimal("72.55"), lines=(v.order_line(), DUTY))
    told = v.payout(amount="48.40", items=(RefundItem(item_id="a", amount=Decimal("48.40"), quantity=2),))
    found = v.view(order=order, lines=(v.shirt_item(quantity=2),), payouts=(told,))
    assert amounts_of(found, parse_policy({"refund": {"duties": "whole_order"}})) == ["48.40"]


@pytest.mark.parametrize("is_sibling", [False, True])
def test_a_tip_that_went_back_and_stands_in_the_shop_without_a_line_is_not_given_again(is_sibling: bool) -> None:
    """The mug went first, with the tip, while the shirts wait for something; the shop's record names no tip."""
    policy = parse_policy({"refund": {**WHOLE, "tips": "whole_order"}})
    order = v.order(total=Decimal("74.55"), lines=(*v.order().lines, TIP))
    found = v.view(order=order, lines=(v.shirt_item(quantity=2), v.mug_item()))
    shirts, mug = v.of_kind(v.planned(found, policy), "refund")
    assert (str(shirts.amount), str(mug.amount)) == ("48.40", "14.10")
    with_tip = (v.refund_line("12", 1, "10.00", "2.10"), TIP_REFUNDED)
    key = "refund:reveni/other:b" if is_sibling else mug.key
    gone = v.effect(key, "refund", "confirmed", item_id="b", quantity=1, amount=mug.amount, lines=with_tip)
    seen = v.shop_refund("801", "14.10", attribution="ours", key=key, lines=with_tip[:1])
    later = replace(found, shop_refunds=(seen,), effects=(gone,))
    if is_sibling:
        later = replace(later, lines=(v.shirt_item(quantity=2),), effects=(), sibling_effects=(gone,))
    (left,) = [one for one in v.of_kind(v.planned(later, policy), "refund") if one.key == shirts.key]
    assert str(left.amount) == "48.40"
