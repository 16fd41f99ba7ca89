"""The machine's side of the effects ledger: claim, send, settle (design section 5).

The only writer of effect state while something is in flight; people's acts are in ``approvals.py``, merging a plan is
in ``replan.py``. Every step is one short transaction around a compare-and-set UPDATE, so it is right on SQLite and
PostgreSQL alike, whoever else works at the same time.
"""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce

from returnsops import states
from returnsops.models import Attempt, Effect, ReturnAuthorisation
from returnsops.prepared import PreparedUpdate

from . import effect_reads, locks
from .effect_rows import (
    NO_ERROR,
    RELEASED,
    SUPERSEDED,
    UNSETTLED,
    Claim,
    Failure,
    close_open_attempts,
    end_attempt,
    end_failed,
    error_fields,
    label,
    locked,
    move,
    note,
    supersede,
    update_claimed,
)
from .effect_rows import NOT_KNOWN as NOT_KNOWN

SEND: Final = "send"
LOOK_UP: Final = "look_up"
CONFIRM: Final = "confirm"

BACK_OFF_BASE_S: Final = 10.0
BACK_OFF_CAP_S: Final = 1800.0
MAX_TRIES: Final = 12
ABSENT: Final = "absent"  # error class of an attempt that a consistent look-up did not find after settle_s

# What was told since the last plan may forbid it: a dirty return sends nothing before it is planned again.
# Not by a join: an UPDATE over one chooses its rows before it locks them, and two workers would claim the same.
_PLANNED: Final = Q(~Exists(ReturnAuthorisation.objects.filter(pk=OuterRef("rma"), is_dirty=True)))


# --- claim -------------------------------------------------------------------------------------------------------


def claim(*, effect_id: int, purpose: str, lease_until_at: datetime, at: datetime) -> Claim | None:
    """T1: take a due effect and write the attempt row; None where somebody else has it or it is not due.

    SEND takes a ready effect to ``sending``. LOOK_UP (``unknown``) and CONFIRM (``done``) leave the state alone.
    The partial unique constraint on the serial key is the guard against two of one order in flight.
    """
    claim, is_taken = Claim(effect_id=effect_id, token=uuid.uuid4().hex, purpose=purpose), False
    try:
        with transaction.atomic():
            is_taken = _taking(purpose).run(effect_id=effect_id, token=claim.token, until=lease_until_at, at=at) == 1
            if is_taken:
                _begin_attempt(claim, at=at)
    except IntegrityError:  # one_in_flight_per_serial_key: another of the same order came first
        if is_taken:
            raise
    return claim if is_taken else None


def due(*, purpose: str, at: datetime) -> Q:
    """Which effects may be claimed for a purpose now, as far as their own row says."""
    is_free = Q(lease_until_at__isnull=True) | Q(lease_until_at__lte=at)
    is_due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at)
    if purpose == SEND:
        return Q(state=states.READY) & is_due & _approved_if_manual() & _PLANNED
    if purpose == LOOK_UP:
        return Q(state=states.UNKNOWN) & is_due & is_free
    return Q(state=states.DONE, kind__in=sorted(states.READ_BACK_KINDS), confirm_after_at__lte=at) & is_free


def begin_send(*, claim: Claim, lease_until_at: datetime, at: datetime) -> bool:
    """Commit that the write may leave, before it does; False where the claim was lost and nothing may be sent."""
    with transaction.atomic():
        is_ours = update_claimed(
            claim,
            (states.SENDING, states.UNKNOWN),
            states.SENDING,
            alive_at=at,
            lease_until_at=lease_until_at,
            last_attempt_at=at,
            first_attempt_at=Coalesce(F("first_attempt_at"), at),
        )
        if not is_ours:
            return False
        supersede(claim.effect_id, at=at)
        Attempt.objects.filter(token=claim.token).update(has_sent=True)
    return True


def unsettled_since(*, effect_id: int) -> datetime | None:
    """When the last write left of which nobody knows the outcome; None where there is none."""
    found = effect_reads.LAST_UNSETTLED.rows(effect_id=effect_id)
    return found[0][0] if found else None


