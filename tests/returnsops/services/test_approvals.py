"""People's decisions on effects: who may, when, and what follows."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from returnsops import states
from returnsops.facts import RemoteRefund
from returnsops.models import Effect, HistoryEntry, Refund, Waiver
from returnsops.planning.keys import content_hash
from returnsops.planning.model import PlannedEffect
from returnsops.planning.plan import APPROVAL_REFUSED
from returnsops.services import approvals, orders, proposals, replan
from returnsops.services.effect_rows import EffectError
from tests.factories import (
    NOW,
    AttemptFactory,
    EffectFactory,
    HistoryEntryFactory,
    InspectionFactory,
    RefundFactory,
    ReturnFactory,
    ReturnLineFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
SETTLE_S = 60


def state_of(effect: Effect) -> str:
    effect.refresh_from_db()
    return effect.state


def proposed(**fields: Any) -> Effect:
    effect: Effect = EffectFactory(
        state=states.AWAITING_APPROVAL, origin=states.ORIGIN_PERSON, proposed_by=UserFactory(), **fields
    )
    return effect


def unknown(**fields: Any) -> Effect:
    effect: Effect = EffectFactory(
        state=states.UNKNOWN, first_attempt_at=NOW, last_attempt_at=NOW, error_class="ambiguous", **fields
    )
    AttemptFactory(effect=effect, has_sent=True, outcome="unknown", ended_at=NOW)
    return effect


# --- approving ---------------------------------------------------------------------------------------------------


def test_who_released_a_hold_never_approves_what_it_held() -> None:
    effect = EffectFactory(state=states.AWAITING_APPROVAL)
    one, other = UserFactory(), UserFactory()
    Waiver.objects.create(rma=effect.rma, hold_code="amount_mismatch", by=str(one), at=NOW, why="seen the invoice")
    with pytest.raises(EffectError, match="a second person has to approve it"):
        approvals.approve(effect_id=effect.pk, by=one, at=NOW, revision=1)
    effect.refresh_from_db()
    assert (effect.state, effect.approved_by) == (states.AWAITING_APPROVAL, None)
    approvals.approve(effect_id=effect.pk, by=other, at=NOW, revision=1)


def test_the_proposer_never_approves() -> None:
    effect = proposed()
    assert effect.proposed_by is not None
    with pytest.raises(EffectError, match="a second person"):
        approvals.approve(effect_id=effect.pk, by=effect.proposed_by, at=NOW, revision=1)
    assert state_of(effect) == states.AWAITING_APPROVAL


def test_a_newer_payload_is_not_approved_by_an_older_look() -> None:
    effect = proposed(payload_revision=2)
    with pytest.raises(EffectError, match="changed after you opened it"):
        approvals.approve(effect_id=effect.pk, by=UserFactory(), at=NOW, revision=1)


@pytest.mark.parametrize(("holds", "state"), [([], states.READY), ([{"code": "risk"}], states.HELD)])
def test_approved_goes_where_its_holds_let_it(holds: list[Any], state: str) -> None:
    effect = proposed(holds=holds)
    approvals.approve(effect_id=effect.pk, by=UserFactory(), at=NOW, revision=1)
    assert (state_of(effect), effect.is_approved) == (state, True)


@pytest.mark.parametrize("how", ["found it damaged", "took the verdict back"])
def test_units_leave_the_stock_only_by_a_second_persons_word(how: str) -> None:
    line = ReturnLineFactory(external_id="i1")
    judge, other = UserFactory(), UserFactory()
    wanted = {"rma": line.rma, "kind": states.TAKE_OUT, "item_external_id": "i1", "payload": {}}
    effect = EffectFactory(state=states.AWAITING_APPROVAL, amount=None, currency="", quantity=1, **wanted)
    if how == "found it damaged":
        found = {"rma": line.rma, "line": line, "item_external_id": "i1", "disposition": "damaged"}
        InspectionFactory(source="warehouse", inspected_by=str(judge), **found)
    else:
        HistoryEntryFactory(rma=line.rma, act="inspection_undone", by=str(judge))
    with pytest.raises(EffectError, match="follows from your own verdict"):
        approvals.approve(effect_id=effect.pk, by=judge, at=NOW, revision=1)
    assert state_of(effect) == states.AWAITING_APPROVAL
    approvals.approve(effect_id=effect.pk, by=other, at=NOW, revision=1)
    assert state_of(effect) == states.READY


ACTS: dict[str, Callable[[int, User], Any]] = {
    "approve": lambda pk, by: approvals.approve(effect_id=pk, by=by, at=NOW, revision=1),
    "reject_approval": lambda pk, by: approvals.reject_approval(effect_id=pk, by=by, at=NOW, why="no"),
    "cancel": lambda pk, by: approvals.cancel(effect_id=pk, by=by, at=NOW, why="no"),
    "requeue": lambda pk, by: approvals.requeue(effect_id=pk, by=by, at=NOW, why="again"),
    "look_again": lambda pk, by: approvals.look_again(effect_id=pk, by=by, at=NOW),
    "adopt": lambda pk, by: approvals.adopt(effect_id=pk, remote_id="9", by=by, at=NOW, why="found"),
    "fail_after_done": lambda pk, by: approvals.fail_after_done(effect_id=pk, by=by, at=NOW, text="bounced"),
    "say_not_done": lambda pk, by: approvals.say_not_done(
        effect_id=pk, settle_s=SETTLE_S, by=by, at=NOW, why="not there"
    ),
}
ALLOWED = {
    "approve": {states.AWAITING_APPROVAL},
    "reject_approval": {states.AWAITING_APPROVAL},
    "cancel": states.UNSENT | {states.REJECTED, states.FAILED},
    "requeue": {states.REJECTED, states.FAILED},
    "look_again": {states.UNKNOWN, states.DONE},
    "adopt": states.UNSENT | {states.UNKNOWN, states.REJECTED, states.FAILED},
    "fail_after_done": {states.DONE, states.CONFIRMED},
    "say_not_done": {states.UNKNOWN},
}


@pytest.mark.parametrize("state", states.EFFECT_STATES)
@pytest.mark.parametrize("act", sorted(ACTS))
def test_each_act_is_possible_in_its_states_only(act: str, state: str) -> None:
    claim = {"claim_token": "t", "lease_until_at": NOW} if state == states.SENDING else {}
    effect = EffectFactory(state=state, **claim)
    before = HistoryEntry.objects.count()
    if state in ALLOWED[act]:
        ACTS[act](effect.pk, UserFactory())
        assert HistoryEntry.objects.count() == before + 1
        return
    with pytest.raises(EffectError, match="reload the page"):
        ACTS[act](effect.pk, UserFactory())
    assert (state_of(effect), HistoryEntry.objects.count()) == (state, before)


# --- refusing ----------------------------------------------------------------------------------------------------


def test_a_refusal_stands_until_something_else_is_asked_for() -> None:
    effect = EffectFactory(state=states.AWAITING_APPROVAL)
    approvals.reject_approval(effect_id=effect.pk, by=UserFactory(), at=NOW, why="the parcel is empty")
    effect.refresh_from_db()
    assert (effect.error_code, effect.error_text) == (APPROVAL_REFUSED, "the parcel is empty")

    def merge(payload: dict[str, Any]) -> None:
        wanted = PlannedEffect(
            kind=effect.kind,
            key=effect.key,
            payload=payload,
            target="commerce",
            serial_key=effect.serial_key,
            amount=effect.amount,
            currency=effect.currency,
            needs_approval=True,
        )
        replan._merge(effect.rma, (wanted,), at=NOW)

    Effect.objects.filter(pk=effect.pk).update(payload_hash=content_hash(effect.payload))
    merge(effect.payload)
    assert (state_of(effect), effect.error_text) == (states.EFFECT_CANCELLED, "the parcel is empty")
    merge({**effect.payload, "reason": "corrected"})
    assert (state_of(effect), effect.error_code, effect.error_text) == (states.AWAITING_APPROVAL, "", "")


# --- sending again -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [states.REJECTED, states.FAILED])
def test_requeued_keeps_its_key_and_begins_anew(state: str) -> None:
    effect = EffectFactory(state=state, attempt_count=12, first_attempt_at=NOW, error_class="retryable")
    approvals.requeue(effect_id=effect.pk, by=UserFactory(), at=NOW, why="the shop is repaired")
    assert (state_of(effect), effect.attempt_count, effect.first_attempt_at) == (states.READY, 0, None)
    assert (effect.generation, effect.error_class) == (1, "")


@pytest.mark.parametrize("kind", [states.NOTE, states.MIRROR])
@pytest.mark.parametrize("state", [states.DONE, states.FAILED])
def test_a_lost_note_or_field_is_written_again_under_its_key(kind: str, state: str) -> None:
    effect = EffectFactory(kind=kind, state=state, sent_hash="x", attempt_count=3)
    approvals.write_again(effect_id=effect.pk, by=UserFactory(), at=NOW)
    assert (state_of(effect), effect.sent_hash, effect.generation, effect.attempt_count) == (states.READY, "", 1, 0)
    assert HistoryEntry.objects.get(act="effect_requeued").subject_id == str(effect.pk)


def test_only_notes_and_fields_are_written_again() -> None:
    effect = EffectFactory(state=states.DONE)
    with pytest.raises(EffectError, match="Only notes"):
        approvals.write_again(effect_id=effect.pk, by=UserFactory(), at=NOW)
    assert state_of(effect) == states.DONE


def test_money_that_was_acknowledged_is_never_sent_again() -> None:
    effect = EffectFactory(state=states.FAILED, done_at=NOW)
    with pytest.raises(EffectError, match="never sent again"):
        approvals.requeue(effect_id=effect.pk, by=UserFactory(), at=NOW, why="again")


@pytest.mark.parametrize("kind", sorted(states.VALUE_KINDS))
def test_money_that_was_acknowledged_is_not_given_up(kind: str) -> None:
    """Cancelled, the plan would want it anew, and what was paid once would be paid again."""
    effect = EffectFactory(state=states.FAILED, done_at=NOW, kind=kind)
    entries = HistoryEntry.objects.count()
    with pytest.raises(EffectError, match="acknowledged before"):
        approvals.cancel(effect_id=effect.pk, by=UserFactory(), at=NOW, why="try anew")
    assert (state_of(effect), HistoryEntry.objects.count()) == (states.FAILED, entries)


def test_not_done_needs_two_people_for_money_and_a_new_key() -> None:
    effect, later = unknown(), NOW + timedelta(seconds=SETTLE_S)
    first, second = UserFactory(), UserFactory()
    for by in (first, first):
        approvals.say_not_done(effect_id=effect.pk, settle_s=SETTLE_S, by=by, at=later, why="looked")
        assert state_of(effect) == states.UNKNOWN
    approvals.say_not_done(effect_id=effect.pk, settle_s=SETTLE_S, by=second, at=later, why="looked too")
    assert (state_of(effect), effect.generation, effect.first_attempt_at) == (states.READY, 2, None)
    assert effect.attempts.get().outcome == "superseded"


def test_what_may_still_be_carried_out_is_not_decided_yet() -> None:
    effect = unknown()
    with pytest.raises(EffectError, match="may still be carried out"):
        approvals.say_not_done(effect_id=effect.pk, settle_s=SETTLE_S, by=UserFactory(), at=NOW, why="looked")


def test_a_word_before_the_last_attempt_does_not_count() -> None:
    effect, later = unknown(), NOW + timedelta(hours=1)
    approvals.say_not_done(effect_id=effect.pk, settle_s=SETTLE_S, by=UserFactory(), at=later, why="looked")
    Effect.objects.filter(pk=effect.pk).update(last_attempt_at=later + timedelta(hours=1))
    after = later + timedelta(hours=2)
    approvals.say_not_done(effect_id=effect.pk, settle_s=SETTLE_S, by=UserFactory(), at=after, why="looked")
    assert state_of(effect) == states.UNKNOWN


def test_one_person_suffices_where_no_money_moves() -> None:
    effect, later = unknown(restock=True), NOW + timedelta(hours=1)
    approvals.say_not_done(effect_id=effect.pk, settle_s=SETTLE_S, by=UserFactory(), at=later, why="counted")
    assert (state_of(effect), effect.generation) == (states.READY, 2)


# --- adopting ----------------------------------------------------------------------------------------------------


def test_an_adopted_record_is_ours_without_our_key() -> None:
    effect = EffectFactory(state=states.UNKNOWN)
    row = RefundFactory(order=effect.order, external_id="901", key="", origin=Refund.EXTERNAL, amount=effect.amount)
    left = proposals.remaining_of(effect.order)
    approvals.adopt(effect_id=effect.pk, remote_id="901", by="fin", at=NOW, why="made by hand")
    row.refresh_from_db()
    assert (row.origin, row.key) == (Refund.OURS, effect.key)
    assert proposals.remaining_of(effect.order) == left + effect.amount
    seen = RemoteRefund(refund_id="901", amount=effect.amount, currency="GBP", created_at=NOW)
    fields = orders._refund_fields(seen, order=effect.order)
    assert (fields["origin"], fields["key"]) == (Refund.OURS, effect.key)
    other = RemoteRefund(refund_id="902", amount=Decimal("1.00"), currency="GBP", created_at=NOW)
    assert orders._refund_fields(other, order=effect.order)["origin"] == Refund.EXTERNAL


def test_one_record_is_not_two_effects() -> None:
    rma = ReturnFactory()
    first = EffectFactory(rma=rma, order=rma.order, state=states.DONE, remote_id="901")
    second = EffectFactory(rma=rma, order=rma.order, connection=first.connection, state=states.FAILED)
    with pytest.raises(EffectError, match="already belongs to another effect"):
        approvals.adopt(effect_id=second.pk, remote_id="901", by="fin", at=NOW, why="found")
    with pytest.raises(EffectError, match="Give the id"):
        approvals.adopt(effect_id=second.pk, remote_id=" ", by="fin", at=NOW, why="found")


def test_a_record_that_carries_another_effects_key_is_refused() -> None:
    effect = EffectFactory(state=states.FAILED)
    RefundFactory(order=effect.order, external_id="901", key="refund:another#2", origin=Refund.OURS)
    RefundFactory(order=effect.order, external_id="902", key=f"{effect.key}#2", origin=Refund.OURS)
    with pytest.raises(EffectError, match="already belongs to another effect of this order"):
        approvals.adopt(effect_id=effect.pk, remote_id="901", by="fin", at=NOW, why="found")
    assert state_of(effect) == states.FAILED
    approvals.adopt(effect_id=effect.pk, remote_id="902", by="fin", at=NOW, why="found")
    assert state_of(effect) == states.DONE
