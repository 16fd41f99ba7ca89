"""How an order comes to be, whoever makes it: lines, postage, payments, stock claimed, parcels sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.simulators.shopify import inventory, pricing
from connectors.simulators.shopify.amounts import Bag, converted, total
from connectors.simulators.shopify.payloads import tell_order, tell_transaction
from connectors.simulators.shopify.records import (
    Discount,
    Duty,
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderLine,
    ShippingLine,
    TaxLine,
    Transaction,
    Variant,
)
from connectors.simulators.shopify.refunding import add_transaction
from connectors.simulators.shopify.state import ShopState


@dataclass(frozen=True, kw_only=True)
class CartLine:
    """What a customer buys. Amounts in shop currency, for the whole line; `price` None is the variant's own.

    `discount` is a discount of the line, `code_discount` its share of a code, `order_discount` of the whole order;
    `duty` is customs duty on the line.
    """

    variant: Variant
    quantity: int = 1
    price: Decimal | None = None
    discount: Decimal = Decimal(0)
    code_discount: Decimal = Decimal(0)
    order_discount: Decimal = Decimal(0)
    duty: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Payment:
    """One tender. `amount` None takes what the others leave; `status` is SUCCESS, PENDING or FAILURE."""

    gateway: str = "shopify_payments"
    amount: Decimal | None = None
    kind: str = "SALE"
    status: str = "SUCCESS"


def new_order(shop: ShopState, **fields: Any) -> Order:
    """An empty order with the next number, known to the shop."""
    number = shop.next_id("order_number")
    currency = fields.pop("currency", None) or shop.settings.currency
    presentment = fields.pop("presentment_currency", None) or currency
    rate = fields.pop("rate", None) or shop.settings.rates.get(presentment, Decimal(1))
    now = shop.now()
    values: dict[str, Any] = {
        "id": shop.next_id("Order"),
        "number": number,
        "name": f"{shop.settings.order_prefix}{number}",
        "currency": currency,
        "presentment_currency": presentment,
        "rate": Decimal(1) if presentment == currency else rate,
        "is_tax_included": shop.settings.is_tax_included,
        "created_at": now,
        "updated_at": now,
        "processed_at": now,
    }
    order = Order(**(values | fields))
    shop.orders[order.id] = order
    return order


def add_cart_line(shop: ShopState, order: Order, cart: CartLine, *, tax_rate: Decimal, tax_title: str) -> OrderLine:
    """A line of a customer's order, its tax computed from the discounted price."""
    variant = cart.variant
    kinds = (("line", cart.discount), ("code", cart.code_discount), ("order", cart.order_discount))
    line = OrderLine(
        id=shop.next_id("LineItem"),
        order_id=order.id,
        title=shop.products[variant.product_id].title,
        variant_title=variant.title,
        sku=variant.sku,
        quantity=cart.quantity,
        unit_price=converted(variant.price if cart.price is None else cart.price, order.rate),
        variant_id=variant.id,
        is_shipped=variant.is_shipped,
        discounts=[Discount(kind=kind, amount=converted(amount, order.rate)) for kind, amount in kinds if amount],
    )
    if tax_rate:
        tax = tax_on(order, pricing.line_total(line), tax_rate)
        line.tax_lines.append(TaxLine(title=tax_title, rate=tax_rate, price=tax))
    if cart.duty:
        price = converted(cart.duty, order.rate)
        line.duties.append(Duty(id=shop.next_id("Duty"), order_id=order.id, line_id=line.id, price=price))
    order.lines.append(line)
    return line


def tax_on(order: Order, amount: Bag, rate: Decimal) -> Bag:
    """Tax inside or on top of an amount, as the order has it."""
    return amount.times(rate / (1 + rate) if order.is_tax_included else rate)


def add_postage(
    shop: ShopState, order: Order, amount: Decimal, *, title: str, tax_rate: Decimal, tax_title: str
) -> None:
    """A shipping line with its tax."""
    price = converted(amount, order.rate)
    line = ShippingLine(id=shop.next_id("ShippingLine"), order_id=order.id, title=title, price=price)
    if tax_rate:
        line.tax_lines.append(TaxLine(title=tax_title, rate=tax_rate, price=tax_on(order, price, tax_rate)))
    order.shipping_lines.append(line)


