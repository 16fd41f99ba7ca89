"""What a warehouse system tells of one return: receipt, and verdicts on units (S4-14).

A report carries the teller's key and counts once, whatever is lost on the way: the report, the facts it states and the
plan that follows are one transaction. What contradicts the return (other items, more units) is stored all the same
and becomes a case; only what cannot be understood is refused, and then nothing is stored.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from returnsops import facts
from returnsops.models import InspectionReport, Parcel, ReturnAuthorisation, ReturnLine, Route
from returnsops.planning.keys import content_hash

from . import audit, locks
from .acts import act
from .warehouse import OWN_PARCEL

SOURCE: Final = "wms"
OUTCOMES: Final = ("accepted", "rejected", "missing", "unexpected")
MOST_CANDIDATES: Final = 20

MayUse = Callable[[Route | None], bool]


class ReportError(Exception):
    """A report that was not taken; nothing of it is stored. ``code`` is for programs, the text for people."""

    code = "refused"


class ReturnUnknownError(ReportError):
    """No return of that name that this teller may see."""

    code = "return_not_found"


class ReturnIncompleteError(ReportError):
    """The return is not known with its items yet; the same report is right later."""

    code = "return_incomplete"


class SeveralReturnsError(ReportError):
    """More than one return has that name; which one is never guessed."""

    code = "several_returns"

    def __init__(self, text: str, candidates: list[dict[str, str]]) -> None:
        super().__init__(text)
        self.candidates = candidates


class KeyReusedError(ReportError):
    """The key came before with another content."""

    code = "key_reused"


class ItemsWrongError(ReportError):
    """Items that cannot be understood: what is wrong, by their place."""

    code = "invalid"

    def __init__(self, problems: Mapping[int, str]) -> None:
        super().__init__("; ".join(f"item {place + 1}: {text}" for place, text in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, kw_only=True)
class FoundItem:
    """A verdict on units of one item, named by its id in the return, by its SKU, or by both."""

    quantity: int
    outcome: str
    disposition: str
    final: bool
    inspected_at: datetime
    item_id: str = ""
    sku: str = ""
    grade: str = ""
    reject_reason: str = ""
    location_code: str = ""
    inspected_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One call or row. ``name`` is the return's number, id, ``connection/id``, or a parcel's tracking number."""

    name: str
    key: str
    items: tuple[FoundItem, ...] = ()
    received_at: datetime | None = None
    warehouse: str = ""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The stored report, and whether it was there before."""

    row: InspectionReport
    is_duplicate: bool


def take(*, report: Report, origin: str, by: str, at: datetime, may_use: MayUse = lambda route: True) -> Taken:
    """Store and apply one report once. ``origin`` is the room of its key: 'api:<token>' or 'csv'.

    Raises the errors above.
    """
    body_hash = content_hash(asdict(report) | {"key": ""})
    known = InspectionReport.objects.filter(origin=origin, key=report.key).first()
    if known is not None:
        return _again(known, body_hash)
    rma = _find(report.name, may_use)
    try:
        row = _store(report, rma, body_hash=body_hash, origin=origin, by=by, at=at)
    except IntegrityError:
        known = InspectionReport.objects.filter(origin=origin, key=report.key).first()
        if known is None:
            raise
        return _again(known, body_hash)  # the same report at the same moment: the other one won
    return Taken(row=row, is_duplicate=False)


def _again(known: InspectionReport, body_hash: str) -> Taken:
    if known.body_hash != body_hash:
        raise KeyReusedError("This key came before with another content; a new statement wants a new key.")
    InspectionReport.objects.filter(pk=known.pk).update(repeat_count=F("repeat_count") + 1)
    return Taken(row=known, is_duplicate=True)


def _find(name: str, may_use: MayUse) -> ReturnAuthorisation:
    """The one return of that name. ``connection/id`` names one for certain."""
    rows = ReturnAuthorisation.objects.select_related("connection", "route")
    connection, _, external_id = name.partition("/")
    exact = rows.filter(connection__name=connection, external_id=external_id)
    loose = rows.filter(Q(number=name) | Q(external_id=name) | Q(parcels__tracking_number=name)).distinct()
    for found in (exact, loose):
        mine = [row for row in found.order_by("pk") if may_use(row.route)]
        if len(mine) == 1:
            return mine[0]
        if mine:
            text = f"{len(mine)} returns have this name; name one by its ref."
            raise SeveralReturnsError(text, [_candidate(row) for row in mine[:MOST_CANDIDATES]])
    raise ReturnUnknownError("There is no return with this number, id or tracking number.")


def _candidate(row: ReturnAuthorisation) -> dict[str, str]:
    return {"ref": row.ref, "number": row.number, "order_number": row.order_number}


@transaction.atomic
def _store(
    report: Report, rma: ReturnAuthorisation, *, body_hash: str, origin: str, by: str, at: datetime
) -> InspectionReport:
    """The key first, so that a twin of this report waits here or fails."""
    row = InspectionReport.objects.create(
        origin=origin,
        key=report.key,
        body_hash=body_hash,
        rma=rma,
        warehouse=report.warehouse,
        received_at=at,
        received_by=by,
    )
    locks.lock_return(rma_id=rma.pk)
    items = _matched(rma, report.items)
    for number, fact in enumerate(_facts(report, rma, items)):
        act(rma=rma, fact=fact, by=by, at=at, source=SOURCE, key=content_hash([origin, report.key, number]))
    row.text = _words(report, items)[:500]
    row.answer = _answer(rma, items)
    row.save(update_fields=["text", "answer"])
    detail = {"key": report.key, "origin": origin, "warehouse": report.warehouse}
    audit.record(act="wms_report", by=by, at=at, subject=row, text=row.text, rma=rma, detail=detail)
    return row


def _facts(
    report: Report, rma: ReturnAuthorisation, items: list[tuple[facts.InspectedItem, bool]]
) -> list[facts.ReturnFact]:
    """Receipt, then verdicts. What a fact would take for one verdict twice is stated in another fact."""
    told: list[facts.ReturnFact] = []
    if report.received_at is not None:
        parcel_id = _parcel_id(rma, report.name)
        at = report.received_at
        told.append(facts.ParcelReceived(return_id=rma.external_id, parcel_id=parcel_id, occurred_at=at))
    layers: list[dict[tuple[str, str, datetime], facts.InspectedItem]] = []
    for item, _ in items:
        identity = (item.item_id, item.disposition, item.inspected_at)
        layer = next((layer for layer in layers if identity not in layer), None)
        if layer is None:
            layer = {}
            layers.append(layer)
        layer[identity] = item
    for number, layer in enumerate(layers):
        told.append(
            facts.ItemsInspected(
                return_id=rma.external_id,
                occurred_at=max(item.inspected_at for item in layer.values()),
                source=SOURCE,
                decision_id=f"{report.key}/{number}",
                items=tuple(layer.values()),
            )
        )
    return told


def _parcel_id(rma: ReturnAuthorisation, name: str) -> str:
    """The parcel that was named by its tracking number, or the return's only one; else goods without a parcel."""
    parcels = Parcel.objects.filter(rma=rma).exclude(external_id=OWN_PARCEL)
    named = parcels.filter(tracking_number=name).first()
    if named is not None:
        return named.external_id
    ids = list(parcels.values_list("external_id", flat=True)[:2])
    return ids[0] if len(ids) == 1 else OWN_PARCEL


