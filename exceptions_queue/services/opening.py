"""Opening cases: the same problem is one case, seen again it is counted, closed and back it is regressed."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from exceptions_queue import sla
from exceptions_queue.alerts import queue_case_alert
from exceptions_queue.configuration import calendar_of, weights
from exceptions_queue.errors import InvalidInputError, NotAllowedError
from exceptions_queue.evidence import clean_json, clean_text
from exceptions_queue.kinds import CaseKind, lookup
from exceptions_queue.models import AlertReason, CaseState, ExceptionCase
from exceptions_queue.permissions import WORK
from exceptions_queue.services.timeline import By, record, require_reason
from exceptions_queue.subjects import Subject

SYSTEM = "system"
RACES_TOLERATED = 5
KEY_LENGTH = 250
LINK_LENGTH = 1000
LINK_SCHEMES = ("http", "https")


@dataclass(frozen=True, kw_only=True)
class CaseWanted:
    """A problem that ought to have an open case. `fingerprint` is its identity within `kind`."""

    kind: str
    fingerprint: str
    subject_type: str
    subject_id: str
    subject_label: str = ""
    title: str = ""
    cause: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    money_at_risk: Decimal | None = None
    currency: str = ""
    waiting_since_at: datetime | None = None
    deep_link: str = ""
    remote_link: str = ""
    group_key: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """Kind and stored fingerprint: there is one case for it."""
        return self.kind, stored_key(self.fingerprint)


def stored_key(key: str) -> str:
    """An identity as the database keeps it: as it is, or if it is too long its beginning and a digest of the whole."""
    clean = clean_text(key)
    if len(clean) <= KEY_LENGTH:
        return clean
    digest = hashlib.sha256(clean.encode()).hexdigest()
    return f"{clean[: KEY_LENGTH - len(digest) - 1]}#{digest}"


def open_case(
    *,
    kind: str,
    fingerprint: str,
    subject_type: str,
    subject_id: str,
    subject_label: str = "",
    title: str = "",
    cause: str = "",
    evidence: Mapping[str, Any] | None = None,
    money_at_risk: Decimal | None = None,
    currency: str = "",
    waiting_since_at: datetime | None = None,
    deep_link: str = "",
    remote_link: str = "",
    group_key: str = "",
    at: datetime,
    by: By = SYSTEM,
) -> ExceptionCase:
    """Open a case, or count one more occurrence of the one that is open for this kind and fingerprint.

    A repeat replaces evidence, cause and money; a snoozed case wakes if its money grew; a closed one is reopened as
    regressed (same row). Safe when two workers do it at once. `evidence` is JSON and already redacted by the caller.
    Empty `title` and `cause` take the kind's. Raises `KindError` for an unregistered kind.
    """
    wanted = CaseWanted(
        kind=kind,
        fingerprint=fingerprint,
        subject_type=subject_type,
        subject_id=subject_id,
        subject_label=subject_label,
        title=title,
        cause=cause,
        evidence=evidence or {},
        money_at_risk=money_at_risk,
        currency=currency,
        waiting_since_at=waiting_since_at,
        deep_link=deep_link,
        remote_link=remote_link,
        group_key=group_key,
    )
    return open_wanted(wanted=wanted, at=at, by=by)


@transaction.atomic
def open_wanted(
    *, wanted: CaseWanted, at: datetime, by: By = SYSTEM, is_repeat_counted: bool = True, raised_by: User | None = None
) -> ExceptionCase:
    """Like `open_case`, from a `CaseWanted`; a repeat that is not counted writes only what changed."""
    kind = lookup(wanted.kind)
    content = content_of(wanted=wanted, kind=kind, at=at)
    for _ in range(RACES_TOLERATED):
        known = _known(wanted)
        if known is None:
            created = _created(wanted=wanted, kind=kind, content=content, at=at, by=by, raised_by=raised_by)
            if created is not None:
                return created
        elif known.is_active:
            return _seen_again(case=known, content=content, at=at, by=by, is_counted=is_repeat_counted)
        else:
            return _regressed(case=known, kind=kind, content=content, at=at, by=by)
    raise RuntimeError(f"Case {wanted.kind} {wanted.fingerprint} kept changing hands; try again.")


@transaction.atomic
def raise_by_hand(
    *,
    kind: str,
    subject: Subject,
    title: str,
    cause: str,
    by: User,
    at: datetime,
) -> ExceptionCase:
    """Open a case that a person noticed. Machines never close it. Raises `NotAllowedError` or `InvalidInputError`."""
    case_kind = lookup(kind)
    if not case_kind.can_be_raised:
        raise InvalidInputError(f"“{case_kind.title}” is found by the system and cannot be raised by hand.")
    if not by.has_perm(WORK):
        raise NotAllowedError("Your role does not allow raising cases.")
    wanted = CaseWanted(
        kind=kind,
        fingerprint=f"by-hand:{uuid.uuid4()}",
        subject_type=subject.subject_type,
        subject_id=subject.subject_id,
        subject_label=subject.subject_label,
        title=title,
        cause=require_reason(cause),
        waiting_since_at=subject.waiting_since_at,
        deep_link=subject.deep_link,
        group_key=subject.group_key,
    )
    return open_wanted(wanted=wanted, at=at, by=by, raised_by=by)


def content_of(*, wanted: CaseWanted, kind: CaseKind, at: datetime) -> dict[str, Any]:
    """The column values that a case takes from what was wanted; long texts are cut to the column's length."""
    money = wanted.money_at_risk
    if money is not None and not wanted.currency:
        raise ValueError(f"Case {wanted.kind} {wanted.fingerprint}: money at risk without a currency.")
    return {
        "title": clean_text(wanted.title or kind.title)[:250],
        "cause": clean_text(wanted.cause or kind.likely_cause),
        "evidence": clean_json(wanted.evidence),
        "money_at_risk": money,
        "currency": wanted.currency if money is not None else "",
        "waiting_since_at": wanted.waiting_since_at,
        "subject_type": wanted.subject_type,
        "subject_id": clean_text(wanted.subject_id)[:150],
        "subject_label": clean_text(wanted.subject_label)[:250],
        "group_key": stored_key(wanted.group_key),
        "deep_link": safe_link(wanted.deep_link),
        "remote_link": safe_link(wanted.remote_link),
        "priority": sla.priority(
            money_at_risk=money,
            currency=wanted.currency,
            waiting_since_at=wanted.waiting_since_at,
            severity=kind.severity,
            weights=weights(),
            now=at,
        ),
    }


