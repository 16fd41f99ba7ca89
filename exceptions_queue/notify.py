"""Sending alerts by mail and to a Slack-style webhook: once, with one deep link, never with customer data.

Only kind, team, number, severity and deadline of a case are told; what it is about is behind the link and its sign-in.
A failure to send is retried and never reaches whoever opened the case. Called outside any transaction.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta

import requests
from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F, Q
from django.urls import reverse

from exceptions_queue.configuration import AlertSettings, alert_settings
from exceptions_queue.figures import oldest_by_team
from exceptions_queue.kinds import find_kind, team_title
from exceptions_queue.models import AlertChannel, AlertReason, AlertState, CaseAlert, ExceptionCase
from exceptions_queue.sla import in_words, span_in_words

logger = logging.getLogger(__name__)

TIMEOUT_S = 10
LEASE = timedelta(minutes=10)
FIRST_BACK_OFF = timedelta(minutes=1)
MOST_ATTEMPTS = 8
BATCH = 50


class AlertFailedError(Exception):
    """An alert was not taken; the text names the cause without any address."""


def send_due_alerts(at: datetime) -> int:
    """Send what is waiting, each claimed first so that two workers never send the same; returns how many were sent."""
    try:
        configured = alert_settings()
    except ValueError:
        logger.exception("Alerts of the exceptions queue are off because their setting is wrong.")
        return 0
    due = CaseAlert.objects.filter(_due(at)).order_by("pk")[:BATCH]
    return sum(_send_one(alert=alert, configured=configured, at=at) for alert in due if _is_claimed(alert, at))


def _due(at: datetime) -> Q:
    # A row that is still "sending" when its lease ends belongs to a worker that died.
    return Q(state__in=(AlertState.WAITING, AlertState.SENDING), next_try_at__lte=at)


def _is_claimed(alert: CaseAlert, at: datetime) -> bool:
    rows = CaseAlert.objects.filter(_due(at), pk=alert.pk, attempts=alert.attempts)
    return rows.update(state=AlertState.SENDING, attempts=F("attempts") + 1, next_try_at=at + LEASE) == 1


def _send_one(*, alert: CaseAlert, configured: AlertSettings, at: datetime) -> bool:
    if alert.case is not None and not alert.case.is_active:
        _settle(alert, state=AlertState.GIVEN_UP, last_error="The case was closed before the alert left.")
        return False
    try:
        _deliver(alert=alert, configured=configured, now=at)
    except AlertFailedError as error:
        attempts = alert.attempts + 1
        state = AlertState.GIVEN_UP if attempts >= MOST_ATTEMPTS else AlertState.WAITING
        retry_at = at + FIRST_BACK_OFF * 2 ** (attempts - 1)
        _settle(alert, state=state, next_try_at=retry_at, last_error=str(error)[:250])
        logger.warning("Alert %s was not sent (attempt %s): %s", alert.pk, attempts, error)
        return False
    _settle(alert, state=AlertState.SENT, sent_at=at, last_error="")
    return True


def _settle(alert: CaseAlert, **values: object) -> None:
    CaseAlert.objects.filter(pk=alert.pk, state=AlertState.SENDING, attempts=alert.attempts + 1).update(**values)


def _deliver(*, alert: CaseAlert, configured: AlertSettings, now: datetime) -> None:
    subject, body = message_of(alert=alert, configured=configured, now=now)
    if alert.channel == AlertChannel.MAIL:
        _mail(subject=subject, body=body, to=configured.addresses_for(alert.team, alert.reason))
    else:
        _post(url=configured.webhook_url, text=f"*{subject}*\n{body}")


def message_of(*, alert: CaseAlert, configured: AlertSettings, now: datetime) -> tuple[str, str]:
    """Subject and body of an alert; nothing in them comes from a customer or another system."""
    if alert.case is None:
        return _backlog_message(alert=alert, configured=configured, now=now)
    case, kind = alert.case, find_kind(alert.case.kind_code)
    title = kind.title if kind else case.kind_code
    subject = f"[{team_title(alert.team)}] {title} {AlertReason(alert.reason).label} (case {case.pk})"
    severity = f"Severity {kind.severity}, " if kind else ""
    path = reverse("admin:exceptions_queue_exceptioncase_change", args=[case.pk])
    return subject, f"{severity}{in_words(case.due_at, now)}.\n{_base_url(configured)}{path}"


def _backlog_message(*, alert: CaseAlert, configured: AlertSettings, now: datetime) -> tuple[str, str]:
    oldest_at = oldest_by_team().get(alert.team, now)
    count = ExceptionCase.objects.active().filter(owner_team=alert.team).count()
    path = f"{reverse('admin:exceptions_queue_exceptioncase_changelist')}?view=all"
    subject = f"[{team_title(alert.team)}] {AlertReason.AGEING.label}"
    body = f"{count} open cases, the oldest for {span_in_words(now - oldest_at)}.\n{_base_url(configured)}{path}"
    return subject, body


def _base_url(configured: AlertSettings) -> str:
    return (configured.base_url or getattr(settings, "PUBLIC_URL", "")).rstrip("/")


def _mail(*, subject: str, body: str, to: tuple[str, ...]) -> None:
    if not to:
        raise AlertFailedError("No mail address is configured for this team any more.")
    try:
        send_mail(subject, body, None, list(to))
    except (smtplib.SMTPException, OSError) as error:
        raise AlertFailedError(f"The mail server did not take it ({type(error).__name__}).") from error


def _post(*, url: str, text: str) -> None:
    if not url:
        raise AlertFailedError("No webhook is configured any more.")
    try:
        response = requests.post(url, json={"text": text}, timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        # The address of such a webhook is a secret, and the exception's own text would tell it.
        raise AlertFailedError(f"The webhook could not be reached ({type(error).__name__}).") from None
    if not 200 <= response.status_code < 300:
        raise AlertFailedError(f"The webhook answered {response.status_code}.")
