"""The world of the journeys with a Shopify shop in WooCommerce's place: the same platform, route, people and clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any, cast
from unittest import mock

import time_machine

from connectors import budget, points
from connectors.simulators.clock import SystemClock
from connectors.simulators.reveni import ReveniPlatform
from connectors.simulators.server import serve
from connectors.simulators.shopify.order_writing import CartLine
from connectors.simulators.shopify.records import Customer, Location, Order, Refund, Variant
from connectors.simulators.shopify.shop import STATIC_TOKEN, ShopifyShop
from connectors.simulators.wsgi_transport import mounted_session
from returnsops.wsgi import application
from tests.journeys import world as woo
from tests.journeys import world_configuration
from tests.journeys.world import OPS_URL, START, World

ZERO = Decimal(0)

SHOP = """
[[connections]]
name = "shop"
vendor = "shopify"
base_url = "{shop_url}"
time_zone = "Europe/Madrid"
[connections.settings]
{settings}
[connections.settings.location_map]
main = "gid://shopify/Location/{main}"
quarantine = "gid://shopify/Location/{main} quality_control"
scrap = "gid://shopify/Location/{main} damaged"
[connections.secrets]
access_token = "{token}"
client_secret = "simulated-client-secret"

"""


def gid(kind: str, number: int) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{number}"


@dataclass(kw_only=True)
class ShopifyWorld(World):
    """Shop, platform, route, people; the shop has one location and one customer."""

    main: Location
    customer: Customer

    @property
    def store(self) -> ShopifyShop:
        """The shop as what it is."""
        return cast(ShopifyShop, self.shop)

    # --- the shop ---------------------------------------------------------------------------------------------

    def variant(self, sku: str = "TEE-BLK-M", *, price: str = "30.00", stock: int = 10) -> Variant:
        """An article with tracked stock at the one location."""
        return self.store.add_product(
            f"Article {sku}", sku=sku, price=Decimal(price), stock={self.main.id: stock}, is_tracked=True
        )

    def sale(self, *lines: tuple[Variant, int], **details: Any) -> Order:
        """A paid order of the customer that was sent."""
        cart = [CartLine(variant=variant, quantity=quantity) for variant, quantity in lines]
        return self.store.place(cart, **{"customer": self.customer, "is_fulfilled": True, **details})

    def returning(self, order: Order, *, quantity: int = 1, reason: str = "too_small", **details: Any) -> str:
        """A shopper asks to return units of the order's first line; the id of the return, authorised."""
        line = order.lines[0]
        item = {
            "order_line_id": gid("LineItem", line.id),
            "sku": line.sku,
            "variant_id": gid("ProductVariant", line.variant_id or 0),
            "quantity": quantity,
            "reason_code": reason,
            "total": f"{line.unit_price.presentment * quantity:.2f}",
        }
        items = details.pop("items", [item])
        return_id = self.platform.create_return(order_id=gid("Order", order.id), items=items, **details)
        self.platform.authorise(return_id)
        return return_id

    def paid_back(self, order: Order) -> list[Decimal]:
        """Money of each refund of the order, oldest first, whatever became of it."""
        amounts = []
        for refund in self.store.refunds_of(order):
            rows = [self.store.state.transactions[one] for one in refund.transaction_ids]
            amounts.append(sum((row.amount.presentment for row in rows), ZERO))
        return amounts

    def stock(self, variant: Variant, state: str = "available") -> int:
        """Units of an article at the one location."""
        return self.store.stock_of(variant, self.main, state)

    def refund(self, order: Order) -> Refund:
        """The only refund of the order."""
        (refund,) = self.store.refunds_of(order)
        return refund

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The variables of every call of a document."""
        bodies = (call.body for call in self.store.calls.matching("POST", r"graphql\.json$"))
        return [body["variables"] for body in bodies if body["operationName"] == operation]

    def waits_between(self, operation: str) -> list[int]:
        """Seconds from each call of a document to the next."""
        calls = self.store.calls.matching("POST", r"graphql\.json$")
        times = [call.at for call in calls if call.body["operationName"] == operation]
        return [round((later - earlier).total_seconds()) for earlier, later in pairwise(times)]


@contextmanager
def shopify_world(
    *, policy: str = "", policy_tables: str = "", settings: str = "", is_live: bool = True, is_telling: bool = False
) -> Iterator[ShopifyWorld]:
    """A world with a route whose policy is the defaults plus what is given as TOML."""
    with time_machine.travel(START, tick=False) as traveller:
        clock = SystemClock()
        shop = ShopifyShop(clock=clock, session=mounted_session(woo._answer_ok, OPS_URL))
        shop.settings.currency, shop.settings.timezone = "EUR", "Europe/Madrid"
        platform = ReveniPlatform(clock=clock, webhook_url=f"{OPS_URL}/webhooks/reveni/")
        platform.sender.session = mounted_session(application, OPS_URL)
        servers = [serve(shop.app), serve(platform.simulator)]
        try:
            made = ShopifyWorld(
                shop=cast(Any, shop),
                platform=platform,
                shop_server=servers[0],
                platform_server=servers[1],
                traveller=traveller,
                main=shop.add_location("Leeds"),
                customer=shop.add_customer(),
            )
            paced = partial(budget.before_call, sleep=made.shift)
            pursed = partial(points.purse_of, sleep=made.shift)
            with (
                mock.patch.object(budget, "before_call", paced),
                mock.patch.object(points, "purse_of", pursed),
                woo._kept_database_connection(),
            ):
                own = world_configuration.quietly(policy, is_telling=is_telling)
                text = configuration_text(made, policy=own, policy_tables=policy_tables, settings=settings)
                woo.install(made, text, is_live=is_live)
                shop.webhooks.session = mounted_session(application, OPS_URL)
                yield made
        finally:
            for server in servers:
                server.stop()


def configuration_text(made: ShopifyWorld, *, policy: str, policy_tables: str, settings: str) -> str:
    """The configuration file of the other world with this shop in it."""
    text = woo.configuration_text(made, policy=policy, policy_tables=policy_tables)
    start, end = text.index('[[connections]]\nname = "shop"'), text.index('[[connections]]\nname = "reveni"')
    shop = SHOP.format(shop_url=made.shop_server.url, main=made.main.id, token=STATIC_TOKEN, settings=settings)
    return text[:start] + shop.lstrip() + text[end:]
