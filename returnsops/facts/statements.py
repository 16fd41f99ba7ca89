"""The facts themselves: frozen statements in the past tense (design section 2)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from .values import (
    ExchangeLine,
    ExecutedBy,
    InspectedItem,
    InspectionSource,
    OrderSnapshot,
    RefundItem,
    ReturnSnapshot,
)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened at ``occurred_at`` in the world, whenever we heard of it."""

    occurred_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReturnFact(Fact):
    """A fact about one return; ``revision`` is the platform's, 0 where it gives none."""

    return_id: str
    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class ReturnSeen(ReturnFact):
    """The platform showed the whole return; the highest (revision, updated_at, mapping version, content hash) wins.

    ``mapping_version`` is that of the stored mapping its body was read with, 0 without one: a body read again under a
    newer mapping says something else, and that counts.
    """

    snapshot: ReturnSnapshot
    mapping_version: int = 0


@dataclass(frozen=True, kw_only=True)
class ReturnRequested(ReturnFact):
    """The shopper asked."""


@dataclass(frozen=True, kw_only=True)
class ReturnAuthorised(ReturnFact):
    """The goods may be sent back."""


@dataclass(frozen=True, kw_only=True)
class ReturnDeclined(ReturnFact):
    """The return was refused."""

    reason_code: str
    reason_text: str = ""


@dataclass(frozen=True, kw_only=True)
class ReturnCancelled(ReturnFact):
    """The shopper or the merchant withdrew it."""

    reason_code: str = ""
    reason_text: str = ""


@dataclass(frozen=True, kw_only=True)
class ReturnExpired(ReturnFact):
    """The goods were never sent in time."""


@dataclass(frozen=True, kw_only=True)
class ReturnClosed(ReturnFact):
    """The platform has nothing more to do."""


@dataclass(frozen=True, kw_only=True)
class ParcelFact(ReturnFact):
    """A fact about one parcel of a return."""

    parcel_id: str
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, kw_only=True)
class ParcelLabelled(ParcelFact):
    """A label or code for the parcel exists."""


@dataclass(frozen=True, kw_only=True)
class ParcelInTransit(ParcelFact):
    """The carrier scanned it."""


@dataclass(frozen=True, kw_only=True)
class ParcelDelivered(ParcelFact):
    """The carrier says delivered; nobody has it in hands yet."""


@dataclass(frozen=True, kw_only=True)
class ParcelReceived(ParcelFact):
    """The warehouse has it in hands; says nothing of condition."""


@dataclass(frozen=True, kw_only=True)
class ItemsInspected(ReturnFact):
    """A delta of verdicts, identified by (return, revision, item, disposition, inspected_at).

    ``is_all_of_items``: all there is to say of the items it names, in place of what was said of them before.
    """

    items: tuple[InspectedItem, ...]
    source: InspectionSource
    decision_id: str = ""
    is_all_of_items: bool = False


@dataclass(frozen=True, kw_only=True)
class InspectionCompleted(ReturnFact):
    """What one source judges now: absolute, supersedes what it said before. All units, but of items with quantity 0.

    ``is_all_of_items``: it supersedes what was said of the items it names, and nothing of the others.
    """

    items: tuple[InspectedItem, ...]
    source: InspectionSource
    is_all_of_items: bool = False


@dataclass(frozen=True, kw_only=True)
class RefundIssued(ReturnFact):
    """The platform decided or paid a refund; ``executed_by`` '' means it did not say who moves the money."""

    refund_id: str
    amount: Decimal
    currency: str
    executed_by: ExecutedBy
    method: str = ""
    is_instant: bool = False
    items: tuple[RefundItem, ...] = ()
    shipping: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    provider_reference: str = ""


@dataclass(frozen=True, kw_only=True)
class RefundFailed(ReturnFact):
    """The platform's refund did not reach the shopper."""

    refund_id: str
    code: str
    message: str = ""
    is_retriable: bool = False


