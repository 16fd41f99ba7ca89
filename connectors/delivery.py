"""One effect, exactly once (design section 5).

An effect is worked on in steps; between them everything is committed. ``open_job`` claims it (T1), ``jobs.perform``
does the HTTP of one step, and ``settle`` writes what came of it (T2) and returns the next step, if any. The same
functions serve the pump with its pool of threads and ``deliver``, which does it all in one thread.

Whatever happens between two steps (a crash, a lost answer, a lapsed lease) leaves a row that says what may have
happened; the next worker looks up before it does anything else. The look-up comes before the first send too.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import OperationalError, transaction

from connectors import confirming, delivery_cases, outcomes, read_back, stops
from connectors.desk import Desk, desk_of
from connectors.jobs import Answered, Job, Runtime, intent_of, lease_s, perform
from connectors.ports import (
    AuthFailed,
    Found,
    Lookup,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Sent,
    VendorError,
)
from returnsops import states
from returnsops.models import Effect
from returnsops.planning.view import order_fingerprint
from returnsops.prepared import Prepared
from returnsops.services import effects
from returnsops.services.effect_rows import Failure, contradiction_of

log = logging.getLogger(__name__)

FIRST_LOOK_S: Final = 3.0  # what a lost answer was about is often there at once; absence counts only after settle_s
LOOKS_TO_CASE: Final = 5  # look-ups of one unknown outcome that failed before a person hears of it
STOPPED_WAIT_S: Final = 60.0
BUSY_TRIES: Final = 3


# --- the steps ---------------------------------------------------------------------------------------------------


def deliver(*, effect_id: int, purpose: str, runtime: Runtime) -> bool:
    """Work on one effect to the end of what can be done now, in this thread; False where it was not to be had."""
    job = open_job(effect_id=effect_id, purpose=purpose, runtime=runtime)
    is_taken = job is not None
    while job is not None:
        job = settle_surely(job, perform(job), runtime=runtime)
    return is_taken


def open_job(*, effect_id: int, purpose: str, runtime: Runtime) -> Job | None:
    """T1: claim the effect and say what to ask of the vendor; None where there is nothing to ask."""
    ((vendor,),) = _VENDOR.rows(effect_id=effect_id)
    connector = runtime.connector(vendor)
    at = runtime.now()
    until = at + timedelta(seconds=lease_s(connector.capabilities))
    claim = effects.claim(effect_id=effect_id, purpose=purpose, lease_until_at=until, at=at)
    if claim is None:
        return None
    runtime.checkpoint("confirm_claimed" if purpose == effects.CONFIRM else "claimed")
    desk = desk_of(claim, connector.capabilities, runtime, related=("connection", "order", "rma"))
    try:
        actions = connector.effects.get(desk.effect.kind)
        if actions is None:
            raise Rejected(f"{connector.title} cannot do {desk.effect.kind} effects.", code="not_supported")
        link = runtime.link_to(desk.effect.connection)
    except VendorError as error:
        _settle_error(desk, error, has_sent=False)
        return None
    return Job(
        claim=claim,
        capabilities=connector.capabilities,
        actions=actions,
        link=link,
        intent=intent_of(desk.effect),
        payload_hash=desk.effect.payload_hash,
        started_at=at,
        lease_until_at=until,
    )


_VENDOR: Final = Prepared(lambda effect_id: Effect.objects.filter(pk=effect_id).values_list("connection__vendor"))


def settle_surely(job: Job, answer: Answered, *, runtime: Runtime) -> Job | None:
    """``settle``, again where the database was busy: a result is worth more than a moment."""
    for _ in range(BUSY_TRIES):
        try:
            return settle(job, answer, runtime=runtime)
        except OperationalError:  # SQLite's lock, PostgreSQL's deadlock; the transaction was undone whole
            log.warning("the database was busy while effect %s was settled", job.claim.effect_id)
    return settle(job, answer, runtime=runtime)


def settle(job: Job, answer: Answered, *, runtime: Runtime) -> Job | None:
    """T2: write what came of a step; the next step, or None when the effect was given back."""
    runtime.checkpoint(job.checkpoint)
    desk = desk_of(job.claim, job.capabilities, runtime)
    outcomes.note_health(effect=desk.effect, answer=answer, at=desk.at)
    if isinstance(answer, VendorError):
        _settle_error(desk, answer, has_sent=job.lookup is not None)
        return None
    if isinstance(answer, Sent):
        _settle_sent(job, desk, answer, outcome="done")
        return None
    if job.claim.purpose == effects.CONFIRM:
        confirming.settle(job, desk, answer)
        return None
    return _settle_lookup(job, desk, answer)


# --- after a look-up ---------------------------------------------------------------------------------------------


def _settle_lookup(job: Job, desk: Desk, lookup: Lookup) -> Job | None:
    if lookup.found is Found.COMPLETE:
        _settle_sent(job, desk, outcomes.sent_of(lookup), outcome="found")
        return None
    contradiction = contradiction_of(desk.effect.pk)
    # Absent there or not: under this key it cannot be sent again, and under a new one it could happen twice.
    if contradiction or lookup.found is Found.AMBIGUOUS:
        _settle_ambiguous(desk, replace(lookup, text=contradiction or lookup.text))
        return None
    left_at = effects.unsettled_since(effect_id=desk.effect.pk)
    settle_s = max(desk.capabilities.settle_s, lookup.settle_s)
    settles_at = None if left_at is None else left_at + timedelta(seconds=settle_s)
    if settles_at is not None and desk.at < settles_at:
        text = "Not to be seen yet; absence counts only after the vendor's longest execution."
        _stay_unknown(desk, Failure(error_class="unknown", text=text), next_look_at=settles_at)
        return None
    if lookup.found is Found.PARTIAL or (settles_at is not None and lookup.is_repeatable):
        return _go_on(job, desk, lookup)
    if settles_at is not None:
        text = "Looked up: it is not there. What was sent did not happen."
        _give_back(desk, Failure(error_class="absent", text=text))
        return None
    if _is_changed(desk, lookup):
        _settle_changed(job, desk, lookup)
        return None
    return _send(job, desk, lookup)


def _is_changed(desk: Desk, lookup: Lookup) -> bool:
    """Whether the order is no longer the one that the amount or quantity rests on."""
    if desk.effect.kind not in states.READ_BACK_KINDS or lookup.order is None:
        return False
    return order_fingerprint(lookup.order) != desk.effect.basis_hash


def _settle_changed(job: Job, desk: Desk, lookup: Lookup) -> None:
    """Keep the order as read, give the effect back, and plan again: the next plan rests on what is true now."""
    assert lookup.order is not None  # _is_changed
    with transaction.atomic():
        desk.keep_order(job, lookup.order)
        text = "The order changed since this was planned."
        if desk.effect.origin == states.ORIGIN_PERSON:
            text = read_back.why_it_no_longer_fits(desk.effect, lookup.order)
        if desk.effect.origin == states.ORIGIN_PERSON and text:
            _reject(desk, Failure(error_class="rejected", code="no_longer_fits", text=text))
        else:
            # No plan stands behind what a person proposed: as it still fits, it rests on the new state.
            if desk.effect.origin == states.ORIGIN_PERSON:
                effects.rebase(claim=desk.claim, basis_hash=order_fingerprint(lookup.order))
            changed = Failure(error_class="changed", text=text or "The order changed; the refund still fits.")
            effects.release(claim=desk.claim, failure=changed, next_attempt_at=desk.at, at=desk.at)
    desk.finish()
    # Where the plan does not rest on the new state yet, asking again at once would ask for ever.
    effects.postpone_unless_rebased(
        effect_id=desk.effect.pk, basis_hash=order_fingerprint(lookup.order), until=desk.later(STOPPED_WAIT_S)
    )


def _send(job: Job, desk: Desk, lookup: Lookup) -> Job | None:
    """The last look before money or goods move: nothing is stopped or to be planned, and the claim is still ours."""
    reason = stops.reason_to_stop(effect_id=desk.effect.pk) or stops.news_to_plan(effect_id=desk.effect.pk)
    if not reason and desk.effect.kind in states.VALUE_KINDS:
        reason = stops.refund_limit_reached(effect_id=desk.effect.pk, at=desk.at)
    if reason:
        _give_back(desk, Failure(error_class="stopped", text=reason))
        return None
    return _begin_send(job, desk, lookup)


def _go_on(job: Job, desk: Desk, lookup: Lookup) -> Job | None:
    """Half of it is there, or nobody can tell: go on at its step; while sending is stopped it stays as it is."""
    reason = stops.reason_to_stop(effect_id=desk.effect.pk)
    if reason:
        failure = Failure(error_class="stopped", text=reason)
        _stay_unknown(desk, failure, next_look_at=desk.later(STOPPED_WAIT_S))
        return None
    return _begin_send(job, desk, lookup)


def _begin_send(job: Job, desk: Desk, lookup: Lookup) -> Job | None:
    until = desk.later(lease_s(job.capabilities))
    if not effects.begin_send(claim=desk.claim, lease_until_at=until, at=desk.at):
        effects.note_outcome(
            claim=desk.claim, failure=Failure(error_class="claim_lost", text="Nothing was sent."), at=desk.at
        )
        return None
    desk.runtime.checkpoint("send_begun")
    intent = replace(job.intent, first_attempt_at=job.intent.first_attempt_at or desk.at)
    return replace(job, lookup=lookup, intent=intent, lease_until_at=until, started_at=desk.at)


def _settle_ambiguous(desk: Desk, lookup: Lookup) -> None:
    text = lookup.text or "More than one record there could be this one."
    failure = Failure(error_class="ambiguous", text=text, evidence=lookup.evidence)
    with transaction.atomic():
        next_look_at = desk.later(outcomes.look_wait_s(desk.looks()))
        if effects.settle_unknown(claim=desk.claim, failure=failure, next_look_at=next_look_at, at=desk.at):
            delivery_cases.open_ambiguous(effect=desk.effect, text=text, evidence=lookup.evidence, at=desk.at)
        desk.mark_dirty()
    desk.finish()


def _stay_unknown(desk: Desk, failure: Failure, *, next_look_at: datetime) -> None:
    effects.settle_unknown(claim=desk.claim, failure=failure, next_look_at=next_look_at, at=desk.at)
    desk.runtime.checkpoint("settled")


def _give_back(desk: Desk, failure: Failure) -> None:
    """Ready again, and planned again: what was wanted before the look-up may not be wanted now."""
    with transaction.atomic():
        effects.release(claim=desk.claim, failure=failure, next_attempt_at=desk.at, at=desk.at)
        desk.mark_dirty()
    desk.finish()


# --- after a send ------------------------------------------------------------------------------------------------


def _settle_sent(job: Job, desk: Desk, sent: Sent, *, outcome: str) -> None:
    what: dict[str, Any] = {
        "claim": desk.claim,
        "remote_id": sent.remote_id,
        "remote_url": sent.remote_url,
        "evidence": sent.evidence,
        "sent_hash": job.payload_hash,
        "at": desk.at,
    }
    with transaction.atomic():
        # A good answer whose claim was lost meanwhile is adopted; a second record of one effect is a case.
        is_ours = effects.settle_done(outcome=outcome, **what)
        if is_ours or effects.record_late_success(**what) != "double":
            delivery_cases.close_outcome_cases(effect=desk.effect, at=desk.at)
            delivery_cases.open_stock_concern(effect=desk.effect, text=sent.stock_concern, at=desk.at)
        else:
            delivery_cases.open_double(effect=desk.effect, other_remote_id=sent.remote_id, at=desk.at)
        if not (is_ours and effects.is_shown(effect_id=desk.effect.pk)):
            desk.mark_dirty()
    if is_ours and desk.effect.kind in states.READ_BACK_KINDS:
        desk.runtime.checkpoint("settled")  # it is read back next, and what both showed is planned at once
    else:
        desk.finish()


# --- after an error ----------------------------------------------------------------------------------------------


def _settle_error(desk: Desk, error: VendorError, *, has_sent: bool) -> None:
    failure = outcomes.failure_of(error)
    with transaction.atomic():
        if isinstance(error, AuthFailed):
            delivery_cases.pause_for_auth(connection=desk.effect.connection, text=error.text, at=desk.at)
        if desk.claim.purpose == effects.CONFIRM:
            confirming.settle_error(desk, error, failure)
        elif has_sent and isinstance(error, OutcomeUnknown):
            effects.settle_unknown(claim=desk.claim, failure=failure, next_look_at=desk.later(FIRST_LOOK_S), at=desk.at)
        elif not has_sent and effects.unsettled_since(effect_id=desk.effect.pk) is not None:
            _settle_failed_look(desk, failure, error)
        else:
            _settle_nothing_happened(desk, failure, error)
        # Where the claim was lost meanwhile nothing above took effect; what we learnt is kept with the attempt.
        effects.note_outcome(claim=desk.claim, failure=failure, at=desk.at)
        desk.mark_dirty()
    desk.finish()


def _settle_failed_look(desk: Desk, failure: Failure, error: VendorError) -> None:
    """A write may be out there and the look-up failed: stays unknown, and after some tries a person hears of it."""
    next_look_at = desk.later(outcomes.wait_s(error, looks=desk.looks()))
    effects.settle_unknown(claim=desk.claim, failure=failure, next_look_at=next_look_at, at=desk.at)
    if isinstance(error, Rejected) or desk.looks() >= LOOKS_TO_CASE:
        evidence = failure.evidence or {}
        delivery_cases.open_ambiguous(effect=desk.effect, text=failure.text, evidence=evidence, at=desk.at)


def _settle_nothing_happened(desk: Desk, failure: Failure, error: VendorError) -> None:
    """The vendor did nothing, and nothing of an earlier attempt is open either."""
    if isinstance(error, Rejected):
        _reject(desk, failure)
    elif isinstance(error, AuthFailed | RateLimited):
        again_at = desk.later(outcomes.wait_s(error, looks=desk.looks()))
        effects.release(claim=desk.claim, failure=failure, next_attempt_at=again_at, at=desk.at)
    else:
        state = effects.schedule_retry(claim=desk.claim, failure=failure, at=desk.at, random=desk.runtime.random)
        if state == states.FAILED:
            delivery_cases.open_exhausted(effect=desk.effect, failure=failure, at=desk.at)


def _reject(desk: Desk, failure: Failure) -> None:
    if effects.settle_rejected(claim=desk.claim, failure=failure, at=desk.at):
        delivery_cases.open_rejected(effect=desk.effect, failure=failure, at=desk.at)
