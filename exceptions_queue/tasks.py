"""What the schedule calls; each is safe to call twice and by two workers at once."""

from __future__ import annotations

import logging
from datetime import datetime

from django.utils import timezone

from exceptions_queue import alerts, notify
from exceptions_queue.kinds import all_kinds
from exceptions_queue.models import ExceptionCase
from exceptions_queue.services import recheck, refresh_priorities, wake_due

logger = logging.getLogger(__name__)


def upkeep(at: datetime | None = None) -> dict[str, int]:
    """Every minute: wake, reorder, find what is late or ageing, send alerts. Returns what was done, by name."""
    now = at or timezone.now()
    return {
        "woken": wake_due(now),
        "reordered": refresh_priorities(now),
        "escalated": alerts.queue_escalations(now),
        "overdue": alerts.queue_overdue_alerts(now),
        "ageing_teams": alerts.queue_ageing_alerts(now),
        "alerts_sent": notify.send_due_alerts(now),
    }


def recheck_open(at: datetime | None = None) -> dict[str, int]:
    """Every few minutes: ask each open case's kind whether the cause is gone. One failing never stops the others."""
    now = at or timezone.now()
    codes = [kind.code for kind in all_kinds() if kind.recheck is not None]
    counts = {"closed": 0, "still_there": 0, "failed": 0}
    for case in ExceptionCase.objects.active().filter(kind_code__in=codes).order_by("pk"):
        counts[_rechecked(case, now)] += 1
    return counts


def _rechecked(case: ExceptionCase, now: datetime) -> str:
    try:
        return "closed" if recheck(case=case, at=now) else "still_there"
    except Exception:
        logger.exception("Case %s of kind %s could not be checked again.", case.pk, case.kind_code)
        return "failed"
