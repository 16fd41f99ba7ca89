"""A whole return, pulled, becomes the events of the contract that are new in it (reveni.md C6). Pure.

The pull API is assumed, so is its shape: the snapshot of C3 plus ``shipments``, ``inspections``, ``refunds``,
``exchanges``, ``credits``, ``gift_cards`` and ``risks``. Comparing with the snapshot before only saves work: every
event carries the identity of what it tells, so a return read without history, or twice, tells the same.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from connectors.mapping_targets import RETURN
from connectors.ports import Json
from returnsops import states
from returnsops.planning.keys import content_hash

Told = tuple[str, str, Any, Any]  # event type, name of its block, the block, when
ON_HOLD: Final = "on_hold"
_STATUS_EVENT: Final = {
    states.REQUESTED: "return.requested",
    states.AUTHORISED: "return.authorised",
    states.DECLINED: "return.declined",
    states.CANCELLED: "return.cancelled",
    states.EXPIRED: "return.expired",
    states.IN_TRANSIT: "return.in_transit",
    states.DELIVERED: "return.carrier_delivered",
    states.RECEIVED: "return.received",
    states.CLOSED: "return.closed",
}
_PARCEL_EVENTS: Final = frozenset({"return.in_transit", "return.carrier_delivered", "return.received"})
_REASON_EVENTS: Final = frozenset({"return.declined", "return.cancelled"})
_JUDGED: Final = frozenset({states.INSPECTED, states.CLOSED})
_RISK_EVENT: Final = {
    "hold_placed": "risk.hold_placed",
    "hold_released": "risk.hold_released",
    "charged": "risk.non_return_charged",
    "failed": "risk.charge_failed",
    "reversed": "risk.charge_reversed",
}


def previous_return(previous: Json) -> Mapping[str, Any]:
    """The return inside the document last seen, whether it was pushed or pulled; empty if there is none."""
    if not isinstance(previous, Mapping):
        return {}
    data = previous.get("data")
    inner = data.get("return") if isinstance(data, Mapping) else previous
    return inner if isinstance(inner, Mapping) else {}


def events_of_snapshot(
    document: Mapping[str, Any], *, previous: Json, account: str, received_at: datetime
) -> list[dict[str, Json]]:
    """The events a pulled return tells; at least a ``return.updated``, so that the snapshot itself is kept."""
    snapshot = {name: document[name] for name in RETURN if name in document}
    before = previous_return(previous)
    told = [*_status(document, before), *_collections(document, before)]
    if not told:
        told = [("return.updated", "", None, None)]
    moment = _text(document.get("updated_at")) or received_at.isoformat()
    return [
        {
            "id": f"{pull_id(document)}:{number}"[:128],
            "type": kind,
            "timestamp": _text(at) or moment,
            "schema_version": "1",
            "account": {"id": account},
            "data": {"return": snapshot, **({block: content} if block else {})},
        }
        for number, (kind, block, content, at) in enumerate(told)
    ]


def pull_id(document: Mapping[str, Any]) -> str:
    """Identity of one pulled state: ``pull:<return id>:<revision or hash>``."""
    revision = document.get("revision")
    is_numbered = isinstance(revision, int) and not isinstance(revision, bool)
    return f"pull:{document.get('id')}:{revision if is_numbered else content_hash(document)[:16]}"


# --- the return itself --------------------------------------------------------------------------------------------


def _status(document: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Told]:
    status = document.get("status")
    if status == before.get("status"):
        return
    if status == ON_HOLD and not _rows(document, "risks"):
        yield "risk.hold_placed", "risk", own_hold(document), None
    if before.get("status") == ON_HOLD and not _rows(document, "risks"):
        yield "risk.hold_released", "risk", own_hold(document), None
    kind = _STATUS_EVENT.get(status) if isinstance(status, str) else None
    if kind in _PARCEL_EVENTS:
        shipments = _rows(document, "shipments") or [{"id": document.get("id")}]
        if len(shipments) == 1:  # with several the status does not say which parcel it is about
            yield kind, "shipment", shipments[0], shipments[0].get("occurred_at")
    elif kind in _REASON_EVENTS:
        yield kind, "reason", document.get("reason") or {"code": "not_given"}, None
    elif kind:
        yield kind, "", None, None


def own_hold(document: Mapping[str, Any]) -> dict[str, str]:
    """The risk block of a hold that the platform shows as a status only."""
    return {"id": f"hold:{document.get('id')}"[:128], "kind": "fraud_review"}


# --- what hangs on it ---------------------------------------------------------------------------------------------


def _collections(document: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Told]:
    for shipment in _fresh(document, before, "shipments"):
        yield "return.label_created", "shipment", shipment, shipment.get("occurred_at")
    yield from _inspections(document, before)
    for refund in _fresh(document, before, "refunds"):
        if refund.get("failure"):
            yield "refund.failed", "refund", refund, None
        else:
            yield "refund.issued", "refund", refund, refund.get("issued_at")
    for exchange in _fresh(document, before, "exchanges"):
        kind = "exchange.cancelled" if exchange.get("status") == states.CANCELLED else "exchange.requested"
        yield kind, "exchange", exchange, None
    for credit in _fresh(document, before, "credits"):
        yield "credit.issued", "credit", credit, credit.get("issued_at")
    for card in _fresh(document, before, "gift_cards"):
        yield "gift_card.issued", "gift_card", card, card.get("issued_at")
    for risk in _fresh(document, before, "risks"):
        yield _risk_event(risk, document), "risk", risk, risk.get("occurred_at")


def _inspections(document: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Told]:
    """``inspections`` holds the verdicts in force, each with the revision at which it was made.

    Judged to the end, they are absolute. Before that each is a delta, whose identity needs its own revision: one
    without is left for the end, because told under the wrong revision it would count twice.
    """
    rows = _rows(document, "inspections")
    is_judged, was_judged = _text(document.get("status")) in _JUDGED, _text(before.get("status")) in _JUDGED
    if not rows or (rows == _rows(before, "inspections") and is_judged == was_judged):
        return
    if is_judged:
        yield "return.inspection_completed", "items", rows, _latest(rows)
        return
    for row in rows:
        if isinstance(row.get("revision"), int) and row not in _rows(before, "inspections"):
            yield "return.item_inspected", "items", [row], row.get("inspected_at")


def _latest(rows: list[Mapping[str, Any]]) -> str:
    return max((_text(row.get("inspected_at")) for row in rows), default="")


def _risk_event(risk: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    stage = risk.get("stage")
    if isinstance(stage, str) and stage in _RISK_EVENT:
        return _RISK_EVENT[stage]
    if risk.get("kind") == "fraud_review":
        return "risk.hold_placed" if document.get("status") == ON_HOLD else "risk.hold_released"
    return "risk.non_return_charged"


def _fresh(document: Mapping[str, Any], before: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    known = _rows(before, name)
    return [row for row in _rows(document, name) if row not in known]


def _rows(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The entries of a list; entries of another shape stay in, for the contract to complain about."""
    rows = document.get(name)
    if rows is None:
        return []
    listed = rows if isinstance(rows, list) else [rows]
    return [row if isinstance(row, Mapping) else {"id": row} for row in listed]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