def recover_lapsed(*, connection_id: int, at: datetime) -> int:
    """Effects whose worker died while ``sending`` become ``unknown``, to be looked up at once; returns how many."""
    count = 0
    for effect_id, token in effect_reads.LAPSED_CLAIMS.rows(connection_id=connection_id, at=at):
        with transaction.atomic():
            gone = Claim(effect_id=effect_id, token=token, purpose=SEND)
            if update_claimed(gone, (states.SENDING,), states.UNKNOWN, next_attempt_at=at, **RELEASED):
                close_open_attempts(effect_id, at=at)
                count += 1
    return count


# --- settle ------------------------------------------------------------------------------------------------------


@transaction.atomic
def settle_done(
    *,
    claim: Claim,
    remote_id: str,
    at: datetime,
    remote_url: str = "",
    evidence: Mapping[str, Any] | None = None,
    sent_hash: str = "",
    outcome: str = "done",
) -> bool:
    """T2 of a success; False where the claim was lost meanwhile (then see ``record_late_success``).

    A mirror whose wanted content changed meanwhile goes straight back to ``ready``.
    """
    effect = locked(effect_id=claim.effect_id)
    is_stale = effect.kind == states.MIRROR and effect.payload_hash != sent_hash
    is_ours = update_claimed(
        claim,
        (states.SENDING, states.UNKNOWN),
        states.READY if is_stale else states.DONE,
        **_done_fields(effect, remote_id=remote_id, remote_url=remote_url, sent_hash=sent_hash, at=at),
    )
    if is_ours:
        end_attempt(claim, outcome=outcome, at=at, text=f"Remote record {remote_id}.", evidence=evidence)
        note(effect, act="effect_done", at=at, text=f"{label(effect)}: done, remote record {remote_id}.")
    return is_ours


def is_shown(*, effect_id: int) -> bool:
    """Whether it is a note or a field that shows what is wanted by now: no plan rests on that."""
    return bool(effect_reads.SHOWN.rows(effect_id=effect_id))


@transaction.atomic
def record_late_success(
    *,
    claim: Claim,
    remote_id: str,
    at: datetime,
    remote_url: str = "",
    evidence: Mapping[str, Any] | None = None,
    sent_hash: str = "",
) -> str:
    """A good answer that came after its claim was lost: adopted. Returns 'adopted', 'same' or 'double'.

    Whoever claimed the effect meanwhile loses it and sends nothing more. 'double' means that another record was
    acknowledged before: the caller opens a case.
    """
    effect = locked(effect_id=claim.effect_id)
    end_attempt(claim, outcome="done_late", at=at, text=f"Late answer: remote record {remote_id}.", evidence=evidence)
    if effect.state in (states.DONE, states.CONFIRMED):
        return "same" if effect.remote_id == remote_id else "double"
    if effect.state == states.EFFECT_CANCELLED:  # cancelled after it was believed absent: it is there all the same
        move(Q(pk=effect.pk), (effect.state,), states.READY)
        effect.state = states.READY
    fields = _done_fields(effect, remote_id=remote_id, remote_url=remote_url, sent_hash=sent_hash, at=at)
    move(Q(pk=effect.pk), (effect.state,), states.DONE, **fields)
    note(effect, act="effect_done", at=at, text=f"{label(effect)}: a late answer shows remote record {remote_id}.")
    return "adopted"


@transaction.atomic
def settle_confirmed(*, claim: Claim, at: datetime, evidence: Mapping[str, Any] | None = None) -> bool:
    """Seen in the remote system."""
    effect = locked(effect_id=claim.effect_id)
    is_ours = update_claimed(
        claim, (states.DONE,), states.CONFIRMED, confirmed_at=at, confirm_after_at=None, **RELEASED, **NO_ERROR
    )
    if is_ours:
        end_attempt(claim, outcome="confirmed", at=at, text="Seen in the remote system.", evidence=evidence)
        note(effect, act="effect_confirmed", at=at, text=f"{label(effect)}: confirmed, {effect.remote_id}.")
    return is_ours


