"""Deadlines on a business calendar, deadlines in words, and the order of urgency. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

MIDNIGHT = time(0)
LONGEST_SEARCH_DAYS = 3660
PRIORITY_CEILING = 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When a team works: `weekdays` count from Monday = 0; `closes` at 00:00 means the end of the day.

    `country` (ISO 3166 code, "" for none) and `subdivision` choose public holidays, from the `holidays` package.
    Raises ValueError for a calendar on which nobody ever works.
    """

    time_zone: str = "Europe/London"
    weekdays: frozenset[int] = frozenset(range(5))
    opens: time = time(9)
    closes: time = time(17)
    country: str = ""
    subdivision: str = ""

    def __post_init__(self) -> None:
        ZoneInfo(self.time_zone)
        if not self.weekdays or not self.weekdays <= frozenset(range(7)):
            raise ValueError("A business calendar needs weekdays between 0 (Monday) and 6 (Sunday).")
        if self.closes not in (MIDNIGHT,) and self.closes <= self.opens:
            raise ValueError(f"A business day cannot open at {self.opens} and close at {self.closes}.")
        if self.country:
            _public_holidays(self.country, self.subdivision)

    def is_working_day(self, day: date) -> bool:
        """Whether anybody works on that local day."""
        if day.weekday() not in self.weekdays:
            return False
        return not self.country or day not in _public_holidays(self.country, self.subdivision)

    def window(self, day: date) -> tuple[datetime, datetime]:
        """Opening and closing of a working day as instants in UTC, right on days when the clocks change."""
        zone = ZoneInfo(self.time_zone)
        closing_day = day + timedelta(days=1) if self.closes == MIDNIGHT else day
        opens_at = datetime.combine(day, self.opens, tzinfo=zone)
        return opens_at.astimezone(UTC), datetime.combine(closing_day, self.closes, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=64)
def _public_holidays(country: str, subdivision: str) -> holidays.HolidayBase:
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError as error:
        raise ValueError(f"No public holidays are known for {country} {subdivision}: {error}") from error


def due_at(opened_at: datetime, sla_hours: int, calendar: Calendar) -> datetime:
    """The instant (UTC) at which `sla_hours` hours of working time have passed since `opened_at`.

    Raises ValueError for hours that are not positive, a naive time, or a calendar without a working day in ten years.
    """
    if sla_hours <= 0 or opened_at.tzinfo is None:
        raise ValueError("A deadline needs positive hours and an aware time.")
    left = timedelta(hours=sla_hours)
    for opens_at, closes_at in _windows_from(opened_at, calendar):
        begins_at = max(opens_at, opened_at.astimezone(UTC))
        if closes_at - begins_at >= left:
            return begins_at + left
        left -= max(closes_at - begins_at, timedelta(0))
    raise ValueError("The business calendar has no working day in the next ten years.")


def working_time(start_at: datetime, end_at: datetime, calendar: Calendar) -> timedelta:
    """Working time between two instants; zero if the second is not after the first."""
    total = timedelta(0)
    for opens_at, closes_at in _windows_from(start_at, calendar):
        if opens_at >= end_at:
            break
        total += max(min(closes_at, end_at) - max(opens_at, start_at), timedelta(0))
    return total


def _windows_from(start_at: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    first = start_at.astimezone(ZoneInfo(calendar.time_zone)).date() - timedelta(days=1)
    days = (first + timedelta(days=offset) for offset in range(LONGEST_SEARCH_DAYS))
    windows = (calendar.window(day) for day in days if calendar.is_working_day(day))
    return (window for window in windows if window[1] > start_at)


def in_words(due_at: datetime | None, now: datetime) -> str:
    """A deadline as people say it: "2 h late", "due in 40 min", "due now", "no deadline"."""
    if due_at is None:
        return "no deadline"
    distance = due_at - now
    if abs(distance) < timedelta(minutes=1):
        return "due now"
    return f"{span_in_words(-distance)} late" if distance < timedelta(0) else f"due in {span_in_words(distance)}"


def span_in_words(span: timedelta) -> str:
    """A length of time rounded down to its largest unit: "40 min", "2 h", "3 d"."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} d"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How many points of urgency a case gets, and from when it is a team lead's matter.

    `per_unit` is for one major unit of money by currency (1 where absent): it brings currencies to one order of
    magnitude, so that 10,000 JPY do not outrank 100 GBP. `severity` is by name.
    """

    per_unit: Mapping[str, Decimal] = field(default_factory=dict)
    per_waiting_hour: Decimal = Decimal(1)
    severity: Mapping[str, int] = field(default_factory=dict)


def priority(
    *,
    money_at_risk: Decimal | None,
    currency: str,
    waiting_since_at: datetime | None,
    severity: str,
    weights: Weights,
    now: datetime,
) -> int:
    """Urgency of a case: money at risk plus the customer's waiting time, plus how bad its kind is (S4-13).

    Points of money and of full hours waited are rounded up. Never negative, never above the database's integer.
    """
    money = abs(money_at_risk or Decimal(0)) * weights.per_unit.get(currency, Decimal(1))
    waited = max(now - waiting_since_at, timedelta(0)) if waiting_since_at else timedelta(0)
    hours = int(waited.total_seconds() // 3600) * weights.per_waiting_hour
    points = sum(int(part.to_integral_value(rounding=ROUND_CEILING)) for part in (money, hours))
    return max(0, min(points + weights.severity.get(severity, 0), PRIORITY_CEILING))


def month_end(at: datetime, calendar: Calendar) -> datetime:
    """When the last working day of the month closes (UTC), for the month that `at` lies in there."""
    local = at.astimezone(ZoneInfo(calendar.time_zone)).date()
    first_of_next = (local.replace(day=1) + timedelta(days=32)).replace(day=1)
    days = (first_of_next - timedelta(days=offset) for offset in range(1, 32))
    last = next((day for day in days if day.month == local.month and calendar.is_working_day(day)), local)
    return calendar.window(last)[1]


def escalates_at(
    *, due_at: datetime, has_money: bool, warning: timedelta, calendar: Calendar, opened_at: datetime
) -> datetime:
    """When a team lead hears of an open case: so long before its deadline, or before the month ends.

    What money hangs on must not outlast the month it was opened in: the books are closed on it.
    """
    latest = min(due_at, month_end(opened_at, calendar)) if has_money else due_at
    return max(opened_at, latest - warning)
