"""What an audit finds: the kinds of gaps, their causes in words, and one gap as data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

DOUBLES: Final = "doubles"
GOODS: Final = "goods"
NO_RECORD: Final = "no_record"
ORDER_MISSING: Final = "order_missing"
OPEN_RETURN: Final = "open_return"

KINDS: Final[Mapping[str, str]] = {
    DOUBLES: "Refunded twice or too much",
    GOODS: "Goods not restocked, or restocked though not sellable",
    NO_RECORD: "Refunds without record",
    ORDER_MISSING: "Returns whose order is not in the shop",
    OPEN_RETURN: "Open returns that would send something on going live",
}
GAP_KINDS: Final = (DOUBLES, GOODS, NO_RECORD, ORDER_MISSING)  # an open return is work to come, not a gap

REFUNDED_TWICE: Final = "refunded_twice"
PAID_BY_BOTH: Final = "paid_by_both"
MORE_THAN_DECIDED: Final = "more_than_decided"
OVER_REFUNDED: Final = "over_refunded"
NOT_RESTOCKED: Final = "not_restocked"
RESTOCKED_UNSELLABLE: Final = "restocked_unsellable"
RESTOCKED_TOO_OFTEN: Final = "restocked_too_often"
NOT_IN_SHOP: Final = "not_in_shop"
RECORDED_FOR_LESS: Final = "recorded_for_less"
NOT_EXPLAINED: Final = "not_explained"
ORDER_NOT_FOUND: Final = "order_not_found"
ORDER_IN_BIN: Final = "order_in_bin"
WOULD_SEND: Final = "would_send"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why something is a gap, as people read it; ``likely`` is what usually happened and what to do."""

    kind: str
    title: str
    likely: str


CAUSES: Final[Mapping[str, Cause]] = {
    REFUNDED_TWICE: Cause(
        kind=DOUBLES,
        title="The same refund twice",
        likely="Two people or systems refunded the same return. Ask the payment provider whether both were paid.",
    ),
    PAID_BY_BOTH: Cause(
        kind=DOUBLES,
        title="Paid by the platform and by the shop",
        likely="The platform paid the customer, and the shop's payment gateway paid again. Ask both for the payouts.",
    ),
    MORE_THAN_DECIDED: Cause(
        kind=DOUBLES,
        title="More refunded than decided",
        likely="Somebody typed another amount, or refunded units that did not come back. Settle it with the customer.",
    ),
    OVER_REFUNDED: Cause(
        kind=DOUBLES,
        title="More refunded than paid",
        likely="Two refunds at the same moment passed the order's total. Ask the payment provider what was paid.",
    ),
    NOT_RESTOCKED: Cause(
        kind=GOODS,
        title="Sellable units not restocked",
        likely="The refund was recorded without putting the goods back. Count the shelf, then correct the stock;"
        " a figure typed into the product by hand does not show here.",
    ),
    RESTOCKED_UNSELLABLE: Cause(
        kind=GOODS,
        title="Restocked though not sellable",
        likely="The refund put all units back before anybody had judged them. Count the shelf, take them out of sale.",
    ),
    RESTOCKED_TOO_OFTEN: Cause(
        kind=GOODS,
        title="More units restocked than were sold",
        likely="The same units were put back more than once. Count the shelf and correct the product's stock.",
    ),
    NOT_IN_SHOP: Cause(
        kind=NO_RECORD,
        title="Platform refund without a record in the shop",
        likely="Nobody entered it, or its record was deleted. Ask the payer whether the customer has the money.",
    ),
    RECORDED_FOR_LESS: Cause(
        kind=NO_RECORD,
        title="Recorded for less than decided",
        likely="A fee was kept back by hand, or the amount was mistyped. Compare with the payment provider.",
    ),
    NOT_EXPLAINED: Cause(
        kind=NO_RECORD,
        title="Shop refund that no return explains",
        likely="Refunded by hand in the shop outside the returns platform. Ask its author what it was for.",
    ),
    ORDER_NOT_FOUND: Cause(
        kind=ORDER_MISSING,
        title="Order not in the shop",
        likely="The order was deleted, or the platform serves another shop too. Correct the order in the platform.",
    ),
    ORDER_IN_BIN: Cause(
        kind=ORDER_MISSING,
        title="Order in the shop's bin",
        likely="Somebody moved the order to the bin. Restore it in the shop.",
    ),
    WOULD_SEND: Cause(
        kind=OPEN_RETURN,
        title="Open return with something to send",
        likely="Begun before going live, it waits until a person releases it.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One thing found. ``amount`` is what is at stake in major units of ``currency``; ``quantity`` counts units."""

    cause: str
    text: str
    happened_at: datetime
    order_id: str = ""
    order_number: str = ""
    return_id: str = ""
    return_number: str = ""
    platform: str = ""
    refund_id: str = ""
    author: str = ""
    amount: Decimal | None = None
    currency: str = ""
    quantity: int | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Which of the kinds it counts to."""
        return CAUSES[self.cause].kind


@dataclass(frozen=True, kw_only=True)
class Apart:
    """A shop refund that says itself that it is no refund of goods; counted, never a gap."""

    refund_id: str
    order_id: str
    amount: Decimal
    currency: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Uncompared:
    """Something that could not be compared, and why."""

    subject: str
    why: str
