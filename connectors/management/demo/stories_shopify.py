"""Stories that only a Shopify shop can play: edits, tenders, two currencies, its own staff, its points."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from connectors.management.demo.teller import Story, Wanted
from connectors.management.demo.teller_shopify import ShopifyReveniTeller, ShopifyTeller


def discounted_and_edited(t: ShopifyTeller) -> Story:
    """A code on the shirts, postage, and staff take one unit out before the parcel leaves: two of three come back."""
    order = t.order(("tee", 4), ("socks", 1), discount=Decimal("12.00"), shipping=Decimal("4.95"), is_sent=False)
    t.edit(order, [3, 1])
    t.market.shop.fulfil(order)
    asked = t.ask(order, Wanted(quantity=2))
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked)
    yield


def split_tender(t: ShopifyTeller) -> Story:
    """Paid with a gift card and a card: the money goes back to both."""
    asked = t.ask(t.order(("jeans", 1), payments=t.two_tenders("20.00")))
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked)
    yield


def foreign_customer(t: ShopifyReveniTeller) -> Story:
    """The customer saw and paid another currency than the shop's own, and gets that back."""
    (currency, *_) = t.market.place.rates
    asked = t.ask(t.order(("dress", 2), presentment_currency=currency))
    t.arrived(asked)
    yield
    t.judge(asked)
    t.pay(asked)
    yield


def throttled_inside_200(t: ShopifyTeller) -> Story:
    """The shop answers THROTTLED with HTTP 200, to the restock and to the refund: both come a moment later, once."""
    asked = t.ask(t.order(("socks", 2)))
    t.arrived(asked)
    yield
    t.throttle("InventoryAdjust")
    t.throttle("RefundCreate")
    t.judge(asked)
    t.pay(asked)
    yield


def cancelled_on_the_way(t: ShopifyReveniTeller) -> Story:
    """The customer keeps it after all: the return that the shop shows already is cancelled there too."""
    asked = t.ask(t.order(("dress", 1)))
    yield
    t.platform.cancel(asked.id)
    t.expect_withdrawn_return(asked)
    yield


def credit_of_the_shop(t: ShopifyReveniTeller) -> Story:
    """Store credit on the customer's account; a bonus on top would be a person's."""
    asked = t.ask(t.order(("socks", 1)), resolution="store_credit", item={"resolution": "store_credit"})
    t.arrived(asked)
    t.judge(asked)
    t.credit(asked)
    yield


def refunded_by_staff(t: ShopifyTeller) -> Story:
    """Anna refunds in the shop's admin, unit and all; then the same is decided: it counts as hers, and none is sent."""
    order = t.order(("tee", 2))
    asked = t.ask(order)
    yield
    t.refund_by_hand(order, t.worth(order, Wanted()), reason="Customer called, paid back")
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked, is_expected=False)
    t.expect_settled(asked)
    yield


IN_SHOPIFY: Final[dict[str, Callable[[Any], Story]]] = {
    story.__name__: story
    for story in (
        discounted_and_edited,
        split_tender,
        foreign_customer,
        throttled_inside_200,
        cancelled_on_the_way,
        credit_of_the_shop,
        refunded_by_staff,
    )
}
