"""Refunds of an order as they stand in the shop, made by anyone. Pure.

A refund exists before its money moves: only transactions that succeeded count, a pending or failed one is zero
(shopify.md sections 7 and 17.1).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.shopify.money import ZERO, paid, shares, weights_of
from returnsops.facts import RemoteRefund, RemoteRefundLine
from returnsops.money import parse_amount

Json = Any

SUCCESS: Final = "SUCCESS"
# Money of these may still move; until it does the customer has nothing.
UNDER_WAY: Final = frozenset({"PENDING", "AWAITING_RESPONSE", "UNKNOWN"})
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
RESTOCKED_ROWS: Final = "restocked"  # of an order's document, beside its fields: what dispositions.py found
_RECORDED: Final = re.compile(r"^refund:\S+ recorded (\d+(?:\.\d+)?) [A-Z]{3}(?:\s|$)")
_KEY: Final = re.compile(r"(?:^|\s)((?:refund|restock|store_credit|gift_card):\S+)")


def remote_refund(refund: Json, *, order: Json, author: str = "") -> RemoteRefund:
    """One refund: money that moved, and the lines it names. Raises MoneyError where an amount is none."""
    currency = str(order.get("presentmentCurrencyCode") or "")
    moved = [row for row in movements(refund) if row.get("status") == SUCCESS]
    return RemoteRefund(
        refund_id=str(refund["id"]),
        amount=_amount(refund, moved),
        currency=currency,
        created_at=moment(refund.get("createdAt")) or EPOCH,
        lines=tuple(_lines(refund, order=order, currency=currency)),
        key=key_of(refund),
        reason=str(refund.get("note") or ""),
        author=author,
        is_gateway_paid=any(not row.get("manualPaymentGateway") for row in moved),
    )


def put_back_record(row: Json, *, order: Json) -> RemoteRefund:
    """A RESTOCKED disposition of a return: a record without money and without a key of ours, which names its line."""
    return RemoteRefund(
        refund_id=str(row["id"]),
        amount=ZERO,
        currency=str(order.get("presentmentCurrencyCode") or ""),
        created_at=moment(row.get("createdAt")) or EPOCH,
        lines=(RemoteRefundLine(line_id=row["line_id"], quantity=int(row.get("quantity") or 0), net=ZERO),),
        reason=f"Restocked in return {row['return']} of the shop",
    )


def key_of(refund: Json) -> str:
    """Our key in the refund's note, '' where it is not ours."""
    found = _KEY.search(str(refund.get("note") or ""))
    return found.group(1) if found else ""


def _amount(refund: Json, moved: Iterable[Json]) -> Decimal:
    """What went back; a credit of ours is counted as the credit it is, not as money of the order again."""
    if key_of(refund).startswith("store_credit:"):
        return ZERO
    return recorded_amount(refund) or sum((paid(row.get("amountSet")) for row in moved), ZERO)


def recorded_amount(refund: Json) -> Decimal | None:
    """What a refund of ours says that somebody else paid; None for one with payments of its own.

    Shopify shows 0 for a refund without transactions, so that its amount is in our note alone (refunds.py).
    """
    said = _RECORDED.match(str(refund.get("note") or ""))
    return parse_amount(said.group(1)) if said and not movements(refund) else None


def movements(refund: Json) -> list[Json]:
    """The transactions of a refund that give money back."""
    rows = (refund.get("transactions") or {}).get("nodes") or ()
    return [row for row in rows if row.get("kind") == "REFUND"]


def is_under_way(refund: Json) -> bool:
    """Whether money of this refund may still move."""
    return any(row.get("status") in UNDER_WAY for row in movements(refund))


def nodes(connection: Json) -> list[Json]:
    """The nodes of a connection, none where there is none."""
    found = connection.get("nodes") if isinstance(connection, Mapping) else None
    return [node for node in found or () if node is not None]


def moment(value: object) -> datetime | None:
    """A DateTime of the API in UTC, None where it is none."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None


def _lines(refund: Json, *, order: Json, currency: str) -> Iterable[RemoteRefundLine]:
    is_tax_inside = order.get("taxesIncluded") is True
    items = {str(line["id"]): line for line in nodes(order.get("lineItems"))}
    postage = {str(line.get("id")): line for line in nodes(order.get("shippingLines"))}
    for row in nodes(refund.get("refundLineItems")):
        line_id = str(row["lineItem"]["id"])
        money = (paid(row.get("subtotalSet")), paid(row.get("totalTaxSet")))
        yield _line(line_id, items.get(line_id), row.get("quantity") or 0, money, is_tax_inside, currency)
    for row in nodes(refund.get("refundShippingLines")):
        line_id = str((row.get("shippingLine") or {}).get("id") or "")
        money = (paid(row.get("subtotalAmountSet")), paid(row.get("taxAmountSet")))
        yield _line(line_id, postage.get(line_id), 0, money, is_tax_inside, currency)
    for row in refund.get("duties") or ():
        duty_id = str((row.get("originalDuty") or {}).get("id") or "")
        yield RemoteRefundLine(line_id=duty_id, quantity=0, net=paid(row.get("amountSet")))


def _line(
    line_id: str, line: Json, quantity: int, money: tuple[Decimal, Decimal], is_tax_inside: bool, currency: str
) -> RemoteRefundLine:
    """A refunded line; where prices include tax, its subtotal does too (section 13, body shapes)."""
    subtotal, tax = money
    taxes = shares(tax, weights_of((line or {}).get("taxLines") or ()), currency=currency)
    net = subtotal - tax if is_tax_inside else subtotal
    return RemoteRefundLine(line_id=line_id, quantity=int(quantity), net=net, taxes=taxes)
