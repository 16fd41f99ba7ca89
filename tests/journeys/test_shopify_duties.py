"""Duties and tips of a Shopify order, which go back by the policy alone: whole, once, with the last units."""

from decimal import Decimal

import pytest

from connectors.simulators.shopify.order_writing import CartLine
from connectors.simulators.shopify.records import Order
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from tests.journeys.rebound_world import ShopifyPair, shopify_pair
from tests.journeys.shopify_world import gid

pytestmark = pytest.mark.django_db

SHARED = 'received"\nshipping = "whole_order'
BACK = f'{SHARED}"\nduties = "whole_order"\ntips = "whole_order'


def sold(p: ShopifyPair, units: int) -> Order:
    """T-shirts of 30.00 each with 6.00 of duties and 2.00 of tip; one of them came back to the hub."""
    cart = [CartLine(variant=p.w.variant(), quantity=units, duty=Decimal("6.00"))]
    return p.w.store.place(cart, customer=p.w.customer, is_fulfilled=True, tip=Decimal("2.00"))


def arrived(p: ShopifyPair, order: Order) -> list[Decimal]:
    """One more unit of the order arrives; the order's refunds."""
    return_id = p.placed(order.name, {"sku_code": order.lines[0].sku})
    p.account.track(return_id, "Arrived at Our Hub")
    p.poll()
    return p.w.paid_back(order)


def test_duties_and_tip_go_back_with_the_last_unit_and_never_where_the_policy_is_silent() -> None:
    with shopify_pair(trigger=BACK) as p:
        order = sold(p, 2)
        assert arrived(p, order) == [Decimal("30.00")]
        assert arrived(p, order) == [Decimal("30.00"), Decimal("38.00")]
        (duty,) = order.lines[0].duties
        first, last = (call["input"] for call in p.w.asked("RefundCreate"))
        assert ("refundDuties" in first, last["refundDuties"]) == (
            False,
            [{"dutyId": gid("Duty", duty.id), "refundType": "FULL"}],
        )
        assert (p.w.store.refunded_total(order), p.w.open_cases()) == (Decimal("68.00"), [])

        p.install(trigger=SHARED)
        kept = sold(p, 1)
        assert arrived(p, kept) == [Decimal("30.00")]
        assert ("refundDuties" in p.w.asked("RefundCreate")[-1]["input"], p.w.open_cases()) == (False, [])


@pytest.mark.parametrize("has_rest", [True, False])
def test_the_rest_of_a_duty_that_was_partly_given_back_by_hand_is_finances_case(has_rest: bool) -> None:
    """Somebody refunded a unit with its half of the duty before; the other unit comes back by a return."""
    with shopify_pair(trigger=BACK.replace('"', '"\nreview_partly_refunded = false', 1)) as p:
        order = sold(p, 2)
        (line, (duty,)) = (order.lines[0], order.lines[0].duties)
        p.w.store.staff_refund(order, Decimal("33.00"), lines={line.id: 1}, duties={duty.id: Decimal("3.00")})
        p.w.shift(60)
        assert arrived(p, order) == [Decimal("33.00"), Decimal("32.00")]
        assert "refundDuties" not in p.w.asked("RefundCreate")[-1]["input"]
        assert p.w.open_cases() == [states.CASE_DUTY_LEFT]
        case = ExceptionCase.objects.active().get()
        assert (case.owner_team, case.money_at_risk, case.currency) == (states.FIN, Decimal("3.00"), "EUR")
        assert "€3.00 of €6.00 (Duty) were given back by hand" in case.cause
        if has_rest:
            p.w.store.staff_refund(order, Decimal("3.00"), duties={duty.id: Decimal("3.00")})
            p.w.poll()
            p.w.settle()
        else:
            finance = p.w.users["FIN"]
            queue.run_action(case=case, action_code="waive_hold", by=finance, at=p.w.now(), reason="goodwill, agreed")
        assert states.CASE_DUTY_LEFT not in p.w.open_cases()
        assert len(p.w.asked("RefundCreate")) == 1
