"""Which units of an order, which shipping and fees add up to an amount: exact, in minor units, bounded. Pure.

Units of one line cannot be told apart and round differently by their place in the line, so that ``k`` units have a
lowest and a highest worth. A choice fits where the amount lies within the sum of the lowest and of the highest worths.
Choices of half of the lines are combined with those of the other half (meet in the middle); the number of sums kept is
capped, and a search that met its cap says so instead of guessing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from returnsops import money
from returnsops.facts import OrderLineSnapshot, RemoteRefundLine

from . import amounts

MOST_SUMS = 6_000  # kept of each half: a few hundredths of a second, while rows are locked
MOST_UNITS = 60  # of one line that are tried
MOST_PAIRS = 50_000  # of sums of both halves that are compared
SAME_SUM = 3  # ways to one sum that are kept: more than one is enough to know that there is no single one


@dataclass(frozen=True, kw_only=True)
class Choice:
    """``units`` of an item line, or (0) the whole rest of a shipping or fee line, worth low … high minor units."""

    line: OrderLineSnapshot
    units: int
    low: int
    high: int

    def is_worth(self, amount_minor: int) -> bool:
        """Whether the amount is within its worths."""
        return self.low <= amount_minor <= self.high


Ways = tuple[Choice, ...]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Ways to make up the amount, and whether the search saw every one there is."""

    ways: tuple[Ways, ...]
    is_complete: bool


@dataclass(kw_only=True)
class _Half:
    sums: dict[tuple[int, int], list[Ways]]
    is_complete: bool = True


def choices_of(line: OrderLineSnapshot, taken: Sequence[RemoteRefundLine], *, currency: str) -> tuple[Choice, ...]:
    """What can still be refunded of one line: each number of units left, or the rest of shipping and fees.

    What is worth nothing is no choice: an amount does not tell whether it was meant.
    """
    left = money.to_minor(money.rounded(amounts.money_left(line, taken), currency=currency), currency=currency)
    if left <= 0 or amounts.line_gross(line) <= 0:
        return ()
    if line.kind != "item":
        return (Choice(line=line, units=0, low=left, high=left),)
    free = min(amounts.units_left(line, taken), MOST_UNITS)
    made = (_of_units(line, units, free=free, left=left, currency=currency) for units in range(1, free + 1))
    return tuple(choice for choice in made if choice.high > 0)


def _of_units(line: OrderLineSnapshot, units: int, *, free: int, left: int, currency: str) -> Choice:
    totals = [_minor(figure, currency) for figure in (line.net, *(share.amount for share in line.taxes))]
    low, high = _span(totals, quantity=line.quantity, units=units)
    if units == free and abs(left - high) <= line.quantity * len(totals):
        high = max(high, left)  # the last units carry what rounding left over
        low = min(low, left)
    return Choice(line=line, units=units, low=min(low, left), high=min(high, left))


def _minor(figure: Decimal, currency: str) -> int:
    return money.to_minor(money.rounded(figure, currency=currency), currency=currency)


def _span(totals: Sequence[int], *, quantity: int, units: int) -> tuple[int, int]:
    """Lowest and highest worth of ``units`` next to each other, by cumulative halves-up rounding of each figure."""
    positions = range(min(quantity - units, amounts.MAX_POSITIONS) + 1)
    worths = [
        sum(_until(total, first + units, quantity) - _until(total, first, quantity) for total in totals)
        for first in positions
    ]
    return min(worths), max(worths)


def _until(total: int, units: int, quantity: int) -> int:
    return (2 * abs(total) * units + quantity) // (2 * quantity) * (-1 if total < 0 else 1)


def search(groups: Iterable[Sequence[Choice]], amount_minor: int, *, most: int) -> Found:
    """Ways to make up the amount with at most one choice of each group; ``most`` of them."""
    fitting = [kept for group in groups if (kept := [choice for choice in group if choice.low <= amount_minor])]
    fitting.sort(key=len, reverse=True)
    left, right = _half(fitting[0::2], amount_minor), _half(fitting[1::2], amount_minor)
    ways, has_seen_all = _joined(left, right, amount_minor, most=most)
    return Found(ways=tuple(ways), is_complete=left.is_complete and right.is_complete and has_seen_all)


def _half(groups: Sequence[Sequence[Choice]], amount_minor: int) -> _Half:
    half = _Half(sums={(0, 0): [()]})
    for group in groups:
        grown = {key: list(ways) for key, ways in half.sums.items()}
        for (low, high), ways in half.sums.items():
            for choice in group:
                if low + choice.low <= amount_minor:
                    _keep(grown, (low + choice.low, high + choice.high), [(*way, choice) for way in ways])
            if len(grown) > MOST_SUMS:
                half.is_complete = False
                return half
        half.sums = grown
    return half


def _keep(sums: dict[tuple[int, int], list[Ways]], key: tuple[int, int], ways: Sequence[Ways]) -> None:
    known = sums.setdefault(key, [])
    known.extend(ways[: SAME_SUM - len(known)])


def _joined(left: _Half, right: _Half, amount_minor: int, *, most: int) -> tuple[list[Ways], bool]:
    ordered = sorted(right.sums)
    lows = [low for low, _ in ordered]
    widest = max(high - low for low, high in ordered)
    found: list[Ways] = []
    pairs = 0
    for (low, high), ways in left.sums.items():
        first, last = bisect_left(lows, amount_minor - high - widest), bisect_right(lows, amount_minor - low)
        pairs += last - first
        if pairs > MOST_PAIRS:
            return found, False
        for other in ordered[first:last]:
            if low + other[0] <= amount_minor <= high + other[1]:
                found.extend((*mine, *theirs) for mine in ways for theirs in right.sums[other])
        if len(found) > most:
            return found[:most], True
    return found, True
