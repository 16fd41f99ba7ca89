"""The checks: one file each, with one pure ``compare``. A new check is a file and a line in ``CHECKS``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from reconciliation.books import Comparison, OrderBook
from reconciliation.checks import refunded_sums, refunds_outside, restocked_units


class Compare(Protocol):
    """Both books of some orders → what agrees and what does not. No database, no HTTP, no clock."""

    def __call__(self, *, orders: Sequence[OrderBook]) -> Comparison: ...


@dataclass(frozen=True, kw_only=True)
class Check:
    """One comparison, by the name that runs and commands use."""

    code: str
    title: str
    compare: Compare


CHECKS: Final = (
    Check(code="refunded_sums", title="Refunded sums here and in the shop", compare=refunded_sums.compare),
    Check(code="restocked_units", title="Restocked units and dispositions", compare=restocked_units.compare),
    Check(code="refunds_outside", title="Refunds made outside", compare=refunds_outside.compare),
)


def check_of(code: str) -> Check:
    """The check of that code. Raises LookupError naming the known ones."""
    for check in CHECKS:
        if check.code == code:
            return check
    raise LookupError(f"There is no check {code!r}; known are {', '.join(check.code for check in CHECKS)}.")
