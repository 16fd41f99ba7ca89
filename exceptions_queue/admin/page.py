"""What the case page shows; reading only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User

from exceptions_queue.admin.forms import ActionForm, NoteForm, ReasonForm, ResolveForm, SnoozeForm
from exceptions_queue.evidence import evidence_tables
from exceptions_queue.kinds import CaseAction
from exceptions_queue.models import CaseEvent, ExceptionCase
from exceptions_queue.permissions import WORK, may_act, may_run
from exceptions_queue.presentation import money_in_words
from exceptions_queue.sla import span_in_words

SOON = timedelta(hours=1)
ACT_WORDS = {
    "opened": "opened the case",
    "raised": "raised the case",
    "regressed": "found it again after it was closed",
    "reopened": "opened it again",
    "updated": "updated it",
    "assigned": "assigned it",
    "unassigned": "put it back",
    "snoozed": "snoozed it",
    "woken": "woke it",
    "note": "wrote",
    "rechecked": "checked again",
    "resolved": "closed it",
    "auto_resolved": "closed it, the cause being gone",
}


@dataclass(frozen=True, kw_only=True)
class TimelineLine:
    """One line of the timeline in words."""

    at: datetime
    by: str
    words: str
    note: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class OfferedAction:
    """An action with its form, if this person may run it; otherwise the form is None."""

    action: CaseAction
    form: ActionForm | None
    words: str = ""


def urgency_of(case: ExceptionCase, now: datetime) -> tuple[str, str]:
    """Colour word and deadline in words."""
    if not case.is_active:
        return "closed", case.get_state_display()
    if case.due_at is None:
        return "fine", "no deadline"
    colour = "late" if case.due_at <= now else "soon" if case.due_at - now <= SOON else "fine"
    return colour, case.deadline_in_words(now)


def context_of(
    *, case: ExceptionCase, user: User | AnonymousUser, now: datetime, form: ActionForm | None
) -> dict[str, Any]:
    """Everything the template needs."""
    kind = case.kind
    colour, deadline = urgency_of(case, now)
    is_acting = may_act(user, case)
    return {
        "title": f"Case {case.pk}",
        "case": case,
        "kind": kind,
        "deadline": deadline,
        "deadline_colour": colour,
        "age": span_in_words(now - case.opened_at),
        "waiting": span_in_words(now - case.waiting_since_at) if case.waiting_since_at else "",
        "money": money_in_words(case.money_at_risk, case.currency),
        "tables": evidence_tables(case.evidence),
        "may_act": is_acting,
        "may_note": user.has_perm(WORK),
        "may_close": is_acting and (kind is None or kind.can_be_closed_by_hand),
        "may_recheck": kind is not None and kind.recheck is not None,
        "is_mine": case.assigned_to_id == user.pk,
        "offered": _offered(case=case, user=user, form=form),
        "timeline": [_line(event) for event in case.events.order_by("-at", "-pk")],
        "note_form": NoteForm(),
        "snooze_form": SnoozeForm(auto_id="snooze_%s"),
        "resolve_form": ResolveForm(auto_id="resolve_%s"),
        "reopen_form": ReasonForm(auto_id="reopen_%s"),
    }


def _offered(*, case: ExceptionCase, user: User | AnonymousUser, form: ActionForm | None) -> list[OfferedAction]:
    if case.kind is None or not case.is_active:
        return []
    worded = [(action, action.words_for(case) if action.words_for else "") for action in case.kind.actions]
    return [
        _offer(action=action, case=case, user=user, form=form, words=words)
        for action, words in worded
        if words or action.words_for is None
    ]


def _offer(
    *, action: CaseAction, case: ExceptionCase, user: User | AnonymousUser, form: ActionForm | None, words: str
) -> OfferedAction:
    if not may_run(user, case, action):
        return OfferedAction(action=action, form=None, words=words)
    is_filled = form is not None and form.action.code == action.code
    return OfferedAction(action=action, form=form if is_filled else ActionForm(action=action, case=case), words=words)


def _line(event: CaseEvent) -> TimelineLine:
    return TimelineLine(
        at=event.at,
        by=event.by_name,
        words=ACT_WORDS.get(event.act, event.act.removeprefix("action:").replace("_", " ")),
        note=event.note,
        reason=str(event.detail.get("reason", "")),
    )