@transaction.atomic
def postpone_confirm(*, claim: Claim, failure: Failure, confirm_after_at: datetime, at: datetime) -> bool:
    """Not seen (yet): stays ``done``, read back again later. Never sent again."""
    locks.lock_above_effect(effect_id=claim.effect_id)
    is_ours = update_claimed(
        claim,
        (states.DONE,),
        None,
        confirm_after_at=confirm_after_at,
        confirm_tries=F("confirm_tries") + (1 if failure.error_class == "absent" else 0),
        **RELEASED,
        **error_fields(failure),
    )
    return is_ours and end_failed(claim, failure, at=at)


@transaction.atomic
def settle_unknown(*, claim: Claim, failure: Failure, next_look_at: datetime, at: datetime) -> bool:
    """The outcome is not known: the next thing is a look-up, never a resend."""
    effect = locked(effect_id=claim.effect_id)
    is_ours = update_claimed(
        claim,
        (states.SENDING, states.UNKNOWN),
        states.UNKNOWN,
        next_attempt_at=next_look_at,
        **RELEASED,
        **error_fields(failure),
    )
    if is_ours and effect.state != states.UNKNOWN:
        note(effect, act="effect_unknown", at=at, text=f"{label(effect)}: {failure.text}")
    return is_ours and end_failed(claim, failure, at=at)


@transaction.atomic
def settle_rejected(*, claim: Claim, failure: Failure, at: datetime) -> bool:
    """A definite refusal: nothing happened there, and the same payload is not sent again by itself."""
    return _settle_ended(claim, failure, states.REJECTED, at=at)


@transaction.atomic
def settle_failed(*, claim: Claim, failure: Failure, at: datetime) -> bool:
    """Tries are exhausted; a person decides."""
    return _settle_ended(claim, failure, states.FAILED, at=at)


@transaction.atomic
def settle_failed_later(*, claim: Claim, failure: Failure, at: datetime) -> bool:
    """Acknowledged, and it turned out not to have worked (a gateway that fails later). Never sent again by itself."""
    effect = locked(effect_id=claim.effect_id)
    is_ours = update_claimed(
        claim, (states.DONE,), states.FAILED, confirm_after_at=None, **RELEASED, **error_fields(failure)
    )
    if is_ours:
        note(effect, act="effect_failed", at=at, text=f"{label(effect)}: {failure.text}")
    return is_ours and end_failed(claim, failure, at=at)


@transaction.atomic
def release(*, claim: Claim, failure: Failure, next_attempt_at: datetime | None, at: datetime) -> bool:
    """Back to ``ready`` without counting a try: changed basis, a stop, news, a vendor's pace, wrong credentials.
    Only where it is certain that nothing of it is under way.
    """
    locks.lock_above_effect(effect_id=claim.effect_id)  # as planning does: whoever calls may mark the return next
    is_ours = update_claimed(
        claim,
        (states.SENDING, states.UNKNOWN),
        states.READY,
        next_attempt_at=next_attempt_at,
        **RELEASED,
        **error_fields(failure),
    )
    if is_ours and failure.error_class == ABSENT:
        supersede(claim.effect_id, at=at)
    return is_ours and _end_undone(claim, failure, at=at)


@transaction.atomic
def note_outcome(*, claim: Claim, failure: Failure, at: datetime) -> None:
    """Keep how an attempt ended whose claim was lost: a late refusal settles what was unsettled."""
    if effect_reads.OPEN_ATTEMPT.rows(token=claim.token):
        end_failed(claim, failure, at=at)


@transaction.atomic
def schedule_retry(*, claim: Claim, failure: Failure, at: datetime, random: Callable[[], float]) -> str | None:
    """Nothing happened there: try again after exponential back-off with full jitter, or ``failed`` when exhausted.

    ``random`` gives a number from 0 to 1. Returns the new state, None where the claim was lost.
    """
    effect = locked(effect_id=claim.effect_id)
    tries = effect.attempt_count + 1
    if tries >= MAX_TRIES:
        Effect.objects.filter(pk=effect.pk, claim_token=claim.token).update(attempt_count=tries)
        return states.FAILED if settle_failed(claim=claim, failure=failure, at=at) else None
    is_ours = update_claimed(
        claim,
        (states.SENDING, states.UNKNOWN),
        states.READY,
        next_attempt_at=at + back_off(tries=tries, random=random),
        attempt_count=tries,
        **RELEASED,
        **error_fields(failure),
    )
    return states.READY if is_ours and _end_undone(claim, failure, at=at) else None


