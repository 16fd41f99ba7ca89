"""Stock that is wrong because what the platform told of the goods was not mapped (S4-7). Pure.

Two ways: a message about the goods that could not be understood while units are not judged, and sellable units whose
disposition has no place on the route. Stock is wrong only as far as the order line in the shop still holds
the units as sold; sellable units that nothing restocks are the matter of ``restocked_units``.
"""

from collections.abc import Sequence
from typing import Final

from reconciliation import causes
from reconciliation.books import Comparison, Difference, JudgedItem, OrderBook, UnreadEvent, joined, silent
from reconciliation.wording import units

NO_FIGURE: Final = "The shop does not say how many units of a line it still holds as sold."


def compare(*, orders: Sequence[OrderBook]) -> Comparison:
    """Units whose verdict was not understood or has no place, against what the shop still holds as sold."""
    return joined(_of_item(book, item) for book in orders if book.snapshot is not None for item in book.judged)


def _of_item(book: OrderBook, item: JudgedItem) -> Comparison:
    unread = [one for one in book.unread if one.return_id == item.return_id and one.is_about_goods]
    waiting = item.unplaced + (item.unjudged if unread else 0)
    if not waiting or item.is_lack_accepted:
        return Comparison()
    held = _held(book, item)
    if held is None:
        return silent(NO_FIGURE)
    count = min(waiting, held)
    return Comparison(findings=(_found(book, item, unread, count),)) if count else Comparison(matched=1)


def _held(book: OrderBook, item: JudgedItem) -> int | None:
    """Units that the line still holds as sold; None where the shop does not say."""
    assert book.snapshot is not None  # the caller asked
    line = next((line for line in book.snapshot.lines if line.line_id == item.line_id), None)
    return None if line is None or line.reduced_stock is None else max(0, line.reduced_stock)


def _found(book: OrderBook, item: JudgedItem, unread: Sequence[UnreadEvent], count: int) -> Difference:
    is_unread = not item.unplaced
    return Difference(
        order_id=book.order_id,
        subject=f"item:{item.return_id}:{item.item_id}",
        cause=causes.RESTOCK_EVENT_UNREAD if is_unread else causes.RESTOCK_UNMAPPED,
        side="only_here",
        about=item.name,
        here=units(count),
        there="still held as sold",
        quantity=count,
        return_id=item.return_id,
        event_ids=tuple(one.event_id for one in unread) if is_unread else (),
        evidence={
            "units": {
                "sellable_without_a_place": {"units": item.unplaced},
                "not_judged": {"units": item.unjudged},
            },
            "messages": [{"topic": one.topic, "why": one.why} for one in unread] or "none",
        },
    )
