"""Which shop record pays which decision of the platform, within one order. Pure.

From the surest sign to the weakest: a record that names the refund; the exact amount, of lines that fit; several that
add up; at last a different amount for the same return. A record of other lines than the return's is never taken.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import combinations
from typing import Final, TypeVar

from reconciliation.audit.books import Decided, Returned
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund, ReturnItem

MOST_PARTS: Final = 4  # records that together make one refund, or the other way round
MOST_TRIED: Final = 12
BY_PLATFORM: Final = "returns_platform"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Money that a return asks for. ``is_firm``: the platform decided it; otherwise the goods came back, no more."""

    returned: Returned
    amount: Decimal
    asked_at: datetime
    line_ids: frozenset[str]
    refund_id: str = ""
    executed_by: str = ""

    @property
    def is_firm(self) -> bool:
        """Whether its absence in the shop is a gap."""
        return self.refund_id != ""


Part = TypeVar("Part", Claim, RemoteRefund)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Claims and the records that pay them: one of each, or several on one side."""

    claims: tuple[Claim, ...]
    records: tuple[RemoteRefund, ...]


@dataclass(kw_only=True)
class Pairing:
    """What was paired and what is left."""

    order: OrderSnapshot
    claims: list[Claim]
    records: list[RemoteRefund]
    pairs: list[Pair] = field(default_factory=list)
    again: list[tuple[Claim, RemoteRefund]] = field(default_factory=list)  # names a claim that has its record

    def take(self, claims: Sequence[Claim], records: Sequence[RemoteRefund]) -> None:
        """These belong together."""
        self.pairs.append(Pair(claims=tuple(claims), records=tuple(records)))
        for claim in claims:
            self.claims.remove(claim)
        for record in records:
            self.records.remove(record)


def paired(order: OrderSnapshot, returns: Sequence[Returned]) -> Pairing:
    """Everything that fits to the minor unit; what is left on either side needs words."""
    claims = sorted((claim for found in returns for claim in claims_of(order, found)), key=lambda claim: claim.asked_at)
    records = sorted((record for record in order.refunds if record.amount > 0), key=lambda record: record.created_at)
    pairing = Pairing(order=order, claims=claims, records=records)
    _by_name(pairing)
    _by_amount(pairing, [claim for claim in pairing.claims if claim.is_firm])
    _by_sum(pairing)
    _by_goods(pairing, returns)
    return pairing


def claims_of(order: OrderSnapshot, found: Returned) -> Iterable[Claim]:
    """The refunds the platform decided in the order's currency."""
    lines = {item.item_id: line_of(order, item) for item in found.items}
    everything = frozenset(line.line_id for line in lines.values() if line is not None)
    for decided in found.decided:
        if decided.currency == order.currency:
            yield _claim(found, decided, lines, everything)


def _claim(
    found: Returned, decided: Decided, lines: Mapping[str, OrderLineSnapshot | None], everything: frozenset[str]
) -> Claim:
    named = frozenset(line.line_id for item_id in decided.item_ids if (line := lines.get(item_id)) is not None)
    return Claim(
        returned=found,
        amount=decided.amount,
        asked_at=decided.issued_at,
        line_ids=named or everything,
        refund_id=decided.refund_id,
        executed_by=decided.executed_by,
    )


def line_of(order: OrderSnapshot, item: ReturnItem) -> OrderLineSnapshot | None:
    """The order's line of an item: by line id, else by variant, else by SKU, where exactly one fits."""
    goods = [line for line in order.lines if line.kind == "item"]
    if item.order_line_id:
        return next((line for line in goods if line.line_id == item.order_line_id), None)
    if item.variant_id:
        fits = [line for line in goods if item.variant_id == (line.variation_id or line.product_id)]
    else:
        fits = [line for line in goods if item.sku and line.sku == item.sku and not line.is_sku_ambiguous]
    return fits[0] if len(fits) == 1 else None


def goods_lines(order: OrderSnapshot, record: RemoteRefund) -> Mapping[str, int]:
    """Units per item line that a record names."""
    items = {line.line_id for line in order.lines if line.kind == "item"}
    return {line.line_id: line.quantity for line in record.lines if line.line_id in items}


def other_amount(order: OrderSnapshot, record: RemoteRefund) -> Decimal:
    """What a record gives back for shipping and fees, tax included."""
    items = {line.line_id for line in order.lines if line.kind == "item"}
    shares = [
        line.net + sum((tax.amount for tax in line.taxes), Decimal(0))
        for line in record.lines
        if line.line_id not in items
    ]
    return sum(shares, Decimal(0))


def fits(order: OrderSnapshot, claim: Claim, record: RemoteRefund) -> bool:
    """Whether a record may pay a claim by the lines it names; one without lines may."""
    named = goods_lines(order, record)
    return not named or not claim.line_ids or bool(claim.line_ids & named.keys())


