"""Verdicts: what they say does not depend on which arrived first, and nothing that was said is lost."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from returnsops import facts, states
from returnsops.models import Inspection, ReturnAuthorisation
from returnsops.services import inspections
from returnsops.services.apply_facts import apply_facts
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db
RETURN = "ret_1"


@pytest.fixture
def rma() -> ReturnAuthorisation:
    """A return of item i1."""
    line = make.ReturnLineFactory(rma=make.ReturnFactory(external_id=RETURN), external_id="i1")
    row: ReturnAuthorisation = line.rma
    return row


def item(item_id: str = "i1", **more: Any) -> facts.InspectedItem:
    fields: dict[str, Any] = {
        "item_id": item_id,
        "quantity": 1,
        "outcome": "approved",
        "disposition": states.SELLABLE,
        "is_final": True,
        "inspected_at": NOW,
    }
    return facts.InspectedItem(**(fields | more))


def delta(*items: facts.InspectedItem, hour: int = 0, **more: Any) -> facts.ItemsInspected:
    fields: dict[str, Any] = {"return_id": RETURN, "occurred_at": at(hour), "items": items, "source": "platform"}
    return facts.ItemsInspected(**(fields | more))


def whole(*items: facts.InspectedItem, hour: int = 0, **more: Any) -> facts.InspectionCompleted:
    fields: dict[str, Any] = {"return_id": RETURN, "occurred_at": at(hour), "items": items, "source": "platform"}
    return facts.InspectionCompleted(**(fields | more))


def at(hour: int) -> Any:
    return NOW + timedelta(hours=hour)


def apply(rma: ReturnAuthorisation, *new_facts: facts.Fact) -> None:
    apply_facts(connection=rma.connection, new_facts=new_facts, at=at(99))
    rma.refresh_from_db()


def in_force(rma: ReturnAuthorisation) -> list[tuple[str, int, str]]:
    rows = rma.inspections.filter(is_superseded=False).order_by("item_external_id", "disposition")
    return [(row.item_external_id, row.quantity, row.disposition) for row in rows]


def test_a_verdict_is_stored_whole_and_ties_itself_to_its_line(rma: ReturnAuthorisation) -> None:
    said = item(
        quantity=2,
        outcome="rejected",
        disposition="damaged",
        is_final=False,
        grade="C",
        reject_reason="x" * 400,
        location_code="A-1",
        inspected_by="walter",
    )
    apply(rma, delta(said, item("i9"), revision=3, hour=2))
    row = Inspection.objects.get(item_external_id="i1")
    assert (row.line, row.source, row.revision) == (rma.lines.get(), "platform", 3)
    assert (row.quantity, row.outcome, row.disposition, row.is_final) == (2, "rejected", "damaged", False)
    assert (row.grade, row.location_code, row.inspected_by) == ("C", "A-1", "walter")
    assert (row.reject_reason, row.inspected_at) == ("x" * 300, NOW)
    assert (row.is_absolute, row.statement, row.is_superseded) == (False, "", False)
    assert Inspection.objects.get(item_external_id="i9").line is None
    assert (rma.inspecting_at, rma.inspected_at, rma.status) == (at(2), None, states.INSPECTING)


def test_the_same_verdict_twice_is_one(rma: ReturnAuthorisation) -> None:
    apply(rma, delta(item()), delta(item(), hour=1), whole(item()), whole(item()))
    assert Inspection.objects.filter(is_absolute=False).count() == 1
    assert Inspection.objects.filter(is_absolute=True).count() == 1
    assert (rma.inspecting_at, rma.inspected_at) == (NOW, NOW)


@pytest.mark.parametrize(
    "more",
    [
        {"source": "warehouse"},
        {"revision": 1},
        {"decision_id": "d2"},
        {"items": (item(disposition="damaged"),)},
        {"items": (item(inspected_at=at(1)),)},
    ],
)
def test_what_makes_two_verdicts_two(rma: ReturnAuthorisation, more: dict[str, Any]) -> None:
    apply(rma, delta(item()), delta(*more.get("items", (item(),)), **{k: v for k, v in more.items() if k != "items"}))
    assert Inspection.objects.count() == 2
    assert len(in_force(rma)) == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1)])
def test_one_verdict_with_two_contents_is_the_same_whichever_came_first(
    rma: ReturnAuthorisation, order: tuple[int, ...]
) -> None:
    words = (delta(item(quantity=1, grade="A")), delta(item(quantity=2, grade="B")))
    apply(rma, *(words[place] for place in order))
    assert [(row.quantity, row.grade) for row in Inspection.objects.all()] == [(1, "A")]


STATEMENTS = (
    delta(item(), hour=0),
    whole(item("i1", disposition="damaged"), hour=1),
    whole(item("i1", disposition="quarantine"), item("i2"), hour=2),
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_whole_judgement_of_a_source_supersedes_what_it_said_before(
    rma: ReturnAuthorisation, order: tuple[int, ...]
) -> None:
    apply(rma, *(STATEMENTS[place] for place in order))
    assert in_force(rma) == [("i1", 1, "quarantine"), ("i2", 1, "sellable")]
    assert Inspection.objects.count() == 4
    assert rma.status == states.INSPECTED


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_delta_of_a_later_revision_adds_to_a_whole_judgement(
    rma: ReturnAuthorisation, order: tuple[int, ...]
) -> None:
    words = (whole(item(), revision=1, hour=1), delta(item("i2"), revision=2))
    apply(rma, *(words[place] for place in order))
    assert in_force(rma) == [("i1", 1, "sellable"), ("i2", 1, "sellable")]


BOTH_WAYS = (
    whole(item(), item("i2", quantity=0, disposition="unknown"), hour=1),
    delta(item(disposition="damaged"), hour=2, is_all_of_items=True),
    delta(item("i2", disposition="damaged"), hour=0, is_all_of_items=True),  # older than the whole: late
    whole(item("i3"), hour=3, is_all_of_items=True),
)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_of_an_item_the_newest_statement_that_is_all_of_it_counts(
    rma: ReturnAuthorisation, order: tuple[int, ...]
) -> None:
    apply(rma, *(BOTH_WAYS[place] for place in (*order, *order)))
    assert in_force(rma) == [("i1", 1, "damaged"), ("i2", 0, "unknown"), ("i3", 1, "sellable")]
    assert Inspection.objects.count() == 5
    assert (rma.inspecting_at, rma.inspected_at) == (NOW, at(3))


def test_a_whole_judgement_later_supersedes_what_was_said_of_single_items(rma: ReturnAuthorisation) -> None:
    apply(rma, *BOTH_WAYS, whole(item("i2"), hour=4))
    assert in_force(rma) == [("i2", 1, "sellable")]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_deltas_of_a_later_revision_add_to_a_statement_of_their_item(
    rma: ReturnAuthorisation, order: tuple[int, ...]
) -> None:
    words = (
        delta(item(), revision=1),
        whole(item(disposition="damaged"), revision=1, is_all_of_items=True),
        delta(item(disposition="quarantine"), revision=2),
    )
    apply(rma, *(words[place] for place in order))
    assert in_force(rma) == [("i1", 1, "damaged"), ("i1", 1, "quarantine")]


def test_a_higher_revision_outranks_a_later_time(rma: ReturnAuthorisation) -> None:
    apply(rma, whole(item(disposition="damaged"), revision=2), whole(item(), revision=1, hour=5))
    assert in_force(rma) == [("i1", 1, "damaged")]


def test_a_source_supersedes_only_itself(rma: ReturnAuthorisation) -> None:
    apply(rma, delta(item(), source="warehouse"), whole(item(disposition="damaged"), hour=1))
    assert in_force(rma) == [("i1", 1, "damaged"), ("i1", 1, "sellable")]


def test_a_verdict_taken_back_never_counts_again(rma: ReturnAuthorisation) -> None:
    apply(rma, delta(item(), source="warehouse"))
    rma.inspections.update(is_superseded=True, statement=inspections.UNDONE)
    apply(rma, delta(item(), source="warehouse"), delta(item("i2"), source="warehouse"))
    assert in_force(rma) == [("i2", 1, "sellable")]
    assert Inspection.objects.count() == 2
