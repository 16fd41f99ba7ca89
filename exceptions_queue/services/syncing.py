"""Keeping the cases of one group (for example one return) equal to what a fresh look says they should be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from exceptions_queue.models import ExceptionCase
from exceptions_queue.services.opening import SYSTEM, CaseWanted, open_wanted, stored_key
from exceptions_queue.services.resolving import auto_resolve
from exceptions_queue.services.timeline import By

NO_LONGER_WANTED = "The latest look at it no longer finds this problem."


@dataclass(frozen=True, kw_only=True)
class SyncResult:
    """What a synchronisation left behind: the wanted cases in the given order, and the ids it closed."""

    wanted: tuple[ExceptionCase, ...]
    closed_ids: tuple[int, ...]


@transaction.atomic
def sync_cases(
    *, group_key: str, wanted: Sequence[CaseWanted], kinds: Collection[str], at: datetime, by: By = SYSTEM
) -> SyncResult:
    """Open the wanted cases; close by itself every other active case of these kinds in this group.

    Cases raised by hand, of other kinds and of other groups are never touched. A wanted case that is open already is
    written only if its content changed, and is not counted as a new occurrence. Raises ValueError for an empty group,
    for a wanted kind outside `kinds`, for another group's case, or for the same case wanted twice.
    """
    _check(group_key=group_key, wanted=wanted, kinds=kinds)
    active = _locked_group(group_key=group_key, kinds=kinds)
    # One order for everybody, so that two synchronisations at once wait for each other and never deadlock.
    opened = {
        item.identity: _opened(item, group_key=group_key, at=at, by=by)
        for item in sorted(wanted, key=lambda item: item.identity)
    }
    stale = [case for case in active if case.is_active and (case.kind_code, case.fingerprint) not in opened]
    for case in stale:
        auto_resolve(case=case, at=at, by=by, reason=NO_LONGER_WANTED)
    return SyncResult(
        wanted=tuple(opened[item.identity] for item in wanted), closed_ids=tuple(case.pk for case in stale)
    )


def _locked_group(*, group_key: str, kinds: Collection[str]) -> list[ExceptionCase]:
    rows = ExceptionCase.objects.select_for_update(of=("self",)).order_by("pk")
    return list(rows.filter(group_key=stored_key(group_key), kind_code__in=kinds, raised_by__isnull=True))


def _opened(item: CaseWanted, *, group_key: str, at: datetime, by: By) -> ExceptionCase:
    return open_wanted(wanted=replace(item, group_key=group_key), at=at, by=by, is_repeat_counted=False)


def _check(*, group_key: str, wanted: Sequence[CaseWanted], kinds: Collection[str]) -> None:
    if not group_key:
        raise ValueError("sync_cases needs a group; without one it would close the cases of everybody.")
    strangers = sorted({item.kind for item in wanted} - set(kinds))
    if strangers:
        raise ValueError(f"Wanted kinds {strangers} are not among the kinds to synchronise.")
    if any(item.group_key not in ("", group_key) for item in wanted):
        raise ValueError(f"A wanted case belongs to another group than {group_key}.")
    if len({item.identity for item in wanted}) != len(wanted):
        raise ValueError("The same case is wanted twice.")
