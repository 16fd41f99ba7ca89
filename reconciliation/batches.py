"""Batches of postings beside the gateway's lines, in minor units: sums, what is on its way, and rounding drift. Pure.

Sums are whole minor units, so nothing is rounded twice. Drift is what a gateway settled more or less than was posted,
counted only where a single line is off by no more than rounding; a larger difference is a difference, not drift.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LINED: Final = "lined_minor"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One posting. ``settled_minor`` None: no line yet; ``is_expected``: a line of a gateway will come."""

    key: str
    currency: str
    amount_minor: int
    gateway: str = ""
    settled_minor: int | None = None
    is_expected: bool = False
    is_rounding: bool = False  # books drift that people accepted

    @property
    def difference_minor(self) -> int:
        """Settled less posted; nothing while it is not settled."""
        return 0 if self.settled_minor is None else self.settled_minor - self.amount_minor


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Of one currency. Posted = with a line + on its way + elsewhere + rounding, to the last unit."""

    count: int = 0
    posted_minor: int = 0
    lined_minor: int = 0  # posted amounts of what has a line
    settled_minor: int = 0  # amounts of those lines
    coming_minor: int = 0
    elsewhere_minor: int = 0  # no gateway paid it, or a person said that it was settled otherwise
    rounding_minor: int = 0

    @property
    def difference_minor(self) -> int:
        """Lines less what they were posted for."""
        return self.settled_minor - self.lined_minor


def totals_of(entries: Iterable[Entry]) -> dict[str, Totals]:
    """Sums by currency; never across currencies."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        counter = sums[entry.currency]
        place = _place(entry)
        counter["count"] += 1
        counter["posted_minor"] += entry.amount_minor
        counter[place] += entry.amount_minor
        if place == LINED and entry.settled_minor is not None:
            counter["settled_minor"] += entry.settled_minor
    return {currency: Totals(**sums[currency]) for currency in sorted(sums)}


def _place(entry: Entry) -> str:
    if entry.is_rounding:
        return "rounding_minor"
    if entry.settled_minor is not None:
        return LINED
    return "coming_minor" if entry.is_expected else "elsewhere_minor"


def drift_of(entries: Iterable[Entry], *, rounding_minor: int) -> dict[tuple[str, str], int]:
    """Gateway and currency → minor units settled beyond (or short of) what was posted, less what was booked of it."""
    counter: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        if entry.is_rounding:
            counter[entry.gateway, entry.currency] -= entry.amount_minor
        elif entry.settled_minor is not None and abs(entry.difference_minor) <= rounding_minor:
            counter[entry.gateway, entry.currency] += entry.difference_minor
    return dict(counter)


def seal(entries: Iterable[tuple[str, str, int]]) -> str:
    """Fingerprint of postings as (key, currency, minor units), whatever their order: a closed month keeps it."""
    lines = sorted(f"{key}\t{currency}\t{minor}" for key, currency, minor in entries)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
