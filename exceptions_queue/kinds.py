"""Case kinds: what other apps register, and what screens, handbook and roles are generated from.

An app declares its kinds in `case_kinds.py` and calls `register` on each while Django starts (`AppConfig.ready`).
A kind that nobody owns, or that nobody can act on, is refused at that moment: every case must have a way out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from django.utils.module_loading import import_string

from exceptions_queue.errors import KindError

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from exceptions_queue.models import ExceptionCase

FieldKind = Literal["text", "choice", "date", "decimal", "bool"]
Choices = Sequence[tuple[str, str]]


class Severity(StrEnum):
    """How bad it is when nobody looks: whether alerts go out at once, and a part of the order (see `sla.priority`)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class ActionRunner(Protocol):
    """One act of another app on behalf of a person; returns the sentence for the case's timeline.

    It must be right when called twice at once (the domain's own compare-and-set), and raises `CaseError` or
    `django.core.exceptions.ValidationError` with plain words when the act is not possible.
    """

    def __call__(
        self, *, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]
    ) -> str: ...


@dataclass(frozen=True, kw_only=True)
class ActionField:
    """One input of an action's form; `choices` is asked anew for every case."""

    name: str
    label: str
    kind: FieldKind = "text"
    choices: Callable[[ExceptionCase], Choices] | None = None
    required: bool = True
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class CaseAction:
    """Something a person can do about a case.

    `run` is a callable or its dotted path. `permission` (`app.codename`) is asked beside the queue's own rule that
    only the owner team acts; empty means no further permission. `is_resolving` closes the case after success.
    `words_for` says what it would do about this very case; '' = there is nothing of the kind, and it is not offered.
    `is_remote` says that `run` talks to another system, so it is called outside a database transaction.
    """

    code: str
    label: str
    run: ActionRunner | str
    permission: str = ""
    needs_reason: bool = False
    is_resolving: bool = False
    is_remote: bool = False
    fields: tuple[ActionField, ...] = ()
    help: str = ""
    words_for: Callable[[ExceptionCase], str] | None = None

    @cached_property
    def runner(self) -> ActionRunner:
        """The callable behind `run`, imported on first use."""
        if isinstance(self.run, str):
            loaded: ActionRunner = import_string(self.run)
            return loaded
        return self.run


@dataclass(frozen=True, kw_only=True)
class CaseKind:
    """A class of problem with one owner.

    Exactly one of `sla_hours` (hours of the owner team's business calendar) and `sla_minutes` (minutes around the
    clock) is given. `recheck` answers True when the cause is gone, and may read other systems: it is never called
    inside a transaction. `can_be_raised` lets staff open one by hand; `can_be_closed_by_hand=False` leaves only the
    kind's own actions and the re-check as ways out.
    """

    code: str
    title: str
    owner_team: str
    severity: Severity
    meaning: str
    likely_cause: str
    how_to_fix: tuple[str, ...]
    actions: tuple[CaseAction, ...]
    sla_hours: int | None = None
    sla_minutes: int | None = None
    recheck: Callable[[ExceptionCase], bool] | None = None
    can_be_raised: bool = False
    can_be_closed_by_hand: bool = True

    def action(self, code: str) -> CaseAction | None:
        """The action of that code, or None."""
        return next((action for action in self.actions if action.code == code), None)


def case_kind(
    code: str,
    title: str,
    team: str,
    severity: Severity,
    hours: int | None,
    meaning: str,
    cause: str,
    fix: tuple[str, ...],
    actions: tuple[CaseAction, ...],
    **others: Any,
) -> CaseKind:
    """A kind in one order of reading, for tables of many; ``hours`` None where ``sla_minutes`` is among the others."""
    return CaseKind(
        code=code,
        title=title,
        owner_team=team,
        severity=severity,
        sla_hours=hours,
        meaning=meaning,
        likely_cause=cause,
        how_to_fix=fix,
        actions=actions,
        **others,
    )


_KINDS: dict[str, CaseKind] = {}
_TEAMS: dict[str, str] = {}


def register_team(code: str, title: str) -> None:
    """Name a team; `title` is also the name of its user group. Raises `KindError` for a second, different title."""
    if not code or not title:
        raise KindError("A team needs a code and a title.")
    if _TEAMS.setdefault(code, title) != title:
        raise KindError(f"Team {code} is already called {_TEAMS[code]!r}; it cannot also be called {title!r}.")


def register(kind: CaseKind) -> CaseKind:
    """Add a kind and return it. Raises `KindError` naming everything that is wrong with it."""
    problems = _problems_of(kind)
    if problems:
        raise KindError(f"Case kind {kind.code!r} cannot be registered: {'; '.join(problems)}.")
    _KINDS[kind.code] = kind
    return kind


def lookup(code: str) -> CaseKind:
    """The kind of that code. Raises `KindError` if no app registered it."""
    try:
        return _KINDS[code]
    except KeyError:
        raise KindError(
            f"No case kind {code!r} is registered; an app must register it before opening a case."
        ) from None


def find_kind(code: str) -> CaseKind | None:
    """The kind of that code, or None for an old case whose kind no longer exists."""
    return _KINDS.get(code)


def all_kinds() -> tuple[CaseKind, ...]:
    """Every registered kind, by team and title."""
    return tuple(sorted(_KINDS.values(), key=lambda kind: (kind.owner_team, kind.title)))


def all_teams() -> Mapping[str, str]:
    """Code → title of every registered team."""
    return dict(_TEAMS)


def team_title(code: str) -> str:
    """The display name of a team; its code if it was never named."""
    return _TEAMS.get(code, code)


def _problems_of(kind: CaseKind) -> list[str]:
    texts = {"code": kind.code, "title": kind.title, "meaning": kind.meaning, "likely cause": kind.likely_cause}
    problems = [f"it has no {name}" for name, text in texts.items() if not text.strip()]
    if kind.code in _KINDS:
        problems.append("the code is taken")
    if not kind.owner_team:
        problems.append("it has no owner team")
    elif kind.owner_team not in _TEAMS:
        problems.append(f"its owner team {kind.owner_team!r} is not registered")
    if not kind.how_to_fix:
        problems.append("it does not say how to fix it")
    if (kind.sla_hours is None) == (kind.sla_minutes is None):
        problems.append("it needs either sla_hours or sla_minutes")
    elif (kind.sla_hours or kind.sla_minutes or 0) <= 0:
        problems.append("its deadline must be positive")
    return problems + _action_problems_of(kind)


def _action_problems_of(kind: CaseKind) -> list[str]:
    if not kind.actions:
        return ["it has no action, so nobody could do anything about it"]
    problems: list[str] = []
    codes = [action.code for action in kind.actions]
    problems += [f"action code {code!r} is used twice" for code in sorted(set(codes)) if codes.count(code) > 1]
    for action in kind.actions:
        names = [field.name for field in action.fields]
        problems += [f"field {n!r} of {action.code!r} is used twice" for n in sorted(set(names)) if names.count(n) > 1]
        for field in action.fields:
            if field.name == "reason":
                problems.append(f"a field of {action.code!r} is called 'reason'; use needs_reason")
            if (field.kind == "choice") != (field.choices is not None):
                problems.append(f"field {field.name!r} of {action.code!r} must have choices if, and only if, it is one")
    return problems
