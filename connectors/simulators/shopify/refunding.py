"""refundCreate, and refunds by staff: checks, money to the tenders, adjustments, restock (shopify.md section 7)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.simulators.shopify import inventory, pricing
from connectors.simulators.shopify.amounts import NOTHING, ZERO, Bag, cents, in_words, total
from connectors.simulators.shopify.crediting import credit_customer
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.payloads import tell_order, tell_refund, tell_transaction
from connectors.simulators.shopify.records import Adjustment, Order, Refund, RefundLine, Transaction
from connectors.simulators.shopify.refusals import Refused
from connectors.simulators.shopify.state import ShopState, number_of
from connectors.simulators.shopify.suggesting import Wanted, shipping_tax_part, subtotal_of, tax_of, wanted_lines, worth

STORE_CREDIT_GATEWAY = "shopify_store_credit"
"""Assumed name: the recordings hold no refund to store credit."""


@dataclass(frozen=True, kw_only=True)
class Payback:
    """Money to send back to one payment."""

    parent: Transaction
    amount: Bag


@dataclass(frozen=True, kw_only=True)
class StoreCredit:
    """Money to give as store credit."""

    amount: Bag
    expires_at: datetime | None = None


@dataclass(kw_only=True)
class Plan:
    """A refund that passed every check."""

    order: Order
    note: str = ""
    wanted: Sequence[Wanted] = ()
    locations: Sequence[int | None] = ()
    shipping: Bag = NOTHING
    duties: list[tuple[int, Bag]] = field(default_factory=list)
    paybacks: list[Payback] = field(default_factory=list)
    credits: list[StoreCredit] = field(default_factory=list)
    reason: str = "REFUND_DISCREPANCY"
    staff_id: int | None = None
    return_id: int | None = None

    def paid(self) -> Bag:
        """Money that goes back, by any way."""
        return total(one.amount for one in self.paybacks) + total(one.amount for one in self.credits)


def refund_create(shop: ShopState, args: Args) -> dict[str, Any]:
    """The mutation refundCreate."""
    given = args["input"]
    order = shop.orders.get(number_of("Order", given["orderId"]))
    if order is None:
        raise Refused(["orderId"], "Order does not exist")
    try:
        plan = _checked(shop, order, given)
    except Refused as refused:
        refused.payload["order"] = order
        raise
    return {"refund": make_refund(shop, plan), "order": order}


def _checked(shop: ShopState, order: Order, given: Args) -> Plan:
    lines = given.get("refundLineItems") or []
    _check_lines(shop, order, lines)
    _check_currency(order, given)
    plan = Plan(
        order=order,
        note=given.get("note") or "",
        wanted=wanted_lines(order, lines),
        locations=[number_of("Location", line.get("locationId")) or None for line in lines],
        shipping=_postage(shop, order, given.get("shipping")),
        duties=[_duty(order, one, lines) for one in given.get("refundDuties") or []],
        paybacks=[_payback(shop, order, one) for one in given.get("transactions") or []],
        credits=[_store_credit(order, one) for one in given.get("refundMethods") or []],
    )
    plan.reason = _REASONS.get(given.get("discrepancyReason") or "", plan.reason)
    check_net_payment(order, plan)
    return plan


_REASONS = {"CUSTOMER": "CUSTOMER", "DAMAGE": "DAMAGE", "RESTOCK": "RESTOCK"}


def _check_lines(shop: ShopState, order: Order, lines: Sequence[Args]) -> None:
    asked: dict[int, int] = {}
    for index, given in enumerate(lines):
        line = shop.line(order, number_of("LineItem", given["lineItemId"]))
        if line is None:
            raise Refused(["refundLineItems", str(index), "lineItemId"], "Line item does not exist")  # assumed text
        asked[line.id] = asked.get(line.id, 0) + given["quantity"]
        if asked[line.id] > pricing.current_quantity(shop, order, line):
            field = ["refundLineItems", str(index), "quantity"]
            raise Refused(field, "Quantity cannot refund more items than were purchased")
        if given["quantity"] < 1:
            field = ["refundLineItems", str(index), "quantity"]
            raise Refused(field, "Quantity must be greater than 0")  # assumed text


def _check_currency(order: Order, given: Args) -> None:
    """A foreign-currency order needs its currency named (schema text); the refusal's words are assumed."""
    if order.presentment_currency != (given.get("currency") or order.currency):
        raise Refused(["currency"], f"Currency must be {order.presentment_currency}")


