"""Cases about what came in: unreadable, unmapped, parked; and bursts of bad signatures."""

from collections.abc import Sequence
from datetime import datetime

from connectors import ports
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, InboundEvent

SUBJECT_EVENT = "event"
EVENT_CASES = (
    states.CASE_EVENT_PARKED,
    states.CASE_UNREADABLE_EVENT,
    states.CASE_UNMAPPED_EVENT,
    states.CASE_CONFIRM_SPLIT,
    states.CASE_API_VERSION,
)


def open_problem_case(*, event: InboundEvent, problem: ports.Problem, at: datetime) -> None:
    """One case per event and kind of problem."""
    _open(event=event, kind=problem.case_kind, text=problem.text, detail=dict(problem.detail), at=at)


def open_parked_case(*, event: InboundEvent, text: str, at: datetime) -> None:
    """An event that could not be processed and waits for a person."""
    _open(event=event, kind=states.CASE_EVENT_PARKED, text=text, detail={"attempts": event.attempts}, at=at)


def close_healed_cases(*, event: InboundEvent, problems: Sequence[ports.Problem], at: datetime) -> None:
    """The event went through after all: what it no longer complains of is closed."""
    standing = {problem.case_kind for problem in problems}
    fingerprints = [_fingerprint(kind, event) for kind in EVENT_CASES if kind not in standing]
    for case in ExceptionCase.objects.active().filter(fingerprint__in=fingerprints):
        queue.auto_resolve(case=case, at=at)


def open_signature_case(*, connection: Connection, count: int, reason: str, hour_at: datetime, at: datetime) -> None:
    """Many refused deliveries within an hour: a wrong secret, or somebody knocking."""
    queue.open_case(
        kind=states.CASE_BAD_SIGNATURES,
        fingerprint=f"{states.CASE_BAD_SIGNATURES}:{connection.name}",
        subject_type="connection",
        subject_id=str(connection.pk),
        subject_label=connection.name,
        cause=f"{count} deliveries to {connection.name} were refused since {hour_at:%H:%M} UTC: {reason}.",
        evidence={"refused": str(count), "last reason": reason},
        deep_link=f"/admin/returnsops/connection/{connection.pk}/change/",
        at=at,
    )


def _fingerprint(kind: str, event: InboundEvent) -> str:
    return f"{kind}:{event.connection.name}:{event.pk}"


def _open(*, event: InboundEvent, kind: str, text: str, detail: dict[str, object], at: datetime) -> None:
    queue.open_case(
        kind=kind,
        fingerprint=_fingerprint(kind, event),
        subject_type=SUBJECT_EVENT,
        subject_id=str(event.pk),
        subject_label=f"{event.connection.name}: {event.topic or 'event'}",
        cause=text,
        evidence={"connection": event.connection.name, "topic": event.topic, **detail},
        deep_link=f"/admin/returnsops/inboundevent/{event.pk}/change/",
        group_key=f"event:{event.pk}",
        at=at,
    )
