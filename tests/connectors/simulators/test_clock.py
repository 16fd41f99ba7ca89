"""Clocks: the simulated one moves only when told."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from connectors.simulators.clock import SimulatedClock, SystemClock


def test_it_stands_still_until_moved() -> None:
    clock = SimulatedClock(datetime(2026, 11, 20, 13, 0, tzinfo=timezone(timedelta(hours=1))))
    assert clock.now() == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    assert clock.advance(90) == datetime(2026, 11, 20, 12, 1, 30, tzinfo=UTC)
    clock.sleep(30)
    assert clock.now() == datetime(2026, 11, 20, 12, 2, tzinfo=UTC)


def test_a_start_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        SimulatedClock(datetime(2026, 11, 20))  # noqa: DTZ001 - the refusal of it is what is tested


def test_the_system_clock_is_aware() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0)
    assert before.tzinfo is UTC
    assert clock.now() >= before
