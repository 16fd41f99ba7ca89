"""Cases about effects and connections: opened where delivery cannot go on alone, closed when the cause is gone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import matters, money, states
from returnsops.models import Connection, Effect
from returnsops.prepared import Prepared
from returnsops.services import audit, cases
from returnsops.services.effect_rows import Failure, label

SUBJECT_EFFECT: Final = "effect"

# Refusals of which the plan knows more: a credit that was spent before it could be taken back.
PLANNER_EXPLAINS: Final = frozenset({states.CASE_CREDIT_SPENT})
# While the effect is in one of these states, the case has its cause.
_CAUSES: Final[Mapping[str, frozenset[str]]] = {
    states.CASE_REJECTED: frozenset({states.REJECTED}),
    states.CASE_ATTEMPTS_EXHAUSTED: frozenset({states.FAILED}),
    states.CASE_AMBIGUOUS_OUTCOME: frozenset({states.UNKNOWN, states.SENDING}),
    states.CASE_NOT_SEEN_AFTER_DONE: frozenset({states.DONE}),
    states.CASE_FAILED_LATER: frozenset({states.FAILED}),
}
CAUSED_BY_STATE: Final[Mapping[str, frozenset[str]]] = {
    kind: causes for outcome, causes in _CAUSES.items() for kind in matters.OUTCOME_CASES[outcome].values()
}


def open_rejected(*, effect: Effect, failure: Failure, at: datetime) -> None:
    """The other system refused, in its own words; what the planner has a case of its own for is left to it."""
    if failure.code in PLANNER_EXPLAINS | states.PLANNED_REFUSALS:
        return
    evidence = {"code": failure.code, "answer": failure.text, **(failure.evidence or {})}
    _open(effect, _kind_of(states.CASE_REJECTED, effect), text=failure.text, evidence=evidence, at=at)


def open_exhausted(*, effect: Effect, failure: Failure, at: datetime) -> None:
    """All tries failed."""
    evidence = {"last_answer": failure.text, **(failure.evidence or {})}
    _open(effect, _kind_of(states.CASE_ATTEMPTS_EXHAUSTED, effect), text=failure.text, evidence=evidence, at=at)


def open_ambiguous(*, effect: Effect, text: str, evidence: Mapping[str, Any], at: datetime) -> None:
    """Whether it was carried out cannot be said by a machine."""
    _open(effect, _kind_of(states.CASE_AMBIGUOUS_OUTCOME, effect), text=text, evidence=evidence, at=at)


def open_not_seen(*, effect: Effect, text: str, evidence: Mapping[str, Any], at: datetime) -> None:
    """Acknowledged, but not to be seen; it is never sent again by itself."""
    evidence = {"remote_id": effect.remote_id, **evidence}
    _open(effect, _kind_of(states.CASE_NOT_SEEN_AFTER_DONE, effect), text=text, evidence=evidence, at=at)


def open_failed_later(*, effect: Effect, failure: Failure, at: datetime) -> None:
    """The other system took it, and it did not work after all."""
    evidence = {"remote_id": effect.remote_id, **(failure.evidence or {})}
    _open(effect, states.CASE_FAILED_LATER, text=failure.text, evidence=evidence, at=at)


def open_double(*, effect: Effect, other_remote_id: str, at: datetime) -> None:
    """Two records were acknowledged for one effect."""
    text = f"Records {effect.remote_id} and {other_remote_id} were both acknowledged; one of them is too much."
    evidence = {"records": [effect.remote_id, other_remote_id]}
    is_money = effect.kind in states.MONEY_KINDS
    kind = states.CASE_OVER_REFUNDED if is_money else _kind_of(states.CASE_AMBIGUOUS_OUTCOME, effect)
    _open(effect, kind, text=text, evidence=evidence, at=at, fingerprint=f"{kind}:double:{effect.pk}")


def open_stock_concern(*, effect: Effect, text: str, at: datetime) -> None:
    """It is done, and the stock there does not fit; '' = it does."""
    if text:
        _open(effect, states.CASE_STOCK_CONCERN, text=text, evidence={"remote_id": effect.remote_id}, at=at)


def open_over_refunded(*, effect: Effect, excess: Mapping[str, Any], at: datetime) -> None:
    """The shop holds more refunds under our keys than the ledger explains."""
    amount = money.display(excess["amount"], currency=effect.currency)
    refunded = money.display(excess["refunded"], currency=effect.currency)
    evidence = {
        "unexplained": amount,
        "refunded_in_the_shop": refunded,
        "records": excess["records"],
    }
    _open(
        effect,
        states.CASE_OVER_REFUNDED,
        text=f"{amount} more was refunded in the shop than our ledger and known refunds explain.",
        evidence=evidence,
        at=at,
        fingerprint=_order_fingerprint(effect),
    )


def close_over_refunded(*, effect: Effect, at: datetime) -> None:
    """The sums agree."""
    _close({_order_fingerprint(effect): states.CASE_OVER_REFUNDED}, at=at)


def close_outcome_cases(*, effect: Effect, at: datetime) -> None:
    """It is there: what asked for a person about this effect is answered."""
    outcomes = (states.CASE_REJECTED, states.CASE_ATTEMPTS_EXHAUSTED, states.CASE_AMBIGUOUS_OUTCOME)
    kinds = [_kind_of(outcome, effect) for outcome in outcomes]
    _close({_fingerprint(kind, effect): kind for kind in kinds}, at=at)


def close_not_seen(*, effect: Effect, at: datetime) -> None:
    """It was seen after all."""
    kind = _kind_of(states.CASE_NOT_SEEN_AFTER_DONE, effect)
    _close({_fingerprint(kind, effect): kind}, at=at)


def is_gone(case: ExceptionCase) -> bool:
    """Re-check of a case about an effect: has the effect left the state that caused it?"""
    caused_by = CAUSED_BY_STATE.get(case.kind_code, frozenset())
    return not Effect.objects.filter(pk=int(case.subject_id), state__in=sorted(caused_by)).exists()


def close_gone(*, at: datetime) -> int:
    """Close every case about an effect whose cause is gone; returns how many."""
    closed = 0
    for case in ExceptionCase.objects.active().filter(
        kind_code__in=sorted(CAUSED_BY_STATE), subject_type=SUBJECT_EFFECT, raised_by__isnull=True
    ):
        if is_gone(case):
            queue.auto_resolve(case=case, at=at)
            closed += 1
    return closed


def pause_for_auth(*, connection: Connection, text: str, at: datetime) -> None:
    """Wrong credentials: the connection pauses with one case; nothing of its work is lost."""
    paused = Connection.objects.filter(pk=connection.pk, is_paused=False)
    if paused.update(is_paused=True, pause_reason=text[:300]):
        audit.record(act="connection_paused", by=audit.SYSTEM, at=at, subject=connection, text=text)
    queue.open_case(
        kind=states.CASE_CONNECTION_AUTH,
        fingerprint=f"{states.CASE_CONNECTION_AUTH}:{connection.name}",
        subject_type="connection",
        subject_id=str(connection.pk),
        subject_label=str(connection),
        cause=text,
        deep_link=f"/admin/returnsops/connection/{connection.pk}/change/",
        group_key=f"connection:{connection.name}",
        at=at,
    )


def _open(
    effect: Effect, kind: str, *, text: str, evidence: Mapping[str, Any], at: datetime, fingerprint: str = ""
) -> None:
    rma = effect.rma
    is_money = effect.kind in states.VALUE_KINDS
    queue.open_case(
        kind=kind,
        fingerprint=fingerprint or _fingerprint(kind, effect),
        subject_type=SUBJECT_EFFECT,
        subject_id=str(effect.pk),
        subject_label=f"{label(effect)}, {rma.label if rma else effect.order or effect.key}",
        cause=text,
        evidence=dict(evidence),
        money_at_risk=effect.amount if is_money else None,
        currency=effect.currency if is_money else "",
        waiting_since_at=cases.waiting_since(rma) if rma else None,
        deep_link=cases.link_of(rma) if rma else f"/admin/returnsops/effect/{effect.pk}/change/",
        remote_link=effect.remote_url,
        group_key=_group(effect, kind),
        at=at,
    )


def _kind_of(outcome: str, effect: Effect) -> str:
    """The kind of case of whoever the effect belongs to; "do not pay again" is finance's, however it is told."""
    matter = matters.MATTERS[effect.kind]
    if effect.kind == states.WRITE_BACK and effect.payload.get("message") == states.TELL_ALREADY_REFUNDED:
        matter = matters.OF_MONEY
    return matters.OUTCOME_CASES[outcome][matter]


