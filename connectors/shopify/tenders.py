"""How an order was paid, and what is left of each payment: a refund goes back to the payments it came from. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from connectors.shopify.money import ZERO, paid
from connectors.shopify.refund_records import SUCCESS, UNDER_WAY

Json = Any
RECEIVING: Final = frozenset({"SALE", "CAPTURE"})


@dataclass(frozen=True, kw_only=True)
class Tender:
    """One payment of an order, in the currency the customer paid in; ``refunded`` counts what is still under way."""

    transaction_id: str
    gateway: str
    amount: Decimal
    refunded: Decimal
    is_manual: bool  # cash, bank transfer: Shopify moves no money

    @property
    def left(self) -> Decimal:
        """What can still be given back to it."""
        return max(ZERO, self.amount - self.refunded)


def tenders_of(order: Json) -> tuple[Tender, ...]:
    """The payments that came in, in the shop's order, with what went back to each (by ``parentTransaction``)."""
    rows = [row for row in order.get("transactions") or () if isinstance(row, Mapping)]
    return tuple(
        Tender(
            transaction_id=str(row["id"]),
            gateway=str(row.get("gateway") or ""),
            amount=paid(row.get("amountSet")),
            refunded=_refunded(rows, parent_id=str(row["id"])),
            is_manual=row.get("manualPaymentGateway") is True,
        )
        for row in rows
        if row.get("kind") in RECEIVING and row.get("status") == SUCCESS
    )


def _refunded(rows: Iterable[Json], *, parent_id: str) -> Decimal:
    counted = {SUCCESS, *UNDER_WAY}
    return sum(
        (
            paid(row.get("amountSet"))
            for row in rows
            if row.get("kind") == "REFUND"
            and row.get("status") in counted
            and (row.get("parentTransaction") or {}).get("id") == parent_id
        ),
        ZERO,
    )
