"""A small shop with two products, and a caller of its REST API over faked https."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import requests

from connectors.simulators.base import SimulatedClock
from connectors.simulators.woocommerce import CartLine, Order, Product, ShopSettings, WooShop
from connectors.simulators.wsgi_transport import mounted_session

START = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
BASE = "https://shop.test/wp-json/wc/v3"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Everything a test of the shop needs."""

    shop: WooShop
    clock: SimulatedClock
    shirt: Product
    session: requests.Session

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """One call with the full key."""
        return self.session.request(method, f"{BASE}/{path}", json=body, params=query, auth=("ck", "cs"), timeout=30)

    def order(self, quantity: int = 2, **details: Any) -> Order:
        """A paid order of shirts at 24.99 net, 30.24 with tax."""
        return self.shop.place_order([CartLine(product_id=self.shirt.id, quantity=quantity)], **details)


def new_setting(**settings: Any) -> Setting:
    """A shop in Madrid with 21 % tax and 100 shirts."""
    clock = SimulatedClock(START)
    shop = WooShop(clock=clock, settings=ShopSettings(**settings))
    shop.add_key("ck", "cs")
    shop.add_tax_rate(Decimal(21), name="IVA 21")
    shirt = shop.add_product("Linen shirt", Decimal("24.99"), sku="SHIRT-1", stock_quantity=100)
    session = mounted_session(shop.app, "http")
    return Setting(shop=shop, clock=clock, shirt=shirt, session=session)
