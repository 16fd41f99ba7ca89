"""Deliveries by a middleware: events of the contract, or its own messages through the mapping's ``webhooks``. Pure.

V1 sends none and is read as well, so that one thing is told twice. What a middleware says therefore takes the
identities of what is read: an item is the n-th of its SKU, an exchange has the id of the item it replaces, a parcel
its tracking number, and times order what revisions cannot, because V1 has none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from connectors.mapping import apply_mapping
from connectors.mapping_validation import WEBHOOKS, mapping_problems
from connectors.ports import Json, Normalised, Payload, Problem
from connectors.rebound.names import names_of, plain
from connectors.rebound.prepared import rows
from connectors.rebound.wishes import as_wish
from connectors.returns_contract.snapshots import events_of_snapshot
from connectors.returns_contract.statements import from_events
from returnsops import facts, states

EXCHANGE: Final = "exchange"
_UNTOLD: Final = {"revision": 0, "status": states.REQUESTED, "mode": "on_receipt"}
_PARCEL: Final = frozenset({"return.in_transit", "return.carrier_delivered", "return.received"})
_ENDED: Final = frozenset({"return.declined", "return.cancelled"})
Judged = facts.ItemsInspected | facts.InspectionCompleted


def heard(payload: Payload, document: Mapping[str, Any]) -> Normalised:
    """What one delivery says. Never raises for what a sender wrote."""
    own = payload.mapping.get(WEBHOOKS)
    if own is None:
        return _said([document], payload, is_translated=False)
    complaints = mapping_problems(own)
    if complaints:
        return Normalised(problems=(_unmapped(f"The stored mapping of the webhooks cannot be used: {complaints[0]}"),))
    mapped = apply_mapping(own, document=document, previous=payload.previous, account=payload.account)
    events = [_whole(event) for event in mapped.events]
    if mapped.snapshot is not None:
        events = _of_snapshot(mapped.snapshot, payload)
    made = _said(events, payload, is_translated=True)
    problems = (*mapped.problems, *made.problems)
    if problems and own.get("fallback", {}).get("missing_items") == "fetch":
        problems = tuple(_to_read(problem, events) for problem in problems)
    return replace(made, problems=problems, ignored_because=mapped.ignored_because)


def _said(events: Sequence[Json], payload: Payload, *, is_translated: bool) -> Normalised:
    """The facts of events of the contract, called as V1's are."""
    named = [_named(event) if isinstance(event, Mapping) else event for event in events]
    unclear = tuple(_unclear(event) for event in named if _is_unclear(event))
    clear = [event for event in named if not _is_unclear(event)]
    made = from_events(clear, is_translated=is_translated, rests_on_order=is_translated)
    said = tuple(one for fact in made.facts for one in _as_read(fact, made.facts, at=payload.received_at))
    return replace(made, facts=said, problems=(*unclear, *made.problems))


# --- through the mapping ------------------------------------------------------------------------------------------


def _of_snapshot(snapshot: Mapping[str, Any], payload: Payload) -> list[Json]:
    """A whole return tells what is in it every time; statements have their identity, so that repeats add nothing."""
    found = [{"revision": 0, **row} for row in rows(snapshot.get("inspections")) if row.get("disposition")]
    whole = {**_UNTOLD, **snapshot, "inspections": found}  # an item without a word has no verdict yet
    events = events_of_snapshot(whole, previous=None, account=payload.account, received_at=payload.received_at)
    return list(events)


def _whole(event: Mapping[str, Any]) -> dict[str, Json]:
    """A mapped event with what follows from its type; what would be a guess stays a hole."""
    data, kind = _block(event.get("data")), event.get("type")
    snapshot = {**_UNTOLD, "updated_at": event.get("timestamp"), **_block(data.get("return"))}
    added: dict[str, Json] = {}
    if kind in _PARCEL:
        added["shipment"] = {"id": snapshot.get("id")}
    if kind in _ENDED:
        added["reason"] = {"code": "not_given"}
    return {**event, "data": {**added, **data, "return": snapshot}}


def _to_read(problem: Problem, events: Sequence[Mapping[str, Any]]) -> Problem:
    """The return to read from V1 instead, where the message names it."""
    named = [plain(_block(_block(event.get("data")).get("return")).get("id")) for event in events]
    wanted = {"read_return": named[0]} if named and named[0] else {}
    return replace(problem, detail={**problem.detail, **wanted})


def _unmapped(text: str) -> Problem:
    return Problem(case_kind=states.CASE_UNMAPPED_EVENT, text=text, detail={"where": WEBHOOKS})


# --- the names that reading gives ---------------------------------------------------------------------------------


def _named(event: Mapping[str, Any]) -> Mapping[str, Json]:
    """The event with V1's names for items, exchange and parcel; one the contract refuses anyway is left as it is."""
    data = _block(event.get("data"))
    snapshot = _block(data.get("return"))
    items = rows(snapshot.get("items"))
    given = [item["id"] for item in items if isinstance(item.get("id"), str)]
    if not items or items != snapshot.get("items") or len(set(given)) < len(given):
        return event
    names = names_of(snapshot.get("id"), items, sku="sku")
    renamed = [{**item, "id": name} for item, name in zip(items, names, strict=True)]
    known = {item["id"]: name for item, name in zip(items, names, strict=True) if isinstance(item.get("id"), str)}
    blocks = {"return": {**snapshot, "items": renamed}, **_blocks(data, known, renamed)}
    return {**event, "data": {**data, **blocks}}


