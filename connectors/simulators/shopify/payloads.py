"""Bodies of webhooks, REST style, and which topics a change fires (shopify.md section 13)."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.amounts import Bag, total
from connectors.simulators.shopify.records import Customer, Order, OrderLine, Refund, TaxLine, Transaction
from connectors.simulators.shopify.state import ShopState, gid


def two_places(amount: Decimal) -> str:
    """Money in a webhook body, unlike GraphQL's."""
    return f"{amount:.2f}"


def money_set(order: Order, bag: Bag) -> dict[str, Any]:
    """A price set."""
    return {
        "shop_money": {"amount": two_places(bag.shop), "currency_code": order.currency},
        "presentment_money": {"amount": two_places(bag.presentment), "currency_code": order.presentment_currency},
    }


def local(shop: ShopState, moment: datetime | None) -> str | None:
    """A moment in the shop's time zone with its offset."""
    return None if moment is None else moment.astimezone(ZoneInfo(shop.settings.timezone)).isoformat()


def _identity(kind: str, number: int) -> dict[str, Any]:
    return {"id": number, "admin_graphql_api_id": gid(kind, number)}


def order_body(shop: ShopState, order: Order) -> dict[str, Any]:
    """orders/create, orders/updated, orders/cancelled and their like."""
    customer = shop.customers.get(order.customer_id or 0)
    return {
        **_identity("Order", order.id),
        "name": order.name,
        "number": order.number - 1000,
        "order_number": order.number,
        "email": order.email or None,
        "created_at": local(shop, order.created_at),
        "updated_at": local(shop, order.updated_at),
        "processed_at": local(shop, order.processed_at),
        "cancelled_at": local(shop, order.cancelled_at),
        "closed_at": local(shop, order.closed_at),
        "currency": order.currency,
        "presentment_currency": order.presentment_currency,
        "taxes_included": order.is_tax_included,
        "financial_status": (pricing.financial_status(shop, order) or "pending").lower(),
        "fulfillment_status": _FULFILMENT.get(pricing.fulfilment_status(shop, order)),
        **_totals(shop, order),
        "tags": ", ".join(sorted(order.tags)),
        "note": order.note,
        "test": order.is_test,
        "source_name": order.source_name,
        "source_identifier": order.source_identifier,
        "customer": None if customer is None else {**_identity("Customer", customer.id), "email": customer.email},
        "line_items": [_line_body(shop, order, line) for line in order.lines],
        "shipping_lines": [
            {"id": line.id, "title": line.title, "price": two_places(line.price.shop), "is_removed": False}
            for line in order.shipping_lines
        ],
        "fulfillments": [{"id": one.id, "status": one.status.lower()} for one in order.fulfilments],
        "refunds": [refund_body(shop, refund) for refund in shop.refunds_of(order.id)],
        "returns": [{"id": one.id, "status": one.status.lower()} for one in shop.returns_of(order.id)],
        "payment_gateway_names": list(dict.fromkeys(t.gateway for t in order.transactions)),
    }


_FULFILMENT = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}


def _totals(shop: ShopState, order: Order) -> dict[str, Any]:
    named = {
        "subtotal_price": pricing.subtotal(order),
        "total_price": pricing.price_total(order),
        "total_tax": pricing.tax_total(order),
        "total_discounts": total(pricing.discounts_of(line) for line in order.lines),
        "current_subtotal_price": pricing.current_subtotal(shop, order),
        "current_total_price": pricing.current_total(shop, order),
        "current_total_tax": pricing.current_tax(shop, order),
    }
    plain = {name: two_places(bag.shop) for name, bag in named.items()}
    return plain | {f"{name}_set": money_set(order, bag) for name, bag in named.items()}


def _line_body(shop: ShopState, order: Order, line: OrderLine) -> dict[str, Any]:
    variant = shop.variants.get(line.variant_id or 0)
    return {
        **_identity("LineItem", line.id),
        "sku": line.sku or None,
        "title": line.title,
        "variant_id": line.variant_id,
        "product_id": None if variant is None else variant.product_id,
        "quantity": line.quantity,
        "current_quantity": pricing.current_quantity(shop, order, line),
        "fulfillable_quantity": pricing.unfulfilled_quantity(shop, order, line),
        "fulfillment_status": "fulfilled" if line.fulfilled >= line.quantity - line.removed else None,
        "price": two_places(line.unit_price.shop),
        "price_set": money_set(order, line.unit_price),
        "total_discount": two_places(pricing.discounts_of(line, "line").shop),
        "gift_card": line.is_gift_card,
        "requires_shipping": line.is_shipped,
        "taxable": line.is_taxable,
        "properties": [],
        "discount_allocations": [{"amount": two_places(d.amount.shop)} for d in line.discounts],
        "duties": [],
        "tax_lines": [_tax_body(tax) for tax in line.tax_lines],
    }


