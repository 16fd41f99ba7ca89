"""What a POST to the case page does: read the form, make one call, say what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict

from exceptions_queue import services
from exceptions_queue.admin.forms import NoteForm, ReasonForm, ResolveForm, SnoozeForm
from exceptions_queue.errors import InvalidInputError
from exceptions_queue.models import ExceptionCase

AnyForm = TypeVar("AnyForm", bound=forms.Form)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A person's act on a case."""

    case: ExceptionCase
    by: User
    at: datetime
    data: QueryDict


def _valid(form: AnyForm) -> AnyForm:
    if not form.is_valid():
        problems = [f"{form.fields[name].label}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()]
        raise InvalidInputError(" ".join(problems))
    return form


def _assign_to_me(request: Request) -> str:
    services.assign(case=request.case, to=request.by, by=request.by, at=request.at)
    return "The case is yours."


def _unassign(request: Request) -> str:
    services.unassign(case=request.case, by=request.by, at=request.at)
    return "The case is unassigned."


def _snooze(request: Request) -> str:
    form = _valid(SnoozeForm(request.data))
    services.snooze(
        case=request.case,
        by=request.by,
        at=request.at,
        until_at=form.until_at(request.at),
        until_grows=form.cleaned_data["until_grows"],
        reason=form.cleaned_data["reason"],
    )
    return "The case is snoozed."


def _unsnooze(request: Request) -> str:
    services.unsnooze(case=request.case, by=request.by, at=request.at)
    return "The case is open again."


def _note(request: Request) -> str:
    form = _valid(NoteForm(request.data))
    services.add_note(case=request.case, by=request.by, at=request.at, text=form.cleaned_data["text"])
    return "The note is on the timeline."


def _resolve(request: Request) -> str:
    form = _valid(ResolveForm(request.data))
    services.resolve(
        case=request.case,
        by=request.by,
        at=request.at,
        reason=form.cleaned_data["reason"],
        resolution=form.chosen(),
    )
    return "The case is closed."


def _reopen(request: Request) -> str:
    form = _valid(ReasonForm(request.data))
    services.reopen(case=request.case, by=request.by, at=request.at, reason=form.cleaned_data["reason"])
    return "The case is open again."


def _recheck(request: Request) -> str:
    is_closed = services.recheck(case=request.case, by=request.by, at=request.at)
    return "The cause is gone, so the case is closed." if is_closed else "Checked again: the cause is still there."


ACTS: dict[str, Callable[[Request], str]] = {
    "assign-to-me": _assign_to_me,
    "unassign": _unassign,
    "snooze": _snooze,
    "unsnooze": _unsnooze,
    "note": _note,
    "resolve": _resolve,
    "reopen": _reopen,
    "recheck": _recheck,
}
