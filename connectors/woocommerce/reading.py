"""Reading orders of a shop: the order, all its refunds, and the products its lines name."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.ports import Link, Rejected, Retryable
from connectors.woocommerce import client
from connectors.woocommerce.orders import Product, order_snapshot, reading_of
from returnsops.facts import OrderSnapshot
from returnsops.money import MoneyError

Json = Any
_MAX_INCLUDED: Final = client.PER_PAGE


def read_order(link: Link, order_id: str) -> OrderSnapshot | None:
    """The order as it is now, None where the shop has no order of that id; in the bin: ``is_gone``.

    Raises the errors of ports.py. An empty refund list proves nothing about an order (observed 3), so the order
    itself is asked first.
    """
    order = fetch_order(link, order_id)
    return None if order is None else snapshot_of(link, order)


def fetch_order(link: Link, order_id: str) -> Json | None:
    """The order's document, None where the shop says that there is none. Ids are numbers; others are not asked."""
    if not (order_id.isascii() and order_id.isdigit()):
        return None
    path = f"/orders/{order_id}"
    try:
        order = client.get(link, path).json
    except Rejected as refusal:
        if refusal.code == client.ORDER_UNKNOWN:
            return None
        raise
    if not isinstance(order, dict) or str(order.get("id")) != order_id:
        raise Retryable(f"GET {path}: the shop answered something that is not this order.")
    return order


def required_order(link: Link, order_id: str) -> Json:
    """The order's document. Raises Rejected('order_not_found')."""
    order = fetch_order(link, order_id)
    if order is None:
        text = f"The shop has no order with the id {order_id[:40]!r}. Link the return to the right order."
        raise Rejected(text, code="order_not_found")
    return order


def snapshot_of(link: Link, order: Json) -> OrderSnapshot:
    """The snapshot of a fetched order, its refunds read to the last page. Raises Rejected('unreadable_order')."""
    refunds = client.get_all(link, f"/orders/{order['id']}/refunds")
    return _snapshot(link, order, refunds, products=fetch_products(link, order))


def past_snapshot_of(link: Link, order: Json) -> OrderSnapshot:
    """The same for looking back on many: the catalogue is not asked, and refunds only where the order names any.

    ``order.refunds`` holds all of them, with negative totals and without their lines (observed 4.4).
    """
    refunds = client.get_all(link, f"/orders/{order['id']}/refunds") if order.get("refunds") else ()
    return _snapshot(link, order, refunds, products=None)


def _snapshot(
    link: Link, order: Json, refunds: Sequence[Json], *, products: Mapping[str, Product] | None
) -> OrderSnapshot:
    try:
        return order_snapshot(order, refunds, products=products, reading=reading_of(link.config.settings))
    except (MoneyError, KeyError, TypeError, AttributeError) as problem:
        text = f"Order {order['id']} cannot be read: {problem}. Open it in the shop and look for a broken amount."
        raise Rejected(text, code="unreadable_order") from problem


def fetch_products(link: Link, order: Json) -> Mapping[str, Product]:
    """What the catalogue says of the products on the order's lines, in one call; deleted ones are missing."""
    wanted = sorted({str(line.get("product_id")) for line in order.get("line_items") or () if line.get("product_id")})
    found: dict[str, Product] = {}
    for start in range(0, len(wanted), _MAX_INCLUDED):
        ids = ",".join(wanted[start : start + _MAX_INCLUDED])
        for row in client.get_all(link, "/products", params={"include": ids}):
            product = Product(product_id=str(row["id"]), kind=str(row.get("type")), sku=str(row.get("sku") or ""))
            found[product.product_id] = product
    return found
