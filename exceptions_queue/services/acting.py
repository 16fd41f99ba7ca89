"""Running one of the actions that a kind offers, on behalf of a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from exceptions_queue.errors import CaseError, InvalidInputError
from exceptions_queue.kinds import CaseAction, lookup
from exceptions_queue.models import CaseState, ExceptionCase, Resolution
from exceptions_queue.permissions import require_may_run
from exceptions_queue.services.resolving import close
from exceptions_queue.services.timeline import By, locked, record, require_active, require_reason


def run_action(
    *,
    case: ExceptionCase,
    action_code: str,
    by: By,
    at: datetime,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> str:
    """Run an action and return its sentence, which is also put on the timeline; a resolving action closes the case.

    The domain's act and the queue's record are one transaction, unless the action is declared remote: that one runs
    first, on its own. The case's row is locked after the act, so cases are the last in everybody's lock order. If
    somebody else closed the case meanwhile, everything is rolled back and `CaseClosedError` names who.
    Raises `InvalidInputError`, `NotAllowedError`, `CaseClosedError`, and what the action itself raises.
    """
    current = ExceptionCase.objects.get(pk=case.pk)
    action = _action_of(current, action_code)
    require_active(current)
    require_may_run(by, current, action)
    values = _checked(action=action, reason=reason, data=data or {})
    if action.is_remote:
        sentence = action.runner(case=current, by=by, at=at, reason=reason, data=values)
        _settle(case=current, action=action, by=by, at=at, reason=reason, values=values, sentence=sentence)
        return sentence
    with transaction.atomic():
        sentence = action.runner(case=current, by=by, at=at, reason=reason, data=values)
        _settle(case=current, action=action, by=by, at=at, reason=reason, values=values, sentence=sentence)
    return sentence


def _action_of(case: ExceptionCase, code: str) -> CaseAction:
    action = lookup(case.kind_code).action(code)
    if action is None:
        raise CaseError(f"“{case.title}” has no action {code!r}.")
    return action


def _checked(*, action: CaseAction, reason: str, data: Mapping[str, Any]) -> dict[str, Any]:
    if action.needs_reason:
        require_reason(reason)
    known = {field.name for field in action.fields}
    unknown = sorted(set(data) - known)
    if unknown:
        raise InvalidInputError(f"“{action.label}” does not know the fields {', '.join(unknown)}.")
    missing = [field.label for field in action.fields if field.required and data.get(field.name) in (None, "")]
    if missing:
        raise InvalidInputError(f"“{action.label}” still needs: {', '.join(missing)}.")
    return {name: data.get(name) for name in known}


@transaction.atomic
def _settle(
    *,
    case: ExceptionCase,
    action: CaseAction,
    by: By,
    at: datetime,
    reason: str,
    values: Mapping[str, Any],
    sentence: str,
) -> None:
    fresh = locked(case)
    if fresh.state == CaseState.RESOLVED and not action.is_remote:
        require_active(fresh)
    detail = {"reason": reason, "data": {name: str(value) for name, value in values.items() if value is not None}}
    record(case=fresh, act=f"action:{action.code}", by=by, at=at, note=sentence, detail=detail)
    # The act may have made the machine close the case already; then there is nothing left to close.
    if action.is_resolving and fresh.is_active:
        why = reason.strip() or sentence or action.label
        close(case=fresh, state=CaseState.RESOLVED, resolution=Resolution.ACTION, reason=why, by=by, at=at)
