"""What the schedule calls."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from exceptions_queue import kinds, services, tasks
from exceptions_queue.models import ExceptionCase
from tests.exceptions_queue.conftest import NOW, OpenCase, Shop, kind_of


def test_upkeep_does_everything_that_is_due(open_case: OpenCase, settings: Settings) -> None:
    settings.EXCEPTIONS_QUEUE_ALERTS = {"mail_to": {"default": ["all@shop.example"]}}
    case = open_case(waiting_since_at=NOW)
    services.snooze(case=case, by="system", at=NOW, until_at=NOW + timedelta(days=4))
    assert tasks.upkeep(NOW + timedelta(days=4)) == {
        "woken": 1,
        "reordered": 1,
        "escalated": 0,
        "overdue": 1,
        "ageing_teams": 1,
        "alerts_sent": 3,
    }


def test_one_failing_recheck_does_not_stop_the_others(
    open_case: OpenCase, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_case: ExceptionCase) -> bool:
        raise OSError("no route")

    kinds.register(kind_of(shop, code="broken", recheck=broken))
    open_case(kind="broken")
    open_case(kind="parcel_odd")
    open_case()
    assert tasks.recheck_open(NOW) == {"closed": 0, "still_there": 1, "failed": 1}
    shop.is_cause_gone = True
    assert tasks.recheck_open(NOW) == {"closed": 1, "still_there": 0, "failed": 1}
    assert "could not be checked again" in caplog.text
