"""More or other goods than announced, by a warehouse system; and whose verdicts count at all."""

import pytest

from returnsops import states
from returnsops.planning.policy import Policy, PolicyError, RestockPolicy, holes, parse_policy
from returnsops.planning.view import ReturnView, WaiverView
from tests.returnsops.planning import views

CODE = states.CASE_INSPECTION_MISMATCH


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
