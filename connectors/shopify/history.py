"""A shop's past for an audit (S1-37): orders changed since a moment, whole, ten in a call, oldest change first.

A refund, a return and an edit each move an order's ``updatedAt``, so one stream brings everything. Orders older than 60
days need the scope ``read_all_orders``; without it the shop leaves them out without a word (shopify.md section 16).
"""

from datetime import datetime

from connectors.listing import OrdersPage
from connectors.ports import Json, Link, Rejected
from connectors.shopify import client
from connectors.shopify.polling import changed_since
from connectors.shopify.reading import snapshot_of, whole_order
from returnsops.facts import OrderSnapshot


def list_orders(link: Link, since: datetime, cursor: str) -> OrdersPage:
    """One page; the cursor is the shop's. Raises the errors of ports.py."""
    variables = {"query": changed_since(since), "after": cursor or None, "lines": None}
    rows, after = client.page_of(client.execute(link, "OrdersPast", variables), path=("orders",))
    read: list[OrderSnapshot] = []
    unreadable: list[str] = []
    for row in rows:
        _read_into(link, row, read=read, unreadable=unreadable)
    return OrdersPage(orders=tuple(read), unreadable=tuple(unreadable), cursor=after or "")


def _read_into(link: Link, row: Json, *, read: list[OrderSnapshot], unreadable: list[str]) -> None:
    """One order that cannot be understood costs only itself."""
    try:
        read.append(snapshot_of(link, whole_order(link, row)))
    except Rejected as refusal:
        unreadable.append(refusal.text)
