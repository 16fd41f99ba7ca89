"""Which alerts are due: rows only, written beside the change they tell of. `notify` sends them later."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from exceptions_queue.configuration import AlertSettings, alert_settings, calendar_of
from exceptions_queue.figures import oldest_by_team
from exceptions_queue.kinds import find_kind
from exceptions_queue.models import AlertChannel, AlertReason, CaseAlert, ExceptionCase
from exceptions_queue.sla import escalates_at

logger = logging.getLogger(__name__)

DEADLINES = (AlertReason.OVERDUE, AlertReason.ESCALATED)


def queue_case_alert(*, case: ExceptionCase, reason: AlertReason, at: datetime) -> None:
    """Write one waiting alert per configured channel, once per case, reason and spell of being open.

    A wrong alert setting is logged and never stops the case itself. Kinds below the configured severities alert only
    when they are overdue.
    """
    configured = _settings_or_none()
    if configured is None:
        return
    kind = find_kind(case.kind_code)
    if reason not in DEADLINES and (kind is None or kind.severity not in configured.severities):
        return
    spell = f"case:{case.pk}:{reason}:{case.times_reopened}"
    _queue(configured=configured, team=case.owner_team, reason=reason, spell=spell, at=at, case=case)


def queue_overdue_alerts(at: datetime) -> int:
    """Write an alert for every open case past its deadline that has none yet; returns how many cases that were."""
    configured = _settings_or_none()
    if configured is None or not configured.is_on:
        return 0
    overdue = list(ExceptionCase.objects.breaching(at).exclude(_is_told(AlertReason.OVERDUE)))
    for case in overdue:
        queue_case_alert(case=case, reason=AlertReason.OVERDUE, at=at)
    return len(overdue)


def queue_escalations(at: datetime) -> int:
    """Tell the team's lead of every urgent case that will be late soon; returns how many cases that were (S4-13).

    Urgent is a priority of `lead_priority` and more: money at risk, and customers waiting. Late also means: not solved
    when the month ends, where money hangs on it.
    """
    configured = _settings_or_none()
    if configured is None or not any(configured.leads.values()):
        return 0
    urgent = ExceptionCase.objects.open().filter(priority__gte=configured.lead_priority, due_at__isnull=False)
    due = [case for case in urgent.exclude(_is_told(AlertReason.ESCALATED)) if _escalates_at(case, configured) <= at]
    for case in due:
        queue_case_alert(case=case, reason=AlertReason.ESCALATED, at=at)
    return len(due)


def _is_told(reason: AlertReason) -> Exists:
    return Exists(CaseAlert.objects.filter(case=OuterRef("pk"), reason=reason, created_at__gte=OuterRef("opened_at")))


def _escalates_at(case: ExceptionCase, configured: AlertSettings) -> datetime:
    assert case.due_at is not None  # asked before
    return escalates_at(
        due_at=case.due_at,
        has_money=bool(case.money_at_risk),
        warning=configured.warning,
        calendar=calendar_of(case.owner_team),
        opened_at=case.opened_at,
    )


def queue_ageing_alerts(at: datetime) -> int:
    """Write one alert a day to each team whose oldest open case is too old; returns how many teams (row S1-20)."""
    configured = _settings_or_none()
    if configured is None or not configured.is_on:
        return 0
    ageing = [team for team, oldest_at in oldest_by_team().items() if at - oldest_at >= configured.ageing_after]
    for team in ageing:
        spell = f"team:{team}:{AlertReason.AGEING}:{at.date().isoformat()}"
        _queue(configured=configured, team=team, reason=AlertReason.AGEING, spell=spell, at=at, case=None)
    return len(ageing)


def _settings_or_none() -> AlertSettings | None:
    try:
        return alert_settings()
    except ValueError:
        logger.exception("Alerts of the exceptions queue are off because their setting is wrong.")
        return None


def _queue(
    *,
    configured: AlertSettings,
    team: str,
    reason: AlertReason,
    spell: str,
    at: datetime,
    case: ExceptionCase | None,
) -> None:
    with transaction.atomic():
        CaseAlert.objects.bulk_create(
            [
                CaseAlert(
                    case=case,
                    team=team,
                    reason=reason,
                    channel=channel,
                    dedupe_key=f"{spell}:{channel}",
                    created_at=at,
                    next_try_at=at,
                )
                for channel in _channels_of(configured, team, reason)
            ],
            ignore_conflicts=True,
        )


def _channels_of(configured: AlertSettings, team: str, reason: AlertReason) -> list[AlertChannel]:
    channels = [AlertChannel.MAIL] if configured.addresses_for(team, reason) else []
    is_leads_alone = reason == AlertReason.ESCALATED
    return [*channels, AlertChannel.WEBHOOK] if configured.webhook_url and not is_leads_alone else channels
