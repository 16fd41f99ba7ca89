"""The last day of a return window is the shop's, whatever its clocks do."""

from datetime import UTC, date, datetime

import pytest

from returnsops.planning.window import Window, window_of

MADRID = "Europe/Madrid"


def made(placed_at: str, days: int, zone: str = MADRID) -> Window:
    window = window_of(placed_at=datetime.fromisoformat(placed_at), days=days, time_zone=zone)
    assert window is not None
    return window


def test_without_days_there_is_no_window() -> None:
    assert window_of(placed_at=datetime(2026, 5, 1, tzinfo=UTC), days=None, time_zone=MADRID) is None


@pytest.mark.parametrize(
    ("placed_at", "days", "zone", "last_date", "closes_at"),
    [
        ("2026-10-03T10:00:00+00:00", 30, MADRID, date(2026, 11, 2), "2026-11-02T23:00:00+00:00"),
        # Placed after midnight in Madrid, before it in UTC: the shop's day counts.
        ("2026-10-02T22:30:00+00:00", 30, MADRID, date(2026, 11, 2), "2026-11-02T23:00:00+00:00"),
        # Ends on the day the clocks go back (25 hours), and on the day they go forward (23 hours).
        ("2026-10-15T10:00:00+00:00", 10, MADRID, date(2026, 10, 25), "2026-10-25T23:00:00+00:00"),
        ("2026-03-19T10:00:00+00:00", 10, MADRID, date(2026, 3, 29), "2026-03-29T22:00:00+00:00"),
        ("2026-10-03T10:00:00+00:00", 30, "UTC", date(2026, 11, 2), "2026-11-03T00:00:00+00:00"),
    ],
)
def test_it_closes_with_the_last_day_in_the_shop(
    placed_at: str, days: int, zone: str, last_date: date, closes_at: str
) -> None:
    window = made(placed_at, days, zone)
    assert (window.last_date, window.closes_at) == (last_date, datetime.fromisoformat(closes_at))


def test_the_last_second_is_inside_and_the_next_is_not() -> None:
    window = made("2026-10-03T10:00:00+00:00", 30)
    assert not window.is_closed(datetime.fromisoformat("2026-11-02T22:59:59.999999+00:00"))
    assert window.is_closed(datetime.fromisoformat("2026-11-02T23:00:00+00:00"))
