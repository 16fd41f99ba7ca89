"""The warehouse's own word: a parcel is in, units are sellable or not, a verdict was a slip (S4-14).

A decision carries an id of its own, so that a form sent twice, or by two devices, is one verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from returnsops import facts
from returnsops.models import HistoryEntry, Inspection, Parcel, ReturnAuthorisation, ReturnLine

from . import audit, locks
from .acts import act

SOURCE: Final = "warehouse"
PRESENT: Final = ("sellable", "damaged", "quarantine")
MISSING: Final = "missing"
VERDICTS: Final = (*PRESENT, MISSING)
WANT_A_REASON: Final = frozenset({"damaged", "quarantine"})
OWN_PARCEL: Final = "hand-in"  # goods that came in without a parcel we know


class WarehouseError(Exception):
    """An inspection that does not fit the return; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a person found on some units of one item."""

    item_id: str
    quantity: int
    disposition: str
    reason: str = ""


@transaction.atomic
def receive_parcel(*, rma: ReturnAuthorisation, parcel_id: str, by: str, at: datetime) -> str:
    """The parcel is in hands; says nothing of condition. Raises WarehouseError for a parcel of another return."""
    locks.lock_return(rma_id=rma.pk)
    parcel = Parcel.objects.filter(rma=rma, external_id=parcel_id).first()
    if parcel is None and parcel_id != OWN_PARCEL:
        raise WarehouseError("That parcel does not belong to this return; reload the page.")
    if parcel is not None and parcel.received_at is not None:
        raise WarehouseError(f"Parcel {parcel} is in already.")
    act(
        rma=rma, fact=facts.ParcelReceived(return_id=rma.external_id, parcel_id=parcel_id, occurred_at=at), by=by, at=at
    )
    text = f"Parcel {parcel or 'without a label'} received."
    audit.record(act="parcel_received", by=by, at=at, subject=rma, text=text, rma=rma)
    return text


@transaction.atomic
def confirm_inspection(
    *, rma: ReturnAuthorisation, verdicts: tuple[Verdict, ...], decision_id: str, by: str, at: datetime
) -> str:
    """Store what was found, finally. The same ``decision_id`` again changes nothing and says so.

    Raises WarehouseError for no verdict, more units than are left to inspect, or a missing reason.
    """
    locks.lock_return(rma_id=rma.pk)
    known = HistoryEntry.objects.filter(rma=rma, act="items_inspected", detail__decision=decision_id).first()
    if known is not None:
        return f"Already inspected by {known.by}: {known.text}"
    if not verdicts:
        raise WarehouseError("Say for at least one item what you found.")
    lines = {line.external_id: line for line in rma.lines.filter(is_withdrawn=False)}
    for verdict in verdicts:
        _check(lines.get(verdict.item_id), verdict, verdicts)
    fact = facts.ItemsInspected(
        return_id=rma.external_id,
        occurred_at=at,
        source=SOURCE,
        decision_id=decision_id,
        items=tuple(_item(verdict, by=by, at=at) for verdict in verdicts),
    )
    act(rma=rma, fact=fact, by=by, at=at)
    text = "; ".join(_words(lines[verdict.item_id], verdict) for verdict in verdicts)
    why = "; ".join(verdict.reason for verdict in verdicts if verdict.reason)
    detail = {"decision": decision_id}
    audit.record(act="items_inspected", by=by, at=at, subject=rma, text=text, why=why, rma=rma, detail=detail)
    return f"Inspected: {text}"


def recounted(
    *, line: ReturnLine, found: Mapping[str, int], other: int, other_sku: str, by: str, at: datetime, why: str
) -> tuple[facts.InspectedItem, ...]:
    """All units of an item as a person counted them: ``found`` of the announced ones by disposition, the rest missing.

    ``other`` is what lay there and was not announced. Raises WarehouseError for more than were announced.
    """
    there = sum(found.values())
    if there > line.quantity:
        raise WarehouseError(f"{line.quantity} were announced, so {there} cannot be of them; enter the rest as others.")
    rows = [(units, "accepted", name, line.sku) for name, units in found.items()]
    rows += [(line.quantity - there, MISSING, MISSING, ""), (other, "unexpected", "quarantine", other_sku)]
    return tuple(
        facts.InspectedItem(
            item_id=line.external_id,
            quantity=units,
            outcome=outcome,
            disposition=disposition,
            is_final=True,
            inspected_at=at,
            sku=sku,
            reject_reason=why if disposition in WANT_A_REASON else "",
            inspected_by=by,
        )
        for units, outcome, disposition, sku in rows
        if units
    )


def undo_inspection(*, rma: ReturnAuthorisation, inspection_id: int, by: str, at: datetime, why: str) -> str:
    """Take one verdict of ours back. Raises DecisionError where its units are on sale again and no reason is given."""
    row = Inspection.objects.filter(rma=rma, pk=inspection_id).first()
    if row is None:
        raise WarehouseError("That verdict does not belong to this return; reload the page.")
    fact = facts.InspectionUndone(
        return_id=rma.external_id, occurred_at=at, by=by, why=why, item_id=row.item_external_id, identity=row.identity
    )
    act(rma=rma, fact=fact, by=by, at=at)
    return f"Verdict taken back: {row.quantity} {row.disposition}."


def left_to_inspect(line: ReturnLine) -> int:
    """Units of a line on which our own warehouse has not decided yet."""
    rows = line.inspections.filter(source=SOURCE, is_superseded=False)
    return max(0, line.quantity - sum(row.quantity for row in rows))


def _check(line: ReturnLine | None, verdict: Verdict, verdicts: tuple[Verdict, ...]) -> None:
    if line is None:
        raise WarehouseError("One of the items is no longer part of this return; reload the page.")
    wanted = sum(other.quantity for other in verdicts if other.item_id == verdict.item_id)
    left = left_to_inspect(line)
    if verdict.quantity < 1 or wanted > left:
        raise WarehouseError(f"{line}: {left} left to inspect, so {wanted} cannot be confirmed.")
    if verdict.disposition not in VERDICTS:
        raise WarehouseError(f"{line}: choose one of {', '.join(VERDICTS)}.")
    if verdict.disposition in WANT_A_REASON and not verdict.reason.strip():
        raise WarehouseError(f"{line}: say what is wrong with it.")


def _item(verdict: Verdict, *, by: str, at: datetime) -> facts.InspectedItem:
    return facts.InspectedItem(
        item_id=verdict.item_id,
        quantity=verdict.quantity,
        # Of what is there, whether the customer is paid is not the warehouse's decision.
        outcome=MISSING if verdict.disposition == MISSING else "accepted",
        disposition=verdict.disposition,
        is_final=True,
        inspected_at=at,
        reject_reason=verdict.reason.strip(),
        inspected_by=by,
    )


def _words(line: ReturnLine, verdict: Verdict) -> str:
    return f"{verdict.quantity} x {line.name or line.sku}: {verdict.disposition}"
