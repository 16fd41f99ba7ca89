"""Returns through their life: requested or created, approved, declined, cancelled, closed, opened again, shortened."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connectors.simulators.shopify.after_sales_records import (
    ExchangeLine,
    Return,
    ReturnLine,
    ReverseLine,
    ReverseOrder,
)
from connectors.simulators.shopify.amounts import NOTHING, Bag
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.payloads import tell_order
from connectors.simulators.shopify.records import Order
from connectors.simulators.shopify.refusals import Refused, problem, refuse_all
from connectors.simulators.shopify.return_payloads import tell_return
from connectors.simulators.shopify.returnable import returnable_units
from connectors.simulators.shopify.state import ShopState, number_of

LONGEST_NOTE, LONGEST_CUSTOMER_NOTE, LONGEST_DECLINE_NOTE = 255, 300, 500


def return_create(shop: ShopState, args: Args) -> dict[str, Any]:
    """returnCreate: an open return with its reverse fulfilment orders."""
    given = args["returnInput"]
    found = _new_return(shop, given, "returnInput")
    return {"return": open_return(shop, found)}


def return_request(shop: ShopState, args: Args) -> dict[str, Any]:
    """returnRequest: awaits approval, nothing to receive yet."""
    found = _new_return(shop, args["input"], "input")
    tell_return(shop, found, "returns/request")
    return {"return": found}


def _new_return(shop: ShopState, given: Args, root: str) -> Return:
    order = shop.orders.get(number_of("Order", given["orderId"]))
    if order is None:
        raise Refused([root, "orderId"], "Order not found.", "NOT_FOUND")
    lines = given["returnLineItems"]
    refuse_all([entry for index, one in enumerate(lines) for entry in _line_problems(shop, order, one, index, root)])
    number = shop.next_id("Return")
    found = Return(
        id=number,
        order_id=order.id,
        name=f"{order.name}-R{len(order.return_ids) + 1}",
        status="REQUESTED",
        created_at=shop.now(),
        lines=[_line(shop, number, one) for one in lines],
        exchange_lines=[_exchange_line(shop, one) for one in given.get("exchangeLineItems") or []],
        shipping_fee=_fee(given.get("returnShippingFee")),
    )
    shop.returns[found.id] = found
    order.return_ids.append(found.id)
    return found


def _line_problems(shop: ShopState, order: Order, given: Args, index: int, root: str) -> list[dict[str, Any]]:
    path = [root, "returnLineItems", str(index)]
    line = shop.fulfilment_lines.get(number_of("FulfillmentLineItem", given["fulfillmentLineItemId"]))
    if line is None or line.order_id != order.id:
        return [problem([*path, "fulfillmentLineItemId"], "Fulfillment Line Item was not found.", "NOT_FOUND")]
    if not 0 < given["quantity"] <= returnable_units(shop, line):
        return [problem([*path, "quantity"], "Return line item has an invalid quantity.", "INVALID")]
    return _reason_problems(shop, given, path, is_request=root == "input")


def _reason_problems(shop: ShopState, given: Args, path: list[str], *, is_request: bool) -> list[dict[str, Any]]:
    reason, definition = given.get("returnReason"), given.get("returnReasonDefinitionId")
    if definition and number_of("ReturnReasonDefinition", definition) not in shop.definitions:
        field = [*path, "returnReasonDefinitionId"]
        return [problem(field, "Return reason definition not found.", "NOT_FOUND")]  # assumed text
    if not reason and not definition:
        if is_request:
            return [problem([*path, "returnReason"], "Return reason can't be blank", "BLANK")]
        message = "Return line items Either return reason or return reason definition must be provided"
        return [problem(path, message, "NOT_FOUND")]
    if reason == "OTHER" and not given.get("returnReasonNote") and not is_request:
        message = 'Return line items return reason note The note is required when the return reason is "Other"'
        return [problem([*path, "returnReasonNote"], message, "BLANK")]
    if len(given.get("returnReasonNote") or "") > LONGEST_NOTE:
        message = f"Return line items return reason note is too long (maximum is {LONGEST_NOTE} characters)"
        return [problem([*path, "returnReasonNote"], message, "TOO_LONG")]
    return []


def _line(shop: ShopState, return_id: int, given: Args) -> ReturnLine:
    sent = shop.fulfilment_lines[number_of("FulfillmentLineItem", given["fulfillmentLineItemId"])]
    fee = given.get("restockingFee")
    return ReturnLine(
        id=shop.next_id("ReturnLineItem"),
        return_id=return_id,
        fulfilment_line_id=sent.id,
        line_id=sent.line_id,
        quantity=given["quantity"],
        reason=given.get("returnReason") or "OTHER",
        definition_id=number_of("ReturnReasonDefinition", given.get("returnReasonDefinitionId")) or None,
        note=given.get("returnReasonNote") or "",
        customer_note=given.get("customerNote"),
        fee_percentage=None if not fee else Decimal(str(fee["percentage"])),
    )


def _exchange_line(shop: ShopState, given: Args) -> ExchangeLine:
    variant_id = number_of("ProductVariant", given["variantId"])
    if variant_id not in shop.variants:
        raise Refused(["returnInput", "exchangeLineItems", "0", "variantId"], "Variant not found.", "NOT_FOUND")
    return ExchangeLine(id=shop.next_id("ExchangeLineItem"), variant_id=variant_id, quantity=given["quantity"])


def _fee(given: Args | None) -> Bag:
    if not given:
        return NOTHING
    amount = Decimal(given["amount"]["amount"])
    return Bag(shop=amount, presentment=amount)


def open_return(shop: ShopState, found: Return) -> Return:
    """Open it: one reverse fulfilment order per location the units were sent from."""
    found.status, found.approved_at = "OPEN", shop.now()
    order = shop.orders[found.order_id]
    places = {line.id: one.location_id for one in order.fulfilments for line in one.lines}
    by_place: dict[int, list[ReturnLine]] = {}
    for line in found.lines:
        by_place.setdefault(places[line.fulfilment_line_id], []).append(line)
    for location_id, lines in by_place.items():
        reverse = ReverseOrder(
            id=shop.next_id("ReverseFulfillmentOrder"),
            return_id=found.id,
            order_id=order.id,
            location_id=location_id,
            lines=[_awaited(shop, line) for line in lines],
        )
        shop.reverse_orders[reverse.id] = reverse
    tell_return(shop, found, "returns/approve")
    tell_order(shop, order)
    return found


def _awaited(shop: ShopState, line: ReturnLine) -> ReverseLine:
    return ReverseLine(
        id=shop.next_id("ReverseFulfillmentOrderLineItem"),
        return_line_id=line.id,
        fulfilment_line_id=line.fulfilment_line_id,
        quantity=line.quantity,
    )


def found_return(shop: ShopState, given: str, path: list[str]) -> Return:
    """A return by its id; raises Refused where there is none."""
    found = shop.returns.get(number_of("Return", given))
    if found is None:
        raise Refused(path, "Return not found.", "NOT_FOUND")
    return found


def return_approve(shop: ShopState, args: Args) -> dict[str, Any]:
    """returnApproveRequest."""
    found = found_return(shop, args["input"]["id"], ["input", "id"])
    if found.status != "REQUESTED":
        message = "Return is not approvable. Only returns with status REQUESTED can be approved."
        raise Refused(["input", "id"], message, "INVALID_STATE")
    return {"return": open_return(shop, found)}


def return_decline(shop: ShopState, args: Args) -> dict[str, Any]:
    """returnDeclineRequest."""
    given = args["input"]
    found = found_return(shop, given["id"], ["input", "id"])
    if found.status == "DECLINED":
        raise Refused(["input", "id"], "The return is already declined.", "INVALID_STATE")
    if found.status != "REQUESTED":
        message = "Return is not declinable. Only non-refunded returns with status REQUESTED can be declined."
        raise Refused(["input", "id"], message, "INVALID_STATE")
    found.status, found.decline_reason = "DECLINED", given["declineReason"]
    found.decline_note = given.get("declineNote")
    tell_return(shop, found, "returns/decline")
    return {"return": found}


def return_cancel(shop: ShopState, args: Args) -> dict[str, Any]:
    """returnCancel: not after anything was processed."""
    found = found_return(shop, args["id"], ["id"])
    is_touched = any(line.processed or line.refunded for line in found.lines)
    if found.status == "CANCELED":
        return {"return": found}
    if is_touched or found.status not in ("OPEN", "REQUESTED"):
        raise Refused(["id"], "Return is not cancelable.", "INVALID_STATE")
    found.status = "CANCELED"
    for reverse in reverse_orders_of(shop, found):
        reverse.status = "CANCELED"
    tell_return(shop, found, "returns/cancel")
    tell_order(shop, shop.orders[found.order_id])
    return {"return": found}


def return_close(shop: ShopState, args: Args) -> dict[str, Any]:
    """returnClose; closing a closed return changes nothing and is no error."""
    found = found_return(shop, args["id"], ["id"])
    if found.status == "CLOSED":
        return {"return": found}
    if found.status != "OPEN":
        raise Refused(["id"], "Return status is invalid.", "INVALID_STATE")
    close(shop, found)
    return {"return": found}


def close(shop: ShopState, found: Return) -> None:
    """Close an open return, and with it what was to be taken back (assumed)."""
    found.status, found.closed_at = "CLOSED", shop.now()
    for reverse in reverse_orders_of(shop, found):
        reverse.status = "CLOSED"
    tell_return(shop, found, "returns/close")
    tell_order(shop, shop.orders[found.order_id])


def return_reopen(shop: ShopState, args: Args) -> dict[str, Any]:
    """returnReopen; opening an open return changes nothing and is no error."""
    found = found_return(shop, args["id"], ["id"])
    if found.status == "OPEN":
        return {"return": found}
    if found.status != "CLOSED":
        raise Refused(["id"], "Return status is invalid.", "INVALID_STATE")
    found.status, found.closed_at = "OPEN", None
    for reverse in reverse_orders_of(shop, found):
        reverse.status = "OPEN"
    tell_return(shop, found, "returns/reopen")
    tell_order(shop, shop.orders[found.order_id])
    return {"return": found}


def reverse_orders_of(shop: ShopState, found: Return) -> list[ReverseOrder]:
    """What locations are to take back for a return."""
    return [reverse for reverse in shop.reverse_orders.values() if reverse.return_id == found.id]


def remove_from_return(shop: ShopState, args: Args) -> dict[str, Any]:
    """removeFromReturn: fewer units; with the last one the return closes (recorded)."""
    found = found_return(shop, args["returnId"], ["returnId"])
    removals: Sequence[Args] = args.get("returnLineItems") or []
    lines = {line.id: line for line in found.lines}
    for index, given in enumerate(removals):
        line = lines.get(number_of("ReturnLineItem", given["returnLineItemId"]))
        path = ["returnLineItems", str(index)]
        if line is None:
            raise Refused([*path, "returnLineItemId"], "Return line item not found.", "NOT_FOUND")
        if not 0 < given["quantity"] <= line.quantity - line.processed:
            raise Refused([*path, "quantity"], "Quantity is not removable from the return line item.", "INVALID")
        _shorten(shop, found, line, given["quantity"])
    gone = {number_of("ExchangeLineItem", one["exchangeLineItemId"]) for one in args.get("exchangeLineItems") or []}
    found.exchange_lines = [line for line in found.exchange_lines if line.id not in gone]
    tell_return(shop, found, "returns/update")
    if not found.lines and not found.exchange_lines and found.status == "OPEN":
        close(shop, found)
    return {"return": found}


def _shorten(shop: ShopState, found: Return, line: ReturnLine, quantity: int) -> None:
    line.quantity -= quantity
    for reverse in reverse_orders_of(shop, found):
        for awaited in reverse.lines:
            if awaited.return_line_id == line.id:
                awaited.quantity -= quantity
        reverse.lines = [awaited for awaited in reverse.lines if awaited.quantity]
    if line.quantity == 0:
        found.lines.remove(line)
