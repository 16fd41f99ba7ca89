"""What people paid for a return beside its credit, its exchange, another currency, and claims of different amounts."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import ExchangeLine, RefundItem
from returnsops.planning import covered, proposed
from returnsops.planning.model import Plan, PlannedEffect
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import CreditView, EffectView, ExchangeView, PayoutView, ReturnView, WaiverView
from tests.returnsops.planning import views as v

AS_WELL = states.CASE_PEOPLE_PAID_AS_WELL
IN_DOUBT = states.CASE_PEOPLE_PAID_IN_DOUBT
WAITS = proposed.WAITS_FOR_PROPOSAL
BY_US = parse_policy({"credit": {"writer": "us"}, "exchange": {"writer": "us"}})
BY_TRIGGER = parse_policy({"refund": {"initiator": "policy_trigger", "trigger": "inspected"}})


def paid(amount: str = "12.10", state: str = "done", **changes: Any) -> EffectView:
    """People paid it, and said nothing of an item."""
    values = {"origin": "person", "amount": Decimal(amount), "ground": "lost parcel"}
    return v.effect(changes.pop("key", "refund:manual:woo:500:form-1"), "refund", state, **(values | changes))


def waived(code: str, subject: str) -> WaiverView:
    return WaiverView(hold_code=code, subject=subject)


def not_for(key: str, paid: str) -> WaiverView:
    """What people paid was for something else than this refund."""
    return WaiverView(hold_code=covered.PAID_FOR_OTHER, effect_key=key, subject=paid)


def the_case(made: Plan, kind: str) -> Any:
    (case,) = [one for one in made.cases if one.kind == kind]
    return case


def subject(made: Plan, kind: str) -> str:
    return str(the_case(made, kind).fingerprint.removeprefix(f"{kind}:{v.REF}:"))


# --- money beside credit and goods -----------------------------------------------------------------------------------


def beside(resolution: str, *effects: EffectView, **changes: Any) -> ReturnView:
    """The T-shirt becomes credit or another T-shirt, the mug money; both are here."""
    gift = CreditView(
        credit_id="x1",
        kind="store_credit",
        amount=Decimal("24.20"),
        currency="EUR",
        executed_by="commerce_platform",
        is_settled=False,
    )
    line = ExchangeLine(sku="TSHIRT-L", quantity=1, variant_id="105", replaces_item_id="a")
    wish = ExchangeView(exchange_id="x1", lines=(line,), is_cancelled=False, is_settled=False)
    given: dict[str, Any] = {"credits": (gift,)} if resolution == "store_credit" else {"exchanges": (wish,)}
    return v.view(
        **{
            "lines": (v.shirt_item(resolution=resolution), v.mug_item()),
            "verdicts": (v.verdict(), v.verdict("b")),
            "status": "inspected",
            "effects": effects,
            **given,
            **changes,
        }
    )


def the_gift(made: Plan) -> PlannedEffect:
    (one,) = [one for one in made.effects if one.kind in (states.STORE_CREDIT, states.EXCHANGE)]
    return one


BOTH = pytest.mark.parametrize("resolution", ["store_credit", "exchange"])


@BOTH
def test_neither_credit_nor_goods_go_beside_money_of_people_without_a_question(resolution: str) -> None:
    made = v.planned(beside(resolution, paid()), BY_US)
    assert v.codes(the_gift(made)) == [AS_WELL]
    case = the_case(made, AS_WELL)
    assert the_gift(made).holds[0].waits_for == case.fingerprint
    assert (case.money_at_risk, case.currency) == (Decimal("12.10"), "EUR")
    assert "people paid €12.10 for this return" in case.cause


@BOTH
def test_they_go_once_finance_says_that_the_customer_is_to_have_both_and_a_second_person_agrees(
    resolution: str,
) -> None:
    view = beside(resolution, paid())
    accepted = waived(AS_WELL, subject(v.planned(view, BY_US), AS_WELL))
    made = v.planned(replace(view, waivers=(accepted,)), BY_US)
    assert v.codes(the_gift(made)) == []
    assert the_gift(made).needs_approval
    more = replace(view, waivers=(accepted,), effects=(paid(), paid("1.00", key="refund:manual:woo:500:form-2")))
    assert v.codes(the_gift(v.planned(more, BY_US))) == [AS_WELL]  # accepted was that money, not more


@BOTH
@pytest.mark.parametrize(
    ("state", "codes"), [("awaiting_approval", [WAITS]), ("ready", [WAITS]), ("rejected", [WAITS]), ("cancelled", [])]
)
def test_they_wait_for_what_people_have_not_decided(resolution: str, state: str, codes: list[str]) -> None:
    made = v.planned(beside(resolution, paid(state=state)), BY_US)
    assert (v.codes(the_gift(made)), the_gift(made).needs_approval) == (codes, False)


@BOTH
def test_money_that_failed_after_it_was_acknowledged_keeps_nothing_back(resolution: str) -> None:
    """It did not arrive. Paid in another way, it is a question like any money of people."""
    failed = paid(state="failed", remote_id="900")
    made = v.planned(beside(resolution, failed), BY_US)
    assert (v.codes(the_gift(made)), v.case_kinds(made)) == ([], [])
    otherwise = paid(key="refund:manual:woo:500:form-2")
    assert v.codes(the_gift(v.planned(beside(resolution, failed, otherwise), BY_US))) == [AS_WELL]


@BOTH
def test_an_approval_from_before_people_paid_does_not_hold_for_both(resolution: str) -> None:
    view = beside(resolution, paid())
    alone = the_gift(v.planned(beside(resolution), BY_US))
    accepted = waived(AS_WELL, subject(v.planned(view, BY_US), AS_WELL))
    both = the_gift(v.planned(replace(view, waivers=(accepted,)), BY_US))
    assert both.payload == {**alone.payload, "beside": "€12.10"}, "another payload, so another approval"


@BOTH
def test_goodwill_is_no_question(resolution: str) -> None:
    made = v.planned(beside(resolution, paid(ground="goodwill")), BY_US)
    assert (v.codes(the_gift(made)), v.case_kinds(made)) == ([], [])


@BOTH
def test_the_to_do_of_a_person_names_the_money(resolution: str) -> None:
    by_hand = parse_policy({"credit": {"writer": "person"}, "exchange": {"writer": "person"}})
    kind = states.CASE_MANUAL_CREDIT if resolution == "store_credit" else states.CASE_MANUAL_EXCHANGE
    words = "People paid €12.10 for this return already: see that the customer does not get both."
    assert the_case(v.planned(beside(resolution, paid()), by_hand), kind).cause.endswith(words)
    assert words not in the_case(v.planned(beside(resolution), by_hand), kind).cause


@BOTH
def test_who_proposes_and_approves_money_reads_what_was_given_before(resolution: str) -> None:
    waits = paid(state="awaiting_approval")
    view = beside(resolution, waits)
    assert proposed.already(view, but=waits.key) == ""
    words = {
        "store_credit": "€24.20 were given as credit for this return already.",
        "exchange": "A replacement was ordered for this return already.",
    }[resolution]
    gift = the_gift(v.planned(beside(resolution), BY_US))
    sent = v.effect(gift.key, gift.kind, amount=gift.amount, remote_id="71")
    assert proposed.already(replace(view, effects=(waits, sent)), but=waits.key) == words
    taken_back = v.effect(f"reverse:{gift.key}:1", states.VOID_CREDIT if gift.amount else states.CANCEL_EXCHANGE)
    gone = beside(
        resolution,
        waits,
        sent,
        taken_back,
        credits=tuple(replace(one, is_withdrawn=True) for one in view.credits),
        exchanges=tuple(replace(one, is_cancelled=True) for one in view.exchanges),
    )
    assert proposed.already(gone, but=waits.key) == ""
    by_hand = beside(
        resolution,
        waits,
        credits=tuple(replace(one, is_settled=True) for one in view.credits),
        exchanges=tuple(replace(one, is_settled=True) for one in view.exchanges),
    )
    assert proposed.already(by_hand, but=waits.key) == words
    case = the_case(v.planned(by_hand, BY_US), states.CASE_NEEDS_APPROVAL)
    assert case.cause.endswith(words)


def test_the_second_person_reads_that_the_replacement_goes_beside_money() -> None:
    view = beside("exchange", paid())
    accepted = waived(AS_WELL, subject(v.planned(view, BY_US), AS_WELL))
    case = the_case(v.planned(replace(view, waivers=(accepted,)), BY_US), states.CASE_NEEDS_EXCHANGE_APPROVAL)
    assert case.cause.startswith("sending a replacement beside money that people paid for the return waits")


# --- another currency ------------------------------------------------------------------------------------------------


OURS = v.payout(executed_by="commerce_platform")


def foreign(*effects: EffectView, **changes: Any) -> ReturnView:
    """The platform decided the same number in dollars."""
    return judged(payouts=(replace(OURS, currency="USD"),), effects=effects, **changes)


def judged(**changes: Any) -> ReturnView:
    """The T-shirt is here and judged."""
    return v.view(verdicts=(v.verdict(),), status="inspected", **changes)


def refunds(made: Plan) -> list[PlannedEffect]:
    return v.of_kind(made, "refund")


def test_money_in_another_currency_covers_nothing_by_its_number() -> None:
    made = v.planned(foreign(paid("24.20")))
    (one,) = refunds(made)
    assert (one.amount, v.codes(one)) == (Decimal("24.20"), [states.CASE_CURRENCY_MISMATCH, IN_DOUBT])
    case = the_case(made, IN_DOUBT)
    assert "people paid €24.20 for this return, and refund re_1 asks for US$24.20" in case.cause


def test_a_person_says_that_money_in_another_currency_was_for_the_refund() -> None:
    view = foreign(paid("24.20"))
    accepted = waived(IN_DOUBT, subject(v.planned(view), IN_DOUBT))
    made = v.planned(replace(view, waivers=(accepted,)))
    assert (refunds(made), v.case_kinds(made)) == ([], [])
    failed = replace(view, waivers=(accepted,), effects=(paid("24.20", "cancelled"),))
    assert [v.codes(one) for one in refunds(v.planned(failed))] == [[states.CASE_CURRENCY_MISMATCH]]


def test_money_in_the_currency_before_is_asked_about_too() -> None:
    (one,) = refunds(v.planned(judged(payouts=(OURS,), effects=(paid("24.20", currency="USD"),))))
    assert (one.amount, v.codes(one)) == (Decimal("24.20"), [IN_DOUBT])


def test_a_refund_made_outside_in_another_currency_covers_nothing_either() -> None:
    outside = v.shop_refund(attribution="this_return")
    (one,) = refunds(v.planned(foreign(shop_refunds=(outside,))))
    assert v.codes(one) == [states.CASE_CURRENCY_MISMATCH]


def test_a_person_says_that_money_in_another_currency_was_for_something_else() -> None:
    for_other = not_for("refund:reveni/ret_1:re_1", "€24.20")
    (one,) = refunds(v.planned(foreign(paid("24.20"), waivers=(for_other,))))
    assert v.codes(one) == [states.CASE_CURRENCY_MISMATCH]


# --- claims of different amounts -------------------------------------------------------------------------------------


def two(*effects: EffectView, **changes: Any) -> ReturnView:
    """A T-shirt that is judged and a mug that is not, by the rule: 24.20 and 12.10."""
    values: dict[str, Any] = {
        "lines": (v.shirt_item(), v.mug_item()),
        "verdicts": (v.verdict(),),
        "status": "inspected",
        "effects": effects,
    }
    return v.view(**(values | changes))


def due_of(made: Plan) -> PlannedEffect:
    (one,) = [one for one in refunds(made) if one.item_id == "a"]
    return one


def test_money_that_may_be_for_what_is_not_judged_is_counted_and_asked_about() -> None:
    """The mug may be refused: then the 12.10 were for nothing else than the T-shirt."""
    made = v.planned(two(paid()), BY_TRIGGER)
    assert (due_of(made).amount, v.codes(due_of(made))) == (Decimal("12.10"), [IN_DOUBT])
    case = the_case(made, IN_DOUBT)
    assert case.fingerprint.endswith(":a:1=€12.10")
    assert due_of(made).holds[0].waits_for == case.fingerprint


def test_it_goes_by_itself_once_all_is_judged() -> None:
    both = replace(two(paid()), verdicts=(v.verdict(), v.verdict("b")))
    made = v.planned(both, BY_TRIGGER)
    assert [(one.item_id, one.amount, v.codes(one)) for one in refunds(made)] == [("a", Decimal("24.20"), [])]
    refused = replace(both, verdicts=(v.verdict(), v.verdict("b", outcome="rejected")))
    made = v.planned(refused, BY_TRIGGER)
    assert (due_of(made).amount, v.codes(due_of(made))) == (Decimal("12.10"), [IN_DOUBT])  # it may be for the mug still


def test_a_person_says_that_it_was_for_this_and_the_rest_goes() -> None:
    accepted = (waived(IN_DOUBT, "a:1=€12.10"),)
    made = v.planned(two(paid(), waivers=accepted), BY_TRIGGER)
    assert (due_of(made).amount, v.codes(due_of(made)), v.case_kinds(made)) == (Decimal("12.10"), [], [])
    again = paid("12.10", key="refund:manual:woo:500:form-2")
    more = v.planned(two(paid(), again, waivers=accepted), BY_TRIGGER)
    assert subject(more, IN_DOUBT) == "a:1=€24.20", "said of that money alone, not of what was paid since"
    refused = two(paid(), again, waivers=accepted, verdicts=(v.verdict(), v.verdict("b", outcome="rejected")))
    assert subject(v.planned(refused, BY_TRIGGER), IN_DOUBT) == "a:1=€24.20"
    sent = v.effect(due_of(made).key, "refund", amount=Decimal("12.10"), covered=Decimal("12.10"), item_id="a")
    later = two(paid(), replace(sent, quantity=1), waivers=accepted, verdicts=(v.verdict(), v.verdict("b")))
    assert [one.amount for one in refunds(v.planned(later, BY_TRIGGER))] == [Decimal("12.10")]


def test_a_person_says_that_it_was_for_something_else_and_a_second_one_sends_all_of_this() -> None:
    for_other = (not_for("refund:reveni/ret_1:a:1", "€12.10"),)
    made = v.planned(two(paid(), waivers=for_other), BY_TRIGGER)
    assert (due_of(made).amount, v.codes(due_of(made)), due_of(made).needs_approval) == (Decimal("24.20"), [], True)
    assert v.case_kinds(made) == [states.CASE_NEEDS_APPROVAL]
    sent = v.effect(due_of(made).key, "refund", amount=Decimal("24.20"), item_id="a", quantity=1)
    later = two(paid(), sent, waivers=for_other, verdicts=(v.verdict(), v.verdict("b")))
    assert refunds(v.planned(later, BY_TRIGGER)) == []  # the mug is what it was for
    again = paid("24.20", key="refund:manual:woo:500:form-2")
    made = v.planned(two(paid(), again, waivers=for_other), BY_TRIGGER)
    assert refunds(made) == []  # said of that money alone, not of what was paid since


def test_what_is_in_doubt_does_not_go_before_the_doubt_is_gone() -> None:
    """One of two T-shirts is decided, people paid a part: the rest of it waits, and the question stays."""
    view = v.view(lines=(v.shirt_item(quantity=2),), verdicts=(v.verdict(),), payouts=(OURS,), effects=(paid(),))
    (one,) = refunds(v.planned(view))
    assert (one.amount, IN_DOUBT in v.codes(one)) == (Decimal("12.10"), True)


def payouts() -> tuple[PayoutView, ...]:
    mug = RefundItem(item_id="b", amount=Decimal("12.10"), quantity=1)
    return (OURS, replace(OURS, refund_id="re_2", amount=Decimal("12.10"), items=(mug,)))


@pytest.mark.parametrize("amount", ["5.00", "12.10", "20.00", "24.20", "30.00", "36.30"])
@pytest.mark.parametrize("order", list(permutations(["re_1", "re_2", "b"])))
def test_whatever_is_heard_first_the_same_is_paid_in_all(amount: str, order: tuple[str, ...]) -> None:
    """Each decision is heard in any order, and all that may go goes before the next."""
    told = {one.refund_id: one for one in payouts()}
    view = two(paid(amount), payouts=(), lines=(v.shirt_item(), v.mug_item()))
    for fact in order:
        if fact in told:
            view = replace(view, payouts=(*view.payouts, told[fact]))
        else:
            view = replace(view, verdicts=(*view.verdicts, v.verdict(fact)))
        view = replace(view, effects=(*view.effects, *_going(view)))
    own = sum((one.amount or Decimal(0) for one in view.effects if one.origin == "plan"), Decimal(0))
    assert own + Decimal(amount) == max(Decimal("36.30"), Decimal(amount))


def _going(view: ReturnView) -> tuple[EffectView, ...]:
    free = [one for one in refunds(v.planned(view, Policy())) if not one.holds]
    return tuple(
        v.effect(
            one.key, "refund", amount=one.amount, covered=Decimal(one.payload.get("covered", "0")), item_id=one.item_id
        )
        for one in free
    )


@pytest.mark.parametrize("amounts", [("12.10", "5.00"), ("24.20", "12.10"), ("5.00", "5.00")])
def test_which_of_two_refunds_people_paid_first_changes_no_plan(amounts: tuple[str, str]) -> None:
    rows = [paid(amount, key=f"refund:manual:woo:500:form-{number}") for number, amount in enumerate(amounts)]
    first, second = (v.planned(two(*order, payouts=payouts())) for order in (rows, rows[::-1]))
    assert first == second
