"""Who may see and who may act: everybody with the view permission sees all, only the owner team acts."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib.auth.models import AnonymousUser, User
from django.urls import Resolver404, resolve

from exceptions_queue.errors import NotAllowedError
from exceptions_queue.kinds import CaseAction, all_teams, team_title
from exceptions_queue.models import ExceptionCase

VIEW = "exceptions_queue.view_exceptioncase"
WORK = "exceptions_queue.work_exceptioncase"
_RECORD_PAGES = ("changelist", "change")


def may_act(user: User | AnonymousUser, case: ExceptionCase) -> bool:
    """Whether that person may act on that case: superuser, or work permission and member of the owner team's group.

    A team's group is the user group whose name is the team's title.
    """
    if not user.is_active:
        return False
    if user.is_superuser:
        return True
    return user.has_perm(WORK) and user.groups.filter(name=team_title(case.owner_team)).exists()


def may_run(user: User | AnonymousUser, case: ExceptionCase, action: CaseAction) -> bool:
    """Whether that person may run that action on that case: `may_act` and the action's own permission."""
    return may_act(user, case) and (not action.permission or user.has_perm(action.permission))


def teams_of(user: User | AnonymousUser) -> tuple[str, ...]:
    """Codes of the teams that person belongs to."""
    names = set(user.groups.values_list("name", flat=True))
    return tuple(sorted(code for code, title in all_teams().items() if title in names))


def require_may_act(by: User | str, case: ExceptionCase) -> None:
    """Raise `NotAllowedError` with the team to ask if a person may not act; a named machine part always may."""
    if not isinstance(by, str) and not may_act(by, case):
        raise NotAllowedError(
            f"Only {case.team_title} can act on this case. Ask somebody of that team, or add a note there."
        )


def require_may_run(by: User | str, case: ExceptionCase, action: CaseAction) -> None:
    """Raise `NotAllowedError` if a person may not run that action."""
    require_may_act(by, case)
    if not isinstance(by, str) and not may_run(by, case, action):
        raise NotAllowedError(f"Your role does not allow “{action.label}”. Ask a colleague whose role does.")


def may_follow(user: User | AnonymousUser, link: str) -> bool:
    """Whether a link leads somewhere for that person: list and page of a record want the permission to view it.

    Every other address of this site is answered; '' and what is no address of this site lead nowhere.
    """
    try:
        name = resolve(urlsplit(link).path).url_name or ""
    except Resolver404:
        return False
    record, _, page = name.rpartition("_")
    app, _, model = record.rpartition("_")
    return page not in _RECORD_PAGES or user.has_perm(f"{app}.view_{model}")
