"""Refunds made outside, seen from one return: what is asked, of whom, and what is left of it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from returnsops.facts import RefundItem
from returnsops.planning import outside
from returnsops.planning.attribution import Answer
from returnsops.planning.model import PlannedEffect
from returnsops.planning.policy import Policy, RefundPolicy
from returnsops.planning.view import ReturnView, SiblingView
from tests.returnsops.planning import views as v


def answers(**changes: Any) -> list[Answer]:
    return list(outside.answers(v.view(**changes), Policy()))


def refunds(view: ReturnView, policy: Policy | None = None) -> list[PlannedEffect]:
    return v.of_kind(v.planned(view, policy), "refund")


def applied(**changes: Any) -> list[str | None]:
    return [answer.applied_to for answer in answers(**changes)]


def cause(view: ReturnView) -> str:
    (finding,) = outside.findings(view, Policy())
    return finding.hold.text


def test_one_question_with_one_answer() -> None:
    found = v.view(shop_refunds=(v.shop_refund(author="maria"),))
    assert [answer.applied_to for answer in outside.answers(found, Policy())] == [v.REF]
    assert "by maria" in cause(found)
    assert "For refund 900, the likeliest of 2 explanations: 1 x T-shirt; all of return RMA-1." in cause(found)


def test_nothing_is_answered_before_the_order_is_read() -> None:
    assert answers(order=None, shop_refunds=(v.shop_refund(),)) == []
    assert outside.findings(v.view(order=None, shop_refunds=(v.shop_refund(),)), Policy()) == ()


def test_nothing_adds_up() -> None:
    named = v.shop_refund(amount="3.33", lines=(v.refund_line("77", net="3.33", tax="0.00"),), currency="USD")
    assert "Nothing on the order adds up to refund 900." in cause(v.view(shop_refunds=(named,)))
    one = v.shop_refund(amount="3.33")
    assert "For refund 900, the only explanation: goodwill on the order; no open return." in cause(
        v.view(shop_refunds=(one,))
    )


def test_what_is_paid_already_is_not_wanted_again() -> None:
    key = f"refund:{v.REF}:a:1"
    by_lines = v.effect(key, "refund", lines=(v.refund_line(),), amount=Decimal("24.20"))
    by_units = v.effect(key, "refund", item_id="a", quantity=1, amount=Decimal("24.20"))
    refused = replace(by_units, state="cancelled")
    asked = {"shop_refunds": (v.shop_refund(),)}
    assert applied(effects=(by_lines,), **asked) == [None]
    assert applied(effects=(by_units,), **asked) == [None]
    assert applied(effects=(refused,), **asked) == [v.REF]
    assert applied(effects=(v.effect("restock:1", "restock", item_id="a", quantity=1),), **asked) == [v.REF]
    paid = v.shop_refund("800", attribution="this_return", lines=(v.refund_line(),))
    assert applied(shop_refunds=(paid, v.shop_refund())) == [None]
    half = v.shop_refund("800", attribution="this_return", lines=(v.refund_line(),))
    assert applied(lines=(v.shirt_item(quantity=2),), shop_refunds=(half, v.shop_refund())) == [v.REF]


def test_a_payout_that_was_sent_is_no_evidence_any_more() -> None:
    sent = v.effect(f"refund:{v.REF}:re_1", "refund", amount=Decimal("12.10"), lines=(v.refund_line("12"),))
    mug = v.shop_refund(amount="12.10", lines=(v.refund_line("12", net="10.00", tax="2.10"),))
    values: dict[str, Any] = {"payouts": (v.payout(amount="12.10"),), "shop_refunds": (mug,)}
    assert applied(**values) == [None]
    two = v.order(lines=(v.order_line(), v.mug(quantity=2, net=Decimal("20.00")), v.shipping_line()))
    assert applied(**values, effects=(sent,), order=two) == [None]


def test_two_questions_of_which_one_names_no_lines_leave_doubt() -> None:
    other = v.shop_refund("901", "12.10")
    assert applied(shop_refunds=(v.shop_refund(), other)) == [None, None]
    named = v.shop_refund(lines=(v.refund_line(),))
    assert applied(shop_refunds=(named, other)) == [v.REF, None]
    elsewhere = v.shop_refund("901", "12.10", attribution="other_return")
    assert applied(shop_refunds=(v.shop_refund(), elsewhere)) == [None]


def test_what_another_return_wants_is_a_second_explanation() -> None:
    other = SiblingView(ref="reveni/ret_2", number="RMA-2", lines=(v.shirt_item(),), requested_at=v.NOW)
    (answer,) = answers(shop_refunds=(v.shop_refund(),), siblings=(other,))
    assert not answer.is_unique
    assert {one.return_ref for one in answer.explanations} == {v.REF, "reveni/ret_2", ""}
    mug = replace(other, lines=(v.mug_item(),), payouts=(v.payout(is_failed=True),))
    assert applied(shop_refunds=(v.shop_refund(),), siblings=(mug,)) == [v.REF]


def test_what_is_exchanged_wants_no_money_but_is_touched() -> None:
    line = v.shirt_item(resolution="exchange")
    assert applied(lines=(line,), shop_refunds=(v.shop_refund(lines=(v.refund_line(),)),)) == [None]


def test_a_deleted_record_is_asked_about_but_explained_by_nothing() -> None:
    gone = v.shop_refund(attribution="vanished", lines=(v.refund_line(),))
    found = v.view(payouts=(v.payout(),), shop_refunds=(gone,))
    assert outside.answers(found, Policy()) == ()
    assert cause(found) == (
        "Refund 900 of €24.20 paid for this return, and its record has been deleted in the shop since. Deleting a "
        "record takes no money back: say whether the customer has it."
    )
    (held,) = v.of_kind(v.planned(found), "refund")
    assert v.codes(held) == ["refunded_outside"]


def test_a_return_without_lines_of_the_order_takes_no_part() -> None:
    loose = v.shirt_item(order_line_id="")
    asked = v.shop_refund(refunded_at=v.NOW - timedelta(hours=1))
    assert applied(lines=(loose,), shop_refunds=(asked,)) == [None]


# --- what is left to pay ----------------------------------------------------------------------------------------------


def test_the_difference_names_what_is_left_of_the_lines() -> None:
    paid = v.shop_refund(attribution="this_return", lines=(v.refund_line(),))
    found = v.view(
        lines=(v.shirt_item(quantity=2), v.mug_item()),
        payouts=(
            v.payout(
                amount="60.50",
                items=(
                    RefundItem(item_id="a", amount=Decimal("48.40"), quantity=2),
                    RefundItem(item_id="b", amount=Decimal("12.10"), quantity=1),
                ),
            ),
        ),
        shop_refunds=(paid,),
    )
    (one,) = refunds(found)
    assert (one.amount, one.payload["covered"]) == (Decimal("36.30"), "24.20")
    assert [(line["line_id"], line["quantity"], line["net"]) for line in one.payload["lines"]] == [
        ("11", 1, "20.00"),
        ("12", 1, "10.00"),
    ]
    both = v.shop_refund(
        attribution="this_return", amount="48.40", lines=(v.refund_line(quantity=2, net="40", tax="8.4"),)
    )
    (rest,) = refunds(replace(found, shop_refunds=(both,)))
    (line,) = rest.payload["lines"]
    assert (line["line_id"], line["quantity"], line["net"]) == ("12", 1, "10.00")


def test_cover_of_units_that_are_refunded_is_not_used_for_later_ones() -> None:
    policy = Policy(refund=RefundPolicy(initiator="policy_trigger", writer="us", trigger="authorised"))
    paid = v.shop_refund(attribution="this_return", amount="10.00")
    sent = v.effect(
        f"refund:{v.REF}:a:1", "refund", item_id="a", quantity=1, amount=Decimal("14.20"), covered=Decimal("10.00")
    )
    found = v.view(lines=(v.shirt_item(quantity=2),), shop_refunds=(paid,), effects=(sent,))
    assert [one.amount for one in refunds(found, policy)] == [Decimal("24.20")]
