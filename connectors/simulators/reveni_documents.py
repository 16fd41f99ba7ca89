"""The documents a simulated Reveni keeps and shows: returns, what hangs on them, and both dialects of its messages.

The contract (reveni.md C) and the inside of ``object`` in the vendor's own dialect (A2) are assumed: no vendor
publishes them. Here ``object`` holds the answer of the assumed pull API.
"""

from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

COLLECTIONS = ("shipments", "inspections", "refunds", "exchanges", "credits", "gift_cards", "risks")
RETURN_DAYS = 30

# Words of the dashboard and the list call [HJ-T], [MCP] for our statuses.
A2_STATUS = {
    "requested": "in_progress",
    "authorised": "in_progress",
    "in_transit": "shipped",
    "delivered": "shipped",
    "received": "received",
    "inspecting": "for_review",
    "on_hold": "on_hold",
    "closed": "completed",
    "declined": "rejected",
    "cancelled": "cancelled",
    "expired": "expired",
}


def new_return(
    *,
    return_id: str,
    number: str,
    order_id: str,
    order_number: str,
    items: list[dict[str, Any]],
    currency: str,
    mode: str,
    resolution: str,
    email: str,
    channel: str,
    now: datetime,
) -> dict[str, Any]:
    """A return at revision 1, with empty lists; items get ids and the contract's defaults."""
    moment = stamp(now)
    whole = [_item(item, position, resolution) for position, item in enumerate(items, 1)]
    return {
        "id": return_id,
        "number": number,
        "revision": 1,
        "status": "requested",
        "mode": mode,
        "resolution": resolution,
        "order": {"id": order_id, "number": order_number, "channel": channel or None},
        "customer": {"id": None, "email": email or None},
        "currency": currency,
        "items": whole,
        "totals": _totals(whole),
        "return_by": stamp(now + timedelta(days=RETURN_DAYS)),
        "created_at": moment,
        "updated_at": moment,
        **{name: [] for name in COLLECTIONS},
    }


def stamp(moment: datetime) -> str:
    """A moment as the contract writes it."""
    return moment.isoformat().replace("+00:00", "Z")


def snapshot_of(document: dict[str, Any]) -> dict[str, Any]:
    """The return without what hangs on it (C3): what a webhook carries and the list shows."""
    return deepcopy({name: value for name, value in document.items() if name not in COLLECTIONS})


def contract_event(
    *, event_id: str, type: str, document: dict[str, Any], block: dict[str, Any], account_id: str, now: datetime
) -> dict[str, Any]:
    """One event of the contract (C2); ``block`` is what the type adds to ``data``."""
    return {
        "id": event_id,
        "type": type,
        "timestamp": stamp(now),
        "schema_version": "1",
        "account": {"id": account_id},
        "data": {"return": snapshot_of(document), **deepcopy(block)},
    }


def a2_event(
    *, event_id: str, document: dict[str, Any], is_first: bool, has_object: bool, now: datetime
) -> dict[str, Any]:
    """One message as Reveni documents it [RM-S]; without ``has_object`` only what is published is in it."""
    return {
        "id": event_id,
        "event": "return.created" if is_first else "return.updated",
        "created": int(now.timestamp()),
        "data": {
            "amount": f"{Decimal(document['totals']['refund']):.4f}",
            "status": a2_status(document),
            "currency": document["currency"],
            "resource": "return",
            "resource_id": document["id"],
            "object": deepcopy(document) if has_object else {},
        },
    }


def a2_status(document: dict[str, Any]) -> str:
    """The vendor's word for the state; a finished inspection is told by its verdicts."""
    if document["status"] != "inspected":
        return A2_STATUS[document["status"]]
    outcomes = {verdict["outcome"] for verdict in document["inspections"]}
    if outcomes == {"accepted"}:
        return "accepted"
    return "partly_accepted" if "accepted" in outcomes else "rejected"


def verdict(given: dict[str, Any], *, document: dict[str, Any], now: datetime) -> dict[str, Any]:
    """One inspected item with the contract's defaults: accepted, final, judged now."""
    item: dict[str, Any] = next((item for item in document["items"] if item["id"] == given["item_id"]), {})
    return {
        "sku": item.get("sku"),
        "quantity": item.get("quantity", 1),
        "outcome": "accepted",
        "grade": None,
        "disposition": "sellable",
        "disposition_final": True,
        "reject_reason": None,
        "location_code": None,
        "inspected_at": stamp(now),
        "inspected_by": "wh-1",
        **given,
        "revision": document["revision"],
    }


def without_revision(verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Verdicts as an event shows them: the revision is the event's own there."""
    return [{name: value for name, value in row.items() if name != "revision"} for row in verdicts]


def _item(given: dict[str, Any], position: int, resolution: str) -> dict[str, Any]:
    quantity = int(given.get("quantity", 1))
    unit_price = Decimal(str(given.get("unit_price", "10.00")))
    discount = Decimal(str(given.get("discount", "0.00")))
    return {
        "id": f"rit_{position}",
        "order_line_id": None,
        "variant_id": None,
        "name": given.get("sku"),
        "reason_code": "too_small",
        "reason_text": None,
        "resolution": "refund" if resolution in ("mixed", "none") else resolution,
        "tax": "0.00",
        "total": f"{quantity * unit_price - discount}",
        **given,
        "quantity": quantity,
        "unit_price": f"{unit_price}",
        "discount": f"{discount}",
    }


def _totals(items: list[dict[str, Any]]) -> dict[str, str]:
    def total(name: str, resolutions: tuple[str, ...]) -> str:
        return f"{sum((Decimal(i[name]) for i in items if i['resolution'] in resolutions), Decimal('0.00'))}"

    every = ("refund", "exchange", "store_credit", "gift_card", "none")
    return {
        "items": total("total", every),
        "tax": total("tax", every),
        "shipping": "0.00",
        "fees": "0.00",
        "bonus": "0.00",
        "refund": total("total", ("refund",)),
        "exchange": total("total", ("exchange",)),
        "credit": total("total", ("store_credit", "gift_card")),
    }
