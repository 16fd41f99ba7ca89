"""What a parcel's words and the items' dispositions tell, as rows of events (rebound.md C2). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connectors.ports import Json, Problem
from connectors.rebound.moments import moment_of
from connectors.rebound.prepared import rows
from connectors.rebound.statuses import word_key
from connectors.returns_contract.events import UNKNOWN
from returnsops import states

AUTHORISED: Final = "return.authorised"
UPDATED: Final = "return.updated"
ITEM_INSPECTED: Final = "return.item_inspected"
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


def verdicts_told(
    document: Mapping[str, Any], inspections: list[dict[str, Json]], *, received_at: datetime
) -> list[Told]:
    """The items' verdicts: all of them as one statement once each item has one, otherwise item by item.

    V1 gives no time of a verdict. A statement of all replaces earlier ones; a verdict on its own carries the time of
    the return, which never changes, so that reading it twice is the same verdict.
    """
    known = [_verdict(row) for row in inspections if row.get("disposition") not in (None, UNKNOWN)]
    if known and len(known) == len(rows(document.get("item"))):
        return [Told(type=COMPLETED, at=received_at, block={"items": known})]
    stable = document.get("created_at") or document["read_at"]
    return [
        Told(type=ITEM_INSPECTED, at=received_at, block={"items": [{**row, "inspected_at": stable}]}) for row in known
    ]


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
