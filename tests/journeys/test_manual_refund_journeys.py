"""Colleagues refund in the shop by hand: what explains itself is taken into account, what does not is asked."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from connectors.replay import replay
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.woocommerce.records import Order, Refund
from connectors.simulators.woocommerce.refund_writing import RefundLine
from exceptions_queue import services as queue
from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from reconciliation.services import check_order
from returnsops import states
from returnsops.models import Effect, HistoryEntry, InboundEvent
from returnsops.models import Refund as KnownRefund
from returnsops.selectors import boxes
from returnsops.services import attribution_acts
from returnsops.services import replan as replanning
from tests.journeys.world import World, world

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("S1-23"), pytest.mark.requirement("S4-16")]

TEE, MUG = Decimal("24.35"), Decimal("12.15")
OUTSIDE = states.CASE_REFUNDED_OUTSIDE


def _due(w: World, *, quantity: int = 1, **order: Any) -> tuple[Order, str]:
    """Two T-shirts and a mug were sold for 60.85; some T-shirts are back and sellable; nothing is paid yet."""
    cart = [(w.product(price=str(TEE)), 2), (w.product("MUG", price=str(MUG)), 1)]
    placed = w.order(*cart, **order)
    return_id = w.ask(placed, quantity=quantity)
    w.platform.receive(return_id)
    w.judge(return_id, quantity=quantity)
    w.settle()
    return placed, return_id


def _by_hand(w: World, order: Order, amount: Decimal, *items: tuple[int, int], **details: Any) -> Refund:
    """A refund by hand; ``items`` are places in the order with units, each at its price."""
    lines = [
        RefundLine(
            item_id=order.items[place].id,
            quantity=units,
            total=order.items[place].total / order.items[place].quantity * units,
        )
        for place, units in items
    ]
    return w.shop.staff_refund(order.id, amount, lines=lines, **details)


def _case() -> ExceptionCase:
    return ExceptionCase.objects.active().get(kind_code=OUTSIDE)


def _click(w: World, rank: int = 1) -> str:
    """The button of one explanation, as the page fills it in."""
    case = _case()
    ((code, _),) = attribution_acts.choice_of_rank(rank, case)
    return queue.run_action(
        case=case,
        action_code=f"apply_explanation_{rank}",
        by=w.users["FIN"],
        at=w.now(),
        data={"explanation": code, "is_sure": True},
    )


def _known(refund: Refund) -> KnownRefund:
    return KnownRefund.objects.get(external_id=str(refund.id))


def _amounts(w: World, order: Order) -> list[Decimal]:
    return sorted(refund.amount or Decimal(0) for refund in w.money_refunds(order))


def _is_replayed(w: World, return_id: str) -> bool:
    return replay(rma=w.rma(return_id), at=w.now()).differences == ()


# --- one explanation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_named", [True, False])
def test_a_refund_of_the_returned_unit_by_hand_cancels_ours(is_named: bool) -> None:
    with world() as w:
        order, return_id = _due(w)
        by_hand = _by_hand(w, order, TEE, *([(0, 1)] if is_named else []))
        w.pay(return_id, str(TEE))
        w.settle()

        known = _known(by_hand)
        assert (known.rma, known.attributed_by) == (w.rma(return_id), "returnsops")
        assert known.attributed_why.startswith("The only explanation: 1 x Article TEE-BLK-M; all of return ")
        assert w.open_cases() == []
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]
        assert w.shop.gateway_payouts == []
        assert w.refund_posts() == 1  # the restock
        entry = HistoryEntry.objects.get(act="refund_attributed")
        assert (entry.by, entry.rma) == ("returnsops", w.rma(return_id))
        event = InboundEvent.objects.get(topic="RefundAttributed")
        assert (event.by, event.state, event.rma) == ("returnsops", "processed", w.rma(return_id))
        assert _is_replayed(w, return_id)


def test_part_of_the_return_by_hand_leaves_the_difference_to_the_cent() -> None:
    with world(is_telling=True) as w:
        order, return_id = _due(w, quantity=2)
        _by_hand(w, order, TEE, (0, 1))
        w.pay(return_id, "48.70", quantity=2)
        w.settle()
        assert w.open_cases() == []
        assert _amounts(w, order) == [TEE, TEE]
        (ours,) = [refund for refund in w.money_refunds(order) if refund.id != int(_first(order, w).external_id)]
        assert [(item.quantity, item.total) for item in ours.items] == [(-1, -TEE)]
        assert len(w.shop.gateway_payouts) == 1
        assert _is_replayed(w, return_id)


def _first(order: Order, w: World) -> KnownRefund:
    return KnownRefund.objects.get(order__external_id=str(order.id), origin="external")


def test_a_refund_by_hand_that_no_webhook_told_of_is_found_before_money_goes() -> None:
    with world() as w:
        order, return_id = _due(w)
        by_hand = _by_hand(w, order, TEE, (0, 1))
        w.shop.state.sender.pending().clear()
        w.pay(return_id, str(TEE))
        w.settle()
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]
        assert w.open_cases() == []


def test_named_shipping_is_for_no_return_and_ours_goes_whole() -> None:
    with world() as w:
        order, return_id = _due(w, shipping=Decimal("4.95"))
        (shipping,) = order.of_kind("shipping")
        by_hand = w.shop.staff_refund(
            order.id, Decimal("4.95"), lines=[RefundLine(item_id=shipping.id, total=Decimal("4.95"))]
        )
        w.pay(return_id, str(TEE))
        w.settle()
        known = _known(by_hand)
        assert (known.is_unrelated, known.attributed_by) == (True, "returnsops")
        assert _amounts(w, order) == [Decimal("4.95"), TEE]
        assert w.open_cases() == []


def test_a_crash_between_attribution_and_plan_leaves_neither_and_the_next_try_both() -> None:
    with world() as w:
        order, return_id = _due(w)
        by_hand = _by_hand(w, order, TEE, (0, 1))
        w.pay(return_id, str(TEE))
        with mock.patch.object(replanning, "_merge", side_effect=RuntimeError("power cut")):
            w.tell()
            w.work()
        assert not KnownRefund.objects.filter(attributed_by="returnsops").exists()
        assert not InboundEvent.objects.filter(topic="RefundAttributed").exists()
        w.settle()
        assert _known(by_hand).rma == w.rma(return_id)
        assert InboundEvent.objects.filter(topic="RefundAttributed").count() == 1
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]


@pytest.mark.requirement("S4-22")
@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.SERVER_ERROR, FaultKind.RATE_LIMITED])
def test_a_reading_that_is_lost_before_money_goes_is_read_again_and_nobody_is_paid_twice(kind: FaultKind) -> None:
    with world() as w:
        order, return_id = _due(w)
        by_hand = _by_hand(w, order, TEE, (0, 1))
        w.shop.state.sender.pending().clear()
        path = rf"/orders/{order.id}(/refunds)?$"
        w.shop.faults.script(Fault(kind=kind, method="GET", path_pattern=path, status=503, retry_after_s=20, times=2))
        w.pay(return_id, str(TEE))
        w.settle()
        assert w.shop.faults.scripted == []
        assert _known(by_hand).rma == w.rma(return_id)
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]
        assert w.shop.gateway_payouts == []
        assert w.open_cases() == []


# --- doubts ----------------------------------------------------------------------------------------------------------


def test_several_explanations_are_ranked_and_one_click_applies_one() -> None:
    with world(is_telling=True) as w:
        order, return_id = _due(w)
        second = w.ask(order)  # the other T-shirt comes back as well
        w.settle()
        by_hand = _by_hand(w, order, TEE)
        w.pay(return_id, str(TEE))
        w.settle()
        assert w.open_cases() == [OUTSIDE, OUTSIDE]
        assert w.shop.gateway_payouts == []
        case = ExceptionCase.objects.active().filter(subject_id=str(w.rma(return_id).pk)).get()
        rows = case.evidence["explanations"]
        assert [row["rank"] for row in rows] == [1, 2, 3]
        assert rows[0]["explanation"].endswith(w.rma(return_id).label)  # received before the refund
        assert case.evidence["refunds"][0]["author"] == "WordPress user 1"
        assert "WordPress user 1" in case.cause
        assert case.evidence["remaining"] == "36.50"
        ((code, _),) = attribution_acts.choice_of_rank(1, case)
        queue.run_action(
            case=case,
            action_code="apply_explanation_1",
            by=w.users["FIN"],
            at=w.now(),
            data={"explanation": code, "is_sure": True},
        )
        w.settle()
        assert w.open_cases() == []
        assert _known(by_hand).rma == w.rma(return_id)
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]
        assert w.rma(second).external_refunds.count() == 0
        assert _is_replayed(w, return_id)


def test_an_explanation_that_no_longer_holds_is_not_applied() -> None:
    with world() as w:
        order, return_id = _due(w)
        _by_hand(w, order, Decimal("5.00"))
        w.pay(return_id, str(TEE))
        w.settle()
        case = _case()
        with pytest.raises(CaseError, match="changed meanwhile"):
            queue.run_action(
                case=case,
                action_code="apply_explanation_1",
                by=w.users["FIN"],
                at=w.now(),
                data={"explanation": "900|none|goodwill::0", "is_sure": True},
            )
        assert w.shop.gateway_payouts == []


def test_goodwill_is_asked_about_and_a_click_lets_the_return_go_whole() -> None:
    with world() as w:
        order, return_id = _due(w)
        _by_hand(w, order, Decimal("5.00"), reason="sorry")
        w.pay(return_id, str(TEE))
        w.settle()
        assert w.open_cases() == [OUTSIDE]
        assert w.shop.gateway_payouts == []
        assert _click(w).endswith("goodwill on the order; no open return.")
        w.settle()
        assert _amounts(w, order) == [Decimal("5.00"), TEE]
        assert w.open_cases() == []


def test_what_was_attributed_can_be_taken_back_until_money_goes_and_is_not_answered_by_itself_again() -> None:
    with world(is_telling=True) as w:
        order, return_id = _due(w)
        by_hand = _by_hand(w, order, TEE, (0, 1))
        w.pay(return_id, str(TEE))
        w.settle()
        rma = w.rma(return_id)
        attribution_acts.undo(rma=rma, refund_id=str(by_hand.id), by="fin", at=w.now(), why="It was for the other one.")
        w.settle()
        assert w.open_cases() == [OUTSIDE]
        assert w.shop.gateway_payouts == []
        assert _known(by_hand).attributed_by == "fin"
        assert _is_replayed(w, return_id)

        attribution_acts.apply_code(
            rma=rma, code=attribution_acts.choice_of_rank(1, _case())[0][0], by="fin", at=w.now()
        )
        w.settle()
        assert w.open_cases() == []
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]


def test_after_money_went_an_answer_stands() -> None:
    with world(is_telling=True) as w:
        order, return_id = _due(w, quantity=2)
        by_hand = _by_hand(w, order, TEE, (0, 1))
        w.pay(return_id, "48.70", quantity=2)
        w.settle()
        with pytest.raises(CaseError, match="Money of this order has gone"):
            attribution_acts.undo(rma=w.rma(return_id), refund_id=str(by_hand.id), by="fin", at=w.now(), why="Wrong.")
        assert _amounts(w, order) == [TEE, TEE]


# --- deleted ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("meaning", "paid"), [("this_return", []), ("unrelated", [TEE])])
def test_a_record_deleted_after_it_was_attributed_opens_the_question_again(meaning: str, paid: list[Decimal]) -> None:
    with world() as w:
        order, return_id = _due(w)
        by_hand = _by_hand(w, order, TEE, (0, 1))
        w.pay(return_id, str(TEE))
        w.settle()
        assert w.open_cases() == []

        w.shop.delete_refund(by_hand.id)  # no webhook, no date moves
        w.shift(24 * 3600)
        rma = w.rma(return_id)
        assert rma.order is not None
        check_order(order=rma.order, at=w.now(), by="system")
        w.settle()
        assert OUTSIDE in w.open_cases()
        assert "has been deleted in the shop since" in _case().cause
        assert w.money_refunds(order) == []
        assert w.shop.gateway_payouts == []

        queue.run_action(
            case=_case(),
            action_code="attribute_refund",
            by=w.users["FIN"],
            at=w.now(),
            reason="asked the bank",
            data={"refund": str(by_hand.id), "meaning": meaning},
        )
        w.settle()
        assert OUTSIDE not in w.open_cases()
        assert _amounts(w, order) == paid


# --- restocks --------------------------------------------------------------------------------------------------------


def _stock(w: World) -> int | None:
    return w.shop.stock_of(next(product.id for product in w.shop.state.products.values() if product.own_sku != "MUG"))


def _returned(w: World, *, quantity: int = 1) -> tuple[Order, str]:
    """Two T-shirts were sold of ten; some are in the warehouse, nothing is judged."""
    order = w.order((w.product(price=str(TEE)), 2))
    return_id = w.ask(order, quantity=quantity)
    w.platform.receive(return_id)
    w.settle()
    return order, return_id


@pytest.mark.requirement("S4-14")
@pytest.mark.parametrize("amount", [Decimal(0), TEE])
def test_a_unit_put_back_by_hand_is_not_put_back_again(amount: Decimal) -> None:
    with world() as w:
        order, return_id = _returned(w)
        line = RefundLine(item_id=order.items[0].id, quantity=1, total=amount)
        w.shop.staff_refund(order.id, amount, lines=[line], is_restocked=True)
        w.settle()
        assert _stock(w) == 9
        w.judge(return_id)
        w.settle()
        assert _stock(w) == 9
        assert w.refund_posts() == 0
        assert w.effects(return_id, states.RESTOCK) == []
        assert w.open_cases() == ([states.CASE_TELL_ALREADY_REFUNDED] if amount else [])
        (row,) = boxes.stock_box(w.rma(return_id))
        assert (row.restocked, row.restocking, row.by_hand) == (0, 0, 1)
        assert _is_replayed(w, return_id)
        rma = w.rma(return_id)
        assert rma.order is not None
        check_order(order=rma.order, at=w.now(), by="system")
        assert w.open_cases() == ([states.CASE_TELL_ALREADY_REFUNDED] if amount else [])


def test_a_restock_by_hand_that_no_webhook_told_of_is_seen_before_ours_goes() -> None:
    with world(is_telling=True) as w:
        order, return_id = _returned(w, quantity=2)
        w.shop.staff_refund(
            order.id, Decimal(0), lines=[RefundLine(item_id=order.items[0].id, quantity=1)], is_restocked=True
        )
        w.shop.state.sender.pending().clear()
        w.judge(return_id, quantity=2)
        w.settle()
        assert _stock(w) == 10
        assert w.effect(return_id, states.RESTOCK).quantity == 1
        assert len(w.restock_records(order)) == 2


def test_damaged_goods_put_back_by_hand_are_a_case_of_the_warehouse() -> None:
    with world() as w:
        order, return_id = _returned(w)
        w.shop.staff_refund(
            order.id, Decimal(0), lines=[RefundLine(item_id=order.items[0].id, quantity=1)], is_restocked=True
        )
        w.judge(return_id, "damaged")
        w.settle()
        assert w.open_cases() == [states.CASE_RESTOCKED_BY_HAND]
        case = ExceptionCase.objects.active().get()
        units = {"by_hand": 1, "by_us": 0, "sellable": 0, "by_hand_if_accepted": 1}
        assert case.evidence == {"item": w.item_id(return_id), **units}
        queue.run_action(
            case=case, action_code="waive_hold", by=w.users["WH"], at=w.now(), reason="Taken off the shelf.", data={}
        )
        w.settle()
        assert w.open_cases() == []
        assert w.refund_posts() == 0


# --- in the moment between our look-up and our POST ------------------------------------------------------------------


def _meanwhile(w: World, kind: str, by_hand: Callable[[], Refund]) -> list[Refund]:
    """What a colleague does in the moment in which our first effect of that kind goes out."""
    done: list[Refund] = []

    def checkpoint(name: str) -> None:
        if name == "send_begun" and not done and Effect.objects.filter(kind=kind, state=states.SENDING).exists():
            done.append(by_hand())

    w.runtime = replace(w.runtime, checkpoint=checkpoint)
    return done


def test_refunded_by_hand_while_ours_goes_out_is_one_payout_of_ours_and_a_case() -> None:
    """The shop takes both where enough is left for both: nothing there prevents it, so a person has to hear of it."""
    with world() as w:
        order, return_id = _due(w)
        done = _meanwhile(
            w,
            states.REFUND,
            lambda: w.shop.staff_refund(order.id, TEE, reason="on the phone", is_gateway_called=True),
        )
        w.pay(return_id, str(TEE))
        w.settle()
        ours = w.effect(return_id, states.REFUND)
        assert (ours.state, w.open_cases()) == (states.CONFIRMED, [OUTSIDE])
        assert {str(refund.id) for refund in w.money_refunds(order)} == {ours.remote_id, str(done[0].id)}
        assert [payout.amount for payout in w.shop.gateway_payouts] == [TEE, TEE]
        evidence = _case().evidence
        assert ([row["id"] for row in evidence["refunds"]], evidence["remaining"]) == ([str(done[0].id)], str(MUG))


def test_restocked_by_hand_while_ours_goes_out_is_seen_on_the_line_and_a_case() -> None:
    """Two were sold, so the line has enough left for both restocks, and one unit too many is on sale."""
    with world() as w:
        order, return_id = _returned(w)
        unit = [RefundLine(item_id=order.items[0].id, quantity=1)]
        done = _meanwhile(
            w,
            states.RESTOCK,
            lambda: w.shop.staff_refund(order.id, Decimal(0), lines=unit, is_restocked=True),
        )
        w.judge(return_id)
        w.settle()
        ours = w.effect(return_id, states.RESTOCK)
        assert {str(record.id) for record in w.restock_records(order)} == {ours.remote_id, str(done[0].id)}
        assert (ours.state, w.open_cases()) == (states.CONFIRMED, [states.CASE_RESTOCKED_BY_HAND])
        rma = w.rma(return_id)
        assert rma.order is not None
        check_order(order=rma.order, at=w.now(), by="system")
        assert w.open_cases() == [states.CASE_RESTOCKED_BY_HAND]
