"""Cases about what came in: unreadable, unmapped, parked; and bursts of bad signatures."""

from datetime import datetime

from connectors import ports
from connectors.delivery_cases import active_cases
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from exceptions_queue.services.opening import stored_key
from returnsops import states
from returnsops.models import Connection, InboundEvent

SUBJECT_EVENT = "event"
EVENT_CASES = (
    states.CASE_EVENT_PARKED,
    states.CASE_UNREADABLE_EVENT,
    states.CASE_UNMAPPED_EVENT,
    states.CASE_CONFIRM_SPLIT,
    states.CASE_API_VERSION,
    states.CASE_API_VERSION_ENDING,
)


def open_problem_case(*, event: InboundEvent, problem: ports.Problem, at: datetime) -> None:
    """One case per event and kind of problem; what stands from reading to reading is one case per subject and word."""
    standing = problem.standing if event.subject_key else ""
    if standing and _is_overtaken(event):
        return
    _open(event=event, kind=problem.case_kind, text=problem.text, detail=dict(problem.detail), at=at, standing=standing)


def open_parked_case(*, event: InboundEvent, text: str, at: datetime) -> None:
    """An event that could not be processed and waits for a person."""
    _open(event=event, kind=states.CASE_EVENT_PARKED, text=text, detail={"attempts": event.attempts}, at=at)


def close_healed_cases(*, event: InboundEvent, normalised: ports.Normalised, at: datetime) -> None:
    """The event went through after all: what it no longer complains of is closed.

    The newest reading of a whole subject also closes what earlier readings of it complained of.
    """
    problems = normalised.problems
    standing = {problem.case_kind for problem in problems}
    fingerprints = [_fingerprint(kind, event) for kind in EVENT_CASES if kind not in standing]
    healed = active_cases(fingerprints)
    if normalised.is_whole and event.subject_key and not _is_overtaken(event):
        still = {stored_key(_fingerprint(one.case_kind, event, one.standing)) for one in problems if one.standing}
        of_subject = ExceptionCase.objects.active().filter(group_key=stored_key(_group_key(event, is_standing=True)))
        healed += of_subject.exclude(fingerprint__in=still)
    for case in healed:
        queue.auto_resolve(case=case, at=at)


def _is_overtaken(event: InboundEvent) -> bool:
    """Whether the subject was read again since: an older reading, processed again, says nothing of now."""
    later = InboundEvent.objects.filter(connection=event.connection, subject_key=event.subject_key, pk__gt=event.pk)
    return later.filter(topic=event.topic, state=states.EVENT_PROCESSED).exists()


def open_signature_case(*, connection: Connection, count: int, reason: str, since: datetime, at: datetime) -> None:
    """Many refused deliveries within an hour: a wrong secret, or somebody knocking."""
    queue.open_case(
        kind=states.CASE_BAD_SIGNATURES,
        fingerprint=f"{states.CASE_BAD_SIGNATURES}:{connection.name}",
        subject_type="connection",
        subject_id=str(connection.pk),
        subject_label=connection.name,
        cause=f"{count} deliveries to {connection.name} were refused since {since:%H:%M} UTC: {reason}.",
        evidence={"refused": str(count), "last reason": reason},
        deep_link=f"/admin/returnsops/connection/{connection.pk}/change/",
        at=at,
    )


def _fingerprint(kind: str, event: InboundEvent, standing: str = "") -> str:
    identity = f"{event.subject_key}:{standing}" if standing else str(event.pk)
    return f"{kind}:{event.connection.name}:{identity}"


def _group_key(event: InboundEvent, *, is_standing: bool) -> str:
    return f"readings:{event.connection.name}:{event.subject_key}" if is_standing else f"event:{event.pk}"


def _open(
    *, event: InboundEvent, kind: str, text: str, detail: dict[str, object], at: datetime, standing: str = ""
) -> None:
    about = event.subject_key.replace(":", " ") if standing else event.topic
    queue.open_case(
        kind=kind,
        fingerprint=_fingerprint(kind, event, standing),
        subject_type=SUBJECT_EVENT,
        subject_id=str(event.pk),
        subject_label=f"{event.connection.name}: {about or 'event'}",
        cause=text,
        evidence={"connection": event.connection.name, "topic": event.topic, **detail},
        deep_link=f"/admin/returnsops/inboundevent/{event.pk}/change/",
        group_key=_group_key(event, is_standing=bool(standing)),
        at=at,
    )
