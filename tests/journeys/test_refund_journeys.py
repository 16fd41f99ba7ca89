"""WooCommerce and Reveni: refunds, from the platform's word to the shop's record (S4-1, S4-15, S4-16, S4-21)."""

from decimal import Decimal
from typing import Any

import pytest

from connectors import inbox, pump, reads
from connectors.simulators.woocommerce.pricing import totals_of
from connectors.simulators.woocommerce.records import Order
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect
from returnsops.services import replan
from returnsops.services.replan import replan_due
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db


def _returned(w: World, *, quantity: int = 1, units: int = 2, price: str = "30.00", **order: Any) -> tuple[Order, str]:
    placed = w.order((w.product(price=price), units), **order)
    return_id = w.ask(placed, quantity=quantity)
    w.platform.receive(return_id)
    w.judge(return_id, quantity=quantity)
    return placed, return_id


@pytest.mark.requirement("S4-21", "S4-15")
def test_final_outcome_refunds_on_the_original_order() -> None:
    with world() as w:
        order, return_id = _returned(w)
        refund_id = w.pay(return_id, "30.00")
        w.settle()

        (refund,) = w.money_refunds(order)
        effect = w.effect(return_id, states.REFUND)
        assert (refund.order_id, refund.amount) == (order.id, Decimal("30.00"))
        assert effect.state == states.CONFIRMED
        assert effect.remote_id == str(refund.id)
        assert effect.key == f"refund:reveni/{return_id}:{refund_id}"
        assert refund.reason.startswith(effect.key)
        assert [payout.amount for payout in w.shop.gateway_payouts] == [Decimal("30.00")]
        assert w.open_cases() == []


@pytest.mark.requirement("S4-21")
def test_money_waits_for_the_verdict_and_says_so() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.pay(return_id, "30.00")
        w.settle()

        effect = w.effect(return_id, states.REFUND)
        assert effect.state == states.HELD
        assert [hold["code"] for hold in effect.holds] == ["waits_for_trigger"]
        assert "inspection" in effect.holds[0]["text"]
        assert w.refund_posts() == 0

        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        assert len(w.money_refunds(order)) == 1


def test_taxes_go_back_by_rate_and_the_last_unit_takes_the_rest() -> None:
    with world() as w:
        w.shop.add_tax_rate(Decimal("21"), name="IVA")
        order = w.order((w.product(price="23.74"), 3))
        return_id = w.ask(order, quantity=3)
        w.platform.receive(return_id)
        w.judge(return_id, quantity=3)
        w.pay(return_id, f"{order_total(w, order):.2f}", quantity=3)
        w.settle()

        (refund,) = w.money_refunds(order)
        assert w.shop.refunded_total(order.id) == order_total(w, order)
        assert refund.amount == order_total(w, order)
        assert w.open_cases() == []


def order_total(w: World, order: Order) -> Decimal:
    """What the shop says the order is worth."""
    return totals_of(order, w.shop.settings.price_decimals).total


def test_money_the_platform_paid_is_recorded_and_never_paid_again() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order, mode="instant")
        w.pay(return_id, "30.00", executed_by="returns_platform", is_instant=True)
        w.settle()

        (refund,) = w.money_refunds(order)
        assert refund.amount == Decimal("30.00")
        assert w.shop.gateway_payouts == []
        assert [payout.amount for payout in w.platform.payouts] == ["30.00"]


def test_nobody_named_to_pay_is_a_case_and_nothing_is_sent() -> None:
    with world() as w:
        order, return_id = _returned(w)
        w.pay(return_id, "30.00", executed_by="")
        w.settle()

        assert w.open_cases() == [states.CASE_EXECUTOR_UNKNOWN]
        assert w.money_refunds(order) == []


@pytest.mark.requirement("S4-16")
@pytest.mark.parametrize("status", ["on-hold", "cancelled"])
def test_locked_order_goes_to_manual_review_with_what_is_left(status: str) -> None:
    with world() as w:
        order, return_id = _returned(w)
        w.shop.set_status(order.id, status)
        w.pay(return_id, "30.00")
        w.settle()

        assert states.CASE_ORDER_LOCKED in w.open_cases()
        case = ExceptionCase.objects.get(kind_code=states.CASE_ORDER_LOCKED)
        assert "60.00" in str(case.evidence) + case.cause
        assert w.money_refunds(order) == []


