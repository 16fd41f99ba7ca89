"""Stories that a person has to decide: each ends in a case of the right team, and nothing wrong is sent."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from connectors.management.demo.teller import BY_PLATFORM, AnyOrder, Asked, Story, Teller, Wanted
from connectors.management.demo.teller_reveni import ReveniTeller
from connectors.management.demo.teller_woocommerce import WooTeller
from connectors.simulators.woocommerce.order_writing import CartLine
from returnsops import states


def _judged(t: Teller, order: AnyOrder = None) -> Asked:
    asked = t.ask(order or t.order(("tee", 2)))
    t.arrived(asked)
    t.judge(asked)
    return asked


def no_refund_yet(t: Teller) -> Story:
    """Tour: the platform decided the refund and one of two items is not inspected yet."""
    asked = t.ask(t.order(("dress", 1), ("tee", 1)), Wanted(line=0), Wanted(line=1))
    t.arrived(asked)
    t.judge(asked, "sellable", is_complete=False)
    t.pay(asked, is_expected=False)
    yield


def paid_by_hand(t: Teller) -> Story:
    """Tour: a colleague refunded in the shop before the platform decided the same refund."""
    order = t.order(("tee", 2))
    t.refund_by_hand(order, t.worth(order, Wanted()), reason="Customer called, paid back")
    asked = _judged(t, order)
    t.pay(asked, is_expected=False)
    t.expect_case(states.CASE_REFUNDED_OUTSIDE)
    yield


def inspect_next(t: Teller) -> Story:
    """Tour: the parcel that has waited longest for the warehouse."""
    asked = t.ask(t.order(("coat", 1), ("tee", 2)), Wanted(line=0), Wanted(line=1, quantity=2))
    t.arrived(asked)
    yield


def goodwill_by_hand(t: WooTeller) -> Story:
    """A small goodwill by hand, attributed to nobody."""
    order = t.order(("jeans", 1))
    t.refund_by_hand(order, t.money(t.total(order) / 8), reason="Goodwill")
    asked = _judged(t, order)
    t.pay(asked, is_expected=False)
    t.expect_case(states.CASE_REFUNDED_OUTSIDE)
    yield


def unmapped_reason(t: Teller) -> Story:
    """A reason nobody has mapped."""
    asked = t.ask(t.order(("tee", 1)), Wanted(reason="wrong_vibe"))
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked, is_expected=False)
    t.no_restock(asked)
    t.expect_case(states.CASE_REASON_UNMAPPED)
    yield


def no_reason(t: Teller) -> Story:
    """No reason at all."""
    asked = t.ask(t.order(("socks", 1)), Wanted(reason=None))
    t.arrived(asked)
    t.expect_case(states.CASE_REASON_UNMAPPED)
    yield


def would_over_refund(t: WooTeller) -> Story:
    """A voucher made the order cheaper than the article the platform wants to pay for."""
    order = t.order(("tee", 1), fees={"Voucher": Decimal("-8.00")})
    asked = _judged(t, order)
    t.pay(asked, is_expected=False)
    t.expect_case(states.CASE_WOULD_OVER_REFUND)
    yield


def amount_mismatch(t: Teller) -> Story:
    """The platform decides more than the order gives."""
    asked = _judged(t)
    t.pay(asked, t.worth(asked.order, Wanted()) + 5, is_expected=False)
    t.expect_case(states.CASE_AMOUNT_MISMATCH)
    yield


def foreign_currency(t: Teller) -> Story:
    """The platform decides in dollars what was paid in another currency."""
    asked = _judged(t)
    t.pay(asked, is_expected=False, currency="USD")
    t.expect_case(states.CASE_CURRENCY_MISMATCH)
    yield


def unknown_sku(t: Teller) -> Story:
    """An article that was never sold with this order."""
    stranger = {"order_line_id": None, "variant_id": None, "sku": "NOT-SOLD-HERE", "name": "Unknown scarf"}
    asked = t.ask(t.order(("tee", 1)), item=stranger)
    t.arrived(asked)
    t.judge(asked)
    t.no_restock(asked)
    t.pay(asked, is_expected=False)
    t.expect_case(states.CASE_LINE_NOT_ON_ORDER)
    yield


def ambiguous_variation(t: WooTeller) -> Story:
    """A variation without an SKU of its own: the money goes, the stock waits."""
    shop = t.market.shop
    parent = shop.add_product("Trainers", None, sku="TRAIN", type="variable")
    size = shop.add_variation(parent, Decimal("59.00"), options={"Size": "40"}, stock_quantity=12)
    t.market.stocked[size.id] = 12
    order = t.order(options=[CartLine(product_id=parent.id, variation_id=size.id, quantity=1)])
    asked = _judged(t, order)
    t.no_restock(asked)
    t.pay(asked)
    t.expect_case(states.CASE_SKU_AMBIGUOUS)
    yield


def locked_order(t: WooTeller) -> Story:
    """The order is on hold in the shop."""
    asked = t.ask(t.order(("tee", 2)))
    t.market.shop.set_status(asked.order.id, "on-hold")
    t.arrived(asked)
    t.judge(asked)
    t.no_restock(asked)
    t.pay(asked, is_expected=False)
    t.expect_case(states.CASE_ORDER_LOCKED)
    yield


def gateway_refuses(t: WooTeller) -> Story:
    """Paid by bank transfer, which the shop cannot send back."""
    asked = _judged(t, t.order(("jeans", 1), gateway="bacs"))
    t.pay(asked, is_expected=False)
    t.expect_case(states.CASE_REJECTED)
    yield


def nobody_named_to_pay(t: Teller) -> Story:
    """The platform does not say who moves the money."""
    asked = _judged(t)
    t.pay(asked, is_expected=False, executed_by="")
    t.expect_case(states.CASE_EXECUTOR_UNKNOWN)
    yield


def outside_the_window(t: Teller) -> Story:
    """Asked for four months after the order."""
    asked = _judged(t, t.order(("dress", 1), days_before=120))
    t.pay(asked, is_expected=False)
    t.expect_case(states.CASE_OUTSIDE_WINDOW)
    yield


def too_many_units(t: Teller) -> Story:
    """Three come back of two that were bought."""
    asked = t.ask(t.order(("socks", 2)), Wanted(quantity=3))
    t.arrived(asked)
    t.expect_case(states.CASE_TOO_MANY_UNITS)
    yield


def large_amount(t: Teller) -> Story:
    """More than one person alone may send."""
    asked = _judged(t, t.order(("coat", 1)))
    t.pay(asked, is_expected=False)
    t.expect_case(states.CASE_NEEDS_APPROVAL)
    yield


def unknown_condition(t: Teller) -> Story:
    """The platform cannot say what became of the goods: paid, as they were accepted, and never put on sale."""
    asked = t.ask(t.order(("tee", 1)))
    t.arrived(asked)
    t.judge(asked, "unknown")
    t.pay(asked)
    yield


def decision_due(t: ReveniTeller) -> Story:
    """Day 26 of 30: the platform waits for accept or reject of an instant return."""
    asked = t.ask(t.order(("jeans", 1)), mode="instant")
    t.pay(asked, executed_by=BY_PLATFORM, is_instant=True)
    t.later(3)
    t.platform.in_transit(asked.id)
    t.expect_case(states.CASE_DECISION_DUE)
    yield


def never_returned(t: ReveniTeller) -> Story:
    """Paid at once, and the goods never came; the charge for them failed."""
    asked = t.ask(t.order(("dress", 1)), mode="instant")
    t.pay(asked, executed_by=BY_PLATFORM, is_instant=True)
    yield
    t.later(31)
    t.platform.expire(asked.id)
    t.platform.charge(asked.id, amount=f"{t.worth(asked.order, Wanted())}", stage="failed")
    t.expect_case(states.CASE_INSTANT_NEVER_RETURNED)
    t.expect_case(states.CASE_CHARGE_PROBLEM)
    yield


def payout_failed(t: ReveniTeller) -> Story:
    """The platform's own money did not reach the customer, and the shop says it did."""
    asked = t.ask(t.order(("tee", 1)), mode="instant")
    refund_id = t.pay(asked, executed_by=BY_PLATFORM, is_instant=True)
    yield
    t.platform.fail_refund(asked.id, refund_id)
    t.expect_case(states.CASE_PLATFORM_REFUND_FAILED)
    yield


