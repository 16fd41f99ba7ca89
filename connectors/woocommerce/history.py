"""A shop's past for an audit (S1-37): orders changed since a moment, with all their refunds, then refunds by date.

A refund moves its order's date (observed 3), so that the second stream brings nothing new where all is well; it is
asked because a plugin that writes orders may keep their date.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from connectors.listing import OrdersPage
from connectors.ports import Link, Rejected
from connectors.woocommerce import client, walking
from connectors.woocommerce.reading import past_snapshot_of
from connectors.woocommerce.walking import Place
from returnsops.facts import OrderSnapshot

ORDERS: Final = "orders"
REFUNDS: Final = "refunds"


def list_orders(link: Link, since: datetime, cursor: str) -> OrdersPage:
    """One page. The cursor is ours; one that cannot be read starts anew. Raises the errors of ports.py."""
    stream, place = _position(cursor, since=since)
    if stream == ORDERS:
        return _orders(link, since, place)
    return _refunds(link, place)


def _orders(link: Link, since: datetime, place: Place) -> OrdersPage:
    rows, is_end = walking.fetch(link, "/orders", place, date_filter="modified_after", orderby="modified")
    read, unreadable = _read(link, rows)
    seen = [walking.gmt(row, "date_modified_gmt") for row in rows]
    following = _cursor(REFUNDS, Place(after=since)) if is_end else _cursor(ORDERS, walking.advanced(place, seen))
    return OrdersPage(orders=read, unreadable=unreadable, cursor=following)


def _read(link: Link, rows: list[dict[str, Any]]) -> tuple[tuple[OrderSnapshot, ...], tuple[str, ...]]:
    """One order that cannot be understood costs only itself."""
    read: list[OrderSnapshot] = []
    unreadable: list[str] = []
    for row in rows:
        try:
            read.append(past_snapshot_of(link, row))
        except Rejected as refusal:
            unreadable.append(refusal.text)
    return tuple(read), tuple(unreadable)


def _refunds(link: Link, place: Place) -> OrdersPage:
    try:
        rows, is_end = walking.fetch(link, "/refunds", place, date_filter="after", orderby="date")
    except Rejected as refusal:
        if refusal.code != client.NO_ROUTE:
            raise
        rows, is_end = [], True  # an older WooCommerce; its orders' dates say enough (observed 3)
    seen = [walking.gmt(row, "date_created_gmt") for row in rows]
    mentioned = tuple(dict.fromkeys(str(row["parent_id"]) for row in rows if _parent(row)))
    following = "" if is_end else _cursor(REFUNDS, walking.advanced(place, seen))
    return OrdersPage(orders=(), mentioned=mentioned, cursor=following)


def _parent(row: Mapping[str, Any]) -> bool:
    return bool(row.get("parent_id"))


def _cursor(stream: str, place: Place) -> str:
    return json.dumps({"stream": stream, "after": walking.naive(place.after), "page": place.page})


def _position(cursor: str, *, since: datetime) -> tuple[str, Place]:
    try:
        stored = json.loads(cursor)
        place = Place(after=walking.moment(stored["after"]), page=int(stored["page"]))
        return (REFUNDS if stored["stream"] == REFUNDS else ORDERS), place
    except (ValueError, KeyError, TypeError):
        return ORDERS, Place(after=since)