def _blocks(data: Mapping[str, Any], known: Mapping[str, str], items: Sequence[Mapping[str, Any]]) -> dict[str, Json]:
    """The event's own blocks, where they are what they should be, with these names."""
    found: dict[str, Json] = {}
    if isinstance(data.get("items"), list):
        found["items"] = [_verdict(row, known, items) if isinstance(row, Mapping) else row for row in data["items"]]
    refund, exchange, parcel = (data.get(name) for name in ("refund", EXCHANGE, "shipment"))
    if isinstance(refund, Mapping) and isinstance(refund.get("items"), list):
        paid = [_pointing(row, "item_id", known) for row in refund["items"]]
        found["refund"] = {**refund, "items": paid}
    if isinstance(exchange, Mapping):
        found[EXCHANGE] = _exchange(exchange, known, items)
    if isinstance(parcel, Mapping):
        found["shipment"] = {**parcel, "id": plain(parcel.get("tracking_number")) or parcel.get("id")}
    return found


def _pointing(row: Json, field: str, known: Mapping[str, str]) -> Json:
    """A row that points at an item; at one that the return does not have it goes on pointing."""
    is_told = isinstance(row, Mapping) and isinstance(row.get(field), str)
    return {**row, field: known.get(row[field], row[field])} if is_told else row


def _verdict(row: Mapping[str, Any], known: Mapping[str, str], items: Sequence[Mapping[str, Any]]) -> Json:
    """A verdict that names no item is about the only one of its SKU."""
    of_sku = [item["id"] for item in items if plain(item.get("sku")) == plain(row.get("sku"))]
    if row.get("item_id") is None and len(of_sku) == 1:
        return {**row, "item_id": of_sku[0]}
    return _pointing(row, "item_id", known)


def _exchange(
    block: Mapping[str, Any], known: Mapping[str, str], items: Sequence[Mapping[str, Any]]
) -> dict[str, Json]:
    """The exchange under the id of the one item it replaces, None where it is not clear which that is."""
    lines = [_pointing(line, "replaces_item_id", known) for line in rows(block.get("lines"))]
    every = [item["id"] for item in items]
    named = {line["replaces_item_id"] for line in lines if line.get("replaces_item_id") in every}
    wished = {item["id"] for item in items if item.get("resolution") == EXCHANGE}
    meant = {block.get("id")} & set(every) or named or wished or set(every)
    return {**block, "id": next(iter(meant)) if len(meant) == 1 else None, "lines": lines}


def _is_unclear(event: Json) -> bool:
    """An exchange of which nobody can say which item it is for: it could be placed twice."""
    if not isinstance(event, Mapping) or not str(event.get("type")).startswith(f"{EXCHANGE}."):
        return False
    exchange = _block(event.get("data")).get(EXCHANGE)
    return isinstance(exchange, Mapping) and exchange.get("id", "") is None


def _unclear(event: Mapping[str, Any]) -> Problem:
    return _unmapped(
        f"{event['type']}: the message does not say which one item the exchange replaces. Have the middleware send an "
        "event for each item, with replaces_item_id in its lines. What V1 shows as the item's wish counts all the same."
    )


# --- times instead of revisions -----------------------------------------------------------------------------------


def _as_read(fact: facts.Fact, told: Sequence[facts.Fact], *, at: datetime) -> Iterator[facts.Fact]:
    """The fact as reading V1 would tell it: ordered by time, and nothing is later than the moment we heard of it."""
    fact = replace(fact, occurred_at=min(fact.occurred_at, at))
    if isinstance(fact, facts.ReturnSeen):
        snapshot = replace(fact.snapshot, revision=0, updated_at=min(fact.snapshot.updated_at, at))
        yield replace(fact, snapshot=snapshot, revision=0)
    elif isinstance(fact, Judged):
        yield from _verdicts(fact, _single(told))
    else:
        yield as_wish(fact)


def _single(told: Sequence[facts.Fact]) -> set[str]:
    """Items of one unit: of these V1 shows verdicts too."""
    snapshots = [fact.snapshot for fact in told if isinstance(fact, facts.ReturnSeen)]
    return {item.item_id for snapshot in snapshots for item in snapshot.items if item.quantity == 1}


def _verdicts(fact: Judged, single: set[str]) -> Iterator[facts.Fact]:
    """A verdict on one unit is all there is to say of it, whoever says it: the newest counts, read or heard.

    Of several units V1 says nothing (rebound.md C2); what is heard of them stands beside what is read, whatever the
    time, and adds up or is replaced as the contract says. A revision above V1's 0 does that.
    """
    one = tuple(item for item in fact.items if item.item_id in single)
    rest = tuple(item for item in fact.items if item.item_id not in single)
    is_whole = isinstance(fact, facts.InspectionCompleted)
    if one or not rest:
        yield replace(fact, items=one, revision=0, is_all_of_items=True)
    if rest:
        yield replace(fact, items=rest, revision=max(fact.revision, 1), is_all_of_items=is_whole)


def _block(value: Json) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