def names(record: RemoteRefund, word: str) -> bool:
    """Whether a record's reason or key holds this id as a word of its own."""
    if not word:
        return False
    pattern = rf"(?<![\w-]){re.escape(word)}(?![\w-])"
    return re.search(pattern, f"{record.reason} {record.key}") is not None


def names_return(record: RemoteRefund, found: Returned) -> bool:
    """Whether a record names a return by number or id."""
    return names(record, found.number) or names(record, found.return_id)


# --- the steps ------------------------------------------------------------------------------------------------------


def _by_name(pairing: Pairing) -> None:
    """A record that names the platform's refund is that refund, if the amount agrees; a second one is one too many."""
    for claim in list(pairing.claims):
        named = [record for record in pairing.records if names(record, claim.refund_id)]
        exact = [record for record in named if record.amount == claim.amount]
        if exact:
            pairing.take([claim], exact[:1])
            pairing.again += [(claim, record) for record in named if record is not exact[0]]
    for _, record in pairing.again:
        if record in pairing.records:
            pairing.records.remove(record)


def _by_amount(pairing: Pairing, claims: Iterable[Claim]) -> None:
    for claim in claims:
        candidates = [record for record in pairing.records if _is_exact(pairing.order, claim, record)]
        if candidates:
            pairing.take([claim], [min(candidates, key=partial(_rank, pairing.order, claim))])


def _is_exact(order: OrderSnapshot, claim: Claim, record: RemoteRefund) -> bool:
    is_same = claim.amount in (record.amount, record.amount - other_amount(order, record))
    return is_same and fits(order, claim, record)


def _rank(order: OrderSnapshot, claim: Claim, record: RemoteRefund) -> tuple[bool, bool, bool, float]:
    """The most likely first: names the return, names its lines, paid as the platform said, nearest in time."""
    is_other_payer = record.is_gateway_paid is (claim.executed_by == BY_PLATFORM)
    distance_s = abs((record.created_at - claim.asked_at).total_seconds())
    return (
        not names_return(record, claim.returned),
        not (claim.line_ids & goods_lines(order, record).keys()),
        is_other_payer,
        distance_s,
    )


def _by_sum(pairing: Pairing) -> None:
    """One refund in several records, or several refunds in one record."""
    for claim in list(pairing.claims):
        parts = [record for record in pairing.records if fits(pairing.order, claim, record)]
        chosen = _adding_up(parts, claim.amount)
        if chosen:
            pairing.take([claim], chosen)
    for record in list(pairing.records):
        wanted = [claim for claim in pairing.claims if fits(pairing.order, claim, record)]
        together = _adding_up(wanted, record.amount)
        if together:
            pairing.take(together, [record])


def _adding_up(parts: Sequence[Part], amount: Decimal) -> tuple[Part, ...]:
    """The fewest of these, at least two, that make the amount."""
    for count in range(2, MOST_PARTS + 1):
        for chosen in combinations(parts[:MOST_TRIED], count):
            if sum((part.amount for part in chosen), Decimal(0)) == amount:
                return chosen
    return ()


def _by_goods(pairing: Pairing, returns: Sequence[Returned]) -> None:
    """Where the platform decided no refund, goods that came back explain records: by their lines or their value."""
    for found in returns:
        if found.decided or found.is_ended or not found.is_about_money:
            continue
        claim = _of_goods(pairing.order, found)
        chosen: list[RemoteRefund] = []
        for record in pairing.records:
            if _pays_goods(pairing.order, claim, [*chosen, record]):
                chosen.append(record)
        if chosen:
            pairing.claims.append(claim)
            pairing.take([claim], chosen)


def _of_goods(order: OrderSnapshot, found: Returned) -> Claim:
    lines = [line_of(order, item) for item in found.items]
    return Claim(
        returned=found,
        amount=found.goods_total or Decimal(0),
        asked_at=found.updated_at,
        line_ids=frozenset(line.line_id for line in lines if line is not None),
    )


def _pays_goods(order: OrderSnapshot, claim: Claim, records: Sequence[RemoteRefund]) -> bool:
    """Whether the last of these pays for goods that those before it leave: no more units, no more than their value."""
    record = records[-1]
    if not fits(order, claim, record):
        return False
    goods = sum((paid.amount - other_amount(order, paid) for paid in records), Decimal(0))
    is_said = goods_lines(order, record) or names_return(record, claim.returned)
    if goods > claim.amount or not (is_said or goods == claim.amount):
        return False
    back = units_back(order, claim.returned)
    named: Counter[str] = Counter()
    for paid in records:
        named.update(goods_lines(order, paid))
    return all(units <= back[line_id] for line_id, units in named.items())


def units_back(order: OrderSnapshot, found: Returned) -> Counter[str]:
    """Units a return brings back, per line of the order."""
    back: Counter[str] = Counter()
    for item in found.items:
        line = line_of(order, item)
        if line is not None:
            back[line.line_id] += item.quantity
    return back