@dataclass(frozen=True, kw_only=True)
class ExchangeRequested(ReturnFact):
    """A replacement is wanted.

    ``is_wish``: the wish as it stands at that time, which may be taken back and made again under the same id. One
    that was only found standing cannot have been made before ``made_after``; ``is_repeat``: it was found so before,
    and is no new word.
    """

    exchange_id: str
    lines: tuple[ExchangeLine, ...]
    is_instant: bool = False
    price_difference: Decimal = Decimal(0)
    commerce_order_id: str = ""
    is_wish: bool = False
    is_repeat: bool = False
    made_after: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ExchangeCancelled(ReturnFact):
    """The replacement is no longer wanted; for good, but for a wish (``is_wish``), where the latest word counts."""

    exchange_id: str
    is_wish: bool = False


@dataclass(frozen=True, kw_only=True)
class CreditIssued(ReturnFact):
    """Store credit or a gift card was granted instead of money."""

    credit_id: str
    kind: Literal["store_credit", "gift_card"]
    amount: Decimal
    currency: str
    bonus: Decimal = Decimal(0)
    executed_by: ExecutedBy = ""
    code_last4: str = ""


@dataclass(frozen=True, kw_only=True)
class PlatformShowed(ReturnFact):
    """The platform's own return holds what we may have told it: ``message``'s ``field`` has had these values there."""

    message: str
    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RiskHoldPlaced(ReturnFact):
    """A fraud review freezes everything but mirrors."""

    risk_id: str
    kind: str = "fraud_review"
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class RiskHoldReleased(ReturnFact):
    """The fraud review ended."""

    risk_id: str


@dataclass(frozen=True, kw_only=True)
class RiskCharge(ReturnFact):
    """Instant goods never came or were rejected, and the charge for them was made, failed or was undone."""

    risk_id: str
    stage: Literal["charged", "failed", "reversed"]
    kind: str
    amount: Decimal | None = None
    currency: str = ""
    liable: str = "unknown"


@dataclass(frozen=True, kw_only=True)
class OrderFact(Fact):
    """A fact about one order of a commerce connection."""

    order_id: str


@dataclass(frozen=True, kw_only=True)
class OrderMayHaveChanged(OrderFact):
    """A hint: read this order again."""


@dataclass(frozen=True, kw_only=True)
class OrderChanged(OrderFact):
    """The order was read; absolute, its refund list too (a deleted refund is one that is no longer listed)."""

    snapshot: OrderSnapshot


@dataclass(frozen=True, kw_only=True)
class OrderGone(OrderFact):
    """The order is in the bin or cannot be found any more."""


@dataclass(frozen=True, kw_only=True)
class HumanFact(ReturnFact):
    """A decision of a person about one return, with who and why."""

    by: str
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class ReasonClassified(HumanFact):
    """A person chose the reason code of an item."""

    item_id: str
    reason_code: str


@dataclass(frozen=True, kw_only=True)
class HoldWaived(HumanFact):
    """A person released one hold of one effect."""

    effect_key: str  # '' = on every effect of the return
    hold_code: str
    subject: str = ""  # what exactly was accepted, e.g. "42.00 GBP"


@dataclass(frozen=True, kw_only=True)
class RefundAttributed(HumanFact):
    """What a refund made outside is: for this return (``is_for_return``) or not connected to it.

    A person said so, or (``by`` "returnsops") there is only one explanation.
    """

    remote_refund_id: str
    is_for_return: bool


@dataclass(frozen=True, kw_only=True)
class AttributionUndone(HumanFact):
    """A person took back what was said of a refund made outside; from then on only people answer it."""

    remote_refund_id: str


@dataclass(frozen=True, kw_only=True)
class ExecutionDecided(HumanFact):
    """A person said who moves the money of one platform refund, or who issues one credit."""

    refund_id: str
    executed_by: ExecutedBy


@dataclass(frozen=True, kw_only=True)
class CreditWithdrawn(HumanFact):
    """A person took a credit back: it is not issued any more, and made worthless where it was."""

    credit_id: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class InspectionUndone(HumanFact):
    """A person took one verdict of our own warehouse back; ``identity`` is the verdict's."""

    item_id: str
    identity: str


@dataclass(frozen=True, kw_only=True)
class ItemRecounted(HumanFact):
    """A person of our warehouse counted one item again: all its units, instead of whatever was said of it before."""

    item_id: str
    items: tuple[InspectedItem, ...]


@dataclass(frozen=True, kw_only=True)
class ReplacementChosen(HumanFact):
    """A person chose something else for one line of an exchange that could not be sent as it was asked for."""

    exchange_id: str
    sku: str
    variant_id: str
    new_sku: str
    new_variant_id: str
