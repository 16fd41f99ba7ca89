"""People's acts on effects: approve, requeue, cancel, adopt (design sections 2 and 5).

Each is atomic, compares and sets, and writes history with who, when and why. Errors are EffectError with a sentence
for the person.
"""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from returnsops import states
from returnsops.models import (
    CreditRequest,
    Effect,
    HistoryEntry,
    Inspection,
    Waiver,
)
from returnsops.planning.plan import APPROVAL_REFUSED

from . import adopting, audit, proposals, wakeups
from .effect_rows import RELEASED, EffectError, check_transition, given_reason, label, locked, supersede

SAID_NOT_DONE: Final = "effect_said_not_done"  # history: a person looked there, and it is not


@transaction.atomic
def approve(*, effect_id: int, by: User, at: datetime, revision: int) -> Effect:
    """Approve the payload a person has seen (``revision``). Raises EffectError for the proposer or a newer payload."""
    effect = locked(effect_id=effect_id)
    _require_state(effect, {states.AWAITING_APPROVAL}, act="approved")
    if effect.payload_revision != revision:
        raise EffectError("It was changed after you opened it; look at the new amounts and approve again.")
    if effect.proposed_by_id is not None and effect.proposed_by_id == by.pk:
        raise EffectError("You proposed it yourself; a second person has to approve it.")
    if _has_waived(effect, by):
        raise EffectError("You released a hold of it yourself; a second person has to approve it.")
    if _has_withdrawn(effect, by):
        raise EffectError("You took this credit back yourself; a second person has to approve it.")
    if _has_judged(effect, by):
        raise EffectError("It follows from your own verdict on the goods; a second person has to approve it.")
    if proposals.is_other_on_its_way(effect):
        raise EffectError(
            "A refund, credit or replacement of this return is being sent right now; approve once its outcome is known."
        )
    effect.approved_by, effect.approved_at, effect.approved_revision = by, at, revision
    _put(effect, states.HELD if effect.holds else states.READY, at=at)
    _note(effect, act="effect_approved", by=by, at=at, text=f"{label(effect)}: approved.")
    _wake(effect)
    return effect


def _has_waived(effect: Effect, by: User) -> bool:
    """Whether this person released a hold of the effect, by itself or on the whole return."""
    waivers = Waiver.objects.filter(rma_id=effect.rma_id, effect_key__in=["", effect.key], by=str(by))
    return effect.rma_id is not None and waivers.exists()


def _has_withdrawn(effect: Effect, by: User) -> bool:
    """Whether this person withdrew a credit of the return that is to be made worthless."""
    withdrawn = CreditRequest.objects.filter(rma_id=effect.rma_id, withdrawn_by=str(by))
    return effect.kind == states.VOID_CREDIT and withdrawn.exists()


def _has_judged(effect: Effect, by: User) -> bool:
    """Whether units leave the stock because this person found them not sellable, or took a verdict back."""
    if effect.kind not in states.STOCK_KINDS or effect.rma_id is None:
        return False
    mine = Inspection.objects.filter(rma_id=effect.rma_id, item_external_id=effect.item_external_id)
    found = mine.filter(inspected_by=str(by), is_superseded=False).exclude(disposition=states.SELLABLE)
    undone = HistoryEntry.objects.filter(rma_id=effect.rma_id, act="inspection_undone", by=str(by))
    return found.exists() or undone.exists()


@transaction.atomic
def reject_approval(*, effect_id: int, by: User, at: datetime, why: str) -> Effect:
    """Refuse an approval: cancelled, with error_code APPROVAL_REFUSED so that the plan does not revive it."""
    effect = locked(effect_id=effect_id)
    _require_state(effect, {states.AWAITING_APPROVAL}, act="refused")
    effect.error_class, effect.error_code, effect.error_text = "person", APPROVAL_REFUSED, given_reason(why)
    _put(effect, states.EFFECT_CANCELLED, at=at)
    _note(effect, act="effect_refused", by=by, at=at, why=why, text=f"{label(effect)}: approval refused.")
    _free_what_waited(effect)
    return effect