def risk_review(t: ReveniTeller) -> Story:
    """A fraud review freezes money and stock."""
    asked = t.ask(t.order(("coat", 1)))
    t.platform.risk_hold(asked.id)
    t.expect_case(states.CASE_RISK_HOLD)
    yield


def verdict_corrected(t: Teller) -> Story:
    """Sellable, back on the shelf, and then found to be damaged."""
    asked = _judged(t)
    t.pay(asked)
    yield
    t.judge(asked, "damaged")
    t.expect_case(states.CASE_RESTOCK_CONTRADICTED)
    yield


def order_not_found(t: WooTeller) -> Story:
    """The platform names an order that the shop does not have."""
    item = {"sku": "TEE-BLK-M", "quantity": 1, "reason_code": "too_small"}
    currency = t.market.place.currency
    return_id = t.platform.create_return(order_id="999999", items=[item], currency=currency)
    t.platform.authorise(return_id)
    t.begun(None, ())
    t.expect_case(states.CASE_ORDER_NOT_FOUND)
    yield


FOR_PEOPLE: Final[dict[str, Callable[[Any], Story]]] = {
    story.__name__: story
    for story in (
        no_refund_yet,
        paid_by_hand,
        inspect_next,
        goodwill_by_hand,
        unmapped_reason,
        no_reason,
        would_over_refund,
        amount_mismatch,
        foreign_currency,
        unknown_sku,
        ambiguous_variation,
        locked_order,
        gateway_refuses,
        nobody_named_to_pay,
        outside_the_window,
        too_many_units,
        large_amount,
        unknown_condition,
        decision_due,
        never_returned,
        payout_failed,
        risk_review,
        verdict_corrected,
        order_not_found,
    )
}
