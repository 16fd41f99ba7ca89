"""Which units may still come back: returnableFulfillments."""

from typing import Any

from connectors.simulators.shopify.paging import Args, connection
from connectors.simulators.shopify.records import Fulfilment, FulfilmentLine
from connectors.simulators.shopify.state import ShopState, gid, number_of

_COUNTED = ("REQUESTED", "OPEN", "CLOSED")


def returnable_units(shop: ShopState, line: FulfilmentLine) -> int:
    """Units of a fulfilment line in no return that counts, and not refunded without a return."""
    taken = sum(
        own.quantity
        for found in shop.returns_of(line.order_id)
        if found.status in _COUNTED
        for own in found.lines
        if own.fulfilment_line_id == line.id
    )
    return max(0, line.quantity - taken)


def returnable_fulfilments(shop: ShopState, root: Any, args: Args) -> dict[str, Any]:
    """The root query: fulfilments with at least one unit that may come back."""
    order = shop.orders.get(number_of("Order", args["orderId"]))
    found = [] if order is None else [one for one in order.fulfilments if _open_lines(shop, one)]
    page = connection(found, args)
    return page | {"nodes": [_shown(shop, one) for one in page["nodes"]]}


def _open_lines(shop: ShopState, fulfilment: Fulfilment) -> list[FulfilmentLine]:
    return [line for line in fulfilment.lines if returnable_units(shop, line)]


def _shown(shop: ShopState, fulfilment: Fulfilment) -> dict[str, Any]:
    def lines(_info: Any, **args: Any) -> dict[str, Any]:
        page = connection(_open_lines(shop, fulfilment), args)
        nodes = [{"quantity": returnable_units(shop, line), "fulfillmentLineItem": line} for line in page["nodes"]]
        return page | {"nodes": nodes}

    return {
        "id": gid("ReturnableFulfillment", fulfilment.id),
        "fulfillment": fulfilment,
        "returnableFulfillmentLineItems": lines,
    }
