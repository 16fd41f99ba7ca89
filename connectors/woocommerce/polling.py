"""Polling a shop for changed orders and new refunds, as hints into the same inbox as webhooks.

Sources: woocommerce-observed.md section 3 (how dates must be sent, resolution of one second) and 4.15 (``/refunds``).
Neither stream shows a deleted refund (observed 3): only re-reading the order's refunds finds it, in reconciliation.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.ports import Json, Link, PolledItem, PollPage, Rejected
from connectors.woocommerce import client, walking
from connectors.woocommerce.normalise import POLLED_ORDER, POLLED_REFUND
from connectors.woocommerce.walking import Place, gmt, moment, naive

OVERLAP: Final = timedelta(minutes=10)
ORDERS: Final = "orders"
REFUNDS: Final = "refunds"


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far polling came: the newest change seen per stream, and the place inside a round.

    ``stream`` '' = between rounds. Within a round ``after`` walks with what was seen instead of page numbers alone:
    an order saved meanwhile moves to the end and would pull unread ones onto pages already read.
    """

    orders_top: datetime
    refunds_top: datetime
    stream: str = ""
    after: datetime | None = None
    page: int = 1


def poll(link: Link, cursor: str) -> PollPage:
    """One page. Orders by modification date first, then refunds of all orders; ``is_last`` ends the round.

    An empty cursor starts ten minutes ago: older orders are read when a return names them.
    """
    place = parse_cursor(cursor, now=link.now())
    if not place.stream:
        place = replace(place, stream=ORDERS, after=place.orders_top - OVERLAP, page=1)
    return _orders_page(link, place) if place.stream == ORDERS else _refunds_page(link, place)


def parse_cursor(text: str, *, now: datetime) -> Cursor:
    """The stored cursor, or a fresh one where there is none or it cannot be read."""
    try:
        stored = json.loads(text)
        after = stored.get("after")
        return Cursor(
            orders_top=moment(stored["orders_top"]),
            refunds_top=moment(stored["refunds_top"]),
            stream=str(stored.get("stream", "")),
            after=moment(after) if after else None,
            page=int(stored.get("page", 1)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Cursor(orders_top=now.replace(microsecond=0), refunds_top=now.replace(microsecond=0))


def write_cursor(place: Cursor) -> str:
    """The cursor as stored."""
    document: dict[str, Any] = {
        "orders_top": naive(place.orders_top),
        "refunds_top": naive(place.refunds_top),
    }
    if place.stream:
        document |= {
            "stream": place.stream,
            "after": naive(place.after or place.orders_top),
            "page": place.page,
        }
    return json.dumps(document, sort_keys=True)


def _orders_page(link: Link, place: Cursor) -> PollPage:
    rows, is_end = _fetch(link, "/orders", place, date_filter="modified_after", orderby="modified")
    seen = [gmt(row, "date_modified_gmt") for row in rows]
    place = replace(place, orders_top=_newest(place.orders_top, seen))
    if is_end:
        following = replace(place, stream=REFUNDS, after=place.refunds_top - OVERLAP, page=1)
    else:
        following = _advanced(place, seen)
    return PollPage(items=tuple(_order_item(row) for row in rows), cursor=write_cursor(following), is_last=False)


def _refunds_page(link: Link, place: Cursor) -> PollPage:
    try:
        rows, is_end = _fetch(link, "/refunds", place, date_filter="after", orderby="date")
    except Rejected as refusal:
        if refusal.code != client.NO_ROUTE:
            raise
        rows, is_end = [], True  # an older WooCommerce: a new refund moves its order's date too (observed 3)
    seen = [gmt(row, "date_created_gmt") for row in rows]
    place = replace(place, refunds_top=_newest(place.refunds_top, seen))
    following = replace(place, stream="", after=None, page=1) if is_end else _advanced(place, seen)
    items = tuple(_refund_item(row) for row in rows if row.get("parent_id"))
    return PollPage(items=items, cursor=write_cursor(following), is_last=is_end)


def _fetch(
    link: Link, path: str, place: Cursor, *, date_filter: str, orderby: str
) -> tuple[list[dict[str, Any]], bool]:
    """One page of a stream, oldest first, and whether it is the last one."""
    return walking.fetch(link, path, _place(place), date_filter=date_filter, orderby=orderby)


def _place(place: Cursor) -> Place:
    return Place(after=place.after or place.orders_top, page=place.page)


def _advanced(place: Cursor, seen: Sequence[datetime | None]) -> Cursor:
    following = walking.advanced(_place(place), seen)
    return replace(place, after=following.after, page=following.page)


def _order_item(row: Mapping[str, Any]) -> PolledItem:
    return _item(
        POLLED_ORDER, row, order_id=str(row["id"]), name="order", stamp=row.get("date_modified_gmt"), shown=_of_order
    )


def _refund_item(row: Mapping[str, Any]) -> PolledItem:
    order_id = str(row["parent_id"])
    return _item(
        POLLED_REFUND, row, order_id=order_id, name="refund", stamp=row.get("date_created_gmt"), shown=_of_refund
    )


def _item(
    topic: str,
    row: Mapping[str, Any],
    *,
    order_id: str,
    name: str,
    stamp: object,
    shown: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> PolledItem:
    return PolledItem(
        topic=topic,
        body=shown(row),
        delivery_key=f"{name}:{row['id']}:{stamp}:{content_hash(row)}",
        hint_key=f"order:{order_id}",
        subject_key=f"order:{order_id}",
    )


def _of_order(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the inbox keeps: the order is read again anyway, so none of its customer data."""
    return {"id": str(row["id"]), "date_modified_gmt": row.get("date_modified_gmt"), "status": row.get("status")}


def _of_refund(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["parent_id"]),
        "refund_id": str(row["id"]),
        "date_created_gmt": row.get("date_created_gmt"),
        "amount": row.get("amount"),
    }


def content_hash(row: Json) -> str:
    """A short hash of a document without its links: a newer date alone proves no change, nor an equal one none."""
    kept = {name: value for name, value in row.items() if name != "_links"}
    text = json.dumps(kept, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _newest(top: datetime, seen: Sequence[datetime | None]) -> datetime:
    return max([top, *(at for at in seen if at)])
