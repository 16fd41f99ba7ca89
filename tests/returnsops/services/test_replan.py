"""The plan merged into the effects: what is made, renewed, revived, given up, and what is never touched."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from exceptions_queue.models import CaseState, ExceptionCase
from returnsops import states
from returnsops.models import Effect, HistoryEntry, ReturnAuthorisation
from returnsops.planning.keys import business_key, content_hash
from returnsops.planning.model import Hold, Plan, PlannedCase, PlannedEffect
from returnsops.planning.plan import APPROVAL_REFUSED
from returnsops.planning.view import ReturnView
from returnsops.services import replan
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=10)
WAITS = Hold(code="not_received", text="The goods are not here yet")

Planned = Callable[..., Plan]


@pytest.fixture
def rma() -> ReturnAuthorisation:
    """A return on a live route with an order."""
    row: ReturnAuthorisation = make.ReturnFactory(number="RMA-1", is_dirty=True)
    return row


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch, rma: ReturnAuthorisation) -> Planned:
    """Plan the return again as if the rules wanted exactly these effects and cases."""

    def run(*effects: PlannedEffect, cases: tuple[PlannedCase, ...] = (), at: datetime = NOW) -> Plan:
        monkeypatch.setattr(replan, "plan", lambda view, policy, now: Plan(effects=effects, cases=cases))
        return replan.replan(rma_id=rma.pk, at=at)

    return run


def refund(rma: ReturnAuthorisation, amount: str = "30.00", **more: Any) -> PlannedEffect:
    fields: dict[str, Any] = {
        "kind": states.REFUND,
        "key": business_key(states.REFUND, rma.ref, "payout_1"),
        "target": "commerce",
        "payload": {"amount": amount, "currency": "GBP", "executed_by": "commerce_platform", "lines": []},
        "serial_key": f"order:{rma.order_external_id}",
        "amount": Decimal(amount),
        "currency": "GBP",
    }
    return PlannedEffect(**(fields | more))


def mirror(rma: ReturnAuthorisation, value: str, **more: Any) -> PlannedEffect:
    key = business_key(states.MIRROR, rma.ref, "status")
    return PlannedEffect(
        kind=states.MIRROR, key=key, target="commerce", payload={"field": "status", "value": value}, **more
    )


def only_effect() -> Effect:
    return Effect.objects.get()


def history() -> list[tuple[str, str]]:
    return list(HistoryEntry.objects.order_by("pk").values_list("act", "text"))


def stored(rma: ReturnAuthorisation, state: str, **more: Any) -> Effect:
    """The effect of ``refund(rma)`` as it would stand in a state."""
    wanted = refund(rma)
    fields: dict[str, Any] = {
        "key": wanted.key,
        "payload": dict(wanted.payload),
        "payload_hash": content_hash(dict(wanted.payload)),
    }
    effect: Effect = make.EffectFactory(rma=rma, state=state, **(fields | more))
    return effect


# --- made ------------------------------------------------------------------------------------------------------------


def test_a_wanted_effect_is_made_with_all_it_rests_on(rma: ReturnAuthorisation, planned: Planned) -> None:
    planned(refund(rma, deadline_at=LATER, item_id="i1"))
    effect = only_effect()
    assert rma.order is not None
    assert rma.route is not None
    assert (effect.state, effect.origin, effect.lane) == (states.READY, states.ORIGIN_PLAN, states.LANES[states.REFUND])
    assert (effect.rma, effect.order, effect.route) == (rma, rma.order, rma.route)
    assert (effect.connection, effect.policy) == (rma.route.commerce, rma.policy)
    assert (effect.amount, effect.currency, effect.item_external_id) == (Decimal("30.00"), "GBP", "i1")
    assert (effect.payload_revision, effect.generation, effect.remote_key) == (1, 1, effect.key)
    assert (effect.basis_hash, effect.deadline_at) == (rma.order.fingerprint, LATER)
    assert (effect.planned_at, effect.next_attempt_at) == (NOW, NOW)
    rma.refresh_from_db()
    assert (rma.is_dirty, rma.planned_at, rma.next_look_at) == (False, NOW, None)
    entry = HistoryEntry.objects.get()
    assert (entry.act, entry.by, entry.at, entry.rma) == ("effect_planned", "system", NOW, rma)
    assert entry.text == "Planned: refund of £30.00."
    assert entry.detail == {"key": effect.key, "state": "ready", "revision": 1}


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, states.READY),
        ({"holds": (WAITS,)}, states.HELD),
        ({"needs_approval": True}, states.AWAITING_APPROVAL),
        ({"needs_approval": True, "holds": (WAITS,)}, states.HELD),
    ],
)
def test_what_holds_an_effect_decides_its_state(
    rma: ReturnAuthorisation, planned: Planned, more: dict[str, Any], state: str
) -> None:
    planned(refund(rma, **more))
    effect = only_effect()
    assert effect.state == state
    assert effect.holds == ([WAITS.as_json()] if "holds" in more else [])


def test_the_same_plan_again_changes_nothing(rma: ReturnAuthorisation, planned: Planned) -> None:
    planned(refund(rma))
    before = Effect.objects.values().get()
    planned(refund(rma), at=LATER)
    assert Effect.objects.values().get() == before
    assert len(history()) == 1


def test_an_effect_for_the_platform_goes_there(rma: ReturnAuthorisation, planned: Planned) -> None:
    planned(replace(mirror(rma, "received"), target="platform"))
    assert only_effect().connection == rma.connection


def test_an_effect_for_a_system_the_route_lacks_is_an_error_and_leaves_nothing(
    rma: ReturnAuthorisation, planned: Planned
) -> None:
    with pytest.raises(LookupError, match="has no erp connection"):
        planned(replace(refund(rma), target="erp"))
    rma.refresh_from_db()
    assert (Effect.objects.count(), history(), rma.is_dirty) == (0, [], True)


# --- renewed before it left ----------------------------------------------------------------------------------------


def test_a_hold_that_falls_makes_the_effect_ready_and_says_so(rma: ReturnAuthorisation, planned: Planned) -> None:
    planned(refund(rma, holds=(WAITS,)))
    planned(refund(rma), at=LATER)
    effect = only_effect()
    assert (effect.state, effect.holds, effect.payload_revision) == (states.READY, [], 1)
    assert history()[-1] == ("effect_replanned", "refund of £30.00: ready.")
    planned(refund(rma, holds=(WAITS,)), at=LATER)
    assert history()[-1] == ("effect_replanned", "refund of £30.00: held (The goods are not here yet).")


@pytest.mark.parametrize("state", sorted(states.UNSENT))
def test_other_content_is_a_new_revision_and_voids_the_approval(
    rma: ReturnAuthorisation, planned: Planned, state: str
) -> None:
    stored(rma, state, approved_by=make.UserFactory(), approved_at=NOW, approved_revision=1)
    planned(refund(rma, "25.00", needs_approval=True), at=LATER)
    effect = only_effect()
    assert (effect.amount, effect.payload["amount"], effect.payload_revision) == (Decimal("25.00"), "25.00", 2)
    assert (effect.approved_by, effect.approved_at, effect.approved_revision) == (None, None, None)
    assert (effect.state, effect.is_approved, effect.generation) == (states.AWAITING_APPROVAL, False, 1)


def test_an_approval_stands_while_the_content_stays(rma: ReturnAuthorisation, planned: Planned) -> None:
    fiona = make.UserFactory()
    stored(rma, states.READY, approved_by=fiona, approved_at=NOW, approved_revision=1)
    planned(refund(rma, needs_approval=True), at=LATER)
    effect = only_effect()
    assert (effect.state, effect.approved_by, effect.is_approved) == (states.READY, fiona, True)


def test_a_pause_before_the_next_try_survives_a_new_plan(rma: ReturnAuthorisation, planned: Planned) -> None:
    stored(rma, states.READY, next_attempt_at=LATER, attempt_count=2, error_class="retryable", error_text="Busy.")
    planned(refund(rma), at=NOW)
    effect = only_effect()
    assert (effect.next_attempt_at, effect.attempt_count, effect.error_text) == (LATER, 2, "Busy.")


# --- given up and revived --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [*sorted(states.UNSENT), states.REJECTED])
def test_what_is_no_longer_wanted_and_never_left_is_cancelled(
    rma: ReturnAuthorisation, planned: Planned, state: str
) -> None:
    stored(rma, state, holds=[WAITS.as_json()])
    planned()
    effect = only_effect()
    assert (effect.state, effect.holds) == (states.EFFECT_CANCELLED, [])
    assert history() == [("effect_cancelled", "No longer wanted: refund of £30.00.")]


@pytest.mark.parametrize("state", sorted(set(states.EFFECT_STATES) - states.UNSENT - {states.REJECTED}))
def test_what_may_have_left_is_never_cancelled_by_a_plan(
    rma: ReturnAuthorisation, planned: Planned, state: str
) -> None:
    effect = stored(rma, state)
    before = Effect.objects.values().get()
    planned()
    assert Effect.objects.values().get(pk=effect.pk) == before
    assert history() == []


@pytest.mark.parametrize("state", [states.SENDING, states.UNKNOWN, states.DONE, states.CONFIRMED, states.FAILED])
def test_what_may_have_left_is_never_rewritten_by_a_plan(
    rma: ReturnAuthorisation, planned: Planned, state: str
) -> None:
    effect = stored(rma, state)
    before = Effect.objects.values().get()
    planned(refund(rma, "25.00", holds=(WAITS,)))
    assert Effect.objects.values().get(pk=effect.pk) == before
    assert history() == []


@pytest.mark.parametrize(("holds", "state"), [((), states.READY), ((WAITS,), states.HELD)])
def test_a_cancelled_effect_revives_under_its_own_key(
    rma: ReturnAuthorisation, planned: Planned, holds: tuple[Hold, ...], state: str
) -> None:
    planned(refund(rma, holds=(WAITS,)))
    planned(at=LATER)
    Effect.objects.update(error_class="business", error_code="x", error_text="Refused.", next_attempt_at=NOW)
    planned(refund(rma, holds=holds), at=LATER)
    effect = only_effect()
    assert (effect.state, effect.generation, effect.next_attempt_at) == (state, 1, LATER)
    assert (effect.error_class, effect.error_code, effect.error_text) == ("", "", "")
    assert history()[-1][0] == "effect_replanned"


def test_a_refused_payload_is_not_asked_about_again_but_another_one_is(
    rma: ReturnAuthorisation, planned: Planned
) -> None:
    stored(rma, states.EFFECT_CANCELLED, error_class="person", error_code=APPROVAL_REFUSED, error_text="Not this.")
    planned(refund(rma, needs_approval=True))
    effect = only_effect()
    assert (effect.state, effect.error_code, history()) == (states.EFFECT_CANCELLED, APPROVAL_REFUSED, [])
    planned(refund(rma, "20.00", needs_approval=True), at=LATER)
    effect = only_effect()
    assert (effect.state, effect.error_code, effect.amount) == (states.AWAITING_APPROVAL, "", Decimal("20.00"))


# --- rejected by the shop ---------------------------------------------------------------------------------------------


def test_a_rejected_effect_is_left_alone_while_the_plan_wants_the_same(
    rma: ReturnAuthorisation, planned: Planned
) -> None:
    stored(rma, states.REJECTED, error_class="rejected", error_text="Too much.", attempt_count=1)
    planned(refund(rma), at=LATER)
    effect = only_effect()
    assert (effect.state, effect.generation, effect.error_text) == (states.REJECTED, 1, "Too much.")
    assert history() == []


def test_a_rejected_effect_with_a_corrected_payload_starts_anew_under_a_new_remote_key(
    rma: ReturnAuthorisation, planned: Planned
) -> None:
    rejected = stored(
        rma,
        states.REJECTED,
        error_class="rejected",
        error_code="invalid",
        error_text="Too much.",
        attempt_count=3,
        first_attempt_at=NOW,
        last_attempt_at=NOW,
    )
    planned(refund(rma, "25.00"), at=LATER)
    effect = only_effect()
    assert (effect.pk, effect.key, effect.remote_key) == (rejected.pk, rejected.key, f"{rejected.key}#2")
    assert (effect.state, effect.generation, effect.payload_revision) == (states.READY, 2, 2)
    assert (effect.attempt_count, effect.first_attempt_at, effect.last_attempt_at) == (0, None, None)
    assert (effect.error_class, effect.error_code, effect.error_text) == ("", "", "")
    assert effect.next_attempt_at == LATER
    assert history() == [("effect_replanned", "refund of £25.00: ready.")]


# --- mirrors ----------------------------------------------------------------------------------------------------------


def sent_mirror(rma: ReturnAuthorisation, planned: Planned, state: str) -> Effect:
    planned(mirror(rma, "in transit"))
    effect = only_effect()
    Effect.objects.update(state=state, sent_hash=effect.payload_hash, attempt_count=2, done_at=NOW)
    return only_effect()


@pytest.mark.parametrize("state", [states.DONE, states.CONFIRMED])
def test_a_mirror_goes_out_again_when_its_content_differs(
    rma: ReturnAuthorisation, planned: Planned, state: str
) -> None:
    sent = sent_mirror(rma, planned, state)
    planned(mirror(rma, "received"), at=LATER)
    effect = only_effect()
    assert (effect.state, effect.payload["value"], effect.payload_revision) == (states.READY, "received", 2)
    assert (effect.attempt_count, effect.next_attempt_at) == (0, LATER)
    assert (effect.generation, effect.sent_hash) == (1, sent.sent_hash)


@pytest.mark.parametrize("state", [states.DONE, states.CONFIRMED])
def test_a_mirror_whose_content_was_sent_rests(rma: ReturnAuthorisation, planned: Planned, state: str) -> None:
    sent_mirror(rma, planned, state)
    before = Effect.objects.values().get()
    planned(mirror(rma, "in transit"), at=LATER)
    assert Effect.objects.values().get() == before


def test_what_is_wanted_while_a_mirror_is_on_its_way_is_kept_for_after_it(
    rma: ReturnAuthorisation, planned: Planned
) -> None:
    on_its_way = sent_mirror(rma, planned, states.UNKNOWN)
    planned(mirror(rma, "received"), at=LATER)
    effect = only_effect()
    assert (effect.state, effect.payload["value"]) == (states.UNKNOWN, "received")
    assert effect.payload_hash != on_its_way.payload_hash  # so it is ready again once the first one has arrived


def test_a_held_mirror_keeps_what_it_last_did(rma: ReturnAuthorisation, planned: Planned) -> None:
    sent_mirror(rma, planned, states.CONFIRMED)
    planned(mirror(rma, "received", holds=(WAITS,)), at=LATER)
    effect = only_effect()
    assert (effect.state, effect.payload["value"], effect.holds) == (states.DONE, "received", [WAITS.as_json()])


def test_a_mirror_writes_no_history_of_its_own(rma: ReturnAuthorisation, planned: Planned) -> None:
    sent_mirror(rma, planned, states.DONE)
    planned(mirror(rma, "received"), at=LATER)
    planned(at=LATER)
    assert history() == []


# --- effects of people ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [states.ORIGIN_PERSON, states.ORIGIN_RECONCILIATION])
@pytest.mark.parametrize("state", [states.READY, states.HELD, states.AWAITING_APPROVAL, states.REJECTED])
def test_what_a_person_proposed_is_nothing_to_the_plan(
    rma: ReturnAuthorisation, planned: Planned, origin: str, state: str
) -> None:
    stored(rma, state, origin=origin)
    before = Effect.objects.values().get()
    planned()
    planned(refund(rma, "25.00", holds=(WAITS,)))
    assert Effect.objects.values().get() == before
    assert history() == []


# --- cases and routes -------------------------------------------------------------------------------------------------


def test_a_case_opens_with_the_plan_and_closes_when_it_is_no_longer_named(
    rma: ReturnAuthorisation, planned: Planned
) -> None:
    fingerprint = f"{states.CASE_REASON_UNMAPPED}:{rma.ref}:i1"
    wanted = PlannedCase(kind=states.CASE_REASON_UNMAPPED, fingerprint=fingerprint, cause="SIZE is not mapped.")
    planned(cases=(wanted,))
    case = ExceptionCase.objects.get()
    assert (case.state, case.fingerprint, case.subject_id) == (CaseState.OPEN, fingerprint, str(rma.pk))
    planned(at=LATER)
    case.refresh_from_db()
    assert case.state == CaseState.AUTO_RESOLVED


@pytest.mark.parametrize("missing", ["route", "policy"])
def test_a_return_without_a_route_or_policy_is_a_case_that_closes_by_itself(missing: str) -> None:
    complete = make.ReturnFactory(channel="uk", order=None)
    route, policy = complete.route, complete.policy
    effect = make.EffectFactory(rma=complete, state=states.READY, connection=route.commerce)
    setattr(complete, missing, None)
    complete.save()
    plan = replan.replan(rma_id=complete.pk, at=NOW)
    assert plan.effects == ()
    case = ExceptionCase.objects.get()
    assert (case.kind_code, case.state) == (states.CASE_NO_ROUTE, CaseState.OPEN)
    assert case.cause == (
        f"No route, or no policy, ties {complete.connection.name} and channel uk to a shop. "
        "Add the route with apply_config; the return goes on by itself then."
    )
    effect.refresh_from_db()
    assert effect.state == states.EFFECT_CANCELLED

    ReturnAuthorisation.objects.update(route=route, policy=policy)
    replan.replan(rma_id=complete.pk, at=LATER)
    case.refresh_from_db()
    assert (case.state, case.kind_code) == (CaseState.AUTO_RESOLVED, states.CASE_NO_ROUTE)


def test_a_policy_that_can_no_longer_be_read_is_a_case_and_sends_nothing() -> None:
    rma = make.ReturnFactory()
    rma.policy.document = {"return_window_days": "thirty"}
    rma.policy.save()
    replan.replan(rma_id=rma.pk, at=NOW)
    case = ExceptionCase.objects.get()
    assert case.kind_code == states.CASE_NO_ROUTE
    assert case.cause.startswith("The policy cannot be used:\n- return_window_days: ")
    assert not Effect.objects.exists()


# --- which returns ----------------------------------------------------------------------------------------------------


def test_dirty_returns_and_those_whose_time_has_come_are_planned_and_no_others() -> None:
    dirty = make.ReturnFactory(is_dirty=True)
    due = make.ReturnFactory(is_dirty=False, next_look_at=NOW)
    not_yet = make.ReturnFactory(is_dirty=False, next_look_at=NOW + timedelta(seconds=1))
    quiet = make.ReturnFactory(is_dirty=False)
    assert replan.replan_due(at=NOW) == 2
    found = dict(ReturnAuthorisation.objects.values_list("pk", "planned_at"))
    assert found == {dirty.pk: NOW, due.pk: NOW, not_yet.pk: None, quiet.pk: None}


def test_a_slice_is_limited_and_begins_with_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make.ReturnFactory(is_dirty=True), make.ReturnFactory(is_dirty=True)
    with monkeypatch.context() as patched:
        patched.setattr(replan, "time", mock.Mock(monotonic=mock.Mock(side_effect=[0, 19, 21])))
        assert replan.replan_due(at=NOW, limit=1, slice_s=20) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.is_dirty, second.is_dirty) == (False, True)
    assert (replan.replan_due(at=NOW, limit=1), replan.replan_due(at=NOW)) == (1, 0)


def test_a_return_that_cannot_be_planned_stays_dirty_and_keeps_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, fine = make.ReturnFactory(is_dirty=True), make.ReturnFactory(is_dirty=True)

    def fails_for_one(view: ReturnView, policy: object, now: datetime) -> Plan:
        if view.ref == broken.ref:
            raise LookupError("no such place")
        return Plan()

    monkeypatch.setattr(replan, "plan", fails_for_one)
    assert replan.replan_due(at=NOW) == 1
    found = {row.pk: (row.is_dirty, row.planned_at) for row in ReturnAuthorisation.objects.all()}
    assert found == {broken.pk: (True, None), fine.pk: (False, NOW)}


def test_more_returns_that_cannot_be_planned_than_a_slice_holds_keep_no_younger_one_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each time there is time for three. Those that fail are tried in turn for ever, behind all that never failed."""
    broken = [make.ReturnFactory(is_dirty=True) for _ in range(5)]
    young = make.ReturnFactory(is_dirty=True)
    tried: list[str] = []

    def fails_for_most(view: ReturnView, policy: object, now: datetime) -> Plan:
        tried.append(view.ref)
        if view.ref != young.ref:
            raise LookupError("no such place")
        return Plan()

    def tries(minute: int, *, limit: int) -> list[str]:
        tried.clear()
        with monkeypatch.context() as patched:
            patched.setattr(replan, "plan", fails_for_most)
            patched.setattr(replan, "time", mock.Mock(monotonic=mock.Mock(side_effect=[0, 1, 2, 3, 4])))
            replan.replan_due(at=NOW + timedelta(minutes=minute), limit=limit, slice_s=3)
        return list(tried)

    one, two, three, four, five = (row.ref for row in broken)
    assert tries(0, limit=200) == [one, two, three]
    assert tries(1, limit=2) == [four, five, young.ref]
    assert tries(2, limit=200) == [one, two, three]
    assert tries(3, limit=2) == [four, five, one]
    assert tries(4, limit=5) == [two, three, one]  # of those last tried together the older one
    failed = ExceptionCase.objects.active().filter(kind_code=states.CASE_PLANNING_FAILED)
    seen = dict(failed.values_list("subject_id", "occurrences"))
    assert seen == {str(row.pk): times for row, times in zip(broken, (4, 3, 3, 2, 2), strict=True)}

    monkeypatch.setattr(replan, "plan", lambda view, policy, now: Plan())
    assert replan.replan_due(at=LATER) == 5
    assert (failed.exists(), ReturnAuthorisation.objects.filter(is_dirty=True).exists()) == (False, False)


