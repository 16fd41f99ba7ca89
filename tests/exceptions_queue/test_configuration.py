"""Settings of the queue."""

from datetime import time
from decimal import Decimal

import pytest
from pytest_django import Settings

from exceptions_queue.configuration import alert_settings, calendar_of, weights
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


def test_what_is_urgent_is_a_setting(settings: Settings) -> None:
    assert weights().per_unit["JPY"] == Decimal("0.01")
    assert (weights().per_waiting_hour, weights().severity["critical"]) == (Decimal(1), 100)
    settings.EXCEPTIONS_QUEUE_PRIORITY = {"per_unit": {"JPY": 0.006}, "per_waiting_hour": 3, "severity": {"low": 5}}
    assert (weights().per_unit["JPY"], weights().per_unit["KRW"]) == (Decimal("0.006"), Decimal("0.001"))
    assert (weights().per_waiting_hour, weights().severity["low"], weights().severity["high"]) == (Decimal(3), 5, 30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_hour": 1},
        {"per_waiting_hour": "much"},
        {"per_unit": {"EUR": -1}},
        {"severity": {"dire": 1}},
        {"per_unit": 3},
    ],
)
def test_a_wrong_weight_names_the_setting(settings: Settings, wrong: dict[str, object]) -> None:
    settings.EXCEPTIONS_QUEUE_PRIORITY = wrong
    with pytest.raises(ValueError, match="EXCEPTIONS_QUEUE_PRIORITY is wrong"):
        weights()


def test_alerts_are_off_by_default_and_misspelt_keys_are_named(settings: Settings) -> None:
    assert alert_settings().webhook_url == ""
    assert alert_settings().addresses_of("FIN") == ()
    settings.EXCEPTIONS_QUEUE_ALERTS = {"severities": ["critical"], "mail_to": {"default": ["a@b.example"]}}
    assert alert_settings().severities == frozenset({"critical"})
    assert alert_settings().addresses_of("FIN") == ("a@b.example",)
    settings.EXCEPTIONS_QUEUE_ALERTS = {"web_hook": ""}
    with pytest.raises(ValueError, match="EXCEPTIONS_QUEUE_ALERTS is wrong"):
        alert_settings()
