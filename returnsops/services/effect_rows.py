"""How one effect row changes: by compare-and-set, along the transition table, under the one lock order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from returnsops import money, states
from returnsops.models import Attempt, Effect
from returnsops.prepared import Prepared, PreparedUpdate

from . import audit, locks

# Outcomes of attempts. Of the first four nobody knows yet whether the write was carried out.
LAPSED: Final = "lapsed"
NOT_KNOWN: Final = "unknown"
CONTRADICTED: Final = "contradicted"  # an earlier request with the same key arrived, with other content
UNSETTLED: Final = ("", LAPSED, NOT_KNOWN, CONTRADICTED)
SUPERSEDED: Final = "superseded"  # looked up after settle_s: not carried out, or not in full
RELEASED: Final[dict[str, Any]] = {"claim_token": "", "lease_until_at": None}
NO_ERROR: Final[dict[str, Any]] = {"error_class": "", "error_code": "", "error_text": ""}


class EffectError(Exception):
    """An act on an effect that is not possible; the text says what is wrong and what to do."""


class TransitionRefusedError(EffectError):
    """A change of state that the transition table does not permit: a mistake in the program."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to work on one effect until the lease ends."""

    effect_id: int
    token: str
    purpose: str


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an attempt did not succeed; texts and evidence are redacted."""

    error_class: str
    text: str
    code: str = ""
    evidence: Mapping[str, Any] | None = None


def locked(*, effect_id: int) -> Effect:
    """The effect with its order and return locked first, in the one lock order."""
    locks.lock_above_effect(effect_id=effect_id)
    return _LOCKED.one(effect_id=effect_id)


_LOCKED: Final = Prepared(
    lambda effect_id: Effect.objects.select_for_update(of=("self",)).select_related("rma").filter(pk=effect_id)
)


def check_transition(*, source: str, target: str) -> None:
    """Raises TransitionRefusedError where the table does not permit the change."""
    if target != source and target not in states.EFFECT_TRANSITIONS[source]:
        raise TransitionRefusedError(f"An effect cannot go from {source} to {target}.")


def update_claimed(
    claim: Claim, sources: Iterable[str], target: str | None, *, alive_at: datetime | None = None, **fields: Any
) -> bool:
    """Change the row only while the claim holds it (and, with ``alive_at``, its lease outlives that moment)."""
    row = Q(pk=claim.effect_id, claim_token=claim.token)
    if alive_at is not None:
        row &= Q(lease_until_at__gt=alive_at)
    return move(row, sources, target, **fields)


def move(row: Q, sources: Iterable[str], target: str | None, **fields: Any) -> bool:
    """Compare-and-set: change the row only from one of the sources; ``target`` None keeps its state."""
    if target is not None:
        for source in sources:
            check_transition(source=source, target=target)
        fields["state"] = target
    return Effect.objects.filter(row, state__in=list(sources)).update(**fields) == 1


def error_fields(failure: Failure) -> dict[str, Any]:
    """The error columns of a failure, cut to their lengths."""
    return {
        "error_class": failure.error_class[:20],
        "error_code": failure.code[:120],
        "error_text": failure.text[:500],
    }


def end_failed(claim: Claim, failure: Failure, *, at: datetime) -> bool:
    """Write how the attempt failed; always True, so that it can end a compare-and-set."""
    end_attempt(claim, outcome=failure.error_class, at=at, text=failure.text, evidence=failure.evidence)
    return True


def end_attempt(claim: Claim, *, outcome: str, at: datetime, text: str, evidence: Mapping[str, Any] | None) -> None:
    """Write how the attempt ended, whatever was written before."""
    Attempt.objects.filter(token=claim.token).update(
        ended_at=at, outcome=outcome[:20], text=text[:500], evidence=dict(evidence or {})
    )


def close_open_attempts(effect_id: int, *, at: datetime) -> None:
    """Attempts without an end belong to a worker that lost its claim."""
    _CLOSE_OPEN.run(effect_id=effect_id, at=at)


_CLOSE_OPEN: Final = PreparedUpdate(
    lambda effect_id, at: (
        Attempt.objects.filter(effect=effect_id, ended_at__isnull=True),
        {"ended_at": at, "outcome": LAPSED, "text": "The worker did not come back before its lease ended."},
    )
)


def supersede(effect_id: int, *, at: datetime) -> None:
    """Earlier writes of unknown outcome were looked up after settle_s: they did not happen, or not in full."""
    _SUPERSEDE.run(effect_id=effect_id, at=at)


_SUPERSEDE: Final = PreparedUpdate(
    lambda effect_id, at: (
        Attempt.objects.filter(effect=effect_id, has_sent=True, outcome__in=UNSETTLED),
        {
            "outcome": SUPERSEDED,
            "ended_at": Coalesce(F("ended_at"), at),
            "text": "Looked up: not carried out in full.",
        },
    )
)


def contradiction_of(effect_id: int) -> str:
    """Why only a person can say what an earlier request with our key did; '' where none was contradicted."""
    found = _CONTRADICTED.rows(effect_id=effect_id)
    return str(found[0][0]) if found else ""


_CONTRADICTED: Final = Prepared(
    lambda effect_id: (
        Attempt.objects.filter(effect=effect_id, outcome=CONTRADICTED).order_by("-number").values_list("text")[:1]
    )
)


def given_reason(why: str) -> str:
    """What a person gave as the reason, as it is kept. Raises EffectError where it is empty."""
    if not why.strip():
        raise EffectError("Give a reason; it is kept in the history.")
    return why.strip()[:500]


def label(effect: Effect) -> str:
    """The effect in a few words, for history."""
    of = f" of {money.display(effect.amount, currency=effect.currency)}" if effect.amount is not None else ""
    return f"{effect.kind.capitalize().replace('_', ' ')}{of}"


def note(effect: Effect, *, act: str, at: datetime, text: str) -> None:
    """One entry of history by the machine."""
    audit.record(act=act, by=audit.SYSTEM, at=at, subject=effect, rma=effect.rma, text=text)