def pay(shop: ShopState, order: Order, payments: Sequence[Payment]) -> list[Transaction]:
    """Take the payments; the one without an amount takes the rest."""
    taken = []
    named = total(converted(payment.amount, order.rate) for payment in payments if payment.amount is not None)
    for payment in payments:
        rest = pricing.price_total(order) - named
        amount = rest if payment.amount is None else converted(payment.amount, order.rate)
        transaction = add_transaction(
            shop,
            order,
            kind=payment.kind,
            status=payment.status,
            gateway=payment.gateway,
            amount=amount,
            is_manual=payment.gateway == "manual",
        )
        taken.append(transaction)
    return taken


def claim(shop: ShopState, line: OrderLine) -> bool:
    """Take a line's units out of what is available; False where nothing stocks it."""
    variant = shop.variants.get(line.variant_id or 0)
    level = None if variant is None else inventory.first_stocked(shop, variant.item_id)
    if variant is None or level is None or not variant.is_tracked:
        return False
    quantity = line.quantity - line.removed
    changes = [inventory.moved(level, "available", -quantity), inventory.moved(level, "committed", quantity)]
    inventory.record(shop, changes, reason="other")
    line.is_stock_claimed = True
    return True


def unclaim(shop: ShopState, line: OrderLine) -> None:
    """Give back what a line that never left has taken."""
    variant = shop.variants.get(line.variant_id or 0)
    level = None if variant is None else inventory.first_stocked(shop, variant.item_id)
    if level is None or not line.is_stock_claimed:
        return
    quantity = line.quantity - line.removed - line.fulfilled
    changes = [inventory.moved(level, "available", quantity), inventory.moved(level, "committed", -quantity)]
    inventory.record(shop, changes, reason="restock")
    line.is_stock_claimed = False


def finish(shop: ShopState, order: Order) -> Order:
    """Note the first total and tell everybody."""
    order.first_total = pricing.price_total(order)
    paid = ("orders/paid",) if pricing.financial_status(shop, order) == "PAID" else ()
    tell_order(shop, order, "orders/create", *paid)
    for transaction in order.transactions:
        tell_transaction(shop, transaction)
    return order


def fulfil(
    shop: ShopState,
    order: Order,
    *,
    quantities: Mapping[int, int] | None = None,
    location_id: int | None = None,
    tracking_number: str = "",
    tracking_company: str = "",
) -> Fulfilment:
    """Send units, by line id; without, everything that waits."""
    wanted = dict(quantities or {}) or {
        line.id: waiting
        for line in order.lines
        if line.is_shipped and (waiting := pricing.unfulfilled_quantity(shop, order, line))
    }
    fulfilment = Fulfilment(
        id=shop.next_id("Fulfillment"),
        order_id=order.id,
        location_id=location_id or next(iter(shop.locations)),
        created_at=shop.now(),
        lines=[],
        tracking_number=tracking_number,
        tracking_company=tracking_company,
    )
    for line in order.lines:
        if wanted.get(line.id):
            fulfilment.lines.append(_send(shop, line, wanted[line.id]))
    order.fulfilments.append(fulfilment)
    topics = ("orders/fulfilled",) if pricing.fulfilment_status(shop, order) == "FULFILLED" else ()
    tell_order(shop, order, *topics)
    return fulfilment


def _send(shop: ShopState, line: OrderLine, quantity: int) -> FulfilmentLine:
    line.fulfilled += quantity
    sent = FulfilmentLine(
        id=shop.next_id("FulfillmentLineItem"), order_id=line.order_id, line_id=line.id, quantity=quantity
    )
    shop.fulfilment_lines[sent.id] = sent
    variant = shop.variants.get(line.variant_id or 0)
    level = None if variant is None else inventory.first_stocked(shop, variant.item_id)
    if level is not None and line.is_stock_claimed:
        inventory.record(shop, [inventory.moved(level, "committed", -quantity)], reason="other")
    return sent


def reclaim(shop: ShopState, line: OrderLine, change: int, *, is_restocked: bool = True) -> None:
    """Take more units of a line that has its stock, or give some up: back into stock, or off the books."""
    variant = shop.variants.get(line.variant_id or 0)
    level = None if variant is None else inventory.first_stocked(shop, variant.item_id)
    if level is None or not line.is_stock_claimed:
        return
    changes = [inventory.moved(level, "committed", change)]
    if change > 0 or is_restocked:
        changes.insert(0, inventory.moved(level, "available", -change))
    inventory.record(shop, changes, reason="other")


def sale_of(order: Order) -> Transaction:
    """The first payment of an order."""
    return next(t for t in order.transactions if t.kind in pricing.RECEIVING)
