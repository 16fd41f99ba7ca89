"""Restocked, but the shelf figure in the shop did not follow (S4-9). Pure.

Two readings show it. The order line: what it still holds as sold plus what our records put back is more than it sold.
The article: its figure before the restock, with every sale and restock known since, is more than the figure now by
exactly these units, as when another system wrote the old figure back. The other way round, a figure that is higher by
exactly these units, or by all that came back of the line, tells that somebody put them in by hand as well (S1-26). Any
other distance means that somebody moved stock otherwise, and says nothing about the restock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from reconciliation import causes
from reconciliation.books import Comparison, Difference, LedgerEffect, OrderBook, joined, owners, silent
from reconciliation.wording import effect_words, units
from returnsops import states
from returnsops.facts import OrderLineSnapshot

NO_FIGURE: Final = "The shop does not say how many units of a line it still holds as sold."
NO_LEVELS: Final = "The shop cannot show the shelf figure of an article."
NOT_COUNTED: Final = "The article has no shelf figure of its own in the shop."
JUST_CHANGED: Final = "The article's stock moved a moment ago; a sale may still be on its way to us."
LONG_AGO: Final = "The restock was days ago; other sales and counts may have moved the article's figure since."
MOVED_OTHERWISE: Final = "The article's stock was changed otherwise since its restock."
# A sale reaches us by webhook within seconds, by polling within minutes.
QUIET: Final = timedelta(minutes=10)


def compare(*, orders: Sequence[OrderBook]) -> Comparison:
    """Restocks that stand in the shop as recorded, against the line and against the shelf figure."""
    return joined(_of_order(book) for book in orders)


def _of_order(book: OrderBook) -> Comparison:
    if book.snapshot is None:
        return Comparison()
    recorded = list(_recorded(book))
    parts: list[Comparison] = []
    for line in book.snapshot.lines:
        mine = [effect for effect in recorded if effect.line_id == line.line_id]
        if mine:
            lacking = _of_line(book, line, mine)
            parts.append(lacking)
            parts.extend(_of_article(book, effect) for effect in mine if not lacking.findings)
    return joined(parts)


def _recorded(book: OrderBook) -> Iterable[LedgerEffect]:
    """Restocks of ours whose one record names exactly their units; others are the matter of ``restocked_units``."""
    owner_of = owners(book, frozenset({states.RESTOCK}))
    for effect in book.effects:
        if effect.kind != states.RESTOCK or effect.is_moving or not effect.is_settled:
            continue
        records = [record for record in book.records if owner_of.get(record.refund_id) == effect.key]
        named = [(line.line_id, line.quantity) for record in records for line in record.lines]
        if len(records) == 1 and named == [(effect.line_id, effect.quantity)]:
            yield effect


def _of_line(book: OrderBook, line: OrderLineSnapshot, mine: Sequence[LedgerEffect]) -> Comparison:
    if book.stock_records is not None:
        return Comparison()  # restocks of this shop are not on the order, so its lines say nothing of them
    if line.reduced_stock is None:
        return silent(NO_FIGURE)
    put_back = sum(effect.quantity for effect in mine)
    lacking = line.reduced_stock + put_back - line.quantity
    if lacking <= 0:
        return Comparison(matched=1)
    newest = mine[-1]
    there = f"{units(line.reduced_stock)} of {line.quantity} still held as sold"
    return Comparison(findings=(_difference(book, newest, min(lacking, put_back), there=there),))


def _of_article(book: OrderBook, effect: LedgerEffect) -> Comparison:
    seen = next((one for one in book.restocked if one.effect_id == effect.effect_id), None)
    if seen is None or seen.is_moving:
        return Comparison()
    if book.levels is None:
        return silent(NO_LEVELS)
    level = book.levels.get(seen.article)
    if level is None or level.quantity is None:
        return silent(NOT_COUNTED)
    lost = seen.due - level.quantity
    if not lost:
        return Comparison(matched=1)
    if seen.is_long_ago:
        return silent(LONG_AGO)
    if level.changed_at is not None and book.read_at is not None and level.changed_at > book.read_at - QUIET:
        return silent(JUST_CHANGED)
    there = f"a figure of {level.quantity} instead of {seen.due}"
    if lost == seen.later + effect.quantity:
        return Comparison(findings=(_difference(book, effect, effect.quantity, there=there),))
    if -lost in (effect.quantity, _came_back(book, effect)):
        raised = replace(_difference(book, effect, -lost, there=there), cause=causes.LEVEL_RAISED)
        return Comparison(findings=(raised,))
    return silent(MOVED_OTHERWISE)


def _came_back(book: OrderBook, effect: LedgerEffect) -> int:
    """Units of the effect's order line that its return brings back, whatever they were judged."""
    mine = (one for one in book.returned if (one.return_id, one.line_id) == (effect.return_id, effect.line_id))
    return sum(one.units for one in mine)


def _difference(book: OrderBook, effect: LedgerEffect, count: int, *, there: str) -> Difference:
    return Difference(
        order_id=book.order_id,
        subject=f"effect:{effect.effect_id}",
        cause=causes.LEVEL_NOT_UPDATED,
        side="mismatched",
        about=effect_words(effect),
        here=units(effect.quantity),
        there=there,
        quantity=count,
        effect_id=effect.effect_id,
        refund_id=effect.remote_id,
        return_id=effect.return_id or book.only_return_id,
        evidence={
            "units": {"restocked": {"units": effect.quantity}, "missing": {"units": count}},
            "in_the_shop": there,
        },
    )
