"""A Shopify shop of the demo, with a Reveni or a ReBound account beside it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final, TypeVar

from connectors.management.demo.markets import Market, ReveniMarket, reveni_account, statement_settings
from connectors.management.demo.places import ARTICLES, PEOPLE, Place, StoryClock
from connectors.rebound.connector import default_mapping
from connectors.simulators.base import WSGIApp
from connectors.simulators.clock import SystemClock
from connectors.simulators.rebound import ReboundAccount
from connectors.simulators.shopify.records import Customer, Location, Staff, Variant
from connectors.simulators.shopify.shop import ShopifyShop
from connectors.simulators.shopify.state import ShopSettings, gid
from connectors.simulators.webhooks import WebhookSender

# A shop of the largest plan (shopify.md section 3): a day of returns within a minute is more than others are paced for.
POINTS: Final = 20_000
POINTS_PER_S: Final = 1_000
REASON_HANDLES: Final = {"too_small": "too-small", "faulty": "defective"}
POLL_REBOUND_S: Final = 60
# What the words of the demo's merchant mean. They are invented, like any merchant's (docs/connectors/rebound.md).
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "resolution": {"Refund": "refund"},
    "disposition": {"GRADE A": "sellable", "BIN": "damaged", "LOOK AGAIN": "quarantine", "NOT IN PARCEL": "missing"},
}
REBOUND_REASONS: Final = {"Too small": "too_small", "Damaged": "faulty"}
AnyShopify = TypeVar("AnyShopify", bound="ShopifyMarket")


@dataclass(kw_only=True)
class ShopifyMarket(Market):
    """The shop: one location, a customer per person, somebody who works in its admin."""

    states_aside: ClassVar[Mapping[str, str]] = {"damaged": "damaged", "quarantine": "quality_control"}
    keeps_returns: ClassVar[bool] = True
    shop: ShopifyShop
    main: Location
    anna: Staff
    customers: list[Customer] = field(default_factory=list)
    variants: dict[str, Variant] = field(default_factory=dict)

    @property
    def shop_app(self) -> WSGIApp:
        """What answers for the shop."""
        return self.shop.app

    @property
    def shop_webhooks(self) -> WebhookSender:
        """The queue of the shop's messages."""
        return self.shop.webhooks

    def add_article(self, code: str, price: Decimal, *, stock: int = 40) -> Variant:
        """One more article of the catalogue, with tracked stock."""
        title, sku = ARTICLES.get(code, (code.replace("-", " ").title(), code.upper()))
        variant = self.shop.add_product(title, sku=sku, price=price, stock={self.main.id: stock})
        self.variants[code] = variant
        self.stocked[variant.id] = stock
        return variant

    def shop_row(self) -> dict[str, Any]:
        """The connection to the shop: tokens are made when needed, damaged goods have a state that is not for sale."""
        row = self.connection_row("shopify", name=self.shop_name, title=self.place.title, url=self.shop_url)
        here, access = gid("Location", self.main.id), self.shop.state.access
        row["settings"] |= {
            "finance": statement_settings("shopify_payments"),
            "location_map": {"main": here, "quarantine": f"{here} quality_control", "scrap": f"{here} damaged"},
            "return_reasons": dict(REASON_HANDLES),
        }
        row["secrets"] = {"client_id": access.client_id, "client_secret": access.client_secret}
        return row

    def policy(self) -> Mapping[str, Any]:
        """Goods on their way are seen among the shop's own returns, so its order says less; bad ones are set aside."""
        return {
            "shop_return": {"writer": "us"},
            "notes": ["refunded"],
            "mirrors": ["status"],
            "restock": {"set_aside": list(self.states_aside)},
        }


@dataclass(kw_only=True)
class ShopifyReveniMarket(ShopifyMarket, ReveniMarket):
    """With Reveni."""


@dataclass(kw_only=True)
class ShopifyReboundMarket(ShopifyMarket):
    """With ReBound, which sends nothing and is polled, and says when goods are judged, not what is to be paid."""

    account: ReboundAccount

    @property
    def platform_app(self) -> WSGIApp:
        """What answers for the platform."""
        return self.account.simulator

    @property
    def platform_webhooks(self) -> WebhookSender | None:
        """None: V1 sends no messages."""
        return None

    def listen_to(self, url: str) -> None:
        """Nothing to set."""

    def platform_row(self) -> dict[str, Any]:
        """The connection to the platform, with the meaning of its words."""
        row = self.connection_row(
            "rebound", name=self.platform_name, title=f"ReBound, {self.place.title}", url=self.platform_url
        )
        row["settings"] |= {"login": self.account.login, "poll_interval_s": POLL_REBOUND_S}
        row["secrets"] = {"api_key": self.account.api_key}
        row["reason_codes"] = dict(REBOUND_REASONS)
        row["mapping"] = {**default_mapping(), "values": WORDS}
        return row

    def policy(self) -> Mapping[str, Any]:
        """Money by our own policy, once the verdict is final."""
        refund = {"initiator": "policy_trigger", "trigger": "disposition_final", "amount_source": "order"}
        return {**super().policy(), "refund": refund}


def shopify_reveni_market(place: Place) -> ShopifyReveniMarket:
    """Shop and Reveni account, stocked."""
    clock = StoryClock()
    shop, main = _shop(place)
    market = ShopifyReveniMarket(
        place=place, shop=shop, main=main, anna=_anna(shop), clock=clock, platform=reveni_account(place, clock)
    )
    return _stocked(market)


def shopify_rebound_market(place: Place) -> ShopifyReboundMarket:
    """Shop and ReBound account, stocked."""
    clock = StoryClock()
    shop, main = _shop(place)
    account = ReboundAccount(clock=clock, login=f"demo-{place.code}", api_key=f"rebound_demo_{secrets.token_hex(12)}")
    market = ShopifyReboundMarket(place=place, shop=shop, main=main, anna=_anna(shop), clock=clock, account=account)
    return _stocked(market)


def _shop(place: Place) -> tuple[ShopifyShop, Location]:
    settings = ShopSettings(
        domain=f"demo-{place.code}.myshopify.com",
        name=place.title,
        currency=place.currency,
        timezone=place.time_zone,
        is_tax_included=place.is_tax_included,
        plan="Shopify Plus",
        is_plus=True,
        bucket_size=POINTS,
        restore_rate=POINTS_PER_S,
        rates=dict(place.rates),
    )
    shop = ShopifyShop(clock=SystemClock(), settings=settings)
    shop.state.access.client_id = f"client_{secrets.token_hex(8)}"
    shop.state.access.client_secret = f"shpss_{secrets.token_hex(16)}"
    return shop, shop.add_location("Main warehouse")


def _anna(shop: ShopifyShop) -> Staff:
    return shop.add_staff("Anna Berg", email="anna@example.test")


def _stocked(market: AnyShopify) -> AnyShopify:
    for person in PEOPLE:
        market.customers.append(market.shop.add_customer(person.email, name=f"{person.first} {person.last}"))
    for code, price in zip(ARTICLES, market.place.prices, strict=True):
        market.add_article(code, Decimal(price))
    return market
