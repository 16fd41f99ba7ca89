"""Figures about the queue: how much is open, how old it is, and whether it grows (row S1-20)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from exceptions_queue.kinds import all_teams
from exceptions_queue.models import CaseEvent, ExceptionCase

BURN_WINDOW = timedelta(hours=24)
AGE_BUCKETS = (
    ("under 4 h", timedelta(hours=4)),
    ("4 to 24 h", timedelta(hours=24)),
    ("1 to 3 d", timedelta(days=3)),
    ("3 to 7 d", timedelta(days=7)),
)
OLDEST_BUCKET = "over 7 d"
OPENING_ACTS = ("opened", "raised", "regressed", "reopened")
CLOSING_ACTS = ("resolved", "auto_resolved")


@dataclass(frozen=True, kw_only=True)
class TeamFigures:
    """One team's backlog. Snoozed cases count as open; the burn figures are of the last 24 hours."""

    team: str
    open_count: int
    overdue_count: int
    age_buckets: dict[str, int]
    oldest_age: timedelta
    opened_24h: int
    closed_24h: int

    @property
    def is_growing(self) -> bool:
        """Whether more came in than was closed."""
        return self.opened_24h > self.closed_24h


def queue_figures(now: datetime) -> tuple[TeamFigures, ...]:
    """The backlog of every registered team and of every team that has cases, by team code."""
    active = list(ExceptionCase.objects.active().values_list("owner_team", "opened_at", "due_at"))
    opened, closed = _acts_by_team(OPENING_ACTS, now), _acts_by_team(CLOSING_ACTS, now)
    teams = sorted({*all_teams(), *(team for team, _, _ in active), *opened, *closed})
    return tuple(
        _figures_of(
            team=team,
            now=now,
            rows=[(opened_at, due_at) for owner, opened_at, due_at in active if owner == team],
            opened=opened[team],
            closed=closed[team],
        )
        for team in teams
    )


def oldest_by_team() -> dict[str, datetime]:
    """Team code → when its oldest open case was opened; teams without open cases are absent."""
    rows = ExceptionCase.objects.active().order_by().values("owner_team").annotate(oldest_at=Min("opened_at"))
    return {row["owner_team"]: row["oldest_at"] for row in rows}


def age_bucket(age: timedelta) -> str:
    """The name of the bucket that an age falls into."""
    return next((name for name, limit in AGE_BUCKETS if age < limit), OLDEST_BUCKET)


def _figures_of(
    *, team: str, now: datetime, rows: list[tuple[datetime, datetime | None]], opened: int, closed: int
) -> TeamFigures:
    ages = [now - opened_at for opened_at, _ in rows]
    buckets = dict.fromkeys([*(name for name, _ in AGE_BUCKETS), OLDEST_BUCKET], 0)
    buckets.update(Counter(age_bucket(age) for age in ages))
    return TeamFigures(
        team=team,
        open_count=len(rows),
        overdue_count=sum(1 for _, due_at in rows if due_at is not None and due_at <= now),
        age_buckets=buckets,
        oldest_age=max(ages, default=timedelta(0)),
        opened_24h=opened,
        closed_24h=closed,
    )


def _acts_by_team(acts: tuple[str, ...], now: datetime) -> Counter[str]:
    events = CaseEvent.objects.filter(act__in=acts, at__gt=now - BURN_WINDOW, at__lte=now).order_by()
    rows = events.values("case__owner_team").annotate(count=Count("pk"))
    return Counter({row["case__owner_team"]: row["count"] for row in rows})
