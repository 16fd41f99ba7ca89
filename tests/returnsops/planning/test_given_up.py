"""What a refund written after it was given up pays for, and what it leaves due."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import RemoteRefundLine, TaxShare
from returnsops.planning import outside
from returnsops.planning.model import PlannedCase
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import EffectView, ReturnView, ShopRefundView, WaiverView

from . import views as v

POLICY = {"initiator": "policy_trigger", "trigger": "inspected", "writer": "platform", "shipping": "never"}
PAID = states.CASE_PAID_THOUGH_GIVEN_UP
MISSING = states.CASE_PLATFORM_REFUND_MISSING
DIFFERS = states.CASE_AMOUNT_MISMATCH
WRITTEN_AT = v.NOW - timedelta(hours=1)
SHIRT = v.refund_line()
CUP = v.refund_line("12")
# A mug that costs as much as the T-shirt, so that the amount alone says nothing.
MUG = v.mug(net=Decimal("20.00"), taxes=(TaxShare(rate_id="1", amount=Decimal("4.20")),))
SHIPPING = v.refund_line("13", quantity=0, net="5.00", tax="1.05")


def policy(**settings: str) -> Policy:
    return parse_policy({"refund": {**POLICY, **settings}})


def ended(key: str = "a:1", **changes: Any) -> EffectView:
    """Our refund of one T-shirt that waited for the platform and was given up."""
    values: dict[str, Any] = {"item_id": "a", "quantity": 1, "amount": Decimal("24.20"), "lines": (SHIRT,), **changes}
    return v.effect(f"refund:{v.REF}:{key}", "refund", "cancelled", **values)


def view(*refunds: ShopRefundView, gone: Sequence[EffectView] = (ended(),), **changes: Any) -> ReturnView:
    """T-shirt and mug came back and are judged; the refund of the T-shirt was given up."""
    values: dict[str, Any] = {
        "status": "inspected",
        "order": v.order(lines=(v.order_line(), MUG, v.shipping_line()), total=Decimal("78.65")),
        "lines": (v.shirt_item(), v.mug_item()),
        "verdicts": (v.verdict(), v.verdict("b")),
        "shop_refunds": refunds,
        "effects": tuple(gone),
        "waivers": tuple(WaiverView(hold_code=MISSING, effect_key=effect.key) for effect in gone),
    }
    return v.view(**{**values, **changes})


def refund(*lines: RemoteRefundLine, amount: str = "24.20", **changes: Any) -> ShopRefundView:
    values: dict[str, Any] = {
        "amount": amount,
        "refunded_at": WRITTEN_AT,
        "attribution": "this_return",
        "lines": lines,
        **changes,
    }
    return v.shop_refund(**values)


def cases(found: ReturnView, **settings: str) -> list[PlannedCase]:
    return list(v.planned(found, policy(**settings), v.NOW + timedelta(days=20)).cases)


def said(found: ReturnView, **settings: str) -> list[tuple[str, str]]:
    """Finance's cases, without what the platform is to be told."""
    mine = [case for case in cases(found, **settings) if case.kind != states.CASE_TELL_ALREADY_REFUNDED]
    return sorted((case.kind, str(case.money_at_risk)) for case in mine)


def test_a_unit_that_was_given_up_and_is_paid_all_the_same_leaves_the_other_due() -> None:
    found = view(refund(SHIRT))
    (case,) = [one for one in cases(found) if one.kind == PAID]
    assert case.evidence == {
        "refund": "900",
        "amount": "24.20",
        "currency": "EUR",
        "given up": [f"refund:{v.REF}:a:1"],
    }
    assert (case.fingerprint, case.currency) == (f"{PAID}:{v.REF}:900", "EUR")
    assert case.cause == (
        "€24.20 of refund 900 pay for what was given up here. They stand for nothing else of this return. "
        "Find out whether the customer was paid twice."
    )
    (mug,) = v.of_kind(v.planned(found, policy()), "refund")
    assert (mug.item_id, mug.amount, v.codes(mug)) == ("b", Decimal("24.20"), ["platform_writes"])


