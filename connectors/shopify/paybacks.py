"""How a refund goes back over the payments of an order, and what its own transactions say of its money. Pure.

Each payment is filled in the order in which the shop lists them, up to what it can still take: its amount less what
went back to it, and at most ``maximumRefundableV2`` where that is in the customer's currency (shopify.md section 7).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from connectors.ports import Json
from connectors.shopify.money import ZERO, paid
from connectors.shopify.refund_records import SUCCESS, UNDER_WAY, movements
from connectors.shopify.tenders import Tender, tenders_of
from returnsops.money import parse_amount

FAILED: Final = frozenset({"FAILURE", "ERROR"})


@dataclass(frozen=True, kw_only=True)
class Part:
    """What of a refund goes back to one payment."""

    tender: Tender
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Money of one refund by what became of it, in the customer's currency."""

    paid: Decimal
    under_way: Decimal
    failed: Decimal

    @property
    def every(self) -> Decimal:
        """What the refund is over, whatever became of it."""
        return self.paid + self.under_way + self.failed


def split(amount: Decimal, order: Json, *, with_manual: bool) -> tuple[Part, ...]:
    """The amount over the payments; less than the amount where they cannot take it all back."""
    parts: list[Part] = []
    for tender in tenders_of(order):
        rest = amount - sum((part.amount for part in parts), ZERO)
        share = min(rest, free_of(tender, order))
        if share > 0 and (with_manual or not tender.is_manual):
            parts.append(Part(tender=tender, amount=share))
    return tuple(parts)


def free_of(tender: Tender, order: Json) -> Decimal:
    """What a payment can still take back."""
    rows = {str(row.get("id")): row for row in order.get("transactions") or ()}
    most = (rows.get(tender.transaction_id) or {}).get("maximumRefundableV2") or {}
    if most.get("currencyCode") != order.get("presentmentCurrencyCode"):
        return tender.left
    return min(tender.left, max(ZERO, parse_amount(most.get("amount"))))


def moved_by(refund: Json) -> Moved:
    """What became of a refund's money."""
    return Moved(paid=_sum(refund, {SUCCESS}), under_way=_sum(refund, set(UNDER_WAY)), failed=_sum(refund, set(FAILED)))


def gateway_said(refund: Json) -> str:
    """The gateways' words for what failed."""
    rows: Iterable[Mapping[str, Any]] = movements(refund)
    return ", ".join(sorted({str(row["errorCode"]) for row in rows if row.get("errorCode")}))


def _sum(refund: Json, statuses: set[str]) -> Decimal:
    return sum((paid(row.get("amountSet")) for row in movements(refund) if row.get("status") in statuses), ZERO)
