"""Closed cases lose what their owner app says must not be kept; the timeline is append-only and stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exceptions_queue.models import CLOSED_STATES, ExceptionCase


@dataclass(frozen=True, kw_only=True)
class CaseTexts:
    """What of a case may quote somebody."""

    cause: str
    evidence: Mapping[str, Any]
    resolution_reason: str


def clean_closed(
    *,
    subject_type: str,
    subject_ids: Iterable[str],
    before: datetime,
    clean: Callable[[CaseTexts], CaseTexts],
    is_dry_run: bool = False,
) -> list[str]:
    """Put what ``clean`` leaves of each case in its place; returns the subject id of each case that changes.

    Only cases about these subjects that were closed before a moment; one opened again meanwhile is left alone.
    """
    closed = ExceptionCase.objects.filter(state__in=CLOSED_STATES, resolved_at__lt=before)
    changed = []
    for case in closed.filter(subject_type=subject_type, subject_id__in=list(subject_ids)).order_by("pk"):
        known = CaseTexts(cause=case.cause, evidence=case.evidence, resolution_reason=case.resolution_reason)
        left = clean(known)
        if left == known:
            continue
        changed.append(case.subject_id)
        if not is_dry_run:
            closed.filter(pk=case.pk).update(
                cause=left.cause, evidence=dict(left.evidence), resolution_reason=left.resolution_reason
            )
    return changed
