"""Goods that are not what was announced: counted again by a person, or given to the return they belong to."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import HistoryEntry, Inspection, ReturnLine
from returnsops.services import receipt_actions, warehouse
from returnsops.services.acts import act
from returnsops.services.decisions import DecisionError
from tests import factories as make

pytestmark = pytest.mark.django_db

CODE = states.CASE_INSPECTION_MISMATCH


@pytest.fixture
def line() -> ReturnLine:
    """Three shirts announced, one more judged by the platform."""
    rma = make.ReturnFactory(external_id="r1", number="RMA-1")
    row: ReturnLine = make.ReturnLineFactory(rma=rma, quantity=3, external_id="i1", sku="TEE", name="T-shirt")
    make.InspectionFactory(line=row, outcome="accepted", quantity=4)
    return row


def case_about(line: ReturnLine, item_id: str = "i1", kind: str = CODE) -> ExceptionCase:
    case: ExceptionCase = make.CaseFactory(rma=line.rma, kind_code=kind, fingerprint=f"{kind}:{line.rma.ref}:{item_id}")
    return case


def run(action: Callable[..., str], case: ExceptionCase, *, hour: int = 0, **data: Any) -> str:
    at = make.NOW + timedelta(hours=hour)
    return action(case=case, by="wendy", at=at, reason="Counted twice.", data=data)


def recount(case: ExceptionCase, *, hour: int = 0, **data: Any) -> str:
    return run(receipt_actions.recount, case, hour=hour, **data)


def in_force(source: str = "warehouse") -> list[tuple[int, str, str, str]]:
    rows = Inspection.objects.filter(source=source, is_superseded=False).order_by("disposition", "outcome")
    return [(row.quantity, row.outcome, row.disposition, row.sku) for row in rows]


# --- counted again --------------------------------------------------------------------------------------------------


def test_a_recount_states_every_announced_unit_and_what_lay_beside_them(line: ReturnLine) -> None:
    said = recount(case_about(line), sellable=Decimal("1"), damaged=Decimal("1"), other=Decimal("2"), other_sku=" HAT ")
    assert said == "Counted again: 1 sellable, 1 damaged, 1 missing, 2 not announced."
    assert in_force() == [
        (1, "accepted", "damaged", "TEE"),
        (1, "missing", "missing", ""),
        (2, "unexpected", "quarantine", "HAT"),
        (1, "accepted", "sellable", "TEE"),
    ]
    assert warehouse.left_to_inspect(line) == 0
    entry = HistoryEntry.objects.get(act="item_recounted")
    text = "T-shirt counted again, 3 announced: 1 sellable, 1 damaged, 1 missing, 2 not announced."
    assert (entry.by, entry.why, entry.text) == ("wendy", "Counted twice.", text)
    assert {row.reject_reason for row in Inspection.objects.filter(disposition="damaged")} == {"Counted twice."}


@pytest.mark.parametrize("data", [{}, {"sellable": None, "damaged": ""}, {"other": Decimal("2")}])
def test_a_form_sent_without_a_count_makes_nothing_missing(line: ReturnLine, data: dict[str, Any]) -> None:
    case = case_about(line)
    with pytest.raises(CaseError, match="0 if none of them is"):
        recount(case, **data)
    assert (in_force(), HistoryEntry.objects.count()) == ([], 0)
    assert recount(case, sellable=Decimal("0")) == "Counted again: 3 missing."


def test_the_newest_recount_counts_with_what_was_judged_after_it(line: ReturnLine) -> None:
    make.InspectionFactory(line=line, source="warehouse", quantity=1, disposition="damaged", inspected_at=make.NOW)
    case = case_about(line)
    recount(case, hour=1, sellable=Decimal("3"))
    recount(case, hour=2, sellable=Decimal("2"))
    assert in_force() == [(1, "missing", "missing", ""), (2, "accepted", "sellable", "TEE")]
    line.quantity = 4  # announced since, and judged at the bench
    line.save()
    one = warehouse.Verdict(item_id="i1", quantity=1, disposition="missing")
    at = make.NOW + timedelta(hours=3)
    warehouse.confirm_inspection(rma=line.rma, verdicts=(one,), decision_id="d1", by="wendy", at=at)
    assert sorted(in_force()) == [
        (1, "missing", "missing", ""),
        (1, "missing", "missing", ""),
        (2, "accepted", "sellable", "TEE"),
    ]


def test_a_recount_taken_back_leaves_what_was_said_before_it(line: ReturnLine) -> None:
    make.InspectionFactory(
        line=line, source="warehouse", outcome="accepted", quantity=1, disposition="damaged", inspected_at=make.NOW
    )
    recount(case_about(line), hour=1, sellable=Decimal("3"))
    row = Inspection.objects.get(is_recount=True)
    warehouse.undo_inspection(rma=line.rma, inspection_id=row.pk, by="wendy", at=make.NOW, why="wrong box")
    assert in_force() == [(1, "accepted", "damaged", "")]


def test_another_item_keeps_its_verdicts(line: ReturnLine) -> None:
    other = make.ReturnLineFactory(rma=line.rma, quantity=1, external_id="i2")
    make.InspectionFactory(line=other, source="warehouse", outcome="accepted", inspected_at=make.NOW)
    recount(case_about(line), hour=1, sellable=Decimal("3"))
    assert (1, "accepted", "sellable", "") in in_force()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"sellable": Decimal("2"), "damaged": Decimal("2")}, "3 were announced, so 4 cannot be of them"),
        ({"sellable": Decimal("1.5")}, "whole numbers"),
        ({"damaged": Decimal("-1")}, "whole numbers"),
        ({"other": Decimal("10001")}, "whole numbers"),
    ],
)
def test_numbers_that_cannot_be_are_refused_and_nothing_is_stored(
    data: dict[str, Any], says: str, line: ReturnLine
) -> None:
    with pytest.raises(CaseError, match=says):
        recount(case_about(line), **data)
    assert in_force() == []


def test_only_an_item_of_the_return_is_counted(line: ReturnLine) -> None:
    case = case_about(line, "hat")
    assert receipt_actions.words_for_recount(case) == ""
    with pytest.raises(CaseError, match="does not name this item"):
        recount(case, sellable=Decimal("1"))
    assert receipt_actions.words_for_recount(case_about(line)).startswith("3 x T-shirt were announced.")


def test_a_count_that_leaves_units_out_is_no_recount(line: ReturnLine) -> None:
    for item_id, units in (("i1", 2), ("gone", 3)):
        items = warehouse.recounted(
            line=line, found={"sellable": 3}, other=0, other_sku="", by="w", at=make.NOW, why=""
        )
        told = tuple(facts.InspectedItem(**{**vars(item), "quantity": units}) for item in items)
        fact = facts.ItemRecounted(return_id="r1", occurred_at=make.NOW, by="w", why="", item_id=item_id, items=told)
        with pytest.raises(DecisionError):
            act(rma=line.rma, fact=fact, by="w", at=make.NOW)
    assert in_force() == []


# --- goods of another return ----------------------------------------------------------------------------------------


@pytest.fixture
def hats(line: ReturnLine) -> ExceptionCase:
    """Two hats in the parcel of the shirts, judged by platform and warehouse system; another return waits for them."""
    for source in ("platform", "wms"):
        make.InspectionFactory(
            rma=line.rma, line=None, item_external_id="hat", sku="HAT", source=source, quantity=2, outcome="unexpected"
        )
    theirs = make.ReturnFactory(external_id="r2", number="RMA-2", connection=line.rma.connection)
    make.ReturnLineFactory(rma=theirs, quantity=2, external_id="h1", sku="HAT", name="Hat")
    return case_about(line, "hat")


def give(case: ExceptionCase, name: str = "RMA-2", disposition: str = "sellable") -> str:
    data: dict[str, Any] = {"return": name, "disposition": disposition}
    return run(receipt_actions.give_to_other_return, case, **data)


def test_goods_of_another_return_are_judged_there_and_seen_to_here(hats: ExceptionCase, line: ReturnLine) -> None:
    assert (
        receipt_actions.words_for_other_return(hats) == "2 x SKU HAT count for the return you name, with your verdict."
    )
    assert give(hats) == "Given to return RMA-2. Inspected: 2 x Hat: sellable"
    row = Inspection.objects.get(source="warehouse")
    assert (row.rma.external_id, row.item_external_id, row.quantity, row.is_final) == ("r2", "h1", 2, True)
    waiver = line.rma.waivers.get()
    assert (waiver.hold_code, waiver.subject, waiver.why) == (CODE, "hat", "Goods of return RMA-2. Counted twice.")
    assert give(hats).startswith("Given to return RMA-2. Already inspected by wendy"), "pressed twice"
    assert Inspection.objects.filter(source="warehouse").count() == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("RMA-9", "No other return has the number 'RMA-9'"),
        ("RMA-1", "No other return"),
        ("twice", "Several returns have the number 'twice'"),
        ("RMA-3", "Return RMA-3 does not have exactly one item with SKU HAT"),
        ("RMA-4", "1 left to inspect, so 2 cannot be confirmed"),
        ("RMA-5", "No other return"),
    ],
)
def test_where_they_cannot_belong_is_said_and_nothing_is_stored(
    name: str, says: str, hats: ExceptionCase, line: ReturnLine
) -> None:
    for number, external_id in (("twice", "t1"), ("twice", "t2"), ("RMA-3", "r3"), ("RMA-4", "r4")):
        make.ReturnFactory(number=number, external_id=external_id, connection=line.rma.connection)
    make.ReturnLineFactory(rma__number="RMA-5", rma__status=states.CANCELLED, sku="HAT", quantity=2)
    other = make.ReturnFactory._meta.model.objects.get(external_id="r4")
    make.ReturnLineFactory(rma=other, quantity=1, sku="HAT")
    with pytest.raises(CaseError, match=says):
        give(hats, name)
    assert not Inspection.objects.filter(source="warehouse").exists()
    assert not line.rma.waivers.exists()


def test_what_nobody_named_or_counted_is_not_given_away(hats: ExceptionCase, line: ReturnLine) -> None:
    announced = case_about(line)
    assert receipt_actions.words_for_other_return(announced) == "", "it may be the announced article"
    recount(announced, sellable=Decimal("3"), other=Decimal("1"), other_sku="HAT")
    assert receipt_actions.words_for_other_return(announced).startswith("1 x SKU HAT")
    Inspection.objects.filter(source="wms").update(sku="CAP")
    assert receipt_actions.words_for_other_return(hats) == ""
    with pytest.raises(CaseError, match=r"exactly one item with SKU \(none\)"):
        give(hats)
    assert [name for name, _ in receipt_actions.conditions(hats)] == ["sellable", "damaged", "quarantine"]
