"""What follows from an order's lines, refunds and transactions: quantities, totals, statuses (shopify.md section 5)."""

from collections.abc import Iterable
from decimal import Decimal

from connectors.simulators.shopify.amounts import NOTHING, ZERO, Bag, total
from connectors.simulators.shopify.records import Order, OrderLine, Refund, TaxLine, Transaction
from connectors.simulators.shopify.state import ShopState

RECEIVING = ("SALE", "CAPTURE")


def refunded_units(shop: ShopState, line: OrderLine, order_id: int) -> int:
    """Units of a line inside refunds."""
    return sum(r.quantity for refund in shop.refunds_of(order_id) for r in refund.lines if r.line_id == line.id)


def current_quantity(shop: ShopState, order: Order, line: OrderLine) -> int:
    """Units ordered, without those removed and refunded."""
    return max(0, line.quantity - line.removed - refunded_units(shop, line, order.id))


def unfulfilled_quantity(shop: ShopState, order: Order, line: OrderLine) -> int:
    """Units that still are to be sent; refunds of type CANCEL take unsent units away."""
    cancelled = sum(
        r.quantity
        for refund in shop.refunds_of(order.id)
        for r in refund.lines
        if r.line_id == line.id and r.restock_type == "CANCEL"
    )
    return max(0, line.quantity - line.removed - line.fulfilled - cancelled)


def discounts_of(line: OrderLine, *kinds: str) -> Bag:
    """Discounts on a line for the quantity first ordered, of these kinds or all."""
    return total(d.amount for d in line.discounts if not kinds or d.kind in kinds)


def line_total(line: OrderLine, *kinds: str) -> Bag:
    """Price of the quantity first ordered, less discounts of these kinds (none named: all)."""
    return line.unit_price.times(line.quantity) - discounts_of(line, *kinds)


def line_tax(line: OrderLine) -> Bag:
    """Tax of the quantity first ordered."""
    return total(tax.price for tax in line.tax_lines)


def discounted_for(line: OrderLine, quantity: int) -> Bag:
    """Price of so many units after all discounts."""
    return line_total(line).part(quantity, line.quantity)


def without_tax(order: Order, line: OrderLine, quantity: int) -> Bag:
    """Price of so many units after all discounts and before tax."""
    gross = discounted_for(line, quantity)
    return gross - line_tax(line).part(quantity, line.quantity) if order.is_tax_included else gross


def shipping_total(order: Order) -> Bag:
    """Postage first charged."""
    return total(line.price for line in order.shipping_lines)


def shipping_tax(order: Order) -> Bag:
    """Tax on the postage first charged."""
    return total(tax.price for line in order.shipping_lines for tax in line.tax_lines)


def refunded_shipping(shop: ShopState, order: Order) -> Bag:
    """Postage given back."""
    return total(refund.shipping for refund in shop.refunds_of(order.id))


def subtotal(order: Order) -> Bag:
    """Lines after discounts, with removed and refunded units."""
    return total(line_total(line) for line in order.lines)


def tax_total(order: Order) -> Bag:
    """All tax, with that of removed and refunded units."""
    return total(line_tax(line) for line in order.lines) + shipping_tax(order)


def price_total(order: Order) -> Bag:
    """The whole, with removed and refunded units."""
    tax = NOTHING if order.is_tax_included else tax_total(order)
    return subtotal(order) + shipping_total(order) + order.tip + duties_total(order) + tax


def duties_total(order: Order) -> Bag:
    """Duties first charged."""
    return total(duty.price for line in order.lines for duty in line.duties)


def current_duties(shop: ShopState, order: Order) -> Bag:
    """Duties not given back."""
    return duties_total(order) - total(bag for refund in shop.refunds_of(order.id) for _, bag in refund.duties)


def current_subtotal(shop: ShopState, order: Order) -> Bag:
    """Lines after discounts, as they stand now."""
    return total(discounted_for(line, current_quantity(shop, order, line)) for line in order.lines)


def current_shipping(shop: ShopState, order: Order) -> Bag:
    """Postage not given back."""
    return shipping_total(order) - refunded_shipping(shop, order)


def current_tax(shop: ShopState, order: Order) -> Bag:
    """All tax as it stands now: of lines by units, of postage less what was given back."""
    lines = total(line_tax(line).part(current_quantity(shop, order, line), line.quantity) for line in order.lines)
    return lines + shipping_tax(order) - total(refund.shipping_tax for refund in shop.refunds_of(order.id))


