"""The rows of a simulated Shopify shop: people, catalogue, stock, orders and their money. Times are aware."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.simulators.shopify.amounts import NOTHING, Bag

STATES = ("available", "committed", "reserved", "damaged", "safety_stock", "quality_control", "incoming")
"""Names of inventory quantities that are kept; on_hand is the sum of all but incoming."""


@dataclass(kw_only=True)
class Location:
    """A place that holds stock."""

    id: int
    name: str
    is_active: bool = True
    fulfils_online: bool = True
    city: str = "Leeds"
    country_code: str = "GB"
    service_handle: str = ""


@dataclass(kw_only=True)
class Product:
    """A product. `status` is ACTIVE, DRAFT or ARCHIVED."""

    id: int
    title: str
    status: str = "ACTIVE"


@dataclass(kw_only=True)
class Variant:
    """What is sold. Its inventory item has the same row and an id of its own."""

    id: int
    item_id: int
    product_id: int
    title: str
    sku: str
    price: Decimal
    barcode: str = ""
    is_tracked: bool = True
    is_shipped: bool = True
    is_oversold_allowed: bool = False


@dataclass(kw_only=True)
class Level:
    """The stock of one inventory item at one location. `stocked_at` None: not stocked there any more."""

    item_id: int
    location_id: int
    quantities: dict[str, int]
    updated_at: datetime
    changed_at: dict[str, datetime] = field(default_factory=dict)
    is_active: bool = True

    @property
    def on_hand(self) -> int:
        """Everything in the building."""
        return sum(quantity for name, quantity in self.quantities.items() if name != "incoming")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one quantity inside an adjustment group."""

    name: str
    delta: int
    item_id: int
    location_id: int
    ledger_uri: str | None = None


@dataclass(frozen=True, kw_only=True)
class AdjustmentGroup:
    """What one inventory mutation changed, by whom and why; `staff_id` None means an app did it."""

    id: int
    created_at: datetime
    reason: str
    reference_uri: str | None
    changes: tuple[Change, ...]
    staff_id: int | None = None


@dataclass(kw_only=True)
class Staff:
    """Somebody who works in the shop's admin."""

    id: int
    name: str
    email: str


@dataclass(kw_only=True)
class Customer:
    """A customer of the shop."""

    id: int
    email: str
    name: str
    created_at: datetime
    updated_at: datetime
    tags: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class TaxLine:
    """One tax. `price` is for the whole quantity it stands on; `rate` is a share (0.2)."""

    title: str
    rate: Decimal
    price: Bag


@dataclass(frozen=True, kw_only=True)
class Discount:
    """A share of a discount on a line, for the quantity first ordered. `kind` is line, code or order."""

    kind: str
    amount: Bag


@dataclass(kw_only=True)
class Duty:
    """Customs duty on a line, for the quantity first ordered."""

    id: int
    order_id: int
    line_id: int
    price: Bag


@dataclass(kw_only=True)
class OrderLine:
    """A line. `quantity` never shrinks; what an edit takes away is counted in `removed`."""

    id: int
    order_id: int
    title: str
    sku: str
    quantity: int
    unit_price: Bag
    variant_id: int | None = None
    variant_title: str = ""
    removed: int = 0
    fulfilled: int = 0
    is_taxable: bool = True
    is_shipped: bool = True
    is_gift_card: bool = False
    is_exchange: bool = False
    is_stock_claimed: bool = False
    discounts: list[Discount] = field(default_factory=list)
    tax_lines: list[TaxLine] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)


@dataclass(kw_only=True)
class ShippingLine:
    """Postage of an order."""

    id: int
    order_id: int
    title: str
    price: Bag
    tax_lines: list[TaxLine] = field(default_factory=list)


@dataclass(kw_only=True)
class Transaction:
    """Money that moved, will move or did not. `kind` and `status` are Shopify's words."""

    id: int
    order_id: int
    kind: str
    status: str
    gateway: str
    amount: Bag
    created_at: datetime
    parent_id: int | None = None
    refund_id: int | None = None
    error_code: str | None = None
    is_manual: bool = False


@dataclass(kw_only=True)
class FulfilmentLine:
    """Units of an order line inside a fulfilment."""

    id: int
    order_id: int
    line_id: int
    quantity: int


@dataclass(kw_only=True)
class Fulfilment:
    """A parcel that left."""

    id: int
    order_id: int
    location_id: int
    created_at: datetime
    lines: list[FulfilmentLine]
    status: str = "SUCCESS"
    tracking_number: str = ""
    tracking_company: str = ""


@dataclass(kw_only=True)
class RefundLine:
    """Units of an order line inside a refund."""

    id: int
    order_id: int
    line_id: int
    quantity: int
    restock_type: str
    subtotal: Bag
    tax: Bag
    location_id: int | None = None
    is_restocked: bool = False


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """The difference between what was computed and what was refunded; negative is in the customer's favour."""

    id: int
    order_id: int
    reason: str
    amount: Bag
    tax: Bag = NOTHING


@dataclass(kw_only=True)
class Refund:
    """A refund record. `staff_id` None means an app made it."""

    id: int
    order_id: int
    note: str
    created_at: datetime
    staff_id: int | None = None
    return_id: int | None = None
    shipping: Bag = NOTHING
    shipping_tax: Bag = NOTHING
    duties: list[tuple[int, Bag]] = field(default_factory=list)
    lines: list[RefundLine] = field(default_factory=list)
    transaction_ids: list[int] = field(default_factory=list)
    adjustments: list[Adjustment] = field(default_factory=list)


@dataclass(kw_only=True)
class Order:
    """An order. Totals are not stored but the first: they follow from lines, refunds and transactions."""

    id: int
    number: int
    name: str
    currency: str
    presentment_currency: str
    rate: Decimal
    is_tax_included: bool
    created_at: datetime
    updated_at: datetime
    processed_at: datetime
    customer_id: int | None = None
    email: str = ""
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    lines: list[OrderLine] = field(default_factory=list)
    shipping_lines: list[ShippingLine] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    fulfilments: list[Fulfilment] = field(default_factory=list)
    refund_ids: list[int] = field(default_factory=list)
    return_ids: list[int] = field(default_factory=list)
    first_total: Bag = NOTHING
    is_edited: bool = False
    is_test: bool = False
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    source_identifier: str | None = None
    source_name: str = "web"
    po_number: str | None = None
    app_name: str = ""
    shipping_address: dict[str, Any] | None = None
    tip: Bag = NOTHING
    has_financial_status: bool = True
