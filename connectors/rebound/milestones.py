"""What a parcel's words and the items' dispositions tell, as rows of events (rebound.md C2). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from connectors.ports import Json, Problem
from connectors.rebound.moments import moment_of
from connectors.rebound.prepared import rows
from connectors.rebound.statuses import word_key
from connectors.returns_contract.events import UNKNOWN
from returnsops import facts, states

AUTHORISED: Final = "return.authorised"
UPDATED: Final = "return.updated"
COMPLETED: Final = "return.inspection_completed"
_PARCEL: Final = frozenset({"return.in_transit", "return.carrier_delivered", "return.received"})
_OUTCOME: Final = {"missing": "missing", "return_to_customer": "rejected"}


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event to be: its type, when, and its block, if it has one."""

    type: str
    at: datetime
    block: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Word:
    """One entry of a parcel's way."""

    word: str
    at: datetime | None
    code: str
    carrier: str
    hub: str = ""


def parcels_told(
    document: Mapping[str, Any], trackings: Any, mapping: Mapping[str, Any], *, received_at: datetime
) -> tuple[list[Told], list[Problem]]:
    """Events of all status words, oldest first; a word that the table lacks is a Problem, once."""
    table = {word_key(word): types for word, types in mapping.get("status_events", {}).items()}
    told: list[Told] = []
    unknown: dict[str, Problem] = {}
    for entry in _words(document, rows(trackings)):
        key = word_key(entry.word)
        if key not in table:
            unknown[key] = _unknown(entry)
            continue
        at = entry.at or received_at
        told += [Told(type=kind, at=at, block=_block(kind, entry, document)) for kind in table[key]]
    is_ignored = mapping.get("fallback", {}).get("unknown_status") == "ignore"
    return sorted(told, key=lambda one: one.at), [] if is_ignored else list(unknown.values())


def verdicts_told(snapshot: Mapping[str, Any], before: Mapping[str, Any], *, received_at: datetime) -> list[Told]:
    """All verdicts that V1 shows now, as one statement that replaces the earlier ones: a verdict withdrawn is gone.

    Nothing is said while no item has a verdict, nor had one in ``before``, the return read before. V1 gives no time of
    a verdict: it is that of the reading.
    """
    known = _judged(snapshot)
    if not known and not _judged(before):
        return []
    return [Told(type=COMPLETED, at=received_at, block={"items": [_verdict(row) for row in known]})]


def with_undecided(fact: facts.Fact, snapshot: Mapping[str, Any]) -> facts.Fact:
    """A statement of verdicts that also names, with no units, the items that have none: it is not finished then."""
    if not isinstance(fact, facts.InspectionCompleted):
        return fact
    named = {item.item_id for item in fact.items}
    undecided = tuple(
        facts.InspectedItem(
            item_id=row["id"],
            quantity=0,
            outcome="accepted",
            disposition=UNKNOWN,
            is_final=False,
            inspected_at=fact.occurred_at,
            sku=row["sku"],
        )
        for row in rows(snapshot.get("items"))
        if row["id"] not in named
    )
    return replace(fact, items=(*fact.items, *undecided))


def _judged(snapshot: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in rows(snapshot.get("inspections")) if row.get("disposition") not in (None, UNKNOWN)]


def _verdict(row: Mapping[str, Json]) -> dict[str, Json]:
    """Accepted, unless the disposition or the mapping says otherwise."""
    return {"outcome": _OUTCOME.get(str(row["disposition"]), "accepted"), **row}


def _words(document: Mapping[str, Any], trackings: list[Mapping[str, Any]]) -> Iterator[_Word]:
    """The way of each parcel, and the return's current word where its parcel's way does not show it yet."""
    carrier = _text(document.get("carrier"))
    shown = set()
    for tracking in trackings:
        code = _text(tracking.get("tracking_code"))
        for row in rows(tracking.get("track")):
            shown.add(word_key(row.get("status")))
            named = _text(tracking.get("carrier_name")) or carrier
            place = row.get("location")
            hub = _text(place.get("city")) if isinstance(place, Mapping) else ""
            yield _Word(word=_text(row.get("status")), at=moment_of(row.get("dt")), code=code, carrier=named, hub=hub)
    current = _text(document.get("current_tracking_status"))
    if current and word_key(current) not in shown:
        changed_at = moment_of(document.get("tracking_last_update"))
        yield _Word(word=current, at=changed_at, code=_text(document.get("tracking")), carrier=carrier)


def _block(kind: str, entry: _Word, document: Mapping[str, Any]) -> dict[str, Json]:
    if kind not in _PARCEL:
        return {}
    shipment = {"id": entry.code or _text(document.get("id")), "carrier": entry.carrier, "tracking_number": entry.code}
    return {"shipment": {**shipment, "hub": entry.hub} if kind == "return.received" else shipment}


def _unknown(entry: _Word) -> Problem:
    text = f"unknown tracking status {entry.word[:60]!r}: add what it means to status_events of the mapping."
    detail = {"where": "status_events", "tracking": entry.code}
    return Problem(case_kind=states.CASE_UNMAPPED_EVENT, text=text, detail=detail)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
