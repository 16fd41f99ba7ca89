"""The return window: whole days after the day of the order, to the last second of the last day in shop time. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Window:
    """The last day on which a return may be asked for, and the first moment at which it is too late."""

    days: int
    last_date: date
    closes_at: datetime

    def is_closed(self, at: datetime) -> bool:
        """Whether a return asked for at that moment is too late."""
        return at >= self.closes_at


def window_of(*, placed_at: datetime, days: int | None, time_zone: str) -> Window | None:
    """The window of an order placed then, None where the policy sets none (S1-7, S4-5).

    Days are the shop's calendar days, so that a change of its clocks moves no date.
    """
    if days is None:
        return None
    zone = ZoneInfo(time_zone)
    last_date = placed_at.astimezone(zone).date() + timedelta(days=days)
    closes_at = datetime.combine(last_date + timedelta(days=1), time.min, tzinfo=zone)
    return Window(days=days, last_date=last_date, closes_at=closes_at)
