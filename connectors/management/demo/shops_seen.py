"""Whose records are read for a market, and how the numbers of its returns name orders."""

from connectors.management.demo import seen_shopify, seen_woocommerce
from connectors.management.demo.market_shopify import ShopifyMarket, ShopifyReboundMarket
from connectors.management.demo.market_woocommerce import WooMarket
from connectors.management.demo.markets import Market, ReveniMarket
from connectors.management.demo.seen import Seen
from connectors.simulators.shopify.state import number_of


def look_at(market: Market) -> Seen:
    """What the shop of a market holds now."""
    if isinstance(market, WooMarket):
        return seen_woocommerce.seen_in(market)
    if isinstance(market, ShopifyMarket):
        return seen_shopify.seen_in(market, orders_of_returns=_orders_of_returns(market))
    raise TypeError(f"Nobody reads the records of {market.place.pair}.")


def _orders_of_returns(market: ShopifyMarket) -> dict[str, int]:
    """By the platform's own records."""
    if isinstance(market, ReveniMarket):
        rows = market.platform.whole_returns()
        return {str(row["number"]): number_of("Order", row["order"]["id"]) for row in rows}
    assert isinstance(market, ShopifyReboundMarket)
    by_name = {order.name: order.id for order in market.shop.state.orders.values()}
    rows = list(market.account.returns.values())
    return {str(row["display_id"]): by_name.get(str(row["order_reference"]), 0) for row in rows}
