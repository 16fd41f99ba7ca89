"""The end of an order: cancelled by orderCancel or by staff, which takes off it what was not sent, or only closed."""

from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.order_writing import unclaim
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.payloads import tell_order
from connectors.simulators.shopify.records import Order
from connectors.simulators.shopify.refusals import Refused, problem
from connectors.simulators.shopify.state import ShopState, gid, number_of

LONGEST_STAFF_NOTE = 255


def order_cancel(shop: ShopState, args: Args) -> dict[str, Any]:
    """The mutation orderCancel: a job that is done before anybody can ask; its errors have a name of their own."""
    order = shop.orders.get(number_of("Order", args["orderId"]))
    refused = _problem(order, args)
    if order is None or refused is not None:
        return {"job": None, "orderCancelUserErrors": [refused]}
    cancel(shop, order, reason=args["reason"], is_restocked=args["restock"])
    return {"job": {"id": gid("Job", order.id), "done": False}, "orderCancelUserErrors": []}


def _problem(order: Order | None, args: Args) -> dict[str, Any] | None:
    if order is None:
        return problem(["orderId"], "Order does not exist", "NOT_FOUND")  # assumed text
    if len(args.get("staffNote") or "") > LONGEST_STAFF_NOTE:
        message = f"Staff note is too long. Maximum length is {LONGEST_STAFF_NOTE} characters."
        return problem(["staffNote"], message, "INVALID")
    if order.cancelled_at is not None:
        return problem(["orderId"], "Cannot cancel an order that has already been canceled", "INVALID")
    if any(line.fulfilled for line in order.lines):
        return problem(["orderId"], "Cannot cancel an order that was sent", "INVALID")  # assumed text
    return None


def cancel(shop: ShopState, order: Order, *, reason: str, is_restocked: bool) -> None:
    """Cancel without a refund; stock that was claimed comes back where told to."""
    for line in order.lines:
        waiting = pricing.unfulfilled_quantity(shop, order, line)
        if is_restocked:
            unclaim(shop, line)
        line.removed += waiting
    order.cancelled_at = order.closed_at = shop.now()
    order.cancel_reason = reason
    tell_order(shop, order, "orders/cancelled")


def order_close(shop: ShopState, args: Args) -> dict[str, Any]:
    """The mutation orderClose: the order is archived; an edit opens it again (recorded)."""
    order = shop.orders.get(number_of("Order", args["input"]["id"]))
    if order is None:
        raise Refused(["id"], "Order does not exist")  # assumed text
    order.closed_at = order.closed_at or shop.now()
    tell_order(shop, order)
    return {"order": order}
