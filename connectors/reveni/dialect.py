"""Reveni's own messages (reveni.md A2), brought into the contract by the stored mapping. Pure.

Only two event names and the envelope are published; everything else comes from a mapping that somebody filled in. What
follows here is what the published meaning of Reveni's states allows to conclude (table in C7), and no more.
"""

from collections.abc import Mapping
from typing import Any, Final

from connectors.mapping import Mapped
from connectors.ports import Json
from connectors.returns_contract.snapshots import own_hold
from returnsops import states

COMPLETED: Final = "return.inspection_completed"
CHARGED: Final = "risk.non_return_charged"
# What a status of the dashboard says about all goods; "partly accepted" never says which.
OUTCOME_OF_STATUS: Final = {"accepted": "accepted", "rejected": "rejected"}
STATUS_OF_EVENT: Final = {
    "return.requested": states.REQUESTED,
    "return.authorised": states.AUTHORISED,
    "return.declined": states.DECLINED,
    "return.cancelled": states.CANCELLED,
    "return.expired": states.EXPIRED,
    "return.in_transit": states.IN_TRANSIT,
    "return.carrier_delivered": states.DELIVERED,
    "return.received": states.RECEIVED,
    COMPLETED: states.INSPECTED,
    "return.closed": states.CLOSED,
    "risk.hold_placed": "on_hold",
}


def completed_events(mapped: Mapped) -> list[dict[str, Json]]:
    """The mapped events with what follows from their type and status; holes that would need a guess stay holes."""
    derived = [STATUS_OF_EVENT[event["type"]] for event in mapped.events if event["type"] in STATUS_OF_EVENT]
    events = [_completed(event, mapped.status, derived[:1]) for event in mapped.events]
    return [*events, *(_cover(event) for event in events if _is_covered(event, mapped.status))]


def _completed(event: Mapping[str, Any], status: str, derived: list[str]) -> dict[str, Json]:
    data = dict(event["data"])
    snapshot = {**_derived(event, derived), **data.get("return", {})}
    data["return"] = snapshot
    kind = event["type"]
    if kind == COMPLETED and "items" not in data and status in OUTCOME_OF_STATUS:
        data["items"] = [_verdict(item, status) for item in snapshot.get("items", [])]
    if kind in ("return.in_transit", "return.carrier_delivered", "return.received"):
        data.setdefault("shipment", {"id": snapshot.get("id")})
    if kind in ("risk.hold_placed", "risk.hold_released"):
        data.setdefault("risk", own_hold(snapshot))
    if kind in ("return.declined", "return.cancelled"):
        data.setdefault("reason", {"code": "not_given"})
    return {**event, "data": data}


def _derived(event: Mapping[str, Any], statuses: list[str]) -> dict[str, Json]:
    """Revision 0 says that the platform gives none; the time of the message orders such snapshots.

    A hold released with the next status shares that status.
    """
    found: dict[str, Json] = {"revision": 0, "updated_at": event["timestamp"]}
    if statuses:
        found["status"] = statuses[0]
    if event["type"] == "return.requested":
        found["created_at"] = event["timestamp"]
    return found


def _verdict(item: Mapping[str, Any], status: str) -> dict[str, Json]:
    """Accepted is not sellable (reveni.md A3): the disposition stays unknown until a warehouse or a mapping says."""
    return {
        "item_id": item.get("id"),
        "sku": item.get("sku"),
        "quantity": item.get("quantity"),
        "outcome": OUTCOME_OF_STATUS[status],
        "disposition": "unknown",
        "disposition_final": False,
    }


def _is_covered(event: Mapping[str, Any], status: str) -> bool:
    """Rejected after an instant refund: Reveni covers the cost and recovers it from the shopper [HJ-R]."""
    return event["type"] == COMPLETED and status == "rejected" and event["data"]["return"].get("mode") == "instant"


def _cover(event: Mapping[str, Any]) -> dict[str, Json]:
    snapshot = event["data"]["return"]
    risk = {
        "id": f"rejected:{snapshot.get('id')}"[:128],
        "kind": "rejected_after_instant",
        "liable": "returns_platform",
    }
    return {**event, "id": f"{event['id']}:cover"[:128], "type": CHARGED, "data": {"return": snapshot, "risk": risk}}
