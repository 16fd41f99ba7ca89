"""Which refund a gateway's line pays: by the refund's own reference, by the payment's, else by order and amount. Pure.

A guess is never made: several refunds that fit are a person's choice, except where as many lines as refunds say exactly
the same, so that any pairing gives the same sums.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

BY_REFUND: Final = "refund reference"
BY_PAYMENT: Final = "payment reference and amount"
BY_ORDER: Final = "order and amount"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a statement that pays nothing yet."""

    line_id: int
    gateway: str
    currency: str
    amount_minor: int
    settled_on: date
    reference: str = ""
    refund_reference: str = ""
    order_number: str = ""


@dataclass(frozen=True, kw_only=True)
class Payable:
    """One posted refund that no line pays yet."""

    posting_id: int
    currency: str
    amount_minor: int
    happened_at: datetime
    refund_references: frozenset[str] = frozenset()  # the record in the shop, the payout of the platform
    payment_reference: str = ""  # of the order at the gateway
    order_numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A line and the refund it pays, and how that was found."""

    line_id: int
    posting_id: int
    rule: str


@dataclass(frozen=True, kw_only=True)
class Matching:
    """What was found; ``candidates``: line → refunds that fit it, for a person to choose (empty: none fits)."""

    pairs: tuple[Pair, ...]
    candidates: dict[int, tuple[int, ...]]


Fits = Callable[[Line, Payable, int], bool]


def _by_refund(line: Line, payable: Payable, within: int) -> bool:
    return line.refund_reference in payable.refund_references


def _by_payment(line: Line, payable: Payable, within: int) -> bool:
    is_named = bool(line.reference) and line.reference == payable.payment_reference
    return is_named and abs(line.amount_minor - payable.amount_minor) <= within


def _by_order(line: Line, payable: Payable, within: int) -> bool:
    # A payment that is named and is another one's says no, whatever order and amount say.
    is_other = bool(line.reference and payable.payment_reference) and line.reference != payable.payment_reference
    is_near = abs(line.amount_minor - payable.amount_minor) <= within
    return line.order_number in payable.order_numbers and is_near and not is_other


EXACT: Final[tuple[tuple[str, Fits], ...]] = ((BY_REFUND, _by_refund), (BY_PAYMENT, _by_payment), (BY_ORDER, _by_order))
ROUNDED: Final[tuple[tuple[str, Fits], ...]] = (
    (f"{BY_PAYMENT}, rounded", _by_payment),
    (f"{BY_ORDER}, rounded", _by_order),
)


def match(lines: Sequence[Line], payables: Sequence[Payable], *, rounding_minor: int = 0) -> Matching:
    """Pair lines with refunds, the surest rule first. The same rows in any order give the same pairs.

    ``rounding_minor``: by how much a gateway's amount may be off where nothing fits exactly.
    """
    index = _Index(payables)
    waiting = sorted(lines, key=lambda line: (line.settled_on, line.line_id))
    pairs: list[Pair] = []
    candidates: dict[int, tuple[int, ...]] = {}
    rules = [(rule, fits, 0) for rule, fits in EXACT] + [(rule, fits, rounding_minor) for rule, fits in ROUNDED]
    for rule, fits, within in rules:
        fitting = {line.line_id: index.fitting(line, fits, within) for line in waiting}
        found = _paired(waiting, fitting, rule)
        index.take(pair.posting_id for pair in found)
        pairs += found
        done = {pair.line_id for pair in found}
        waiting = [line for line in waiting if line.line_id not in done]
        for line in waiting:
            if fitting[line.line_id]:
                candidates.setdefault(line.line_id, tuple(payable.posting_id for payable in fitting[line.line_id]))
    left = {line.line_id: candidates.get(line.line_id, ()) for line in waiting}
    return Matching(pairs=tuple(pairs), candidates=left)


def _paired(lines: Sequence[Line], fitting: dict[int, tuple[Payable, ...]], rule: str) -> list[Pair]:
    """Lines grouped by the very same set of refunds: as many lines as refunds, and all amounts alike, is no choice."""
    groups: defaultdict[frozenset[int], list[Line]] = defaultdict(list)
    for line in lines:
        if fitting[line.line_id]:
            groups[frozenset(payable.posting_id for payable in fitting[line.line_id])].append(line)
    claims = _claims(groups)
    found: list[Pair] = []
    for same in groups.values():
        payables = fitting[same[0].line_id]
        is_claimed_elsewhere = any(claims[payable.posting_id] > 1 for payable in payables)
        amounts = {payable.amount_minor for payable in payables} | {line.amount_minor for line in same}
        is_one = len(same) == len(payables) == 1
        is_alike = len(same) == len(payables) and len(amounts) == 1
        if not is_claimed_elsewhere and (is_one or is_alike):
            found += [
                Pair(line_id=line.line_id, posting_id=payable.posting_id, rule=rule)
                for line, payable in zip(same, payables, strict=True)
            ]
    return found


def _claims(groups: Mapping[frozenset[int], list[Line]]) -> dict[int, int]:
    """Refund → by how many different groups of lines it is wanted."""
    counted: defaultdict[int, int] = defaultdict(int)
    for ids in groups:
        for posting_id in ids:
            counted[posting_id] += 1
    return counted


class _Index:
    """Refunds by whatever a line can name, so that each line looks at a few of them only."""

    def __init__(self, payables: Sequence[Payable]) -> None:
        self._by_name: defaultdict[str, list[Payable]] = defaultdict(list)
        self._taken: set[int] = set()
        for payable in sorted(payables, key=lambda payable: (payable.happened_at, payable.posting_id)):
            for name in {*payable.refund_references, payable.payment_reference, *payable.order_numbers} - {""}:
                self._by_name[name].append(payable)

    def take(self, posting_ids: Iterable[int]) -> None:
        """These are paid."""
        self._taken.update(posting_ids)

    def fitting(self, line: Line, fits: Fits, within: int) -> tuple[Payable, ...]:
        """Free refunds of the line's currency that fit it, oldest first."""
        named = {line.refund_reference, line.reference, line.order_number} - {""}
        near = {payable.posting_id: payable for name in sorted(named) for payable in self._by_name[name]}
        free = [p for p in near.values() if p.posting_id not in self._taken and p.currency == line.currency]
        return tuple(sorted((p for p in free if fits(line, p, within)), key=lambda p: (p.happened_at, p.posting_id)))
