"""Closing cases, by a person, by themselves, and opening them again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from exceptions_queue.errors import CaseError, InvalidInputError
from exceptions_queue.kinds import find_kind
from exceptions_queue.models import CaseState, ExceptionCase, Resolution
from exceptions_queue.permissions import require_may_act
from exceptions_queue.services.opening import SYSTEM, set_open_again
from exceptions_queue.services.timeline import (
    By,
    locked,
    locked_active,
    name_of,
    record,
    require_active,
    require_reason,
    user_of,
)

BY_HAND = (Resolution.FIXED, Resolution.NOT_A_PROBLEM, Resolution.ACCEPTED)
CAUSE_GONE = "The re-check found the cause gone."


@transaction.atomic
def resolve(
    *, case: ExceptionCase, by: By, at: datetime, reason: str, resolution: Resolution = Resolution.FIXED
) -> ExceptionCase:
    """Close a case by hand, with a reason. If the cause is still there it will come back as regressed.

    Raises `CaseClosedError`, `NotAllowedError`, or `InvalidInputError` (no reason, or a kind that only its own
    actions may close).
    """
    fresh = locked_active(case)
    require_may_act(by, fresh)
    kind = find_kind(fresh.kind_code)
    if kind is not None and not kind.can_be_closed_by_hand:
        raise InvalidInputError(
            f"“{kind.title}” closes only by one of its actions, or by itself when the cause is gone."
        )
    if resolution not in BY_HAND:
        raise InvalidInputError("Choose fixed, not a problem, or accepted.")
    return close(case=fresh, state=CaseState.RESOLVED, resolution=resolution, reason=reason, by=by, at=at)


@transaction.atomic
def auto_resolve(*, case: ExceptionCase, at: datetime, reason: str = CAUSE_GONE, by: By = SYSTEM) -> ExceptionCase:
    """Close a case because its cause is gone; a case that is already closed stays as it is."""
    fresh = locked(case)
    if not fresh.is_active:
        return fresh
    return close(
        case=fresh, state=CaseState.AUTO_RESOLVED, resolution=Resolution.CAUSE_GONE, reason=reason, by=by, at=at
    )


def close(
    *, case: ExceptionCase, state: CaseState, resolution: Resolution, reason: str, by: By, at: datetime
) -> ExceptionCase:
    """Close a case whose row the caller has locked, and record it."""
    require_active(case)
    case.state, case.resolution, case.resolution_reason = state, resolution, require_reason(reason)
    case.resolved_at, case.resolved_by, case.resolved_by_name = at, user_of(by), name_of(by)
    case.snoozed_until_at, case.snooze_until_money = None, None
    case.save()
    act = "resolved" if state == CaseState.RESOLVED else "auto_resolved"
    record(case=case, act=act, by=by, at=at, note=case.resolution_reason, detail={"resolution": str(resolution)})
    return case


@transaction.atomic
def reopen(*, case: ExceptionCase, by: By, at: datetime, reason: str) -> ExceptionCase:
    """Undo closing: a person found it was closed too early. Raises `CaseError` if it is open, or a newer one is."""
    fresh = locked(case)
    require_may_act(by, fresh)
    if fresh.is_active:
        raise CaseError(f"Case {fresh.pk} is already open.")
    twins = ExceptionCase.objects.active().filter(kind_code=fresh.kind_code, fingerprint=fresh.fingerprint)
    twin = twins.first()
    if twin is not None:
        raise CaseError(f"Case {twin.pk} is open for the same problem; work there.")
    note = require_reason(reason)
    set_open_again(case=fresh, kind=find_kind(fresh.kind_code), at=at)
    fresh.save()
    record(case=fresh, act="reopened", by=by, at=at, note=note)
    return fresh


def recheck(*, case: ExceptionCase, at: datetime, by: By = SYSTEM) -> bool:
    """Ask the kind whether the cause is gone, and close the case if so; returns whether it is closed now.

    The question may read other systems, so it is asked outside any transaction. Raises `CaseError` if the kind
    cannot be re-checked, and `NotAllowedError` for a person of another team.
    """
    require_may_act(by, case)
    kind = find_kind(case.kind_code)
    if kind is None or kind.recheck is None:
        raise CaseError("This kind of case cannot be checked again by itself; close it when you know it is fixed.")
    if not case.is_active:
        return True
    if kind.recheck(case):
        auto_resolve(case=case, at=at, by=by)
        return True
    record(case=case, act="rechecked", by=by, at=at, note="The cause is still there.")
    return False
