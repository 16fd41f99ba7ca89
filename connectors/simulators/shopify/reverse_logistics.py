"""Parcels on their way back, and what becomes of the goods (shopify.md section 8.2)."""

from collections.abc import Sequence
from typing import Any

from connectors.simulators.shopify import inventory
from connectors.simulators.shopify.after_sales_records import Disposition, ReverseDelivery, ReverseLine, ReverseOrder
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.records import Change, Variant
from connectors.simulators.shopify.refusals import Refused, problem, refuse_all
from connectors.simulators.shopify.return_payloads import tell_delivery, tell_disposal
from connectors.simulators.shopify.state import ShopState, number_of, typed_number


def dispose(shop: ShopState, args: Args) -> dict[str, Any]:
    """reverseFulfillmentOrderDispose: lines of one reverse fulfilment order only."""
    given = args["dispositionInputs"]
    if not given:
        raise Refused(["dispositionInputs"], "The array cannot be empty.", "BLANK")
    lines = [_line_with_order(shop, one["reverseFulfillmentOrderLineItemId"]) for one in given]
    orders = {found[0].id for found in lines if found is not None}
    if len(orders) != 1 or None in lines:
        message = "Cannot dispose items from more than one reverse fulfillment order."
        raise Refused(["dispositionInputs"], message, "INVALID")
    check_dispositions(shop, given, ["dispositionInputs"])
    return {"reverseFulfillmentOrderLineItems": apply_dispositions(shop, given)}


def check_dispositions(shop: ShopState, given: Sequence[Args], path: list[str]) -> None:
    """Refuse what cannot be: restock of a line without variant, an unknown place, more units than came."""
    problems: list[dict[str, Any]] = []
    asked: dict[int, int] = {}
    for index, one in enumerate(given):
        found = _line_with_order(shop, one["reverseFulfillmentOrderLineItemId"])
        here = [*path, str(index)]
        if found is None:
            field = [*here, "reverseFulfillmentOrderLineItemId"]
            problems.append(problem(field, "Reverse fulfillment order line item not found.", "NOT_FOUND"))
            continue
        line = found[1]
        location_id = typed_number("Location", one["locationId"]) if one.get("locationId") else 0
        is_restock = one["dispositionType"] == "RESTOCKED"
        if is_restock and _variant(shop, line) is None:
            message = "RESTOCKED is an invalid disposition type for a custom line item."
            problems.append(problem([*here, "dispositionType"], message, "INVALID"))
        if (is_restock or one.get("locationId")) and location_id not in shop.locations:
            problems.append(problem([*here, "locationId"], "Location not found.", "NOT_FOUND"))
        asked[line.id] = asked.get(line.id, 0) + one["quantity"]
        if asked[line.id] > line.quantity - sum(disposition.quantity for disposition in line.dispositions):
            message = "Quantity is greater than the quantity that can be disposed."  # assumed text
            problems.append(problem([*here, "quantity"], message, "INVALID"))
    refuse_all(problems)


def apply_dispositions(shop: ShopState, given: Sequence[Args]) -> list[ReverseLine]:
    """Write dispositions; RESTOCKED adds to available. The reverse order stays OPEN whatever is said (recorded)."""
    disposed: list[tuple[ReverseLine, Disposition]] = []
    orders: dict[int, ReverseOrder] = {}
    for one in given:
        found = _line_with_order(shop, one["reverseFulfillmentOrderLineItemId"])
        if found is None:
            continue
        order, line = found
        disposition = Disposition(
            id=shop.next_id("ReverseFulfillmentOrderDisposition"),
            type=one["dispositionType"],
            quantity=one["quantity"],
            created_at=shop.now(),
            location_id=number_of("Location", one.get("locationId")) or None,
        )
        line.dispositions.append(disposition)
        disposed.append((line, disposition))
        orders[order.id] = order
        if disposition.type == "RESTOCKED":
            _restock(shop, line, disposition)
    for order in orders.values():
        tell_disposal(shop, order.id, disposed)
    return [line for line, _ in disposed]


