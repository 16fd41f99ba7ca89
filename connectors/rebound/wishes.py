"""Exchanges, told from the wishes of a return's items: V1 has only the wish (rebound.md C2). Pure.

An item whose wish means ``exchange`` asks for one replacement, whose id is the item's. Which article is wanted V1 does
not publish; a mapping that fills ``exchanges`` may name it, and without it a person orders the replacement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.ports import Json
from connectors.rebound.milestones import Told
from connectors.rebound.prepared import rows
from returnsops import facts

EXCHANGE: Final = "exchange"
_EVER: Final = datetime.fromtimestamp(0, UTC)


def exchanges_told(snapshot: Mapping[str, Any], before: Mapping[str, Any], *, received_at: datetime) -> list[Told]:
    """What the items ask for now, and what ``before``, the return read before, asked for and nobody wants any more."""
    asked = _asked(snapshot)
    told = [
        Told(type="exchange.requested", at=received_at, block={EXCHANGE: _exchange(item, asked[item["id"]])})
        for item in _wishes(snapshot)
    ]
    gone = [item_id for item_id in _asked(before) if item_id not in asked]
    return [
        *told,
        *(Told(type="exchange.cancelled", at=received_at, block={EXCHANGE: {"id": one, "lines": []}}) for one in gone),
    ]


def as_wish(fact: facts.Fact) -> facts.Fact:
    """An exchange as what V1 has of it: a wish that may be taken back and made again."""
    if isinstance(fact, facts.ExchangeRequested | facts.ExchangeCancelled):
        return replace(fact, is_wish=True)
    return fact


def as_found(fact: facts.Fact, *, standing: frozenset[str], before_at: datetime | None) -> facts.Fact:
    """The same where it was read: V1 gives no time of a wish, so it was made since the reading before, if there is one.

    One of ``standing`` was shown by the reading before as well.
    """
    fact = as_wish(fact)
    if not isinstance(fact, facts.ExchangeRequested):
        return fact
    # What the reading before told is older, if by nothing: a wish that it took back and that is there again is new.
    made_after = _EVER if before_at is None else before_at + timedelta.resolution
    return replace(fact, is_repeat=fact.exchange_id in standing, made_after=made_after)


def standing_wishes(snapshot: Mapping[str, Any], before: Mapping[str, Any]) -> frozenset[str]:
    """Ids of the exchanges that ``before``, the return read before, asked for already, for the same goods."""
    earlier = _asked(before)
    return frozenset(item_id for item_id, goods in _asked(snapshot).items() if earlier.get(item_id) == goods)


def _asked(snapshot: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Of each item that is to be exchanged, what the mapping names as its replacement."""
    named = {row.get("id"): row for row in rows(snapshot.get("exchanges"))}
    return {item["id"]: named.get(item["id"], {}) for item in _wishes(snapshot)}


def _wishes(snapshot: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [item for item in rows(snapshot.get("items")) if item.get("resolution") == EXCHANGE and item.get("id")]


def _exchange(item: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Json]:
    """The item's own replacement: as many units as come back, unless the mapping counts them."""
    lines = [
        {"quantity": item.get("quantity"), **line, "replaces_item_id": item["id"]}
        for line in rows(named.get("lines"))
        if line.get("sku")
    ]
    return {**named, "id": item["id"], "lines": list(_each_once(lines))}


def _each_once(lines: Sequence[Mapping[str, Json]]) -> Sequence[Mapping[str, Json]]:
    """V1 gives one answer per unit or question: the same article named twice is one line."""
    return list({str(line["sku"]): line for line in lines}.values())
