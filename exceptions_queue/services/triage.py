"""Triage: whose case it is, when it should be seen again, and what people write down about it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from exceptions_queue import sla
from exceptions_queue.configuration import weights
from exceptions_queue.errors import InvalidInputError, NotAllowedError
from exceptions_queue.models import CaseEvent, CaseState, ExceptionCase
from exceptions_queue.permissions import may_act, require_may_act
from exceptions_queue.services.opening import SYSTEM, wake
from exceptions_queue.services.timeline import By, locked, locked_active, record

_FIGURES = ("kind_code", "money_at_risk", "currency", "waiting_since_at", "priority")


@transaction.atomic
def assign(*, case: ExceptionCase, to: User, by: By, at: datetime) -> ExceptionCase:
    """Give the case to a person who may act on it. Raises `CaseClosedError` or `NotAllowedError`."""
    fresh = locked_active(case)
    require_may_act(by, fresh)
    if not may_act(to, fresh):
        raise NotAllowedError(f"{to.get_username()} is not in {fresh.team_title} and could not act on this case.")
    if fresh.assigned_to_id == to.pk:
        return fresh
    fresh.assigned_to, fresh.assigned_at = to, at
    fresh.save(update_fields=("assigned_to", "assigned_at"))
    record(case=fresh, act="assigned", by=by, at=at, note=f"Assigned to {to.get_username()}.")
    return fresh


@transaction.atomic
def unassign(*, case: ExceptionCase, by: By, at: datetime) -> ExceptionCase:
    """Put the case back among the unassigned ones. Raises `CaseClosedError` or `NotAllowedError`."""
    fresh = locked_active(case)
    require_may_act(by, fresh)
    if fresh.assigned_to_id is None:
        return fresh
    fresh.assigned_to, fresh.assigned_at = None, None
    fresh.save(update_fields=("assigned_to", "assigned_at"))
    record(case=fresh, act="unassigned", by=by, at=at)
    return fresh


@transaction.atomic
def snooze(
    *,
    case: ExceptionCase,
    by: By,
    at: datetime,
    until_at: datetime | None = None,
    until_grows: bool = False,
    reason: str = "",
) -> ExceptionCase:
    """Hide the case until a time, or until its money at risk grows, or whichever comes first.

    Raises `InvalidInputError` for neither, for a time that has passed, or for growth of a case without money.
    """
    fresh = locked_active(case)
    require_may_act(by, fresh)
    threshold = _growth_threshold(fresh) if until_grows else None
    if until_at is None and threshold is None:
        raise InvalidInputError("Say until when the case should be snoozed, or choose “until the money grows”.")
    if until_at is not None and until_at <= at:
        raise InvalidInputError("A case can only be snoozed until a time that is still to come.")
    fresh.state, fresh.snoozed_until_at, fresh.snooze_until_money = CaseState.SNOOZED, until_at, threshold
    fresh.save(update_fields=("state", "snoozed_until_at", "snooze_until_money"))
    detail = {"until_at": until_at and until_at.isoformat(), "until_money": threshold and str(threshold)}
    record(case=fresh, act="snoozed", by=by, at=at, note=reason, detail=detail)
    return fresh


def _growth_threshold(case: ExceptionCase) -> Decimal:
    if case.money_at_risk is None:
        raise InvalidInputError("There is no money in this case that could grow. Choose a time instead.")
    return case.money_at_risk


@transaction.atomic
def unsnooze(*, case: ExceptionCase, by: By, at: datetime) -> ExceptionCase:
    """Show a snoozed case again now. Raises `CaseClosedError` or `NotAllowedError`."""
    fresh = locked_active(case)
    require_may_act(by, fresh)
    return _woken(case=fresh, by=by, at=at, note="")


def wake_due(at: datetime) -> int:
    """Wake every snoozed case whose time has come; returns how many."""
    due = ExceptionCase.objects.filter(state=CaseState.SNOOZED, snoozed_until_at__lte=at).order_by("pk")
    return sum(_wake_one(case=case, at=at) for case in due)


@transaction.atomic
def _wake_one(*, case: ExceptionCase, at: datetime) -> bool:
    fresh = locked(case)
    if fresh.state != CaseState.SNOOZED or fresh.snoozed_until_at is None or fresh.snoozed_until_at > at:
        return False
    _woken(case=fresh, by=SYSTEM, at=at, note="Its time has come.")
    return True


def _woken(*, case: ExceptionCase, by: By, at: datetime, note: str) -> ExceptionCase:
    if case.state == CaseState.SNOOZED:
        wake(case)
        case.save(update_fields=("state", "snoozed_until_at", "snooze_until_money"))
        record(case=case, act="woken", by=by, at=at, note=note)
    return case


@transaction.atomic
def add_note(*, case: ExceptionCase, by: By, at: datetime, text: str) -> CaseEvent:
    """Write a note on the timeline of an open or closed case; whoever works on cases may, of any team."""
    if not text.strip():
        raise InvalidInputError("The note is empty.")
    return record(case=case, act="note", by=by, at=at, note=text.strip())


def refresh_priorities(at: datetime) -> int:
    """Let waiting customers move up: recompute the priority of active cases; returns how many changed (row S4-13)."""
    changed = 0
    now_in_force = weights()
    rows = ExceptionCase.objects.active().only(*_FIGURES)
    for case in rows:
        kind = case.kind
        wanted = sla.priority(
            money_at_risk=case.money_at_risk,
            currency=case.currency,
            waiting_since_at=case.waiting_since_at,
            severity=kind.severity if kind else "",
            weights=now_in_force,
            now=at,
        )
        if wanted != case.priority:
            # Compare-and-set: a case that was changed meanwhile has its priority from that change already.
            changed += ExceptionCase.objects.filter(pk=case.pk, priority=case.priority).update(priority=wanted)
    return changed
