"""A second opinion on what a refund was for, by trying everything; shares no arithmetic with the product.

It says how many explanations hold under the strict rules of ``docs/adr`` and which return the only one serves. Worths
are exact fractions; small orders are tried combination by combination, larger ones sum by sum without any cap.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from returnsops.facts import OrderLineSnapshot
from returnsops.planning.attribution import OpenReturn, Question

DIGITS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
SMALL = 5
Way = tuple[tuple[str, int], ...]
Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """The only explanation as units per line (0 = a whole shipping or fee line) and its return; None: not only one."""

    only: tuple[str, Way] | None


def opinion(question: Question) -> Opinion:
    """Everything is tried; ``only`` is set where exactly one explanation holds and nothing speaks against it."""
    named = [line for line in question.refund.lines if line.quantity or line.net or any(t.amount for t in line.taxes)]
    ways = list(_named(question)) if named else list(_unnamed(question))
    found = {(ref, way) for way in ways for ref in _returns(question, way)}
    if len(found) != 1 or (not named and (_blocked(question, {ref for ref, _ in found}) or not question.is_sure)):
        return Opinion(only=None)
    return Opinion(only=found.pop())


def _returns(question: Question, way: Way) -> Iterator[str]:
    serving = [other.ref for other in question.returns if _serves(other, way)]
    yield from serving or [""]


def _serves(other: OpenReturn, way: Way) -> bool:
    units = {line_id: count for line_id, count in way if count}
    return any(left > 0 and line_id in units for line_id, left in other.wanted)


def _blocked(question: Question, explained: set[str]) -> bool:
    if any(question.refund.amount in other.payouts and other.ref not in explained for other in question.returns):
        return True
    digits = DIGITS[question.order.currency]
    minor = int(question.refund.amount * 10**digits)
    whole = int(question.order.total * 10**digits)
    shares = {int(Fraction(whole * share, 100) + Fraction(1, 2)) for share in (5, 10, 15, 20, 25, 30, 50)}
    return minor % (500 if digits == 0 else 5 * 10**digits) == 0 or minor in shares


# --- ways to the amount ----------------------------------------------------------------------------------------------


def _named(question: Question) -> Iterator[Way]:
    digits = DIGITS[question.order.currency]
    lines = {line.line_id: line for line in question.order.lines}
    total = sum((line.net + sum(tax.amount for tax in line.taxes) for line in question.refund.lines), 0)
    options: list[list[tuple[str, int]]] = []
    for named in question.refund.lines:
        worth = int((named.net + sum(tax.amount for tax in named.taxes)) * 10**digits)
        spans = _spans(question, lines[named.line_id]) if named.line_id in lines else {}
        is_item = bool(spans) and lines[named.line_id].kind == "item"
        options.append(
            [
                (named.line_id, units)
                for units, (low, high) in spans.items()
                if (low <= worth <= high and named.quantity in (0, units) if is_item else 0 < worth <= high)
            ]
        )
    if total == question.refund.amount and all(len(one) == 1 for one in options):
        yield tuple(sorted(one[0] for one in options))


def _unnamed(question: Question) -> Iterator[Way]:
    minor = int(question.refund.amount * 10 ** DIGITS[question.order.currency])
    spans = [(line.line_id, _spans(question, line)) for line in question.order.lines]
    options = [[(line_id, units, span) for units, span in found.items()] for line_id, found in spans if found]
    if len(options) <= SMALL + 2:
        yield from _one_by_one(options, minor)
    else:
        yield from _sum_by_sum(options, minor)


def _one_by_one(options: list[list[tuple[str, int, Span]]], minor: int) -> Iterator[Way]:
    for combination in itertools.product(*([None, *group] for group in options)):
        chosen = [one for one in combination if one is not None]
        if chosen and sum(one[2][0] for one in chosen) <= minor <= sum(one[2][1] for one in chosen):
            yield tuple(sorted((one[0], one[1]) for one in chosen))


def _sum_by_sum(options: list[list[tuple[str, int, Span]]], minor: int) -> Iterator[Way]:
    """Two ways to each sum are enough to see that there is no single one."""
    sums: dict[Span, list[Way]] = {(0, 0): [()]}
    for group in options:
        grown = {span: list(ways) for span, ways in sums.items()}
        for (low, high), ways in sums.items():
            for line_id, units, (least, most) in group:
                if low + least <= minor:
                    known = grown.setdefault((low + least, high + most), [])
                    known.extend([(*way, (line_id, units)) for way in ways][: 2 - len(known)])
        sums = grown
    for (low, high), ways in sums.items():
        if low <= minor <= high:
            yield from (tuple(sorted(way)) for way in ways)


# --- what units may be worth -----------------------------------------------------------------------------------------


def _spans(question: Question, line: OrderLineSnapshot) -> dict[int, Span]:
    """Units that are left of a line → lowest and highest worth in minor units; 0 units = all of a shipping or fee."""
    digits = DIGITS[question.order.currency]
    figures = [int(line.net * 10**digits), *(int(share.amount * 10**digits) for share in line.taxes)]
    mine = [taken for taken in question.taken if taken.line_id == line.line_id]
    gone = [int(sum((one.net for one in mine), 0) * 10**digits)]
    for share in line.taxes:
        rates = (tax.amount for one in mine for tax in one.taxes if tax.rate_id == share.rate_id)
        gone.append(int(sum(rates, 0) * 10**digits))
    left = sum(max(0, figure - out) for figure, out in zip(figures, gone, strict=True))
    if left <= 0:
        return {}
    if line.kind != "item":
        return {0: (left, left)}
    free = line.quantity - sum(one.quantity for one in mine)
    found: dict[int, Span] = {}
    for units in range(1, free + 1):
        worths = [
            sum(_rounded(figure, at + units, line.quantity) - _rounded(figure, at, line.quantity) for figure in figures)
            for at in range(line.quantity - units + 1)
        ]
        if units == free and abs(left - max(worths)) <= line.quantity * len(figures):
            worths.append(left)
        if min(max(worths), left) > 0:
            found[units] = (min(min(worths), left), min(max(worths), left))
    return found


def _rounded(figure: int, units: int, quantity: int) -> int:
    return int(Fraction(figure * units, quantity) + Fraction(1, 2))