def safe_link(link: str) -> str:
    """The link if a person can safely click it (http, https, or a path of ours), else nothing.

    A case matters more than its link, so a script or a foreign scheme is dropped instead of refused.
    """
    if len(link) > LINK_LENGTH or clean_text(link) != link:
        return ""
    if link.startswith("/") and not link.startswith(("//", "/\\")):
        return link
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return link if parts.scheme in LINK_SCHEMES and parts.netloc else ""


def deadline(*, kind: CaseKind, opened_at: datetime) -> datetime:
    """When a case of that kind is due: minutes around the clock, or hours of the owner team's calendar."""
    if kind.sla_minutes is not None:
        return opened_at + timedelta(minutes=kind.sla_minutes)
    return sla.due_at(opened_at, kind.sla_hours or 1, calendar_of(kind.owner_team))


def _known(wanted: CaseWanted) -> ExceptionCase | None:
    rows = ExceptionCase.objects.select_for_update(of=("self",))
    kind, fingerprint = wanted.identity
    return rows.filter(kind_code=kind, fingerprint=fingerprint).order_by("-pk").first()


def _created(
    *, wanted: CaseWanted, kind: CaseKind, content: dict[str, Any], at: datetime, by: By, raised_by: User | None
) -> ExceptionCase | None:
    case = ExceptionCase(
        kind_code=kind.code,
        fingerprint=stored_key(wanted.fingerprint),
        owner_team=kind.owner_team,
        first_opened_at=at,
        opened_at=at,
        last_seen_at=at,
        due_at=deadline(kind=kind, opened_at=at),
        raised_by=raised_by,
        **content,
    )
    if not _inserted(case):
        return None
    record(case=case, act="raised" if raised_by else "opened", by=by, at=at, note=case.cause, detail=_figures(case))
    queue_case_alert(case=case, reason=AlertReason.OPENED, at=at)
    return case


def _inserted(case: ExceptionCase) -> bool:
    try:
        with transaction.atomic():
            case.save(force_insert=True)
    except IntegrityError:
        if not ExceptionCase.objects.filter(kind_code=case.kind_code, fingerprint=case.fingerprint).exists():
            raise
        return False
    return True


def _seen_again(
    *, case: ExceptionCase, content: dict[str, Any], at: datetime, by: By, is_counted: bool
) -> ExceptionCase:
    has_grown = _has_grown(case, content)
    money_before = case.money_at_risk
    is_changed = _take(case, content)
    if is_counted:
        case.occurrences += 1
    if not is_counted and not is_changed:
        return case
    case.last_seen_at = at
    if case.state == CaseState.SNOOZED and has_grown:
        wake(case)
        record(case=case, act="woken", by=by, at=at, note="The money at risk grew.", detail=_figures(case))
    elif money_before != case.money_at_risk:
        record(case=case, act="updated", by=by, at=at, note="The money at risk changed.", detail=_figures(case))
    case.save()
    return case


def _regressed(*, case: ExceptionCase, kind: CaseKind, content: dict[str, Any], at: datetime, by: By) -> ExceptionCase:
    _take(case, content)
    case.occurrences += 1
    case.last_seen_at = at
    set_open_again(case=case, kind=kind, at=at)
    case.is_regressed = True
    case.save()
    record(case=case, act="regressed", by=by, at=at, note="It came back after it was closed.", detail=_figures(case))
    queue_case_alert(case=case, reason=AlertReason.REGRESSED, at=at)
    return case


def set_open_again(*, case: ExceptionCase, kind: CaseKind | None, at: datetime) -> None:
    """Turn a closed case into an open one with a new deadline; the caller saves and records it."""
    case.state = CaseState.OPEN
    case.opened_at = at
    case.times_reopened += 1
    case.resolved_at, case.resolved_by, case.resolved_by_name = None, None, ""
    case.resolution, case.resolution_reason = "", ""
    if kind is not None:
        case.owner_team = kind.owner_team
        case.due_at = deadline(kind=kind, opened_at=at)


def wake(case: ExceptionCase) -> None:
    """Turn a snoozed case into an open one; the caller saves and records it."""
    case.state = CaseState.OPEN
    case.snoozed_until_at, case.snooze_until_money = None, None


def _take(case: ExceptionCase, content: dict[str, Any]) -> bool:
    changed = {name for name, value in content.items() if getattr(case, name) != value}
    for name in changed:
        setattr(case, name, content[name])
    return bool(changed - {"priority"})


def _has_grown(case: ExceptionCase, content: dict[str, Any]) -> bool:
    money: Decimal | None = content["money_at_risk"]
    if money is None:
        return False
    if content["currency"] != case.currency or case.money_at_risk is None:
        return True
    threshold = case.snooze_until_money if case.snooze_until_money is not None else case.money_at_risk
    return money > threshold


def _figures(case: ExceptionCase) -> dict[str, Any]:
    money = None if case.money_at_risk is None else f"{case.money_at_risk} {case.currency}"
    return {"money_at_risk": money, "evidence": case.evidence}
