"""The fields of orders, their lines, postage, transactions and fulfilments."""

from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.amounts import NOTHING, Bag, money, money_bag, total
from connectors.simulators.shopify.marks import metafield_of, metafields_of
from connectors.simulators.shopify.paging import (
    Args,
    Field,
    Fields,
    attribute,
    global_id,
    legacy_id,
    listed,
    moment,
    paged,
)
from connectors.simulators.shopify.records import Fulfilment, FulfilmentLine, Order, OrderLine, TaxLine, Transaction
from connectors.simulators.shopify.state import ShopState, gid, stamp
from connectors.simulators.shopify.suggesting import suggested_refund


def shown(order: Order, bag: Bag) -> dict[str, Any]:
    """A MoneyBag of an order."""
    return money_bag(bag, order.currency, order.presentment_currency)


def shown_taxes(order: Order, taxes: list[TaxLine]) -> list[dict[str, Any]]:
    """TaxLines of an order."""
    return [{"title": tax.title, "rate": float(tax.rate), "priceSet": shown(order, tax.price)} for tax in taxes]


def _order_taxes(shop: ShopState, order: Order, args: Args) -> list[dict[str, Any]]:
    found: dict[tuple[str, Any], Bag] = {}
    of_lines = [tax for line in order.lines for tax in line.tax_lines]
    for tax in of_lines + [tax for line in order.shipping_lines for tax in line.tax_lines]:
        found[tax.title, tax.rate] = found.get((tax.title, tax.rate), NOTHING) + tax.price
    return shown_taxes(order, [TaxLine(title=title, rate=rate, price=bag) for (title, rate), bag in found.items()])


def _address(shop: ShopState, order: Order, args: Args) -> dict[str, Any] | None:
    given = order.shipping_address
    if given is None:
        return None
    names = ("firstName", "lastName", "company", "address1", "address2", "city", "zip", "provinceCode", "phone")
    found = {name: given.get(name) for name in names}
    return found | {"id": gid("MailingAddress", order.id), "countryCodeV2": given.get("countryCode")}


def _bag(of: Any) -> Field:
    return lambda shop, order, args: shown(order, of(shop, order))


