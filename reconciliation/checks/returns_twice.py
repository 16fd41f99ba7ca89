"""Two returns at the platform for the same units of the same order (S4-10). Pure.

Returns of one order take its units in the order in which they were begun; one that asks for units which earlier ones
bring back already is the duplicate. Units refused by an inspection, and returns that ended, take none.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from reconciliation import causes
from reconciliation.books import Comparison, Difference, OrderBook, ReturnedUnits, joined
from reconciliation.wording import units


def compare(*, orders: Sequence[OrderBook]) -> Comparison:
    """Units asked back per order line, return by return, against what the line sold."""
    return joined(_of_order(book) for book in orders)


def _of_order(book: OrderBook) -> Comparison:
    if book.snapshot is None:
        return Comparison()
    left = {line.line_id: line.quantity for line in book.snapshot.lines if line.kind == "item"}
    before: dict[str, list[str]] = {}
    parts = []
    for return_id in dict.fromkeys(one.return_id for one in book.returned):
        mine = [one for one in book.returned if one.return_id == return_id and one.line_id in left]
        twice = list(_twice(mine, left, before))
        parts.append(_found(book, twice) if twice else Comparison(matched=1))
        for one in mine:
            left[one.line_id] = max(0, left[one.line_id] - one.units)
            before.setdefault(one.line_id, []).append(one.label)
    return joined(parts)


def _twice(
    mine: Iterable[ReturnedUnits], left: dict[str, int], before: dict[str, list[str]]
) -> Iterable[tuple[ReturnedUnits, int, str]]:
    """Each item of a return of which other returns bring units back already, how many, and which returns."""
    free = dict(left)
    for one in mine:
        over = one.units - free[one.line_id]
        free[one.line_id] = max(0, free[one.line_id] - one.units)
        others = before.get(one.line_id)
        if over > 0 and others:
            yield one, over, ", ".join(dict.fromkeys(others))


def _found(book: OrderBook, twice: Sequence[tuple[ReturnedUnits, int, str]]) -> Comparison:
    first = twice[0][0]
    worths = [_worth(one, over) for one, over, _ in twice]
    is_valued = all(worth is not None for worth in worths)
    found = Difference(
        order_id=book.order_id,
        subject=f"return:{first.return_id}",
        cause=causes.RETURNED_TWICE,
        side="mismatched",
        about=f"Return {first.label}",
        here=", ".join(f"{units(over)} of {one.name}" for one, over, _ in twice),
        there=", ".join(dict.fromkeys(f"return {label}" for _, _, label in twice)),
        amount=sum((worth for worth in worths if worth is not None), Decimal(0)) if is_valued else None,
        currency=first.currency if is_valued else "",
        quantity=sum(over for _, over, _ in twice),
        return_id=first.return_id,
        evidence={
            "units": [
                {"line": one.line_id, "item": one.name, "asked": one.units, "too_many": over, "also_in": label}
                for one, over, label in twice
            ]
        },
    )
    return Comparison(findings=(found,))


def _worth(one: ReturnedUnits, over: int) -> Decimal | None:
    return None if one.worth is None else (one.worth * over / one.units).quantize(Decimal("0.0001"))
