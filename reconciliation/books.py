"""One order in two books: what our rows say, and what the shop showed when it was read. Pure data.

``ledger.py`` fills them; the checks compare them and touch neither rows nor vendors.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from returnsops.facts import ArticleId, OrderSnapshot, RemoteRefund, StockLevel

Side = Literal["mismatched", "only_here", "only_there"]
# What became of a refund the platform shows: served here, on its way, waiting by policy, or standing still.
Stage = Literal["served", "going", "waiting", "platform_writes", "held", "refused", "missing"]
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
    unplaced: int = 0  # sellable units whose restock waits because the disposition has no place
    unjudged: int = 0


@dataclass(frozen=True, kw_only=True)
class Payout:
    """A refund as the returns platform shows it, and how far it came here; ``sent`` counts what others paid of it."""

    return_id: int
    refund_id: str
    amount: Decimal
    currency: str
    stage: Stage
    tolerance: Decimal = Decimal(0)
    is_overdue: bool = False
    effect_id: int | None = None
    effect_key: str = ""
    sent: Decimal | None = None
    is_accepted: bool = False  # a person accepted the difference, or refunds made outside took part of it
    waits: str = ""


@dataclass(frozen=True, kw_only=True)
class ReturnedUnits:
    """Units of an order line that a return brings back, or is to; refused ones left out."""

    return_id: int
    label: str
    line_id: str
    name: str
    units: int
    worth: Decimal | None = None  # of all these units, as the platform says
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class UnreadEvent:
    """A message about a return that could not be understood; ``is_about_goods``: it may tell what came back."""

    event_id: int
    return_id: int
    topic: str
    why: str
    is_about_goods: bool


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What we wrote on the order for people to read: a note with its token, or a field with its value."""

    effect_id: int
    return_id: int | None
    kind: Literal["note", "field"]
    name: str  # token or field
    text: str  # note or value
    state: str
    is_settled: bool
    is_moving: bool


@dataclass(frozen=True, kw_only=True)
class Restocked:
    """A restock whose article's shelf figure was seen before it; ``due`` is what it should be now by all we know."""

    effect_id: int
    article: ArticleId
    due: int
    later: int  # units that later restocks of ours put back, counted in ``due``
    is_moving: bool  # something of ours is under way for the article
    is_long_ago: bool = False  # and not found before: too much else may have moved the figure since


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
    payouts: tuple[Payout, ...] = ()
    paying: tuple[tuple[int, str], ...] = ()  # return and the refund made outside that pays for it
    returned: tuple[ReturnedUnits, ...] = ()  # oldest return first
    unread: tuple[UnreadEvent, ...] = ()
    marks: tuple[Mark, ...] = ()
    restocked: tuple[Restocked, ...] = ()
    read_at: datetime | None = None
    shown_tokens: frozenset[str] | None = None  # of the notes asked for; None: the shop cannot show notes
    shown_fields: Mapping[str, str] | None = None  # ours on the order; None: the shop shows none
    levels: Mapping[ArticleId, StockLevel] | None = None  # None: the shop cannot show shelf figures
    stock_records: tuple[RemoteRefund, ...] | None = None  # restocks beside the order; None: they are on the order
    unshown: frozenset[str] = frozenset()  # ids of restocks that a person wrote down and the shop cannot be asked for

    @property
    def records(self) -> tuple[RemoteRefund, ...]:
        """Every record of a refund or restock that the shop showed."""
        on_order = self.snapshot.refunds if self.snapshot is not None else ()
        return (*on_order, *(self.stock_records or ()))

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
    event_ids: tuple[int, ...] = ()  # messages that wait for a person about the same
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Total:
    """The sum of one currency, or of units, in both books."""

    here: Decimal = Decimal(0)
    there: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a check says of some orders: how many things agreed, what did not, and the sums.

    ``not_comparable`` counts by reason what the shop cannot show: nothing is guessed about it.
    """

    matched: int = 0
    findings: tuple[Difference, ...] = ()
    totals: Mapping[str, Total] = field(default_factory=dict)
    not_comparable: Mapping[str, int] = field(default_factory=dict)

    def count(self, side: Side) -> int:
        """How many differences are of one side."""
        return sum(1 for found in self.findings if found.side == side)


def joined(comparisons: Iterable[Comparison]) -> Comparison:
    """Several comparisons as one."""
    matched = 0
    findings: list[Difference] = []
    totals: defaultdict[str, Total] = defaultdict(Total)
    not_comparable: Counter[str] = Counter()
    for part in comparisons:
        matched += part.matched
        findings.extend(part.findings)
        not_comparable.update(part.not_comparable)
        for name, total in part.totals.items():
            before = totals[name]
            totals[name] = Total(here=before.here + total.here, there=before.there + total.there)
    return Comparison(
        matched=matched, findings=tuple(findings), totals=dict(totals), not_comparable=dict(not_comparable)
    )


def silent(why: str, *, count: int = 1) -> Comparison:
    """Something the shop cannot show."""
    return Comparison(not_comparable={why: count})


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
