"""Store credit and gift cards: what is issued, what holds it, how it shares the order's money, how it is taken back."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.planning import credited, order_money
from returnsops.planning.model import Plan, PlannedEffect
from returnsops.planning.policy import Policy, PolicyError, parse_policy, to_document
from returnsops.planning.view import CreditView, EffectView, ReturnView, WaiverView
from tests.returnsops.planning import views as v

KEY = "store_credit:reveni/ret_1:store_credit:cr_1"
VOID = f"reverse:{KEY}:1"


def policy(**tables: Any) -> Policy:
    """We issue credit; tables may be given."""
    return parse_policy({"credit": {"writer": "us"}} | tables)


def credit(**changes: Any) -> CreditView:
    """24.20 of store credit that the shop has to issue: one T-shirt."""
    values: dict[str, Any] = {
        "credit_id": "cr_1",
        "kind": "store_credit",
        "amount": Decimal("24.20"),
        "currency": "EUR",
        "executed_by": "commerce_platform",
        "is_settled": False,
    }
    return CreditView(**(values | changes))


def view(*credits: CreditView, **changes: Any) -> ReturnView:
    """A T-shirt that is inspected and to become credit."""
    values: dict[str, Any] = {
        "resolution": "store_credit",
        "status": "inspected",
        "lines": (v.shirt_item(resolution="store_credit"),),
        "verdicts": (v.verdict(),),
        "credits": credits or (credit(),),
    }
    return v.view(**(values | changes))


def issued(state: str = "confirmed", key: str = KEY, **changes: Any) -> EffectView:
    """The coupon is in the shop."""
    values = {"amount": Decimal("24.20"), "remote_id": "77", **changes}
    return v.effect(key, states.STORE_CREDIT, state, **values)


def voided(state: str = "confirmed", **changes: Any) -> EffectView:
    """And its inverse."""
    return v.effect(VOID, states.VOID_CREDIT, state, **changes)


def waived(code: str, **changes: Any) -> WaiverView:
    return WaiverView(hold_code=code, **changes)


def the_credit(made: Plan) -> PlannedEffect:
    (effect,) = v.of_kind(made, states.STORE_CREDIT)
    return effect


# --- issuing -------------------------------------------------------------------------------------------------------


def test_a_credit_is_planned_with_its_bonus() -> None:
    made = v.planned(view(credit(bonus=Decimal("5.00"))), policy(credit={"writer": "us", "valid_days": 90}))
    effect = the_credit(made)
    assert (effect.key, effect.amount, effect.currency, effect.target) == (KEY, Decimal("29.20"), "EUR", "commerce")
    assert effect.payload == {
        "amount": "29.20",
        "bonus": "5.00",
        "currency": "EUR",
        "credit": "cr_1",
        "credit_kind": "store_credit",
        "valid_days": 90,
        "reason": "Return RMA-1",
        "rma_number": "RMA-1",
    }
    assert (effect.holds, effect.needs_approval, effect.serial_key) == ((), False, "order:500")
    assert v.of_kind(made, states.REFUND) == []
    assert v.case_kinds(made) == []


@pytest.mark.parametrize(
    ("one", "rules", "changes", "cases"),
    [
        (credit(), Policy(), {}, ["manual_credit"]),
        (credit(executed_by="returns_platform"), Policy(), {}, ["manual_credit"]),
        (credit(is_settled=True), Policy(), {}, []),
        (credit(), policy(), {"commerce": ""}, ["manual_credit"]),
        (credit(executed_by="returns_platform"), policy(), {}, []),
        (credit(executed_by=""), policy(refund={"default_executed_by": "returns_platform"}), {}, []),
        (credit(executed_by="returns_platform"), policy(credit={"writer": "platform"}), {}, []),
        (credit(), policy(credit={"writer": "platform"}), {}, ["manual_credit"]),
        (credit(is_settled=True), policy(), {}, []),
        (credit(amount=Decimal("24.205")), policy(), {}, ["manual_credit"]),
        (credit(), policy(), {"status": "cancelled"}, []),
        (credit(), Policy(), {"status": "declined"}, []),
    ],
)
def test_when_we_issue_nothing(one: CreditView, rules: Policy, changes: dict[str, Any], cases: list[str]) -> None:
    made = v.planned(view(one, **changes), rules)
    assert v.of_kind(made, states.STORE_CREDIT) == []
    assert v.case_kinds(made) == cases


def test_an_instant_return_that_expired_is_a_case_of_its_own() -> None:
    made = v.planned(view(mode="instant", status="expired", effects=(issued(),)), policy())
    assert v.of_kind(made, states.VOID_CREDIT) == []
    assert states.CASE_CREDIT_TO_VOID not in v.case_kinds(made)


@pytest.mark.parametrize(
    ("changes", "rules", "code"),
    [
        ({"verdicts": ()}, policy(), "waits_for_trigger"),
        ({"credits": (credit(executed_by=""),)}, policy(), "executor_unknown"),
        ({"credits": (credit(currency="USD"),)}, policy(), "currency_mismatch"),
        ({"credits": (credit(amount=Decimal("66.56")),)}, policy(), "would_over_credit"),
        ({"shop_refunds": (v.shop_refund(amount="60.00", attribution="unrelated"),)}, policy(), "would_over_credit"),
        ({"shop_refunds": (v.shop_refund(amount="1.00"),)}, policy(), "refunded_outside"),
        ({"lines": (v.shirt_item(resolution="store_credit", reason_code=None),)}, policy(), "reason_unmapped"),
        ({}, policy(return_window_days=5), "outside_window"),
        ({"order": None}, policy(), "order_not_found"),
        ({"order": v.order(is_locked=True)}, policy(), "order_locked"),
        ({"is_on_risk_hold": True}, policy(), "risk_hold"),
    ],
)
def test_what_holds_a_credit(changes: dict[str, Any], rules: Policy, code: str) -> None:
    effect = the_credit(v.planned(view(**changes), rules))
    assert v.codes(effect) == [code]


def test_the_trigger_of_the_credits_own_kind_counts_for_its_own_items() -> None:
    lines = (v.shirt_item(resolution="gift_card"), v.mug_item(resolution="refund"))
    rules = policy(refund={"trigger_by_resolution": {"gift_card": "received"}})
    waits = v.planned(view(credit(kind="gift_card"), lines=lines, status="authorised", verdicts=()), rules)
    assert v.codes(the_credit(waits)) == ["waits_for_trigger"]
    there = v.planned(view(credit(kind="gift_card"), lines=lines, status="received", verdicts=()), rules)
    assert v.codes(the_credit(there)) == []


def test_above_the_threshold_with_its_bonus_a_second_person_decides() -> None:
    rules = policy(refund={"approval_threshold": {"EUR": "25.00"}})
    assert not the_credit(v.planned(view(), rules)).needs_approval
    made = v.planned(view(credit(bonus=Decimal("1.00"))), rules)
    assert the_credit(made).needs_approval
    (case,) = made.cases
    assert (case.kind, case.cause) == (
        "needs_approval",
        "a credit of €25.20 waits for the approval of a second person.",
    )


def test_a_hold_that_a_person_released_wants_a_second_one() -> None:
    made = v.planned(view(verdicts=(), waivers=(waived("waits_for_trigger"),)), policy())
    assert (the_credit(made).holds, the_credit(made).needs_approval) == ((), True)


# --- the order's money ---------------------------------------------------------------------------------------------


def test_what_is_asked_for_as_money_reserves_against_credit_and_the_other_way_round() -> None:
    """66.55 paid; 24.20 of credit and 42.35 of money fit, a cent more of either does not."""
    lines = (v.shirt_item(resolution="store_credit"), v.mug_item(resolution="refund"))
    order = v.order(total=Decimal("36.30"))
    fits = view(lines=lines, verdicts=(v.verdict(), v.verdict("b")), order=order, payouts=(mug_payout(),))
    made = v.planned(fits, policy())
    assert [effect.holds for kind in ("refund", "store_credit") for effect in v.of_kind(made, kind)] == [(), ()]

    short = v.planned(replace(fits, order=v.order(total=Decimal("36.29"))), policy())
    found = {effect.kind: v.codes(effect) for effect in short.effects if effect.kind in states.VALUE_KINDS}
    assert found == {"refund": ["would_over_refund"], "store_credit": ["would_over_credit"]}
    assert "left €24.19" in next(case.cause for case in short.cases if case.kind == "would_over_credit")


def mug_payout(**changes: Any) -> Any:
    """The platform decides to refund the mug."""
    items = (replace(v.payout().items[0], item_id="b", amount=Decimal("12.10")),)
    return v.payout("re_2", "12.10", items=items, **changes)


@pytest.mark.parametrize(
    ("changes", "certain", "reserved"),
    [
        ({}, "0", "24.20"),
        ({"effects": (issued("sending"),)}, "24.20", "0"),
        ({"effects": (issued("ready"),)}, "0", "24.20"),
        ({"credits": (credit(is_settled=True, bonus=Decimal("3")),)}, "24.20", "0"),
        ({"credits": (credit(executed_by="returns_platform"),)}, "24.20", "0"),
        ({"credits": (credit(currency="USD"),)}, "0", "0"),
        ({"credits": (credit(is_withdrawn=True),)}, "0", "0"),
        ({"credits": (credit(is_withdrawn=True),), "effects": (issued(),)}, "24.20", "0"),
        ({"credits": (credit(is_withdrawn=True),), "effects": (issued(), voided("sending"))}, "24.20", "0"),
        ({"credits": (credit(is_withdrawn=True),), "effects": (issued(), voided("done"))}, "0", "0"),
        ({"credits": (credit(is_withdrawn=True, is_settled=True),)}, "24.20", "0"),
        (
            {
                "credits": (credit(is_withdrawn=True, is_settled=True),),
                "waivers": (waived("credit_to_void", subject="cr_1"),),
            },
            "0",
            "0",
        ),
        ({"credited_elsewhere": Decimal("7.00")}, "7.00", "24.20"),
        ({"order": None}, "0", "24.20"),
    ],
)
def test_what_credits_take_of_the_money(changes: dict[str, Any], certain: str, reserved: str) -> None:
    seen = view(**changes)
    assert credited.certain(seen) == Decimal(certain)
    assert credited.reserved(seen) == Decimal(reserved)
    assert credited.reserved(seen, key=KEY) == 0


@pytest.mark.parametrize(
    ("siblings", "certain", "reserved"),
    [
        ((issued("confirmed", bonus=Decimal("4.20")),), "20.00", "0"),
        ((issued("ready"),), "0", "24.20"),
        ((issued("held"),), "0", "0"),
        ((issued(), voided()), "0", "0"),
        ((issued(), voided("held")), "24.20", "0"),
    ],
)
def test_what_credits_of_other_returns_take(siblings: tuple[EffectView, ...], certain: str, reserved: str) -> None:
    seen = v.view(sibling_effects=siblings)
    assert (credited.certain(seen), credited.reserved(seen)) == (Decimal(certain), Decimal(reserved))
    left = order_money.left(seen, policy(), paid=Decimal("66.55"))
    assert left.free == Decimal("66.55") - Decimal(certain) - Decimal(reserved)


def test_a_refund_says_what_was_given_as_credit() -> None:
    seen = v.view(
        payouts=(v.payout(executed_by="commerce_platform"),),
        verdicts=(v.verdict(),),
        credited_elsewhere=Decimal("60.00"),
    )
    made = v.planned(seen)
    assert v.codes(v.of_kind(made, "refund")[0]) == ["would_over_refund"]
    assert "given as credit €60.00" in made.cases[0].cause


# --- money and credit for the same units ---------------------------------------------------------------------------


def test_a_refund_that_names_what_is_to_be_credit_holds_both() -> None:
    made = v.planned(view(payouts=(v.payout(executed_by="commerce_platform"),)), policy())
    assert {kind: v.codes(v.of_kind(made, kind)[0]) for kind in ("refund", "store_credit")} == {
        "refund": ["credit_and_refund"],
        "store_credit": ["credit_and_refund"],
    }
    (case,) = made.cases
    assert "for the same item (a)" in case.cause
    assert case.money_at_risk == Decimal("24.20")


@pytest.mark.parametrize(
    ("changes", "rules", "is_found"),
    [
        # The platform names no item for the credit: by their worth. Shirt 24.20, shipping 6.05.
        ({"payouts": (v.payout(executed_by="commerce_platform"),)}, policy(), True),
        ({"payouts": (v.payout(amount="6.05", items=(), executed_by="commerce_platform"),)}, policy(), False),
        ({"payouts": (v.payout(amount="6.06", items=(), executed_by="commerce_platform"),)}, policy(), True),
        ({"payouts": (v.payout(is_failed=True),)}, policy(), False),
        ({}, policy(refund={"initiator": "policy_trigger"}), True),
        ({"shop_refunds": (v.shop_refund(attribution="this_return"),)}, policy(), True),
        ({"shop_refunds": (v.shop_refund(attribution="unrelated"),)}, policy(), False),
        ({"order": None, "payouts": (v.payout(),)}, policy(), False),
    ],
)
def test_more_than_the_goods_are_worth_is_noticed(changes: dict[str, Any], rules: Policy, is_found: bool) -> None:
    seen = view(lines=(v.shirt_item(resolution="refund"),), **changes)
    assert (credited.paid_as_well(seen, rules) is not None) is is_found


def test_units_of_lines_not_on_the_order_are_worth_nothing() -> None:
    seen = view(lines=(v.shirt_item(order_line_id=""),), payouts=(v.payout(amount="0.01", items=()),))
    assert credited.paid_as_well(replace(seen, order=v.order(lines=(v.order_line(),))), policy()) is not None
    trigger = policy(refund={"initiator": "policy_trigger"})
    assert credited.paid_as_well(replace(seen, order=None), trigger) is None


def test_both_accepted_wait_for_a_second_person() -> None:
    seen = view(payouts=(v.payout(executed_by="commerce_platform"),), waivers=(waived("credit_and_refund"),))
    made = v.planned(seen, policy())
    both = [effect for effect in made.effects if effect.kind in states.VALUE_KINDS]
    assert [(effect.holds, effect.needs_approval) for effect in both] == [((), True), ((), True)]


# --- after it was issued -------------------------------------------------------------------------------------------


def test_an_issued_credit_is_not_planned_again() -> None:
    made = v.planned(view(effects=(issued("unknown"),)), policy())
    assert [effect.kind for effect in made.effects if effect.kind in states.VALUE_KINDS] == []
    assert made.cases == ()


NOTE = {"credit": {"writer": "us", "customer_note": "{amount} for you: {code}"}}


@pytest.mark.parametrize(
    ("effects", "count"),
    [
        ((issued("confirmed"),), 1),
        ((issued("sending"),), 0),
        ((issued(), v.effect("note:reveni/ret_1:credit:store_credit:cr_1", "note")), 0),
        ((issued(), v.effect("note:reveni/ret_1:credit:store_credit:cr_1", "note", "ready")), 1),
        ((issued(), v.effect("note:other", "note")), 1),
    ],
)
def test_the_customer_is_told_once_it_is_there(effects: tuple[EffectView, ...], count: int) -> None:
    made = v.planned(view(effects=effects), parse_policy({**NOTE, "notes": []}))
    notes = v.of_kind(made, states.NOTE)
    assert len(notes) == count
    for note in notes:
        assert note.payload == {
            "token": "[RMA-1/credit/cr_1]",
            "text": "€24.20 for you: {code} [RMA-1/credit/cr_1]",
            "remote_credit_id": "77",
        }
    assert v.of_kind(v.planned(view(effects=effects), parse_policy({"notes": []})), states.NOTE) == []


@pytest.mark.parametrize("note", ["no code here", 7, "{code}" * 90])
def test_a_note_without_the_code_is_no_use(note: object) -> None:
    with pytest.raises(PolicyError, match=r"credit\.customer_note: must be a text of at most 500 characters"):
        parse_policy({"credit": {"customer_note": note}})
    kept = parse_policy(NOTE)
    assert parse_policy(to_document(kept)) == kept


def test_another_amount_than_was_issued_is_a_case_until_it_is_accepted() -> None:
    seen = view(credit(amount=Decimal("30.00")), effects=(issued(),))
    (case,) = v.planned(seen, policy()).cases
    assert (case.kind, case.money_at_risk) == ("amount_mismatch", Decimal("5.80"))
    assert "issued over €24.20" in case.cause
    assert v.planned(replace(seen, waivers=(waived("amount_mismatch", subject="24.20"),)), policy()).cases == ()
    foreign = view(credit(currency="USD"), effects=(issued(),))
    assert [case.kind for case in v.planned(foreign, policy()).cases] == ["amount_mismatch"]


# --- taken back ----------------------------------------------------------------------------------------------------

GONE = credit(is_withdrawn=True)


def by_itself(mode: str = "automatic") -> Policy:
    return policy(reversal={"credit": mode})


@pytest.mark.parametrize(
    ("one", "changes", "rules", "cases"),
    [
        (GONE, {}, by_itself(), []),  # never issued
        (GONE, {"effects": (issued(),)}, policy(), ["credit_to_void"]),
        (GONE, {"effects": (issued(),), "waivers": (waived("credit_to_void", subject="cr_1"),)}, policy(), []),
        (credit(is_withdrawn=True, is_settled=True), {}, by_itself(), ["credit_to_void"]),
        (GONE, {"effects": (issued(), voided("done"))}, by_itself(), []),
        (credit(), {"effects": (issued(),), "status": "declined"}, policy(), ["credit_to_void"]),
    ],
)
def test_what_needs_no_effect(one: CreditView, changes: dict[str, Any], rules: Policy, cases: list[str]) -> None:
    made = v.planned(view(one, **changes), rules)
    assert [effect.kind for effect in made.effects if effect.kind in (states.STORE_CREDIT, states.VOID_CREDIT)] == []
    assert v.case_kinds(made) == cases


def test_an_issued_credit_is_made_worthless_as_the_policy_says() -> None:
    for mode in ("automatic", "approve"):
        made = v.planned(view(GONE, effects=(issued(generation=2),)), by_itself(mode))
        (void,) = v.of_kind(made, states.VOID_CREDIT)
        assert (void.key, void.amount, void.serial_key) == (VOID, Decimal("24.20"), "order:500")
        assert void.payload == {"remote_credit_id": "77", "credit_keys": [KEY, f"{KEY}#2"]}
        assert (void.holds, void.needs_approval) == ((), mode == "approve")
        assert v.case_kinds(made) == (["needs_approval"] if mode == "approve" else [])
    assert "taking back a credit of €24.20 waits" in made.cases[0].cause


def test_a_credit_that_is_being_issued_is_let_finish_first() -> None:
    (void,) = v.of_kind(v.planned(view(GONE, effects=(issued("unknown"),)), by_itself()), states.VOID_CREDIT)
    assert v.codes(void) == ["waits_for_credit"]
    assert void.holds[0].waits_for == KEY


def test_a_spent_credit_is_a_case_and_stands_when_that_is_accepted() -> None:
    spent = voided("rejected", error_code="credit_spent")
    seen = view(GONE, effects=(issued(), spent))
    made = v.planned(seen, by_itself())
    assert len(v.of_kind(made, states.VOID_CREDIT)) == 1  # kept, so that the refusal stays in sight
    assert v.case_kinds(made) == ["credit_spent"]
    accepted = replace(seen, waivers=(waived("credit_spent", subject="cr_1"),))
    assert [effect.kind for effect in v.planned(accepted, by_itself()).effects if effect.kind == "void_credit"] == []
    assert credited.certain(accepted) == Decimal("24.20")
    other = voided("rejected", error_code="order_gone")
    assert v.case_kinds(v.planned(view(GONE, effects=(issued(), other)), by_itself())) == []


def test_where_the_policy_starts_refunds_the_credit_goes_first_and_holds_them() -> None:
    lines = (v.shirt_item(resolution="store_credit"), v.mug_item(resolution="refund"))
    rules = policy(refund={"initiator": "policy_trigger"})
    order = v.order(total=Decimal("30.00"))
    seen = view(lines=lines, verdicts=(v.verdict(), v.verdict("b")), order=order)
    made = v.planned(seen, rules)
    assert v.codes(the_credit(made)) == []
    assert v.codes(v.of_kind(made, "refund")[0]) == ["would_over_refund"]
