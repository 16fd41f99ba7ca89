"""Which stories are told where and when in the played day; their order gives the returns their numbers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Final

from connectors.management.demo.expectations import Book
from connectors.management.demo.markets import Market
from connectors.management.demo.stories_everyday import EVERYDAY
from connectors.management.demo.stories_for_people import FOR_PEOPLE
from connectors.management.demo.stories_instead_of_money import INSTEAD
from connectors.management.demo.stories_network import NETWORK
from connectors.management.demo.stories_rebound import WITH_REBOUND
from connectors.management.demo.stories_shopify import IN_SHOPIFY
from connectors.management.demo.teller import Story
from connectors.management.demo.tellers import teller_of

# Told in WooCommerce, every one; a story that needs no more than every shop and platform can do is told elsewhere too.
_ANYWHERE: Final[dict[str, Callable[[Any], Story]]] = {**EVERYDAY, **NETWORK, **INSTEAD, **FOR_PEOPLE}
STORIES: Final[dict[str, Callable[[Any], Story]]] = {**_ANYWHERE, **IN_SHOPIFY, **WITH_REBOUND}


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One story in one market, begun some days ago."""

    story: str
    market: str = "eu"
    days_ago: float = 3.0


# Told before the workers start: a missing order is looked for until an hour has passed.
YESTERDAY: Final = (Telling(story="order_not_found", market="kw", days_ago=1),)

FIRST: Final = Telling(story="simple_refund", days_ago=4)

# The tours of the README name these returns by number: keep them in front, in this order.
TOURS: Final = (
    Telling(story="no_refund_yet", days_ago=6),
    Telling(story="paid_by_hand", days_ago=5),
    Telling(story="inspect_next", days_ago=12),
)

_OLD: Final = {"decision_due": 26.0, "never_returned": 33.0, "to_inspect": 4.0, "outside_the_window": 5.0}
_ELSEWHERE: Final = (
    ("simple_refund", "jp"),
    ("refund_of_two_units", "jp"),
    ("damaged", "jp"),
    ("batch", "jp"),
    ("lost_answer_of_a_refund", "jp"),
    ("unmapped_reason", "jp"),
    ("simple_refund", "kw"),
    ("refund_of_two_units", "kw"),
    ("batch_in_two_refunds", "kw"),
    ("duplicate_events", "kw"),
    ("instant_paid_outside", "kw"),
    ("instant_exchange", "jp"),
    ("instant_exchange", "kw"),
    ("store_credit", "jp"),
    ("gift_card", "kw"),
)
_IN_SHOPIFY_TOO: Final = (
    "simple_refund",
    "damaged",
    "instant_paid_outside",
    "unmapped_reason",
    "duplicate_events",
    "lost_event",
    "lost_answer_of_a_refund",
    "instant_exchange",
    "gift_card",
)
_WITH_REBOUND_TOO: Final = (
    "simple_refund",
    "damaged",
    "unmapped_reason",
    "lost_answer_of_a_refund",
    "split_tender",
    "throttled_inside_200",
)
_ONCE_ONLY: Final = {telling.story for telling in (*YESTERDAY, *TOURS)}
# Where the policy lets inverses go by themselves.
_AT: Final = {"corrected_by_itself": "kw", "exchange_withdrawn": "kw"}

DAY: Final = (
    *(
        Telling(story=name, market=_AT.get(name, "eu"), days_ago=_OLD.get(name, 3.0))
        for name in _ANYWHERE
        if name not in _ONCE_ONLY
    ),
    *(Telling(story=name, market=market) for name, market in _ELSEWHERE),
    *(Telling(story=name, market="uk") for name in (*_IN_SHOPIFY_TOO, *IN_SHOPIFY)),
    *(Telling(story=name, market="us") for name in (*_WITH_REBOUND_TOO, *WITH_REBOUND)),
)

# After the day, one new return at a time, for ever.
EVER_AFTER: Final = (
    Telling(story="simple_refund", days_ago=0.1),
    Telling(story="simple_refund", market="uk", days_ago=0.1),
    Telling(story="batch", market="eu", days_ago=0.1),
    Telling(story="lost_answer_of_a_refund", days_ago=0.1),
    Telling(story="simple_refund", market="jp", days_ago=0.1),
    Telling(story="judged_item_by_item", market="us", days_ago=0.1),
    Telling(story="unmapped_reason", days_ago=0.1),
    Telling(story="damaged", market="kw", days_ago=0.1),
    Telling(story="to_inspect", days_ago=0.1),
    Telling(story="split_tender", market="uk", days_ago=0.1),
    Telling(story="paid_by_hand", days_ago=0.1),
    Telling(story="duplicate_events", market="jp", days_ago=0.1),
    Telling(story="damaged", market="us", days_ago=0.1),
    Telling(story="instant_paid_outside", days_ago=0.1),
    Telling(story="instant_exchange", days_ago=0.1),
    Telling(story="store_credit", days_ago=0.1),
)


def told(tellings: Sequence[Telling], *, markets: dict[str, Market], book: Book) -> list[Story]:
    """The stories, ready to be told step by step."""
    return [
        STORIES[telling.story](teller_of(markets[telling.market], book=book, days_ago=telling.days_ago))
        for telling in tellings
    ]


def ever_after() -> Iterator[Telling]:
    """The endless programme after the day."""
    return cycle(EVER_AFTER)


def step(stories: Sequence[Story]) -> list[Story]:
    """Tell each story up to its next pause; those that are not over."""
    return [story for story in stories if next(story, END) is not END]


END: Final = object()