def _postage(shop: ShopState, order: Order, given: Args | None) -> Bag:
    left = pricing.current_shipping(shop, order)
    if not given:
        return NOTHING
    if given.get("fullRefund"):
        return left
    asked = _presentment(order, Decimal(given.get("amount") or 0))
    if asked.presentment > left.presentment:
        raise Refused(["shipping", "amount"], "Shipping refund is greater than what is refundable")  # assumed text
    return asked


def _duty(order: Order, given: Args, lines: Sequence[Args]) -> tuple[int, Bag]:
    """A duty whole, or the part that belongs to the units of its line in this refund."""
    number = number_of("Duty", given["dutyId"])
    duty = next((duty for line in order.lines for duty in line.duties if duty.id == number), None)
    if duty is None:
        raise Refused(["refundDuties"], "Duty does not exist")  # assumed text
    if given.get("refundType") != "PROPORTIONAL":
        return number, duty.price
    units = sum(one["quantity"] for one in lines if number_of("LineItem", one["lineItemId"]) == duty.line_id)
    whole = next(line.quantity for line in order.lines if line.id == duty.line_id)
    return number, duty.price.part(units, whole)


def _presentment(order: Order, amount: Decimal) -> Bag:
    """An amount the caller gave, which is in the customer's currency."""
    return Bag(shop=cents(amount / order.rate), presentment=amount)


def _payback(shop: ShopState, order: Order, given: Args) -> Payback:
    if given["kind"] != "REFUND":
        raise Refused(None, f"Kind {given['kind'].lower()} is not a valid transaction")
    parent = shop.transactions.get(number_of("OrderTransaction", given.get("parentId")))
    if parent is None or parent.order_id != order.id:
        raise Refused(["transactions"], "Transactions require a parent_id associated with the order")
    return Payback(parent=parent, amount=share_of(parent, Decimal(given["amount"])))


def share_of(parent: Transaction, presentment: Decimal) -> Bag:
    """A part of a payment, at the payment's own rate of exchange."""
    whole = parent.amount
    shop_amount = presentment if whole.shop == whole.presentment else presentment * whole.shop / whole.presentment
    return Bag(shop=cents(shop_amount), presentment=presentment)


def _store_credit(order: Order, given: Args) -> StoreCredit:
    method = given["storeCreditRefund"]
    if order.customer_id is None:
        raise Refused(["refundMethods"], "Order must have a customer to be refunded to store credit")  # assumed text
    return StoreCredit(
        amount=_presentment(order, Decimal(method["amount"]["amount"])), expires_at=method.get("expiresAt")
    )


def check_net_payment(order: Order, plan: Plan) -> None:
    """Shopify's one hard bound; allowOverRefunding does not lift it (recorded)."""
    asked = plan.paid()
    left = pricing.net_payment(order)
    if asked.presentment > left.presentment:
        currency = order.presentment_currency
        wanted, have = in_words(asked.presentment, currency), in_words(left.presentment, currency)
        raise Refused(None, f"Refund amount {wanted} is greater than net payment received {have}")


def make_refund(shop: ShopState, plan: Plan) -> Refund:
    """Write the refund and its transactions, restock, and fire the webhooks."""
    order = plan.order
    refund = Refund(
        id=shop.next_id("Refund"),
        order_id=order.id,
        note=plan.note,
        created_at=shop.now(),
        staff_id=plan.staff_id,
        return_id=plan.return_id,
        shipping=plan.shipping,
        shipping_tax=shipping_tax_part(order, plan.shipping),
        duties=list(plan.duties),
    )
    refund.adjustments = _adjustments(shop, plan)
    locations = [*plan.locations, *[None] * len(plan.wanted)]
    for one, location_id in zip(plan.wanted, locations, strict=False):
        refund.lines.append(_line(shop, order, one, location_id))
    shop.refunds[refund.id] = refund
    order.refund_ids.append(refund.id)
    for payback in plan.paybacks:
        _pay_back(shop, order, refund, payback)
    for credit in plan.credits:
        _give_credit(shop, order, refund, credit)
    tell_refund(shop, refund)
    tell_order(shop, order)
    return refund


