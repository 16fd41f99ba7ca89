"""Orders as OrderFinalState answers them, built from what differs."""

from typing import Any

Json = dict[str, Any]
ORDER_ID = "gid://shopify/Order/1001"


def bag(amount: str, currency: str = "GBP") -> Json:
    """A MoneyBag; the shop's own currency is another one, so that nobody reads it by mistake."""
    shop = {"amount": "9999.0", "currencyCode": "EUR"}
    return {"presentmentMoney": {"amount": amount, "currencyCode": currency}, "shopMoney": shop}


def vat(amount: str, rate: str = "0.2", title: str = "VAT") -> Json:
    """A TaxLine."""
    return {"title": title, "rate": rate, "priceSet": bag(amount)}


def line(number: int, price: str, **changes: Any) -> Json:
    """A line of one unit; ``price`` is what stands of it, after discounts and before tax."""
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "sku": f"SKU-{number}",
        "title": f"Article {number}",
        "variantTitle": None,
        "quantity": 1,
        "currentQuantity": 1,
        "unfulfilledQuantity": 0,
        "isGiftCard": False,
        "product": {"id": f"gid://shopify/Product/{number}"},
        "variant": {"id": f"gid://shopify/ProductVariant/{number}", "sku": f"SKU-{number}"},
        "priceAfterAllDiscountsBeforeTaxesSet": bag(price),
        "taxLines": [],
        "duties": [],
    } | changes


def postage(price: str, *taxes: Json, now: str | None = None) -> Json:
    """A ShippingLine."""
    return {
        "id": "gid://shopify/ShippingLine/91",
        "title": "Standard",
        "discountedPriceSet": bag(price),
        "currentDiscountedPriceSet": bag(price if now is None else now),
        "taxLines": list(taxes),
    }


def movement(number: int, kind: str, amount: str, *, parent: int = 0, **changes: Any) -> Json:
    """An OrderTransaction."""
    return {
        "id": f"gid://shopify/OrderTransaction/{number}",
        "kind": kind,
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "manualPaymentGateway": False,
        "processedAt": "2026-11-01T10:00:00Z",
        "amountSet": bag(amount),
        "parentTransaction": {"id": f"gid://shopify/OrderTransaction/{parent}"} if parent else None,
    } | changes


def refund(number: int, *movements: Json, lines: list[Json] | None = None, **changes: Any) -> Json:
    """A Refund."""
    return {
        "id": f"gid://shopify/Refund/{number}",
        "note": None,
        "createdAt": "2026-11-05T09:00:00Z",
        "return": None,
        "refundLineItems": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": lines or []},
        "refundShippingLines": {"nodes": []},
        "duties": [],
        "transactions": {"nodes": list(movements)},
    } | changes


def refunded_line(number: int, quantity: int, subtotal: str, tax: str = "0.0") -> Json:
    """A RefundLineItem."""
    return {
        "id": f"gid://shopify/RefundLineItem/6{number}",
        "quantity": quantity,
        "restockType": "NO_RESTOCK",
        "lineItem": {"id": f"gid://shopify/LineItem/{number}"},
        "subtotalSet": bag(subtotal),
        "totalTaxSet": bag(tax),
    }


def order(*lines: Json, **changes: Any) -> Json:
    """A paid order that was sent, prices without tax."""
    return {
        "id": ORDER_ID,
        "legacyResourceId": "1001",
        "name": "#1001",
        "edited": False,
        "cancelledAt": None,
        "createdAt": "2026-11-01T10:00:05Z",
        "processedAt": "2026-11-01T10:00:00Z",
        "updatedAt": "2026-11-06T10:00:00Z",
        "currencyCode": "EUR",
        "presentmentCurrencyCode": "GBP",
        "taxesIncluded": False,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "returnStatus": "NO_RETURN",
        "email": "shopper@example.com",
        "tags": [],
        "sourceName": "web",
        "customer": {"id": "gid://shopify/Customer/5", "defaultEmailAddress": {"emailAddress": "x@example.com"}},
        "currentSubtotalPriceSet": bag("0.0"),
        "currentTotalTaxSet": bag("0.0"),
        "totalReceivedSet": bag("100.0"),
        "totalOutstandingSet": bag("0.0"),
        "totalTipReceivedSet": bag("0.0"),
        "shippingLines": {"nodes": []},
        "lineItems": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": list(lines)},
        "transactions": [movement(21, "SALE", "100.0")],
        "refunds": [],
        "returns": {"nodes": []},
    } | changes
