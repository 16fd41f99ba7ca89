"""All markets of the demo."""

from collections.abc import Callable
from typing import Final

from connectors.management.demo.market_shopify import shopify_rebound_market, shopify_reveni_market
from connectors.management.demo.market_woocommerce import woo_market
from connectors.management.demo.markets import Market
from connectors.management.demo.places import PLACES, Place

_BY_PAIR: Final[dict[str, Callable[[Place], Market]]] = {
    "woocommerce-reveni": woo_market,
    "shopify-reveni": shopify_reveni_market,
    "shopify-rebound": shopify_rebound_market,
}


def build_markets() -> dict[str, Market]:
    """All shops and platforms, stocked, not served yet."""
    return {place.code: build_market(place) for place in PLACES}


def build_market(place: Place) -> Market:
    """One shop with catalogue, taxes and gateways, and the platform beside it."""
    return _BY_PAIR[place.pair](place)