def _adjustments(shop: ShopState, plan: Plan) -> list[Adjustment]:
    """Computed less refunded, where that is not nothing and any money or line is concerned."""
    on_top = NOTHING if plan.order.is_tax_included else shipping_tax_part(plan.order, plan.shipping)
    computed = worth(plan.order, plan.wanted) + plan.shipping + on_top + total(bag for _, bag in plan.duties)
    difference = computed - plan.paid()
    if difference.presentment == ZERO:
        return []
    number = shop.next_id("OrderAdjustment")
    return [Adjustment(id=number, order_id=plan.order.id, reason=plan.reason, amount=difference)]


def _line(shop: ShopState, order: Order, one: Wanted, location_id: int | None) -> RefundLine:
    line = RefundLine(
        id=shop.next_id("RefundLineItem"),
        order_id=order.id,
        line_id=one.line.id,
        quantity=one.quantity,
        restock_type=one.restock_type,
        subtotal=subtotal_of(one),
        tax=tax_of(one),
        location_id=location_id,
        is_restocked=one.restock_type in ("RETURN", "CANCEL"),
    )
    variant = shop.variants.get(one.line.variant_id or 0)
    if not line.is_restocked or variant is None or not variant.is_tracked:
        return line
    level = (
        inventory.level_of(shop, variant.item_id, location_id)
        if location_id
        else inventory.first_stocked(shop, variant.item_id)
    )
    if level is not None:
        changes = [inventory.moved(level, "available", one.quantity)]
        if one.restock_type == "CANCEL" and one.line.is_stock_claimed:
            changes.append(inventory.moved(level, "committed", -one.quantity))
        inventory.record(shop, changes, reason="restock")
    return line


def add_transaction(shop: ShopState, order: Order, **values: Any) -> Transaction:
    """Write a transaction of an order and tell it."""
    transaction = Transaction(id=shop.next_id("OrderTransaction"), order_id=order.id, created_at=shop.now(), **values)
    shop.transactions[transaction.id] = transaction
    order.transactions.append(transaction)
    return transaction


def _pay_back(shop: ShopState, order: Order, refund: Refund, payback: Payback) -> None:
    """The transaction takes its parent's gateway whatever the caller said (recorded)."""
    outcome = shop.gateways.get(payback.parent.gateway, "SUCCESS")
    transaction = add_transaction(
        shop,
        order,
        kind="REFUND",
        status=outcome,
        gateway=payback.parent.gateway,
        amount=payback.amount,
        parent_id=payback.parent.id,
        refund_id=refund.id,
        error_code="GENERIC_ERROR" if outcome in ("FAILURE", "ERROR") else None,
        is_manual=payback.parent.is_manual,
    )
    refund.transaction_ids.append(transaction.id)
    tell_transaction(shop, transaction)


def _give_credit(shop: ShopState, order: Order, refund: Refund, credit: StoreCredit) -> None:
    credit_customer(
        shop,
        customer_id=order.customer_id or 0,
        currency=order.presentment_currency,
        amount=credit.amount.presentment,
        event="ORDER_REFUND",
        expires_at=credit.expires_at,
    )
    transaction = add_transaction(
        shop,
        order,
        kind="REFUND",
        status="SUCCESS",
        gateway=STORE_CREDIT_GATEWAY,
        amount=credit.amount,
        refund_id=refund.id,
    )
    refund.transaction_ids.append(transaction.id)
    tell_transaction(shop, transaction)


def settle_transaction(shop: ShopState, transaction: Transaction, status: str, error_code: str | None) -> None:
    """A gateway answers later: PENDING becomes SUCCESS or FAILURE, and both topics fire."""
    transaction.status, transaction.error_code = status, error_code
    tell_transaction(shop, transaction)
    tell_order(shop, shop.order_of(transaction))
