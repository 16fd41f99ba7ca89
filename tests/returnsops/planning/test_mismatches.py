"""Fewer, more or other goods than announced, whoever judged them; and whose verdicts count at all."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.planning.policy import Policy, PolicyError, RestockPolicy, holes, parse_policy
from returnsops.planning.view import LineView, ReturnView, VerdictView, WaiverView
from tests.returnsops.planning import views

CODE = states.CASE_INSPECTION_MISMATCH
FEWER = states.CASE_FEWER_UNITS


def two(*verdicts: VerdictView, **changes: Any) -> ReturnView:
    """Two shirts announced, the inspection said to be complete, money and stock by the verdict."""
    values: dict[str, Any] = {"verdicts": verdicts, "lines": (pair(),), "inspected_at": views.NOW}
    return views.view(**(values | changes))


def pair(**changes: Any) -> LineView:
    return views.shirt_item(**({"quantity": 2, "total": Decimal("48.40")} | changes))


def told(view: ReturnView) -> list[tuple[str, str]]:
    """Kind and cause of the cases about what came."""
    return [(case.kind, case.cause) for case in views.planned(view).cases if case.kind in (CODE, FEWER)]


BY_VERDICT = parse_policy(
    {
        "refund": {"initiator": "policy_trigger", "trigger": "disposition_final"},
        "restock": {"confirmation": "either", "set_aside": ["damaged"]},
    }
)


def moved(view: ReturnView, policy: Policy = BY_VERDICT) -> dict[str, int | None]:
    """Units that may go now, by kind of effect."""
    wanted = (states.REFUND, states.RESTOCK, states.SET_ASIDE)
    return {
        one.kind: one.quantity for one in views.planned(view, policy).effects if one.kind in wanted and not one.holds
    }


def cases(view: ReturnView, policy: Policy | None = None) -> list[tuple[str, int, int]]:
    made = views.planned(view, policy or Policy())
    return [(c.evidence["item"], c.evidence["judged"], c.evidence["expected"]) for c in made.cases if c.kind == CODE]


def test_as_many_as_announced_is_no_case() -> None:
    assert cases(views.view(verdicts=(views.verdict(source="wms"),))) == []


def test_more_units_and_other_items_are_a_case_each() -> None:
    found = (
        views.verdict(source="wms"),
        views.verdict(source="wms", quantity=2),
        views.verdict("sku:HAT", source="wms"),
    )
    assert cases(views.view(verdicts=found)) == [("a", 3, 1), ("sku:HAT", 1, 0)]


def test_a_person_may_accept_one_of_them() -> None:
    found = (views.verdict(source="wms", quantity=2), views.verdict("sku:HAT", source="wms"))
    waiver = WaiverView(hold_code=CODE, subject="a")
    assert cases(views.view(verdicts=found, waivers=(waiver,))) == [("sku:HAT", 1, 0)]


def test_a_source_that_does_not_count_says_nothing() -> None:
    policy = Policy(restock=RestockPolicy(confirmation="warehouse", sources=("warehouse",)))
    view = views.view(verdicts=(views.verdict(source="wms", quantity=2),))
    assert cases(view, policy) == []
    assert [e for e in views.planned(view, policy).effects if e.kind == states.RESTOCK and not e.holds] == []
    counted = Policy(restock=RestockPolicy(confirmation="warehouse", sources=("wms",)))
    assert [e.quantity for e in views.planned(view, counted).effects if e.kind == states.RESTOCK] == [1]


def test_the_setting_is_read_and_checked() -> None:
    assert parse_policy({"restock": {"sources": ["wms"]}}).restock.sources == ("wms",)
    assert parse_policy({}).restock.sources == ("warehouse", "wms")
    with pytest.raises(PolicyError, match=r"restock.sources: must be a list of any of warehouse, wms"):
        parse_policy({"restock": {"sources": ["platform"]}})


@pytest.mark.parametrize(("confirmation", "is_hole"), [("warehouse", True), ("both", True), ("platform", False)])
def test_a_warehouse_that_must_confirm_needs_a_source(confirmation: str, is_hole: bool) -> None:
    policy = Policy(restock=RestockPolicy(confirmation=confirmation, sources=()))
    found = [hole for hole in holes(policy, has_commerce=True, has_erp=False) if hole.startswith("restock.sources")]
    assert bool(found) is is_hole


# --- fewer ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S5-20")
def test_units_nobody_spoke_of_are_a_case_once_the_inspection_is_complete() -> None:
    found = two(views.verdict())
    text = (
        "1 of 2 x T-shirt were judged, and the inspection is said to be complete. "
        "Nobody said what became of the other 1. Count again."
    )
    assert told(found) == [(FEWER, text)]
    (case,) = [case for case in views.planned(found).cases if case.kind == FEWER]
    assert (case.fingerprint, case.money_at_risk) == (f"{FEWER}:{views.REF}:a", Decimal("48.40"))
    assert case.evidence == {"item": "a", "judged": 1, "expected": 2}
    assert moved(found) == {states.REFUND: 1, states.RESTOCK: 1}, "the unit that was judged does not wait for the other"


@pytest.mark.parametrize(
    "view",
    [
        two(views.verdict(), inspected_at=None),
        two(),
        two(views.verdict(), status=states.CANCELLED),
        two(views.verdict(), views.verdict(disposition="missing", outcome="missing")),
        two(views.verdict(), views.verdict(source="warehouse", quantity=2)),
        two(views.verdict(quantity=2), views.verdict(source="warehouse")),
        two(views.verdict(), waivers=(WaiverView(hold_code=FEWER, subject="a"),)),
    ],
    ids=["not complete", "no verdicts", "ended", "missing", "found by us", "we are not done", "accepted"],
)
def test_what_is_not_fewer(view: ReturnView) -> None:
    assert told(view) == []


def test_an_item_that_a_complete_inspection_leaves_out_is_fewer_too() -> None:
    assert [kind for kind, _ in told(two(views.verdict("b"), lines=(pair(), views.mug_item())))] == [FEWER]


# --- more -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S5-20")
@pytest.mark.parametrize("source", ["platform", "warehouse", "wms"])
def test_alike_units_beyond_the_announced_move_nothing(source: str) -> None:
    found = two(views.verdict(source=source, quantity=3))
    ((kind, text),) = told(found)
    judge = {"platform": "the returns platform", "warehouse": "our warehouse", "wms": "the warehouse system"}[source]
    assert (kind, text) == (
        CODE,
        f"2 x T-shirt were to come back, but {judge} found 3 of them. Count again, and look whose goods these are.",
    )
    assert moved(found) == {states.REFUND: 2, states.RESTOCK: 2}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([("sellable", 1, "accepted"), ("damaged", 1, "accepted")], {states.REFUND: 1}),
        ([("sellable", 2, "accepted"), ("damaged", 1, "accepted")], {states.REFUND: 2, states.RESTOCK: 1}),
        ([("sellable", 1, "accepted"), ("return_to_customer", 1, "rejected")], {}),
        (
            [("sellable", 1, "accepted"), ("sellable", 1, "unexpected")],
            {states.REFUND: 1, states.RESTOCK: 1},
        ),
    ],
    ids=["one of each", "two and one", "one refused", "named by the judge"],
)
def test_of_unlike_units_only_those_certain_to_be_announced_move(
    verdicts: list[tuple[str, int, str]], expected: dict[str, int]
) -> None:
    units = 2 if sum(quantity for _, quantity, _ in verdicts) == 3 else 1
    found = [views.verdict(disposition=name, quantity=units, outcome=outcome) for name, units, outcome in verdicts]
    view = two(*found, lines=(pair(quantity=units),))
    assert [kind for kind, _ in told(view)] == [CODE]
    assert moved(view) == expected


def test_a_preliminary_verdict_and_the_final_one_are_the_same_unit() -> None:
    view = two(views.verdict(disposition="quarantine", is_final=False), views.verdict(), lines=(views.shirt_item(),))
    assert told(view) == []
    assert moved(view) == {states.REFUND: 1, states.RESTOCK: 1}


def test_missing_units_are_not_too_many() -> None:
    gone = views.verdict(disposition="missing", outcome="missing")
    assert told(two(views.verdict(quantity=2), gone)) == []


def test_money_on_receipt_is_not_lessened_by_units_that_were_not_announced() -> None:
    on_receipt = parse_policy({"refund": {"initiator": "policy_trigger", "trigger": "received"}})
    other = views.verdict(outcome="unexpected", disposition="quarantine")
    view = two(views.verdict(quantity=2), other, status=states.RECEIVED, received_at=views.NOW)
    assert moved(view, on_receipt)[states.REFUND] == 2


# --- other goods ----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S5-20")
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"outcome": "unexpected"}, ""),
        ({"sku": "HAT"}, " (SKU HAT)"),
        ({"sku": "HAT", "outcome": "unexpected"}, " (SKU HAT)"),
    ],
)
def test_another_article_instead_of_the_announced_one_moves_nothing(changes: dict[str, str], named: str) -> None:
    view = two(views.verdict(**changes), lines=(views.shirt_item(),))
    text = f"1 x T-shirt was to come back, but the returns platform found 1 not announced{named}. "
    assert told(view) == [(CODE, f"{text}Count again, and look whose goods these are.")]
    assert moved(view) == {}


@pytest.mark.parametrize("sku", ["", "TSHIRT", " tshirt "])
def test_a_sku_spelled_otherwise_or_not_named_is_the_announced_article(sku: str) -> None:
    assert told(two(views.verdict(sku=sku, quantity=2))) == []


def test_every_judge_is_named_who_found_too_much() -> None:
    view = two(
        views.verdict(quantity=3), views.verdict(source="wms", quantity=2), views.verdict(source="wms", sku="HAT")
    )
    ((_, text),) = told(view)
    assert "the returns platform found 3 of them, and the warehouse system found 1 not announced (SKU HAT)." in text


def test_an_item_the_return_does_not_name_is_kept_and_shown_and_moves_nothing() -> None:
    gone = views.verdict("x", outcome="missing", disposition="missing")
    view = two(views.verdict("hat", sku="HAT", quantity=2), views.verdict("hat", sku="HAT", source="wms"), gone)
    assert told(replaced(view)) == [
        (
            CODE,
            "the returns platform and the warehouse system judged 2 x an item 'hat' (SKU HAT), which the return does "
            "not name. Look whose goods these are.",
        )
    ]
    assert moved(replaced(view)) == {}
    accepted = replaced(view, waivers=(WaiverView(hold_code=CODE, subject="hat"),))
    assert told(accepted) == []


def replaced(view: ReturnView, **changes: Any) -> ReturnView:
    """Not complete yet, so that only other goods are spoken of."""
    return replace(view, inspected_at=None, **changes)


# --- counted again --------------------------------------------------------------------------------------------------


def again(quantity: int = 1, **changes: Any) -> VerdictView:
    return views.verdict(source="warehouse", quantity=quantity, is_recount=True, **changes)


@pytest.mark.parametrize("confirmation", ["platform", "warehouse", "either", "both"])
def test_what_was_counted_again_is_the_last_word_whoever_has_to_confirm(confirmation: str) -> None:
    policy = parse_policy(
        {
            "refund": {"initiator": "policy_trigger", "trigger": "disposition_final"},
            "restock": {"confirmation": confirmation, "sources": ["wms"]},
        }
    )
    theirs = views.verdict(quantity=3, disposition="damaged")
    view = two(theirs, again(), again(disposition="missing", outcome="missing"))
    assert moved(view, policy) == {states.REFUND: 1, states.RESTOCK: 1}
    assert [case.kind for case in views.planned(view, policy).cases] == [states.CASE_GOODS_MISSING]


def test_a_recount_of_fewer_units_than_are_announced_now_asks_again() -> None:
    assert [kind for kind, _ in told(two(views.verdict(quantity=2), again(), inspected_at=None))] == [FEWER]


def test_a_recount_that_found_other_goods_as_well_stays_a_case() -> None:
    view = two(again(2), again(outcome="unexpected", disposition="quarantine", sku="HAT"))
    ((kind, text),) = told(view)
    assert (kind, "our warehouse found 1 not announced (SKU HAT)" in text) == (CODE, True)
    assert moved(view) == {states.REFUND: 2, states.RESTOCK: 2}
