"""An order of the shop as our OrderSnapshot: its final state, edits and all refunds included. Pure.

Sources: shopify.md sections 5, 7 and 17. Shopify's current figures leave out what was removed *and* what was refunded;
a snapshot's lines are the order after edits and before refunds, which stand beside them. So each line is what stands
now plus what refunds name of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from connectors.shopify.money import ZERO, paid, required, shares, weights_of
from connectors.shopify.order_taxes import current_taxes, postage_tax_of
from connectors.shopify.refund_records import EPOCH, RESTOCKED_ROWS, moment, nodes, put_back_record, remote_refund
from connectors.shopify.tenders import tenders_of
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund, RemoteRefundLine, TaxShare
from returnsops.money import MoneyError, quantum

Json = Any

# In these no money was taken yet or it was let go, so none can be given back.
DEFAULT_LOCKED_STATUSES: Final = ("authorized", "expired", "pending", "voided", "cancelled")

_SENT: Final = frozenset({"FULFILLED", "RESTOCKED"})
_TO_SEND: Final = frozenset(
    {"IN_PROGRESS", "ON_HOLD", "OPEN", "PARTIALLY_FULFILLED", "PENDING_FULFILLMENT"}
    | {"REQUEST_DECLINED", "SCHEDULED", "UNFULFILLED"}
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How this shop's orders are to be read: the connection's settings."""

    locked_statuses: frozenset[str] = frozenset(DEFAULT_LOCKED_STATUSES)
    locked_tags: frozenset[str] = field(default_factory=frozenset)


def reading_of(settings: Mapping[str, Any]) -> Reading:
    """The connection's settings table as a Reading; absent keys have their defaults."""
    return Reading(
        locked_statuses=frozenset(str(s).lower() for s in settings.get("locked_statuses", DEFAULT_LOCKED_STATUSES)),
        locked_tags=frozenset(str(tag).strip().lower() for tag in settings.get("locked_tags", ())),
    )


def order_snapshot(order: Json, *, authors: Mapping[str, str], reading: Reading) -> OrderSnapshot:
    """The snapshot of a fetched order with all its lines and refunds; ``authors`` names who made which refund.

    ``total`` is the money that came in, whatever the order was worth at first. Raises MoneyError where an amount is
    missing or the shop's figures contradict each other.
    """
    refunds = tuple(
        remote_refund(refund, order=order, author=authors.get(str(refund["id"]), ""))
        for refund in order.get("refunds") or ()
    )
    status = status_of(order)
    lock_reason = _lock_reason(order, status=status, reading=reading)
    customer = order.get("customer") or {}
    placed_at = moment(order.get("processedAt")) or moment(order.get("createdAt")) or EPOCH
    return OrderSnapshot(
        order_id=str(order["id"]),
        number=str(order.get("name") or order["id"]),
        status=status,
        currency=str(order.get("presentmentCurrencyCode") or ""),
        total=required(order.get("totalReceivedSet"), what=f"Order {order.get('name')}"),
        lines=tuple(_lines(order, refunds)),
        refunds=(*refunds, *(put_back_record(row, order=order) for row in order.get(RESTOCKED_ROWS) or ())),
        placed_at=placed_at,
        modified_at=moment(order.get("updatedAt")) or placed_at,
        customer_id=str(customer.get("id") or ""),
        customer_email=str(order.get("email") or (customer.get("defaultEmailAddress") or {}).get("emailAddress") or ""),
        channel=str(order.get("sourceName") or ""),
        payment_method=", ".join(dict.fromkeys(tender.gateway for tender in tenders_of(order)))[:120],
        paid_at=_paid_at(order),
        is_locked=bool(lock_reason),
        lock_reason=lock_reason,
        is_open=_is_open(order),
        meta=_meta(order),
    )


def status_of(order: Json) -> str:
    """``cancelled``, else the financial status in lower case."""
    return "cancelled" if order.get("cancelledAt") else str(order.get("displayFinancialStatus") or "unknown").lower()


# --- lines ---------------------------------------------------------------------------------------------------------


