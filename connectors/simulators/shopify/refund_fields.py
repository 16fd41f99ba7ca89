"""The fields of refunds, with their lines and adjustments."""

from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.order_fields import shown
from connectors.simulators.shopify.paging import (
    Args,
    Fields,
    attribute,
    connection,
    global_id,
    legacy_id,
    moment,
    paged,
)
from connectors.simulators.shopify.records import Refund
from connectors.simulators.shopify.state import ShopState, gid


def _postage(shop: ShopState, refund: Refund, args: Args) -> dict[str, Any]:
    order = shop.orders[refund.order_id]
    lines = order.shipping_lines[:1] if refund.shipping.presentment else []
    page = connection(lines, args)
    nodes = [
        {
            "id": gid("RefundShippingLine", refund.id),
            "shippingLine": line,
            "subtotalAmountSet": shown(order, refund.shipping),
            "taxAmountSet": shown(order, refund.shipping_tax),
        }
        for line in page["nodes"]
    ]
    return page | {"nodes": nodes}


def _duties(shop: ShopState, refund: Refund, args: Args) -> list[dict[str, Any]]:
    order = shop.orders[refund.order_id]
    known = {duty.id: duty for line in order.lines for duty in line.duties}
    return [{"amountSet": shown(order, bag), "originalDuty": known.get(number)} for number, bag in refund.duties]


REFUND: Fields = {
    "refundShippingLines": _postage,
    "duties": _duties,
    "id": global_id("Refund"),
    "legacyResourceId": legacy_id,
    "note": lambda shop, refund, args: refund.note,
    "createdAt": moment("created_at"),
    "updatedAt": moment("created_at"),
    "order": lambda shop, refund, args: shop.orders[refund.order_id],
    "return": lambda shop, refund, args: shop.returns.get(refund.return_id or 0),
    "staffMember": lambda shop, refund, args: shop.staff.get(refund.staff_id or 0),
    "totalRefundedSet": lambda shop, refund, args: shown(
        shop.orders[refund.order_id], pricing.refund_total(shop, refund)
    ),
    "refundLineItems": paged(lambda shop, refund: refund.lines),
    "orderAdjustments": paged(lambda shop, refund: refund.adjustments),
    "transactions": paged(lambda shop, refund: [shop.transactions[one] for one in refund.transaction_ids]),
}


def _order(shop: ShopState, record: Any) -> Any:
    return shop.orders[record.order_id]


REFUND_LINE: Fields = {
    "id": global_id("RefundLineItem"),
    "quantity": attribute("quantity"),
    "restockType": attribute("restock_type"),
    "restocked": attribute("is_restocked"),
    "lineItem": lambda shop, line, args: shop.line(_order(shop, line), line.line_id),
    "location": lambda shop, line, args: shop.locations.get(line.location_id or 0),
    "subtotalSet": lambda shop, line, args: shown(_order(shop, line), line.subtotal),
    "totalTaxSet": lambda shop, line, args: shown(_order(shop, line), line.tax),
}

ADJUSTMENT: Fields = {
    "id": global_id("OrderAdjustment"),
    "reason": attribute("reason"),
    "amountSet": lambda shop, adjustment, args: shown(_order(shop, adjustment), adjustment.amount),
    "taxAmountSet": lambda shop, adjustment, args: shown(_order(shop, adjustment), adjustment.tax),
}


STAFF: Fields = {"id": global_id("StaffMember"), "name": attribute("name"), "email": attribute("email")}
