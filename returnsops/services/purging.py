"""Old messages lose their customer data; what replay and people need stays (docs/operating/operations.md)."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from returnsops import states
from returnsops.models import Connection, InboundEvent
from returnsops.personal_data import REMOVED, without_personal_data

from . import audit

BATCH: Final = 200


@dataclass(frozen=True, kw_only=True)
class Purged:
    """How many messages were looked at, and how many held customer data."""

    looked_at: int
    changed: int


def purge_payloads(*, before: datetime, by: str, at: datetime, is_dry_run: bool = False) -> Purged:
    """Take customer data out of messages received before a moment. Messages not yet processed are left alone.

    Repeating it changes nothing more. One history entry per connection says how many messages were changed.
    """
    looked_at = 0
    changed: Counter[int] = Counter()
    for batch in _batches(before):
        looked_at += len(batch)
        changed.update(_purge_batch(batch, by=by, at=at, is_dry_run=is_dry_run))
    return Purged(looked_at=looked_at, changed=changed.total())


def redacted(body: bytes) -> bytes:
    """The body without customer data; numbers keep their digits. A body that is not JSON is removed whole."""
    mark = secrets.token_hex(8)
    try:
        document = json.loads(body, parse_float=lambda digits: f"{mark}{digits}")
    except (ValueError, RecursionError):
        return REMOVED.encode()
    cleaned = without_personal_data(document)
    if cleaned == document:
        return body
    return re.sub(f'"{mark}([^"]*)"', r"\1", json.dumps(cleaned)).encode()


def _batches(before: datetime) -> Iterator[list[InboundEvent]]:
    last = 0
    rows = InboundEvent.objects.filter(received_at__lt=before).exclude(state=states.EVENT_RECEIVED).order_by("pk")
    while batch := list(rows.filter(pk__gt=last).only("pk", "body", "connection_id")[:BATCH]):
        yield batch
        last = batch[-1].pk


@transaction.atomic
def _purge_batch(batch: list[InboundEvent], *, by: str, at: datetime, is_dry_run: bool) -> Counter[int]:
    changed: Counter[int] = Counter()
    for event in batch:
        before = bytes(event.body)
        after = redacted(before)
        if after == before:
            continue
        changed[event.connection_id] += 1
        if not is_dry_run:
            InboundEvent.objects.filter(pk=event.pk).update(body=after)
    if not is_dry_run:
        _note(changed, by=by, at=at)
    return changed


def _note(changed: Counter[int], *, by: str, at: datetime) -> None:
    for connection in Connection.objects.filter(pk__in=changed):
        text = f"Customer data removed from {changed[connection.pk]} stored messages."
        audit.record(act="payloads_purged", by=by, at=at, subject=connection, text=text)