@transaction.atomic
def cancel(*, effect_id: int, by: User | str, at: datetime, why: str) -> Effect:
    """Give up an effect that is not under way. What the plan wants comes back with the next plan."""
    effect = locked(effect_id=effect_id)
    _require_state(effect, states.UNSENT | {states.REJECTED, states.FAILED}, act="cancelled")
    _refuse_if_done_before(effect)
    effect.holds = []
    _put(effect, states.EFFECT_CANCELLED, at=at)
    _note(effect, act="effect_cancelled", by=by, at=at, why=given_reason(why), text=f"{label(effect)}: cancelled.")
    _free_what_waited(effect)
    return effect


@transaction.atomic
def requeue(*, effect_id: int, by: User | str, at: datetime, why: str) -> Effect:
    """Try a rejected or failed effect again: it is looked up first, so nothing can happen twice.

    The remote key stays: nothing of it is there. What was tried before does not count against the new tries, else a
    vendor whose gateway may have paid then would stay ambiguous for ever.
    Raises EffectError for money that was acknowledged before: that is never sent again, a new refund is proposed.
    """
    effect = locked(effect_id=effect_id)
    _require_state(effect, {states.REJECTED, states.FAILED}, act="sent again")
    _refuse_if_done_before(effect)
    _begin_anew(effect)
    _put(effect, states.READY, at=at)
    _note(
        effect, act="effect_requeued", by=by, at=at, why=given_reason(why), text=f"{label(effect)}: to be tried again."
    )
    _plan_first(effect)
    _wake(effect)
    return effect


@transaction.atomic
def write_again(*, effect_id: int, by: User | str, at: datetime) -> Effect:
    """Write a note or field once more that is missing on the order. Raises EffectError for any other kind of effect.

    It is looked up first like every effect, so one that is there after all is not written twice.
    """
    effect = locked(effect_id=effect_id)
    if effect.kind not in {states.NOTE, states.MIRROR}:
        raise EffectError("Only notes and status fields are written again.")
    _require_state(effect, {states.DONE, states.REJECTED, states.FAILED}, act="written again")
    _begin_anew(effect)
    effect.sent_hash = ""
    _put(effect, states.READY, at=at)
    _note(effect, act="effect_requeued", by=by, at=at, text=f"{label(effect)}: to be written on the order again.")
    _wake(effect)
    return effect


@transaction.atomic
def say_not_done(*, effect_id: int, settle_s: float, by: User, at: datetime, why: str) -> Effect:
    """A person looked in the other system: it did not happen, so send it again, under a new remote key.

    Money needs two people who say so after the last attempt; the first only leaves word, and the effect stays
    ``unknown``. Raises EffectError within ``settle_s`` of the last attempt, which may still be carried out.
    """
    effect = locked(effect_id=effect_id)
    _require_state(effect, {states.UNKNOWN}, act="sent again")
    began_at = effect.last_attempt_at
    if began_at is not None and at < began_at + timedelta(seconds=settle_s):
        raise EffectError("What was sent may still be carried out; look again some minutes later.")
    is_money = effect.kind in states.VALUE_KINDS
    is_second = not is_money or _other_said(effect, by=by)
    word = "it did not happen, to be sent again" if is_second else "it did not happen, says one person"
    _note(effect, act=SAID_NOT_DONE, by=by, at=at, why=given_reason(why), text=f"{label(effect)}: {word}.")
    if is_second:
        supersede(effect.pk, at=at)
        effect.generation += 1
        _begin_anew(effect)
        _put(effect, states.READY, at=at)
        _plan_first(effect)
        _wake(effect)
    return effect


@transaction.atomic
def look_again(*, effect_id: int, by: User | str, at: datetime) -> Effect:
    """Ask the remote system now instead of at the next interval. Sends nothing by itself."""
    effect = locked(effect_id=effect_id)
    _require_state(effect, {states.UNKNOWN, states.DONE}, act="looked up again")
    if effect.state == states.UNKNOWN:
        effect.next_attempt_at = at
    else:
        effect.confirm_after_at = at
    effect.save(update_fields=["next_attempt_at", "confirm_after_at"])
    _note(effect, act="effect_look_again", by=by, at=at, text=f"{label(effect)}: to be looked up now.")
    _wake(effect)
    return effect


