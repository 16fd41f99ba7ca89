"""Refunds: amounts from the final order, one initiator, and everything that holds money back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops.facts import RefundItem, TaxShare
from returnsops.planning.model import PlannedEffect
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import ReturnView, WaiverView

from . import views as v

COMMERCE = "commerce_platform"
KEY = "refund:reveni/ret_1:re_1"


def refunds(view: ReturnView, policy: Policy | None = None) -> list[PlannedEffect]:
    return v.of_kind(v.planned(view, policy), "refund")


def only(view: ReturnView, policy: Policy | None = None) -> PlannedEffect:
    (one,) = refunds(view, policy)
    return one


def refund_policy(**settings: Any) -> Policy:
    return parse_policy({"refund": settings})


def evidence_of(view: ReturnView, kind: str, policy: Policy | None = None) -> Mapping[str, Any]:
    return next(case.evidence for case in v.planned(view, policy).cases if case.kind == kind)


# --- amounts from the final order ----------------------------------------------------------------------------------


def test_money_that_moved_is_recorded_on_its_line() -> None:
    one = only(v.view(payouts=(v.payout(provider_reference="pp-1"),)))
    assert one.key == KEY
    assert one.serial_key == "order:500"
    assert (one.amount, one.currency, one.item_id, one.quantity) == (Decimal("24.20"), "EUR", "a", 1)
    assert one.holds == ()
    assert one.payload == {
        "amount": "24.20",
        "currency": "EUR",
        "executed_by": "returns_platform",
        "lines": [
            {"line_id": "11", "quantity": 1, "net": "20.00", "taxes": [{"rate_id": "1", "amount": "4.20"}]},
        ],
        "reason": "Return RMA-1: 1 x T-shirt",
        "rma_number": "RMA-1",
        "reference": "pp-1",
    }


def test_shipping_is_added_and_fees_are_spread() -> None:
    paid = v.payout(amount="28.25", shipping=Decimal("6.05"), fees=Decimal("2.00"))
    one = only(v.view(payouts=(paid,)))
    assert one.holds == ()
    lines = one.payload["lines"]
    assert [line["line_id"] for line in lines] == ["11", "13"]
    assert lines[1]["quantity"] == 0
    total = sum(Decimal(line["net"]) + Decimal(line["taxes"][0]["amount"]) for line in lines)
    assert total == Decimal("28.25")


def test_a_payout_without_items_pays_for_all_refund_items() -> None:
    lines = (v.shirt_item(), v.mug_item(), v.mug_item(item_id="c", resolution="exchange"))
    found = v.view(lines=(lines[0], lines[1]), payouts=(v.payout(amount="36.30", items=()),))
    assert only(found).holds == ()
    assert [line["line_id"] for line in only(found).payload["lines"]] == ["11", "12"]
    assert only(replace(found, lines=(lines[0], lines[2]))).payload["reason"] == "Return RMA-1: 1 x T-shirt"


def test_units_refunded_by_others_are_not_paid_again() -> None:
    before = v.shop_refund(attribution="other_return", lines=(v.refund_line(),), amount="24.20")
    assert only(v.view(payouts=(v.payout(),), shop_refunds=(before,))).holds == ()
    both = v.view(
        lines=(v.shirt_item(quantity=2),),
        payouts=(v.payout(amount="48.40", items=(RefundItem(item_id="a", amount=Decimal("48.40"), quantity=2),)),),
        shop_refunds=(before,),
    )
    one = only(both)
    assert set(v.codes(one)) == {"too_many_units", "would_over_refund"}
    assert one.payload["lines"] == []


def test_two_payouts_of_one_line_sum_to_the_line_to_the_cent() -> None:
    line = v.order_line(quantity=2, net=Decimal("20.01"), taxes=(TaxShare(rate_id="1", amount=Decimal("4.20")),))
    found = v.view(
        order=v.order(lines=(line,), total=Decimal("24.21")),
        lines=(v.shirt_item(quantity=2),),
        payouts=(v.payout("re_2", "12.10", issued_at=v.NOW), v.payout("re_1", "12.11")),
    )
    made = refunds(found)
    assert [one.holds for one in made] == [(), ()]
    nets = [Decimal(one.payload["lines"][0]["net"]) for one in made]
    assert sum(nets) == Decimal("20.01")


def test_zero_decimal_currency() -> None:
    line = v.order_line(quantity=3, net=Decimal("1000"), taxes=())
    yen = v.order(currency="JPY", total=Decimal("1000"), lines=(line,))
    one = only(v.view(currency="JPY", order=yen, payouts=(v.payout(amount="333", currency="JPY"),)))
    assert one.holds == ()
    assert one.payload["amount"] == "333"
    assert one.payload["lines"][0]["net"] == "333"


# --- mismatches ----------------------------------------------------------------------------------------------------


def mismatching(**changes: Any) -> ReturnView:
    return v.view(payouts=(v.payout(amount="25.00"),), **changes)


def test_a_mismatch_holds_and_shows_the_arithmetic() -> None:
    one = only(mismatching())
    assert v.codes(one) == ["amount_mismatch"]
    assert one.amount == Decimal("25.00")
    assert one.holds[0].text == (
        "the platform decided €25.00, the order gives €24.20: 1 x line 11 €24.20 + shipping €0.00 - fees €0.00. "
        "Accept one of the amounts."
    )
    case = next(case for case in v.planned(mismatching()).cases if case.kind == "amount_mismatch")
    assert case.fingerprint == "amount_mismatch:reveni/ret_1:re_1"
    assert case.money_at_risk == Decimal("0.80")
    assert case.evidence["platform"] == "25.00"
    assert case.evidence["computed"] == "24.20"
    assert case.evidence["difference"] == "0.80"


@pytest.mark.parametrize(("tolerance", "codes"), [("0.79", ["amount_mismatch"]), ("0.80", [])])
def test_the_tolerance_is_the_last_accepted_difference(tolerance: str, codes: list[str]) -> None:
    assert v.codes(only(mismatching(), refund_policy(tolerance={"EUR": tolerance}))) == codes


def test_the_order_may_be_the_source_of_amounts() -> None:
    policy = refund_policy(tolerance={"EUR": "1.00"}, amount_source="order", trigger="authorised")
    asked = replace(mismatching(), payouts=(v.payout(amount="25.00", executed_by=COMMERCE),))
    assert only(asked, policy).amount == Decimal("24.20")
    assert only(mismatching(), policy).amount == Decimal("25.00"), "what moved is recorded as it moved"


@pytest.mark.parametrize("amount", ["25.00", "24.20", "20.00"])
def test_an_accepted_amount_goes_to_a_second_person(amount: str) -> None:
    waiver = WaiverView(hold_code="amount_mismatch", subject=amount)
    one = only(mismatching(waivers=(waiver,)))
    assert (one.amount, one.holds, one.needs_approval) == (Decimal(amount), (), True)
    assert sum(Decimal(line["net"]) + Decimal(line["taxes"][0]["amount"]) for line in one.payload["lines"]) == Decimal(
        amount
    )
    assert v.case_kinds(v.planned(mismatching(waivers=(waiver,)))) == ["needs_approval"]


@pytest.mark.parametrize("subject", ["", "re_1", "NaN", "-3", "0.001"])
def test_a_waiver_without_a_usable_amount_accepts_nothing(subject: str) -> None:
    waiver = WaiverView(hold_code="amount_mismatch", subject=subject)
    assert v.codes(only(mismatching(waivers=(waiver,)))) == ["amount_mismatch"]


def test_with_several_refunds_only_their_own_figures_are_accepted() -> None:
    found = v.view(
        lines=(v.shirt_item(quantity=2),),
        payouts=(v.payout(amount="25.00"), v.payout("re_2", "23.00")),
        waivers=(WaiverView(hold_code="amount_mismatch", subject="23.00"),),
    )
    assert [v.codes(one) for one in refunds(found)] == [["amount_mismatch"], []]


def test_an_accepted_amount_is_for_the_named_effect_only() -> None:
    other = WaiverView(hold_code="amount_mismatch", effect_key="refund:reveni/ret_1:re_9", subject="25.00")
    assert v.codes(only(mismatching(waivers=(other,)))) == ["amount_mismatch"]


def test_more_digits_than_the_currency_has_are_a_mismatch() -> None:
    found = v.view(payouts=(v.payout(amount="24.205"),))
    assert v.codes(only(found)) == ["inexact_amount"]
    assert only(found).payload["amount"] == "24.205"
    assert "amount_mismatch" in v.case_kinds(v.planned(found))
    accepted = replace(found, waivers=(WaiverView(hold_code="amount_mismatch", subject="24.20"),))
    assert (only(accepted).amount, only(accepted).holds) == (Decimal("24.20"), ())


def test_shipping_a_policy_never_pays_is_a_mismatch() -> None:
    paid = v.view(payouts=(v.payout(amount="30.25", shipping=Decimal("6.05")),))
    assert v.codes(only(paid)) == []
    assert v.codes(only(paid, refund_policy(shipping="never"))) == ["amount_mismatch"]
    assert v.codes(only(paid, refund_policy(shipping="whole_order"))) == ["amount_mismatch"]


def test_shipping_past_the_orders_shipping_is_a_mismatch() -> None:
    found = v.view(payouts=(v.payout(amount="34.20", shipping=Decimal("10.00")),))
    assert v.codes(only(found)) == ["amount_mismatch"]


def test_a_free_line_carries_an_amount_without_lines() -> None:
    free = v.order_line(net=Decimal(0), taxes=())
    found = v.view(
        order=v.order(lines=(free,)),
        payouts=(v.payout(amount="5.00"),),
        waivers=(WaiverView(hold_code="amount_mismatch", subject="5.00"),),
    )
    assert (only(found).amount, only(found).payload["lines"], only(found).holds) == (Decimal("5.00"), [], ())
    by_order = refund_policy(amount_source="order", default_executed_by=COMMERCE)
    assert only(replace(found, waivers=()), by_order).amount == Decimal("5.00"), "never an amount of nothing"


def test_a_third_of_a_line_may_be_rounded_either_way_but_never_past_the_line() -> None:
    line = v.order_line(quantity=3, net=Decimal("20.00"), taxes=())
    found = v.view(
        order=v.order(lines=(line, v.mug())),
        lines=(v.shirt_item(quantity=3),),
        payouts=tuple(v.payout(f"re_{n}", "6.67") for n in (1, 2, 3)),
    )
    assert [v.codes(one) for one in refunds(found)] == [[], [], ["amount_mismatch"]]


# --- foreign currency, unknown items, items in the way -------------------------------------------------------------


def test_a_foreign_currency_is_never_converted() -> None:
    found = v.view(payouts=(v.payout(currency="USD"),))
    one = only(found)
    assert v.codes(one) == ["currency_mismatch"]
    assert one.payload["lines"] == []
    assert v.case_kinds(v.planned(found)) == ["currency_mismatch"]
    waived = replace(found, waivers=(WaiverView(hold_code="currency_mismatch"),))
    assert v.codes(only(waived)) == ["currency_mismatch"]


def test_a_refund_of_an_item_the_return_does_not_have_is_held() -> None:
    paid = v.payout(items=(RefundItem(item_id="zz", amount=Decimal("24.20"), quantity=1),))
    one = only(v.view(payouts=(paid,)))
    assert v.codes(one) == ["line_not_on_order"]
    assert one.payload["reason"] == "Return RMA-1"


def test_an_item_that_is_not_on_the_order_is_held() -> None:
    for line in (v.shirt_item(order_line_id=""), v.shirt_item(order_line_id="77"), v.shirt_item(order_line_id="13")):
        found = v.view(lines=(line,), payouts=(v.payout(),))
        assert v.codes(only(found)) == ["line_not_on_order"]
        assert v.case_kinds(v.planned(found)) == ["line_not_on_order"]


def test_more_units_than_were_bought_are_held() -> None:
    found = v.view(lines=(v.shirt_item(quantity=3),), payouts=(v.payout(),))
    assert v.codes(only(found)) == ["too_many_units"]
    assert evidence_of(found, "too_many_units") == {"item": "a", "returned": 3, "bought": 2, "elsewhere": 0}


def test_a_payout_of_more_units_than_are_left_is_held() -> None:
    paid = v.payout(items=(RefundItem(item_id="a", amount=Decimal("24.20"), quantity=5),))
    assert v.codes(only(v.view(payouts=(paid,)))) == ["too_many_units"]
    twice = v.view(payouts=(v.payout(), v.payout("re_2", items=(), issued_at=v.NOW)), lines=(v.shirt_item(quantity=2),))
    assert [v.codes(one) for one in refunds(twice)] == [[], []]
    thrice = replace(twice, payouts=(*twice.payouts, v.payout("re_3", items=(), issued_at=v.NOW)))
    assert [v.codes(one) for one in refunds(thrice)] == [
        [],
        [],
        ["too_many_units", "would_over_refund"],
    ]


def test_a_missing_reason_holds_the_money_of_its_item_only() -> None:
    found = v.view(
        lines=(v.shirt_item(reason_code=None, reason_source="weird"), v.mug_item()),
        payouts=(
            v.payout(),
            v.payout("re_2", "12.10", items=(RefundItem(item_id="b", amount=Decimal("12.10"), quantity=1),)),
        ),
    )
    assert [v.codes(one) for one in refunds(found)] == [["reason_unmapped"], []]
    assert "'weird' is not mapped" in refunds(found)[0].holds[0].text
    nameless = v.view(lines=(v.shirt_item(reason_code=None, name="", sku=""),), payouts=(v.payout(),))
    assert "waits for a reason for a: it gives none" in only(nameless).holds[0].text


# --- who pays, and when --------------------------------------------------------------------------------------------


def test_an_unknown_executor_asks_a_person_unless_the_policy_has_a_default() -> None:
    found = v.view(payouts=(v.payout(executed_by=""),))
    assert v.codes(only(found)) == ["executor_unknown"]
    assert v.case_kinds(v.planned(found)) == ["executor_unknown"]
    one = only(found, refund_policy(default_executed_by="merchant"))
    assert (one.holds, one.payload["executed_by"]) == ((), "merchant")


def shop_pays(**changes: Any) -> ReturnView:
    return v.view(**({"payouts": (v.payout(executed_by=COMMERCE),)} | changes))


@pytest.mark.parametrize(
    ("trigger", "before", "words"),
    [
        ("authorised", {"status": "requested", "authorised_at": None}, "waits for the return to be authorised"),
        ("in_transit", {}, "waits for the parcel to be on its way"),
        ("received", {"status": "delivered"}, "waits for the parcel to arrive"),
        ("inspected", {"status": "received"}, "waits for inspection of 1 of 1 item"),
        (
            "disposition_final",
            {"verdicts": (v.verdict(is_final=False),)},
            "waits for the final disposition of 1 of 1 item",
        ),
    ],
)
def test_money_we_move_waits_for_the_trigger(trigger: str, before: dict[str, Any], words: str) -> None:
    policy = refund_policy(trigger=trigger)
    one = only(shop_pays(**before), policy)
    assert [(hold.code, hold.text) for hold in one.holds] == [("waits_for_trigger", words)]
    assert only(shop_pays(verdicts=(v.verdict(),), **{"status": "inspected"}), policy).holds == ()
    moved = replace(shop_pays(**before), payouts=(v.payout(),))
    assert only(moved, policy).holds == (), "money that moved is recorded at once"


def test_half_inspected_says_so() -> None:
    found = shop_pays(
        lines=(v.shirt_item(), v.mug_item()),
        payouts=(v.payout(amount="36.30", items=(), executed_by=COMMERCE),),
        verdicts=(v.verdict("b"),),
    )
    assert only(found).holds[0].text == "waits for inspection of 1 of 2 items"


def test_a_released_trigger_needs_a_second_person() -> None:
    one = only(shop_pays(waivers=(WaiverView(hold_code="waits_for_trigger", effect_key=KEY),)))
    assert (one.holds, one.needs_approval) == ((), True)


def test_large_amounts_we_move_need_approval() -> None:
    policy = refund_policy(trigger="authorised", approval_threshold={"EUR": "20"})
    assert only(shop_pays(), policy).needs_approval is True
    assert only(v.view(payouts=(v.payout(),)), policy).needs_approval is False
    case = next(case for case in v.planned(shop_pays(), policy).cases if case.kind == "needs_approval")
    assert case.fingerprint == "needs_approval:reveni/ret_1:re_1"
    approved = v.effect(KEY, "refund", "ready", is_approved=True)
    assert v.case_kinds(v.planned(shop_pays(effects=(approved,)), policy)) == []


def test_a_platform_that_writes_itself_is_waited_for_and_adopted() -> None:
    policy = refund_policy(writer="platform")
    found = v.view(payouts=(v.payout(),))
    assert v.codes(only(found, policy)) == ["platform_writes"]
    assert refunds(replace(found, shop_refunds=(v.shop_refund(),)), policy) == []


def test_an_undecided_policy_holds_all_money() -> None:
    for settings in ({"initiator": ""}, {"writer": ""}):
        assert v.codes(only(v.view(payouts=(v.payout(),)), refund_policy(**settings))) == ["policy_incomplete"]


# --- the return window ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        (datetime(2026, 5, 9, 21, 59, 59, tzinfo=UTC), []),
        (datetime(2026, 5, 9, 22, 0, 0, tzinfo=UTC), ["outside_window"]),
    ],
)
def test_the_window_ends_with_the_last_second_of_the_shops_day(asked: datetime, codes: list[str]) -> None:
    policy = parse_policy({"return_window_days": 30, "refund": {"trigger": "authorised"}})
    found = shop_pays(
        order=v.order(placed_at=datetime(2026, 4, 8, 22, 30, tzinfo=UTC)),  # 9 April in Madrid
        shop_time_zone="Europe/Madrid",
        requested_at=asked,
    )
    assert v.codes(only(found, policy)) == codes
    assert [kind for kind in v.case_kinds(v.planned(found, policy)) if kind == "outside_window"] == codes
    moved = replace(found, payouts=(v.payout(),))
    assert only(moved, policy).holds == ()
    assert v.case_kinds(v.planned(moved, policy)) == codes


def test_a_late_return_may_be_released() -> None:
    policy = parse_policy({"return_window_days": 1, "refund": {"trigger": "authorised"}})
    found = shop_pays(waivers=(WaiverView(hold_code="outside_window"),))
    assert (only(found, policy).holds, only(found, policy).needs_approval) == ((), True)
    assert v.case_kinds(v.planned(found, policy)) == ["needs_approval"]
    assert v.codes(only(shop_pays(requested_at=None), policy)) == []


# --- never more than was paid --------------------------------------------------------------------------------------


def test_over_refund_is_held_with_arithmetic() -> None:
    before = v.shop_refund(attribution="unrelated", amount="50.00")
    found = v.view(payouts=(v.payout(),), shop_refunds=(before,))
    assert v.codes(only(found)) == ["would_over_refund"]
    assert evidence_of(found, "would_over_refund") == {
        "paid": "66.55",
        "refunded": "50.00",
        "on its way": "0.00",
        "reserved": "0.00",
        "left": "16.55",
        "asked": "24.20",
    }
    same = replace(found, waivers=(WaiverView(hold_code="would_over_refund", subject="24.20"),))
    assert v.codes(only(same)) == ["would_over_refund"], "money past what was paid is never released"
    less = replace(found, waivers=(WaiverView(hold_code="would_over_refund", subject="16.55"),))
    assert (only(less).amount, only(less).holds, only(less).needs_approval) == (Decimal("16.55"), (), True)


def test_what_siblings_sent_or_may_send_is_reserved() -> None:
    def with_sibling(state: str, **changes: Any) -> PlannedEffect:
        other = v.effect("refund:reveni/ret_2:re_9", "refund", state, amount=Decimal("50.00"))
        return only(v.view(payouts=(v.payout(),), sibling_effects=(other,), **changes))

    for state in ("ready", "awaiting_approval", "sending", "unknown", "done"):
        assert v.codes(with_sibling(state)) == ["would_over_refund"]
    for state in ("held", "rejected"):
        assert v.codes(with_sibling(state)) == []
    waiver = WaiverView(hold_code="would_over_refund", subject="24.20")
    assert v.codes(with_sibling("ready", waivers=(waiver,))) == []
    assert v.codes(with_sibling("sending", waivers=(waiver,))) == ["would_over_refund"]


def test_a_sent_sibling_that_shows_in_the_shop_counts_once() -> None:
    other = v.effect("refund:reveni/ret_2:re_9", "refund", "done", amount=Decimal("40.00"))
    seen = v.shop_refund(attribution="ours", amount="40.00", key="refund:reveni/ret_2:re_9")
    assert only(v.view(payouts=(v.payout(),), sibling_effects=(other,), shop_refunds=(seen,))).holds == ()


def test_own_earlier_refunds_count() -> None:
    found = v.view(
        lines=(v.shirt_item(quantity=2),),
        payouts=(v.payout(), v.payout("re_2", issued_at=v.NOW)),
        effects=(v.effect(KEY, "refund", "sending", amount=Decimal("24.20"), lines=(v.refund_line(),)),),
    )
    (one,) = refunds(found)
    assert (one.key, one.holds) == ("refund:reveni/ret_1:re_2", ())


def test_a_persons_refund_counts_while_it_lives() -> None:
    def with_person(state: str) -> list[str]:
        on_top = {"origin": "person", "ground": "goodwill", "amount": Decimal("50.00")}
        by_hand = v.effect("refund:reveni/ret_1:person:1", "refund", state, **on_top)
        return v.codes(only(v.view(payouts=(v.payout(),), effects=(by_hand,))))

    assert with_person("awaiting_approval") == ["would_over_refund"]
    assert with_person("cancelled") == []


def test_two_payouts_of_one_plan_share_what_is_left() -> None:
    found = v.view(
        lines=(v.shirt_item(quantity=2),),
        payouts=(v.payout(), v.payout("re_2", issued_at=v.NOW)),
        shop_refunds=(v.shop_refund(attribution="unrelated", amount="30.00"),),
    )
    assert [v.codes(one) for one in refunds(found)] == [[], ["would_over_refund"]]


def test_a_refund_found_with_our_key_is_not_counted_against_itself() -> None:
    seen = v.shop_refund(attribution="ours", key=f"{KEY}#2", lines=(v.refund_line(),), amount="24.20")
    found = v.view(
        order=v.order(total=Decimal("30.00")),
        payouts=(v.payout(), v.payout("re_2", issued_at=v.NOW)),
        lines=(v.shirt_item(quantity=2),),
        shop_refunds=(seen,),
    )
    assert [v.codes(one) for one in refunds(found)] == [[], ["would_over_refund"]]
    enough = replace(found, order=v.order(total=Decimal("48.40")))
    assert [v.codes(one) for one in refunds(enough)] == [[], []]


# --- refunds made outside ------------------------------------------------------------------------------------------


def test_a_refund_made_outside_holds_all_money_until_it_is_attributed() -> None:
    found = v.view(payouts=(v.payout(),), shop_refunds=(v.shop_refund(amount="66.55", author="maria"),))
    assert v.codes(only(found)) == ["refunded_outside"]
    assert "by maria" in only(found).holds[0].text
    assert v.case_kinds(v.planned(found)) == ["refunded_outside"]
    assert evidence_of(found, "refunded_outside") == {
        "refunds": [
            {
                "id": "900",
                "amount": "66.55",
                "author": "maria",
                "reason": "none given",
                "made_at": "2026-05-11T09:00:00+00:00",
                "record": "stands in the shop",
            }
        ],
        "explanations": [
            {
                "rank": 1,
                "refund": "900",
                "explanation": "2 x T-shirt + 1 x Mug + shipping (Flat rate); and more than is asked for by return "
                "RMA-1",
                "points": 60,
            },
            {"rank": 2, "refund": "900", "explanation": "goodwill on the order; no open return", "points": 10},
        ],
        "remaining": "0.00",
        "currency": "EUR",
    }
    general = replace(found, waivers=(WaiverView(hold_code="refunded_outside"),))
    assert v.codes(only(general)) == ["refunded_outside"]
    named = replace(found, waivers=(WaiverView(hold_code="refunded_outside", subject="900"),))
    assert v.codes(only(named)) == ["would_over_refund"]


def test_an_older_refund_may_only_be_subtracted() -> None:
    older = v.shop_refund(amount="10.00", refunded_at=v.NOW - timedelta(days=9))
    found = v.view(payouts=(v.payout(),), shop_refunds=(older,))
    assert v.codes(only(found)) == ["refunded_outside"]
    assert v.codes(only(found, refund_policy(review_partly_refunded=False))) == []
    unknown = replace(found, requested_at=None)
    assert v.codes(only(unknown, refund_policy(review_partly_refunded=False))) == ["refunded_outside"]


def test_a_refund_made_outside_for_this_return_covers_it() -> None:
    paid = v.shop_refund(attribution="this_return", lines=(v.refund_line(),))
    assert refunds(v.view(payouts=(v.payout(),), shop_refunds=(paid,))) == []


def test_a_smaller_one_leaves_the_difference() -> None:
    paid = v.shop_refund(attribution="this_return", amount="10.00")
    one = only(v.view(payouts=(v.payout(),), shop_refunds=(paid,)))
    assert (one.amount, one.holds) == (Decimal("14.20"), ())
    assert sum(Decimal(line["net"]) + Decimal(line["taxes"][0]["amount"]) for line in one.payload["lines"]) == Decimal(
        "14.20"
    )


def test_equal_amounts_are_covered_first_and_the_rest_in_order() -> None:
    found = v.view(
        lines=(v.shirt_item(), v.mug_item()),
        payouts=(
            v.payout(),
            v.payout("re_2", "12.10", items=(RefundItem(item_id="b", amount=Decimal("12.10"), quantity=1),)),
        ),
        shop_refunds=(v.shop_refund(attribution="this_return", amount="12.10"),),
    )
    assert only(found).key == KEY
    larger = replace(found, shop_refunds=(v.shop_refund(attribution="this_return", amount="30.00"),))
    assert [(one.key[-4:], one.amount) for one in refunds(larger)] == [("re_2", Decimal("6.30"))]


def test_cover_that_was_used_is_not_used_twice() -> None:
    found = v.view(
        lines=(v.shirt_item(quantity=2),),
        payouts=(v.payout(), v.payout("re_2", issued_at=v.NOW)),
        shop_refunds=(v.shop_refund(attribution="this_return", amount="10.00"),),
        effects=(v.effect(KEY, "refund", "done", amount=Decimal("14.20"), covered=Decimal("10.00")),),
    )
    assert only(found).amount == Decimal("24.20")
    same = replace(found, payouts=(v.payout(), v.payout("re_2", "10.00", issued_at=v.NOW)))
    assert only(same, refund_policy(tolerance={"EUR": "99"})).amount == Decimal("10.00")


def test_a_held_claim_without_lines_is_reduced_as_well() -> None:
    found = v.view(
        lines=(v.shirt_item(order_line_id=""),),
        payouts=(v.payout(),),
        shop_refunds=(v.shop_refund(attribution="this_return", amount="10.00"),),
    )
    assert (only(found).amount, only(found).payload["lines"]) == (Decimal("14.20"), [])


# --- what was sent, and what ended ---------------------------------------------------------------------------------


def test_a_sent_refund_is_not_planned_again_and_a_changed_one_is_a_case() -> None:
    sent = v.effect(KEY, "refund", "confirmed", amount=Decimal("24.20"), lines=(v.refund_line(),))
    found = v.view(payouts=(v.payout(),), effects=(sent,))
    assert refunds(found) == []
    assert v.case_kinds(v.planned(found)) == []
    changed = replace(found, payouts=(v.payout(amount="30.00"),))
    assert refunds(changed) == []
    assert evidence_of(changed, "amount_mismatch") == {"sent": "24.20", "platform": "30.00", "currency": "EUR"}
    accepted = replace(changed, waivers=(WaiverView(hold_code="amount_mismatch", subject="24.20"),))
    assert v.case_kinds(v.planned(accepted)) == []


def test_failed_payouts_and_ended_returns_get_no_money() -> None:
    assert refunds(v.view(payouts=(v.payout(is_failed=True),))) == []
    assert refunds(v.view(status="declined", payouts=(v.payout(),))) == []
    assert refunds(v.view(commerce="", payouts=(v.payout(),))) == []


# --- the policy's own trigger --------------------------------------------------------------------------------------

BY_POLICY = {"initiator": "policy_trigger", "trigger": "inspected"}


def test_units_are_paid_as_they_are_accepted() -> None:
    policy = refund_policy(**BY_POLICY)
    found = v.view(lines=(v.shirt_item(quantity=2),))
    one = only(found, policy)
    assert (one.key, one.amount) == ("refund:reveni/ret_1:a:2", Decimal("48.40"))
    assert one.holds[0].text == "waits for inspection of 2 of 2 items"

    first = replace(found, verdicts=(v.verdict(),))
    ready, pending = refunds(first, policy)
    assert (ready.key, ready.quantity, ready.amount, ready.holds) == (
        "refund:reveni/ret_1:a:1",
        1,
        Decimal("24.20"),
        (),
    )
    assert (pending.key, pending.quantity, v.codes(pending)) == ("refund:reveni/ret_1:a:2", 1, ["waits_for_trigger"])
    assert ready.payload["executed_by"] == COMMERCE

    sent = v.effect(ready.key, "refund", "done", item_id="a", quantity=1, amount=ready.amount, lines=(v.refund_line(),))
    second = replace(first, effects=(sent,), verdicts=(v.verdict(quantity=2),))
    (last,) = refunds(second, policy)
    assert (last.key, last.quantity, last.amount) == ("refund:reveni/ret_1:a:2", 1, Decimal("24.20"))


def test_refused_units_are_not_paid() -> None:
    policy = refund_policy(**BY_POLICY)
    refused = v.view(verdicts=(v.verdict(outcome="rejected", disposition="return_to_customer"),))
    assert refunds(refused, policy) == []
    received = refund_policy(initiator="policy_trigger", trigger="received")
    assert only(v.view(status="received"), received).holds == ()
    assert only(v.view(), received).holds[0].text == "waits for the parcel to arrive"


def test_units_not_final_yet_are_waited_for() -> None:
    policy = refund_policy(initiator="policy_trigger", trigger="inspected")
    found = v.view(lines=(v.shirt_item(quantity=2),), verdicts=(v.verdict(quantity=2), v.verdict(source="warehouse")))
    ready, pending = refunds(found, policy)
    assert (ready.quantity, pending.quantity) == (1, 1)
    assert pending.holds[0].text == "waits for inspection of 1 of 2 items"


def test_the_platforms_figures_are_compared_not_executed() -> None:
    policy = refund_policy(**BY_POLICY)
    told = v.payout(executed_by=COMMERCE)
    found = v.view(verdicts=(v.verdict(),), payouts=(told,))
    assert only(found, policy).holds == ()
    other = replace(found, payouts=(replace(told, amount=Decimal("20.00")),))
    assert v.codes(only(other, policy)) == ["amount_mismatch"]
    accepted = replace(other, waivers=(WaiverView(hold_code="amount_mismatch", subject="24.20"),))
    assert v.codes(only(accepted, policy)) == []
    moved = replace(found, payouts=(v.payout(),))
    assert v.codes(only(moved, policy)) == ["executor_unknown"]
    assert "paid by returns platform" in only(moved, policy).holds[0].text


def test_the_whole_order_gets_its_shipping_back_once() -> None:
    policy = refund_policy(initiator="policy_trigger", trigger="authorised", shipping="whole_order")
    found = v.view(lines=(v.shirt_item(quantity=2), v.mug_item()))
    made = refunds(found, policy)
    assert [one.amount for one in made] == [Decimal("48.40"), Decimal("18.15")]
    assert sum(one.amount or 0 for one in made) == found.order.total  # type: ignore[union-attr]


def test_units_cannot_be_valued_before_the_order_is_read() -> None:
    assert refunds(v.view(order=None), refund_policy(**BY_POLICY)) == []
    one = only(v.view(order=None, payouts=(v.payout(amount="24.205", currency="XQQ"),)))
    assert v.codes(one) == ["order_not_found"]
    assert one.payload["lines"] == []
    assert one.payload["amount"] == "24.205"


def test_a_gap_left_by_a_failed_part_is_filled_by_its_own_key() -> None:
    policy = refund_policy(**BY_POLICY)
    later = v.effect(
        "refund:reveni/ret_1:a:2", "refund", "done", item_id="a", quantity=1, amount=Decimal("24.20"), lines=()
    )
    found = v.view(lines=(v.shirt_item(quantity=2),), verdicts=(v.verdict(quantity=2),), effects=(later,))
    assert only(found, policy).key == "refund:reveni/ret_1:a:1"


def test_a_units_claim_without_an_order_line_has_no_amount() -> None:
    found = v.view(lines=(v.shirt_item(order_line_id=""),), verdicts=(v.verdict(),))
    assert refunds(found, refund_policy(**BY_POLICY)) == []
    assert v.case_kinds(v.planned(found, refund_policy(**BY_POLICY))) == ["line_not_on_order"]