def _lines(order: Json, refunds: Iterable[RemoteRefund]) -> Iterable[OrderLineSnapshot]:
    refunded: dict[str, list[RemoteRefundLine]] = {}
    for line in (line for refund in refunds for line in refund.lines):
        refunded.setdefault(line.line_id, []).append(line)
    currency = str(order.get("presentmentCurrencyCode") or "")
    items, postage = nodes(order.get("lineItems")), nodes(order.get("shippingLines"))
    taxes = current_taxes(
        items,
        postage_tax=postage_tax_of(postage),
        total_tax=paid(order.get("currentTotalTaxSet")),
        currency=currency,
    )
    nets = _current_nets(order, items, taxes)
    for item, net, tax in zip(items, nets, taxes, strict=True):
        sold = _item(item, net=net, taxes=tax, refunded=refunded.get(str(item["id"]), ()))
        yield replace(sold, reduced_stock=_still_out(item, sold.quantity, order))
    for line in postage:
        yield _postage(line, is_tax_inside=order.get("taxesIncluded") is True, currency=currency)
    for duty in (duty for item in items for duty in item.get("duties") or ()):
        yield _duty(duty, currency=currency)
    if tip := paid(order.get("totalTipReceivedSet")):
        # Shopify refunds a tip by its amount alone, so that it needs no id there.
        yield OrderLineSnapshot(line_id="tip", kind="tip", name="Tip", quantity=1, net=tip)


def _item(
    item: Json, *, net: Decimal, taxes: Mapping[str, Decimal], refunded: Iterable[RemoteRefundLine]
) -> OrderLineSnapshot:
    """What stands of a line and what refunds name of it, together."""
    rates, quantity = dict(taxes), int(item.get("currentQuantity") or 0)
    for line in refunded:
        quantity += line.quantity
        net += line.net
        for share in line.taxes:
            rates[share.rate_id] = rates.get(share.rate_id, ZERO) + share.amount
    variant, title = item.get("variant") or {}, str(item.get("title") or "")
    sku = str(item.get("sku") or "")
    return OrderLineSnapshot(
        line_id=str(item["id"]),
        kind="item",
        name=f"{title} - {item['variantTitle']}" if item.get("variantTitle") else title,
        quantity=quantity,
        net=net,
        taxes=tuple(TaxShare(rate_id=rate, amount=amount) for rate, amount in rates.items()),
        sku=sku,
        product_id=str((item.get("product") or {}).get("id") or ""),
        variation_id=str(variant.get("id") or ""),
        is_sku_ambiguous=not sku,
    )


def _still_out(item: Json, quantity: int, order: Json) -> int | None:
    """Units of a line that nobody put back by a refund or in a return; None where its stock is not tracked, or is gone.

    Our own restocks are adjustments of the stock, which no order shows. A refund that restocks and a RESTOCKED
    disposition are two changes of the stock (shopify.md section 8.2), so that both count.
    """
    tracked = ((item.get("variant") or {}).get("inventoryItem") or {}).get("tracked")
    if tracked is not True:
        return None
    rows = (row for refund in order.get("refunds") or () for row in nodes(refund.get("refundLineItems")))
    back = (row for row in rows if row.get("restocked") is True and row["lineItem"]["id"] == item["id"])
    disposed = (row for row in order.get(RESTOCKED_ROWS) or () if row["line_id"] == item["id"])
    return quantity - sum(int(row.get("quantity") or 0) for row in (*back, *disposed))