@transaction.atomic
def adopt(*, effect_id: int, remote_id: str, by: User | str, at: datetime, why: str) -> Effect:
    """A person says which remote record is this effect: ``done``, and verified by the next read-back.

    Whoever has it claimed loses the claim and sends nothing more. Where no read-back sees the record, another one may
    be named. Raises EffectError where the record is known to be something else.
    """
    effect = locked(effect_id=effect_id)
    _require_state(effect, adopting.sources(effect), act="adopted")
    remote_id = remote_id.strip()
    adopting.check_record(effect, remote_id=remote_id)
    adopting.let_go(effect)
    effect.remote_id, effect.done_at, effect.holds = remote_id, at, []
    effect.error_class = effect.error_code = effect.error_text = ""
    effect.confirm_after_at = at if effect.kind in states.READ_BACK_KINDS else None
    effect.confirm_tries = 0
    _put(effect, states.DONE, at=at)
    adopting.take(effect)
    text = f"{label(effect)}: record {remote_id} adopted."
    _note(effect, act="effect_adopted", by=by, at=at, why=given_reason(why), text=text)
    _wake(effect)
    return effect


@transaction.atomic
def fail_after_done(*, effect_id: int, by: User | str, at: datetime, text: str) -> Effect:
    """An acknowledged effect turned out not to have worked (a gateway that fails later). Never sent again by itself."""
    effect = locked(effect_id=effect_id)
    _require_state(effect, {states.DONE, states.CONFIRMED}, act="marked as failed")
    effect.error_class, effect.error_code, effect.error_text = "failed_later", "", text[:500]
    _put(effect, states.FAILED, at=at)
    _note(effect, act="effect_failed", by=by, at=at, text=f"{label(effect)}: {text}")
    return effect


def _begin_anew(effect: Effect) -> None:
    """No try and no error counts any more; what a look-up takes for ours begins with the next attempt."""
    effect.attempt_count = 0
    effect.first_attempt_at = None
    effect.error_class = effect.error_code = effect.error_text = ""


def _other_said(effect: Effect, *, by: User) -> bool:
    """Whether somebody else has said since the last attempt that it did not happen."""
    said = HistoryEntry.objects.filter(act=SAID_NOT_DONE, subject_type="effect", subject_id=str(effect.pk))
    if effect.last_attempt_at is not None:
        said = said.filter(at__gte=effect.last_attempt_at)
    return said.exclude(by=by.get_username()).exists()


def _require_state(effect: Effect, allowed: set[str] | frozenset[str], *, act: str) -> None:
    if effect.state not in allowed:
        shown = effect.get_state_display()
        raise EffectError(f"It is {shown} now and cannot be {act}; reload the page to see what happened.")


def _refuse_if_done_before(effect: Effect) -> None:
    if effect.done_at is not None and effect.kind in states.VALUE_KINDS:
        raise EffectError(
            "This was acknowledged before, so it is never sent again; propose a new refund, or have a credit granted."
        )


def _put(effect: Effect, target: str, *, at: datetime) -> None:
    """Write the whole locked row in its new state."""
    check_transition(source=effect.state, target=target)
    effect.state = target
    effect.next_attempt_at = at
    for name, value in RELEASED.items():
        setattr(effect, name, value)
    effect.save()


def _free_what_waited(effect: Effect) -> None:
    """What a person proposed reserved money, and its return's own refund waited for it."""
    if effect.origin == states.ORIGIN_PERSON:
        _plan_first(effect)
        wakeups.wake_planner()


def _plan_first(effect: Effect) -> None:
    """Money of this order leaves no more before it is planned again: people may have proposed other money for it."""
    if effect.kind in states.MONEY_KINDS and effect.order is not None:
        effect.order.returns.update(is_dirty=True)
        effect.refresh_from_db(fields=["rma"])


def _wake(effect: Effect) -> None:
    """Send it soon: by a plan first where one is still to come, else nothing of its return leaves."""
    if effect.rma is not None and effect.rma.is_dirty:
        wakeups.wake_planner()
    wakeups.wake_pump(effect.connection_id)


def _note(effect: Effect, *, act: str, by: User | str, at: datetime, text: str, why: str = "") -> None:
    name = by if isinstance(by, str) else by.get_username()
    audit.record(act=act, by=name, at=at, subject=effect, rma=effect.rma, text=text, why=why)