def _tax_body(tax: TaxLine) -> dict[str, Any]:
    return {"title": tax.title, "rate": float(tax.rate), "price": two_places(tax.price.shop)}


def refund_body(shop: ShopState, refund: Refund) -> dict[str, Any]:
    """refunds/create, and the same inside an order."""
    order = shop.orders[refund.order_id]
    return {
        **_identity("Refund", refund.id),
        "order_id": order.id,
        "created_at": local(shop, refund.created_at),
        "processed_at": local(shop, refund.created_at),
        "note": refund.note,
        "user_id": refund.staff_id,
        "restock": any(line.is_restocked for line in refund.lines),
        "return": None if refund.return_id is None else _identity("Return", refund.return_id),
        "duties": [],
        "order_adjustments": [
            {"id": one.id, "amount": two_places(one.amount.shop), "reason": one.reason.lower()}
            for one in refund.adjustments
        ],
        "refund_line_items": [_refund_line_body(shop, order, line) for line in refund.lines],
        "transactions": [transaction_body(shop, shop.transactions[one]) for one in refund.transaction_ids],
    }


def _refund_line_body(shop: ShopState, order: Order, line: Any) -> dict[str, Any]:
    own = shop.line(order, line.line_id)
    return {
        "id": line.id,
        "line_item_id": line.line_id,
        "quantity": line.quantity,
        "location_id": line.location_id,
        "restock_type": line.restock_type.lower(),
        "subtotal": float(line.subtotal.shop),
        "total_tax": float(line.tax.shop),
        "subtotal_set": money_set(order, line.subtotal),
        "total_tax_set": money_set(order, line.tax),
        "line_item": None if own is None else {"id": own.id, "sku": own.sku, "quantity": own.quantity},
    }


def transaction_body(shop: ShopState, transaction: Transaction) -> dict[str, Any]:
    """order_transactions/create, and the same inside a refund."""
    order = shop.order_of(transaction)
    return {
        **_identity("OrderTransaction", transaction.id),
        "order_id": order.id,
        "parent_id": transaction.parent_id,
        "kind": transaction.kind.lower(),
        "status": transaction.status.lower(),
        "gateway": transaction.gateway,
        "amount": two_places(transaction.amount.presentment),
        "currency": order.presentment_currency,
        "created_at": local(shop, transaction.created_at),
        "processed_at": local(shop, transaction.created_at),
        "error_code": None if transaction.error_code is None else transaction.error_code.lower(),
        "message": None,
        "receipt": {},
        "test": order.is_test,
    }


def customer_body(shop: ShopState, customer: Customer) -> dict[str, Any]:
    """customers/update."""
    return {
        **_identity("Customer", customer.id),
        "email": customer.email,
        "tags": ", ".join(customer.tags),
        "updated_at": local(shop, customer.updated_at),
    }


def tell_order(shop: ShopState, order: Order, *topics: str) -> None:
    """Save an order: updated_at moves and these topics fire; orders/updated does whatever changed."""
    order.updated_at = max(shop.now(), order.updated_at)
    event_id = str(uuid4())
    for topic in dict.fromkeys((*topics, *(() if "orders/create" in topics else ("orders/updated",)))):
        shop.emit(topic, order_body(shop, order), event_id)


def tell_refund(shop: ShopState, refund: Refund) -> None:
    """A refund record was made, by anyone, whether or not money moved."""
    shop.emit("refunds/create", refund_body(shop, refund), "")


def tell_transaction(shop: ShopState, transaction: Transaction) -> None:
    """A transaction was made or changed its status."""
    shop.emit("order_transactions/create", transaction_body(shop, transaction), "")


def tell_customer(shop: ShopState, customer: Customer) -> None:
    """A customer changed."""
    customer.updated_at = shop.now()
    shop.emit("customers/update", customer_body(shop, customer), "")


def tell_edit(
    shop: ShopState,
    order: Order,
    edit_id: int,
    added: dict[int, int],
    removed: dict[int, int],
    *,
    note: str = "",
    is_notified: bool = False,
) -> None:
    """orders/edited carries deltas and no order. How it names discounts and postage is not known: left empty."""
    body: dict[str, Any] = {
        "id": edit_id,
        "app_id": None,
        "order_id": order.id,
        "created_at": local(shop, shop.now()),
        "committed_at": local(shop, shop.now()),
        "notify_customer": is_notified,
        "staff_note": note,
        "user_id": None,
        "line_items": {
            "additions": [{"id": line, "delta": delta} for line, delta in added.items()],
            "removals": [{"id": line, "delta": delta} for line, delta in removed.items()],
        },
        "discounts": {"line_item": {"additions": [], "removals": []}},
        "shipping_lines": {"additions": [], "removals": []},
    }
    shop.emit("orders/edited", {"order_edit": body}, "")