def current_total(shop: ShopState, order: Order) -> Bag:
    """What the order is worth now."""
    tax = NOTHING if order.is_tax_included else current_tax(shop, order)
    goods = current_subtotal(shop, order) + current_duties(shop, order)
    return goods + current_shipping(shop, order) + order.tip + tax


def current_tax_lines(shop: ShopState, order: Order) -> list[TaxLine]:
    """Tax by title and rate as it stands now."""
    found: dict[tuple[str, Decimal], Bag] = {}
    for line in order.lines:
        for tax in line.tax_lines:
            share = tax.price.part(current_quantity(shop, order, line), line.quantity)
            found[tax.title, tax.rate] = found.get((tax.title, tax.rate), NOTHING) + share
    for shipping in order.shipping_lines:
        for tax in shipping.tax_lines:
            found[tax.title, tax.rate] = found.get((tax.title, tax.rate), NOTHING) + tax.price
    return [TaxLine(title=title, rate=rate, price=price) for (title, rate), price in found.items() if price != NOTHING]


def settled(transactions: Iterable[Transaction], *kinds: str) -> Bag:
    """The sum of successful transactions of these kinds."""
    return total(t.amount for t in transactions if t.status == "SUCCESS" and t.kind in kinds)


def received(order: Order) -> Bag:
    """Money that came in."""
    return settled(order.transactions, *RECEIVING)


def refunded(order: Order) -> Bag:
    """Money that went back: successful refunds only."""
    return settled(order.transactions, "REFUND")


def net_payment(order: Order) -> Bag:
    """Money that is still here: the bound of what may be refunded."""
    return received(order) - refunded(order)


def discrepancy(shop: ShopState, order: Order) -> Bag:
    """Computed less refunded, over all refunds."""
    return total(adjustment.amount for refund in shop.refunds_of(order.id) for adjustment in refund.adjustments)


def outstanding(shop: ShopState, order: Order) -> Bag:
    """What the customer owes; negative is owed to the customer."""
    if order.cancelled_at is not None:
        return NOTHING
    held = settled(order.transactions, "AUTHORIZATION") if received(order) == NOTHING else NOTHING
    return current_total(shop, order) + discrepancy(shop, order) - net_payment(order) - held


def maximum_refundable(order: Order, parent: Transaction) -> Bag:
    """What may go back to one payment; pending refunds hold their part."""
    held = total(
        t.amount
        for t in order.transactions
        if t.kind == "REFUND" and t.parent_id == parent.id and t.status in ("SUCCESS", "PENDING")
    )
    return parent.amount - held


def refund_total(shop: ShopState, refund: Refund) -> Bag:
    """Money a refund moved: zero while its transaction is pending (shopify.md trap 1)."""
    order = shop.orders[refund.order_id]
    return settled((t for t in order.transactions if t.refund_id == refund.id), "REFUND")


def financial_status(shop: ShopState, order: Order) -> str | None:
    """displayFinancialStatus; null where orderCreate named none and no money moved (recorded)."""
    paid, back = received(order), refunded(order)
    if back.shop > ZERO:
        return "REFUNDED" if back.shop >= paid.shop else "PARTIALLY_REFUNDED"
    if paid.shop > ZERO:
        return "PARTIALLY_PAID" if outstanding(shop, order).shop > ZERO else "PAID"
    kinds = {t.kind for t in order.transactions if t.status == "SUCCESS"}
    if "VOID" in kinds:
        return "VOIDED"
    if "AUTHORIZATION" in kinds:
        return "AUTHORIZED"
    if not order.has_financial_status:
        return None
    return "PAID" if price_total(order).shop == ZERO and order.lines else "PENDING"


def fulfilment_status(shop: ShopState, order: Order) -> str:
    """displayFulfillmentStatus."""
    sent = sum(line.fulfilled for line in order.lines)
    waiting = sum(unfulfilled_quantity(shop, order, line) for line in order.lines)
    if sent and waiting:
        return "PARTIALLY_FULFILLED"
    return "FULFILLED" if sent else "UNFULFILLED"


def return_status(shop: ShopState, order: Order) -> str:
    """returnStatus: the rule of the recording order-return-status-lifecycle."""
    statuses = {found.status for found in shop.returns_of(order.id)}
    for status, shown in (("REQUESTED", "RETURN_REQUESTED"), ("OPEN", "IN_PROGRESS"), ("CLOSED", "RETURNED")):
        if status in statuses:
            return shown
    return "NO_RETURN"
