"""An act of a person: an entry of the inbox, applied and planned in one go, or nothing at all."""

import json
from unittest import mock

import pytest

from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import HistoryEntry, InboundEvent, Waiver
from returnsops.services import acts, replan
from returnsops.services.decisions import DecisionError
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_an_act_is_kept_in_the_inbox_applied_and_planned() -> None:
    rma = make.ReturnFactory(external_id="ret_1", is_dirty=True)
    fact = facts.HoldWaived(
        return_id="ret_1", occurred_at=NOW, by="fiona", why="Loyal.", effect_key="", hold_code="outside_window"
    )
    event = acts.act(rma=rma, fact=fact, by="fiona", at=NOW)
    rma.refresh_from_db()
    assert (rma.is_dirty, rma.planned_at) == (False, NOW)
    assert Waiver.objects.get().rma == rma
    assert (event.source, event.topic, event.subject_key, event.by) == (
        "human",
        "HoldWaived",
        "return:ret_1",
        "fiona",
    )
    assert (event.state, event.outcome, event.rma, event.connection) == (
        states.EVENT_PROCESSED,
        "applied",
        rma,
        rma.connection,
    )
    assert (event.received_at, event.processed_at) == (NOW, NOW)
    assert json.loads(bytes(event.body)) == {
        "fact": "HoldWaived",
        "return_id": "ret_1",
        "occurred_at": NOW.isoformat(),
        "revision": 0,
        "by": "fiona",
        "why": "Loyal.",
        "effect_key": "",
        "hold_code": "outside_window",
        "subject": "",
    }
    assert acts.HUMAN_FACTS[event.topic] is facts.HoldWaived


def test_an_act_on_a_return_that_cannot_be_planned_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rma = make.ReturnFactory(is_dirty=False)
    fact = facts.ParcelReceived(return_id=rma.external_id, occurred_at=NOW, parcel_id="p1")
    with monkeypatch.context() as patched:
        patched.setattr(replan, "plan", mock.Mock(side_effect=LookupError("no such place")))
        acts.act(rma=rma, fact=fact, by="walter", at=NOW)
    rma.refresh_from_db()
    assert (rma.received_at, rma.is_dirty, rma.planned_at) == (NOW, True, None)
    assert InboundEvent.objects.get().state == states.EVENT_PROCESSED
    case = ExceptionCase.objects.active().get()
    assert (case.kind_code, case.subject_id) == (states.CASE_PLANNING_FAILED, str(rma.pk))

    assert replan.replan_due(at=NOW) == 1
    assert not ExceptionCase.objects.active().exists()


def test_the_same_act_twice_is_two_entries_and_one_change() -> None:
    rma = make.ReturnFactory()
    fact = facts.ParcelReceived(return_id=rma.external_id, occurred_at=NOW, parcel_id="p1")
    first, second = (acts.act(rma=rma, fact=fact, by="walter", at=NOW) for _ in range(2))
    assert first.delivery_key != second.delivery_key
    assert first.delivery_key.startswith("human:")
    rma.refresh_from_db()
    assert (rma.parcels.get().received_at, rma.received_at) == (NOW, NOW)


def test_a_decision_that_does_not_fit_leaves_nothing_behind() -> None:
    rma = make.ReturnFactory(is_dirty=False)
    fact = facts.HoldWaived(return_id=rma.external_id, occurred_at=NOW, by="fiona", effect_key="", hold_code="x")
    with pytest.raises(DecisionError, match="needs a reason"):
        acts.act(rma=rma, fact=fact, by="fiona", at=NOW)
    rma.refresh_from_db()
    assert (InboundEvent.objects.count(), HistoryEntry.objects.count(), Waiver.objects.count()) == (0, 0, 0)
    assert (rma.is_dirty, rma.planned_at) == (False, None)
