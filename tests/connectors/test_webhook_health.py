"""A webhook that the shop switched off, or that is gone, is a case, is armed again, and the case closes by itself."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from connectors import doctor, webhook_health
from connectors.models import SyncCursor
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.wsgi_transport import mounted_session
from connectors.woocommerce.webhooks import TOPICS
from exceptions_queue.models import ExceptionCase
from returnsops import states
from tests.journeys.world import OPS_URL, World, world

pytestmark = pytest.mark.django_db
ARMED = "Armed again; the case closes when the next look finds them on."


@pytest.fixture(autouse=True)
def _public_url(settings: Settings) -> None:
    settings.PUBLIC_URL = OPS_URL


def _switch_off(w: World) -> str:
    hook = next(iter(w.shop.state.webhooks.values()))
    hook.status = "disabled"
    return hook.topic


def _look(w: World) -> None:
    w.shift(webhook_health.EVERY.total_seconds())
    assert webhook_health.check_due(at=w.now()) == 1


def _delete(w: World, *topics: str) -> None:
    """Somebody deletes them at the shop, whose ping of new ones then goes to nobody in particular."""
    w.shop.webhooks.session = mounted_session(_answer_ok, OPS_URL)
    hooks = w.shop.state.webhooks
    for number in [number for number, hook in hooks.items() if hook.topic in topics]:
        del hooks[number]


def _answer_ok(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def _topics(w: World) -> list[str]:
    return sorted(hook.topic for hook in w.shop.state.webhooks.values() if hook.status == "active")


def _doctor(w: World) -> tuple[bool, str]:
    (line,) = [line for line in doctor.examine(is_remote=True) if line.name == "webhooks of shop"]
    return line.is_ok, line.text


def test_a_disabled_webhook_is_a_case_and_armed_again() -> None:
    with world() as w:
        topic = _switch_off(w)
        assert webhook_health.check_due(at=w.now()) == 1
        assert w.open_cases() == [states.CASE_WEBHOOK_DISABLED]
        case = ExceptionCase.objects.get(kind_code=states.CASE_WEBHOOK_DISABLED)
        assert case.evidence == {"topics": [topic], "missing": []}
        assert case.cause == f"Switched off there: {topic}. {ARMED}"
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


@pytest.mark.parametrize("gone", [TOPICS[1:2], TOPICS], ids=["one", "all"])
def test_a_deleted_webhook_is_a_case_and_registered_again(gone: tuple[str, ...]) -> None:
    with world(is_telling=True) as w:
        _look(w)
        assert w.open_cases() == []
        _delete(w, *gone)
        assert _doctor(w) == (False, f"Not registered there any more: {', '.join(gone)}.")
        _look(w)
        assert w.open_cases() == [states.CASE_WEBHOOK_DISABLED]
        case = ExceptionCase.objects.get(kind_code=states.CASE_WEBHOOK_DISABLED)
        assert case.evidence == {"topics": [], "missing": list(gone)}
        assert case.cause == f"Not registered there any more: {', '.join(gone)}. {ARMED}"
        assert _topics(w) == sorted(TOPICS)
        _look(w)
        assert w.open_cases() == []
        assert _doctor(w) == (True, "4 on")


def test_webhooks_that_were_never_registered_are_a_choice() -> None:
    with world() as w:
        _delete(w, *TOPICS)
        _look(w)
        assert (w.open_cases(), _topics(w)) == ([], [])
        assert _doctor(w) == (True, "none is registered: changes are found by polling")


def test_a_shop_that_is_to_be_polled_only_is_well_without_webhooks() -> None:
    with world() as w:
        _look(w)
        _delete(w, *TOPICS)
        _look(w)
        _delete(w, *TOPICS)
        assert w.open_cases() == [states.CASE_WEBHOOK_DISABLED]
        with pytest.raises(CommandError, match="shop is not ready"):
            call_command("check_connection", "shop", stdout=StringIO())

        connection = w.connection("shop")
        connection.settings = {**connection.settings, "webhooks": False}
        connection.save()
        writes = w.writes()
        _look(w)
        assert (w.open_cases(), _topics(w), w.writes()) == ([], [], writes)
        told = StringIO()
        call_command("check_connection", "shop", stdout=told)
        assert "ok   webhooks: polled only, as the connection's settings say (webhooks = false)" in told.getvalue()
        assert _doctor(w) == (True, "polled only, as its settings say (webhooks = false)")
        with pytest.raises(CommandError, match="says webhooks = false"):
            call_command("check_connection", "shop", "--repair-webhooks", OPS_URL, stdout=StringIO())
        assert _topics(w) == []


def test_webhooks_registered_by_command_are_watched_from_then_on() -> None:
    with world() as w:
        _delete(w, *TOPICS)
        call_command("check_connection", "shop", "--repair-webhooks", f"{OPS_URL}/", stdout=StringIO())
        _delete(w, *TOPICS)
        _look(w)
        assert (w.open_cases(), _topics(w)) == ([states.CASE_WEBHOOK_DISABLED], sorted(TOPICS))


def test_after_a_move_to_another_address_nothing_is_registered_by_itself(settings: Settings) -> None:
    with world() as w:
        _look(w)
        settings.PUBLIC_URL = "https://copy.example"
        _look(w)
        assert w.open_cases() == []
        assert {hook.delivery_url for hook in w.shop.state.webhooks.values()} == {f"{OPS_URL}/webhooks/shop/"}
        assert SyncCursor.objects.get(stream=webhook_health.STREAM).cursor == f"{OPS_URL}/webhooks/shop/"


def test_a_webhook_that_cannot_be_armed_again_is_a_case_that_says_why() -> None:
    with world() as w:
        topic = _switch_off(w)
        w.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR, method="PUT", path_pattern="/webhooks", times=9))
        _look(w)
        case = ExceptionCase.objects.get(kind_code=states.CASE_WEBHOOK_DISABLED)
        assert case.cause.startswith(f"Switched off there: {topic}. They could not be armed again: ")