def _restock(shop: ShopState, line: ReverseLine, disposition: Disposition) -> None:
    variant, location_id = _variant(shop, line), disposition.location_id
    if variant is None or location_id is None or not variant.is_tracked:
        return
    if inventory.level_of(shop, variant.item_id, location_id) is None:
        inventory.stock_at(shop, variant.item_id, location_id)
    change = Change(name="available", delta=disposition.quantity, item_id=variant.item_id, location_id=location_id)
    inventory.record(shop, [change], reason="restock")


def _variant(shop: ShopState, line: ReverseLine) -> Variant | None:
    sent = shop.fulfilment_lines[line.fulfilment_line_id]
    own = shop.line(shop.order_of(sent), sent.line_id)
    return None if own is None else shop.variants.get(own.variant_id or 0)


def _line_with_order(shop: ShopState, given: str) -> tuple[ReverseOrder, ReverseLine] | None:
    number = typed_number("ReverseFulfillmentOrderLineItem", given)
    return next(
        ((order, line) for order in shop.reverse_orders.values() for line in order.lines if line.id == number), None
    )


def delivery_create(shop: ShopState, args: Args) -> dict[str, Any]:
    """reverseDeliveryCreateWithShipping: no lines named means all lines in full."""
    order = shop.reverse_orders.get(typed_number("ReverseFulfillmentOrder", args["reverseFulfillmentOrderId"]))
    if order is None:
        raise Refused(["reverseFulfillmentOrderId"], "Reverse fulfillment order was not found.", "NOT_FOUND")
    delivery = ReverseDelivery(
        id=shop.next_id("ReverseDelivery"),
        reverse_order_id=order.id,
        lines=_delivered(shop, order, args["reverseDeliveryLineItems"]),
    )
    label = args.get("labelInput")
    delivery.label_url = None if label is None else label["fileUrl"]
    _track(delivery, args.get("trackingInput"))
    shop.reverse_deliveries[delivery.id] = delivery
    tell_delivery(shop, delivery)
    return {"reverseDelivery": delivery}


def _delivered(shop: ShopState, order: ReverseOrder, given: Sequence[Args]) -> list[tuple[int, int, int]]:
    if not given:
        return [(shop.next_id("ReverseDeliveryLineItem"), line.id, line.quantity) for line in order.lines]
    lines = {line.id: line for line in order.lines}
    asked: dict[int, int] = {}
    for index, one in enumerate(given):
        path = ["reverseDeliveryLineItems", str(index)]
        line = lines.get(typed_number("ReverseFulfillmentOrderLineItem", one["reverseFulfillmentOrderLineItemId"]))
        if line is None:
            raise Refused([*path, "reverseFulfillmentOrderLineItemId"], "must exist", None)
        asked[line.id] = asked.get(line.id, 0) + one["quantity"]
        if asked[line.id] > line.quantity:
            raise Refused([*path, "quantity"], "cannot deliver more items than are returned", None)
    return [
        (
            shop.next_id("ReverseDeliveryLineItem"),
            number_of("ReverseFulfillmentOrderLineItem", one["reverseFulfillmentOrderLineItemId"]),
            one["quantity"],
        )
        for one in given
    ]


def delivery_update(shop: ShopState, args: Args) -> dict[str, Any]:
    """reverseDeliveryShippingUpdate."""
    delivery = shop.reverse_deliveries.get(typed_number("ReverseDelivery", args["reverseDeliveryId"]))
    if delivery is None:
        raise Refused(["reverseDeliveryId"], "Reverse delivery was not found.", "NOT_FOUND")
    _track(delivery, args.get("trackingInput"))
    tell_delivery(shop, delivery)
    return {"reverseDelivery": delivery}


def _track(delivery: ReverseDelivery, given: Args | None) -> None:
    if given is not None:
        delivery.tracking_number = given.get("number", delivery.tracking_number)
        delivery.tracking_url = given.get("url", delivery.tracking_url)
