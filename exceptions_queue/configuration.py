"""What an installation may set about the queue; every value has a default, so no setting is required.

`EXCEPTIONS_QUEUE_CALENDARS`: team code (or "default") → {"time_zone", "weekdays", "opens", "closes", "country",
"subdivision"}. `EXCEPTIONS_QUEUE_POINTS_PER_UNIT`: currency → priority points of one major unit (default 1).
`EXCEPTIONS_QUEUE_ALERTS`: {"webhook_url", "mail_to": {team or "default": [addresses]}, "base_url", "severities",
"ageing_hours"}; without webhook and addresses nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from exceptions_queue.kinds import Severity
from exceptions_queue.sla import Calendar

ZERO_DECIMAL_POINTS = {
    "JPY": Decimal("0.01"),
    "KRW": Decimal("0.001"),
    "VND": Decimal("0.0001"),
    "CLP": Decimal("0.001"),
}


@dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """Where alerts go, and which cases are worth one."""

    webhook_url: str = ""
    mail_to: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    base_url: str = ""
    severities: frozenset[str] = frozenset({Severity.HIGH, Severity.CRITICAL})
    ageing_hours: int = 72

    @property
    def is_on(self) -> bool:
        """Whether anything is sent at all."""
        return bool(self.webhook_url or any(self.mail_to.values()))

    def addresses_of(self, team: str) -> tuple[str, ...]:
        """Mail addresses of a team, or the default ones."""
        return self.mail_to.get(team) or self.mail_to.get("default", ())

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


def points_per_unit(currency: str) -> Decimal:
    """Priority points of one major unit of that currency; 1 unless set or known to be a small unit."""
    configured: Mapping[str, Any] = getattr(settings, "EXCEPTIONS_QUEUE_POINTS_PER_UNIT", {})
    return Decimal(str(configured.get(currency, ZERO_DECIMAL_POINTS.get(currency, 1))))


def alert_settings() -> AlertSettings:
    """Where alerts go. Raises ValueError for an unknown key, so that a misspelt address does not stay silent."""
    configured = dict(getattr(settings, "EXCEPTIONS_QUEUE_ALERTS", {}))
    if "mail_to" in configured:
        configured["mail_to"] = {team: tuple(addresses) for team, addresses in configured["mail_to"].items()}
    if "severities" in configured:
        configured["severities"] = frozenset(configured["severities"])
    try:
        return AlertSettings(**configured)
    except TypeError as error:
        raise ValueError(f"EXCEPTIONS_QUEUE_ALERTS is wrong: {error}") from error