ORDER: Fields = {
    "id": global_id("Order"),
    "legacyResourceId": legacy_id,
    "name": attribute("name"),
    "app": lambda shop, order, args: {"id": gid("App", 1), "name": order.app_name} if order.app_name else None,
    "cancelReason": attribute("cancel_reason"),
    "cancelledAt": moment("cancelled_at"),
    "closed": lambda shop, order, args: order.closed_at is not None,
    "closedAt": moment("closed_at"),
    "merchantEditable": lambda shop, order, args: order.cancelled_at is None,
    "confirmed": lambda shop, order, args: True,
    "createdAt": moment("created_at"),
    "processedAt": moment("processed_at"),
    "updatedAt": moment("updated_at"),
    "currencyCode": attribute("currency"),
    "presentmentCurrencyCode": attribute("presentment_currency"),
    "taxesIncluded": attribute("is_tax_included"),
    "test": attribute("is_test"),
    "edited": attribute("is_edited"),
    "email": attribute("email"),
    "note": attribute("note"),
    "tags": lambda shop, order, args: sorted(order.tags),
    "poNumber": attribute("po_number"),
    "sourceIdentifier": attribute("source_identifier"),
    "sourceName": attribute("source_name"),
    "customAttributes": lambda shop, order, args: [{"key": key, "value": value} for key, value in order.attributes],
    "customer": lambda shop, order, args: shop.customers.get(order.customer_id or 0),
    "shippingAddress": _address,
    "paymentGatewayNames": lambda shop, order, args: list(dict.fromkeys(t.gateway for t in order.transactions)),
    "displayFinancialStatus": lambda shop, order, args: pricing.financial_status(shop, order),
    "displayFulfillmentStatus": lambda shop, order, args: pricing.fulfilment_status(shop, order),
    "returnStatus": lambda shop, order, args: pricing.return_status(shop, order),
    "refundable": lambda shop, order, args: (
        pricing.net_payment(order).shop > 0 or any(pricing.current_quantity(shop, order, line) for line in order.lines)
    ),
    "restockable": lambda shop, order, args: any(pricing.current_quantity(shop, order, line) for line in order.lines),
    "originalTotalPriceSet": _bag(lambda shop, order: order.first_total),
    "subtotalPriceSet": _bag(lambda shop, order: pricing.subtotal(order)),
    "totalPriceSet": _bag(lambda shop, order: pricing.price_total(order)),
    "totalTaxSet": _bag(lambda shop, order: pricing.tax_total(order)),
    "totalDiscountsSet": _bag(lambda shop, order: total(pricing.discounts_of(line) for line in order.lines)),
    "totalShippingPriceSet": _bag(lambda shop, order: pricing.shipping_total(order)),
    "totalTipReceivedSet": _bag(lambda shop, order: order.tip),
    "currentSubtotalLineItemsQuantity": lambda shop, order, args: sum(
        pricing.current_quantity(shop, order, line) for line in order.lines
    ),
    "currentSubtotalPriceSet": _bag(pricing.current_subtotal),
    "currentTotalDiscountsSet": _bag(lambda shop, order: _current_discounts(shop, order)),
    "currentTotalTaxSet": _bag(pricing.current_tax),
    "currentShippingPriceSet": _bag(pricing.current_shipping),
    "currentTotalPriceSet": _bag(pricing.current_total),
    "currentTotalDutiesSet": lambda shop, order, args: (
        shown(order, pricing.current_duties(shop, order)) if any(line.duties for line in order.lines) else None
    ),
    "dutiesIncluded": lambda shop, order, args: False,
    "currentTaxLines": lambda shop, order, args: shown_taxes(order, pricing.current_tax_lines(shop, order)),
    "taxLines": _order_taxes,
    "totalReceivedSet": _bag(lambda shop, order: pricing.received(order)),
    "totalRefundedSet": _bag(lambda shop, order: pricing.refunded(order)),
    "totalRefundedShippingSet": _bag(pricing.refunded_shipping),
    "totalOutstandingSet": _bag(pricing.outstanding),
    "netPaymentSet": _bag(lambda shop, order: pricing.net_payment(order)),
    "refundDiscrepancySet": _bag(pricing.discrepancy),
    "shippingLines": paged(lambda shop, order: order.shipping_lines),
    "lineItems": paged(lambda shop, order: order.lines),
    "fulfillments": listed(lambda shop, order: order.fulfilments),
    "transactions": listed(lambda shop, order: order.transactions),
    "transactionsCount": lambda shop, order, args: {"count": len(order.transactions)},
    "refunds": listed(lambda shop, order: shop.refunds_of(order.id)),
    "returns": paged(lambda shop, order: shop.returns_of(order.id)),
    "metafield": metafield_of("Order"),
    "metafields": metafields_of("Order"),
    "suggestedRefund": suggested_refund,
}


def _current_discounts(shop: ShopState, order: Order) -> Bag:
    return total(
        pricing.discounts_of(line).part(pricing.current_quantity(shop, order, line), line.quantity)
        for line in order.lines
    )


def _line_bag(of: Any) -> Field:
    def answer(shop: ShopState, line: OrderLine, args: Args) -> dict[str, Any]:
        order = shop.order_of(line)
        return shown(order, of(shop, order, line, args))

    return answer


def _discounted_total(shop: ShopState, order: Order, line: OrderLine, args: Args) -> Bag:
    kinds = ("line", "code") if args.get("withCodeDiscounts") else ("line",)
    return pricing.line_total(line, *kinds)


def _before_taxes(shop: ShopState, order: Order, line: OrderLine, args: Args) -> Bag:
    return pricing.without_tax(order, line, pricing.current_quantity(shop, order, line))


DUTY: Fields = {
    "id": global_id("Duty"),
    "price": lambda shop, duty, args: shown(shop.orders[duty.order_id], duty.price),
    "taxLines": lambda shop, duty, args: [],
}

