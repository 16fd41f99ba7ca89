"""Settings of the queue."""

from datetime import time
from decimal import Decimal

import pytest
from pytest_django import Settings

from exceptions_queue.configuration import alert_settings, calendar_of, points_per_unit
from exceptions_queue.sla import Calendar


def test_the_default_calendar_is_the_office_in_london() -> None:
    assert calendar_of("FIN") == Calendar()


def test_a_team_may_have_its_own_calendar(settings: Settings) -> None:
    settings.EXCEPTIONS_QUEUE_CALENDARS = {
        "WH": {"opens": "06:00", "closes": "22:00", "weekdays": [0, 1, 2, 3, 4, 5]},
        "default": {"time_zone": "Europe/Madrid", "country": "ES"},
    }
    warehouse = calendar_of("WH")
    assert (warehouse.opens, warehouse.closes, warehouse.weekdays) == (time(6), time(22), frozenset(range(6)))
    assert calendar_of("FIN").time_zone == "Europe/Madrid"


@pytest.mark.parametrize("wrong", [{"zone": "UTC"}, {"time_zone": "Mars/Base"}, {"opens": "nine"}, {"weekdays": []}])
def test_a_wrong_calendar_names_the_setting(settings: Settings, wrong: dict[str, object]) -> None:
    settings.EXCEPTIONS_QUEUE_CALENDARS = {"WH": wrong}
    with pytest.raises(ValueError, match="EXCEPTIONS_QUEUE_CALENDARS is wrong for team WH"):
        calendar_of("WH")


def test_small_units_weigh_less(settings: Settings) -> None:
    assert points_per_unit("GBP") == 1
    assert points_per_unit("JPY") == Decimal("0.01")
    settings.EXCEPTIONS_QUEUE_POINTS_PER_UNIT = {"JPY": "0.006"}
    assert points_per_unit("JPY") == Decimal("0.006")


def test_alerts_are_off_by_default_and_misspelt_keys_are_named(settings: Settings) -> None:
    assert alert_settings().webhook_url == ""
    assert alert_settings().addresses_of("FIN") == ()
    settings.EXCEPTIONS_QUEUE_ALERTS = {"severities": ["critical"], "mail_to": {"default": ["a@b.example"]}}
    assert alert_settings().severities == frozenset({"critical"})
    assert alert_settings().addresses_of("FIN") == ("a@b.example",)
    settings.EXCEPTIONS_QUEUE_ALERTS = {"web_hook": ""}
    with pytest.raises(ValueError, match="EXCEPTIONS_QUEUE_ALERTS is wrong"):
        alert_settings()
