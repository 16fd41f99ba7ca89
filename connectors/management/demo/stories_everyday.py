"""Stories that end well by themselves: refunds, batches, goods of every condition, money paid elsewhere."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from connectors.management.demo.teller import BY_PLATFORM, Story, Teller, Wanted
from connectors.management.demo.teller_reveni import ReveniTeller
from connectors.management.demo.teller_woocommerce import WooTeller
from returnsops import states


def simple_refund(t: Teller) -> Story:
    """One of two comes back, is sellable, and is paid."""
    asked = t.ask(t.order(("tee", 2)))
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked)
    yield


def refund_of_two_units(t: Teller) -> Story:
    """Two of three units: the cents of the line are shared out over its units."""
    asked = t.ask(t.order(("socks", 3)), Wanted(quantity=2))
    t.arrived(asked)
    yield
    t.judge(asked)
    t.pay(asked)
    yield


def less_a_fee(t: Teller) -> Story:
    """The platform keeps a return fee."""
    asked = t.ask(t.order(("dress", 1)))
    t.arrived(asked)
    t.judge(asked)
    fee = t.money(t.worth(asked.order, Wanted()) / 10)
    t.pay(asked, t.worth(asked.order, Wanted()) - fee, fees=f"{fee}")
    yield


def damaged(t: Teller) -> Story:
    """Paid, and never put on sale again."""
    asked = t.ask(t.order(("jeans", 1)), Wanted(reason="faulty"))
    t.arrived(asked)
    t.judge(asked, "damaged")
    t.pay(asked)
    yield


def quarantined(t: Teller) -> Story:
    """Paid, and set aside until somebody looks closer."""
    asked = t.ask(t.order(("coat", 1), ("socks", 1)), Wanted(line=1))
    t.arrived(asked)
    t.judge(asked, "quarantine")
    t.pay(asked)
    yield


def one_missing(t: ReveniTeller) -> Story:
    """Two were announced and one was in the parcel: one is paid, and the warehouse hears of the other."""
    asked = t.ask(t.order(("tee", 2)), Wanted(quantity=2))
    t.arrived(asked)
    yield
    item = asked.items[0]
    there = {"item_id": item, "quantity": 1, "disposition": "sellable"}
    gone = {"item_id": item, "quantity": 1, "outcome": "missing", "disposition": "missing"}
    t.platform.complete_inspection(asked.id, [there, gone])
    t.expect_restock(asked, asked.wants[0], units=1)
    t.expect_case(states.CASE_GOODS_MISSING)
    yield
    amount = t.worth(asked.order, Wanted())
    t.platform.issue_refund(
        asked.id, amount=f"{amount}", items=[{"item_id": item, "quantity": 1, "amount": f"{amount}"}]
    )
    t.expect_refund(asked.order, amount)
    yield


def batch(t: Teller) -> Story:
    """Three articles in one parcel, of different condition, one refund."""
    order = t.order(("tee", 2), ("jeans", 1), ("socks", 3))
    asked = t.ask(order, Wanted(line=0), Wanted(line=1, reason="faulty"), Wanted(line=2, quantity=3))
    t.arrived(asked)
    yield
    t.judge(asked, "sellable", "damaged", "sellable")
    t.pay(asked)
    yield


def batch_in_two_refunds(t: Teller) -> Story:
    """Two articles, each paid when it was judged."""
    asked = t.ask(t.order(("dress", 1), ("tee", 1)), Wanted(line=0), Wanted(line=1))
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked, items=[0])
    yield
    t.pay(asked, items=[1])
    yield


def two_returns_of_one_order(t: Teller) -> Story:
    """The customer comes twice with the same order."""
    order = t.order(("tee", 3))
    for _ in range(2):
        asked = t.ask(order)
        t.arrived(asked)
        t.judge(asked)
        t.pay(asked)
        yield


def whole_order_with_shipping(t: WooTeller) -> Story:
    """All of it goes back, and the platform gives the shipping back too."""
    order = t.order(("jeans", 1), shipping=Decimal("4.13"))
    asked = t.ask(order)
    t.arrived(asked)
    t.judge(asked)
    shipping = t.total(order) - t.worth(order, Wanted())
    t.pay(asked, t.total(order), shipping=f"{shipping}")
    yield


def with_a_coupon(t: WooTeller) -> Story:
    """The customer gets back what the article cost after the discount."""
    code = f"spring{len(t.market.shop.state.coupons)}"
    coupon = t.market.shop.add_coupon(code, Decimal(15))
    asked = t.ask(t.order(("dress", 1), ("tee", 2), coupons=[coupon]), Wanted(line=1))
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked)
    yield


def with_a_fee_on_the_order(t: WooTeller) -> Story:
    """Gift wrapping is not given back."""
    asked = t.ask(t.order(("dress", 1), fees={"Gift wrapping": Decimal("3.00")}))
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked)
    yield


def edited_order(t: WooTeller) -> Story:
    """Staff took one unit off the order before the parcel left: only what was really bought counts."""
    order = t.order(("tee", 3))
    line = order.of_kind("line")[0]
    t.market.shop.edit_order(order.id, quantities={line.id: 2})
    asked = t.ask(order, Wanted(quantity=2))
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked)
    yield


def instant_paid_outside(t: Teller) -> Story:
    """The platform paid at once with its own money: it is recorded in the shop, and no gateway is asked."""
    asked = t.ask(t.order(("jeans", 1)), mode="instant")
    t.pay(asked, executed_by=BY_PLATFORM, is_instant=True)
    yield
    t.arrived(asked)
    t.judge(asked)
    yield


def declined(t: ReveniTeller) -> Story:
    """The platform declines, and nothing may move."""
    asked = t.ask(t.order(("tee", 1)), is_authorised=False)
    t.platform.decline(asked.id)
    yield


def cancelled(t: ReveniTeller) -> Story:
    """The customer keeps it after all."""
    asked = t.ask(t.order(("dress", 1)))
    t.platform.cancel(asked.id)
    yield


def to_inspect(t: Teller) -> Story:
    """It arrived and waits for the warehouse."""
    asked = t.ask(t.order(("coat", 1)))
    t.arrived(asked, days_later=1)
    yield


def on_the_way(t: ReveniTeller) -> Story:
    """Still with the carrier."""
    asked = t.ask(t.order(("socks", 2)), Wanted(quantity=2))
    t.platform.in_transit(asked.id)
    yield


EVERYDAY: Final[Mapping[str, Callable[[Any], Story]]] = {
    story.__name__: story
    for story in (
        simple_refund,
        refund_of_two_units,
        less_a_fee,
        damaged,
        quarantined,
        one_missing,
        batch,
        batch_in_two_refunds,
        two_returns_of_one_order,
        whole_order_with_shipping,
        with_a_coupon,
        with_a_fee_on_the_order,
        edited_order,
        instant_paid_outside,
        declined,
        cancelled,
        to_inspect,
        on_the_way,
    )
}
