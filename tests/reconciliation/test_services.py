"""Comparing with a served shop: what is planted is found, what is clean stays clean, what is mended heals."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections

from connectors.simulators.base import Fault, FaultKind
from exceptions_queue import services as queue
from exceptions_queue.errors import CaseError
from exceptions_queue.models import CaseState, ExceptionCase
from reconciliation import causes, findings, services
from reconciliation.checks import CHECKS
from reconciliation.models import Finding, OrderLook, Run
from returnsops import states
from returnsops.models import Effect, InboundEvent, Refund
from returnsops.models import Order as OrderRow
from tests.journeys.world import world
from tests.reconciliation.played import (
    FIVE,
    MONTH,
    compare,
    copy_of,
    finding,
    found,
    only_money,
    plain_order,
    returned,
    route,
)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("currency", "decimals", "amount"), [("JPY", 0, "3000"), ("KWD", 3, "12.345")], ids=["JPY", "KWD"]
)
def test_currencies_without_and_with_three_digits(currency: str, decimals: int, amount: str) -> None:
    with world() as w:
        w.shop.settings.currency, w.shop.settings.price_decimals = currency, decimals
        order = w.order((w.product(price=amount), 2))
        return_id = w.ask(order, currency=currency, item={"total": amount})
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, amount, currency=currency)
        w.settle()
        runs = compare(w)
        assert found() == []
        assert runs[0].totals == {currency: {"here": amount, "there": amount}}

        record = only_money(w, order)
        record.amount = Decimal(amount) + Decimal(1).scaleb(-decimals)
        compare(w)
        row = finding(causes.AMOUNT_DIFFERS)
        assert row.amount == Decimal(1).scaleb(-decimals)
        assert row.here == f"{amount} {currency}"


@pytest.mark.django_db
def test_a_question_of_the_planner_is_not_asked_twice_but_one_without_a_return_is_asked() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        other = plain_order(w)
        w.shop.staff_refund(order.id, FIVE)
        w.shop.staff_refund(other.id, FIVE)
        compare(w)

        assert w.open_cases() == [causes.CASE_REFUND_UNEXPLAINED, states.CASE_REFUNDED_OUTSIDE]
        mine = Finding.objects.filter(order__external_id=str(order.id))
        assert {row.check_code for row in mine} == {"refunds_outside"}
        assert {row.case.kind_code for row in mine if row.case} == {states.CASE_REFUNDED_OUTSIDE}
        theirs = Finding.objects.filter(order__external_id=str(other.id))
        assert {row.case.pk for row in theirs if row.case} == {
            ExceptionCase.objects.get(kind_code=causes.CASE_REFUND_UNEXPLAINED).pk
        }


@pytest.mark.django_db
def test_a_person_says_what_it_was_for_and_everything_heals() -> None:
    with world() as w:
        order = plain_order(w)
        refund = w.shop.staff_refund(order.id, FIVE)
        compare(w)
        case = ExceptionCase.objects.get(kind_code=causes.CASE_REFUND_UNEXPLAINED)
        queue.run_action(case=case, action_code="say_unrelated", by=w.users["FIN"], at=w.now(), reason="goodwill")

        row = Refund.objects.get(external_id=str(refund.id))
        assert (row.is_unrelated, row.attributed_by, row.attributed_why) == (True, "fin", "goodwill")
        assert not Finding.objects.filter(healed_at__isnull=True).exists()
        case.refresh_from_db()
        assert not case.is_active


@pytest.mark.django_db
def test_only_finance_says_what_a_refund_was_for() -> None:
    with world() as w:
        order = plain_order(w)
        w.shop.staff_refund(order.id, FIVE)
        compare(w)
        case = ExceptionCase.objects.get(kind_code=causes.CASE_REFUND_UNEXPLAINED)
        with pytest.raises(CaseError):
            queue.run_action(case=case, action_code="say_unrelated", by=w.users["WH"], at=w.now(), reason="mine")
        assert found() != []


@pytest.mark.django_db
def test_a_record_that_comes_back_heals_finding_and_case() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        record = only_money(w, order)
        w.shop.delete_refund(record.id)
        compare(w)
        row = finding(causes.RECORD_DELETED)
        case = ExceptionCase.objects.get(kind_code=causes.CASE_RECORD_DELETED)
        assert (row.amount, row.currency, row.side, row.refund_external_id) == (
            Decimal("30.00"),
            "EUR",
            "only_here",
            str(record.id),
        )
        assert (case.money_at_risk, case.currency, case.owner_team) == (Decimal("30.00"), "EUR", states.FIN)

        w.shift(60)
        w.shop.state.refunds[record.id] = record
        compare(w)
        row.refresh_from_db()
        case.refresh_from_db()
        assert row.healed_at == w.now()
        assert case.state == CaseState.AUTO_RESOLVED

        w.shift(60)
        w.shop.delete_refund(record.id)
        compare(w)
        case.refresh_from_db()
        assert case.is_active
        assert case.is_regressed
        assert Finding.objects.filter(cause=causes.RECORD_DELETED).count() == 2
        assert len(w.shop.gateway_payouts) == 1


@pytest.mark.django_db
def test_deleting_the_second_of_two_records_heals_and_is_no_new_difference() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        second = copy_of(w, only_money(w, order))
        compare(w)
        assert found() == [("refunded_sums", causes.RECORDED_TWICE)]
        w.shift(60)
        w.shop.delete_refund(second.id)
        compare(w)
        assert found() == []
        assert w.open_cases() == []


@pytest.mark.django_db
def test_an_accepted_difference_is_quiet_until_it_changes() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        only_money(w, order).amount = Decimal("29.00")
        compare(w)
        case = ExceptionCase.objects.get(kind_code=causes.CASE_MONEY_DIFFERS)
        queue.run_action(case=case, action_code="accept_difference", by=w.users["FIN"], at=w.now(), reason="cash")
        assert found() == []
        compare(w)
        assert found() == []
        assert w.open_cases() == []
        row = finding(causes.AMOUNT_DIFFERS)
        assert (row.accepted_by, row.accepted_why, row.healed_at) == ("fin", "cash", None)

        only_money(w, order).amount = Decimal("28.00")
        compare(w)
        assert found() == [("refunded_sums", causes.AMOUNT_DIFFERS)]
        row.refresh_from_db()
        assert row.accepted_at is None
        assert w.open_cases() == [causes.CASE_MONEY_DIFFERS]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.LOST_REQUEST, FaultKind.RATE_LIMITED])
def test_a_failed_read_fails_the_run_and_heals_nothing(kind: FaultKind) -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        record = only_money(w, order)
        w.shop.delete_refund(record.id)
        compare(w)
        assert found() == [("refunded_sums", causes.RECORD_DELETED)]

        w.shop.state.refunds[record.id] = record
        w.shop.faults.script(Fault(kind=kind, method="GET", path_pattern=r"/orders/", times=20))
        runs = compare(w)
        assert [run.state for run in runs] == ["failed"] * len(CHECKS)
        assert all(f"order {order.id}" in run.error_text for run in runs)
        assert found() == [("refunded_sums", causes.RECORD_DELETED)]
        assert w.open_cases() == [causes.CASE_RECORD_DELETED]


@pytest.mark.django_db
def test_two_failed_runs_by_schedule_are_a_case_until_one_succeeds() -> None:
    with world() as w:
        returned(w)
        w.settle()
        for expected in ([], [causes.CASE_RUN_FAILED]):
            w.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR, method="GET", path_pattern=r"/orders/", times=4))
            compare(w, trigger="schedule")
            w.shop.faults.scripted.clear()
            assert w.open_cases() == expected
            w.shift(3600)
        compare(w, trigger="schedule")
        assert w.open_cases() == []


@pytest.mark.django_db
def test_an_order_deleted_for_good_is_found() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        w.shift(60)
        with w.shop.state.lock:
            del w.shop.state.orders[order.id]
            for record in w.shop.refunds_of(order.id):
                del w.shop.state.refunds[record.id]
        runs = compare(w)
        assert [run.state for run in runs] == ["finished"] * len(CHECKS)
        assert found() == [("refunded_sums", causes.ORDER_GONE), ("restocked_units", causes.ORDER_GONE)]
        assert OrderRow.objects.get(external_id=str(order.id)).is_gone


@pytest.mark.django_db
def test_a_verdict_corrected_after_the_restock_refers_to_the_warehouses_case() -> None:
    with world() as w:
        _, return_id = returned(w)
        w.settle()
        w.judge(return_id, "damaged")
        w.settle()
        compare(w)
        assert found() == [("restocked_units", causes.MORE_THAN_SELLABLE)]
        case = finding(causes.MORE_THAN_SELLABLE).case
        assert case is not None
        assert case.kind_code == states.CASE_RESTOCK_CONTRADICTED
        assert w.open_cases() == [states.CASE_RESTOCK_CONTRADICTED]


@pytest.mark.django_db
def test_one_check_alone_and_what_the_run_keeps() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        w.shop.staff_refund(order.id, FIVE)
        at = w.now()
        run = services.run_check(
            check="refunds_outside", route=route(), since=at - MONTH, until=at, trigger="person", at=at, by="fin"
        )
        assert (run.check_code, run.trigger, run.started_by, run.state) == (
            "refunds_outside",
            "person",
            "fin",
            "finished",
        )
        assert (run.order_count, run.matched_count, run.only_there_count) == (1, 0, 1)
        assert found() == [("refunds_outside", causes.MADE_OUTSIDE)]
        assert not OrderLook.objects.exists()
        assert InboundEvent.objects.filter(topic="order.read", order__external_id=str(order.id)).exists()
        with pytest.raises(LookupError, match="refunded_sums, restocked_units, refunds_outside, orders_left_open"):
            services.run_check(check="x", route=route(), since=at, until=at, trigger="person", at=at, by="fin")


@pytest.mark.django_db
def test_a_paused_shop_is_not_read() -> None:
    with world() as w:
        shop = w.connection("shop")
        shop.is_paused, shop.pause_reason = True, "Moving house."
        shop.save()
        calls = len(w.shop.calls.all())
        with pytest.raises(services.ReconciliationError, match="Moving house"):
            compare(w)
        assert len(w.shop.calls.all()) == calls
        assert not Run.objects.exists()


@pytest.mark.django_db
def test_an_effect_acknowledged_after_the_reading_began_proves_nothing() -> None:
    with world() as w:
        order, return_id = returned(w)
        w.settle()
        effect = w.effect(return_id, states.REFUND)
        w.shop.delete_refund(only_money(w, order).id)
        Effect.objects.filter(pk=effect.pk).update(done_at=w.now() + timedelta(seconds=1))
        compare(w)
        assert found() == []


@pytest.mark.django_db
def test_a_run_whose_process_died_is_closed_by_the_next() -> None:
    with world() as w:
        at = w.now()
        died = Run.objects.create(
            check_code="refunded_sums",
            route=route(),
            trigger="schedule",
            started_by="schedule",
            since_at=at,
            until_at=at,
            started_at=at - timedelta(hours=3),
        )
        compare(w)
        died.refresh_from_db()
        assert (died.state, died.error_text) == ("failed", "The process ended before the run did.")


@pytest.mark.django_db
def test_an_older_reading_that_is_stored_late_changes_nothing_newer() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        w.shop.delete_refund(only_money(w, order).id)
        compare(w)
        row = finding(causes.RECORD_DELETED)
        before = row.last_seen_at - timedelta(seconds=5)
        findings.settle(run=row.last_run, order=row.order, found=(), read_at=before, may_heal=True, at=w.now())
        row.refresh_from_db()
        assert row.healed_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_comparisons_at_once_leave_one_finding_and_one_case() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        other = plain_order(w)
        w.shop.delete_refund(only_money(w, order).id)
        w.shop.staff_refund(other.id, FIVE)

        def run(_: int) -> list[str]:
            try:
                return [made.state for made in compare(w)]
            finally:
                connections.close_all()

        with ThreadPoolExecutor(max_workers=3) as pool:
            ended = list(pool.map(run, range(3)))
        assert ended == [["finished"] * len(CHECKS)] * 3
        assert found() == [
            ("refunded_sums", causes.RECORD_DELETED),
            ("refunds_outside", causes.MADE_OUTSIDE),
        ]
        assert Finding.objects.count() == 2
        assert w.open_cases() == [causes.CASE_RECORD_DELETED, causes.CASE_REFUND_UNEXPLAINED]
