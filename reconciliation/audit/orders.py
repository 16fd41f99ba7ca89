"""One order of the shop against all its returns: everything the audit says of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciliation.audit import gaps, goods, money
from reconciliation.audit.books import Returned
from reconciliation.audit.gaps import Apart, Gap, Uncompared
from reconciliation.audit.goods import GoodsFound, Lacking
from reconciliation.audit.money import Frame, MoneyFound
from reconciliation.audit.pairing import Claim, paired
from reconciliation.wording import amount, units
from returnsops.facts import OrderSnapshot


@dataclass(frozen=True, kw_only=True)
class OrderFound:
    """What one order shows; ``decided`` and ``refunded`` are its sums in both systems."""

    gaps: tuple[Gap, ...] = ()
    apart: tuple[Apart, ...] = ()
    uncompared: tuple[Uncompared, ...] = ()
    decided: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)


def compare(order: OrderSnapshot, returns: Sequence[Returned], frame: Frame) -> OrderFound:
    """Both systems' word on one order that is in the shop."""
    pairing = paired(order, returns)
    cash = money.compare(pairing, frame)
    stock = goods.compare(order, returns, cash.strangers, frame)
    foreign = list(_foreign(order, returns))
    decided = [refund for found in returns for refund in found.decided if refund.currency == order.currency]
    return OrderFound(
        gaps=(*cash.gaps, *stock.gaps, *goods.shop_side(order, frame), *_open(order, returns, cash, stock, frame)),
        apart=cash.apart,
        uncompared=(*foreign, *stock.uncompared),
        decided=sum((refund.amount for refund in decided), Decimal(0)),
        refunded=_refunded(order),
    )


def shop_side(order: OrderSnapshot, frame: Frame) -> OrderFound:
    """What can be said of an order where no returns can be read."""
    found = (*money.shop_side(order, frame).gaps, *goods.shop_side(order, frame))
    return OrderFound(gaps=found, refunded=_refunded(order))


def missing(found: Returned, order: OrderSnapshot | None, frame: Frame) -> Gap | None:
    """A return whose order is not in the shop, or lies in its bin; None for one from before the window."""
    if found.updated_at < frame.since:
        return None
    asked = [refund.amount for refund in found.decided if refund.currency == found.currency]
    at_stake = sum(asked, Decimal(0)) if asked else found.goods_total
    number = found.order_number or found.order_id or "none named"
    where = "lies in the shop's bin" if order is not None else "is not in the shop"
    return Gap(
        cause=gaps.ORDER_IN_BIN if order is not None else gaps.ORDER_NOT_FOUND,
        text=f"Order {number} of return {found.label} {where}.",
        happened_at=found.created_at,
        order_id=order.order_id if order is not None else found.order_id,
        order_number=order.number if order is not None else found.order_number,
        return_id=found.return_id,
        return_number=found.number,
        platform=found.platform,
        amount=at_stake,
        currency=found.currency if at_stake is not None else "",
        evidence={"order as the platform names it": f"id {found.order_id or 'none'}, number {number}"},
    )


def _refunded(order: OrderSnapshot) -> Decimal:
    return sum((record.amount for record in order.refunds), Decimal(0))


def _foreign(order: OrderSnapshot, returns: Sequence[Returned]) -> Iterable[Uncompared]:
    for found in returns:
        for refund in found.decided:
            if refund.currency != order.currency:
                why = f"it is in {refund.currency}, order {order.number} in {order.currency}"
                yield Uncompared(subject=f"refund {refund.refund_id} of return {found.label}", why=why)


# --- work to come ---------------------------------------------------------------------------------------------------


def _open(
    order: OrderSnapshot, returns: Sequence[Returned], cash: MoneyFound, stock: GoodsFound, frame: Frame
) -> Iterable[Gap]:
    for found in returns:
        if found.is_open and found.updated_at >= frame.since:
            claims = [claim for claim in cash.outstanding if claim.returned is found]
            parts = [part for part in stock.outstanding if part.returned is found]
            gap = _would_send(order, found, claims, parts)
            if gap is not None:
                yield gap


def _would_send(order: OrderSnapshot, found: Returned, claims: Sequence[Claim], parts: Sequence[Lacking]) -> Gap | None:
    credit = sum((value for value, currency in found.credits_wanted if currency == order.currency), Decimal(0))
    refunds = sum((claim.amount for claim in claims), Decimal(0))
    count = sum(part.units for part in parts)
    words = [
        f"refunds of {amount(refunds, order.currency)}" if refunds else "",
        f"{units(count)} to restock" if count else "",
        f"{found.exchanges_wanted} replacement order(s)" if found.exchanges_wanted else "",
        f"credit of {amount(credit, order.currency)}" if credit else "",
    ]
    if not any(words):
        return None
    at_stake = refunds + credit
    return Gap(
        cause=gaps.WOULD_SEND,
        text=f"Return {found.label} is {found.status.replace('_', ' ')}: {', '.join(filter(None, words))}.",
        happened_at=found.updated_at,
        order_id=order.order_id,
        order_number=order.number,
        return_id=found.return_id,
        return_number=found.number,
        platform=found.platform,
        amount=at_stake or None,
        currency=order.currency if at_stake else "",
        quantity=count or None,
    )
