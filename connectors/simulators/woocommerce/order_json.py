"""Orders, refunds and notes as the REST API v3 shows them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.simulators.woocommerce import stock
from connectors.simulators.woocommerce.order_writing import needs_payment, needs_processing
from connectors.simulators.woocommerce.pricing import (
    ZERO,
    item_subtotal_tax,
    item_tax,
    quantised,
    tax_by_rate,
    totals_of,
)
from connectors.simulators.woocommerce.product_json import shown_sku
from connectors.simulators.woocommerce.records import CouponLine, Item, ItemTax, Meta, Note, Order, Refund
from connectors.simulators.woocommerce.state import VERSION, ShopState
from connectors.simulators.woocommerce.wire import gmt, json_price, links, local, money

Show = Callable[[Decimal], str]
ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def order_json(shop: ShopState, order: Order, *, base: str, decimals: int | None = None) -> dict[str, Any]:
    """One order. `base` is the URL of the API; `decimals` the `dp` argument."""
    shown = shop.decimals if decimals is None else decimals

    def show(amount: Decimal) -> str:
        return money(amount, shown)

    home = base.removesuffix("/wp-json/wc/v3")
    pay = f"{home}/checkout/order-pay/{order.id}/?pay_for_order=true&key={order.order_key}"
    return {
        "id": order.id,
        "parent_id": order.parent_id,
        "status": order.status,
        "currency": order.currency,
        "version": VERSION,
        "prices_include_tax": order.is_tax_included,
        "date_created": local(order.created_at, shop.zone),
        "date_modified": local(order.modified_at, shop.zone),
        **_totals(shop, order, show),
        **_people(order),
        "created_via": order.created_via,
        "customer_note": order.customer_note,
        "date_completed": local(order.completed_at, shop.zone),
        "date_paid": local(order.paid_at, shop.zone),
        "cart_hash": "",
        "number": str(order.id),
        "meta_data": [_plain_meta(meta) for meta in order.meta],
        **_items(shop, order, show),
        "coupon_lines": [_coupon_line(shop, order, coupon) for coupon in order.coupons],
        "refunds": [_summary(shop, refund, show) for refund in shop.refunds_of(order.id)],
        "payment_url": pay,
        "is_editable": order.status in ("pending", "on-hold", "auto-draft"),
        "needs_payment": needs_payment(shop, order),
        "needs_processing": needs_processing(shop, order),
        "date_created_gmt": gmt(order.created_at),
        "date_modified_gmt": gmt(order.modified_at),
        "date_completed_gmt": gmt(order.completed_at),
        "date_paid_gmt": gmt(order.paid_at),
        "currency_symbol": shop.settings.currency_symbol,
        "_links": _order_links(base, order),
    }


def _order_links(base: str, order: Order) -> dict[str, Any]:
    up = f"orders/{order.parent_id}" if order.parent_id else ""
    found = links(base, f"orders/{order.id}", allow=ALL_METHODS, collection="orders", up=up)
    templates = {"embeddable": True, "href": f"{base}/orders/{order.id}/actions/email_templates"}
    return found | {"email_templates": [templates]}


def _people(order: Order) -> dict[str, Any]:
    return {
        "customer_id": order.customer_id,
        "order_key": order.order_key,
        "billing": dict(order.billing),
        "shipping": dict(order.shipping),
        "payment_method": order.payment_method,
        "payment_method_title": order.payment_method_title,
        "transaction_id": order.transaction_id,
        "customer_ip_address": "",
        "customer_user_agent": "",
    }


def _totals(shop: ShopState, order: Order, show: Show) -> dict[str, str]:
    totals = totals_of(order, shop.decimals)
    return {
        "discount_total": show(totals.discount),
        "discount_tax": show(totals.discount_tax),
        "shipping_total": show(totals.shipping),
        "shipping_tax": show(totals.shipping_tax),
        "cart_tax": show(totals.cart_tax),
        "total": show(totals.total),
        "total_tax": show(totals.total_tax),
    }


def _items(shop: ShopState, owner: Order | Refund, show: Show) -> dict[str, Any]:
    return {
        "line_items": [_line(shop, item, show) for item in owner.of_kind("line")],
        "tax_lines": _tax_lines(shop, owner, show),
        "shipping_lines": [_shipping_line(shop, item, show) for item in owner.of_kind("shipping")],
        "fee_lines": [_fee_line(shop, item, show) for item in owner.of_kind("fee")],
    }


def _line(shop: ShopState, item: Item, show: Show) -> dict[str, Any]:
    product = stock.product_of(shop, item)
    parent = shop.products.get(product.parent_id) if product else None
    is_simple = product is not None and parent is None
    return {
        "id": item.id,
        "name": item.name,
        "product_id": item.product_id,
        "variation_id": item.variation_id,
        "quantity": item.quantity,
        "tax_class": item.tax_class,
        "subtotal": show(item.subtotal),
        "subtotal_tax": show(item_subtotal_tax(item, shop.decimals)),
        "total": show(item.total),
        "total_tax": show(item_tax(item, shop.decimals)),
        "taxes": [_item_tax(rate_id, tax, show) for rate_id, tax in item.taxes.items()],
        "meta_data": [_item_meta(meta) for meta in item.meta],
        "sku": shown_sku(shop, product) if product else None,
        "global_unique_id": "" if product else None,
        "price": json_price(item.total, item.quantity),
        "image": {"id": "" if is_simple else 0, "src": ""},
        "parent_name": parent.name if parent else None,
    }


def _shipping_line(shop: ShopState, item: Item, show: Show) -> dict[str, Any]:
    return {
        "id": item.id,
        "method_title": item.name,
        "method_id": item.method_id,
        "instance_id": "",
        "total": show(item.total),
        "total_tax": show(item_tax(item, shop.decimals)),
        "taxes": [_item_tax(rate_id, tax, show) for rate_id, tax in item.taxes.items()],
        "tax_status": item.tax_status,
        "meta_data": [_item_meta(meta) for meta in item.meta],
    }


def _fee_line(shop: ShopState, item: Item, show: Show) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "tax_class": item.tax_class,
        "tax_status": item.tax_status,
        "amount": "",
        "total": show(item.total),
        "total_tax": show(item_tax(item, shop.decimals)),
        "taxes": [_item_tax(rate_id, tax, show) for rate_id, tax in item.taxes.items()],
        "meta_data": [_item_meta(meta) for meta in item.meta],
    }


def _item_tax(rate_id: int, tax: ItemTax, show: Show) -> dict[str, Any]:
    return {"id": rate_id, "total": show(tax.total), "subtotal": "" if tax.subtotal is None else show(tax.subtotal)}


def _tax_lines(shop: ShopState, owner: Order | Refund, show: Show) -> list[dict[str, Any]]:
    found = []
    for rate_id, (cart, shipping) in tax_by_rate(owner.items, shop.decimals).items():
        rate = shop.tax_rates.get(rate_id)
        found.append(
            {
                "id": owner.tax_line_ids.get(rate_id, 0),
                "rate_code": rate.code if rate else "",
                "rate_id": rate_id,
                "label": rate.name if rate else "VAT",
                "compound": False,
                "tax_total": show(cart),
                "shipping_tax_total": show(shipping),
                "rate_percent": _number(rate.rate) if rate else 0,
                "meta_data": [],
            }
        )
    return found


def _coupon_line(shop: ShopState, order: Order, coupon: CouponLine) -> dict[str, Any]:
    totals = totals_of(order, shop.decimals)
    return {
        "id": coupon.id,
        "code": coupon.code,
        "discount": money(totals.discount, shop.decimals),
        "discount_tax": money(totals.discount_tax, shop.decimals),
        "meta_data": [_item_meta(meta) for meta in coupon.meta],
        "discount_type": coupon.discount_type,
        "nominal_amount": _number(coupon.nominal_amount),
        "free_shipping": False,
    }


def _summary(shop: ShopState, refund: Refund, show: Show) -> dict[str, Any]:
    """The entry in `order.refunds`: a minus before the amount, even where that is empty or nought (section 4.8)."""
    tax = sum((item_tax(item, shop.decimals) for item in refund.items), ZERO)
    shown = "" if refund.amount is None else show(refund.amount)
    return {"id": refund.id, "reason": refund.reason, "total": f"-{shown}", "total_tax": show(tax)}


def refund_json(shop: ShopState, refund: Refund, *, base: str, has_parent: bool = False) -> dict[str, Any]:
    """One refund; `GET /refunds` adds parent_id."""

    def show(amount: Decimal) -> str:
        return money(amount, shop.decimals)

    path = f"orders/{refund.order_id}/refunds"
    return {
        "id": refund.id,
        **({"parent_id": refund.order_id} if has_parent else {}),
        "date_created": local(refund.created_at, shop.zone),
        "date_created_gmt": gmt(refund.created_at),
        "amount": "" if refund.amount is None else show(quantised(refund.amount, shop.decimals)),
        "reason": refund.reason,
        "refunded_by": refund.refunded_by,
        "refunded_payment": refund.is_payment_refunded,
        "meta_data": [_plain_meta(meta) for meta in refund.meta],
        **_items(shop, refund, show),
        "_links": links(
            base,
            f"{path}/{refund.id}",
            allow=["GET", "DELETE"],
            collection=path,
            up=f"orders/{refund.order_id}",
        ),
    }


def note_json(shop: ShopState, note: Note, *, base: str) -> dict[str, Any]:
    """One order note."""
    path = f"orders/{note.order_id}/notes"
    return {
        "id": note.id,
        "author": note.author,
        "date_created": local(note.created_at, shop.zone),
        "date_created_gmt": gmt(note.created_at),
        "note": note.text,
        "customer_note": note.is_for_customer,
        "_links": links(
            base, f"{path}/{note.id}", allow=["GET", "DELETE"], collection=path, up=f"orders/{note.order_id}"
        ),
    }


def _plain_meta(meta: Meta) -> dict[str, Any]:
    return {"id": meta.id, "key": meta.key, "value": meta.value}


def _item_meta(meta: Meta) -> dict[str, Any]:
    shown = {"display_key": meta.display_key or meta.key, "display_value": meta.value}
    return _plain_meta(meta) | shown


def _number(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() else float(value)
