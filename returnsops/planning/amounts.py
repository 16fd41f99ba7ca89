"""What units of the final order are worth, and how an amount is spread over its lines (design section 7).

Pure arithmetic in the currency of the order. ``taken`` is always everything others refund of the same order, in any
order: shares are cumulative, so that any cut of a line into refunds adds up to the line exactly.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from returnsops import money
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefundLine, TaxShare

# Positions tried for the span of equally right roundings; more units than this share rounding patterns anyway.
MAX_POSITIONS = 1000


def gross(lines: Iterable[RemoteRefundLine]) -> Decimal:
    """Net and taxes of refund lines together."""
    return sum((line.net + sum(share.amount for share in line.taxes) for line in lines), Decimal(0))


def line_gross(line: OrderLineSnapshot) -> Decimal:
    """Net and taxes of a whole order line."""
    return line.net + sum((share.amount for share in line.taxes), Decimal(0))


def units_taken(line_id: str, taken: Iterable[RemoteRefundLine]) -> int:
    """Units of an order line that others refund."""
    return sum(line.quantity for line in taken if line.line_id == line_id)


def units_left(line: OrderLineSnapshot, taken: Iterable[RemoteRefundLine]) -> int:
    """Units of an order line nobody refunds yet, never negative."""
    return max(0, line.quantity - units_taken(line.line_id, taken))


def unit_share(
    line: OrderLineSnapshot, *, count: int, taken: Sequence[RemoteRefundLine], currency: str
) -> RemoteRefundLine:
    """What the next ``count`` units of a line carry; the last unit carries what is left (woocommerce-observed 4.10).

    Raises MoneyError where the line has not that many units left.
    """
    mine = [other for other in taken if other.line_id == line.line_id]
    first = units_taken(line.line_id, mine)

    def part(total: Decimal, gone: Decimal) -> Decimal:
        return _part(total, gone, quantity=line.quantity, first=first, count=count, currency=currency)

    return RemoteRefundLine(
        line_id=line.line_id,
        quantity=count,
        net=part(line.net, sum((other.net for other in mine), Decimal(0))),
        taxes=tuple(
            TaxShare(rate_id=share.rate_id, amount=part(share.amount, _rate_taken(share.rate_id, mine)))
            for share in line.taxes
        ),
    )


def _rate_taken(rate_id: str, lines: Iterable[RemoteRefundLine]) -> Decimal:
    return sum((share.amount for line in lines for share in line.taxes if share.rate_id == rate_id), Decimal(0))


def _part(total: Decimal, gone: Decimal, *, quantity: int, first: int, count: int, currency: str) -> Decimal:
    """One figure of a share. Others' rounding is made good by the last unit, their fees and goodwill are not."""
    total = money.rounded(total, currency=currency)
    share = money.share_of_units(total, quantity=quantity, first=first, count=count, currency=currency)
    left = max(Decimal(0), total - gone)
    is_last = first + count == quantity
    if is_last and abs(left - share) <= money.quantum(currency) * first:
        return left
    return min(share, left)


def span(line: OrderLineSnapshot, *, count: int, currency: str) -> tuple[Decimal, Decimal]:
    """Lowest and highest worth of any ``count`` units of a line.

    Units of one line cannot be told apart, so a platform that rounds for another unit than we do is right as well.
    """
    positions = range(min(line.quantity - count, MAX_POSITIONS) + 1)
    worths = [_worth_at(line, first, count, currency) for first in positions]
    return min(worths), max(worths)


def _worth_at(line: OrderLineSnapshot, first: int, count: int, currency: str) -> Decimal:
    figures = [line.net, *(share.amount for share in line.taxes)]
    return sum(
        (
            money.share_of_units(
                money.rounded(figure, currency=currency),
                quantity=line.quantity,
                first=first,
                count=count,
                currency=currency,
            )
            for figure in figures
        ),
        Decimal(0),
    )


def shipping_left(order: OrderSnapshot, taken: Sequence[RemoteRefundLine]) -> tuple[RemoteRefundLine, ...]:
    """What is left of each shipping line, as refund lines without units."""
    return tuple(_line_left(line, taken) for line in order.lines if line.kind == "shipping")


