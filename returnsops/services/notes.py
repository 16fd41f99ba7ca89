"""Notes of people on a return: append-only, part of its history."""

from datetime import datetime

from django.db import transaction

from returnsops.models import HistoryEntry, ReturnAuthorisation

from . import audit

NOTE = "note"
NOTE_LENGTH = 500


class NoteError(Exception):
    """A note that cannot be kept; the text says why."""


@transaction.atomic
def add_note(*, rma: ReturnAuthorisation, text: str, by: str, at: datetime) -> HistoryEntry:
    """Keep a note of at most 500 characters for ever. Raises NoteError for an empty or longer one."""
    clean = text.strip()
    if not clean or len(clean) > NOTE_LENGTH:
        raise NoteError(f"Write a note of one to {NOTE_LENGTH} characters.")
    return audit.record(act=NOTE, by=by, at=at, subject=rma, text=clean, rma=rma)
