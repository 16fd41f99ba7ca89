"""The frozen snapshot of one return that the plan is computed from. Pure data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from returnsops import states
from returnsops.facts import (
    ExchangeLine,
    ExecutedBy,
    OrderLineSnapshot,
    OrderSnapshot,
    RefundItem,
    RemoteRefund,
    RemoteRefundLine,
    Resolution,
)

from .keys import content_hash

# vanished: it paid for this return, and its record was deleted in the shop since
Attribution = Literal["ours", "this_return", "other_return", "unrelated", "unattributed", "vanished"]


@dataclass(frozen=True, kw_only=True)
class LineView:
    """One item of the return; ``order_line_id`` is '' until it is matched to the final order."""

    item_id: str
    order_line_id: str
    sku: str
    quantity: int
    resolution: Resolution
    name: str = ""
    reason_code: str | None = None  # ours; None = unmapped
    reason_source: str = ""
    total: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class VerdictView:
    """A verdict in force (not superseded)."""

    item_id: str
    source: Literal["platform", "warehouse", "wms"]
    quantity: int
    disposition: str
    is_final: bool
    outcome: str
    inspected_at: datetime
    sku: str = ""  # of the goods judged, where the judge named it
    is_recount: bool = False  # a person counted the item again: the last word on it


@dataclass(frozen=True, kw_only=True)
class PayoutView:
    """A refund as the platform decided it."""

    refund_id: str
    amount: Decimal
    currency: str
    executed_by: ExecutedBy
    issued_at: datetime
    items: tuple[RefundItem, ...] = ()
    shipping: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    is_failed: bool = False
    failure_text: str = ""
    is_instant: bool = False
    provider_reference: str = ""


@dataclass(frozen=True, kw_only=True)
class ShopRefundView:
    """A refund record that stands in the shop now, and whose it is."""

    refund_id: str
    amount: Decimal
    currency: str
    refunded_at: datetime
    attribution: Attribution
    lines: tuple[RemoteRefundLine, ...] = ()
    key: str = ""
    author: str = ""
    reason: str = ""
    is_for_people: bool = False  # a person took an answer back: it is not answered without one again


@dataclass(frozen=True, kw_only=True)
class SiblingView:
    """Another return of the same order that has not ended; given only while a refund made outside is a question."""

    ref: str
    number: str
    lines: tuple[LineView, ...]
    payouts: tuple[PayoutView, ...] = ()
    requested_at: datetime | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class BesideView:
    """Another return of the same order and route that has not ended: which one, and how it is to be resolved."""

    ref: str
    resolution: str


@dataclass(frozen=True, kw_only=True)
class EffectView:
    """An effect that exists already."""

    key: str
    kind: str
    state: str
    origin: str
    generation: int = 1
    item_id: str = ""
    quantity: int | None = None
    amount: Decimal | None = None
    currency: str = ""
    lines: tuple[RemoteRefundLine, ...] = ()  # refunds: what its payload names
    covered: Decimal = Decimal(0)  # refunds: what refunds made outside took off it
    payload_hash: str = ""
    is_approved: bool = False
    error_code: str = ""
    error_text: str = ""
    remote_id: str = ""  # of the record there, once acknowledged
    bonus: Decimal = Decimal(0)  # store credit: what of its amount was given on top
    ground: str = ""  # refunds proposed by a person: what for
    lines_hash: str = ""  # replacement orders and the shop's own return: of the lines its payload names


@dataclass(frozen=True, kw_only=True)
class ParcelView:
    """A parcel on its way back."""

    tracking_number: str
    tracking_url: str = ""


@dataclass(frozen=True, kw_only=True)
class CreditView:
    """Store credit or gift card granted by the platform."""

    credit_id: str
    kind: str
    amount: Decimal
    currency: str
    executed_by: str
    is_settled: bool
    bonus: Decimal = Decimal(0)
    is_withdrawn: bool = False  # a person took it back


@dataclass(frozen=True, kw_only=True)
class ExchangeView:
    """A replacement asked for."""

    exchange_id: str
    lines: tuple[ExchangeLine, ...]
    is_cancelled: bool
    is_settled: bool
    commerce_order_id: str = ""
    is_instant: bool = False
    price_difference: Decimal = Decimal(0)  # more than 0: the shopper owes it
    is_renewed: bool = False  # taken back, and wished again since


@dataclass(frozen=True, kw_only=True)
class RiskView:
    """What a risk review said; ``stage`` is hold, released, charged, failed or reversed."""

    risk_id: str
    kind: str
    stage: str
    amount: Decimal | None = None
    currency: str = ""
    liable: str = ""


@dataclass(frozen=True, kw_only=True)
class WaiverView:
    """A hold a person released; effect_key '' = on every effect of the return."""

    hold_code: str
    effect_key: str = ""
    subject: str = ""


@dataclass(frozen=True, kw_only=True)
class ReturnView:
    """Everything the plan of one return may look at."""

    ref: str  # '<platform connection>/<return id>': identity in keys
    number: str
    status: str
    mode: Literal["instant", "on_receipt"]
    resolution: Resolution
    currency: str
    lines: tuple[LineView, ...]
    order_id: str
    order: OrderSnapshot | None  # None: not read yet or not found
    place_on_order: int = 1  # first, second … return of its order, for fields on the order that each needs
    commerce: str = ""  # name of the commerce connection, '' if the route has none
    order_wanted_until_at: datetime | None = None  # when a missing order becomes a case
    verdicts: tuple[VerdictView, ...] = ()
    payouts: tuple[PayoutView, ...] = ()
    shop_refunds: tuple[ShopRefundView, ...] = ()  # of the whole order, zero-money records left out
    credits: tuple[CreditView, ...] = ()
    exchanges: tuple[ExchangeView, ...] = ()
    risks: tuple[RiskView, ...] = ()
    parcels: tuple[ParcelView, ...] = ()
    is_on_risk_hold: bool = False
    effects: tuple[EffectView, ...] = ()  # of this return, all states
    sibling_effects: tuple[EffectView, ...] = ()  # live money, credit and stock effects of others on the same order
    credited_elsewhere: Decimal = Decimal(0)  # credit outside of our effects for other returns of the order
    siblings: tuple[SiblingView, ...] = ()
    open_returns: tuple[BesideView, ...] = ()  # the others that the same policy speaks for
    waivers: tuple[WaiverView, ...] = ()
    requested_at: datetime | None = None
    authorised_at: datetime | None = None
    in_transit_at: datetime | None = None
    delivered_at: datetime | None = None
    received_at: datetime | None = None
    inspected_at: datetime | None = None
    ended_at: datetime | None = None
    return_by_at: datetime | None = None
    shop_time_zone: str = "UTC"
    is_live: bool = True  # route live and the return begun after live_from, or released by a person
    is_released: bool = False  # begun before live_from: people may have done some of it by hand
    locations: Mapping[str, str] = field(default_factory=dict)  # disposition → location code, for its channel
    platform_pays: bool = True  # the platform may move money by itself
    write_backs: frozenset[str] = frozenset()  # messages the platform is told by a call
    # message → field of ours → values the platform's own return has held in that place
    platform_shows: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)


def order_fingerprint(order: OrderSnapshot) -> str:
    """Hash of all that a money or stock decision rests on: lines, taxes, total, locks, refunds with money.

    Zero-money records of ours (restocks) are left out, so that a restock does not send every refund back to planning.
    """
    document: dict[str, Any] = {
        "status": order.status if order.is_locked or order.is_gone else "",
        "locked": order.is_locked,
        "gone": order.is_gone,
        "currency": order.currency,
        "total": _text(order.total),
        "lines": sorted(
            [line.line_id, line.kind, str(line.quantity), _text(line.net), *_taxes(line.taxes)] for line in order.lines
        ),
        "refunds": sorted(
            [refund.refund_id, _text(refund.amount), refund.key] for refund in order.refunds if not refund.is_zero_money
        ),
    }
    by_hand = {line.line_id: units for line in order.lines if (units := put_back_by_others(line, order.refunds))}
    if by_hand:
        document["by_hand"] = by_hand
    return content_hash(document)


def put_back_by_others(line: OrderLineSnapshot, refunds: Iterable[RemoteRefund]) -> int:
    """Units of an order line back in stock that records without our key name, beyond what restocks of ours name.

    Line and records come from one reading, so that a restock of ours under way changes nothing here.
    """
    ours = others = 0
    for refund in refunds:
        units = sum(named.quantity for named in refund.lines if named.line_id == line.line_id)
        ours += units if refund.key.startswith(f"{states.RESTOCK}:") else 0
        others += 0 if refund.key else units
    # The shop may drop the figure with the last unit; that there was one is certain only where a restock of ours went.
    still_out = 0 if line.reduced_stock is None and ours else line.reduced_stock
    return 0 if still_out is None else max(0, min(others, line.quantity - still_out - ours))


def _taxes(taxes: tuple[Any, ...]) -> list[str]:
    return sorted(f"{share.rate_id}={_text(share.amount)}" for share in taxes)


def _text(amount: Decimal) -> str:
    return format(amount.normalize(), "f")
