"""What Shopify itself would refund for given lines: suggestedRefund (shopify.md section 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.amounts import NOTHING, Bag, money_bag, total
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.records import Order, OrderLine, Transaction
from connectors.simulators.shopify.state import ShopState, number_of


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Units of one line to be refunded."""

    line: OrderLine
    quantity: int
    restock_type: str


def subtotal_of(wanted: Wanted) -> Bag:
    """Their price after all discounts."""
    return pricing.discounted_for(wanted.line, wanted.quantity)


def tax_of(wanted: Wanted) -> Bag:
    """Their tax."""
    return pricing.line_tax(wanted.line).part(wanted.quantity, wanted.line.quantity)


def worth(order: Order, wanted: Sequence[Wanted]) -> Bag:
    """What these units cost the customer, tax included."""
    tax = NOTHING if order.is_tax_included else total(tax_of(one) for one in wanted)
    return total(subtotal_of(one) for one in wanted) + tax


def shipping_tax_part(order: Order, amount: Bag) -> Bag:
    """The tax inside or on top of this much postage."""
    whole = pricing.shipping_total(order)
    return pricing.shipping_tax(order).times(amount.shop / whole.shop) if whole.shop else NOTHING


def split_over_tenders(order: Order, amount: Bag) -> list[tuple[Transaction, Bag]]:
    """The amount over the payments, in their order, each up to what may go back to it."""
    left, found = amount, []
    for parent in order.transactions:
        if parent.kind not in pricing.RECEIVING or parent.status != "SUCCESS":
            continue
        share = left.at_most(pricing.maximum_refundable(order, parent))
        if share.presentment > 0:
            found.append((parent, share))
            left -= share
    return found


def wanted_lines(order: Order, given: Sequence[Args]) -> list[Wanted]:
    """The lines of a question that the order has."""
    by_id = {line.id: line for line in order.lines}
    return [
        Wanted(line=line, quantity=one["quantity"], restock_type=one.get("restockType") or "NO_RESTOCK")
        for one in given
        if (line := by_id.get(number_of("LineItem", one["lineItemId"]))) is not None
    ]


def suggested_refund(shop: ShopState, order: Order, args: Args) -> dict[str, Any]:
    """Order.suggestedRefund: lines and postage as asked, capped by what is left of the payments."""

    def bag(amount: Bag) -> dict[str, Any]:
        return money_bag(amount, order.currency, order.presentment_currency)

    wanted = wanted_lines(order, args.get("refundLineItems") or [])
    given = Decimal(args.get("shippingAmount") or 0)
    shipping = Bag(shop=given / order.rate, presentment=given).times(1)
    on_top = NOTHING if order.is_tax_included else shipping_tax_part(order, shipping)
    left = pricing.net_payment(order)
    amount = (worth(order, wanted) + shipping + on_top).at_most(left)
    tenders = split_over_tenders(order, amount)
    is_credit = args.get("refundMethodAllocation") == "STORE_CREDIT"
    return {
        "amountSet": bag(amount),
        "maximumRefundableSet": bag(left),
        "subtotalSet": bag(total(subtotal_of(one) for one in wanted)),
        "discountedSubtotalSet": bag(total(subtotal_of(one) for one in wanted)),
        "totalCartDiscountAmountSet": bag(
            total(pricing.discounts_of(one.line, "order").part(one.quantity, one.line.quantity) for one in wanted)
        ),
        "totalTaxSet": bag(total(tax_of(one) for one in wanted) + shipping_tax_part(order, shipping)),
        "totalDutiesSet": bag(NOTHING),
        "shipping": {
            "amountSet": bag(shipping),
            "maximumRefundableSet": bag(pricing.current_shipping(shop, order)),
        },
        "refundLineItems": [_shown_line(one, bag) for one in wanted],
        "suggestedTransactions": [] if is_credit else [suggested_transaction(order, *tender) for tender in tenders],
        "suggestedRefundMethods": [_credit_method(amount, left, bag)] if is_credit else [],
    }


def suggested_transaction(order: Order, parent: Transaction, share: Bag) -> dict[str, Any]:
    """A SuggestedOrderTransaction."""
    limit = pricing.maximum_refundable(order, parent)
    return {
        "kind": "SUGGESTED_REFUND",
        "gateway": parent.gateway,
        "parentTransaction": parent,
        "amountSet": money_bag(share, order.currency, order.presentment_currency),
        "maximumRefundableSet": money_bag(limit, order.currency, order.presentment_currency),
    }


def _credit_method(amount: Bag, left: Bag, bag: Any) -> dict[str, Any]:
    return {
        "__typename": "SuggestedStoreCreditRefund",
        "amount": bag(amount),
        "maximumRefundable": bag(left),
        "expiresAt": None,
    }


def _shown_line(one: Wanted, bag: Any) -> dict[str, Any]:
    return {
        "id": None,
        "lineItem": one.line,
        "quantity": one.quantity,
        "restockType": one.restock_type,
        "restocked": False,
        "location": None,
        "subtotalSet": bag(subtotal_of(one)),
        "totalTaxSet": bag(tax_of(one)),
    }
