"""Polling a shop for changed orders, as hints into the same inbox as webhooks.

Sources: shopify.md sections 5 (search, its lag behind writes) and 13 (webhooks come late, twice, or not at all). Edits,
refunds, returns, tags and notes all move an order's ``updatedAt``. The first page of a round also says which API
version was asked for and which one answered (section 1): once a day, and whenever it is another one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.ports import Json, Link, PolledItem, PollPage
from connectors.shopify import client
from connectors.shopify.links import api_version
from connectors.shopify.normalise import POLLED_ORDER, POLLED_VERSION
from connectors.shopify.refund_records import moment
from connectors.shopify.timing import INDEX_LAG


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The newest change seen, and the place inside a round: since when it reads, and the shop's cursor there."""

    top: datetime
    since: datetime | None = None
    after: str | None = None


def poll(link: Link, cursor: str) -> PollPage:
    """One page of changed orders, oldest change first; ``is_last`` ends the round.

    An empty cursor starts a little ago: older orders are read when a return names them.
    """
    place = parse_cursor(cursor, now=link.now())
    since = place.since or place.top - INDEX_LAG
    reply = client.reply(link, "OrdersChanged", {"query": changed_since(since), "after": place.after})
    rows, after = client.page_of(reply.data, path=("orders",))
    seen = [at for at in (moment(row.get("updatedAt")) for row in rows) if at is not None]
    top = max([place.top, *seen])
    is_first = place.after is None
    following = Cursor(top=top) if after is None else replace(place, top=top, since=since, after=after)
    items = [_item(row) for row in rows]
    return PollPage(
        items=tuple([*items, *_version(link, reply.version)] if is_first else items),
        cursor=write_cursor(following),
        is_last=after is None,
    )


def changed_since(since: datetime) -> str:
    """The search for orders changed at or after a moment."""
    return f"updated_at:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"


def parse_cursor(text: str, *, now: datetime) -> Cursor:
    """The stored cursor, or a fresh one where there is none or it cannot be read."""
    try:
        stored = json.loads(text)
        since = stored.get("since")
        return Cursor(
            top=datetime.fromisoformat(stored["top"]),
            since=datetime.fromisoformat(since) if since else None,
            after=str(stored["after"]) if stored.get("after") else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Cursor(top=now.replace(microsecond=0))


def write_cursor(place: Cursor) -> str:
    """The cursor as stored."""
    document: dict[str, Any] = {"top": place.top.isoformat()}
    if place.since is not None and place.after is not None:
        document |= {"since": place.since.isoformat(), "after": place.after}
    return json.dumps(document, sort_keys=True)


def _item(row: Mapping[str, Any]) -> PolledItem:
    key = f"order:{row['id']}"
    shown = {name: row.get(name) for name in ("id", "updatedAt", "displayFinancialStatus", "returnStatus")}
    return PolledItem(
        topic=POLLED_ORDER,
        body=shown,
        delivery_key=f"{key}:{row.get('updatedAt')}:{_content_hash(row)}",
        hint_key=key,
        subject_key=key,
    )


def _content_hash(row: Json) -> str:
    """Two changes within one second have one ``updatedAt``; what is shown of the order tells them apart."""
    text = json.dumps(row, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _version(link: Link, served: str) -> list[PolledItem]:
    asked = api_version(link.config)
    if not served:
        return []
    key = f"api_version:{asked}:{served}:{link.now().astimezone(UTC):%Y-%m-%d}"
    body = {"asked": asked, "served": served}
    return [PolledItem(topic=POLLED_VERSION, body=body, delivery_key=key, subject_key="api_version")]
