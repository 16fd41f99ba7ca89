"""The rows that come after a sale: returns and reverse logistics, credit, metafields, subscriptions, bulk."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from connectors.simulators.shopify.amounts import NOTHING, Bag


@dataclass(kw_only=True)
class ReturnLine:
    """Units of a fulfilment line on their way back."""

    id: int
    return_id: int
    fulfilment_line_id: int
    line_id: int
    quantity: int
    reason: str = "UNKNOWN"
    definition_id: int | None = None
    note: str = ""
    customer_note: str | None = None
    processed: int = 0
    refunded: int = 0
    fee_percentage: Decimal | None = None


@dataclass(kw_only=True)
class ExchangeLine:
    """A replacement asked for with a return; it becomes a line of the order when processed."""

    id: int
    variant_id: int
    quantity: int
    processed: int = 0
    line_ids: list[int] = field(default_factory=list)


@dataclass(kw_only=True)
class Return:
    """A return. `status`: REQUESTED, OPEN, CLOSED, DECLINED or CANCELED."""

    id: int
    order_id: int
    name: str
    status: str
    created_at: datetime
    lines: list[ReturnLine]
    exchange_lines: list[ExchangeLine] = field(default_factory=list)
    approved_at: datetime | None = None
    closed_at: datetime | None = None
    decline_reason: str | None = None
    decline_note: str | None = None
    shipping_fee: Bag = NOTHING


@dataclass(frozen=True, kw_only=True)
class Disposition:
    """What became of units that came back."""

    id: int
    type: str
    quantity: int
    created_at: datetime
    location_id: int | None = None


@dataclass(kw_only=True)
class ReverseLine:
    """Units awaited by a reverse fulfilment order."""

    id: int
    return_line_id: int
    fulfilment_line_id: int
    quantity: int
    dispositions: list[Disposition] = field(default_factory=list)


@dataclass(kw_only=True)
class ReverseOrder:
    """A reverse fulfilment order: what a location is to take back. `status`: OPEN, CLOSED or CANCELED."""

    id: int
    return_id: int
    order_id: int
    location_id: int
    lines: list[ReverseLine]
    status: str = "OPEN"


@dataclass(kw_only=True)
class ReverseDelivery:
    """A parcel on its way back; `lines` are (id, reverse line id, quantity)."""

    id: int
    reverse_order_id: int
    lines: list[tuple[int, int, int]]
    tracking_number: str | None = None
    tracking_url: str | None = None
    label_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReasonDefinition:
    """A reason of the shop for returns."""

    id: int
    handle: str
    name: str
    is_deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class CreditMovement:
    """A credit (positive) or debit of a store credit account."""

    id: int
    amount: Decimal
    balance_after: Decimal
    created_at: datetime
    event: str
    expires_at: datetime | None = None


@dataclass(kw_only=True)
class CreditAccount:
    """Store credit of one customer in one currency."""

    id: int
    customer_id: int
    currency: str
    movements: list[CreditMovement] = field(default_factory=list)

    @property
    def balance(self) -> Decimal:
        """What may be spent."""
        return sum((movement.amount for movement in self.movements), Decimal(0))


@dataclass(kw_only=True)
class GiftCard:
    """A gift card with its code, which the API tells at creation only."""

    id: int
    code: str
    currency: str
    initial: Decimal
    balance: Decimal
    created_at: datetime
    customer_id: int | None = None
    note: str | None = None
    expires_on: date | None = None
    deactivated_at: datetime | None = None


@dataclass(kw_only=True)
class Metafield:
    """A metafield of `owner`, a GID."""

    id: int
    owner: str
    namespace: str
    key: str
    type: str
    value: str
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class MetafieldDefinition:
    """What a metafield of these owners is called and holds."""

    id: int
    owner_type: str
    namespace: str
    key: str
    name: str
    type: str
    is_pinned: bool = False


@dataclass(kw_only=True)
class Subscription:
    """A webhook subscription; `failures` counts deliveries in a row that were given up or refused."""

    id: int
    topic: str
    uri: str
    created_at: datetime
    updated_at: datetime
    format: str = "JSON"
    name: str | None = None
    filter: str | None = None
    fields: list[str] = field(default_factory=list)
    failures: int = 0


@dataclass(kw_only=True)
class Bulk:
    """A bulk query. `result` is its file as JSONL, None while it runs."""

    id: int
    text: str
    created_at: datetime
    status: str = "CREATED"
    completed_at: datetime | None = None
    error_code: str | None = None
    result: bytes | None = None
    objects: int = 0
    roots: int = 0
