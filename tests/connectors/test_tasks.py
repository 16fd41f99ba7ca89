"""What django-q2 calls: one sweep and the wake-ups bring a return to its end, and hints stay few."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from connectors import pump, reads, tasks
from connectors.models import WakeUp
from returnsops import states
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
