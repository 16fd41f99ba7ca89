"""A platform's past for an audit (S1-37): returns changed since a moment, each read whole (reveni.md C6)."""

from datetime import datetime

from connectors.listing import CANNOT_LIST
from connectors.ports import Link, PollPage, Rejected
from connectors.reveni import client
from connectors.reveni.polling import DEFAULT_PAGE_LIMIT, is_pull_on, whole_item


def list_returns(link: Link, since: datetime, cursor: str) -> PollPage:
    """One page, oldest change first. Raises Rejected(CANNOT_LIST) without pull API, and the classes of ports.py."""
    settings = link.config.settings
    if not is_pull_on(settings):
        text = (
            f"{link.config.name} has no pull API switched on, so its past returns cannot be read. Ask the platform for"
            " the addresses of its list and of one return, then set pull_api, list_path and get_path."
        )
        raise Rejected(text, code=CANNOT_LIST)
    session = client.open_session(link)
    limit = int(settings.get("page_limit", DEFAULT_PAGE_LIMIT))
    page = client.list_returns(session, updated_since=since, cursor=cursor, limit=limit)
    if page.next_cursor and page.next_cursor == cursor:
        raise Rejected("The list of returns names the same page as its next page; stopped.", code="paging_loop")
    items = tuple(whole_item(session, entry) for entry in page.entries)
    return PollPage(items=items, cursor=page.next_cursor, is_last=not page.next_cursor)