# --- which item of the return ---------------------------------------------------------------------------------------


def _matched(rma: ReturnAuthorisation, items: tuple[FoundItem, ...]) -> list[tuple[facts.InspectedItem, bool]]:
    """Each verdict on an item, and whether the return names it. Raises ItemsWrongError and ReturnIncompleteError."""
    lines = list(rma.lines.filter(is_withdrawn=False))
    if items and not lines:
        raise ReturnIncompleteError("The return is not known with its items yet; send the report again later.")
    problems: dict[int, str] = {}
    matched = []
    for place, item in enumerate(items):
        found = [line for line in lines if _fits(line, item)]
        if len(found) > 1:
            ids = ", ".join(line.external_id for line in found)
            problems[place] = f"several items of the return have SKU {item.sku}; name one by item_id: {ids}."
        elif not found and item.sku and any(line.external_id == item.item_id for line in lines):
            problems[place] = f"item {item.item_id} does not have SKU {item.sku}; correct one of them."
        else:
            item_id = found[0].external_id if found else item.item_id or f"sku:{item.sku}"
            matched.append((_inspected(item, item_id[:128]), bool(found)))
    if problems:
        raise ItemsWrongError(problems)
    return matched


def _fits(line: ReturnLine, item: FoundItem) -> bool:
    return item.item_id in ("", line.external_id) and item.sku in ("", line.sku)


def _inspected(item: FoundItem, item_id: str) -> facts.InspectedItem:
    return facts.InspectedItem(
        item_id=item_id,
        quantity=item.quantity,
        outcome=item.outcome,
        disposition=item.disposition,
        is_final=item.final,
        inspected_at=item.inspected_at,
        sku=item.sku,
        grade=item.grade,
        reject_reason=item.reject_reason,
        location_code=item.location_code,
        inspected_by=item.inspected_by,
    )


def _words(report: Report, items: list[tuple[facts.InspectedItem, bool]]) -> str:
    said = ["received"] if report.received_at is not None else []
    for item, is_on_return in items:
        other = "" if is_on_return else " (not on the return)"
        said.append(f"{item.quantity} x {item.sku or item.item_id}{other}: {item.disposition.replace('_', ' ')}")
    return f"Warehouse system{f' of {report.warehouse}' if report.warehouse else ''}: {'; '.join(said)}"


def _answer(rma: ReturnAuthorisation, items: list[tuple[facts.InspectedItem, bool]]) -> dict[str, Any]:
    return {
        "return": {"ref": rma.ref, "number": rma.number},
        "items": [
            {
                "item_id": item.item_id,
                "quantity": item.quantity,
                "disposition": item.disposition,
                "is_on_return": is_on_return,
            }
            for item, is_on_return in items
        ],
    }
