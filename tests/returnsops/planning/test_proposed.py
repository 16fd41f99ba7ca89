"""Refunds that people proposed, against the return's own: they wait for each other, and one claim is paid once."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import RefundItem
from returnsops.planning import claims, credits, proposed
from returnsops.planning.model import PlannedEffect
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import CreditView, EffectView, ReturnView, WaiverView
from tests.returnsops.planning import views as v

KEY = "refund:manual:woo:500:form-1"
OWN = "refund:reveni/ret_1:re_1"
WAITS = proposed.WAITS_FOR_PROPOSAL


def proposal(state: str, amount: str = "24.20", **changes: Any) -> EffectView:
    values = {"origin": "person", "amount": Decimal(amount), "ground": "lost parcel"}
    return v.effect(changes.pop("key", KEY), "refund", state, **(values | changes))


def due(*effects: EffectView, **changes: Any) -> ReturnView:
    """The platform decided one T-shirt."""
    return v.view(**({"payouts": (v.payout(),), "effects": effects} | changes))


def refunds(view: ReturnView, policy: Policy | None = None) -> list[PlannedEffect]:
    return v.of_kind(v.planned(view, policy), "refund")


def by_trigger(**settings: Any) -> Policy:
    return parse_policy({"refund": {"initiator": "policy_trigger", "trigger": "inspected", **settings}})


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("awaiting_approval", "waits until a second person decides on the €24.20 proposed"),
        ("ready", "waits for the €24.20 that people approved"),
        ("held", "waits for the €24.20 that people approved"),
        ("rejected", "€24.20 proposed for this return did not go through; try that again, or cancel it"),
        ("failed", "€24.20 proposed for this return did not go through"),
    ],
)
def test_an_undecided_one_holds_the_returns_own_in_words(state: str, words: str) -> None:
    (one,) = refunds(due(proposal(state)))
    assert (one.key, one.amount, v.codes(one)) == (OWN, Decimal("24.20"), [WAITS])
    assert words in one.holds[0].text
    assert one.holds[0].waits_for == KEY


def test_one_that_failed_after_it_was_acknowledged_asks_for_another_way() -> None:
    (one,) = refunds(due(proposal("failed", remote_id="901")))
    assert one.holds[0].text.endswith("failed later; pay them in another way and record that")


@pytest.mark.parametrize("state", sorted(states.COMMITTED))
@pytest.mark.parametrize("is_seen", [True, False])
def test_one_that_left_covers_it(state: str, is_seen: bool) -> None:
    seen = (v.shop_refund(attribution="ours", key=KEY),) if is_seen else ()
    assert refunds(due(proposal(state), shop_refunds=seen)) == []


@pytest.mark.parametrize("changes", [{"state": "cancelled"}, {"state": "done", "ground": "goodwill"}])
def test_refused_ones_and_goodwill_cover_nothing(changes: dict[str, str]) -> None:
    (one,) = refunds(due(proposal(**changes)))
    assert (one.amount, one.holds) == (Decimal("24.20"), ())


def test_what_is_not_a_persons_refund_is_no_proposal() -> None:
    others = (v.effect("a", "refund"), v.effect("b", "restock", origin="person"))
    assert not any(proposed.pays_for_return(one) for one in others)


def test_less_leaves_the_difference_and_its_lines() -> None:
    (one,) = refunds(due(proposal("done", "10.00")))
    assert (one.amount, one.holds, one.payload["covered"]) == (Decimal("14.20"), (), "10.00")
    sent = replace(due(proposal("done", "10.00")), effects=(proposal("done", "10.00"), _sent(one)))
    assert refunds(sent) == []
    assert v.case_kinds(v.planned(sent)) == []  # less than was told, and everybody knows why


def _sent(one: PlannedEffect) -> EffectView:
    assert one.amount is not None
    covered = Decimal(one.payload.get("covered", "0"))
    return v.effect(one.key, "refund", amount=one.amount, covered=covered, item_id="a", quantity=one.quantity)


def test_lines_that_a_proposal_names_are_not_taken_from_the_claim_it_covers() -> None:
    named = proposal("done", "10.00", lines=(v.refund_line(net="8.26", tax="1.74"),))
    (one,) = refunds(due(named))
    assert (one.amount, one.holds) == (Decimal("14.20"), ())
    seen = v.shop_refund(amount="10.00", attribution="ours", key=KEY, lines=named.lines)
    (one,) = refunds(due(named, shop_refunds=(seen,)))
    assert (one.amount, one.holds) == (Decimal("14.20"), ())


def test_the_last_money_of_an_order_is_no_conflict_with_what_waits_for_it() -> None:
    small = v.order(total=Decimal("24.20"), lines=(v.order_line(quantity=1, net=Decimal("20.00"), reduced_stock=1),))
    whole = replace(small, lines=(replace(small.lines[0], taxes=(v.refund_line().taxes[0],)),))
    made = v.planned(due(proposal("awaiting_approval"), order=whole))
    assert [v.codes(one) for one in v.of_kind(made, "refund")] == [[WAITS]]
    assert v.case_kinds(made) == ["needs_approval"]
    goodwill = due(proposal("awaiting_approval", "5.00", ground="goodwill"), order=whole)
    (one,) = refunds(goodwill)
    assert v.codes(one) == ["would_over_refund"]


def test_the_platforms_amount_is_compared_with_what_the_rule_gives_not_with_what_people_add() -> None:
    told = v.payout(executed_by="commerce_platform")
    judged = {"verdicts": (v.verdict(),), "status": "inspected", "payouts": (told,)}
    for row in (proposal("done"), proposal("done", "5.00", ground="goodwill")):
        made = v.planned(due(row, **judged), by_trigger())
        assert v.case_kinds(made) == []
    sent = v.effect("refund:reveni/ret_1:a:1", "refund", amount=Decimal("14.20"), covered=Decimal("10.00"))
    part = (proposal("done", "10.00"), replace(sent, item_id="a", quantity=1))
    assert v.case_kinds(v.planned(due(*part, **judged), by_trigger())) == []


def test_units_paid_by_people_are_not_paid_by_the_rule() -> None:
    judged = v.view(verdicts=(v.verdict(),), status="inspected", effects=(proposal("done"),))
    assert refunds(judged, by_trigger()) == []
    (one,) = refunds(replace(judged, effects=(proposal("ready"),)), by_trigger())
    assert v.codes(one) == [WAITS]


def test_one_unit_paid_by_people_leaves_the_other() -> None:
    two = v.payout(amount="48.40", items=(RefundItem(item_id="a", amount=Decimal("48.40"), quantity=2),))
    (one,) = refunds(due(proposal("done"), payouts=(two,), lines=(v.shirt_item(quantity=2),)))
    assert (one.amount, one.holds) == (Decimal("24.20"), ())


def test_a_credit_has_the_room_that_people_paid_for_the_platforms_refund() -> None:
    gift = CreditView(
        credit_id="c1",
        kind="store_credit",
        amount=Decimal("42.35"),
        currency="EUR",
        executed_by="commerce_platform",
        is_settled=False,
    )
    view = due(proposal("done"), credits=(gift,))
    assert credits._too_much(view, Policy(), gift) is None
    assert credits._too_much(replace(view, effects=(proposal("cancelled"),)), Policy(), gift) is None
    more = replace(gift, amount=Decimal("42.36"))
    assert credits._too_much(replace(view, credits=(more,)), Policy(), more) is not None


def test_claims_are_still_told() -> None:
    assert [one.key for one in claims.claims_of(due(proposal("done")), Policy())] == [OWN]


def test_people_read_what_was_paid_before() -> None:
    rows = (
        proposal("awaiting_approval"),
        proposal("ready", "1.00", key="refund:manual:woo:500:form-2"),
        v.effect(OWN, "refund", "confirmed", amount=Decimal("24.20")),
        v.effect("refund:reveni/ret_1:re_2", "refund", "sending", amount=Decimal("3.00")),
        v.effect("restock:reveni/ret_1:a:1", "restock", "done"),
    )
    by_hand = v.shop_refund(amount="2.00", attribution="this_return")
    view = due(*rows, shop_refunds=(by_hand, v.shop_refund("901", attribution="other_return")))
    assert proposed.already(view, but=KEY) == (
        "€26.20 were refunded for this return already. €3.00 are being sent for this return right now. "
        "€1.00 are proposed for this return and not decided."
    )
    assert proposed.already(v.view(order=None, effects=(proposal("rejected"),))) == (
        "€24.20 are proposed for this return and not decided."
    )
    assert proposed.already(v.view()) == ""
    case = next(case for case in v.planned(view).cases if case.fingerprint.endswith("form-1"))
    assert case.cause.endswith(proposed.already(view, but=KEY))


IN_DOUBT = "people_paid_in_doubt"


def doubts(view: ReturnView, policy: Policy | None = None) -> list[tuple[str, Decimal | None]]:
    found = [one for one in v.planned(view, policy).cases if one.kind == IN_DOUBT]
    return [(one.fingerprint.rpartition(":")[2], one.money_at_risk) for one in found]


OURS = v.payout(executed_by="commerce_platform")


def test_money_that_may_have_been_for_another_unit_is_asked_about() -> None:
    """One of two shirts was lost and paid by people; the platform decides the other one, of the same price."""
    two = {"lines": (v.shirt_item(quantity=2),)}
    found = due(proposal("done"), payouts=(OURS,), **two)
    assert refunds(found) == []
    assert doubts(found) == [("re_1=€24.20", Decimal("24.20"))]
    accepted = WaiverView(hold_code=IN_DOUBT, effect_key="", subject="re_1=€24.20")
    assert doubts(replace(found, waivers=(accepted,))) == []
    both = replace(OURS, amount=Decimal("48.40"), items=(RefundItem(item_id="a", amount=Decimal("48.40"), quantity=2),))
    assert doubts(due(proposal("done"), payouts=(both,), **two)) == []


def test_more_than_a_refund_needs_is_asked_about_and_less_is_not() -> None:
    assert doubts(due(proposal("done", "30.00"), payouts=(OURS,))) == [("re_1=€30.00", Decimal("24.20"))]
    assert doubts(due(proposal("done", "10.00"), payouts=(OURS,))) == []


def test_what_the_platform_pays_itself_beside_people_is_asked_about() -> None:
    (case,) = [one for one in v.planned(due(proposal("done"))).cases if one.kind == IN_DOUBT]
    assert "The returns platform says that it pays this refund itself" in case.cause
    assert case.evidence == {"refund": "re_1", "counted": "24.20", "currency": "EUR", "paid": "€24.20", "effect": OWN}


def test_one_that_failed_later_holds_nothing_once_people_paid_in_another_way() -> None:
    (one,) = refunds(due(proposal("failed", remote_id="901")))
    assert v.codes(one) == [WAITS]
    again = proposal("done", "24.20", key="refund:manual:woo:500:form-2")
    assert refunds(due(proposal("failed", remote_id="901"), again)) == []
