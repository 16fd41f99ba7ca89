"""Where a person decides: paid twice by hand, gateways that refuse, limits, approvals, holds."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.simulators.woocommerce.records import Order
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import HistoryEntry
from returnsops.services import approvals, proposals
from returnsops.services.effect_rows import EffectError
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db


def _due(w: World, **order: Any) -> tuple[Order, str]:
    placed = w.order((w.product(), 2), **order)
    return_id = w.ask(placed)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.settle()
    return placed, return_id


def _case(kind: str) -> ExceptionCase:
    return ExceptionCase.objects.get(kind_code=kind)


def _attribute(w: World, refund_id: int, meaning: str) -> None:
    queue.run_action(
        case=_case(states.CASE_REFUNDED_OUTSIDE),
        action_code="attribute_refund",
        by=w.users["FIN"],
        at=w.now(),
        reason="asked the colleague",
        data={"refund": str(refund_id), "meaning": meaning},
    )
    w.settle()


def test_refund_by_hand_first_is_not_paid_again() -> None:
    with world() as w:
        order, return_id = _due(w)
        by_hand = w.shop.staff_refund(order.id, Decimal("30.00"), reason="helped on the phone")
        w.pay(return_id, "30.00")
        w.settle()
        assert w.open_cases() == [states.CASE_REFUNDED_OUTSIDE]
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]

        _attribute(w, by_hand.id, "this_return")
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]
        assert w.shop.gateway_payouts == []
        assert w.open_cases() == []


def test_goodwill_by_hand_is_told_apart_and_the_return_is_paid_once() -> None:
    with world() as w:
        order, return_id = _due(w)
        goodwill = w.shop.staff_refund(order.id, Decimal("5.00"), reason="sorry")
        w.pay(return_id, "30.00")
        w.settle()
        _attribute(w, goodwill.id, "unrelated")

        assert sorted(refund.amount or 0 for refund in w.money_refunds(order)) == [Decimal("5.00"), Decimal("30.00")]
        assert w.open_cases() == []


def test_refund_by_hand_that_no_webhook_told_of_is_found_before_money_goes() -> None:
    with world() as w:
        order, return_id = _due(w)
        w.shop.staff_refund(order.id, Decimal("30.00"))
        w.shop.webhooks.deliver_pending(limit=0)
        w.shop.state.sender.pending().clear()
        w.pay(return_id, "30.00")
        w.settle()
        assert w.open_cases() == [states.CASE_REFUNDED_OUTSIDE]
        assert w.shop.gateway_payouts == []


def test_more_than_is_left_is_never_sent() -> None:
    with world() as w:
        order, return_id = _due(w)
        w.pay(return_id, "90.00")
        w.settle()
        assert w.money_refunds(order) == []
        assert set(w.open_cases()) <= {states.CASE_WOULD_OVER_REFUND, states.CASE_AMOUNT_MISMATCH}
        assert w.open_cases()


def test_gateway_that_refuses_is_a_case_and_finance_records_what_was_paid_outside() -> None:
    with world() as w:
        order, return_id = _due(w, payment_method="bacs")
        w.pay(return_id, "30.00")
        w.settle()
        effect = w.effect(return_id, states.REFUND)
        assert effect.state == states.REJECTED
        assert states.CASE_REJECTED in w.open_cases()
        assert w.money_refunds(order) == []

        rma = w.rma(return_id)
        assert rma.order is not None
        proposal = proposals.propose_manual(
            order=rma.order,
            rma=rma,
            request_id="form-1",
            amount=Decimal("30.00"),
            reason="bank transfer",
            why="the gateway cannot refund",
            executed_by="merchant",
            reference="SEPA-77",
            paid_on=date(2026, 11, 2),
            by=w.users["FIN"],
            at=w.now(),
        )
        with pytest.raises(EffectError):
            approvals.approve(effect_id=proposal.pk, by=w.users["FIN"], at=w.now(), revision=1)
        approvals.approve(effect_id=proposal.pk, by=w.users["FIN2"], at=w.now(), revision=1)
        w.settle()

        (refund,) = w.money_refunds(order)
        assert refund.amount == Decimal("30.00")
        assert "SEPA-77" in refund.reason
        assert w.shop.gateway_payouts == []
        assert HistoryEntry.objects.filter(act="refund_proposed", by="fin").exists()


def test_refund_above_the_limit_waits_for_a_second_person() -> None:
    with world(policy_tables='[routes.policy.refund.approval_threshold]\nEUR = "20.00"') as w:
        order, return_id = _due(w)
        w.pay(return_id, "30.00")
        w.settle()
        effect = w.effect(return_id, states.REFUND)
        assert effect.state == states.AWAITING_APPROVAL
        assert w.open_cases() == [states.CASE_NEEDS_APPROVAL]
        assert w.money_refunds(order) == []

        queue.run_action(
            case=_case(states.CASE_NEEDS_APPROVAL),
            action_code="approve",
            by=w.users["FIN"],
            at=w.now(),
            data={"effect": str(effect.pk)},
        )
        w.settle()
        assert len(w.money_refunds(order)) == 1
        assert w.open_cases() == []


def test_risk_hold_freezes_money_and_stock_but_not_the_status() -> None:
    with world(is_telling=True) as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        risk_id = w.platform.risk_hold(return_id)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
        w.settle()
        assert w.refund_posts() == 0
        assert w.effect(return_id, states.REFUND).state == states.HELD
        assert "hold" in next(str(m.value) for m in w.shop.state.orders[order.id].meta if m.key == "_returnsops_status")

        w.platform.risk_release(return_id, risk_id, status="inspected")
        w.settle()
        assert len(w.money_refunds(order)) == 1
        assert len(w.restock_records(order)) == 1
        assert w.open_cases() == []


def test_nothing_is_sent_while_a_route_is_in_shadow() -> None:
    with world(is_live=False) as w:
        _, return_id = _due(w)
        w.pay(return_id, "30.00")
        w.settle()
        assert w.writes() == []
        assert w.effect(return_id, states.REFUND).state == states.HELD


def test_cancelled_return_pays_nothing() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.platform.cancel(return_id)
        w.settle()
        assert w.refund_posts() == 0
        assert w.rma(return_id).status == states.CANCELLED
        assert w.open_cases() == []


def test_order_edited_before_the_return_pays_its_present_value() -> None:
    with world() as w:
        product = w.product(price="30.00")
        order = w.order((product, 3))
        w.shop.edit_order(order.id, quantities={order.items[0].id: 1})
        return_id = w.ask(order, quantity=1)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "90.00")
        w.settle()
        assert w.money_refunds(order) == []
        assert w.open_cases()
