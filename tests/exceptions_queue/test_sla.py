"""Deadlines, words and priorities: pure functions, examples and properties."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exceptions_queue import sla
from exceptions_queue.sla import Calendar

LONDON = ZoneInfo("Europe/London")
OFFICE = Calendar()
ENGLAND = Calendar(country="GB", subdivision="ENG")
ROUND_THE_CLOCK = Calendar(weekdays=frozenset(range(7)), opens=time(0), closes=time(0))

windows = st.sampled_from(
    [(time(0), time(2, 30)), (time(1, 30), time(17)), (time(9), time(17)), (time(1, 30), time(0)), (time(0), time(0))]
)
zones = st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"])
built = st.tuples(zones, st.frozensets(st.integers(0, 6), min_size=1), windows).map(
    lambda parts: Calendar(time_zone=parts[0], weekdays=parts[1], opens=parts[2][0], closes=parts[2][1])
)
calendars = built | st.just(ENGLAND)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
hours = st.integers(1, 60)


@pytest.mark.parametrize(
    ("opened", "sla_hours", "due"),
    [
        ("2026-03-12 10:00", 4, "2026-03-12 14:00"),
        ("2026-03-12 15:00", 4, "2026-03-13 11:00"),
        ("2026-03-13 16:30", 1, "2026-03-16 09:30"),
        ("2026-03-14 12:00", 8, "2026-03-16 17:00"),
        ("2026-03-12 03:00", 1, "2026-03-12 10:00"),
        ("2026-03-12 22:00", 1, "2026-03-13 10:00"),
        # The clocks go forward on Sunday 29 March 2026.
        ("2026-03-27 16:00", 2, "2026-03-30 10:00"),
    ],
)
def test_hours_of_work_end_on_the_local_clock(opened: str, sla_hours: int, due: str) -> None:
    opened_at = datetime.fromisoformat(opened).replace(tzinfo=LONDON)
    assert sla.due_at(opened_at, sla_hours, OFFICE) == datetime.fromisoformat(due).replace(tzinfo=LONDON)


def test_public_holidays_are_no_working_days_where_a_country_is_set() -> None:
    maundy_thursday = datetime(2026, 4, 2, 16, 0, tzinfo=LONDON)
    assert sla.due_at(maundy_thursday, 2, ENGLAND) == datetime(2026, 4, 7, 10, 0, tzinfo=LONDON)
    assert sla.due_at(maundy_thursday, 2, OFFICE) == datetime(2026, 4, 3, 10, 0, tzinfo=LONDON)
    assert not ENGLAND.is_working_day(date(2026, 12, 25))


def test_a_day_with_a_missing_hour_has_23_hours() -> None:
    _, closes_at = ROUND_THE_CLOCK.window(date(2026, 3, 29))
    assert closes_at.tzinfo is UTC
    sunday = Calendar(weekdays=frozenset({6}), opens=time(0), closes=time(0))
    begins_at, ends_at = sunday.window(date(2026, 3, 29))
    assert ends_at - begins_at == timedelta(hours=23)
    assert sla.due_at(begins_at, 23, sunday) == ends_at
    assert sla.due_at(begins_at, 24, sunday) == datetime(2026, 4, 5, 1, 0, tzinfo=LONDON)


@given(instants, hours, calendars)
def test_exactly_the_agreed_working_time_lies_before_the_deadline(
    opened_at: datetime, sla_hours: int, calendar: Calendar
) -> None:
    due_at = sla.due_at(opened_at, sla_hours, calendar)
    assert due_at >= opened_at + timedelta(hours=sla_hours)
    assert sla.working_time(opened_at, due_at, calendar) == timedelta(hours=sla_hours)
    assert sla.working_time(opened_at, due_at - timedelta(seconds=1), calendar) < timedelta(hours=sla_hours)


@given(instants, instants, hours, calendars)
def test_a_later_case_is_never_due_earlier(one: datetime, other: datetime, sla_hours: int, calendar: Calendar) -> None:
    early, late = sorted((one, other))
    assert sla.due_at(early, sla_hours, calendar) <= sla.due_at(late, sla_hours, calendar)
    assert sla.due_at(early, sla_hours, calendar) < sla.due_at(early, sla_hours + 1, calendar)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weekdays": frozenset()},
        {"weekdays": frozenset({7})},
        {"opens": time(17), "closes": time(9)},
        {"country": "XX"},
    ],
)
def test_a_calendar_on_which_nobody_works_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"business|holidays"):
        Calendar(**wrong)  # type: ignore[arg-type]


def test_a_deadline_needs_positive_hours_and_an_aware_time() -> None:
    with pytest.raises(ValueError, match="positive hours"):
        sla.due_at(datetime(2026, 3, 12, tzinfo=UTC), 0, OFFICE)
    with pytest.raises(ValueError, match="aware time"):
        sla.due_at(datetime(2026, 3, 12), 1, OFFICE)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (40, "due in 40 min"),
        (-125, "2 h late"),
        (0, "due now"),
        (-59, "59 min late"),
        (60, "due in 1 h"),
        (47 * 60, "due in 47 h"),
        (-72 * 60, "3 d late"),
    ],
)
def test_deadlines_in_words(minutes: int, words: str) -> None:
    now = datetime(2026, 3, 12, 10, 0, tzinfo=UTC)
    assert sla.in_words(now + timedelta(minutes=minutes), now) == words


def test_no_deadline_in_words() -> None:
    assert sla.in_words(None, datetime(2026, 3, 12, tzinfo=UTC)) == "no deadline"


AT = datetime(2026, 3, 12, 10, 0, tzinfo=UTC)
WEIGHTS = sla.Weights(per_unit={"JPY": Decimal("0.01")}, severity={"high": 30})


def points(
    money: Decimal | None = None,
    hours: float = 0,
    *,
    currency: str = "GBP",
    severity: str = "low",
    weights: sla.Weights = WEIGHTS,
) -> int:
    since = AT - timedelta(hours=hours)
    return sla.priority(
        money_at_risk=money, currency=currency, waiting_since_at=since, severity=severity, weights=weights, now=AT
    )


@pytest.mark.requirement("S4-13")
def test_priority_is_money_at_risk_plus_waiting_time_plus_how_bad_it_is() -> None:
    assert points(Decimal("12.01"), 5) == 13 + 5
    assert points(Decimal("12.01"), 5.9, severity="high") == 13 + 5 + 30
    assert points(Decimal(10_000), currency="JPY") == 100
    dear_hours = sla.Weights(per_waiting_hour=Decimal("2.5"))
    assert points(Decimal(-7), 3, weights=dear_hours) == 7 + 8
    assert points(None, -24) == 0  # a customer who waits only in the future adds nothing


amounts = st.none() | st.decimals(0, 10**9, places=2)


@given(amounts, amounts, st.integers(0, 10_000), st.integers(0, 10_000))
def test_priority_never_falls_with_more_money_or_longer_waiting(
    one: Decimal | None, more: Decimal | None, waited_h: int, longer_h: int
) -> None:
    low, high = sorted((one or Decimal(0), more or Decimal(0)))
    short, long = sorted((waited_h, longer_h))
    assert 0 <= points(low, short) <= points(high, long) <= sla.PRIORITY_CEILING


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-12T10:00", "2026-03-31T16:00"),  # a Tuesday, in summer time
        ("2026-02-28T10:00", "2026-02-27T17:00"),  # ends on a Saturday: its last working day is a Friday
        ("2026-10-31T23:30", "2026-10-30T17:00"),
        ("2026-12-31T10:00", "2026-12-31T17:00"),
    ],
)
def test_a_month_ends_with_its_last_working_day(at: str, expected: str) -> None:
    found = sla.month_end(datetime.fromisoformat(at).replace(tzinfo=UTC), sla.Calendar())
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.requirement("S4-13")
@pytest.mark.parametrize(
    ("opened", "due", "has_money", "expected"),
    [
        ("2026-03-12T10:00", "2026-03-13T10:00", True, "2026-03-13T09:00"),
        ("2026-03-31T10:00", "2026-04-03T10:00", True, "2026-03-31T15:00"),  # the month ends first
        ("2026-03-31T10:00", "2026-04-03T10:00", False, "2026-04-03T09:00"),
        ("2026-03-31T15:30", "2026-04-03T10:00", True, "2026-03-31T15:30"),  # too late to warn: at once
    ],
)
def test_a_lead_hears_before_the_deadline_and_of_money_before_the_month_ends(
    opened: str, due: str, has_money: bool, expected: str
) -> None:
    opened_at, due_at, expected_at = (
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (opened, due, expected)
    )
    found = sla.escalates_at(
        due_at=due_at,
        has_money=has_money,
        warning=timedelta(hours=1),
        calendar=sla.Calendar(),
        opened_at=opened_at,
    )
    assert found == expected_at