LINE_ITEM: Fields = {
    "duties": attribute("duties"),
    "id": global_id("LineItem"),
    "sku": attribute("sku"),
    "title": attribute("title"),
    "variantTitle": attribute("variant_title"),
    "vendor": lambda shop, line, args: None,
    "quantity": attribute("quantity"),
    "currentQuantity": lambda shop, line, args: pricing.current_quantity(shop, shop.order_of(line), line),
    "refundableQuantity": lambda shop, line, args: pricing.current_quantity(shop, shop.order_of(line), line),
    "unfulfilledQuantity": lambda shop, line, args: pricing.unfulfilled_quantity(shop, shop.order_of(line), line),
    "nonFulfillableQuantity": lambda shop, line, args: (
        line.quantity - pricing.unfulfilled_quantity(shop, shop.order_of(line), line)
    ),
    "isGiftCard": attribute("is_gift_card"),
    "taxable": attribute("is_taxable"),
    "requiresShipping": attribute("is_shipped"),
    "restockable": lambda shop, line, args: line.variant_id in shop.variants,
    "variant": lambda shop, line, args: shop.variants.get(line.variant_id),
    "product": lambda shop, line, args: (
        shop.products.get(shop.variants[line.variant_id].product_id) if line.variant_id in shop.variants else None
    ),
    "originalUnitPriceSet": _line_bag(lambda shop, order, line, args: line.unit_price),
    "originalTotalSet": _line_bag(lambda shop, order, line, args: line.unit_price.times(line.quantity)),
    "discountedUnitPriceSet": _line_bag(
        lambda shop, order, line, args: pricing.line_total(line, "line").part(1, line.quantity)
    ),
    "discountedUnitPriceAfterAllDiscountsSet": _line_bag(
        lambda shop, order, line, args: pricing.line_total(line).part(1, line.quantity)
    ),
    "discountedTotalSet": _line_bag(_discounted_total),
    "priceAfterAllDiscountsBeforeTaxesSet": _line_bag(_before_taxes),
    "discountAllocations": lambda shop, line, args: [
        {"allocatedAmountSet": shown(shop.order_of(line), discount.amount)} for discount in line.discounts
    ],
    "taxLines": lambda shop, line, args: shown_taxes(shop.order_of(line), line.tax_lines),
}


SHIPPING_LINE: Fields = {
    "id": global_id("ShippingLine"),
    "title": attribute("title"),
    "originalPriceSet": lambda shop, line, args: shown(shop.order_of(line), line.price),
    "discountedPriceSet": lambda shop, line, args: shown(shop.order_of(line), line.price),
    "currentDiscountedPriceSet": lambda shop, line, args: shown(
        shop.order_of(line), pricing.current_shipping(shop, shop.order_of(line))
    ),
    "taxLines": lambda shop, line, args: shown_taxes(shop.order_of(line), line.tax_lines),
}


def _maximum(shop: ShopState, transaction: Transaction, args: Args) -> dict[str, Any] | None:
    order = shop.order_of(transaction)
    if transaction.kind not in pricing.RECEIVING or transaction.status != "SUCCESS":
        return None
    return money(pricing.maximum_refundable(order, transaction).shop, order.currency)


TRANSACTION: Fields = {
    "id": global_id("OrderTransaction"),
    "kind": attribute("kind"),
    "status": attribute("status"),
    "gateway": attribute("gateway"),
    "manualPaymentGateway": attribute("is_manual"),
    "createdAt": moment("created_at"),
    "processedAt": moment("created_at"),
    "errorCode": attribute("error_code"),
    "amountSet": lambda shop, transaction, args: shown(shop.order_of(transaction), transaction.amount),
    "maximumRefundableV2": _maximum,
    "parentTransaction": lambda shop, transaction, args: shop.transactions.get(transaction.parent_id or 0),
}


def _tracking(shop: ShopState, fulfilment: Fulfilment, args: Args) -> list[dict[str, Any]]:
    if not fulfilment.tracking_number:
        return []
    shown = [{"number": fulfilment.tracking_number, "company": fulfilment.tracking_company or None, "url": None}]
    return shown[: args.get("first")]


def _sent_line(shop: ShopState, line: FulfilmentLine, args: Args) -> OrderLine | None:
    return shop.line(shop.order_of(line), line.line_id)


FULFILMENT: Fields = {
    "id": global_id("Fulfillment"),
    "status": attribute("status"),
    "displayStatus": lambda shop, fulfilment, args: "FULFILLED" if fulfilment.status == "SUCCESS" else "CANCELED",
    "createdAt": moment("created_at"),
    "updatedAt": lambda shop, fulfilment, args: stamp(fulfilment.created_at),
    "location": lambda shop, fulfilment, args: shop.locations.get(fulfilment.location_id),
    "order": lambda shop, fulfilment, args: shop.orders[fulfilment.order_id],
    "trackingInfo": _tracking,
    "fulfillmentLineItems": paged(lambda shop, fulfilment: fulfilment.lines),
}

FULFILMENT_LINE: Fields = {
    "id": global_id("FulfillmentLineItem"),
    "quantity": attribute("quantity"),
    "lineItem": _sent_line,
}
