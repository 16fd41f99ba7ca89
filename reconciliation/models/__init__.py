"""Rows of the comparison, of the books, and of the gateways' statements; one file each."""

from .comparison import AuditGap, Finding, OrderLook, Run
from .periods import Batch, Period, Posting
from .settlements import SettledElsewhere, Settlement, SettlementLine

__all__ = [
    "AuditGap",
    "Batch",
    "Finding",
    "OrderLook",
    "Period",
    "Posting",
    "Run",
    "SettledElsewhere",
    "Settlement",
    "SettlementLine",
]
