"""A return of a route in shadow: what we would have sent against what people did in the shop meanwhile. Pure.

Money and goods are compared apart. What we would have sent is the plan of the return as if its route were live and
nobody had done anything for it by hand; what is there is what the shop shows now, whoever did it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from returnsops import states

from .holds import PLATFORM_WRITES
from .model import Plan, PlannedEffect
from .view import ReturnView, ShopRefundView

EQUAL = "equal"
WE_MORE = "we_more"
PEOPLE_MORE = "people_more"
NOT_YET = "not_yet"
VERDICTS = (EQUAL, WE_MORE, PEOPLE_MORE, NOT_YET)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What we would have sent by now, and what still waits for something; ``waits`` says for what."""

    money: Decimal = Decimal(0)
    money_waiting: Decimal = Decimal(0)
    units: int = 0
    units_waiting: int = 0
    waits: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Happened:
    """What the shop shows for the return; units None = the shop does not say what went back into stock."""

    money: Decimal = Decimal(0)
    units: int | None = None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Verdicts on money and goods."""

    money: str
    stock: str


def as_if_live(
    view: ReturnView, *, next_begun_at: datetime | None = None, first_begun_at: datetime | None = None
) -> ReturnView:
    """The view as it would be on a live route if nobody had done anything for this return by hand.

    ``next_begun_at`` is when the next return of the same order began, ``first_begun_at`` when the first one did.
    """
    done = {refund.refund_id for refund in by_people(view, next_begun_at=next_begun_at)}
    order = view.order
    if order is not None:
        whole = {line.line_id for line in order.lines if line.reduced_stock is not None}
        lines = (replace(one, reduced_stock=one.quantity) if one.line_id in whole else one for one in order.lines)
        order = replace(order, lines=tuple(lines))
    kept = tuple(_of_others(one, first_begun_at) for one in view.shop_refunds if one.refund_id not in done)
    return replace(view, is_live=True, is_released=False, order=order, shop_refunds=kept)


def by_people(view: ReturnView, *, next_begun_at: datetime | None = None) -> tuple[ShopRefundView, ...]:
    """Refunds that somebody made for this return: attributed to it, or made since it began and before the next one."""
    return tuple(refund for refund in view.shop_refunds if _is_for(view, refund, next_begun_at))


def _is_for(view: ReturnView, refund: ShopRefundView, next_begun_at: datetime | None) -> bool:
    if refund.attribution != "unattributed":
        return refund.attribution == "this_return"
    is_after = view.requested_at is not None and refund.refunded_at >= view.requested_at
    return is_after and (next_begun_at is None or refund.refunded_at < next_begun_at)


def _of_others(refund: ShopRefundView, first_begun_at: datetime | None) -> ShopRefundView:
    """What is not for this return and was made since the order has returns, was made for another of them."""
    is_for_one = first_begun_at is not None and refund.refunded_at >= first_begun_at
    if refund.attribution == "unattributed" and is_for_one:
        return replace(refund, attribution="other_return")
    return refund


def expected(plan: Plan, *, currency: str) -> Expected:
    """What a plan made by ``as_if_live`` would send now and later, money in the order's currency."""
    refunds = [one for one in plan.effects if one.kind == states.REFUND and one.currency == currency]
    restocks = [one for one in plan.effects if one.kind == states.RESTOCK]
    waits = (hold.text for one in (*refunds, *restocks) for hold in one.holds)
    return Expected(
        money=sum((one.amount or Decimal(0) for one in refunds if _goes(one)), Decimal(0)),
        money_waiting=sum((one.amount or Decimal(0) for one in refunds if not _goes(one)), Decimal(0)),
        units=sum(one.quantity or 0 for one in restocks if _goes(one)),
        units_waiting=sum(one.quantity or 0 for one in restocks if not _goes(one)),
        waits=tuple(dict.fromkeys(waits)),
    )


def _goes(effect: PlannedEffect) -> bool:
    """Nothing holds it; where the platform writes refunds itself, its writing is what is compared."""
    return all(hold.code == PLATFORM_WRITES for hold in effect.holds)


def happened(view: ReturnView, *, next_begun_at: datetime | None = None, others_units: int = 0) -> Happened:
    """What the shop shows for this return; ``others_units`` went back on the same lines for earlier returns."""
    money = sum((refund.amount for refund in by_people(view, next_begun_at=next_begun_at)), Decimal(0))
    return Happened(money=money, units=_units_back(view, others_units))


def _units_back(view: ReturnView, others_units: int) -> int | None:
    """Units of the returned lines that are back in stock, no more than the return names."""
    named = {line.order_line_id for line in view.lines}
    lines = [line for line in (view.order.lines if view.order else ()) if line.line_id in named]
    back = [line.quantity - line.reduced_stock for line in lines if line.reduced_stock is not None]
    if not back:
        return None
    return max(0, min(sum(back) - others_units, sum(line.quantity for line in view.lines)))


def compare(ours: Expected, theirs: Happened, *, tolerance: Decimal, is_over: bool) -> Compared:
    """Both verdicts. ``is_over``: the return has ended or is closed, so that nobody is expected to do any more."""
    money = _verdict(ours.money, theirs.money, tolerance=tolerance, is_over=is_over)
    if theirs.units is None:
        return Compared(money=money, stock=NOT_YET)
    stock = _verdict(Decimal(ours.units), Decimal(theirs.units), tolerance=Decimal(0), is_over=is_over)
    return Compared(money=money, stock=stock)


def _verdict(ours: Decimal, theirs: Decimal, *, tolerance: Decimal, is_over: bool) -> str:
    if theirs == 0 and not is_over:
        return NOT_YET
    if abs(ours - theirs) <= tolerance:
        return EQUAL
    return WE_MORE if ours > theirs else PEOPLE_MORE
