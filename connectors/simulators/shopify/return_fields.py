"""The fields of returns, their lines, reverse fulfilment orders, dispositions and reverse deliveries."""

from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.after_sales_records import Return, ReturnLine, ReverseDelivery, ReverseOrder
from connectors.simulators.shopify.amounts import Bag
from connectors.simulators.shopify.order_fields import shown
from connectors.simulators.shopify.paging import Args, Fields, attribute, connection, global_id, moment, paged
from connectors.simulators.shopify.return_mutations import reverse_orders_of
from connectors.simulators.shopify.return_processing import suggested_outcome
from connectors.simulators.shopify.state import ShopState, gid


def _refunds(shop: ShopState, found: Return) -> list[Any]:
    return [refund for refund in shop.refunds_of(found.order_id) if refund.return_id == found.id]


def _decline(shop: ShopState, found: Return, args: Args) -> dict[str, Any] | None:
    if found.decline_reason is None:
        return None
    return {"reason": found.decline_reason, "note": found.decline_note}


RETURN: Fields = {
    "id": global_id("Return"),
    "name": attribute("name"),
    "status": attribute("status"),
    "createdAt": moment("created_at"),
    "closedAt": moment("closed_at"),
    "requestApprovedAt": moment("approved_at"),
    "decline": _decline,
    "order": lambda shop, found, args: shop.orders[found.order_id],
    "totalQuantity": lambda shop, found, args: sum(line.quantity for line in found.lines),
    "returnLineItems": paged(lambda shop, found: found.lines),
    "exchangeLineItems": paged(lambda shop, found: found.exchange_lines),
    "refunds": paged(_refunds),
    "reverseFulfillmentOrders": paged(reverse_orders_of),
    "suggestedFinancialOutcome": suggested_outcome,
}


def _price(shop: ShopState, line: ReturnLine) -> tuple[Any, Bag]:
    order = shop.orders[shop.fulfilment_lines[line.fulfilment_line_id].order_id]
    own = shop.line(order, line.line_id)
    return order, Bag() if own is None else pricing.discounted_for(own, line.quantity)


def _fee(shop: ShopState, line: ReturnLine, args: Args) -> dict[str, Any] | None:
    if line.fee_percentage is None:
        return None
    order, price = _price(shop, line)
    return {
        "id": gid("RestockingFee", line.id),
        "percentage": float(line.fee_percentage),
        "amountSet": shown(order, price.times(line.fee_percentage / 100)),
    }


def _processable(shop: ShopState, line: ReturnLine, args: Args) -> int:
    """Nothing may be processed before the return is open (recorded)."""
    return line.quantity - line.processed if shop.returns[line.return_id].status == "OPEN" else 0


RETURN_LINE: Fields = {
    "id": global_id("ReturnLineItem"),
    "quantity": attribute("quantity"),
    "processedQuantity": attribute("processed"),
    "unprocessedQuantity": lambda shop, line, args: line.quantity - line.processed,
    "processableQuantity": _processable,
    "refundedQuantity": attribute("refunded"),
    "refundableQuantity": lambda shop, line, args: line.quantity - line.refunded,
    "returnReason": attribute("reason"),
    "returnReasonDefinition": lambda shop, line, args: shop.definitions.get(line.definition_id or 0),
    "returnReasonNote": lambda shop, line, args: line.note,
    "customerNote": attribute("customer_note"),
    "fulfillmentLineItem": lambda shop, line, args: shop.fulfilment_lines[line.fulfilment_line_id],
    "restockingFee": _fee,
    "withCodeDiscountedTotalPriceSet": lambda shop, line, args: shown(*_price(shop, line)),
}


def _exchanged(shop: ShopState, line: Any, args: Args) -> list[Any]:
    return [own for order in shop.orders.values() for own in order.lines if own.id in line.line_ids]


EXCHANGE_LINE: Fields = {
    "id": global_id("ExchangeLineItem"),
    "quantity": attribute("quantity"),
    "processedQuantity": attribute("processed"),
    "variantId": lambda shop, line, args: gid("ProductVariant", line.variant_id),
    "lineItems": _exchanged,
}

REASON_DEFINITION: Fields = {
    "id": global_id("ReturnReasonDefinition"),
    "handle": attribute("handle"),
    "name": attribute("name"),
    "deleted": attribute("is_deleted"),
}


def _deliveries(shop: ShopState, reverse: ReverseOrder) -> list[ReverseDelivery]:
    return [one for one in shop.reverse_deliveries.values() if one.reverse_order_id == reverse.id]


REVERSE_ORDER: Fields = {
    "id": global_id("ReverseFulfillmentOrder"),
    "status": attribute("status"),
    "order": lambda shop, reverse, args: shop.orders[reverse.order_id],
    "lineItems": paged(lambda shop, reverse: reverse.lines),
    "reverseDeliveries": paged(_deliveries),
}

REVERSE_LINE: Fields = {
    "id": global_id("ReverseFulfillmentOrderLineItem"),
    "totalQuantity": attribute("quantity"),
    "fulfillmentLineItem": lambda shop, line, args: shop.fulfilment_lines[line.fulfilment_line_id],
    "dispositions": lambda shop, line, args: list(line.dispositions),
}

DISPOSITION: Fields = {
    "id": global_id("ReverseFulfillmentOrderDisposition"),
    "type": attribute("type"),
    "quantity": attribute("quantity"),
    "createdAt": moment("created_at"),
    "location": lambda shop, disposition, args: shop.locations.get(disposition.location_id or 0),
}


def _delivered_lines(shop: ShopState, delivery: ReverseDelivery, args: Args) -> dict[str, Any]:
    lines = {line.id: line for line in shop.reverse_orders[delivery.reverse_order_id].lines}
    page = connection(delivery.lines, args, place=lambda row: row[0])
    nodes = [
        {
            "id": gid("ReverseDeliveryLineItem", number),
            "quantity": quantity,
            "reverseFulfillmentOrderLineItem": lines[line_id],
        }
        for number, line_id, quantity in page["nodes"]
    ]
    return page | {"nodes": nodes}


def _deliverable(shop: ShopState, delivery: ReverseDelivery, args: Args) -> dict[str, Any]:
    tracking = {"carrierName": None, "number": delivery.tracking_number, "url": delivery.tracking_url}
    return {
        "__typename": "ReverseDeliveryShippingDeliverable",
        "tracking": tracking if delivery.tracking_number or delivery.tracking_url else None,
        "label": {"publicFileUrl": delivery.label_url} if delivery.label_url else None,
    }


REVERSE_DELIVERY: Fields = {
    "id": global_id("ReverseDelivery"),
    "deliverable": _deliverable,
    "reverseFulfillmentOrder": lambda shop, delivery, args: shop.reverse_orders[delivery.reverse_order_id],
    "reverseDeliveryLineItems": _delivered_lines,
}
