"""Values that facts carry: returns, inspections, refunds and orders as their systems show them. Only stdlib."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

Resolution = Literal["refund", "exchange", "store_credit", "gift_card", "mixed", "none"]
Mode = Literal["instant", "on_receipt"]
ExecutedBy = Literal["returns_platform", "commerce_platform", "merchant", ""]
InspectionSource = Literal["platform", "warehouse", "wms"]


@dataclass(frozen=True, kw_only=True)
class ReturnItem:
    """One item the shopper sends back; ``total`` is tax included, ``tax`` the part of it."""

    item_id: str
    sku: str
    quantity: int
    order_line_id: str = ""
    variant_id: str = ""
    name: str = ""
    reason_code: str | None = None
    reason_text: str = ""
    resolution: Resolution = "refund"
    unit_price: Decimal | None = None
    discount: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class ReturnSnapshot:
    """The whole return as its platform sees it at one revision."""

    return_id: str
    revision: int
    status: str
    mode: Mode
    order_id: str
    currency: str
    items: tuple[ReturnItem, ...]
    created_at: datetime
    updated_at: datetime
    number: str = ""
    resolution: Resolution = "refund"
    order_number: str = ""
    channel: str = ""
    customer_id: str = ""
    customer_email: str = ""
    totals: dict[str, Decimal] = field(default_factory=dict)
    return_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class InspectedItem:
    """A verdict on some units of one item; a disposition moves stock only when ``is_final``.

    ``quantity`` 0, in a statement of the whole, says that nothing is decided on the item, or not any more.
    """

    item_id: str
    quantity: int
    outcome: str
    disposition: str
    is_final: bool
    inspected_at: datetime
    sku: str = ""
    grade: str = ""
    reject_reason: str = ""
    location_code: str = ""
    inspected_by: str = ""


@dataclass(frozen=True, kw_only=True)
class RefundItem:
    """Part of a platform refund that pays for one item; ``amount`` is tax included."""

    item_id: str
    amount: Decimal
    quantity: int = 0
    tax: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class ExchangeLine:
    """One replacement wanted."""

    sku: str
    quantity: int
    variant_id: str = ""
    unit_price: Decimal | None = None
    replaces_item_id: str = ""


@dataclass(frozen=True, kw_only=True)
class TaxShare:
    """Tax of a line under one rate of the shop (WooCommerce: the tax RATE id)."""

    rate_id: str
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class OrderLineSnapshot:
    """One line of the order's final state; ``net`` is after discounts and without tax, for the whole quantity."""

    line_id: str
    kind: Literal["item", "shipping", "fee", "duty", "tip"]
    name: str
    quantity: int
    net: Decimal
    taxes: tuple[TaxShare, ...] = ()
    sku: str = ""
    product_id: str = ""
    variation_id: str = ""
    is_sku_ambiguous: bool = False
    reduced_stock: int | None = None


@dataclass(frozen=True, kw_only=True)
class RemoteRefundLine:
    """Which order line a refund in the shop names; quantity and money positive."""

    line_id: str
    quantity: int
    net: Decimal
    taxes: tuple[TaxShare, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RemoteRefund:
    """A refund record that exists in the shop, made by anyone. ``key`` is ours if found in it, else ''."""

    refund_id: str
    amount: Decimal
    currency: str
    created_at: datetime
    lines: tuple[RemoteRefundLine, ...] = ()
    key: str = ""
    reason: str = ""
    author: str = ""
    is_gateway_paid: bool = False

    @property
    def is_zero_money(self) -> bool:
        """A record without money: a restock of ours or of somebody's."""
        return self.amount == 0


@dataclass(frozen=True, kw_only=True)
class OrderSnapshot:
    """The order as it is now, edits and all refunds included (S1-27)."""

    order_id: str
    number: str
    status: str
    currency: str
    total: Decimal
    lines: tuple[OrderLineSnapshot, ...]
    refunds: tuple[RemoteRefund, ...]
    placed_at: datetime
    modified_at: datetime
    customer_id: str = ""
    customer_email: str = ""
    channel: str = ""
    payment_method: str = ""
    payment_reference: str = ""  # of the payment at its gateway
    paid_at: datetime | None = None
    is_locked: bool = False
    lock_reason: str = ""
    is_gone: bool = False
    is_open: bool | None = None  # the shop still has something to do with it; None: its state does not say
    meta: dict[str, str] = field(default_factory=dict)
    mirrored: dict[str, str] | None = None  # our fields as the order shows them; None: the shop shows none


ArticleId = tuple[str, str]  # product and variation in the shop; '' = without variations


@dataclass(frozen=True, kw_only=True)
class StockLevel:
    """The shelf figure of an article in the shop; ``quantity`` None: nobody counts it there."""

    quantity: int | None
    changed_at: datetime | None = None  # when the article was changed last, sales included


@dataclass(frozen=True, kw_only=True)
class StockMovement:
    """A change of an article's sellable stock that stands in the shop by itself, beside the order; units signed."""

    movement_id: str
    article: str  # id of the variation in the shop, '' where it cannot be told
    units: int
    moved_at: datetime | None = None
