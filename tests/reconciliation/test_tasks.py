"""The hourly task: what changed since it was compared, the rest once a day, in slices."""

from io import StringIO
from unittest import mock

import pytest
from django.core.management import call_command
from django.utils.module_loading import import_string
from django_q.models import Schedule

from reconciliation import causes, services, tasks
from reconciliation.models import Run
from tests.journeys.world import world
from tests.reconciliation.played import found, only_money, returned, route

pytestmark = pytest.mark.django_db
HOUR, DAY = 3600, 24 * 3600


def test_setup_schedules_sets_it_hourly() -> None:
    for _ in range(2):
        call_command("setup_schedules", stdout=StringIO())
    row = Schedule.objects.get(name="returnsops reconciliation")
    assert import_string(row.func) is tasks.reconcile_recent
    assert (row.schedule_type, row.minutes, row.repeats) == (Schedule.MINUTES, 60, -1)


def test_an_hour_without_change_reads_nothing_a_change_is_read_and_a_day_reads_all() -> None:
    with world() as w:
        order, _ = returned(w)
        returned(w)
        w.settle()
        w.shift(HOUR)
        assert tasks.reconcile_recent() == 2
        w.shift(HOUR)
        calls = len(w.shop.calls.all())
        assert tasks.reconcile_recent() == 0
        assert len(w.shop.calls.all()) == calls
        assert Run.objects.order_by("-pk")[0].state == "finished"

        w.shop.set_status(order.id, "completed")
        w.settle()
        w.shift(HOUR)
        assert tasks.reconcile_recent() == 1
        w.shift(DAY)
        assert tasks.reconcile_recent() == 2
        assert found() == []


def test_a_deleted_refund_that_moves_no_date_is_found_within_a_day_and_heals_within_an_hour() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        tasks.reconcile_recent()
        record = only_money(w, order)
        w.shop.delete_refund(record.id)
        w.shift(DAY)
        tasks.reconcile_recent()
        assert found() == [("refunded_sums", causes.RECORD_DELETED)]

        w.shop.state.refunds[record.id] = record
        w.shift(HOUR)
        tasks.reconcile_recent()
        assert found() == []
        assert w.open_cases() == []


def test_beyond_thirty_days_nothing_is_read() -> None:
    with world() as w:
        returned(w)
        w.settle()
        w.shift(31 * DAY)
        assert tasks.reconcile_recent() == 0


def test_a_slice_that_ran_out_of_time_is_gone_on_with() -> None:
    with world() as w:
        returned(w)
        w.settle()
        with mock.patch.object(tasks, "SLICE_S", 0.0), mock.patch.object(tasks, "async_task") as queued:
            assert tasks.reconcile_recent() == 0
        queued.assert_called_once_with("reconciliation.tasks.reconcile_route", route().pk)
        with mock.patch.object(tasks, "async_task") as queued:
            assert tasks.reconcile_route(route().pk) == 1
        queued.assert_not_called()


def test_a_broker_that_is_away_costs_an_hour() -> None:
    with world() as w:
        returned(w)
        w.settle()
        with (
            mock.patch.object(tasks, "SLICE_S", 0.0),
            mock.patch.object(tasks, "async_task", side_effect=OSError("away")),
        ):
            assert tasks.reconcile_recent() == 0
        assert tasks.reconcile_recent() == 1


def test_a_route_that_is_gone_or_paused_is_left_alone() -> None:
    assert tasks.reconcile_route(4711) == 0
    with world() as w:
        shop = w.connection("shop")
        shop.is_paused, shop.pause_reason = True, "Moving house."
        shop.save()
        assert list(services.compared_routes()) == []
        assert tasks.reconcile_recent() == 0
        assert tasks.reconcile_route(route().pk) == 0
