"""Duties and tips: never, or with the last units of the order, in refunds that the policy starts."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import OrderLineSnapshot, RefundItem, RemoteRefundLine, Resolution, TaxShare
from returnsops.planning.model import PlannedCase
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import BesideView, ReturnView, ShopRefundView, WaiverView

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


# --- given back in part ----------------------------------------------------------------------------------------------

PART = v.refund_line("d1", quantity=0, net="2.00", tax="0.00")
BOTH = {**WHOLE, "duties": "whole_order", "tips": "whole_order"}


def partly(*more: ShopRefundView, lines: tuple[RemoteRefundLine, ...] = (PART,), **changes: Any) -> ReturnView:
    """Two T-shirts come back, all there was; 2.00 of 5.00 of duty were given back by hand for something else."""
    order = v.order(total=Decimal("54.40"), lines=(v.order_line(), DUTY))
    other = v.shop_refund("800", "2.00", attribution="unrelated", lines=lines)
    values = {"order": order, "lines": (v.shirt_item(quantity=2),), "shop_refunds": (other, *more), **changes}
    return v.view(**values)


def asked(found: ReturnView, **settings: Any) -> list[PlannedCase]:
    made = v.planned(found, parse_policy({"refund": {**BOTH, **settings}}))
    return [case for case in made.cases if case.kind == states.CASE_DUTY_LEFT]


def test_the_rest_of_a_duty_is_a_case_that_holds_nothing() -> None:
    (case,) = asked(partly())
    assert (case.money_at_risk, case.currency, case.fingerprint) == (Decimal("3.00"), "EUR", f"duty_left:{v.REF}:d1")
    assert case.evidence == {"line": "d1", "whole": "5.00", "given back": "2.00", "left": "3.00", "currency": "EUR"}
    (refund,) = v.of_kind(v.planned(partly(), parse_policy({"refund": BOTH})), "refund")
    assert (str(refund.amount), refund.holds) == ("48.40", ())


SHIRTS = v.refund_line("11", 2, "40.00", "8.40")


def beside(ref: str, resolution: Resolution = "refund") -> BesideView:
    return BesideView(ref=ref, resolution=resolution)


@pytest.mark.parametrize("key", ["refund:manual:woo:500:form-1", "refund:reveni/zzz:a:2"])
def test_it_is_asked_beside_refunds_of_nobodys_return_and_of_one_that_ended(key: str) -> None:
    sent = v.effect(key, "refund", "confirmed", amount=Decimal("1.00"))
    assert len(asked(replace(partly(sibling_effects=(sent,)), ref="loop/ret_1"))) == 1


def test_of_several_open_returns_one_is_asked_and_none_whose_refunds_the_platform_starts() -> None:
    assert len(asked(partly(open_returns=(beside("reveni/aaa"),)))) == 1
    others = partly(open_returns=(beside("reveni/zzz", "exchange"),))
    assert asked(others) == []
    assert len(asked(others, initiator_by_resolution={"exchange": "platform_event"})) == 1


@pytest.mark.parametrize(
    ("found", "settings"),
    [
        (partly(), {"duties": "never", "tips": "never"}),
        (partly(), {"duties": "never"}),
        (partly(commerce=""), {}),
        (partly(status="declined"), {}),
        (partly(order=None), {}),
        (partly(v.shop_refund("801", "1.00")), {}),  # its own question comes first
        (partly(open_returns=(beside("reveni/zzz"),)), {}),  # the other return asks
        (partly(lines=()), {}),
        (partly(v.shop_refund("801", "3.00", attribution="unrelated", lines=(replace(PART, net=Decimal(3)),))), {}),
        (partly(waivers=(WaiverView(hold_code=states.CASE_DUTY_LEFT, subject="d1"),)), {}),
        (partly(), {"trigger": "received"}),  # nothing is due yet
    ],
)
def test_nobody_is_asked_where_nothing_is_left_or_nothing_is_to_go_back(
    found: ReturnView, settings: dict[str, str]
) -> None:
    assert asked(found, **settings) == []


BY_HAND = v.shop_refund("801", "48.40", attribution="unrelated", lines=(SHIRTS,))


def test_a_route_whose_platform_starts_refunds_leaves_duties_to_it() -> None:
    """All goods were refunded by hand, so that only who starts refunds decides."""
    assert len(asked(partly(BY_HAND))) == 1
    assert asked(partly(BY_HAND), initiator="platform_event") == []


def test_a_duty_of_which_nothing_was_given_back_is_no_rest() -> None:
    assert asked(partly(BY_HAND, lines=())) == []


def test_the_rest_that_our_refund_gave_is_not_left_where_the_shops_record_names_no_duty() -> None:
    key = f"refund:{v.REF}:a:2"
    rest = v.refund_line("d1", quantity=0, net="3.00", tax="0.00")
    sent = v.effect(key, "refund", "confirmed", item_id="a", quantity=2, lines=(SHIRTS, rest))
    seen = v.shop_refund("801", "51.40", attribution="ours", key=key, lines=(SHIRTS,))
    assert asked(partly(seen, effects=(sent,))) == []
    assert len(asked(partly(seen, effects=(replace(sent, lines=(SHIRTS,)),)))) == 1


def test_it_stays_while_the_refund_goes_and_until_the_rest_is_given_back() -> None:
    key = f"refund:{v.REF}:a:2"
    sent = v.effect(key, "refund", "confirmed", item_id="a", quantity=2, amount=Decimal("48.40"), lines=(SHIRTS,))
    seen = v.shop_refund("801", "48.40", attribution="ours", key=key, lines=(SHIRTS,))
    assert len(asked(partly(effects=(sent,)))) == len(asked(partly(seen, effects=(sent,)))) == 1
    first = v.effect("refund:reveni/aaa:a:1", "refund", lines=(v.refund_line("11", 1, "20.00", "4.20"),))
    own = replace(sent, quantity=1, lines=first.lines)
    assert len(asked(partly(lines=(PART,), sibling_effects=(first,), effects=(own,)))) == 1


def test_what_pays_for_this_return_leaves_a_rest_that_its_refund_gives() -> None:
    """Somebody began to pay this return by hand; the rest of the duty is part of what is left of our refund."""
    mine = v.shop_refund("800", "2.00", attribution="this_return", lines=(PART,))
    found = replace(partly(), shop_refunds=(mine,))
    (refund,) = v.of_kind(v.planned(found, parse_policy({"refund": BOTH})), "refund")
    assert (str(refund.amount), asked(found)) == ("52.40", [])