def _close(kinds: Mapping[str, str], *, at: datetime) -> None:
    """Close the open cases with these fingerprints, each of its kind."""
    for case in active_cases(list(kinds)):
        if case.kind_code in kinds.values():
            queue.auto_resolve(case=case, at=at)


def active_cases(fingerprints: Sequence[str]) -> list[ExceptionCase]:
    """The open cases with one of these fingerprints; mostly there is none."""
    return _active(len(fingerprints)).objects(**{f"of_{number}": one for number, one in enumerate(fingerprints)})


@cache
def _active(count: int) -> Prepared[ExceptionCase]:
    return Prepared(lambda **given: ExceptionCase.objects.active().filter(fingerprint__in=list(given.values())))


def _fingerprint(kind: str, effect: Effect) -> str:
    return f"{kind}:effect:{effect.pk}"


def _order_fingerprint(effect: Effect) -> str:
    return f"{states.CASE_OVER_REFUNDED}:read-back:{effect.connection_id}:{effect.order_id}"


def _group(effect: Effect, kind: str) -> str:
    """The return's group, so that its page shows the case; kinds that the planner closes stay out of its reach."""
    if effect.rma is None or kind in states.PLANNER_CASES:
        return f"effect:{effect.pk}"
    return cases.group_of(effect.rma)
