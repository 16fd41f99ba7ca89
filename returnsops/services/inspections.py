"""Verdicts into rows (reveni.md C4: deltas by identity, absolute ones supersede; a recount does for its item)."""

from dataclasses import replace
from typing import Any

from returnsops import facts
from returnsops.models import Inspection, ReturnAuthorisation
from returnsops.planning.keys import content_hash

from .returns import reach

NEVER = (-1, False, "")
WAREHOUSE = "warehouse"
UNDONE = "undone"  # statement of a verdict that a person took back; it never counts again


def apply_deltas(*, rma: ReturnAuthorisation, fact: facts.ItemsInspected) -> None:
    """Add verdicts on some units; each is identified by (source, revision, item, disposition, inspected_at).

    Those that are all of their items supersede what was said of these before.
    """
    reach(rma=rma, milestone="inspecting_at", at=fact.occurred_at)
    if fact.is_all_of_items:
        _state(rma, fact)
    else:
        for item in fact.items:
            _store(rma, item, source=fact.source, revision=fact.revision, decision=fact.decision_id)
    _supersede(rma, source=fact.source)


def apply_completed(*, rma: ReturnAuthorisation, fact: facts.InspectionCompleted) -> None:
    """The whole judgement of one source, finished unless it names an item on which nothing is decided."""
    is_finished = all(item.quantity for item in fact.items)
    reach(rma=rma, milestone="inspected_at" if is_finished else "inspecting_at", at=fact.occurred_at)
    _state(rma, fact)
    _supersede(rma, source=fact.source)


def _state(rma: ReturnAuthorisation, fact: facts.ItemsInspected | facts.InspectionCompleted) -> None:
    """Verdicts of one statement, known by its time and content, of the whole return or of the items it names."""
    said = [repr(replace(item, reject_reason="")) for item in fact.items]  # free text goes with age, see purging.py
    statement = f"{fact.occurred_at.isoformat()}/{content_hash(said)}"
    for position, item in enumerate(fact.items):
        _store(
            rma,
            item,
            source=fact.source,
            revision=fact.revision,
            decision=f"{statement}/{position}",
            statement=statement,
            is_absolute=not fact.is_all_of_items,
        )


def apply_recount(*, rma: ReturnAuthorisation, fact: facts.ItemRecounted) -> None:
    """All units of one item as a person counted them again, instead of whatever was said of it."""
    reach(rma=rma, milestone="inspecting_at", at=fact.occurred_at)
    statement = f"{fact.occurred_at.isoformat()}/{content_hash([repr(item) for item in fact.items])}"
    for position, item in enumerate(fact.items):
        decision = f"{statement}/{position}"
        _store(rma, item, source=WAREHOUSE, revision=0, decision=decision, statement=statement, is_recount=True)
    supersede_recounted(rma)


def supersede_recounted(rma: ReturnAuthorisation) -> None:
    """Of what our warehouse said of an item, only its newest recount counts, with the verdicts that came after it.

    A recount that is taken back leaves what was said before it.
    """
    rows = list(rma.inspections.filter(source=WAREHOUSE).exclude(statement=UNDONE))
    newest = {row.item_external_id: row for row in sorted(rows, key=lambda row: row.statement) if row.is_recount}
    for row in rows:
        last = newest.get(row.item_external_id)
        _mark(row, is_superseded=last is not None and _is_before(row, last))


def _is_before(row: Inspection, last: Inspection) -> bool:
    return row.statement != last.statement if row.is_recount else row.inspected_at <= last.inspected_at


def _mark(row: Inspection, *, is_superseded: bool) -> None:
    if row.is_superseded != is_superseded:
        row.is_superseded = is_superseded
        row.save(update_fields=["is_superseded"])


def _store(
    rma: ReturnAuthorisation,
    item: facts.InspectedItem,
    *,
    source: str,
    revision: int,
    decision: str,
    statement: str = "",
    is_absolute: bool = False,
    is_recount: bool = False,
) -> None:
    identity = content_hash([source, revision, item.item_id, item.disposition, item.inspected_at.isoformat(), decision])
    said = _said(item)
    row, is_new = Inspection.objects.get_or_create(
        rma=rma,
        identity=identity,
        defaults={
            "line": rma.lines.filter(external_id=item.item_id, is_withdrawn=False).first(),
            "item_external_id": item.item_id,
            "source": source,
            "revision": revision,
            "is_absolute": is_absolute,
            "statement": statement,
            "is_recount": is_recount,
            "disposition": item.disposition,
            "inspected_at": item.inspected_at,
            **said,
        },
    )
    if not is_new and _weight(said) > _weight({name: getattr(row, name) for name in said}):
        # One identity with two contents contradicts itself; which one counts must not depend on arrival.
        for name, value in said.items():
            setattr(row, name, value)
        row.save(update_fields=list(said))


def _weight(said: dict[str, Any]) -> tuple[str, str, str]:
    """Free text weighs last: it is redacted with age, and what counts must stay what counted."""
    rest = {name: value for name, value in said.items() if name not in ("sku", "reject_reason")}
    return content_hash(rest), said["sku"], said["reject_reason"]


def _said(item: facts.InspectedItem) -> dict[str, Any]:
    """What a verdict says beyond its identity."""
    return {
        "quantity": item.quantity,
        "sku": item.sku,
        "outcome": item.outcome,
        "is_final": item.is_final,
        "grade": item.grade,
        "reject_reason": item.reject_reason[:300],
        "location_code": item.location_code,
        "inspected_by": item.inspected_by,
    }


def _supersede(rma: ReturnAuthorisation, *, source: str) -> None:
    """Only the newest absolute judgement of a source counts, with the deltas that came after it.

    So does, for an item, the newest statement that is all of it. Newest by (revision, time of the statement, content),
    never by arrival.
    """
    if source == WAREHOUSE:
        supersede_recounted(rma)
        return
    rows = list(rma.inspections.filter(source=source).exclude(statement=UNDONE))
    newest = max((_rank(row) for row in rows if row.is_absolute), default=NEVER)
    stated = [row for row in rows if row.statement]
    for row in rows:
        of_item = [_rank(one) for one in stated if one.item_external_id == row.item_external_id]
        _mark(row, is_superseded=_rank(row) < max([newest, *of_item]))


def _rank(row: Inspection) -> tuple[int, bool, str]:
    return (row.revision, bool(row.statement), row.statement)
