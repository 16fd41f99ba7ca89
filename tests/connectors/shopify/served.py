"""A served shop, and the connector's link to it with the pace of a real connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import requests

from connectors.http import make_caller, new_session
from connectors.ports import Link
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.server import serve
from connectors.simulators.shopify import STATIC_TOKEN, CartLine, Location, Order, ShopifyShop, ShopSettings, Variant
from connectors.simulators.shopify.records import Refund
from connectors.simulators.shopify.state import gid
from tests.connectors.shopify.scripted import config

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@dataclass(kw_only=True)
class Stage:
    """A shop with two articles in one warehouse."""

    shop: ShopifyShop
    clock: SimulatedClock
    link: Link
    warehouse: Location
    jacket: Variant
    mug: Variant

    def place(self, quantity: int = 2, **details: Any) -> Order:
        """A paid and sent order of jackets at 25.00 and one mug at 9.99, postage 4.80."""
        lines = [CartLine(variant=self.jacket, quantity=quantity), CartLine(variant=self.mug)]
        given: dict[str, Any] = {"shipping": Decimal("4.80"), "is_fulfilled": True} | details
        return self.shop.place(lines, **given)

    def refund(self, order: Order, amount: str, units: int = 0, **details: Any) -> Refund:
        """Staff refund units of the first line by hand."""
        return self.shop.staff_refund(order, Decimal(amount), lines={order.lines[0].id: units}, **details)

    def asked(self) -> list[str]:
        """The documents the shop was asked, in order."""
        return [call.body["operationName"] for call in self.shop.calls.all() if "graphql" in call.path]


@contextmanager
def stage(*, secrets: Any = None, settings: Any = None, **shop_settings: Any) -> Iterator[Stage]:
    """A new shop, served on loopback."""
    clock = SimulatedClock(START)
    with requests.Session() as deliveries, new_session() as session:
        shop = ShopifyShop(clock=clock, settings=ShopSettings(**shop_settings), session=deliveries)
        warehouse = shop.add_location("Leeds")
        server = serve(shop.app)
        try:
            given = {"access_token": (STATIC_TOKEN,), "client_secret": (shop.state.access.client_secret,)}
            yield Stage(
                shop=shop,
                clock=clock,
                link=Link(
                    config=config(base_url=server.url, secrets=secrets or given, settings=settings or {}),
                    call=make_caller(session=session, before_call=None, record=None, now=clock.now),
                    now=clock.now,
                ),
                warehouse=warehouse,
                jacket=shop.add_product("Jacket", sku="ABC-1", price=Decimal("25.00"), stock={warehouse.id: 10}),
                mug=shop.add_product("Mug", sku="MUG-1", price=Decimal("9.99"), stock={warehouse.id: 10}),
            )
        finally:
            server.stop()


def id_of(order: Order) -> str:
    """The order's global id."""
    return gid("Order", order.id)
