"""Everything that happened to a return, from every book we keep, newest first (S1-15)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from exceptions_queue.models import CaseEvent
from returnsops.models import Attempt, HistoryEntry, InboundEvent, Order, ReturnAuthorisation
from returnsops.services.cases import group_of
from returnsops.services.notes import NOTE

from . import fact_words, words

MOST = 200  # entries per book; the rest is in the lists
TOLD_BY_TRIES = ("effect_done", "effect_confirmed")  # the try beside it says the same, with its evidence
OUTCOME_TONES = {
    "done": "good",
    "done_late": "good",
    "confirmed": "good",
    "found": "good",
    "rejected": "bad",
    "unknown": "bad",
    "lapsed": "bad",
    "failed": "bad",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line: when, who, in which book, what; ``remote_id`` is the foreign record's."""

    at: datetime
    by: str
    book: str
    text: str
    why: str = ""
    remote_id: str = ""
    url: str = ""
    tone: str = "quiet"


def of_return(rma: ReturnAuthorisation) -> tuple[Entry, ...]:
    """History, messages, tries and case events of one return, newest first."""
    return _sorted(
        [
            *(_history(row) for row in rma.history.exclude(act__in=TOLD_BY_TRIES)[:MOST]),
            *(_event(row) for row in rma.events.select_related("connection")[:MOST]),
            *(_attempt(row) for row in _attempts(rma)),
            *_case_events(rma),
        ]
    )


def of_order(order: Order) -> tuple[Entry, ...]:
    """Readings of the order and effects on it that belong to no return."""
    attempts = Attempt.objects.filter(effect__order=order).select_related("effect").order_by("-started_at")
    return _sorted(
        [
            *(_event(row) for row in order.events.select_related("connection")[:MOST]),
            *(_attempt(row) for row in attempts[:MOST]),
        ]
    )


def _sorted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))


def _attempts(rma: ReturnAuthorisation) -> Iterable[Attempt]:
    return Attempt.objects.filter(effect__rma=rma).select_related("effect").order_by("-started_at", "-pk")[:MOST]


def _history(row: HistoryEntry) -> Entry:
    is_note = row.act == NOTE
    return Entry(
        at=row.at,
        by=row.by,
        book="Note" if is_note else "Decision" if row.by != "system" else "Plan",
        text=row.text,
        why=row.why,
        tone="note" if is_note else "info" if row.by != "system" else "quiet",
    )


BOOKS = {
    "webhook": "Message",
    "poll": "Found by polling",
    "read": "Read",
    "human": "Decision",
    "wms": "Warehouse system",
}


def _event(row: InboundEvent) -> Entry:
    repeats = f" (came {row.duplicate_count + 1} times)" if row.duplicate_count else ""
    told = fact_words.told(topic=row.topic, outcome=row.outcome)
    return Entry(
        at=row.received_at,
        by=row.by or str(row.connection),
        book=BOOKS[row.source],
        text=f"{told or _in_prose(row)}{repeats}",
        url=reverse("admin:returnsops_inboundevent_change", args=[row.pk]),
        tone="bad" if row.state == "parked" else "quiet",
    )


def _in_prose(row: InboundEvent) -> str:
    """What is no fact: a problem, why it was ignored, or where the message is."""
    return f"{row.topic or 'message'}: {row.outcome or row.get_state_display()}"


def _attempt(row: Attempt) -> Entry:
    did = {"send": "sent", "look_up": "looked up", "confirm": "read back"}[row.purpose]
    outcome = f"{row.outcome.replace('_', ' ')}. {row.text}" if row.outcome else "no answer yet"
    return Entry(
        at=row.started_at,
        by="system",
        book=f"Try {row.number}",
        text=f"{words.describe(row.effect)} {did}: {outcome}",
        remote_id=row.effect.remote_id if row.outcome in ("done", "done_late", "confirmed") else "",
        url=reverse("admin:returnsops_attempt_change", args=[row.pk]),
        tone=OUTCOME_TONES.get(row.outcome, "info"),
    )


def _case_events(rma: ReturnAuthorisation) -> Iterator[Entry]:
    rows = CaseEvent.objects.filter(case__group_key=group_of(rma)).select_related("case").order_by("-at", "-pk")
    for row in rows[:MOST]:
        yield Entry(
            at=row.at,
            by=row.by_name,
            book=f"Case {row.case_id}",
            text=f"{row.case.title}: {row.act.replace('_', ' ').replace('action:', '')}",
            why=row.note,
            url=reverse("admin:exceptions_queue_exceptioncase_change", args=[row.case_id]),
            tone="good" if row.act in ("resolved", "auto_resolved") else "warn",
        )
