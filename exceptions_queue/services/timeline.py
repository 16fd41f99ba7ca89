"""Writing the timeline and taking the row lock of a case: the two things every act does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from exceptions_queue.errors import CaseClosedError, InvalidInputError
from exceptions_queue.models import CaseEvent, ExceptionCase

By = User | str


def name_of(by: By) -> str:
    """The name that the record keeps: a user name, or the name of a machine part."""
    return by if isinstance(by, str) else by.get_username()


def user_of(by: By) -> User | None:
    """The person, or None for a machine part."""
    return None if isinstance(by, str) else by


def record(
    *, case: ExceptionCase, act: str, by: By, at: datetime, note: str = "", detail: Mapping[str, Any] | None = None
) -> CaseEvent:
    """Append one line to the timeline."""
    return CaseEvent.objects.create(
        case=case, at=at, by_user=user_of(by), by_name=name_of(by), act=act, note=note, detail=dict(detail or {})
    )


def locked(case: ExceptionCase) -> ExceptionCase:
    """The case as the database has it now, locked until the transaction ends."""
    return ExceptionCase.objects.select_for_update(of=("self",)).get(pk=case.pk)


def locked_active(case: ExceptionCase) -> ExceptionCase:
    """Like `locked`; raises `CaseClosedError` naming who closed it if there is nothing left to do."""
    fresh = locked(case)
    require_active(fresh)
    return fresh


def require_active(case: ExceptionCase) -> None:
    """Raise `CaseClosedError` naming who closed the case and when."""
    if not case.is_active and case.resolved_at:
        when = case.resolved_at.strftime("%d %b %Y %H:%M UTC")
        raise CaseClosedError(
            f"Case {case.pk} was already closed by {case.resolved_by_name} on {when}. Reload the page."
        )


def require_reason(reason: str) -> str:
    """The reason without surrounding space; raises `InvalidInputError` if nothing is left."""
    if not reason.strip():
        raise InvalidInputError("Please give a reason: the next person will need it.")
    return reason.strip()
