"""Exchanges, told from the wishes of a return's items: V1 has only the wish (rebound.md C2). Pure.

An item whose wish means ``exchange`` asks for one replacement, whose id is the item's. Which article is wanted V1 does
not publish; a mapping that fills ``exchanges`` may name it, and without it a person orders the replacement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from connectors.ports import Json
from connectors.rebound.milestones import Told
from connectors.rebound.prepared import rows
from returnsops import facts

EXCHANGE: Final = "exchange"


def exchanges_told(snapshot: Mapping[str, Any], before: Mapping[str, Any], *, received_at: datetime) -> list[Told]:
    """What the items ask for now, and what ``before``, the return read before, asked for and nobody wants any more."""
    wanted = {item["id"]: item for item in _wishes(snapshot)}
    named = {row.get("id"): row for row in rows(snapshot.get("exchanges"))}
    told = [
        Told(type="exchange.requested", at=received_at, block={EXCHANGE: _exchange(item, named.get(item_id, {}))})
        for item_id, item in wanted.items()
    ]
    gone = [item["id"] for item in _wishes(before) if item["id"] not in wanted]
    return [
        *told,
        *(Told(type="exchange.cancelled", at=received_at, block={EXCHANGE: {"id": one, "lines": []}}) for one in gone),
    ]


def as_wish(fact: facts.Fact) -> facts.Fact:
    """An exchange as what V1 has of it: a wish that may be taken back and made again."""
    if isinstance(fact, facts.ExchangeRequested | facts.ExchangeCancelled):
        return replace(fact, is_wish=True)
    return fact


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
