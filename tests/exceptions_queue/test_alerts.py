"""Which alerts are written, and how they are sent."""

import smtplib
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
import requests
import responses
from django.core import mail
from pytest_django import Settings

from exceptions_queue import alerts, notify, services
from exceptions_queue.models import AlertState, CaseAlert
from tests.exceptions_queue.conftest import NOW, OpenCase

HOOK = "https://chat.example/secret-token"


@pytest.fixture
def both(settings: Settings) -> dict[str, Any]:
    """Mail to finance and a webhook for all."""
    configured = {"webhook_url": HOOK, "mail_to": {"FIN": ["fin@shop.example"]}, "base_url": "https://ops.example/"}
    settings.EXCEPTIONS_QUEUE_ALERTS = configured
    return configured


def test_nothing_is_written_or_sent_unless_configured(open_case: OpenCase) -> None:
    open_case()
    assert alerts.queue_overdue_alerts(NOW + timedelta(days=9)) == 0
    assert alerts.queue_ageing_alerts(NOW + timedelta(days=9)) == 0
    assert not CaseAlert.objects.exists()
    assert notify.send_due_alerts(NOW) == 0


def test_a_wrong_setting_never_stops_a_case(open_case: OpenCase, settings: Settings) -> None:
    settings.EXCEPTIONS_QUEUE_ALERTS = {"web_hook": HOOK}
    assert open_case().state == "open"
    assert notify.send_due_alerts(NOW) == 0


def test_one_alert_per_channel_case_and_reason(open_case: OpenCase, both: Any) -> None:
    case = open_case()
    open_case()
    assert sorted(CaseAlert.objects.values_list("channel", "reason")) == [("mail", "opened"), ("webhook", "opened")]
    services.auto_resolve(case=case, at=NOW)
    open_case()
    services.auto_resolve(case=case, at=NOW)
    open_case()
    assert CaseAlert.objects.filter(reason="regressed", channel="mail").count() == 2


def test_mild_cases_alert_only_when_overdue(open_case: OpenCase, both: Any) -> None:
    open_case(kind="parcel_odd")
    assert not CaseAlert.objects.exists()
    assert alerts.queue_overdue_alerts(NOW + timedelta(minutes=31)) == 1
    assert alerts.queue_overdue_alerts(NOW + timedelta(minutes=41)) == 0
    assert CaseAlert.objects.get().reason == "overdue"


def test_a_case_that_came_back_and_is_late_again_alerts_again(open_case: OpenCase, both: Any) -> None:
    case = open_case(kind="parcel_odd")
    assert alerts.queue_overdue_alerts(NOW + timedelta(hours=1)) == 1
    services.auto_resolve(case=case, at=NOW + timedelta(hours=2))
    open_case(kind="parcel_odd", at=NOW + timedelta(hours=3))
    assert alerts.queue_overdue_alerts(NOW + timedelta(hours=3)) == 0
    assert alerts.queue_overdue_alerts(NOW + timedelta(hours=4)) == 1


def test_a_team_hears_of_its_ageing_backlog_once_a_day(open_case: OpenCase, both: Any) -> None:
    open_case()
    CaseAlert.objects.all().delete()
    assert alerts.queue_ageing_alerts(NOW + timedelta(hours=71)) == 0
    assert alerts.queue_ageing_alerts(NOW + timedelta(hours=72)) == 1
    assert alerts.queue_ageing_alerts(NOW + timedelta(hours=73)) == 1
    assert CaseAlert.objects.count() == 2
    assert alerts.queue_ageing_alerts(NOW + timedelta(hours=96)) == 1
    assert CaseAlert.objects.count() == 4


@responses.activate
def test_messages_carry_one_link_and_nothing_of_the_customer(open_case: OpenCase, both: Any) -> None:
    responses.post(HOOK, body="ok")
    case = open_case(title="Ann Smith wants money", cause="ann@example.com", subject_label="Ann Smith")
    assert notify.send_due_alerts(NOW) == 2
    assert notify.send_due_alerts(NOW) == 0
    (message,) = mail.outbox
    assert message.to == ["fin@shop.example"]
    assert message.subject == f"[Finance] Amounts differ was opened (case {case.pk})"
    link = f"https://ops.example/admin/exceptions_queue/exceptioncase/{case.pk}/change/"
    assert message.body == f"Severity high, due in 4 h.\n{link}"
    posted = str(responses.calls[0].request.body)
    assert len(responses.calls) == 1
    assert link in posted
    assert "Ann" not in posted
    assert "Ann" not in message.subject + message.body


@responses.activate
def test_an_ageing_message_counts(open_case: OpenCase, both: Any) -> None:
    responses.post(HOOK)
    open_case()
    CaseAlert.objects.all().delete()
    alerts.queue_ageing_alerts(NOW + timedelta(hours=72))
    notify.send_due_alerts(NOW + timedelta(hours=72))
    assert mail.outbox[0].subject == "[Finance] has an ageing backlog"
    assert mail.outbox[0].body.startswith("1 open cases, the oldest for 3 d.\nhttps://ops.example/admin/")