def back_off(*, tries: int, random: Callable[[], float]) -> timedelta:
    """A random part of 10 s, 20 s, 40 s … up to half an hour; at least a second."""
    ceiling = min(BACK_OFF_CAP_S, BACK_OFF_BASE_S * 2.0 ** (tries - 1))
    return timedelta(seconds=max(1.0, random() * ceiling))


@transaction.atomic
def rebase(*, claim: Claim, basis_hash: str) -> bool:
    """A refund a person proposed still fits the changed order: it rests on the new state of the order now."""
    return Effect.objects.filter(pk=claim.effect_id, claim_token=claim.token).update(basis_hash=basis_hash) == 1


@transaction.atomic
def postpone_unless_rebased(*, effect_id: int, basis_hash: str, until: datetime) -> None:
    """Let a ready effect wait whose plan does not rest on the order as it was just read."""
    ready = Effect.objects.filter(pk=effect_id, state=states.READY).exclude(basis_hash=basis_hash)
    ready.update(next_attempt_at=until)


# --- the ways a row changes ---------------------------------------------------------------------------------------


@cache
def _taking(purpose: str) -> PreparedUpdate:
    target = {"state": states.SENDING} if purpose == SEND else {}
    return PreparedUpdate(
        lambda effect_id, token, until, at: (
            Effect.objects.filter(due(purpose=purpose, at=at), pk=effect_id),
            {"claim_token": token, "lease_until_at": until, **target},
        )
    )


def _begin_attempt(claim: Claim, *, at: datetime) -> None:
    ((generation, last, begun),) = effect_reads.ATTEMPTS.rows(effect_id=claim.effect_id)
    if begun:
        close_open_attempts(claim.effect_id, at=at)
    Attempt.objects.create(
        effect_id=claim.effect_id,
        number=(last or 0) + 1,
        generation=generation,
        purpose=claim.purpose,
        token=claim.token,
        started_at=at,
    )


def _approved_if_manual() -> Q:
    return ~Q(origin=states.ORIGIN_PERSON, kind__in=sorted(states.MONEY_KINDS)) | Q(
        approved_revision=F("payload_revision")
    )


def _settle_ended(claim: Claim, failure: Failure, target: str, *, at: datetime) -> bool:
    effect = locked(effect_id=claim.effect_id)
    is_ours = update_claimed(
        claim, (states.SENDING, states.UNKNOWN), target, next_attempt_at=None, **RELEASED, **error_fields(failure)
    )
    if is_ours:
        note(effect, act=f"effect_{target}", at=at, text=f"{label(effect)}: {failure.text}")
    return is_ours and _end_undone(claim, failure, at=at)


def _end_undone(claim: Claim, failure: Failure, *, at: datetime) -> bool:
    """The vendor did nothing. Where that is true of every write so far, the next one is the first: always True."""
    end_failed(claim, failure, at=at)
    in_doubt = Attempt.objects.filter(
        effect_id=claim.effect_id,
        generation=F("effect__generation"),
        has_sent=True,
        outcome__in=(*UNSETTLED, SUPERSEDED),
    )
    if not in_doubt.exists():
        Effect.objects.filter(pk=claim.effect_id).update(first_attempt_at=None)
    return True


def _done_fields(effect: Effect, *, remote_id: str, remote_url: str, sent_hash: str, at: datetime) -> dict[str, Any]:
    is_read_back = effect.kind in states.READ_BACK_KINDS
    return {
        "remote_id": remote_id,
        "remote_url": remote_url or effect.remote_url,
        "sent_hash": sent_hash or effect.sent_hash,
        "done_at": at,
        "next_attempt_at": None,
        "attempt_count": 0,
        "confirm_after_at": at if is_read_back else None,
        "confirm_tries": 0,
        **RELEASED,
        **NO_ERROR,
    }
