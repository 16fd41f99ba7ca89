"""Draft orders: made, and completed into an order that takes stock (shopify.md section 11)."""

from decimal import Decimal
from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.after_sales_records import Draft
from connectors.simulators.shopify.amounts import NOTHING, Bag, converted, total
from connectors.simulators.shopify.order_writing import claim, finish, new_order
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.records import Discount, Order, OrderLine
from connectors.simulators.shopify.refunding import add_transaction
from connectors.simulators.shopify.refusals import Refused
from connectors.simulators.shopify.state import ShopState, number_of


def draft_create(shop: ShopState, args: Args) -> dict[str, Any]:
    """draftOrderCreate."""
    given = args["input"]
    lines = given.get("lineItems") or []
    if not lines:
        raise Refused(None, "Add at least 1 product")
    draft = Draft(
        id=shop.next_id("DraftOrder"),
        name="",
        given=dict(given),
        total=total(_price(shop, one) for one in lines),
        currency=given.get("presentmentCurrencyCode") or shop.settings.currency,
        updated_at=shop.now(),
        tags=list(given.get("tags") or []),
    )
    draft.name = f"#D{draft.id}"
    shop.drafts[draft.id] = draft
    return {"draftOrder": draft}


def _unit(shop: ShopState, given: Args) -> Decimal:
    money = given.get("originalUnitPriceWithCurrency")
    if money:
        return Decimal(money["amount"])
    variant = shop.variants.get(number_of("ProductVariant", given.get("variantId")))
    return Decimal(0) if variant is None else variant.price


def _discount(given: Args, whole: Decimal) -> Decimal:
    discount = given.get("appliedDiscount")
    if not discount:
        return Decimal(0)
    value = Decimal(str(discount["value"]))
    return min(whole, whole * value / 100 if discount["valueType"] == "PERCENTAGE" else value)


def _price(shop: ShopState, given: Args) -> Bag:
    whole = _unit(shop, given) * given["quantity"]
    return converted(whole - _discount(given, whole), Decimal(1))


def draft_complete(shop: ShopState, args: Args) -> dict[str, Any]:
    """draftOrderComplete; a completed draft is given back with an error that says it is paid (recorded)."""
    draft = shop.drafts.get(number_of("DraftOrder", args["id"]))
    if draft is None:
        raise Refused(["id"], "Draft order does not exist")
    if draft.completed_at is not None:
        raise Refused(None, "This order has been paid", payload={"draftOrder": draft})
    order = _order_from(shop, draft)
    draft.completed_at = draft.updated_at = shop.now()
    draft.order_id = order.id
    return {"draftOrder": draft}


def _order_from(shop: ShopState, draft: Draft) -> Order:
    given = draft.given
    customer = given.get("customerId") or (given.get("purchasingEntity") or {}).get("customerId")
    order = new_order(
        shop,
        currency=shop.settings.currency,
        customer_id=number_of("Customer", customer) or None,
        email=given.get("email") or "",
        note=given.get("note"),
        tags=list(draft.tags),
        po_number=given.get("poNumber"),
        source_name="shopify_draft_order",
        shipping_address=given.get("shippingAddress"),
        attributes=[(one["key"], one.get("value") or "") for one in given.get("customAttributes") or []],
    )
    for one in given["lineItems"]:
        line = _line(shop, order, one)
        order.lines.append(line)
        claim(shop, line)
    whole = pricing.price_total(order)
    if whole != NOTHING:
        add_transaction(shop, order, kind="SALE", status="SUCCESS", gateway="manual", amount=whole, is_manual=True)
    return finish(shop, order)


def _line(shop: ShopState, order: Order, given: Args) -> OrderLine:
    variant = shop.variants.get(number_of("ProductVariant", given.get("variantId")))
    unit = _unit(shop, given)
    discount = _discount(given, unit * given["quantity"])
    return OrderLine(
        id=shop.next_id("LineItem"),
        order_id=order.id,
        title=given.get("title") or ("" if variant is None else shop.products[variant.product_id].title),
        variant_title="" if variant is None else variant.title,
        sku=given.get("sku") or ("" if variant is None else variant.sku),
        quantity=given["quantity"],
        unit_price=converted(unit, order.rate),
        variant_id=None if variant is None else variant.id,
        is_shipped=True if variant is None else variant.is_shipped,
        discounts=[Discount(kind="line", amount=converted(discount, order.rate))] if discount else [],
    )