@responses.activate
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 500}, "The webhook answered 500."),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, "The webhook answered 302."),
        ({"body": requests.ConnectionError(HOOK)}, "The webhook could not be reached (ConnectionError)."),
    ],
)
def test_a_failed_webhook_is_retried_later_and_never_named(
    open_case: OpenCase, both: Any, answer: dict[str, Any], error: str, caplog: pytest.LogCaptureFixture
) -> None:
    responses.post(HOOK, **answer)
    open_case()
    assert notify.send_due_alerts(NOW) == 1
    alert = CaseAlert.objects.get(channel="webhook")
    assert (alert.state, alert.attempts, alert.last_error) == ("waiting", 1, error)
    assert alert.next_try_at == NOW + timedelta(minutes=1)
    assert "secret-token" not in caplog.text
    assert len(mail.outbox) == 1
    responses.replace(responses.POST, HOOK, body="ok")
    assert notify.send_due_alerts(NOW) == 0
    assert notify.send_due_alerts(NOW + timedelta(minutes=1)) == 1


def test_a_mail_server_that_refuses_is_given_up_after_the_last_attempt(open_case: OpenCase, settings: Settings) -> None:
    settings.EXCEPTIONS_QUEUE_ALERTS = {"mail_to": {"default": ["all@shop.example"]}}
    open_case()
    with patch.object(notify, "send_mail", side_effect=smtplib.SMTPServerDisconnected("gone")) as send:
        for day in range(1, 12):
            notify.send_due_alerts(NOW + timedelta(days=day))
    assert send.call_count == notify.MOST_ATTEMPTS
    assert CaseAlert.objects.get().state == AlertState.GIVEN_UP


def test_an_alert_whose_address_was_removed_says_so(open_case: OpenCase, both: Any, settings: Settings) -> None:
    open_case()
    settings.EXCEPTIONS_QUEUE_ALERTS = {}
    assert notify.send_due_alerts(NOW) == 0
    errors = set(CaseAlert.objects.values_list("last_error", flat=True))
    assert errors == {"No mail address is configured for this team any more.", "No webhook is configured any more."}


def test_an_alert_about_a_case_that_was_closed_is_not_sent(open_case: OpenCase, both: Any) -> None:
    services.auto_resolve(case=open_case(), at=NOW)
    assert notify.send_due_alerts(NOW) == 0
    assert set(CaseAlert.objects.values_list("state", flat=True)) == {"given_up"}
    assert mail.outbox == []


def test_a_claim_is_respected_until_its_lease_ends(open_case: OpenCase, settings: Settings) -> None:
    settings.EXCEPTIONS_QUEUE_ALERTS = {"mail_to": {"default": ["all@shop.example"]}}
    open_case()
    alert = CaseAlert.objects.get()
    assert notify._is_claimed(alert, NOW)
    assert not notify._is_claimed(alert, NOW)
    assert notify.send_due_alerts(NOW + timedelta(minutes=9)) == 0
    assert notify.send_due_alerts(NOW + timedelta(minutes=10)) == 1


@pytest.mark.requirement("S4-13")
def test_a_lead_hears_of_what_weighs_before_it_is_late_and_with_the_team_after(
    open_case: OpenCase, settings: Settings
) -> None:
    leads = {"leads": {"FIN": ["cfo@shop.example"]}, "mail_to": {"FIN": ["fin@shop.example"]}, "lead_priority": 130}
    settings.EXCEPTIONS_QUEUE_ALERTS = {**leads, "severities": []}
    dear = open_case(fingerprint="dear", money_at_risk=Decimal(100), currency="GBP")
    open_case(fingerprint="cheap", money_at_risk=Decimal(99), currency="GBP")
    assert dear.due_at is not None
    warned_at = dear.due_at - timedelta(hours=1)
    assert alerts.queue_escalations(warned_at - timedelta(seconds=1)) == 0
    assert [alerts.queue_escalations(warned_at) for _ in range(2)] == [1, 0]
    assert notify.send_due_alerts(warned_at) == 1
    (warning,) = mail.outbox
    assert warning.to == ["cfo@shop.example"]
    assert warning.subject == f"[Finance] Amounts differ is urgent and will be late soon (case {dear.pk})"
    assert "due in 1 h" in warning.body

    mail.outbox.clear()
    assert alerts.queue_overdue_alerts(dear.due_at) == 2
    notify.send_due_alerts(dear.due_at)
    assert [message.to for message in mail.outbox] == [["fin@shop.example", "cfo@shop.example"]] * 2


def test_without_leads_nobody_is_written_to_before_a_deadline(open_case: OpenCase, both: Any) -> None:
    open_case(money_at_risk=Decimal(1000), currency="GBP")
    CaseAlert.objects.all().delete()
    assert alerts.queue_escalations(NOW + timedelta(days=9)) == 0
    assert not CaseAlert.objects.exists()