@pytest.mark.requirement("S4-16")
def test_partly_refunded_order_goes_to_manual_review_with_what_is_left() -> None:
    with world() as w:
        order, return_id = _returned(w)
        w.shop.staff_refund(order.id, Decimal("12.00"), reason="goodwill")
        w.pay(return_id, "30.00")
        w.settle()

        assert w.open_cases() == [states.CASE_REFUNDED_OUTSIDE]
        case = ExceptionCase.objects.get(kind_code=states.CASE_REFUNDED_OUTSIDE)
        assert "48.00" in str(case.evidence) + case.cause
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("12.00")]
        assert w.shop.gateway_payouts == []


@pytest.mark.requirement("S4-1")
def test_return_without_its_order_holds_everything_and_is_a_case_after_its_deadline() -> None:
    with world(policy="order_wanted_h = 1") as w:
        return_id = w.platform.create_return(
            order_id="999999", items=[{"sku": "TEE-BLK-M", "quantity": 1, "reason_code": "too_small"}]
        )
        w.platform.authorise(return_id)
        w.pay(return_id, "30.00")
        w.settle()

        assert w.rma(return_id).order is None
        assert w.open_cases() == [states.CASE_ORDER_NOT_FOUND]
        assert not Effect.objects.exclude(state=states.HELD).exists()
        assert w.writes() == []


@pytest.mark.requirement("S4-1")
def test_every_other_return_is_tied_to_its_order() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.settle()

        linked, line = w.rma(return_id).order, w.rma(return_id).lines.get()
        assert linked is not None
        assert line.order_line is not None
        assert linked.external_id == str(order.id)
        assert line.order_line.external_id == str(order.items[0].id)


@pytest.mark.requirement("S4-21")
def test_what_was_told_since_the_last_plan_stops_a_refund_that_was_about_to_go() -> None:
    """The verdict changes while the refund is ready: told and not planned yet, the worker of the shop sends nothing."""
    with world() as w:
        _, return_id = _returned(w)
        w.pay(return_id, "30.00")
        _take_in(w)
        replan_due(at=w.now())
        ready = Effect.objects.filter(rma=w.rma(return_id), state=states.READY)
        assert set(ready.values_list("kind", flat=True)) == {states.REFUND, states.RESTOCK}

        w.judge(return_id, "damaged")
        w.platform.cancel(return_id)
        _take_in(w)
        assert pump.run(connection_id=w.connection("shop").pk, runtime=w.runtime, is_threaded=False).worked == 0
        assert (w.writes(), ready.count()) == ([], 2)

        w.settle()
        assert (w.writes(), ready.count()) == ([], 0)


@pytest.mark.requirement("S4-21")
def test_a_plan_that_fails_after_a_refund_never_undoes_it_and_is_made_up_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("jane@example.com lives in Leeds")

    with world() as w:
        order, return_id = _returned(w)
        w.pay(return_id, "30.00")
        _take_in(w)
        replan_due(at=w.now())
        with monkeypatch.context() as patched:
            patched.setattr(replan, "plan", fails)
            pump.run(connection_id=w.connection("shop").pk, runtime=w.runtime, is_threaded=False)
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
        assert w.rma(return_id).is_dirty
        assert "could not be planned" in caplog.text
        assert w.open_cases() == [states.CASE_PLANNING_FAILED]
        assert "ZeroDivisionError at" in caplog.text
        assert "Leeds" not in caplog.text

        w.settle()
        assert (len(w.money_refunds(order)), w.rma(return_id).is_dirty, w.open_cases()) == (1, False, [])


def _take_in(w: World) -> None:
    """What is told is applied and the orders it names are read; the next plan is still to come."""
    w.tell()
    while inbox.process_due(at=w.now()) + reads.read_wanted_orders(at=w.now()):
        pass
