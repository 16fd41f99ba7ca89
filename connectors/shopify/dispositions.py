"""Units that somebody put back into stock in a return of the shop, apart from any refund (shopify.md trap 7).

A RESTOCKED disposition adds to what is available and stands on the return alone: no refund names it, since exchanges
restock without one. They are a document of their own, asked only of orders with returns, so that all others cost as
much as before. Our own restocks are adjustments of the stock, and what we process is NOT_RESTOCKED.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectors.ports import Link, Rejected, Retryable
from connectors.shopify import client
from connectors.shopify.refund_records import RESTOCKED_ROWS, nodes

Json = Any
RESTOCKED: Final = "RESTOCKED"


def with_restocked(link: Link, order: Json) -> Json:
    """The same with every RESTOCKED disposition of its returns.

    Raises Retryable where the order changed meanwhile, Rejected('unreadable_order') where not all of it can be seen.
    """
    if not nodes(order.get("returns")):
        return order
    return {**order, RESTOCKED_ROWS: [row for one in _returns(link, order) for row in _restocked(link, order, one)]}


def _returns(link: Link, order: Json) -> Iterable[Json]:
    after: str | None = None
    is_more = True
    while is_more:
        found = client.execute(link, "OrderDispositions", {"id": order["id"], "after": after}).get("order") or {}
        if found.get("updatedAt") != order.get("updatedAt"):
            raise Retryable(f"Order {order.get('name')} changed while its returns were read.")
        rows, after = client.page_of(found, path=("returns",))
        yield from rows
        is_more = after is not None


def _restocked(link: Link, order: Json, found: Json) -> Iterable[Mapping[str, Any]]:
    reverse, after = client.page_of(found, path=("reverseFulfillmentOrders",))
    if after is not None:
        raise _unreadable(order, f"goods of return {found.get('name')} on their way to more places than can be read")
    for line in (line for one in reverse for line in _lines(link, one)):
        for row in line.get("dispositions") or ():
            if row.get("type") == RESTOCKED:
                yield {**row, "line_id": _line_id(order, line), "return": str(found.get("name") or "")}


def _lines(link: Link, reverse: Json) -> Iterable[Json]:
    rows, after = client.page_of(reverse, path=("lineItems",))
    if after is None:
        return rows
    path = ("reverseFulfillmentOrder", "lineItems")
    return client.nodes_to_end(link, "ReverseOrderLines", {"id": reverse["id"]}, path=path)


def _line_id(order: Json, line: Json) -> str:
    """The order line; the schema lets it be absent, and units of no line cannot be told from ours."""
    found = ((line.get("fulfillmentLineItem") or {}).get("lineItem") or {}).get("id")
    if not found:
        raise _unreadable(order, "units put back into stock in a return, of a line that the shop does not name")
    return str(found)


def _unreadable(order: Json, what: str) -> Rejected:
    text = f"Order {order.get('name')} has {what}. Handle it by hand."
    return Rejected(text, code="unreadable_order")
