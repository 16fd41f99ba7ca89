"""A ReBound account beside the shop of either world: its route, its polling, and what its words mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from connectors import configuration, configuration_apply, mappings, polling
from connectors.rebound.connector import POLL_INTERVAL_S, default_mapping
from connectors.simulators.rebound import API_KEY, LOGIN, ReboundAccount
from connectors.simulators.server import serve
from connectors.simulators.shopify.records import Order, Variant
from returnsops import states
from returnsops.models import Route
from returnsops.services import routes
from tests.journeys import shopify_world
from tests.journeys.shopify_world import ShopifyWorld
from tests.journeys.world import World

W = TypeVar("W", bound=World)

WEBHOOK_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
REBOUND = """
[[connections]]
name = "rebound"
vendor = "rebound"
base_url = "{url}"
[connections.settings]
login = "{login}"
{settings}
[connections.secrets]
api_key = "{key}"
webhook_secret = "{webhook_secret}"
[connections.reason_codes]
Damaged = "faulty"

[[routes]]
name = "rebound"
platform = "rebound"
commerce = "shop"
mode = "shadow"
[routes.dispositions]
sellable = "main"
quarantine = "quarantine"
refurbish = "quarantine"
damaged = "scrap"
write_off = "scrap"
[routes.policy]
[routes.policy.ownership]
order = "commerce"
refund = "commerce"
return_status = "platform"
disposition = "platform"
stock = "commerce"
[routes.policy.refund]
initiator = "policy_trigger"
trigger = "{trigger}"
[routes.policy.restock]
confirmation = "either"
{tables}
"""

MEANING: dict[str, dict[str, str]] = {
    "resolution": {"Refund": "refund"},
    "disposition": {"GRADE A": "sellable", "BIN": "damaged"},
}


@dataclass(frozen=True, kw_only=True)
class ReboundPair(Generic[W]):
    """A shop's world with a ReBound account beside it; ``shop_text`` is the configuration without ReBound."""

    w: W
    account: ReboundAccount
    url: str
    shop_text: str

    def poll(self) -> int:
        """The next round of reading, and everything that follows."""
        self.w.shift(POLL_INTERVAL_S)
        connection = self.w.connection("rebound")
        stored = polling.poll_connection(connection=connection, at=self.w.now(), is_forced=True)
        self.w.settle()
        return stored

    def placed(self, reference: str, *items: dict[str, Any], **details: Any) -> str:
        """A return of an order, as the shopper placed it at ReBound."""
        return self.account.create_return(order_reference=reference, items=items, **details)

    def mean(self, values: dict[str, dict[str, str]], **fields: Any) -> None:
        """A mapping in which the merchant's words mean something, saved by operations."""
        connection = self.w.connection("rebound")
        document, version = mappings.in_force(connection)
        changed = {**document, "values": values, "fields": {**document["fields"], **fields}}
        mappings.save(
            connection=connection, document=changed, based_on=version, by="ops", at=self.w.now(), why="as agreed"
        )

    def apply(
        self,
        *,
        mapping: dict[str, Any] | None = None,
        verifier: Mapping[str, Any] | None = None,
        key: str = API_KEY,
        **given: str,
    ) -> None:
        """The configuration, as apply_config would; ``given`` are trigger, tables of the policy, more settings."""
        values = {"trigger": "received", "tables": "", "settings": "", **given}
        fixed = {"url": self.url, "login": LOGIN, "key": key, "webhook_secret": WEBHOOK_SECRET}
        document = configuration.read(self.shop_text + REBOUND.format(**fixed, **values))
        (row,) = [one for one in document["connections"] if one["name"] == "rebound"]
        row |= {name: value for name, value in (("mapping", mapping), ("verifier", verifier)) if value is not None}
        configuration_apply.apply(document, by="test", at=self.w.now())

    def install(self, *, trigger: str, is_mapped: bool = True, **given: Any) -> None:
        """The configuration applied and its route live; ``given`` as in ``apply``."""
        mapping = {**default_mapping(), "values": MEANING} if is_mapped else None
        self.apply(**{"trigger": trigger, "mapping": mapping, **given})
        route = Route.objects.get(name="rebound")
        assert route.policy is not None
        for team in routes.SIGNING_TEAMS:
            routes.sign_policy(policy=route.policy, team=team, by=self.w.users[team], at=self.w.now())
        routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="test", at=self.w.now(), live_from=self.w.now())


@contextmanager
def rebound_account() -> Iterator[tuple[ReboundAccount, str]]:
    """A served account and its address."""
    account = ReboundAccount()
    server = serve(account.simulator)
    try:
        yield account, server.url
    finally:
        server.stop()


@dataclass(frozen=True, kw_only=True)
class ShopifyPair(ReboundPair[ShopifyWorld]):
    """The Shopify shop and ReBound."""

    def ask(self, order: Order, *variants: Variant, **item: Any) -> str:
        """A return of one unit of each article of an order, named by the order's name as the shop shows it."""
        items = [{"sku_code": variant.sku, "price": str(variant.price), **item} for variant in variants]
        return self.placed(order.name, *items)

    def sold(self, *, units: int = 2, **details: Any) -> tuple[Variant, Order]:
        """Units of one article in a paid order that was sent."""
        tee = self.w.variant()
        return tee, self.w.sale((tee, units), **details)


@contextmanager
def shopify_pair(
    *, trigger: str = "disposition_final", tables: str = "", settings: str = "", is_mapped: bool = True
) -> Iterator[ShopifyPair]:
    """Shopify and ReBound on a live route whose policy is ``trigger`` plus what is given as TOML."""
    with shopify_world.shopify_world(is_live=False, settings=settings) as w, rebound_account() as (account, url):
        text = shopify_world.configuration_text(w, policy="", policy_tables="", settings=settings)
        made = ShopifyPair(w=w, account=account, url=url, shop_text=text)
        made.install(trigger=trigger, is_mapped=is_mapped, tables=tables)
        yield made
