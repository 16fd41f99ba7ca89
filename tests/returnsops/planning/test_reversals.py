"""What undoes a restock: an inverse effect as the policy lets it go, a person's case elsewhere."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.planning.model import PlannedEffect
from returnsops.planning.policy import Policy, ReversalPolicy, parse_policy
from returnsops.planning.view import EffectView, ReturnView, WaiverView
from tests.returnsops.planning import views as v

RESTOCK_KEY = "restock:reveni/ret_1:a:2"
TAKE_OUT_KEY = "reverse:restock:reveni/ret_1:a:1"


def by(mode: str) -> Policy:
    return replace(Policy(), reversal=ReversalPolicy(stock=mode))


def sent(key: str = RESTOCK_KEY, *, kind: str = "restock", state: str = "confirmed", quantity: int = 2) -> EffectView:
    return v.effect(key, kind, state, item_id="a", quantity=quantity)


def corrected(*effects: EffectView, **changes: Any) -> ReturnView:
    """Two T-shirts came back and are on sale again; one of them is damaged after all."""
    verdicts = (v.verdict(), v.verdict(disposition="damaged"))
    return v.view(**{"lines": (v.shirt_item(quantity=2),), "verdicts": verdicts, "effects": effects, **changes})


def taken_out(view: ReturnView, policy: Policy) -> list[PlannedEffect]:
    return v.of_kind(v.planned(view, policy), "take_out")


def test_the_units_too_many_are_taken_out_by_product_and_one_at_a_time_per_product() -> None:
    (one,) = taken_out(corrected(sent()), by("automatic"))
    assert (one.key, one.quantity, one.serial_key) == (TAKE_OUT_KEY, 1, "product:101")
    assert one.payload == {
        "line_id": "11",
        "quantity": 1,
        "product_id": "101",
        "variation_id": "",
        "location": "shelf",
        "rma_number": "RMA-1",
    }
    assert (one.holds, one.needs_approval) == ((), False)
    assert v.case_kinds(v.planned(corrected(sent()), by("automatic"))) == []


def test_a_policy_may_want_the_warehouse_to_agree() -> None:
    planned = v.planned(corrected(sent()), by("approve"))
    (one,) = v.of_kind(planned, "take_out")
    assert one.needs_approval
    (case,) = planned.cases
    assert (case.kind, case.evidence) == (states.CASE_NEEDS_STOCK_APPROVAL, {"effect": TAKE_OUT_KEY})
    assert case.cause == "taking 1 x a out of stock again waits for the approval of a second person."


@pytest.mark.parametrize("sku", ["one", "none"])
def test_a_person_does_it_where_the_policy_says_so_or_the_product_is_not_certain(sku: str) -> None:
    lines = (v.order_line(is_sku_ambiguous=sku == "none"), v.mug())
    view = corrected(sent(), order=v.order(lines=lines))
    planned = v.planned(view, by("case" if sku == "one" else "automatic"))
    assert v.of_kind(planned, "take_out") == []
    assert states.CASE_RESTOCK_CONTRADICTED in v.case_kinds(planned)


def test_what_is_taken_out_already_is_not_taken_out_again() -> None:
    out = sent(TAKE_OUT_KEY, kind="take_out", quantity=1)
    assert taken_out(corrected(sent(), out), by("automatic")) == []


def test_found_sellable_after_all_it_goes_back_under_a_key_of_its_own() -> None:
    out = sent(TAKE_OUT_KEY, kind="take_out", quantity=1)
    view = corrected(sent(), out, verdicts=(v.verdict(quantity=2),))
    (again,) = v.of_kind(v.planned(view, by("automatic")), "restock")
    assert (again.key, again.quantity) == ("restock:reveni/ret_1:a:3", 1)


def test_a_restock_under_way_is_let_finish_first() -> None:
    (one,) = taken_out(corrected(sent(state="unknown")), by("automatic"))
    assert [(hold.code, hold.waits_for) for hold in one.holds] == [("waits_for_restock", RESTOCK_KEY)]


@pytest.mark.parametrize("state", ["rejected", "failed"])
def test_refused_by_the_shop_it_is_a_case_beside_the_effect(state: str) -> None:
    planned = v.planned(
        corrected(sent(), sent(TAKE_OUT_KEY, kind="take_out", state=state, quantity=1)), by("automatic")
    )
    assert [effect.key for effect in v.of_kind(planned, "take_out")] == [TAKE_OUT_KEY]
    assert v.case_kinds(planned) == [states.CASE_RESTOCK_CONTRADICTED]


def test_accepted_by_a_person_nothing_is_taken_out() -> None:
    waiver = WaiverView(hold_code=states.CASE_RESTOCK_CONTRADICTED, subject="a")
    planned = v.planned(corrected(sent(), waivers=(waiver,)), by("automatic"))
    assert (v.of_kind(planned, "take_out"), planned.cases) == ([], ())


def test_units_found_damaged_after_others_were_accepted_are_taken_out_by_themselves_or_a_case_again() -> None:
    waiver = WaiverView(hold_code=states.CASE_RESTOCK_CONTRADICTED, subject="1 units of a")
    one = corrected(sent(), waivers=(waiver,))
    assert (taken_out(one, by("automatic")), v.planned(one, by("case")).cases) == ([], ())
    both = replace(one, verdicts=(v.verdict(quantity=2, disposition="damaged"),))
    assert [(out.key, out.quantity) for out in taken_out(both, by("automatic"))] == [(TAKE_OUT_KEY, 1)]
    (case,) = v.planned(both, by("case")).cases
    assert case.evidence == {"item": "a", "restocked": 2, "sellable": 0, "by_hand_if_accepted": 2}
    assert "2 of them are not sellable. 1 of them was accepted before. Take the others out of stock" in case.cause


def test_money_sent_on_a_verdict_that_does_not_stand_is_a_case_until_it_stands_again_or_is_accepted() -> None:
    policy = parse_policy({"refund": {"initiator": "policy_trigger", "trigger": "disposition_final"}})
    sent = v.effect(
        "refund:reveni/ret_1:a:1",
        "refund",
        "confirmed",
        item_id="a",
        quantity=1,
        amount=Decimal("24.20"),
        currency="EUR",
    )
    judged = v.verdict(quantity=1, disposition="sellable", is_final=True, outcome="accepted")
    withdrawn = v.view(effects=(sent,))
    (case,) = [one for one in v.planned(withdrawn, policy).cases if one.kind == "refund_contradicted"]
    assert (case.fingerprint, case.money_at_risk) == ("refund_contradicted:reveni/ret_1:a", Decimal("24.20"))
    assert "were refunded (€24.20), but by the verdicts in force 0 are to be paid" in case.cause
    missing = replace(judged, outcome="missing", disposition="missing")
    accepted = (WaiverView(hold_code="refund_contradicted", subject="a"),)
    this_many = (WaiverView(hold_code="refund_contradicted", subject="1 units of a"),)
    more = (sent, replace(sent, key="refund:reveni/ret_1:a:2"))
    received = parse_policy({"refund": {"initiator": "policy_trigger", "trigger": "received"}})
    for view, by, expected in (
        (replace(withdrawn, verdicts=(judged,)), policy, False),
        (replace(withdrawn, verdicts=(missing,)), policy, True),
        (replace(withdrawn, waivers=accepted), policy, False),
        (replace(withdrawn, waivers=this_many), policy, False),
        (replace(withdrawn, waivers=this_many, effects=more), policy, True),
        (replace(withdrawn, status="cancelled"), policy, False),
        (replace(withdrawn, effects=()), policy, False),
        (withdrawn, received, False),
        (withdrawn, parse_policy({}), False),
    ):
        assert ("refund_contradicted" in v.case_kinds(v.planned(view, by))) is expected
