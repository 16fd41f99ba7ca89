"""Walking through a list of the shop by date to its end, while people go on working there.

Sources: woocommerce-observed.md section 3 (how dates must be sent, resolution of one second).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.ports import Link
from connectors.woocommerce import client

_STEP_BACK: Final = timedelta(seconds=1)  # filters are strictly after, by whole seconds


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a walk stands. ``after`` moves with what was seen instead of page numbers alone.

    An order saved meanwhile moves to the end and would pull unread ones onto pages already read.
    """

    after: datetime
    page: int = 1


def fetch(link: Link, path: str, place: Place, *, date_filter: str, orderby: str) -> tuple[list[dict[str, Any]], bool]:
    """One page of a list, oldest first, and whether it is the last one."""
    params = {
        # Naive UTC with the flag. With a "Z" as well the offset is applied twice, and a shop east of Greenwich
        # answers nothing at all (observed 3).
        date_filter: naive(place.after),
        "dates_are_gmt": "true",
        "orderby": orderby,
        "order": "asc",
        "per_page": str(client.PER_PAGE),
        "page": str(place.page),
    }
    answer = client.get(link, path, params=params)
    rows = client.rows_of(answer, path)
    return rows, not rows or place.page >= client.total_pages(answer, rows, page=place.page)


def advanced(place: Place, seen: Sequence[datetime | None]) -> Place:
    """The next page: from the newest second seen, or by number where a whole page lies within one second."""
    newest = max((moment for moment in seen if moment), default=None)
    if newest is not None and newest - _STEP_BACK > place.after:
        return Place(after=newest - _STEP_BACK)
    return replace(place, page=place.page + 1)


def gmt(row: Mapping[str, Any], name: str) -> datetime | None:
    """A ``…_gmt`` field as a moment, None where it is none."""
    value = row.get(name)
    try:
        return moment(value) if isinstance(value, str) else None
    except ValueError:
        return None


def moment(text: str) -> datetime:
    """A date of the shop in UTC. Raises ValueError."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def naive(at: datetime) -> str:
    """A moment as the shop's filters and our cursors write it: UTC without a suffix."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
