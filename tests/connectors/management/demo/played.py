"""A short day of the demo inside a test: shops and platforms served on loopback, our side mounted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from connectors.management.demo import playing, programme
from connectors.management.demo.expectations import Book
from connectors.management.demo.installation import ADMIN, PEOPLE, install
from connectors.management.demo.market_woocommerce import WooMarket
from connectors.management.demo.markets import Market
from connectors.management.demo.programme import Telling
from connectors.management.demo.world import build_markets
from connectors.simulators.woocommerce.shop import WooShop
from connectors.simulators.wsgi_transport import mounted_session
from returnsops.wsgi import application

OPS_URL = "https://localhost"
SHORT_DAY = (
    Telling(story="batch"),
    Telling(story="damaged", market="jp"),
    Telling(story="refund_of_two_units", market="kw"),
    Telling(story="paid_by_hand"),
    Telling(story="duplicate_events"),
    Telling(story="lost_event"),
    Telling(story="unmapped_reason", market="jp"),
)


@dataclass(kw_only=True)
class Day:
    """What was told, and by whom."""

    markets: dict[str, Market]
    book: Book

    @property
    def shop(self) -> WooShop:
        """The European shop as what it is."""
        market = self.markets["eu"]
        assert isinstance(market, WooMarket)
        return market.shop

    @property
    def tee(self) -> int:
        """The product id of its T-shirt."""
        market = self.markets["eu"]
        assert isinstance(market, WooMarket)
        return market.products["tee"].id


@contextmanager
def installed(*codes: str) -> Iterator[Day]:
    """The named markets, live, before anything is told."""
    markets = {code: market for code, market in build_markets().items() if code in codes}
    # A request would close the connection that holds the test's own transaction; Django's test client does the same.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        for market in markets.values():
            market.open()
            # The ping of a new webhook comes from the shop's own thread, which a test's transaction cannot see.
            market.shop_webhooks.session = mounted_session(_answer_ok, OPS_URL)
        install(markets, passwords=dict.fromkeys([*PEOPLE, ADMIN], "not-asked-for"), public_url=OPS_URL)
        for sender in playing.senders_of(markets.values()):
            sender.session = mounted_session(application, OPS_URL)
        yield Day(markets=markets, book=Book())
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
        for market in markets.values():
            market.close()


def play(day: Day, tellings: tuple[Telling, ...]) -> None:
    """Tell the stories to their end, then poll for what got lost."""
    stories = programme.told(tellings, markets=day.markets, book=day.book)
    playing.play(stories, lambda: playing.settle_by_working(day.markets.values()))
    playing.poll_everything()
    playing.settle_by_working(day.markets.values())


def _answer_ok(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
