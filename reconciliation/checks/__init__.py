"""The checks: one file each, with one pure ``compare``. A new check is a file and a line in ``CHECKS``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from reconciliation.books import Comparison, OrderBook
from reconciliation.checks import (
    order_marks,
    orders_left_open,
    platform_amounts,
    refunded_sums,
    refunds_outside,
    restocked_units,
    restocks_unmapped,
    returns_twice,
    stock_levels,
)


class Compare(Protocol):
    """Both books of some orders → what agrees and what does not. No database, no HTTP, no clock."""

    def __call__(self, *, orders: Sequence[OrderBook]) -> Comparison: ...


@dataclass(frozen=True, kw_only=True)
class Check:
    """One comparison, by the name that runs and commands use. Notes and shelf figures are read only where it asks."""

    code: str
    title: str
    compare: Compare
    needs_notes: bool = False
    needs_levels: bool = False


CHECKS: Final = (
    Check(code="refunded_sums", title="Refunded sums here and in the shop", compare=refunded_sums.compare),
    Check(code="restocked_units", title="Restocked units and dispositions", compare=restocked_units.compare),
    Check(code="refunds_outside", title="Refunds in the shop without a return", compare=refunds_outside.compare),
    Check(
        code="orders_left_open",
        title="Refunded at the platform, order still open in the shop",
        compare=orders_left_open.compare,
    ),
    Check(
        code="platform_amounts",
        title="Amounts of the platform and of the refunds made for them",
        compare=platform_amounts.compare,
    ),
    Check(code="returns_twice", title="Two returns for the same units", compare=returns_twice.compare),
    Check(
        code="restocks_unmapped",
        title="Stock wrong because a restock was not mapped",
        compare=restocks_unmapped.compare,
    ),
    Check(
        code="stock_levels",
        title="Restocked, stock figure not updated",
        compare=stock_levels.compare,
        needs_levels=True,
    ),
    Check(
        code="order_marks",
        title="Notes and return status on the order",
        compare=order_marks.compare,
        needs_notes=True,
    ),
)


def check_of(code: str) -> Check:
    """The check of that code. Raises LookupError naming the known ones."""
    for check in CHECKS:
        if check.code == code:
            return check
    raise LookupError(f"There is no check {code!r}; known are {', '.join(check.code for check in CHECKS)}.")
