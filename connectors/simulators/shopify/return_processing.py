"""returnProcess, and what Shopify suggests for it (shopify.md section 8.1)."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.after_sales_records import Return, ReturnLine
from connectors.simulators.shopify.amounts import NOTHING, Bag, cents, money_bag, total
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.payloads import tell_order
from connectors.simulators.shopify.records import Order, OrderLine
from connectors.simulators.shopify.refunding import Payback, Plan, StoreCredit, check_net_payment, make_refund, share_of
from connectors.simulators.shopify.refusals import Refused
from connectors.simulators.shopify.return_mutations import found_return
from connectors.simulators.shopify.return_payloads import tell_return
from connectors.simulators.shopify.reverse_logistics import apply_dispositions, check_dispositions
from connectors.simulators.shopify.state import ShopState, number_of
from connectors.simulators.shopify.suggesting import (
    Wanted,
    shipping_tax_part,
    split_over_tenders,
    subtotal_of,
    suggested_transaction,
    tax_of,
    worth,
)


def return_process(shop: ShopState, args: Args) -> dict[str, Any]:
    """The mutation: lines are processed, money may move, the return stays OPEN (recorded)."""
    given = args["input"]
    found = found_return(shop, given["returnId"], ["input", "returnId"])
    if found.status != "OPEN":
        raise Refused(["input", "returnId"], "Return status is invalid.", "INVALID_STATE")
    order = shop.orders[found.order_id]
    lines = _lines(found, given.get("returnLineItems") or [])
    dispositions = [d for one in given.get("returnLineItems") or [] for d in one.get("dispositions") or []]
    check_dispositions(shop, dispositions, ["input", "returnLineItems"])
    plan = _money(shop, order, found, given, lines)
    for line, quantity in lines:
        line.processed += quantity
    apply_dispositions(shop, dispositions)
    _exchange(shop, order, found, given.get("exchangeLineItems") or [])
    if plan is not None:
        make_refund(shop, plan)
        for line, quantity in lines:
            line.refunded += quantity
    tell_return(shop, found, "returns/process")
    tell_order(shop, order)
    return {"return": found}


def _lines(found: Return, given: Sequence[Args]) -> list[tuple[ReturnLine, int]]:
    by_id = {line.id: line for line in found.lines}
    wanted = []
    for index, one in enumerate(given):
        line = by_id.get(number_of("ReturnLineItem", one["id"]))
        path = ["input", "returnLineItems", str(index)]
        if line is None:
            raise Refused([*path, "id"], "Return line item not found.", "NOT_FOUND")
        if not 0 < one["quantity"] <= line.quantity - line.processed:
            raise Refused([*path, "quantity"], "Quantity is greater than the processable quantity.", "INVALID")
        wanted.append((line, one["quantity"]))
    return wanted


def _money(
    shop: ShopState, order: Order, found: Return, given: Args, lines: Sequence[tuple[ReturnLine, int]]
) -> Plan | None:
    """The refund that goes with it; without financial transfer none is made."""
    refund = (given.get("financialTransfer") or {}).get("issueRefund")
    if refund is None:
        return None
    plan = Plan(
        order=order,
        note=given.get("note") or "",
        wanted=_wanted(shop, order, lines),
        shipping=_shipping(shop, order, given.get("refundShipping")),
        return_id=found.id,
    )
    for one in refund["orderTransactions"]:
        parent = shop.transactions.get(number_of("OrderTransaction", one["parentId"]))
        if parent is None or parent.order_id != order.id:
            raise Refused(["input", "financialTransfer"], "Parent transaction not found.", "NOT_FOUND")
        plan.paybacks.append(
            Payback(parent=parent, amount=share_of(parent, Decimal(one["transactionAmount"]["amount"])))
        )
    for method in refund.get("refundMethods") or []:
        amount = Decimal(method["storeCreditRefund"]["amount"]["amount"])
        plan.credits.append(StoreCredit(amount=Bag(shop=cents(amount / order.rate), presentment=amount)))
    check_net_payment(order, plan)
    return plan


def _wanted(shop: ShopState, order: Order, lines: Sequence[tuple[ReturnLine, int]]) -> list[Wanted]:
    found = ((shop.line(order, line.line_id), quantity) for line, quantity in lines)
    return [Wanted(line=line, quantity=quantity, restock_type="NO_RESTOCK") for line, quantity in found if line]


def _shipping(shop: ShopState, order: Order, given: Args | None) -> Bag:
    if not given:
        return NOTHING
    if given.get("fullRefund"):
        return pricing.current_shipping(shop, order)
    money = given.get("shippingRefundAmount")
    amount = Decimal(money["amount"]) if money else Decimal(0)
    return Bag(shop=cents(amount / order.rate), presentment=amount)


def _exchange(shop: ShopState, order: Order, found: Return, given: Sequence[Args]) -> None:
    """Processed exchange lines become lines of the same order, at no price."""
    by_id = {line.id: line for line in found.exchange_lines}
    for one in given:
        wanted = by_id.get(number_of("ExchangeLineItem", one["id"]))
        if wanted is None:
            continue
        variant = shop.variants[wanted.variant_id]
        line = OrderLine(
            id=shop.next_id("LineItem"),
            order_id=order.id,
            title=shop.products[variant.product_id].title,
            variant_title=variant.title,
            sku=variant.sku,
            quantity=one["quantity"],
            unit_price=NOTHING,
            variant_id=variant.id,
            is_exchange=True,
        )
        order.lines.append(line)
        wanted.processed += one["quantity"]
        wanted.line_ids.append(line.id)


def suggested_outcome(shop: ShopState, found: Return, args: Args) -> dict[str, Any]:
    """Return.suggestedFinancialOutcome for these lines."""
    order = shop.orders[found.order_id]
    wanted = [replace(one) for one in _wanted(shop, order, _lines(found, args["returnLineItems"]))]
    left = pricing.net_payment(order)
    amount = (worth(order, wanted) + shipping_tax_part(order, NOTHING)).at_most(left)

    def bag(value: Bag) -> dict[str, Any]:
        return money_bag(value, order.currency, order.presentment_currency)

    transfer = {
        "__typename": "RefundReturnOutcome",
        "amount": bag(amount),
        "suggestedTransactions": [
            suggested_transaction(order, parent, share) for parent, share in split_over_tenders(order, amount)
        ],
    }
    return {
        "discountedSubtotal": bag(total(subtotal_of(one) for one in wanted)),
        "totalTax": bag(total(tax_of(one) for one in wanted)),
        "maximumRefundable": bag(left),
        "financialTransfer": transfer if amount != NOTHING else None,
    }
