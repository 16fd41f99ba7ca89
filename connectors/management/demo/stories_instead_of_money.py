"""Stories in which the customer takes goods or credit instead of money, and those in which that is taken back."""

from collections.abc import Callable
from typing import Any, Final

from connectors.management.demo.teller import BY_PLATFORM, Story, Wanted
from connectors.management.demo.teller_reveni import ReveniTeller
from connectors.management.demo.teller_woocommerce import WooTeller
from connectors.simulators.base import FaultKind
from returnsops import states


def instant_exchange(t: ReveniTeller) -> Story:
    """The replacement is ordered before the goods come back, and the platform hears its number."""
    asked = t.ask(t.order(("tee", 1)), resolution="exchange", item={"resolution": "exchange"})
    t.swap(asked, is_instant=True)
    yield
    t.arrived(asked)
    t.judge(asked)
    yield


def exchange_after_inspection(t: ReveniTeller) -> Story:
    """The replacement waits until the goods are judged."""
    asked = t.ask(t.order(("tee", 2)), resolution="exchange", item={"resolution": "exchange"})
    t.swap(asked)
    t.arrived(asked)
    yield
    t.judge(asked)
    yield


def lost_answer_of_an_exchange(t: WooTeller) -> Story:
    """The shop makes the replacement order and the answer is lost: found again, and made ready once."""
    asked = t.ask(t.order(("tee", 1)), resolution="exchange", item={"resolution": "exchange"})
    t.spoil_shop(FaultKind.LOST_ANSWER, path=r"/orders/\d+$", method="PUT")
    t.swap(asked, is_instant=True)
    yield


def exchange_out_of_stock(t: WooTeller) -> Story:
    """What is wanted instead is sold out: nothing is ordered, and customer service offers something else."""
    t.market.add_article("scarf", t.worth_of("tee"), stock=0)
    asked = t.ask(t.order(("tee", 1)), resolution="exchange", item={"resolution": "exchange"})
    t.swap(asked, article="scarf", is_placed=False, is_instant=True)
    t.expect_case(states.CASE_EXCHANGE_UNAVAILABLE)
    yield


def exchange_withdrawn(t: ReveniTeller) -> Story:
    """The customer changes their mind after the replacement was ordered and before it was shipped."""
    asked = t.ask(t.order(("tee", 1)), resolution="exchange", item={"resolution": "exchange"})
    exchange_id = t.swap(asked, is_instant=True)
    yield
    t.platform.cancel_exchange(asked.id, exchange_id)
    t.expect_withdrawn(asked)
    yield


def store_credit(t: ReveniTeller) -> Story:
    """Store credit as a coupon of this customer, with the bonus the platform gives for it."""
    asked = t.ask(t.order(("socks", 1)), resolution="store_credit", item={"resolution": "store_credit"})
    t.arrived(asked)
    t.judge(asked)
    bonus = t.money(t.worth(asked.order, Wanted()) / 10)
    t.credit(asked, bonus=f"{bonus}")
    yield


def gift_card(t: ReveniTeller) -> Story:
    """A gift card."""
    asked = t.ask(t.order(("dress", 1)), resolution="gift_card", item={"resolution": "gift_card"})
    t.arrived(asked)
    t.judge(asked, "damaged")
    t.credit(asked, is_gift_card=True)
    yield


def lost_answer_of_a_coupon(t: WooTeller) -> Story:
    """The shop makes the coupon and the answer is lost: found again by its code."""
    asked = t.ask(t.order(("tee", 2)), resolution="store_credit", item={"resolution": "store_credit"})
    t.arrived(asked)
    t.judge(asked)
    t.spoil_shop(FaultKind.LOST_ANSWER, path="/coupons$")
    t.credit(asked)
    yield


def credit_by_the_platform(t: ReveniTeller) -> Story:
    """The platform issued the credit itself: nothing is made in the shop."""
    asked = t.ask(t.order(("tee", 1)), resolution="store_credit", item={"resolution": "store_credit"})
    t.arrived(asked)
    t.judge(asked)
    t.credit(asked, executed_by=BY_PLATFORM)
    yield


def corrected_by_itself(t: ReveniTeller) -> Story:
    """Back on sale, then found damaged: where the policy lets it, the unit leaves the stock by itself."""
    asked = t.ask(t.order(("jeans", 1)))
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked)
    yield
    t.judge(asked, "damaged")
    t.expect_taken_out(asked, asked.wants[0])
    yield


INSTEAD: Final[dict[str, Callable[[Any], Story]]] = {
    story.__name__: story
    for story in (
        instant_exchange,
        exchange_after_inspection,
        lost_answer_of_an_exchange,
        exchange_out_of_stock,
        exchange_withdrawn,
        store_credit,
        gift_card,
        lost_answer_of_a_coupon,
        credit_by_the_platform,
        corrected_by_itself,
    )
}
