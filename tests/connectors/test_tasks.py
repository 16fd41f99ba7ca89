"""What django-q2 calls: one sweep and the wake-ups bring a return to its end, and hints stay few."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from connectors import inbox, pump, reads, tasks
from connectors.models import WakeUp
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect
from returnsops.services import approvals, proposals
from returnsops.services.replan import replan_due
from tests.journeys.world import OPS_URL, World, world

pytestmark = pytest.mark.django_db


def _told(w: World) -> tuple[object, str]:
    order = w.order((w.product(), 2))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00")
    w.tell()
    return order, return_id


def test_the_inbox_and_the_pump_do_the_job(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PUBLIC_URL = OPS_URL
    with world() as w:
        monkeypatch.setattr(pump, "Runtime", lambda: w.runtime)  # its naps let the one clock jump
        order, return_id = _told(w)
        assert tasks.wake_inbox() > 0
        tasks.wake_pump(w.connection("shop").pk)
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]  # type: ignore[arg-type]
        assert w.effect(return_id, states.REFUND).state in {states.DONE, states.CONFIRMED}


def _work_off(on_commit: DjangoCaptureOnCommitCallbacks) -> list[str]:
    """What one worker does with the hints that wait in its queue, and with those that follow from them; no sweep."""
    done = []
    while hint := OrmQ.objects.order_by("pk").first():
        task = hint.task
        hint.delete()
        done.append(task["func"].removeprefix("connectors.tasks."))
        with on_commit(execute=True):
            import_string(task["func"])(*task["args"])
    return done


def _propose(w: World, return_id: str) -> Effect:
    """Somebody of finance wants to give 5.00 more: all returns of the order are to be planned again."""
    rma = w.rma(return_id)
    assert rma.order is not None
    return proposals.propose_manual(
        order=rma.order,
        rma=rma,
        request_id="form-1",
        amount=Decimal("5.00"),
        reason="sorry",
        ground=states.GROUND_GOODWILL,
        why="the parcel took a month",
        by=w.users["FIN"],
        at=w.now(),
    )


def test_an_approved_refund_of_a_return_still_to_be_planned_goes_without_a_sweep(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.PUBLIC_URL = OPS_URL
    with world(policy_tables='[routes.policy.refund.approval_threshold]\nEUR = "20.00"') as w:
        monkeypatch.setattr(pump, "Runtime", lambda: w.runtime)
        order, return_id = _told(w)
        w.settle()
        waiting = w.effect(return_id, states.REFUND)
        _propose(w, return_id)
        assert (waiting.state, w.rma(return_id).is_dirty) == (states.AWAITING_APPROVAL, True)
        with django_capture_on_commit_callbacks(execute=True):
            queue.run_action(
                case=ExceptionCase.objects.get(kind_code=states.CASE_NEEDS_APPROVAL),
                action_code="approve",
                by=w.users["FIN2"],
                at=w.now(),
                data={"effect": str(waiting.pk)},
            )
        worked = _work_off(django_capture_on_commit_callbacks)
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]  # type: ignore[arg-type]
        assert (worked[:2], w.rma(return_id).is_dirty) == (["wake_inbox", "wake_pump"], False)


def test_a_person_s_refund_that_found_its_return_just_told_of_goes_once_that_is_planned(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """No plan stands behind it, so the plan that lets it go has to wake the pump for it as well."""
    settings.PUBLIC_URL = OPS_URL
    with world() as w:
        monkeypatch.setattr(pump, "Runtime", lambda: w.runtime)
        order, return_id = _told(w)
        w.settle()
        manual = _propose(w, return_id)
        replan_due(at=w.now())
        OrmQ.objects.all().delete()
        with django_capture_on_commit_callbacks(execute=True):
            approvals.approve(effect_id=manual.pk, by=w.users["FIN2"], at=w.now(), revision=1)
        w.platform.receive(return_id)
        with django_capture_on_commit_callbacks(execute=True):
            w.tell()
        inbox.process_due(at=w.now())  # another worker has begun with what was told
        pump_id = w.connection("shop").pk
        with django_capture_on_commit_callbacks(execute=True):
            assert (w.rma(return_id).is_dirty, tasks.wake_pump(pump_id), len(w.money_refunds(order))) == (True, 0, 1)  # type: ignore[arg-type]
        _work_off(django_capture_on_commit_callbacks)
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("5.00"), Decimal("30.00")]  # type: ignore[arg-type]


class _WorkerKilled(BaseException):
    """As django-q2 ends a task that took too long."""


@pytest.mark.parametrize("task", [tasks.wake_inbox, tasks.sweep])
def test_a_shop_that_hangs_until_the_task_is_killed_keeps_no_return_from_being_planned(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, task: Callable[[], object]
) -> None:
    def hangs(**_: object) -> int:
        raise _WorkerKilled

    settings.PUBLIC_URL = OPS_URL
    with world() as w:
        _, return_id = _told(w)
        monkeypatch.setattr(reads, "read_wanted_orders", hangs)
        with pytest.raises(_WorkerKilled):
            task()
        rma = w.rma(return_id)
        assert (rma.is_dirty, rma.planned_at) == (False, w.now())


def test_the_sweep_finds_what_every_hint_was_lost_for(settings: Settings) -> None:
    settings.PUBLIC_URL = OPS_URL
    with world() as w:
        _, return_id = _told(w)
        first = tasks.sweep()
        assert first["events"] > 0
        assert w.effect(return_id, states.REFUND).state in {states.READY, states.HELD}
        again = tasks.sweep()
        assert again["events"] == 0


def test_many_hints_are_one_until_it_has_begun(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(50):
            tasks.wake_pump_soon(7)
    assert OrmQ.objects.count() == 1
    WakeUp.objects.update(asked_at=None)  # as the task does when it begins
    with django_capture_on_commit_callbacks(execute=True):
        tasks.wake_pump_soon(7)
        tasks.wake_pump_soon(8)
    assert OrmQ.objects.count() == 3
