"""The one way to write history: who, when, what, why, inside the transaction of the act (S1-11)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model

from returnsops.models import HistoryEntry, ReturnAuthorisation

SYSTEM = "system"


def record(
    *,
    act: str,
    by: str,
    at: datetime,
    subject: Model,
    text: str,
    why: str = "",
    rma: ReturnAuthorisation | None = None,
    detail: Mapping[str, Any] | None = None,
) -> HistoryEntry:
    """Append one entry. ``text`` is shown to people and must hold no secret and no customer data."""
    return HistoryEntry.objects.create(
        act=act,
        by=by,
        at=at,
        why=why[:500],
        subject_type=subject._meta.model_name or "",
        subject_id=str(subject.pk),
        rma=rma,
        text=text[:500],
        detail=dict(detail or {}),
    )
