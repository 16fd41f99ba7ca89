"""Reading what webhooks may have missed, with a cursor, an overlap, and paging to the end (reveni.md C6)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.ports import Json, Link, PolledItem, PollPage, Rejected
from connectors.returns_contract.receiving import TOPIC_PULLED, TOPIC_UNREADABLE, subject_of
from connectors.returns_contract.snapshots import pull_id
from connectors.reveni import client
from returnsops.planning.keys import content_hash

DEFAULT_OVERLAP_S: Final = 600
DEFAULT_BACKFILL_DAYS: Final = 30
DEFAULT_PAGE_LIMIT: Final = 50
_REFUSED_CURSOR: Final = frozenset({"http_400", "http_404", "http_410", "invalid_cursor", "cursor_expired"})


@dataclass(frozen=True, kw_only=True)
class _Position:
    """Where polling stands: ``since`` is done with; ``page`` and ``highest`` belong to the round under way."""

    since: str
    page: str = ""
    highest: str = ""


def is_pull_on(settings: Mapping[str, Any]) -> bool:
    """Whether the merchant has a pull API: off unless said so, because Reveni publishes none."""
    return bool(settings.get("pull_api", False))


def poll(link: Link, cursor: str) -> PollPage:
    """One page of changed returns, each read whole, because only that shows refunds and verdicts.

    Raises the classes of connectors.ports. Without the pull API there is nothing to ask: an empty last page.
    """
    if not is_pull_on(link.config.settings):
        return PollPage(items=(), cursor=cursor, is_last=True)
    position = _position(link, cursor)
    session = client.open_session(link)
    page, position = _page(session, position)
    if page.next_cursor and page.next_cursor == position.page:
        raise Rejected("The list of returns names the same page as its next page; stopped.", code="paging_loop")
    items = tuple(whole_item(session, entry) for entry in page.entries)
    highest = max([position.highest, position.since, *(_changed_at(entry, link.now()) for entry in page.entries)])
    if page.next_cursor:
        following = replace(position, page=page.next_cursor, highest=highest)
    else:
        following = _Position(since=highest)
    return PollPage(items=items, cursor=json.dumps(asdict(following)), is_last=not page.next_cursor)


def read_return(link: Link, return_id: str) -> PolledItem | None:
    """One return as it is now, None where the platform does not know it or has no pull API."""
    if not is_pull_on(link.config.settings):
        return None
    document = client.get_return(client.open_session(link), return_id)
    return None if document is None else polled_item(document)


def polled_item(document: Json) -> PolledItem:
    """A return read whole, as it goes into the inbox; an unusable entry goes there too, to be seen."""
    if not isinstance(document, Mapping) or not isinstance(document.get("id"), str):
        key = f"pull:{content_hash([document])[:32]}"
        return PolledItem(topic=TOPIC_UNREADABLE, body=document, delivery_key=key)
    # The hash lets a change through that kept its revision; equal content is one delivery.
    key = f"{pull_id(document)[:160]}:{content_hash(document)[:16]}"
    return PolledItem(topic=TOPIC_PULLED, body=document, delivery_key=key, subject_key=subject_of(document.get("id")))


def _page(session: client.Session, position: _Position) -> tuple[client.Page, _Position]:
    """The page at a position; a cursor the platform no longer takes starts the round again."""
    try:
        return _asked(session, position), position
    except Rejected as refusal:
        if not position.page or refusal.code not in _REFUSED_CURSOR:
            raise
    position = _Position(since=position.since)
    return _asked(session, position), position


def _asked(session: client.Session, position: _Position) -> client.Page:
    settings = session.link.config.settings
    overlap_s = int(settings.get("overlap_s", DEFAULT_OVERLAP_S))
    return client.list_returns(
        session,
        updated_since=datetime.fromisoformat(position.since) - timedelta(seconds=overlap_s),
        cursor=position.page,
        limit=int(settings.get("page_limit", DEFAULT_PAGE_LIMIT)),
    )


def whole_item(session: client.Session, entry: Json) -> PolledItem:
    """An entry of the list, read whole: only that shows refunds and verdicts."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str):
        return polled_item(entry)
    whole = client.get_return(session, entry["id"])
    return polled_item(entry if whole is None else whole)


def _position(link: Link, cursor: str) -> _Position:
    if cursor:
        return _Position(**json.loads(cursor))
    days = int(link.config.settings.get("backfill_days", DEFAULT_BACKFILL_DAYS))
    return _Position(since=_utc(link.now() - timedelta(days=days)))


def _changed_at(entry: Json, now: datetime) -> str:
    """When an entry changed, as sortable UTC text; never past our clock, so that a wrong one there skips nothing."""
    text = entry.get("updated_at") if isinstance(entry, Mapping) else None
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        return ""
    return _utc(min(moment, now))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
