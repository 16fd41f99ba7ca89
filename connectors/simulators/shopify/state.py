"""The whole memory of one simulated shop, and how a change of it becomes webhooks and a later search index."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zlib import crc32

from graphql import GraphQLError

from connectors.simulators.clock import Clock
from connectors.simulators.shopify.after_sales_records import (
    Bulk,
    CreditAccount,
    GiftCard,
    Metafield,
    MetafieldDefinition,
    ReasonDefinition,
    Return,
    ReverseDelivery,
    ReverseOrder,
    Subscription,
)
from connectors.simulators.shopify.bucket import Bucket
from connectors.simulators.shopify.edit_records import Edit
from connectors.simulators.shopify.keys import KeyLedger
from connectors.simulators.shopify.records import (
    AdjustmentGroup,
    Customer,
    FulfilmentLine,
    Level,
    Location,
    Order,
    OrderLine,
    Product,
    Refund,
    ShippingLine,
    Staff,
    Transaction,
    Variant,
)
from connectors.simulators.webhooks import WebhookSender

ALL_SCOPES = [
    "read_orders",
    "write_orders",
    "read_all_orders",
    "read_returns",
    "write_returns",
    "read_fulfillments",
    "read_merchant_managed_fulfillment_orders",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_products",
    "read_customers",
    "write_customers",
    "read_store_credit_accounts",
    "read_store_credit_account_transactions",
    "write_store_credit_account_transactions",
    "read_gift_cards",
    "write_gift_cards",
    "read_users",
]


@dataclass(kw_only=True)
class ShopSettings:
    """What the shop and its app are. Times in seconds; `rates` are presentment units per unit of shop currency."""

    domain: str = "returnsops-test.myshopify.com"
    name: str = "Returnsops test"
    currency: str = "GBP"
    timezone: str = "Europe/London"
    is_tax_included: bool = True
    plan: str = "Basic"
    is_plus: bool = False
    order_prefix: str = "#"
    api_version: str = "2026-07"
    supported_versions: tuple[str, ...] = ("2025-10", "2026-01", "2026-04", "2026-07")
    restore_rate: int = 100
    bucket_size: int = 2000
    most_points_per_query: int = 1000
    search_lag_s: float = 0
    token_life_s: int = 86399
    key_life_s: int = 86400
    bulk_duration_s: float = 0
    are_failed_keys_spent: bool = False
    credit_limit: Decimal = Decimal(10000)
    gift_card_limit: Decimal = Decimal(3000)
    rates: dict[str, Decimal] = field(default_factory=dict)


@dataclass(kw_only=True)
class Access:
    """Who may call: the app's credentials, its scopes, and the tokens given out with the end of their life."""

    client_id: str = "simulated-client-id"
    client_secret: str = "simulated-client-secret"  # noqa: S105 - of a simulator
    scopes: list[str] = field(default_factory=lambda: list(ALL_SCOPES))
    tokens: dict[str, datetime | None] = field(default_factory=dict)
    refusal: int = 0


