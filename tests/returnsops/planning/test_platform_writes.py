"""Refunds that the platform writes into the shop itself: which one is whose, what differs, what is late."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import TaxShare
from returnsops.planning import outside
from returnsops.planning.model import PlannedCase
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import ReturnView, ShopRefundView, SiblingView, WaiverView

from . import views as v

JUDGED_AT = v.NOW - timedelta(hours=2)
MINE = "this_return"
FIRST = f"refund:{v.REF}:a:1"
LINES = (v.refund_line(),)


def policy(**settings: Any) -> Policy:
    values = {"initiator": "policy_trigger", "trigger": "inspected", "writer": "platform", "shipping": "never"}
    return parse_policy({"refund": {**values, **settings}})


def view(*refunds: ShopRefundView, **changes: Any) -> ReturnView:
    """One T-shirt of 24.20, judged two hours ago, that the platform has to pay in the shop."""
    return v.view(**{"status": "inspected", "verdicts": (v.verdict(),), "shop_refunds": refunds, **changes})


def refund(amount: str = "24.20", **changes: Any) -> ShopRefundView:
    return v.shop_refund(**{"amount": amount, "refunded_at": JUDGED_AT + timedelta(minutes=5), **changes})


def applied(found: ReturnView, **settings: Any) -> list[str | None]:
    return [answer.applied_to for answer in outside.answers(found, policy(**settings))]


def cases(found: ReturnView, after_h: int = 0, **settings: Any) -> list[PlannedCase]:
    return list(v.planned(found, policy(**settings), v.NOW + timedelta(hours=after_h)).cases)


def kinds(found: ReturnView, after_h: int = 0, **settings: Any) -> list[str]:
    return [case.kind for case in cases(found, after_h, **settings)]


def accepted(kind: str, subject: str = "") -> dict[str, Any]:
    return {"waivers": (WaiverView(hold_code=kind, subject=subject),)}


# A mug that costs as much as the T-shirt, so that the amount alone is a question.
MUG = v.mug(net=Decimal("20.00"), taxes=(TaxShare(rate_id="1", amount=Decimal("4.20")),))
TWINS = v.order(lines=(v.order_line(), MUG, v.shipping_line()))


# --- whose it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "is_adopted"),
    [
        (refund("20.00", lines=LINES), True),  # the very units, another amount
        (refund("20.00"), False),
        (refund("24.20", refunded_at=JUDGED_AT - timedelta(minutes=50)), True),  # the verdict was heard later
        (refund("24.20", refunded_at=JUDGED_AT - timedelta(hours=2)), False),
        (refund("24.20", lines=(v.refund_line("12"),)), False),
        (refund("24.20", currency="USD"), False),
    ],
)
def test_it_is_known_by_amount_or_units_once_its_money_is_due(one: ShopRefundView, is_adopted: bool) -> None:
    found = view(one, order=TWINS)
    assert (applied(found) == [v.REF]) is is_adopted
    assert applied(found, writer="us") != [v.REF]


def test_what_explains_itself_is_left_as_it_is() -> None:
    (answer,) = outside.answers(view(refund(lines=LINES)), policy())
    assert (answer.applied_to, answer.explanations[0].words) == (v.REF, "1 x T-shirt; all of return RMA-1")


def test_a_round_amount_is_no_goodwill_where_it_is_what_is_due() -> None:
    line = v.order_line(net=Decimal("40.00"), taxes=())
    found = view(refund("20.00"), order=v.order(lines=(line, v.mug(), v.shipping_line())))
    (answer,) = outside.answers(found, policy())
    words = "what the returns platform was to write into the shop for return RMA-1"
    assert (answer.applied_to, answer.explanations[0].words) == (v.REF, words)
    assert applied(found, writer="us") == [None]


@pytest.mark.parametrize("changes", [{"verdicts": (), "status": "received"}, {"status": "declined"}, {"commerce": ""}])
def test_nothing_is_adopted_before_its_money_is_due(changes: dict[str, Any]) -> None:
    assert applied(view(refund(), order=TWINS, **changes)) == [None]


def test_what_may_be_meant_for_another_return_is_a_question() -> None:
    other = SiblingView(ref="reveni/ret_2", number="RMA-2", lines=(v.shirt_item(),), requested_at=v.NOW)
    found = view(refund(), siblings=(other,))
    assert applied(found) == [None]
    assert kinds(found, after_h=999) == [states.CASE_REFUNDED_OUTSIDE]


def test_the_platform_is_not_told_of_its_own_refund_and_is_of_one_made_before() -> None:
    assert kinds(view(refund(attribution=MINE, lines=LINES))) == []
    early = refund(attribution=MINE, lines=LINES, refunded_at=JUDGED_AT - timedelta(days=1))
    assert kinds(view(early)) == [states.CASE_TELL_ALREADY_REFUNDED]
    assert kinds(view(refund("5.00", attribution=MINE))) == [states.CASE_TELL_ALREADY_REFUNDED]


# --- what differs -----------------------------------------------------------------------------------------------------


def test_another_amount_for_these_units_is_shown_with_both_figures() -> None:
    (case,) = cases(view(refund("20.00", attribution=MINE, lines=LINES)), after_h=999)
    assert (case.kind, case.money_at_risk, case.currency) == (states.CASE_AMOUNT_MISMATCH, Decimal("4.20"), "EUR")
    assert case.evidence == {"platform": "20.00", "computed": "24.20", "refunds": ["900"], "currency": "EUR"}
    assert case.cause.startswith("the returns platform refunded €20.00 in the shop for this return, the order gives €2")


def test_more_than_is_due_is_a_difference_whatever_it_names() -> None:
    (case,) = [one for one in cases(view(refund("30.00", attribution=MINE))) if one.kind == "amount_mismatch"]
    assert case.money_at_risk == Decimal("5.80")


def test_within_the_tolerance_or_accepted_it_is_done() -> None:
    one = refund("20.00", attribution=MINE, lines=LINES)
    assert kinds(view(one), tolerance={"EUR": "4.20"}) == []
    settled = view(one, **accepted(states.CASE_AMOUNT_MISMATCH, "20.00"))
    assert (kinds(settled, after_h=999), v.of_kind(v.planned(settled, policy()), "refund")) == ([], [])
    two = replace(settled, lines=(v.shirt_item(quantity=2),), verdicts=(v.verdict(quantity=2),))
    (rest,) = v.of_kind(v.planned(two, policy()), "refund")
    assert (rest.amount, v.codes(rest)) == (Decimal("28.40"), ["platform_writes"])


# --- what is late -----------------------------------------------------------------------------------------------------


def test_it_is_a_case_once_its_time_is_over_and_until_it_comes() -> None:
    (case,) = cases(view(), after_h=70)
    assert (case.kind, case.money_at_risk) == (states.CASE_PLATFORM_REFUND_MISSING, Decimal("24.20"))
    assert case.evidence == {
        "amount": "24.20",
        "currency": "EUR",
        "due_since": JUDGED_AT.isoformat(),
        "refunds": [FIRST],
    }
    assert kinds(view(), after_h=69) == []
    assert v.planned(view(), policy()).next_look_at == JUDGED_AT + timedelta(hours=72)
    assert kinds(view(), after_h=1, written_within_h=3) == [states.CASE_PLATFORM_REFUND_MISSING]
    assert kinds(view(refund(attribution=MINE, lines=LINES)), after_h=999) == []
    assert kinds(view(status="received", verdicts=()), after_h=999) == []


def test_its_time_begins_with_the_milestone_money_waits_for_or_with_the_platforms_decision() -> None:
    known = {"status": "received", "verdicts": (), "received_at": v.NOW - timedelta(hours=71)}
    assert kinds(view(**known), after_h=1, trigger="received") == [states.CASE_PLATFORM_REFUND_MISSING]
    assert kinds(view(**known), trigger="received") == []
    assert kinds(view(**{**known, "received_at": None}), after_h=999, trigger="received") == []
    told = view(payouts=(v.payout(),))
    assert kinds(told, after_h=70, initiator="platform_event") == []
    assert kinds(told, after_h=71, initiator="platform_event") == [states.CASE_PLATFORM_REFUND_MISSING]


def given_up(key: str) -> dict[str, Any]:
    """The case of a missing refund accepted: our effect for it, and what a person said of it."""
    waiver = WaiverView(hold_code=states.CASE_PLATFORM_REFUND_MISSING, effect_key=key)
    ours = v.effect(key, "refund", "held", item_id="a", quantity=1, amount=Decimal("24.20"))
    return {"effects": (ours,), "waivers": (waiver,)}


def test_given_up_our_refund_is_wanted_no_more_and_units_that_follow_are_asked_for_alone() -> None:
    done = view(**given_up(FIRST))
    assert (kinds(done, after_h=999), v.of_kind(v.planned(done, policy()), "refund")) == ([], [])
    two = replace(done, lines=(v.shirt_item(quantity=2),), verdicts=(v.verdict(quantity=2),))
    (rest,) = v.of_kind(v.planned(two, policy()), "refund")
    assert (rest.key, rest.quantity, rest.amount) == (f"refund:{v.REF}:a:2", 1, Decimal("24.20"))
    (case,) = cases(two, after_h=999)
    assert (case.money_at_risk, case.evidence["refunds"]) == (Decimal("24.20"), [rest.key])


def test_a_decision_of_the_platform_that_was_given_up_is_wanted_no_more() -> None:
    told = view(payouts=(v.payout(),), **given_up(f"refund:{v.REF}:re_1"))
    assert kinds(told, after_h=999, initiator="platform_event") == []
    asked = replace(told, waivers=())
    assert kinds(asked, after_h=999, initiator="platform_event") == [states.CASE_PLATFORM_REFUND_MISSING]


def test_what_was_given_up_counts_where_the_platform_tells_an_amount_to_compare() -> None:
    told = view(payouts=(v.payout(executed_by="commerce_platform"),), **given_up(FIRST))
    assert kinds(told, after_h=999) == []
