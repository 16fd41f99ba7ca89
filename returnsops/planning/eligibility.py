"""May these units of an order still be returned? Decided before a return exists, from the final order (S1-7, S4-5).

Pure: the order as read now, what was returned before, and the window are passed in. Units of one line asked for in
several entries are judged together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from returnsops.facts import OrderLineSnapshot, OrderSnapshot, names_of

from .window import Window

Code = Literal["eligible", "order_locked", "line_not_on_order", "sku_names_several_lines", "window_closed", "too_many"]

CODES: Final[tuple[Code, ...]] = (
    "eligible",
    "order_locked",
    "line_not_on_order",
    "sku_names_several_lines",
    "window_closed",
    "too_many",
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Units somebody wants to return, of a line named by its id, by its SKU, or by both."""

    quantity: int
    line_id: str = ""
    sku: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One entry's answer; the figures are of the order line, 0 where none was found."""

    asked: Asked
    code: Code
    text: str
    line_id: str = ""
    sku: str = ""
    name: str = ""
    bought: int = 0
    returned: int = 0
    returnable: int = 0

    @property
    def is_eligible(self) -> bool:
        """Whether all the units of this entry may be returned."""
        return self.code == "eligible"


def decide(
    order: OrderSnapshot, asked: Sequence[Asked], *, returned: Mapping[str, int], window: Window | None, now: datetime
) -> tuple[Answer, ...]:
    """The answer for each entry, in its order. ``returned`` are units per order line that are returned already."""
    lines = [_line_of(order, one) for one in asked]
    wanted: dict[str, int] = {}
    for one, line in zip(asked, lines, strict=True):
        if isinstance(line, OrderLineSnapshot):
            wanted[line.line_id] = wanted.get(line.line_id, 0) + one.quantity
    return tuple(
        _known(order, one, line, wanted=wanted[line.line_id], returned=returned, window=window, now=now)
        if isinstance(line, OrderLineSnapshot)
        else Answer(asked=one, code=line, text=_TEXTS[line], line_id=one.line_id, sku=one.sku)
        for one, line in zip(asked, lines, strict=True)
    )


_TEXTS: Final[Mapping[Code, str]] = {
    "line_not_on_order": "This item is not on the order as it is now.",
    "sku_names_several_lines": "Several lines of the order have this SKU; name the line by its id.",
}


def _line_of(order: OrderSnapshot, one: Asked) -> OrderLineSnapshot | Code:
    found = [line for line in order.lines if line.kind == "item" and line.quantity > 0 and _fits(line, one)]
    if not found:
        return "line_not_on_order"
    return found[0] if len(found) == 1 else "sku_names_several_lines"


def _fits(line: OrderLineSnapshot, one: Asked) -> bool:
    return (not one.line_id or one.line_id in names_of(line.line_id)) and (not one.sku or line.sku == one.sku)


def _known(
    order: OrderSnapshot,
    one: Asked,
    line: OrderLineSnapshot,
    *,
    wanted: int,
    returned: Mapping[str, int],
    window: Window | None,
    now: datetime,
) -> Answer:
    before = returned.get(line.line_id, 0)
    left = max(0, line.quantity - before)
    code, text = _verdict(order, wanted=wanted, left=left, line=line, before=before, window=window, now=now)
    return Answer(
        asked=one,
        code=code,
        text=text,
        line_id=line.line_id,
        sku=line.sku,
        name=line.name,
        bought=line.quantity,
        returned=before,
        returnable=0 if code in ("order_locked", "window_closed") else left,
    )


def _verdict(
    order: OrderSnapshot,
    *,
    wanted: int,
    left: int,
    line: OrderLineSnapshot,
    before: int,
    window: Window | None,
    now: datetime,
) -> tuple[Code, str]:
    if order.is_locked:
        return "order_locked", f"Nothing of this order can be returned at the moment. {order.lock_reason}".strip()
    if window is not None and window.is_closed(now):
        return "window_closed", f"The return window of {window.days} days ended on {window.last_date:%d %B %Y}."
    if wanted > left:
        was = f"{line.quantity} bought, {before} returned before"
        return "too_many", f"{wanted} asked for, but only {left} can still be returned ({was})."
    return "eligible", "This can be returned."


def units_returned(order: OrderSnapshot, *, by_returns: Mapping[str, int], of_returns: Iterable[str]) -> dict[str, int]:
    """Units per order line that are returned already: by returns we know, and by refunds anybody else made.

    ``by_returns`` are the units of our returns that did not end, per line; ``of_returns`` the ids of refunds in the
    shop that belong to one of those, so that no unit counts twice. Records without money name no further unit.
    """
    units = dict(by_returns)
    mine = frozenset(of_returns)
    for refund in order.refunds:
        if refund.refund_id in mine or refund.is_zero_money:
            continue
        for line in refund.lines:
            units[line.line_id] = units.get(line.line_id, 0) + line.quantity
    return units
