"""Stories as ReBound sees them: words of the merchant, verdicts item by item, errors that come as successes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from connectors.management.demo.teller import Story, Wanted
from connectors.management.demo.teller_rebound import ShopifyReboundTeller
from returnsops import states


def judged_item_by_item(t: ShopifyReboundTeller) -> Story:
    """Two articles in one parcel: the first is judged and paid, the second a round of polling later, to the bin."""
    order = t.order(("tee", 1), ("jeans", 1), discount=Decimal("4.00"), shipping=Decimal("6.00"))
    asked = t.ask(order, Wanted(line=0), Wanted(line=1, reason="faulty"))
    t.arrived(asked)
    yield
    t.judge(asked, "sellable")
    t.pay(asked, items=[0])
    yield
    t.account.dispose(asked.id, "GRADE A", "BIN")
    t.expect_judged_as(asked, asked.wants[1], "damaged")
    t.pay(asked, items=[1])
    yield


def fewer_units_than_announced(t: ShopifyReboundTeller) -> Story:
    """One of two articles was not in the parcel: the other is paid, and the warehouse hears of it."""
    asked = t.ask(t.order(("dress", 1), ("socks", 1)), Wanted(line=0), Wanted(line=1))
    t.arrived(asked)
    yield
    t.judge(asked, "sellable", "missing")
    t.pay(asked, items=[0])
    t.expect_case(states.CASE_GOODS_MISSING)
    yield


def several_units_one_word(t: ShopifyReboundTeller) -> Story:
    """One word for two units cannot be split: the bench judges them."""
    asked = t.ask(t.order(("socks", 2)), Wanted(quantity=2))
    t.arrived(asked)
    yield
    t.account.dispose(asked.id, "GRADE A")
    t.expect_case(states.CASE_CONFIRM_SPLIT)
    yield


def error_inside_200(t: ShopifyReboundTeller) -> Story:
    """ReBound answers errors with HTTP 200: nothing is taken for an answer, and the next round reads it."""
    asked = t.ask(t.order(("tee", 2)))
    t.arrived(asked)
    yield
    t.fail_inside_200("/returns/get/json", times=2)
    t.judge(asked)
    t.pay(asked)
    yield


def unknown_word_of_the_carrier(t: ShopifyReboundTeller) -> Story:
    """A status nobody has mapped is one case until it means something, and the return goes on by the other words."""
    asked = t.ask(t.order(("tee", 1)))
    t.account.track(asked.id, "Held by customs")
    t.expect_case(states.CASE_UNMAPPED_EVENT)
    yield
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked)
    yield


def refunded_before_the_verdict(t: ShopifyReboundTeller) -> Story:
    """Anna refunds in the shop's admin before the hub has judged: it counts, and nothing is paid twice."""
    order = t.order(("jeans", 2))
    asked = t.ask(order)
    yield
    t.refund_by_hand(order, t.worth(order, Wanted()), reason="Customer called, paid back")
    t.arrived(asked)
    t.judge(asked)
    t.expect_settled(asked)
    yield


WITH_REBOUND: Final[dict[str, Callable[[Any], Story]]] = {
    story.__name__: story
    for story in (
        judged_item_by_item,
        fewer_units_than_announced,
        several_units_one_word,
        error_inside_200,
        unknown_word_of_the_carrier,
        refunded_before_the_verdict,
    )
}
