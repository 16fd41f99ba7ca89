"""One order in two books: what our rows say, and what the shop showed when it was read. Pure data.

``ledger.py`` fills them; the checks compare them and touch neither rows nor vendors.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from returnsops.facts import OrderSnapshot, RemoteRefund

Side = Literal["mismatched", "only_here", "only_there"]
UNITS = "units"  # the totals key of goods, beside the currencies


@dataclass(frozen=True, kw_only=True)
class LedgerEffect:
    """An effect of ours on the order. ``is_moving``: it was on its way when the shop was read, so it proves nothing."""

    effect_id: int
    key: str
    kind: str
    state: str
    is_settled: bool  # done or confirmed before the shop was read
    is_moving: bool
    amount: Decimal | None = None
    currency: str = ""
    quantity: int = 0
    line_id: str = ""
    item_id: str = ""
    remote_id: str = ""
    return_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class KnownRefund:
    """A refund record as our rows know it; ``explanation`` '' = made outside and nobody said what for."""

    refund_id: str
    amount: Decimal
    currency: str
    explanation: str = ""
    is_vanished: bool = False
    is_gateway_paid: bool = False
    author: str = ""
    reason: str = ""
    return_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class JudgedItem:
    """Units of one returned item that the verdicts in force call sellable for good, and who accepted a difference."""

    return_id: int
    item_id: str
    line_id: str
    name: str
    sellable: int
    by_hand: int = 0  # put back by people, as the plan counts them
    is_excess_accepted: bool = False
    is_lack_accepted: bool = False


@dataclass(frozen=True, kw_only=True)
class OrderBook:
    """One order. ``snapshot`` None: the shop has no such order any more."""

    order_id: int  # our row
    name: str  # '<connection>/<id in the shop>', the identity in fingerprints
    label: str
    currency: str
    paid: Decimal
    snapshot: OrderSnapshot | None
    effects: tuple[LedgerEffect, ...] = ()
    refunds: tuple[KnownRefund, ...] = ()
    judged: tuple[JudgedItem, ...] = ()
    return_ids: tuple[int, ...] = ()
    is_over_refund_accepted: bool = False

    @property
    def records(self) -> tuple[RemoteRefund, ...]:
        """Every refund record that the shop showed."""
        return self.snapshot.refunds if self.snapshot is not None else ()

    @property
    def only_return_id(self) -> int | None:
        """The return a matter of the whole order belongs to, if there is exactly one."""
        return self.return_ids[0] if len(self.return_ids) == 1 else None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not the same in both books; ``cause`` is a code of causes.py, ``subject`` what it is about."""

    order_id: int
    subject: str
    cause: str
    side: Side
    about: str
    here: str
    there: str
    amount: Decimal | None = None
    currency: str = ""
    quantity: int | None = None
    effect_id: int | None = None
    refund_id: str = ""
    return_id: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Total:
    """The sum of one currency, or of units, in both books."""

    here: Decimal = Decimal(0)
    there: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a check says of some orders: how many things agreed, what did not, and the sums."""

    matched: int = 0
    findings: tuple[Difference, ...] = ()
    totals: Mapping[str, Total] = field(default_factory=dict)

    def count(self, side: Side) -> int:
        """How many differences are of one side."""
        return sum(1 for found in self.findings if found.side == side)


def joined(comparisons: Iterable[Comparison]) -> Comparison:
    """Several comparisons as one."""
    matched = 0
    findings: list[Difference] = []
    totals: defaultdict[str, Total] = defaultdict(Total)
    for part in comparisons:
        matched += part.matched
        findings.extend(part.findings)
        for name, total in part.totals.items():
            before = totals[name]
            totals[name] = Total(here=before.here + total.here, there=before.there + total.there)
    return Comparison(matched=matched, findings=tuple(findings), totals=dict(totals))


def owners(book: OrderBook, kinds: Iterable[str]) -> dict[str, str]:
    """Refund record id → key of the effect of one of these kinds that made it: by our key, else by its remote id."""
    wanted = set(kinds)
    effects = [effect for effect in book.effects if effect.kind in wanted]
    keys = {effect.key for effect in effects}
    by_id = {effect.remote_id: effect.key for effect in effects if effect.remote_id}
    found: dict[str, str] = {}
    for record in book.records:
        key = base_key(record.key, keys)
        owner = key if key in keys else by_id.get(record.refund_id, "")
        if owner:
            found[record.refund_id] = owner
    return found


def base_key(remote_key: str, keys: Iterable[str] = ()) -> str:
    """The key of an effect from what is written into its record: without the number of a later generation."""
    head, mark, tail = remote_key.rpartition("#")
    is_generation = bool(mark) and tail.isdigit() and remote_key not in set(keys)
    return head if is_generation else remote_key