def _current_nets(order: Json, items: list[Json], taxes: list[dict[str, Decimal]]) -> list[Decimal]:
    """Per line what stands of it after all discounts and before tax.

    For shops whose prices include tax the schema says that ``priceAfterAllDiscountsBeforeTaxesSet`` leaves it out; no
    recording shows it. The order's own subtotal, which includes it there, tells: with neither reading agreeing the
    order is not read at all, since a wrong guess would refund the tax twice.
    """
    prices = [required(item.get("priceAfterAllDiscountsBeforeTaxesSet"), what="A line") for item in items]
    tax = [sum(rates.values(), ZERO) for rates in taxes]
    if order.get("taxesIncluded") is not True or not any(tax):
        return prices
    subtotal = paid(order.get("currentSubtotalPriceSet"))
    slack = quantum(str(order.get("presentmentCurrencyCode"))) * (len(items) + 1)
    if abs(sum(prices, ZERO) + sum(tax, ZERO) - subtotal) <= slack:
        return prices
    if abs(sum(prices, ZERO) - subtotal) <= slack:
        return [price - part for price, part in zip(prices, tax, strict=True)]
    raise MoneyError(f"the prices of its lines do not add up to its subtotal of {subtotal}")


def _postage(line: Json, *, is_tax_inside: bool, currency: str) -> OrderLineSnapshot:
    """Postage as it was charged, before what refunds gave back of it."""
    weights = weights_of(line.get("taxLines") or ())
    price, tax = paid(line.get("discountedPriceSet")), sum(weights.values(), ZERO)
    return OrderLineSnapshot(
        line_id=str(line.get("id") or "postage"),
        kind="shipping",
        name=str(line.get("title") or ""),
        quantity=1,
        net=price - tax if is_tax_inside else price,
        taxes=shares(tax, weights, currency=currency),
    )


def _duty(duty: Json, *, currency: str) -> OrderLineSnapshot:
    weights = weights_of(duty.get("taxLines") or ())
    return OrderLineSnapshot(
        line_id=str(duty["id"]),
        kind="duty",
        name="Duty",
        quantity=1,
        net=paid(duty.get("price")),
        taxes=shares(sum(weights.values(), ZERO), weights, currency=currency),
    )


# --- the rest ------------------------------------------------------------------------------------------------------


def _lock_reason(order: Json, *, status: str, reading: Reading) -> str:
    if status in reading.locked_statuses:
        return f"The order is {status} in the shop."
    marks = sorted({str(tag).strip().lower() for tag in order.get("tags") or ()} & reading.locked_tags)
    return f"The order carries the tag {marks[0]} in the shop." if marks else ""


def _is_open(order: Json) -> bool | None:
    """Whether the shop still has to send something; None in a state of sending that says nothing (section 5).

    The financial status is not asked: of what others paid back the shop shows nothing, and stays ``paid``.
    """
    if order.get("cancelledAt") or order.get("displayFulfillmentStatus") in _SENT:
        return False
    return bool(_unsent(order)) if order.get("displayFulfillmentStatus") in _TO_SEND else None


def _unsent(order: Json) -> int:
    return sum(int(item.get("unfulfilledQuantity") or 0) for item in nodes(order.get("lineItems")))


def _paid_at(order: Json) -> Any:
    moments = [
        moment(row.get("processedAt"))
        for row in order.get("transactions") or ()
        if row.get("kind") in ("SALE", "CAPTURE") and row.get("status") == "SUCCESS"
    ]
    return max((at for at in moments if at is not None), default=None)


def _meta(order: Json) -> dict[str, str]:
    """What people ask about an order and no field of a snapshot holds; no customer data."""
    unsent = _unsent(order)
    found = {
        "fulfilment": str(order.get("displayFulfillmentStatus") or ""),
        "unfulfilled_units": str(unsent) if unsent else "",
        "return_status": str(order.get("returnStatus") or ""),
        "returns": ", ".join(f"{row.get('name')} {row.get('status')}" for row in nodes(order.get("returns"))),
        "shop_currency": str(order.get("currencyCode") or ""),
        "owed_to_customer": _owed(order),
        "edited": "yes" if order.get("edited") else "",
        "tip": _amount(order.get("totalTipReceivedSet")),
    }
    return {name: value for name, value in found.items() if value}


def _owed(order: Json) -> str:
    """An edit made the order cheaper than what was paid."""
    outstanding = paid(order.get("totalOutstandingSet"))
    return f"{-outstanding:f}" if outstanding < 0 else ""


def _amount(bag: Json) -> str:
    amount = paid(bag)
    return f"{amount:f}" if amount else ""
