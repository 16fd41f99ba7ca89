"""The whole memory of one simulated shop, and how a change of it becomes webhooks."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.simulators.clock import Clock, SystemClock
from connectors.simulators.webhooks import WebhookSender
from connectors.simulators.woocommerce.pricing import refunded_sum, totals_of
from connectors.simulators.woocommerce.records import (
    ApiKey,
    Coupon,
    Gateway,
    Meta,
    Note,
    Order,
    Payout,
    Product,
    Refund,
    TaxRate,
    Webhook,
)

FIRST_POST_ID = 10
VERSION = "11.0.1"


@dataclass(kw_only=True)
class ShopSettings:
    """What a merchant sets. `price_decimals` is 0, 2 or 3; `is_https` None believes the request."""

    currency: str = "EUR"
    currency_symbol: str = "€"
    price_decimals: int = 2
    timezone: str = "Europe/Madrid"
    is_tax_included: bool = False
    base_country: str = "ES"
    home_url: str = ""
    is_https: bool | None = None
    is_forwarded_proto_trusted: bool = True
    has_refund_lock: bool = True


@dataclass(kw_only=True)
class ShopState:
    """Tables of the shop. `lock` guards them all; `refund_pause` runs between check and write of an unlocked refund."""

    settings: ShopSettings
    clock: Clock
    sender: WebhookSender
    auth_clock: Clock = field(default_factory=SystemClock)
    products: dict[int, Product] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    refunds: dict[int, Refund] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    coupons: dict[int, Coupon] = field(default_factory=dict)
    tax_rates: dict[int, TaxRate] = field(default_factory=dict)
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    keys: list[ApiKey] = field(default_factory=list)
    gateways: dict[str, Gateway] = field(default_factory=dict)
    payouts: list[Payout] = field(default_factory=list)
    nonces: dict[tuple[str, str], int] = field(default_factory=dict)
    refund_pause: Callable[[], Any] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    emit: Callable[[str, int], None] = lambda topic, resource_id: None
    _last_ids: dict[str, int] = field(default_factory=lambda: {"post": FIRST_POST_ID - 1, "note": 99})

    def next_id(self, sequence: str) -> int:
        """The next number of a sequence: post (products, orders, refunds, coupons), item, meta, note, webhook, tax."""
        self._last_ids[sequence] = self._last_ids.get(sequence, 0) + 1
        return self._last_ids[sequence]

    def continue_ids(self, sequence: str, last_id: int) -> None:
        """Let the next number of a sequence follow `last_id` (a shop that is older than its simulation)."""
        self._last_ids[sequence] = last_id

    def now(self) -> datetime:
        """The shop's clock, to the second as WooCommerce stores it."""
        return self.clock.now().replace(microsecond=0)

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.settings.timezone)

    @property
    def decimals(self) -> int:
        """The shop's number of price decimals."""
        return self.settings.price_decimals

    def refunds_of(self, order_id: int) -> list[Refund]:
        """The refunds of one order, newest first."""
        return sorted((r for r in self.refunds.values() if r.order_id == order_id), key=lambda r: -r.id)

    def remaining(self, order: Order) -> Decimal:
        """What may still be refunded of an order."""
        return totals_of(order, self.decimals).total - refunded_sum(self.refunds_of(order.id))

    def add_note(self, order: Order, text: str, *, author: str = "WooCommerce", is_for_customer: bool = False) -> Note:
        """Write an order note: moves no date and fires no webhook."""
        note = Note(
            id=self.next_id("note"),
            order_id=order.id,
            author=author,
            text=text,
            is_for_customer=is_for_customer,
            created_at=self.now(),
        )
        self.notes.append(note)
        return note

    def touch(self, order: Order) -> None:
        """Save an order: the modification date moves and order.updated fires, whatever changed."""
        order.modified_at = self.now()
        self.emit("order.updated", order.id)

    def set_meta(self, target: list[Meta], key: str, value: Any) -> None:
        """Set a meta value by key: in place where the key exists, else appended."""
        for meta in target:
            if meta.key == key:
                meta.value = value
                return
        target.append(Meta(id=self.next_id("meta"), key=key, value=value))


def meta_value(target: list[Meta], key: str) -> Any:
    """The value of a meta key, None where there is none."""
    return next((meta.value for meta in target if meta.key == key), None)
