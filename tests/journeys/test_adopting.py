"""A person names the shop's record of a refund: it is looked for there, a wrong one is a case and can be corrected."""

from decimal import Decimal

import pytest

from connectors import delivery_cases
from connectors.replay import replay
from connectors.simulators.woocommerce.records import Order
from exceptions_queue import services as queue
from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect
from returnsops.models import Refund as KnownRefund
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db

PAID = Decimal("30.00")
NOT_SEEN = states.CASE_NOT_SEEN_AFTER_DONE


def _refused(w: World) -> tuple[Order, Effect]:
    """A refund of 30.00 for one of two T-shirts that the shop's payment method (a bank transfer) refused."""
    order = w.order((w.product(), 2), payment_method="bacs")
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00")
    w.settle()
    effect = w.effect(return_id, states.REFUND)
    assert (effect.state, effect.error_code) == (states.REJECTED, "gateway_cannot_refund")
    assert effect.first_attempt_at is None
    assert w.open_cases() == [states.CASE_REJECTED]
    return order, effect


def _adopt(w: World, kind: str, remote_id: object) -> None:
    case = ExceptionCase.objects.active().get(kind_code=kind)
    queue.run_action(
        case=case,
        action_code="adopt",
        by=w.users["FIN"],
        at=w.now(),
        reason="paid by bank transfer",
        data={"remote_id": str(remote_id)},
    )


def _settled(w: World, effect: Effect) -> tuple[str, str]:
    """State and record of the effect once all has come to rest and the sweep has been."""
    w.settle()
    delivery_cases.close_gone(at=w.now())
    effect.refresh_from_db()
    return effect.state, effect.remote_id


def _is_never_sent(w: World, effect: Effect) -> bool:
    """No refund of money was asked for, no payout was made, and no attempt may have left."""
    assert w.shop.gateway_payouts == []
    assert w.refund_posts() == 1  # the restock
    return not effect.attempts.filter(has_sent=True).exists()


def test_an_invented_id_is_a_case_of_finance_and_can_be_corrected() -> None:
    with world() as w:
        order, effect = _refused(w)
        _adopt(w, states.CASE_REJECTED, 999999)
        assert _settled(w, effect) == (states.DONE, "999999")
        assert w.open_cases() == [NOT_SEEN]
        case = ExceptionCase.objects.active().get()
        assert (case.owner_team, case.money_at_risk, case.currency) == (states.FIN, PAID, "EUR")
        assert case.cause == f"Refund '999999' is not among the refunds of order {order.id}."
        assert w.money_refunds(order) == []
        assert _is_never_sent(w, effect)

        by_hand = w.shop.staff_refund(order.id, PAID)
        w.tell()
        _adopt(w, NOT_SEEN, by_hand.id)
        assert _settled(w, effect) == (states.CONFIRMED, str(by_hand.id))
        assert w.open_cases() == []
        known = KnownRefund.objects.get(external_id=str(by_hand.id))
        assert (known.origin, known.key) == (KnownRefund.OURS, effect.key)
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]
        assert _is_never_sent(w, effect)
        assert effect.rma is not None
        assert replay(rma=effect.rma, at=w.now()).differences == ()


def test_the_right_id_is_verified_whatever_the_payment_method_can() -> None:
    with world() as w:
        order, effect = _refused(w)
        by_hand = w.shop.staff_refund(order.id, PAID)
        w.shop.state.sender.pending().clear()  # its webhook is lost
        _adopt(w, states.CASE_REJECTED, by_hand.id)
        assert _settled(w, effect) == (states.CONFIRMED, str(by_hand.id))
        assert effect.confirm_tries == 0
        assert w.open_cases() == []
        assert _is_never_sent(w, effect)


def test_the_id_of_another_orders_refund_is_refused_where_it_is_known_and_else_a_case() -> None:
    with world() as w:
        _, effect = _refused(w)
        other = w.order((w.product("MUG"), 2))
        known = w.shop.staff_refund(other.id, PAID)
        w.ask(other)  # a return of that order, so that it is read
        w.settle()
        with pytest.raises(CaseError, match=f"Refund {known.id} belongs to order {other.id}, not to this"):
            _adopt(w, states.CASE_REJECTED, known.id)
        effect.refresh_from_db()
        assert (effect.state, effect.remote_id) == (states.REJECTED, "")
        assert states.CASE_REJECTED in w.open_cases()

        unread = w.shop.staff_refund(other.id, Decimal("10.00"))
        w.shop.state.sender.pending().clear()
        _adopt(w, states.CASE_REJECTED, unread.id)
        assert _settled(w, effect) == (states.DONE, str(unread.id))
        case = ExceptionCase.objects.active().get(kind_code=NOT_SEEN)
        assert case.cause.startswith(f"Refund '{unread.id}' is not among the refunds of order ")
        assert _is_never_sent(w, effect)


def test_a_record_over_another_amount_is_a_case_and_belongs_to_nobody_once_it_is_corrected() -> None:
    with world() as w:
        order, effect = _refused(w)
        wrong = w.shop.staff_refund(order.id, Decimal("3.00"))
        w.shop.state.sender.pending().clear()
        _adopt(w, states.CASE_REJECTED, wrong.id)
        w.settle()
        case = ExceptionCase.objects.active().get(kind_code=NOT_SEEN)
        assert case.cause == f"Refund {wrong.id} is over €3.00, and €30.00 were to be paid."
        assert case.evidence["refunds_there"] == {str(wrong.id): "€3.00"}
        row = KnownRefund.objects.get(external_id=str(wrong.id))
        assert (row.origin, row.key) == (KnownRefund.OURS, effect.key)

        right = w.shop.staff_refund(order.id, PAID)
        w.shop.state.sender.pending().clear()
        _adopt(w, NOT_SEEN, right.id)
        assert _settled(w, effect) == (states.CONFIRMED, str(right.id))
        row.refresh_from_db()
        assert (row.origin, row.key) == (KnownRefund.EXTERNAL, "")
        assert NOT_SEEN not in w.open_cases()
        assert _is_never_sent(w, effect)
