"""The rows of a simulated shop. Money is Decimal and net of tax, as WooCommerce stores it; times are aware."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(kw_only=True)
class Meta:
    """One meta value of an order, an item or a refund."""

    id: int
    key: str
    value: Any
    display_key: str = ""


@dataclass(frozen=True, kw_only=True)
class TaxRate:
    """One tax rate. `rate` is a percentage; an empty country matches every address; tax_class "" is standard."""

    id: int
    country: str
    rate: Decimal
    name: str
    tax_class: str = ""
    is_for_shipping: bool = True

    @property
    def code(self) -> str:
        """The rate code of tax lines, for instance "ES-IVA 21-1"."""
        return f"{self.country}-{self.name.upper()}-1" if self.country else f"{self.name.upper()}-1"


@dataclass(kw_only=True)
class Product:
    """A product or a variation (parent_id not 0). `stock_quantity` counts only where is_stock_managed."""

    id: int
    type: str
    name: str
    slug: str
    own_sku: str
    created_at: datetime
    modified_at: datetime
    parent_id: int = 0
    regular_price: Decimal | None = None
    tax_class: str = ""
    is_stock_managed: bool = False
    stock_quantity: int | None = None
    attributes: list[dict[str, Any]] = field(default_factory=list)
    variation_ids: list[int] = field(default_factory=list)
    total_sales: int = 0
    is_virtual: bool = False


@dataclass(kw_only=True)
class ItemTax:
    """Tax of one rate on one item, unrounded; subtotal is before discounts (None for shipping and fees)."""

    total: Decimal
    subtotal: Decimal | None = None


@dataclass(kw_only=True)
class Item:
    """A line, shipping line or fee of an order or a refund (there with negative amounts)."""

    id: int
    kind: str
    name: str
    total: Decimal
    subtotal: Decimal = Decimal(0)
    quantity: int = 1
    product_id: int = 0
    variation_id: int = 0
    tax_class: str = ""
    tax_status: str = "taxable"
    method_id: str = ""
    taxes: dict[int, ItemTax] = field(default_factory=dict)
    meta: list[Meta] = field(default_factory=list)


@dataclass(kw_only=True)
class CouponLine:
    """A coupon used by an order."""

    id: int
    coupon_id: int
    code: str
    discount_type: str
    nominal_amount: Decimal
    meta: list[Meta] = field(default_factory=list)


@dataclass(kw_only=True)
class Coupon:
    """A coupon of the shop: discount_type percent or fixed_cart; `status` publish, draft or trash."""

    id: int
    code: str
    discount_type: str
    amount: Decimal
    created_at: datetime
    status: str = "publish"
    description: str = ""
    modified_at: datetime | None = None
    expires_at: datetime | None = None
    usage_count: int = 0
    usage_limit: int | None = None
    is_individual_use: bool = False
    email_restrictions: list[str] = field(default_factory=list)
    used_by: list[str] = field(default_factory=list)
    meta: list[Meta] = field(default_factory=list)


@dataclass(kw_only=True)
class Order:
    """An order. Totals are not stored: they follow from the items (see pricing)."""

    id: int
    status: str
    currency: str
    order_key: str
    created_at: datetime
    modified_at: datetime
    is_tax_included: bool
    parent_id: int = 0
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    customer_id: int = 0
    customer_note: str = ""
    billing: dict[str, str] = field(default_factory=dict)
    shipping: dict[str, str] = field(default_factory=dict)
    payment_method: str = ""
    payment_method_title: str = ""
    transaction_id: str = ""
    created_via: str = "rest-api"
    is_stock_reduced: bool = False
    is_coupon_use_counted: bool = False
    status_before_trash: str = ""
    items: list[Item] = field(default_factory=list)
    coupons: list[CouponLine] = field(default_factory=list)
    tax_line_ids: dict[int, int] = field(default_factory=dict)
    meta: list[Meta] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Item]:
        """The items of one kind: line, shipping or fee."""
        return [item for item in self.items if item.kind == kind]


@dataclass(kw_only=True)
class Refund:
    """A refund record. `amount` is None where neither amount nor lines were sent."""

    id: int
    order_id: int
    amount: Decimal | None
    reason: str
    created_at: datetime
    is_full: bool = False
    is_payment_refunded: bool = False
    refunded_by: int = 1
    items: list[Item] = field(default_factory=list)
    tax_line_ids: dict[int, int] = field(default_factory=dict)
    meta: list[Meta] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Item]:
        """The items of one kind: line, shipping or fee."""
        return [item for item in self.items if item.kind == kind]


@dataclass(frozen=True, kw_only=True)
class Note:
    """An order note."""

    id: int
    order_id: int
    author: str
    text: str
    is_for_customer: bool
    created_at: datetime


@dataclass(kw_only=True)
class Webhook:
    """A webhook registration."""

    id: int
    name: str
    topic: str
    delivery_url: str
    secret: str
    created_at: datetime
    modified_at: datetime | None = None
    status: str = "active"
    failure_count: int = 0


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """REST credentials. `permissions` is read, write or read_write."""

    consumer_key: str
    consumer_secret: str
    permissions: str = "read_write"


@dataclass(kw_only=True)
class Gateway:
    """The double of a payment gateway. `failure`: "" works, "declined" refuses, "paid_then_error" pays but errs."""

    id: str
    title: str
    is_refund_supported: bool = False
    failure: str = ""


@dataclass(kw_only=True)
class Payout:
    """Money a gateway really sent back to a customer. A later failure of the bank sets has_failed_later."""

    order_id: int
    refund_id: int
    gateway_id: str
    amount: Decimal
    currency: str
    paid_at: datetime
    has_failed_later: bool = False
