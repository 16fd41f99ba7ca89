"""A WooCommerce shop of the demo with a Reveni account beside it."""

import secrets
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.management.demo.markets import ReveniMarket, reveni_account, statement_settings
from connectors.management.demo.places import ARTICLES, Place, StoryClock
from connectors.simulators.base import WSGIApp
from connectors.simulators.clock import SystemClock
from connectors.simulators.webhooks import WebhookSender
from connectors.simulators.woocommerce.records import Product
from connectors.simulators.woocommerce.shop import WooShop
from connectors.simulators.woocommerce.state import ShopSettings


@dataclass(kw_only=True)
class WooMarket(ReveniMarket):
    """Shop, platform, and what stands in the shop's catalogue by code."""

    shop: WooShop
    consumer_key: str
    consumer_secret: str
    webhook_secret: str
    products: dict[str, Product] = field(default_factory=dict)

    @property
    def shop_app(self) -> WSGIApp:
        """What answers for the shop."""
        return self.shop.app

    @property
    def shop_webhooks(self) -> WebhookSender:
        """The queue of the shop's messages."""
        return self.shop.webhooks

    def add_article(self, code: str, price: Decimal, *, stock: int = 40, **details: str) -> Product:
        """One more article of the catalogue, with managed stock."""
        title, sku = ARTICLES.get(code, (code.replace("-", " ").title(), code.upper()))
        product = self.shop.add_product(title, price, sku=sku, stock_quantity=stock, **details)
        self.products[code] = product
        self.stocked[product.id] = stock
        return product

    def shop_row(self) -> dict[str, Any]:
        """The connection to the shop."""
        row = self.connection_row("woocommerce", name=self.shop_name, title=self.place.title, url=self.shop_url)
        row["settings"]["finance"] = statement_settings("card")
        row["secrets"] = {
            "consumer_key": self.consumer_key,
            "consumer_secret": self.consumer_secret,
            "webhook_secret": self.webhook_secret,
        }
        return row


def woo_market(place: Place) -> WooMarket:
    """One shop with catalogue, taxes and gateways, and the platform beside it."""
    clock = StoryClock()
    settings = ShopSettings(
        currency=place.currency,
        currency_symbol=place.symbol,
        price_decimals=place.decimals,
        timezone=place.time_zone,
        is_tax_included=place.is_tax_included,
        base_country=place.country,
    )
    key = secrets.token_hex(16)
    market = WooMarket(
        place=place,
        shop=WooShop(clock=SystemClock(), settings=settings),
        platform=reveni_account(place, clock),
        clock=clock,
        consumer_key=f"ck_{key}",
        consumer_secret=f"cs_{secrets.token_hex(16)}",
        webhook_secret=secrets.token_hex(20),
    )
    market.shop.add_key(market.consumer_key, market.consumer_secret)
    market.shop.add_gateway("card", title="Card")
    if place.tax is not None:
        market.shop.add_tax_rate(place.tax, name="VAT")
    for code, price in zip(ARTICLES, place.prices, strict=True):
        market.add_article(code, Decimal(price))
    return market
