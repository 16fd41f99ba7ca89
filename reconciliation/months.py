"""Months of a shop's books: their windows in the shop's time zone, and which month a posting goes into. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Month:
    """From its first moment up to, and not including, the first of the next one. ``name``: year and month it begins."""

    name: str
    starts_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.starts_at <= at < self.ends_at


def month_of(at: datetime, *, zone: ZoneInfo, starts_on: int = 1) -> Month:
    """The month of a moment; with ``starts_on`` 15 it runs from the 15th to the 14th."""
    day = at.astimezone(zone).date()
    first = day.replace(day=starts_on)
    if day < first:
        first = (first.replace(day=1) - timedelta(days=1)).replace(day=starts_on)
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=starts_on)
    return Month(name=f"{first:%Y-%m}", starts_at=_midnight(first, zone), ends_at=_midnight(following, zone))


def month_for(
    happened_at: datetime, *, known: Sequence[Month], closed_until: datetime | None, zone: ZoneInfo, starts_on: int = 1
) -> Month:
    """The month a posting goes into: its own, or the first one still open after the last that was closed.

    ``known`` are the months that exist already; a new one never overlaps them, even where ``starts_on`` was changed.
    """
    at = max(happened_at, closed_until) if closed_until is not None else happened_at
    found = next((month for month in known if month.holds(at)), None)
    return found or _fitted(month_of(at, zone=zone, starts_on=starts_on), known, at)


def _fitted(month: Month, known: Sequence[Month], at: datetime) -> Month:
    earlier = max((other.ends_at for other in known if other.ends_at <= at), default=month.starts_at)
    later = min((other.starts_at for other in known if other.starts_at > at), default=month.ends_at)
    names = {other.name for other in known}
    name, number = month.name, 1
    while name in names:
        number += 1
        name = f"{month.name}-{number}"
    return Month(name=name, starts_at=max(month.starts_at, earlier), ends_at=min(month.ends_at, later))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
