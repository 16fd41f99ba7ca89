"""What the stories of the demo must lead to, written down by whoever tells them and not by our own tables."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class ExpectedRefund:
    """One refund record that must stand in a shop at the end. ``is_paid``: its gateway must have paid it, once."""

    market: str
    order_id: int
    amount: Decimal
    is_paid: bool
    is_ours: bool = True


@dataclass(kw_only=True)
class ExpectedExchange:
    """One replacement order that must stand in a shop, worth nothing; ``is_withdrawn``: cancelled again."""

    market: str
    order_id: int  # the original
    product_id: int
    return_id: str
    is_withdrawn: bool = False


@dataclass(frozen=True, kw_only=True)
class ExpectedCredit:
    """One coupon that must stand in a shop, bonus included."""

    market: str
    order_id: int
    amount: Decimal


@dataclass(kw_only=True)
class Book:
    """Everything expected of a day."""

    returns: int = 0
    refunds: list[ExpectedRefund] = field(default_factory=list)
    exchanges: list[ExpectedExchange] = field(default_factory=list)
    credits: list[ExpectedCredit] = field(default_factory=list)
    restocked: Counter[tuple[str, int]] = field(default_factory=Counter)  # (market, product id) -> units
    restock_records: Counter[tuple[str, int]] = field(default_factory=Counter)  # (market, order id) -> records
    cases: Counter[str] = field(default_factory=Counter)

    def money(self, market: str) -> Decimal:
        """What must stand refunded in a shop, by us and by hand."""
        return sum((refund.amount for refund in self.refunds if refund.market == market), Decimal(0))

    def paid(self, market: str) -> Decimal:
        """What the gateways of a shop must have paid back."""
        return sum((r.amount for r in self.refunds if r.market == market and r.is_paid), Decimal(0))
