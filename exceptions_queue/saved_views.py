"""The tabs of the list of cases: saved views, in the order in which they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Q

from exceptions_queue.models import ACTIVE_STATES, CLOSED_STATES, CaseQuerySet, CaseState, ExceptionCase
from exceptions_queue.permissions import teams_of

DEFAULT_VIEW = "all"
TITLES = {
    "mine": "Mine",
    "team": "My team",
    "unassigned": "Unassigned",
    "breaching": "Late",
    "snoozed": "Snoozed",
    "all": "All open",
    "closed": "Closed",
}


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One tab with the number of cases behind it; None for closed ones, which are many and no work."""

    code: str
    title: str
    count: int | None
    is_current: bool


def cases_of_view(*, cases: CaseQuerySet, view: str, user: User | AnonymousUser, now: datetime) -> CaseQuerySet:
    """The cases that belong to a saved view; an unknown view is the default one."""
    conditions = _conditions(user, now)
    return cases.filter(conditions.get(view, conditions[DEFAULT_VIEW]))


def tabs(*, current: str, user: User | AnonymousUser, now: datetime) -> tuple[Tab, ...]:
    """All tabs with their counts, by one query over the active cases."""
    conditions = {code: condition for code, condition in _conditions(user, now).items() if code != "closed"}
    counts = ExceptionCase.objects.active().aggregate(
        **{code: Count("pk", filter=condition) for code, condition in conditions.items()}
    )
    return tuple(
        Tab(code=code, title=title, count=counts.get(code), is_current=code == current)
        for code, title in TITLES.items()
    )


def _conditions(user: User | AnonymousUser, now: datetime) -> dict[str, Q]:
    is_open = Q(state=CaseState.OPEN)
    return {
        "mine": Q(assigned_to=user.pk, state__in=ACTIVE_STATES),
        "team": is_open & Q(owner_team__in=teams_of(user)),
        "unassigned": is_open & Q(assigned_to__isnull=True),
        "breaching": is_open & Q(due_at__lte=now),
        "snoozed": Q(state=CaseState.SNOOZED),
        "all": is_open,
        "closed": Q(state__in=CLOSED_STATES),
    }
