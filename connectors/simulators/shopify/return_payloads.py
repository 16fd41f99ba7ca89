"""Webhook bodies of returns and reverse logistics (shopify.md section 13)."""

from typing import Any

from connectors.simulators.shopify.after_sales_records import (
    Disposition,
    Return,
    ReturnLine,
    ReverseDelivery,
    ReverseLine,
)
from connectors.simulators.shopify.state import ShopState, gid


def _identity(kind: str, number: int) -> dict[str, Any]:
    return {"id": number, "admin_graphql_api_id": gid(kind, number)}


def return_body(shop: ShopState, found: Return, topic: str) -> dict[str, Any]:
    """The body of one topic: long for request and approve, a few words for the rest, no number for update."""
    order = _identity("Order", found.order_id)
    if topic in ("returns/request", "returns/approve"):
        return {
            **_identity("Return", found.id),
            "status": found.status.lower(),
            "name": found.name,
            "order": order,
            "total_return_line_items": len(found.lines),
            "return_line_items": [_line_body(line) for line in found.lines],
            "return_shipping_fees": [],
            "exchange_line_items": [_identity("ExchangeLineItem", line.id) for line in found.exchange_lines],
            "total_exchange_line_items": len(found.exchange_lines),
        }
    if topic == "returns/decline":
        decline = {"reason": (found.decline_reason or "").lower(), "note": found.decline_note}
        return {**_identity("Return", found.id), "status": "declined", "order": order, "decline": decline}
    if topic == "returns/update":
        return {
            "admin_graphql_api_id": gid("Return", found.id),
            "return_line_items": {"removals": []},
            "restocking_fees": {"updates": [], "removals": []},
            "return_shipping_fees": {"updates": [], "removals": []},
        }
    return {**_identity("Return", found.id), "order_id": found.order_id, "status": found.status.lower()}


def _line_body(line: ReturnLine) -> dict[str, Any]:
    sent = _identity("FulfillmentLineItem", line.fulfilment_line_id)
    return {
        **_identity("ReturnLineItem", line.id),
        "quantity": line.quantity,
        "return_reason": line.reason.lower(),
        "return_reason_note": line.note,
        "customer_note": line.customer_note,
        "fulfillment_line_item": sent | {"line_item": _identity("LineItem", line.line_id)},
    }


def tell_return(shop: ShopState, found: Return, topic: str) -> None:
    """Fire one topic of a return."""
    shop.emit(topic, return_body(shop, found, topic), "")


def tell_disposal(shop: ShopState, reverse_order_id: int, disposed: list[tuple[ReverseLine, Disposition]]) -> None:
    """reverse_fulfillment_orders/dispose."""
    body = {
        **_identity("ReverseFulfillmentOrder", reverse_order_id),
        "dispositions": [
            {
                "type": disposition.type.lower(),
                "quantity": disposition.quantity,
                "location": disposition.location_id and _identity("Location", disposition.location_id),
                "reverse_fulfillment_order_line_item": _identity("ReverseFulfillmentOrderLineItem", line.id),
                "reverse_delivery_line_item": None,
            }
            for line, disposition in disposed
        ],
        "total_dispositions": len(disposed),
    }
    shop.emit("reverse_fulfillment_orders/dispose", body, "")


def tell_delivery(shop: ShopState, delivery: ReverseDelivery) -> None:
    """reverse_deliveries/attach_deliverable: identities only, the rest is to be read again."""
    body = {
        **_identity("ReverseDelivery", delivery.id),
        "reverse_fulfillment_order": _identity("ReverseFulfillmentOrder", delivery.reverse_order_id),
    }
    shop.emit("reverse_deliveries/attach_deliverable", body, "")
