"""What CX sees in the shop and here: status, notes, classification (S4-24)."""

from decimal import Decimal

import pytest

from connectors.simulators.woocommerce.refund_writing import RefundLine
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db


def _notes(w: World, order_id: int) -> list[str]:
    return [note.text for note in w.shop.state.notes if note.order_id == order_id and "[" in note.text]


@pytest.mark.requirement("S4-24")
def test_status_is_updated_and_notes_are_written_once() -> None:
    with world(is_telling=True) as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.settle()
        first = _meta(w, order.id, "_returnsops_status")
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
        w.settle()
        w.poll()
        w.settle()

        assert first
        assert _meta(w, order.id, "_returnsops_status") != first
        assert len([m for m in w.shop.state.orders[order.id].meta if m.key == "_returnsops_status"]) == 1
        tokens = [text[text.index("[") :] for text in _notes(w, order.id)]
        assert sorted(tokens) == sorted(set(tokens))
        number = w.rma(return_id).number
        assert f"[{number}/received]" in tokens
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
        assert _meta(w, order.id, "_returnsops_status") == "Goods inspected; refunded €30.00"


@pytest.mark.requirement("S4-24")
def test_the_status_names_a_refund_that_was_made_by_hand_for_the_return() -> None:
    with world(is_telling=True) as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        item = order.items[0]
        w.shop.staff_refund(
            order.id, Decimal("30.00"), lines=[RefundLine(item_id=item.id, quantity=1, total=item.total / 2)]
        )
        w.pay(return_id, "30.00")
        w.settle()
        assert (len(w.money_refunds(order)), w.open_cases()) == (1, [])
        assert _meta(w, order.id, "_returnsops_status") == "Goods inspected; refund of €30.00 made in the shop by hand"


def _meta(w: World, order_id: int, key: str) -> str:
    return next((str(m.value) for m in w.shop.state.orders[order_id].meta if m.key == key), "")


def test_classifying_a_reason_lets_the_return_go_on() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order, reason="does_not_spark_joy")
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
        w.settle()
        assert w.open_cases() == [states.CASE_REASON_UNMAPPED]
        assert w.refund_posts() == 0

        case = ExceptionCase.objects.get(kind_code=states.CASE_REASON_UNMAPPED)
        queue.run_action(
            case=case,
            action_code="classify_reason",
            by=w.users["CX"],
            at=w.now(),
            data={"item": w.item_id(return_id), "reason_code": "faulty"},
        )
        w.settle()
        assert len(w.money_refunds(order)) == 1
        assert w.open_cases() == []
        case.refresh_from_db()
        assert not case.is_active


@pytest.mark.requirement("S4-24")
def test_two_returns_of_one_order_do_not_overwrite_each_other() -> None:
    with world(is_telling=True) as w:
        order = w.order((w.product(), 2))
        first, second = w.ask(order), w.ask(order)
        w.platform.receive(second)
        w.settle()

        assert _meta(w, order.id, "_returnsops_return") == w.rma(first).number
        assert _meta(w, order.id, "_returnsops_return_2") == w.rma(second).number
        assert _meta(w, order.id, "_returnsops_status") == "Return authorised, waiting for the goods"
        assert _meta(w, order.id, "_returnsops_status_2") == "Goods received, waiting for inspection"
