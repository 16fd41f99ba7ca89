"""A webhook the shop switched off is a case, is armed again, and the case closes by itself."""

import pytest
from pytest_django import Settings

from connectors import webhook_health
from connectors.simulators.base import Fault, FaultKind
from exceptions_queue.models import ExceptionCase
from returnsops import states
from tests.journeys.world import OPS_URL, World, world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _public_url(settings: Settings) -> None:
    settings.PUBLIC_URL = OPS_URL


def _switch_off(w: World) -> str:
    hook = next(iter(w.shop.state.webhooks.values()))
    hook.status = "disabled"
    return hook.topic


def test_a_disabled_webhook_is_a_case_and_armed_again() -> None:
    with world() as w:
        topic = _switch_off(w)
        assert webhook_health.check_due(at=w.now()) == 1
        assert w.open_cases() == [states.CASE_WEBHOOK_DISABLED]
        case = ExceptionCase.objects.get(kind_code=states.CASE_WEBHOOK_DISABLED)
        assert case.evidence == {"topics": [topic]}
        assert {hook.status for hook in w.shop.state.webhooks.values()} == {"active"}

        assert webhook_health.check_due(at=w.now()) == 0
        w.shift(webhook_health.EVERY.total_seconds())
        assert webhook_health.check_due(at=w.now()) == 1
        assert w.open_cases() == []


def test_healthy_webhooks_and_others_ones_are_left_alone() -> None:
    with world() as w:
        writes = [call for call in w.shop.calls.all() if call.method != "GET"]
        webhook_health.check_due(at=w.now())
        assert w.open_cases() == []
        assert [call for call in w.shop.calls.all() if call.method != "GET"] == writes


def test_a_paused_connection_is_not_asked() -> None:
    with world() as w:
        _switch_off(w)
        connection = w.connection("shop")
        connection.is_paused = True
        connection.save()
        assert webhook_health.check_due(at=w.now()) == 0


def test_a_shop_that_does_not_answer_changes_nothing() -> None:
    with world() as w:
        _switch_off(w)
        w.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR, path_pattern="/webhooks", times=9))
        assert webhook_health.check_due(at=w.now()) == 1
        assert w.open_cases() == []