TWO: dict[str, Any] = {"lines": (v.shirt_item(quantity=2),), "verdicts": (v.verdict(quantity=2),)}
BOTH: dict[str, Any] = {
    "lines": (v.shirt_item(quantity=2), v.mug_item()),
    "verdicts": (v.verdict(quantity=2), v.verdict("b")),
}
SECOND = ended("a:2", quantity=2, covered=Decimal("24.20"))
ONE: dict[str, Any] = {"lines": (v.shirt_item(),), "verdicts": (v.verdict(),)}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # by units
        (view(refund(CUP)), []),
        (view(refund(SHIRT, amount="20.00")), [(PAID, "20.00"), (MISSING, "24.20")]),
        (view(refund(SHIRT, SHIPPING, amount="30.25")), [(PAID, "30.25"), (MISSING, "24.20")]),
        (view(refund(SHIRT, CUP, amount="48.40")), [(PAID, "24.20")]),
        (view(refund(SHIRT, CUP, amount="50.00")), [(DIFFERS, "1.60"), (PAID, "24.20")]),
        (view(refund(SHIRT), refund(CUP, refund_id="901")), [(PAID, "24.20")]),
        (view(refund(SHIRT), refund(SHIRT, refund_id="901")), [(PAID, "24.20"), (PAID, "24.20"), (MISSING, "24.20")]),
        (view(refund(SHIRT), gone=(ended(lines=()),)), [(PAID, "24.20"), (MISSING, "24.20")]),
        # another unit of the same line: what is due is meant first, and only where it was due by then
        (view(refund(SHIRT), **TWO), []),
        (view(refund(SHIRT), refund(SHIRT, refund_id="901"), **TWO), [(PAID, "24.20")]),
        (
            view(refund(SHIRT, refunded_at=v.NOW - timedelta(hours=4)), **TWO),
            [
                (PAID, "24.20"),
                (MISSING, "24.20"),
            ],
        ),
        # by the amount alone
        (view(refund(), **ONE), [(PAID, "24.20")]),
        (view(refund()), []),
        (view(refund(), order=v.order(total=Decimal("66.55"))), [(PAID, "24.20"), (MISSING, "12.10")]),
        # paid in part before the rest was given up
        (view(refund(SHIRT), gone=(SECOND,), **TWO), []),
        (view(refund(SHIRT), refund(SHIRT, refund_id="901"), gone=(SECOND,), **TWO), [(PAID, "24.20")]),
        (view(refund(), gone=(SECOND,), **TWO), []),
        (
            view(refund(amount="4.20"), gone=(ended(amount=Decimal("20.00"), covered=Decimal("4.20")),)),
            [(MISSING, "24.20")],
        ),
    ],
)
def test_what_is_paid_is_told_from_what_is_due(found: ReturnView, expected: list[tuple[str, str]]) -> None:
    assert said(found) == sorted(expected)


def by_people(*lines: RemoteRefundLine) -> EffectView:
    """A bank transfer that people recorded on the return."""
    key = "refund:manual:woo:500:form-1"
    return v.effect(key, "refund", "confirmed", origin="person", amount=Decimal("24.20"), lines=lines)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (view(effects=(ended(), by_people())), [(MISSING, "24.20")]),
        (view(effects=(ended(), by_people(SHIRT))), [(MISSING, "24.20")]),
        (view(effects=(ended(), by_people(CUP))), []),
        (view(refund(SHIRT), effects=(ended(), by_people())), [(PAID, "24.20"), (MISSING, "24.20")]),
        (view(gone=(SECOND,), **{**BOTH, "effects": (SECOND, by_people())}), [(MISSING, "24.20")]),
        (
            view(refund(SHIRT), gone=(SECOND,), **{**BOTH, "effects": (SECOND, by_people())}),
            [(PAID, "24.20"), (MISSING, "24.20")],
        ),
    ],
)
def test_what_people_record_for_what_they_gave_up_pays_for_nothing_else(
    found: ReturnView, expected: list[tuple[str, str]]
) -> None:
    assert said(found) == sorted(expected)


def test_finance_accepts_one_refund_and_is_asked_of_the_next() -> None:
    known = WaiverView(hold_code=PAID, subject="900")
    found = view(refund(SHIRT), **ONE)
    assert said(view(refund(SHIRT), **ONE, waivers=(*found.waivers, known))) == []
    later = view(refund(SHIRT), refund(SHIRT, refund_id="901"), **ONE, waivers=(*found.waivers, known))
    assert [one.fingerprint for one in cases(later)] == [f"{PAID}:{v.REF}:901"]  # of neither the platform is told


def test_an_amount_that_is_both_due_and_given_up_is_a_persons_question() -> None:
    (answer,) = outside.answers(view(refund(attribution="unattributed")), policy())
    assert answer.applied_to is None
    (answer,) = outside.answers(view(refund(attribution="unattributed"), waivers=()), policy())
    assert answer.applied_to == v.REF


def test_a_decision_of_the_platform_that_was_given_up_is_known_by_its_units() -> None:
    told = (
        v.payout("re_1", executed_by="commerce_platform"),
        v.payout("re_2", executed_by="commerce_platform", items=()),
    )
    found = view(refund(SHIRT), payouts=told, gone=(ended("re_1"),))
    assert said(found, initiator="platform_event") == []
