"""Reading orders of a shop: the final state with all lines and refunds, and who made the refunds that are not ours."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.ports import AuthFailed, Link, Rejected, Retryable
from connectors.shopify import client
from connectors.shopify.dispositions import with_restocked
from connectors.shopify.links import gid, is_gid, number_of
from connectors.shopify.orders import order_snapshot, reading_of
from connectors.shopify.refund_records import key_of, nodes
from returnsops.facts import OrderSnapshot
from returnsops.money import MoneyError

Json = Any
MAX_LISTED: Final = 100  # refunds and transactions have no cursor; from here on the list may be cut
AT_ONCE: Final = 20  # refunds with their lines in one call


def read_order(link: Link, order_id: str) -> OrderSnapshot | None:
    """The order as it is now, None where the shop has no order of that id. Raises the errors of ports.py."""
    order = fetch_order(link, order_id)
    return None if order is None else snapshot_of(link, order)


def fetch_order(link: Link, order_id: str) -> Json | None:
    """The order's document with all its lines, None where the shop knows none. A plain number is an id too."""
    wanted = gid("Order", order_id)
    if not is_gid(wanted, "Order"):
        return None
    order = _page(link, wanted, None)
    return None if order is None else whole_order(link, order)


def whole_order(link: Link, order: Json) -> Json:
    """An order's document with all its lines, those of its refunds, and what its returns restocked.

    Raises Retryable where it changed meanwhile.
    """
    order_id = str(order["id"])
    while (after := _next(order)) is not None:
        following = _page(link, order_id, after)
        if following is None or following.get("updatedAt") != order.get("updatedAt"):
            raise Retryable(f"Order {number_of(order_id)} changed while its lines were read.")
        order = _joined(order, following)
    return with_restocked(link, _with_whole_refunds(link, order))


def required_order(link: Link, order_id: str) -> Json:
    """The order's document. Raises Rejected('order_not_found')."""
    order = fetch_order(link, order_id)
    if order is None:
        text = f"The shop has no order with the id {order_id[:60]!r}. Link the return to the right order."
        raise Rejected(text, code="order_not_found")
    return order


def snapshot_of(link: Link, order: Json) -> OrderSnapshot:
    """The snapshot of a fetched order. Raises Rejected('unreadable_order')."""
    try:
        return order_snapshot(order, authors=_authors(link, order), reading=reading_of(link.config.settings))
    except (MoneyError, KeyError, TypeError, ValueError, AttributeError) as problem:
        text = (
            f"Order {order.get('name') or order.get('id')} cannot be read: {problem}. Open it in the shop and compare."
        )
        raise Rejected(text, code="unreadable_order") from problem


def _page(link: Link, order_id: str, after: str | None) -> Json | None:
    order = client.execute(link, "OrderFinalState", {"id": order_id, "lines": after}).get("order")
    if order is not None and (not isinstance(order, Mapping) or order.get("id") != order_id):
        raise Retryable("The shop answered something that is not this order.")
    return order


def _next(order: Json) -> str | None:
    return client.page_of(order, path=("lineItems",))[1]


def _joined(order: Json, following: Json) -> Json:
    lines = {
        "pageInfo": following["lineItems"]["pageInfo"],
        "nodes": [*order["lineItems"]["nodes"], *following["lineItems"]["nodes"]],
    }
    return {**order, "lineItems": lines}


def _with_whole_refunds(link: Link, order: Json) -> Json:
    """The same with every refund and every line of it; a refund's lines never change once it is made."""
    if any(len(order.get(name) or ()) >= MAX_LISTED for name in ("refunds", "transactions")):
        order = _with_long_lists(link, order)
    return {**order, "refunds": [_whole(link, refund) for refund in order.get("refunds") or ()]}


def _with_long_lists(link: Link, order: Json) -> Json:
    """All transactions and refunds of an order with many: asked for without a length, nothing is cut (schema).

    Raises Rejected('unreadable_order') where the shop's own count or its payments say that something is missing.
    """
    found = client.execute(link, "OrderMovements", {"id": order["id"]}).get("order") or {}
    if found.get("updatedAt") != order.get("updatedAt"):
        raise Retryable(f"Order {order.get('name')} changed while its refunds were read.")
    known = {str(refund["id"]): refund for refund in order.get("refunds") or ()}
    wanted = [str(row["id"]) for row in found.get("refunds") or ()]
    missing = [one for one in wanted if one not in known]
    for start in range(0, len(missing), AT_ONCE):
        ids = missing[start : start + AT_ONCE]
        rows = client.execute(link, "RefundsByIds", {"ids": ids}).get("nodes") or ()
        known |= {str(row["id"]): row for row in rows if row is not None}
    if not _is_complete(found, known, wanted):
        text = f"Order {order.get('name')} has more refunds or payments than the shop shows. Handle it by hand."
        raise Rejected(text, code="unreadable_order")
    return {**order, "transactions": found["transactions"], "refunds": [known[one] for one in wanted]}


def _is_complete(found: Json, known: Mapping[str, Json], wanted: list[str]) -> bool:
    """Every payment is there by the shop's count, and each that went back belongs to a refund that was read."""
    rows = found.get("transactions") or ()
    told = {str(row["id"]) for refund in known.values() for row in nodes(refund.get("transactions"))}
    went_back = {str(row["id"]) for row in rows if row.get("kind") == "REFUND"}
    is_counted = (found.get("transactionsCount") or {}).get("count") == len(rows)
    return is_counted and went_back <= told and all(one in known for one in wanted)


def _whole(link: Link, refund: Json) -> Json:
    _, after = client.page_of(refund, path=("refundLineItems",))
    if after is None:
        return refund
    variables = {"id": refund["id"]}
    lines = client.nodes_to_end(link, "RefundLines", variables, path=("refund", "refundLineItems"))
    return {**refund, "refundLineItems": {"nodes": list(lines)}}


def _authors(link: Link, order: Json) -> dict[str, str]:
    """Who made the refunds that do not carry a key of ours; unknown without the scope ``read_users``.

    A document of its own, so that a missing scope costs the name and not the order (shopify.md section 7).
    """
    if all(key_of(refund) for refund in order.get("refunds") or ()):
        return {}
    try:
        first = MAX_LISTED if len(order.get("refunds") or ()) <= MAX_LISTED else None
        found = client.execute(link, "RefundAuthors", {"id": order["id"], "first": first}).get("order") or {}
    except AuthFailed as failure:
        if "ACCESS_DENIED" not in failure.evidence.get("codes", ()):
            raise
        return {}
    return {str(row["id"]): _staff(row["staffMember"]) for row in found.get("refunds") or () if row.get("staffMember")}


def _staff(member: Json) -> str:
    return f"{member.get('name') or 'Staff'} (Shopify staff {number_of(str(member.get('id')))})"[:120]