def test_a_return_of_which_one_rule_failed_is_not_tried_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its other rules go on: it waits behind no return that cannot be planned at all."""
    broken, partly = make.ReturnFactory(is_dirty=True), make.ReturnFactory(is_dirty=True)
    tried: list[str] = []
    case = PlannedCase(kind=states.CASE_PLANNING_FAILED, fingerprint=f"planning_failed:{partly.ref}:refunds", cause="x")

    def fails(view: ReturnView, policy: object, now: datetime) -> Plan:
        tried.append(view.ref)
        if view.ref == broken.ref:
            raise LookupError("no such place")
        return Plan(cases=(case,))

    monkeypatch.setattr(replan, "plan", fails)
    assert replan.replan_due(at=NOW) == 1
    replan.mark_dirty(rma_ids=[partly.pk])
    assert replan.replan_due(at=LATER) == 1
    assert tried == [broken.ref, partly.ref, partly.ref, broken.ref]


def test_returns_are_marked_by_themselves_or_by_their_order() -> None:
    one, two, three = (make.ReturnFactory(is_dirty=False) for _ in range(3))
    replan.mark_dirty(rma_ids=[one.pk], order_ids=[two.order_id])
    marked = set(ReturnAuthorisation.objects.filter(is_dirty=True).values_list("pk", flat=True))
    assert marked == {one.pk, two.pk}
    assert three.pk not in marked


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "refund of £30.00"),
        ({"amount": Decimal("1200.50")}, "refund of £1,200.50"),
        ({"restock": True}, "restock of 1"),
        ({"note": True}, "note [RMA-1/received]"),
        ({"note": True, "payload": {"field": "status"}}, "note status"),
        ({"note": True, "payload": {}}, "note"),
        ({"kind": states.TAKE_OUT, "amount": None, "currency": "", "quantity": 1, "payload": {}}, "take out of 1"),
        (
            {"kind": states.WRITE_BACK, "amount": None, "currency": "", "payload": {"message": "already_refunded"}},
            "write back already refunded",
        ),
    ],
)
def test_an_effect_in_a_few_words(rma: ReturnAuthorisation, fields: dict[str, Any], text: str) -> None:
    assert replan.describe(make.EffectFactory(rma=rma, **fields)) == text