@dataclass(kw_only=True)
class ShopState:
    """Tables of the shop. `lock` guards them all; `failing` maps a gateway to what becomes of its refunds."""

    settings: ShopSettings
    clock: Clock
    sender: WebhookSender
    bucket: Bucket
    access: Access = field(default_factory=Access)
    keys: KeyLedger = field(default_factory=KeyLedger)
    locations: dict[int, Location] = field(default_factory=dict)
    products: dict[int, Product] = field(default_factory=dict)
    variants: dict[int, Variant] = field(default_factory=dict)
    variant_of_item: dict[int, int] = field(default_factory=dict)
    levels: dict[tuple[int, int], Level] = field(default_factory=dict)
    groups: dict[int, AdjustmentGroup] = field(default_factory=dict)
    staff: dict[int, Staff] = field(default_factory=dict)
    customers: dict[int, Customer] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    edits: dict[int, Edit] = field(default_factory=dict)
    transactions: dict[int, Transaction] = field(default_factory=dict)
    fulfilment_lines: dict[int, FulfilmentLine] = field(default_factory=dict)
    refunds: dict[int, Refund] = field(default_factory=dict)
    returns: dict[int, Return] = field(default_factory=dict)
    reverse_orders: dict[int, ReverseOrder] = field(default_factory=dict)
    reverse_deliveries: dict[int, ReverseDelivery] = field(default_factory=dict)
    definitions: dict[int, ReasonDefinition] = field(default_factory=dict)
    accounts: dict[int, CreditAccount] = field(default_factory=dict)
    gift_cards: dict[int, GiftCard] = field(default_factory=dict)
    metafields: dict[int, Metafield] = field(default_factory=dict)
    metafield_definitions: dict[int, MetafieldDefinition] = field(default_factory=dict)
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    bulks: dict[int, Bulk] = field(default_factory=dict)
    gateways: dict[str, str] = field(default_factory=dict)
    home_url: str = "http://127.0.0.1"
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    emit: Callable[[str, dict[str, Any], str], None] = lambda topic, body, event_id: None
    _last_ids: dict[str, int] = field(default_factory=lambda: {"order_number": 1000})

    def next_id(self, sequence: str) -> int:
        """The next number of a sequence. Each kind counts from a start of its own, so that no id fits two kinds."""
        start = 1000 * (100 + crc32(sequence.encode()) % 900)
        self._last_ids[sequence] = self._last_ids.get(sequence, start) + 1
        return self._last_ids[sequence]

    def continue_ids(self, sequence: str, last_id: int) -> None:
        """Let the next number of a sequence follow `last_id`."""
        self._last_ids[sequence] = last_id

    def now(self) -> datetime:
        """The shop's clock, to the second as Shopify writes it."""
        return self.clock.now().replace(microsecond=0)

    def order_of(self, record: OrderLine | ShippingLine | FulfilmentLine | Transaction) -> Order:
        """The order a record belongs to."""
        return self.orders[record.order_id]

    def line(self, order: Order, line_id: int) -> OrderLine | None:
        """A line of an order by its id."""
        return next((line for line in order.lines if line.id == line_id), None)

    def refunds_of(self, order_id: int) -> list[Refund]:
        """The refunds of one order, oldest first."""
        return [self.refunds[refund_id] for refund_id in self.orders[order_id].refund_ids]

    def returns_of(self, order_id: int) -> list[Return]:
        """The returns of one order, oldest first."""
        return [self.returns[return_id] for return_id in self.orders[order_id].return_ids]

    def item(self, item_id: int) -> Variant | None:
        """The variant behind an inventory item."""
        return self.variants.get(self.variant_of_item.get(item_id, 0))

    def is_indexed(self, order: Order) -> bool:
        """Does the search know the order's latest change?"""
        return self.is_searchable(order.updated_at)

    def is_searchable(self, changed_at: datetime) -> bool:
        """Does the search know what changed then? It lags by `search_lag_s`."""
        return changed_at <= self.now() - timedelta(seconds=self.settings.search_lag_s)


def gid(kind: str, number: int | str) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{number}"


def number_of(kind: str, given: object) -> int:
    """The number in a global id of this kind, 0 for anything else."""
    prefix = f"gid://shopify/{kind}/"
    text = str(given or "").partition("?")[0]
    rest = text.removeprefix(prefix)
    return int(rest) if text.startswith(prefix) and rest.isdigit() else 0


def typed_number(kind: str, given: object) -> int:
    """The number in a global id that must be of this kind; another kind is an error of the whole field (recorded)."""
    if not str(given).startswith(f"gid://shopify/{kind}/"):
        raise GraphQLError(f"Invalid id: {given}", extensions={"code": "RESOURCE_NOT_FOUND"})
    return number_of(kind, given)


def stamp(moment: datetime | None) -> str | None:
    """A moment as GraphQL writes it."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
