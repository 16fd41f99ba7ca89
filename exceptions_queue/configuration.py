"""What an installation may set about the queue; every value has a default, so no setting is required.

`EXCEPTIONS_QUEUE_CALENDARS`: team code (or "default") → {"time_zone", "weekdays", "opens", "closes", "country",
"subdivision"}.
`EXCEPTIONS_QUEUE_PRIORITY`: {"per_unit": {currency: points of one major unit}, "per_waiting_hour", "severity": {name:
points}}.
`EXCEPTIONS_QUEUE_ALERTS`: {"webhook_url", "mail_to": {team or "default": [addresses]}, "leads": {the same}, "base_url",
"severities", "ageing_hours", "lead_priority", "lead_minutes"}; without webhook and addresses nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings

from exceptions_queue.kinds import Severity
from exceptions_queue.sla import Calendar, Weights

PER_UNIT = {
    "JPY": Decimal("0.01"),
    "KRW": Decimal("0.001"),
    "VND": Decimal("0.0001"),
    "CLP": Decimal("0.001"),
}
# A critical case without money stands beside one of 100 units, or of a customer who has waited for four days.
SEVERITY: dict[str, int] = {Severity.LOW: 0, Severity.MEDIUM: 10, Severity.HIGH: 30, Severity.CRITICAL: 100}


@dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """Where alerts go, and which cases are worth one."""

    webhook_url: str = ""
    mail_to: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    base_url: str = ""
    severities: frozenset[str] = frozenset({Severity.HIGH, Severity.CRITICAL})
    ageing_hours: int = 72
    leads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lead_priority: int = 100
    lead_minutes: int = 60

    @property
    def is_on(self) -> bool:
        """Whether anything is sent at all."""
        return bool(self.webhook_url or any(self.mail_to.values()) or any(self.leads.values()))

    def addresses_of(self, team: str) -> tuple[str, ...]:
        """Mail addresses of a team, or the default ones."""
        return self.mail_to.get(team) or self.mail_to.get("default", ())

    def leads_of(self, team: str) -> tuple[str, ...]:
        """Mail addresses of a team's lead, or the default ones."""
        return self.leads.get(team) or self.leads.get("default", ())

    def addresses_for(self, team: str, reason: str) -> tuple[str, ...]:
        """Who is written to: the team, its lead before a deadline of weight, both once it has passed."""
        match reason:
            case "escalated":
                return self.leads_of(team)
            case "overdue":
                return tuple(dict.fromkeys((*self.addresses_of(team), *self.leads_of(team))))
        return self.addresses_of(team)

    @property
    def warning(self) -> timedelta:
        """How long before a deadline a team lead hears of it."""
        return timedelta(minutes=self.lead_minutes)

    @property
    def ageing_after(self) -> timedelta:
        """The age from which an open case counts as ageing."""
        return timedelta(hours=self.ageing_hours)


def calendar_of(team: str) -> Calendar:
    """The business calendar of a team. Raises ValueError naming the setting if it is wrong."""
    configured: Mapping[str, Mapping[str, Any]] = getattr(settings, "EXCEPTIONS_QUEUE_CALENDARS", {})
    entry = configured.get(team, configured.get("default", {}))
    try:
        return Calendar(**{name: _calendar_value(name, value) for name, value in entry.items()})
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"EXCEPTIONS_QUEUE_CALENDARS is wrong for team {team}: {error}") from error


def _calendar_value(name: str, value: Any) -> Any:
    if name in ("opens", "closes") and isinstance(value, str):
        return time.fromisoformat(value)
    return frozenset(value) if name == "weekdays" else value


def weights() -> Weights:
    """What makes a case urgent. Raises ValueError naming the setting if it is wrong."""
    configured = dict(getattr(settings, "EXCEPTIONS_QUEUE_PRIORITY", {}))
    try:
        per_unit = {code: _points(value) for code, value in configured.pop("per_unit", {}).items()}
        severity: dict[str, int] = {
            Severity(name): int(value) for name, value in configured.pop("severity", {}).items()
        }
        per_hour = _points(configured.pop("per_waiting_hour", 1))
    except (AttributeError, TypeError, ValueError, InvalidOperation) as error:
        raise ValueError(f"EXCEPTIONS_QUEUE_PRIORITY is wrong: {error}") from error
    if configured:
        raise ValueError(f"EXCEPTIONS_QUEUE_PRIORITY is wrong: unknown {', '.join(sorted(configured))}")
    return Weights(per_unit=PER_UNIT | per_unit, per_waiting_hour=per_hour, severity=SEVERITY | severity)


def _points(value: object) -> Decimal:
    points = Decimal(str(value))
    if not points.is_finite() or points < 0:
        raise ValueError(f"{value} is not a number of points")
    return points


def alert_settings() -> AlertSettings:
    """Where alerts go. Raises ValueError for an unknown key, so that a misspelt address does not stay silent."""
    configured = dict(getattr(settings, "EXCEPTIONS_QUEUE_ALERTS", {}))
    for name in {"mail_to", "leads"} & configured.keys():
        configured[name] = {team: tuple(addresses) for team, addresses in configured[name].items()}
    if "severities" in configured:
        configured["severities"] = frozenset(configured["severities"])
    try:
        return AlertSettings(**configured)
    except TypeError as error:
        raise ValueError(f"EXCEPTIONS_QUEUE_ALERTS is wrong: {error}") from error
