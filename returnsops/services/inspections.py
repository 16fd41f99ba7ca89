"""Verdicts into rows (reveni.md C4: deltas by identity, absolute ones supersede)."""

from dataclasses import replace
from typing import Any

from returnsops import facts
from returnsops.models import Inspection, ReturnAuthorisation
from returnsops.planning.keys import content_hash

from .returns import reach

NEVER = (-1, False, "")
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


def _store(
    rma: ReturnAuthorisation,
    item: facts.InspectedItem,
    *,
    source: str,
    revision: int,
    decision: str,
    statement: str = "",
    is_absolute: bool = False,
) -> None:
    identity = content_hash([source, revision, item.item_id, item.disposition, item.inspected_at.isoformat(), decision])
    said = _said(item)
    row, is_new = Inspection.objects.get_or_create(
        rma=rma,
        identity=identity,
        defaults={
            "line": rma.lines.filter(external_id=item.item_id).first(),
            "item_external_id": item.item_id,
            "source": source,
            "revision": revision,
            "is_absolute": is_absolute,
            "statement": statement,
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


def _weight(said: dict[str, Any]) -> tuple[str, str]:
    """Free text weighs last: it is redacted with age, and what counts must stay what counted."""
    rest = {name: value for name, value in said.items() if name != "reject_reason"}
    return content_hash(rest), said["reject_reason"]


def _said(item: facts.InspectedItem) -> dict[str, Any]:
    """What a verdict says beyond its identity."""
    return {
        "quantity": item.quantity,
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
    rows = list(rma.inspections.filter(source=source).exclude(statement=UNDONE))
    newest = max((_rank(row) for row in rows if row.is_absolute), default=NEVER)
    stated = [row for row in rows if row.statement]
    for row in rows:
        of_item = [_rank(one) for one in stated if one.item_external_id == row.item_external_id]
        is_superseded = _rank(row) < max([newest, *of_item])
        if row.is_superseded != is_superseded:
            row.is_superseded = is_superseded
            row.save(update_fields=["is_superseded"])


def _rank(row: Inspection) -> tuple[int, bool, str]:
    return (row.revision, bool(row.statement), row.statement)
