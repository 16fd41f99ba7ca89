"""Who tells the stories of a market."""

from connectors.management.demo.expectations import Book
from connectors.management.demo.market_shopify import ShopifyReboundMarket, ShopifyReveniMarket
from connectors.management.demo.market_woocommerce import WooMarket
from connectors.management.demo.markets import Market
from connectors.management.demo.teller import Teller
from connectors.management.demo.teller_rebound import ShopifyReboundTeller
from connectors.management.demo.teller_shopify import ShopifyReveniTeller
from connectors.management.demo.teller_woocommerce import WooTeller


def teller_of(market: Market, *, book: Book, days_ago: float) -> Teller:
    """One story's teller, by shop and platform."""
    if isinstance(market, WooMarket):
        return WooTeller(market=market, book=book, days_ago=days_ago)
    if isinstance(market, ShopifyReveniMarket):
        return ShopifyReveniTeller(market=market, book=book, days_ago=days_ago)
    if isinstance(market, ShopifyReboundMarket):
        return ShopifyReboundTeller(market=market, book=book, days_ago=days_ago)
    raise TypeError(f"Nobody tells stories of {market.place.pair}.")
