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
    currency: str
    is_paid: bool
    is_ours: bool = True


@dataclass(kw_only=True)
class ExpectedExchange:
    """One replacement order that must stand in a shop, worth nothing; ``is_withdrawn``: cancelled again."""

    market: str
    order_id: int  # the original
    product_id: int  # of the product or variant sent instead
    return_id: str
    is_withdrawn: bool = False


@dataclass(frozen=True, kw_only=True)
class ExpectedCredit:
    """One coupon, store credit or gift card that must stand in a shop, bonus included."""

    market: str
    order_id: int
    amount: Decimal
    is_gift_card: bool = False


@dataclass(kw_only=True)
class ExpectedReturn:
    """One return among those of the shop itself. It is closed once the goods are judged and the value is through."""

    market: str
    order_id: int
    units: int
    is_judged: bool = False
    is_settled: bool = False
    is_withdrawn: bool = False

    @property
    def status(self) -> str:
        """How it must stand, in the shop's word."""
        if self.is_withdrawn:
            return "CANCELED"
        return "CLOSED" if self.is_judged and self.is_settled else "OPEN"


@dataclass(kw_only=True)
class Book:
    """Everything expected of a day."""

    returns: int = 0
    returns_by_market: Counter[str] = field(default_factory=Counter)
    refunds: list[ExpectedRefund] = field(default_factory=list)
    exchanges: list[ExpectedExchange] = field(default_factory=list)
    credits: list[ExpectedCredit] = field(default_factory=list)
    shop_returns: list[ExpectedReturn] = field(default_factory=list)
    restocked: Counter[tuple[str, int]] = field(default_factory=Counter)  # (market, product id) -> units
    set_aside: Counter[tuple[str, int, str]] = field(default_factory=Counter)  # (market, variant id, state) -> units
    restock_records: Counter[tuple[str, int]] = field(default_factory=Counter)  # (market, order id) -> records
    cases: Counter[str] = field(default_factory=Counter)

    def money(self, market: str, currency: str) -> Decimal:
        """What must stand refunded in a shop, by us and by hand."""
        return sum((one.amount for one in self._refunds(market, currency)), Decimal(0))

    def paid(self, market: str, currency: str) -> Decimal:
        """What the gateways of a shop must have paid back."""
        return sum((one.amount for one in self._refunds(market, currency) if one.is_paid), Decimal(0))

    def _refunds(self, market: str, currency: str) -> list[ExpectedRefund]:
        return [one for one in self.refunds if (one.market, one.currency) == (market, currency)]
