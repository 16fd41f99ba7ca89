"""Units back in stock against final verdicts, line by line of one order. Pure.

What a line still holds of the sale's stock (``reduced_stock``) says how many units went back, by whatever record
(woocommerce-observed.md section 9). A stock figure typed into the product leaves no trace on the order.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciliation.audit import gaps
from reconciliation.audit.books import Returned
from reconciliation.audit.gaps import Gap, Uncompared
from reconciliation.audit.money import Frame
from reconciliation.audit.pairing import goods_lines, line_of
from reconciliation.wording import units
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """Sellable units of a return that the shop did not take back into stock."""

    returned: Returned
    line: OrderLineSnapshot
    units: int


@dataclass(frozen=True, kw_only=True)
class GoodsFound:
    """Gaps of stock, and units that are still to be restocked (open or overdue)."""

    gaps: tuple[Gap, ...] = ()
    outstanding: tuple[Lacking, ...] = ()
    uncompared: tuple[Uncompared, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Line:
    line: OrderLineSnapshot
    returns: tuple[Returned, ...]
    sellable: int
    unsellable: int
    pending: int
    back: int
    elsewhere: int  # units that records name which pay no return: their goods may be back with them


def compare(
    order: OrderSnapshot, returns: Sequence[Returned], strangers: Sequence[RemoteRefund], frame: Frame
) -> GoodsFound:
    """Every line that a return names with a final verdict."""
    uncompared = [*_unknown_items(order, returns), *_unmanaged(order, returns)]
    found: list[Gap] = []
    outstanding: list[Lacking] = []
    for seen in _lines(order, returns, strangers):
        lacking = list(_lacking(order, seen))
        outstanding += lacking
        found += [_not_restocked(order, part) for part in lacking if is_due(part, frame)]
        found += _excess(order, seen, frame)
    return GoodsFound(gaps=tuple(found), outstanding=tuple(outstanding), uncompared=tuple(uncompared))


def shop_side(order: OrderSnapshot, frame: Frame) -> tuple[Gap, ...]:
    """Lines with more units put back than were sold, which no verdict can make right."""
    if not any(record.created_at >= frame.since for record in order.refunds):
        return ()
    return tuple(
        _too_often(order, line, -line.reduced_stock)
        for line in order.lines
        if line.reduced_stock is not None and line.reduced_stock < 0
    )


def is_due(part: Lacking, frame: Frame) -> bool:
    """Whether these units should long be back in stock."""
    found = part.returned
    is_late = found.judged_at is not None and found.judged_at < frame.overdue_before
    return found.updated_at >= frame.since and (not found.is_open or is_late)


def _lines(order: OrderSnapshot, returns: Sequence[Returned], strangers: Sequence[RemoteRefund]) -> Iterable[_Line]:
    elsewhere: Counter[str] = Counter()
    for record in strangers:
        elsewhere.update(goods_lines(order, record))
    for line in order.lines:
        named = tuple(found for found in returns if _of(order, found, line.line_id) and not found.is_ended)
        if line.kind != "item" or line.reduced_stock is None or not named:
            continue
        sellable = sum(_units(order, found, line.line_id, is_sellable=True) for found in named)
        unsellable = sum(_units(order, found, line.line_id, is_sellable=False) for found in named)
        yield _Line(
            line=line,
            returns=named,
            sellable=sellable,
            unsellable=unsellable,
            pending=max(0, sum(_of(order, found, line.line_id) for found in named) - sellable - unsellable),
            back=line.quantity - line.reduced_stock,
            elsewhere=elsewhere[line.line_id],
        )


def _of(order: OrderSnapshot, found: Returned, line_id: str) -> int:
    """Units of a line that a return names."""
    return sum(item.quantity for item in found.items if (line := line_of(order, item)) and line.line_id == line_id)


def _units(order: OrderSnapshot, found: Returned, line_id: str, *, is_sellable: bool) -> int:
    judged = found.sellable if is_sellable else found.unsellable
    items = [item.item_id for item in found.items if (line := line_of(order, item)) and line.line_id == line_id]
    return sum(judged.get(item_id, 0) for item_id in items)


def _lacking(order: OrderSnapshot, seen: _Line) -> Iterable[Lacking]:
    """The oldest return got its units back first."""
    left = seen.back
    for found in sorted(seen.returns, key=lambda one: (one.created_at, one.return_id)):
        wanted = _units(order, found, seen.line.line_id, is_sellable=True)
        given = max(0, min(left, wanted))
        left -= given
        if wanted > given:
            yield Lacking(returned=found, line=seen.line, units=wanted - given)


def _excess(order: OrderSnapshot, seen: _Line, frame: Frame) -> Iterable[Gap]:
    too_many = min(seen.back - seen.sellable - seen.pending - seen.elsewhere, seen.unsellable)
    judged = [found for found in seen.returns if _units(order, found, seen.line.line_id, is_sellable=False)]
    found = max(judged, key=lambda one: one.updated_at, default=None)
    if too_many > 0 and found is not None and found.updated_at >= frame.since:
        text = (
            f"{units(too_many)} of {_name(seen.line)} of return {found.label} went back into stock,"
            f" {units(seen.sellable)} of {seen.line.quantity} sold are sellable."
        )
        yield _gap(
            order,
            seen.line,
            cause=gaps.RESTOCKED_UNSELLABLE,
            text=text,
            count=too_many,
            at=found.judged_at or found.updated_at,
            found=found,
        )


def _not_restocked(order: OrderSnapshot, part: Lacking) -> Gap:
    found = part.returned
    text = f"{units(part.units)} of {_name(part.line)} of return {found.label} are sellable and not back in stock."
    at = found.judged_at or found.updated_at
    return _gap(order, part.line, cause=gaps.NOT_RESTOCKED, text=text, count=part.units, at=at, found=found)


def _too_often(order: OrderSnapshot, line: OrderLineSnapshot, count: int) -> Gap:
    text = f"{units(count)} of {_name(line)} more went back into stock than were sold."
    at = max((record.created_at for record in order.refunds), default=order.modified_at)
    return _gap(order, line, cause=gaps.RESTOCKED_TOO_OFTEN, text=text, count=count, at=at)


def _gap(
    order: OrderSnapshot,
    line: OrderLineSnapshot,
    *,
    cause: str,
    text: str,
    count: int,
    at: datetime,
    found: Returned | None = None,
) -> Gap:
    return Gap(
        cause=cause,
        text=text,
        happened_at=at,
        order_id=order.order_id,
        order_number=order.number,
        return_id=found.return_id if found else "",
        return_number=found.number if found else "",
        platform=found.platform if found else "",
        quantity=count,
        evidence={
            "order line": line.line_id,
            "article": _name(line),
            "SKU": line.sku or "none",
            "sold": str(line.quantity),
            "still taken from stock": str(line.reduced_stock),
        },
    )


def _unknown_items(order: OrderSnapshot, returns: Sequence[Returned]) -> Iterable[Uncompared]:
    for found in returns:
        for item in found.items:
            if line_of(order, item) is None:
                why = f"its item {item.name or item.sku or item.item_id} is not one line of order {order.number}"
                yield Uncompared(subject=f"goods of return {found.label}", why=why)


def _unmanaged(order: OrderSnapshot, returns: Sequence[Returned]) -> Iterable[Uncompared]:
    for line in order.lines:
        judged = [found for found in returns if _units(order, found, line.line_id, is_sellable=True)]
        if line.kind == "item" and line.reduced_stock is None and judged:
            why = "the shop took no stock for this line, so nothing shows whether it went back"
            yield Uncompared(subject=f"{_name(line)} of order {order.number}", why=why)


def _name(line: OrderLineSnapshot) -> str:
    return line.name or line.sku or f"line {line.line_id}"