def untouched(
    order: OrderSnapshot, taken: Sequence[RemoteRefundLine], kinds: Iterable[str]
) -> tuple[RemoteRefundLine, ...]:
    """Duties and tips of which nobody gave anything back yet, whole.

    Shopify gives a duty back whole or by units, never by amount (schema 2026-07, ``RefundDutyInput``).
    """
    touched = {line.line_id for line in taken if line.quantity or gross([line])}
    whole = [line for line in order.lines if line.kind in tuple(kinds) and line.line_id not in touched]
    return tuple(_line_left(line, ()) for line in whole if line_gross(line) > 0)


def _line_left(line: OrderLineSnapshot, taken: Sequence[RemoteRefundLine]) -> RemoteRefundLine:
    mine = [other for other in taken if other.line_id == line.line_id]
    return RemoteRefundLine(
        line_id=line.line_id,
        quantity=0,
        net=max(Decimal(0), line.net - sum((other.net for other in mine), Decimal(0))),
        taxes=tuple(
            TaxShare(rate_id=share.rate_id, amount=max(Decimal(0), share.amount - _rate_taken(share.rate_id, mine)))
            for share in line.taxes
        ),
    )


def money_left(line: OrderLineSnapshot, taken: Sequence[RemoteRefundLine]) -> Decimal:
    """Net and taxes nobody refunds yet of one line."""
    return gross([_line_left(line, taken)])


def scaled(lines: Sequence[RemoteRefundLine], amount: Decimal, *, currency: str) -> tuple[RemoteRefundLine, ...]:
    """The lines with their figures in proportion, so that all together are exactly ``amount``.

    Lines that are worth nothing cannot carry an amount: then there are none, and the refund has an amount only.
    """
    if gross(lines) == amount:
        return tuple(lines)
    figures = [figure for line in lines for figure in (line.net, *(share.amount for share in line.taxes))]
    if not any(figures):
        return ()
    parts = iter(money.allocate(amount, weights=figures, currency=currency))
    return tuple(_with_figures(line, parts) for line in lines)


def _with_figures(line: RemoteRefundLine, parts: Iterable[Decimal]) -> RemoteRefundLine:
    figures = iter(parts)
    return RemoteRefundLine(
        line_id=line.line_id,
        quantity=line.quantity,
        net=next(figures),
        taxes=tuple(TaxShare(rate_id=share.rate_id, amount=next(figures)) for share in line.taxes),
    )


def less(lines: Sequence[RemoteRefundLine], paid: Iterable[RemoteRefundLine]) -> tuple[RemoteRefundLine, ...]:
    """The lines without what others paid of them, never below nothing; lines of which nothing is left are left out."""
    rest = []
    others = list(paid)
    for line in lines:
        mine = [other for other in others if other.line_id == line.line_id]
        units = max(0, line.quantity - units_taken(line.line_id, mine))
        net = max(Decimal(0), line.net - sum((other.net for other in mine), Decimal(0)))
        taxes = tuple(
            TaxShare(rate_id=share.rate_id, amount=max(Decimal(0), share.amount - _rate_taken(share.rate_id, mine)))
            for share in line.taxes
        )
        kept = RemoteRefundLine(line_id=line.line_id, quantity=units, net=net, taxes=taxes)
        if units or gross([kept]):
            rest.append(kept)
    return tuple(rest)


def text(amount: Decimal, *, currency: str) -> str:
    """The amount as payloads carry it: all digits of the currency, never an exponent."""
    if not money.is_exact(amount, currency=currency):
        return format(amount.normalize(), "f")
    return format(money.rounded(amount, currency=currency), "f")


def lines_document(lines: Iterable[RemoteRefundLine], *, currency: str) -> list[dict[str, Any]]:
    """Refund lines as payloads and evidence carry them."""
    return [
        {
            "line_id": line.line_id,
            "quantity": line.quantity,
            "net": text(line.net, currency=currency),
            "taxes": [
                {"rate_id": share.rate_id, "amount": text(share.amount, currency=currency)} for share in line.taxes
            ],
        }
        for line in lines
    ]
