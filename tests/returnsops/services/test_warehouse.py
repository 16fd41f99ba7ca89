"""The warehouse's verdicts: once per decision, never more than came back, undone until the restock is under way."""

from typing import Any

import pytest

from returnsops import states
from returnsops.models import Effect, HistoryEntry, Inspection
from returnsops.services import warehouse
from returnsops.services.decisions import DecisionError
from returnsops.services.warehouse import Verdict, WarehouseError
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> Any:
    rma = make.ReturnFactory(requested_at=make.NOW, order__placed_at=make.NOW)
    make.DispositionMappingFactory(route=rma.route)
    bought = make.OrderLineFactory(order=rma.order, quantity=3, reduced_stock=3)
    return make.ReturnLineFactory(rma=rma, order_line=bought, quantity=3, external_id="i1")


def confirm(line: Any, *verdicts: Verdict, decision: str = "d1") -> str:
    return warehouse.confirm_inspection(rma=line.rma, verdicts=verdicts, decision_id=decision, by="wendy", at=make.NOW)


def sellable(quantity: int) -> Verdict:
    return Verdict(item_id="i1", quantity=quantity, disposition="sellable")


@pytest.mark.requirement("S4-14")
def test_sellable_units_are_restocked_and_only_those(line: Any) -> None:
    confirm(line, sellable(2), Verdict(item_id="i1", quantity=1, disposition="damaged", reason="torn"))
    restock = Effect.objects.get(kind=states.RESTOCK)
    assert (restock.quantity, restock.state) == (2, states.READY)
    assert {(row.disposition, row.quantity, row.reject_reason) for row in Inspection.objects.all()} == {
        ("sellable", 2, ""),
        ("damaged", 1, "torn"),
    }
    entry = HistoryEntry.objects.get(act="items_inspected")
    assert (entry.by, entry.why) == ("wendy", "torn")


def test_the_same_decision_twice_is_one_verdict(line: Any) -> None:
    confirm(line, sellable(1))
    again = confirm(line, sellable(1))
    assert again.startswith("Already inspected by wendy")
    assert Inspection.objects.count() == 1


def test_two_decisions_are_two_verdicts(line: Any) -> None:
    confirm(line, sellable(1), decision="d1")
    confirm(line, sellable(1), decision="d2")
    assert warehouse.left_to_inspect(line) == 1
    live = Effect.objects.get(kind=states.RESTOCK, state=states.READY)
    assert live.quantity == 2


@pytest.mark.parametrize(
    "verdicts",
    [
        (),
        (sellable(4),),
        (sellable(2), sellable(2)),
        (sellable(0),),
        (Verdict(item_id="other", quantity=1, disposition="sellable"),),
        (Verdict(item_id="i1", quantity=1, disposition="refurbish"),),
        (Verdict(item_id="i1", quantity=1, disposition="damaged", reason="  "),),
    ],
)
def test_what_does_not_fit_is_refused_whole(verdicts: tuple[Verdict, ...], line: Any) -> None:
    with pytest.raises(WarehouseError):
        confirm(line, *verdicts)
    assert Inspection.objects.count() == 0
    assert HistoryEntry.objects.count() == 0


def test_a_verdict_is_taken_back_and_given_anew(line: Any) -> None:
    confirm(line, sellable(3), decision="d1")
    row = Inspection.objects.get()
    warehouse.undo_inspection(rma=line.rma, inspection_id=row.pk, by="wendy", at=make.NOW, why="wrong box")
    assert Effect.objects.get(kind=states.RESTOCK).state == states.EFFECT_CANCELLED
    assert warehouse.left_to_inspect(line) == 3
    confirm(line, sellable(1), decision="d2")
    row.refresh_from_db()
    assert row.is_superseded  # a later verdict does not bring it back
    assert warehouse.left_to_inspect(line) == 2
    live = Effect.objects.filter(kind=states.RESTOCK, state=states.READY)
    assert [effect.quantity for effect in live] == [1]


@pytest.mark.parametrize("state", sorted(states.COMMITTED))
def test_a_verdict_stays_without_a_reason_once_its_restock_is_under_way(state: str, line: Any) -> None:
    confirm(line, sellable(1))
    make.EffectFactory(rma=line.rma, restock=True, item_external_id="i1", state=state)
    row = Inspection.objects.get()
    with pytest.raises(DecisionError, match="on sale already"):
        warehouse.undo_inspection(rma=line.rma, inspection_id=row.pk, by="wendy", at=make.NOW, why="")
    row.refresh_from_db()
    assert not row.is_superseded


def test_the_platforms_verdict_is_not_ours_to_take_back(line: Any) -> None:
    row = make.InspectionFactory(line=line)
    with pytest.raises(DecisionError, match="Only a verdict of our own warehouse"):
        warehouse.undo_inspection(rma=line.rma, inspection_id=row.pk, by="wendy", at=make.NOW, why="no")
    other = make.InspectionFactory(source="warehouse")
    with pytest.raises(WarehouseError, match="does not belong"):
        warehouse.undo_inspection(rma=line.rma, inspection_id=other.pk, by="wendy", at=make.NOW, why="no")


def test_a_parcel_is_received_once_and_only_by_its_return(line: Any) -> None:
    parcel = make.ParcelFactory(rma=line.rma)
    receive = {"rma": line.rma, "by": "wendy", "at": make.NOW}
    warehouse.receive_parcel(parcel_id=parcel.external_id, **receive)
    line.rma.refresh_from_db()
    assert line.rma.received_at == make.NOW
    for bad in (parcel.external_id, make.ParcelFactory().external_id):
        with pytest.raises(WarehouseError):
            warehouse.receive_parcel(parcel_id=bad, **receive)


def test_goods_without_a_label_are_received_too(line: Any) -> None:
    text = warehouse.receive_parcel(rma=line.rma, parcel_id=warehouse.OWN_PARCEL, by="wendy", at=make.NOW)
    assert text == "Parcel without a label received."
    line.rma.refresh_from_db()
    assert line.rma.status == states.RECEIVED
