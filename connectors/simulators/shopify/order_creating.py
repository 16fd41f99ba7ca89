"""orderCreate: an order made by an app, which neither takes stock nor ships unless told (shopify.md section 11)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.simulators.shopify import inventory, pricing
from connectors.simulators.shopify.amounts import Bag, bag_of_input, converted
from connectors.simulators.shopify.order_writing import claim, finish, fulfil, new_order
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.records import Customer, Order, OrderLine, ShippingLine, TaxLine, Variant
from connectors.simulators.shopify.refunding import add_transaction
from connectors.simulators.shopify.refusals import Refused
from connectors.simulators.shopify.state import ShopState, number_of

APP_NAME = "returnsops"


def order_create(shop: ShopState, args: Args) -> dict[str, Any]:
    """The mutation."""
    given, options = args["order"], args.get("options") or {}
    _check(shop, given)
    behaviour = options.get("inventoryBehaviour") or "BYPASS"
    if behaviour == "DECREMENT_OBEYING_POLICY":
        _check_stock(shop, given["lineItems"])
    rate = shop.settings.rates.get(given.get("presentmentCurrency") or "", Decimal(1))
    order = new_order(
        shop,
        currency=given.get("currency"),
        presentment_currency=given.get("presentmentCurrency"),
        rate=rate,
        is_tax_included=bool(given.get("taxesIncluded")),
        customer_id=_customer(shop, given),
        email=given.get("email") or "",
        note=given.get("note"),
        tags=list(given.get("tags") or []),
        is_test=bool(given.get("test")),
        source_identifier=given.get("sourceIdentifier"),
        source_name=given.get("sourceName") or APP_NAME,
        po_number=given.get("poNumber"),
        app_name=APP_NAME,
        shipping_address=given.get("shippingAddress"),
        attributes=[(one["key"], one["value"]) for one in given.get("customAttributes") or []],
        has_financial_status=bool(given.get("financialStatus") or given.get("transactions")),
    )
    _fill(shop, order, given)
    if behaviour != "BYPASS":
        for line in order.lines:
            claim(shop, line)
    _pay(shop, order, given)
    finish(shop, order)
    if given.get("fulfillmentStatus") == "FULFILLED":
        everything = {line.id: line.quantity for line in order.lines}
        place = number_of("Location", (given.get("fulfillment") or {}).get("locationId"))
        fulfil(shop, order, quantities=everything, location_id=place or None)
    return {"order": order}


def _check(shop: ShopState, given: Args) -> None:
    if not given.get("lineItems"):
        message = "Line items must have at least one line item"
        raise Refused(["order", "lineItems"], message, "INVALID")
    processed_at = given.get("processedAt")
    if processed_at and datetime.fromisoformat(str(processed_at).replace("Z", "+00:00")).astimezone(UTC) > shop.now():
        raise Refused(["order", "processedAt"], "Processed at must not be in the future", "PROCESSED_AT_INVALID")
    customer = given.get("customer") or {}
    known = (customer.get("toAssociate") or {}).get("id")
    if known and number_of("Customer", known) not in shop.customers:
        raise Refused(["order", "customer", "toAssociate", "id"], "Customer does not exist", "INVALID")


def _check_stock(shop: ShopState, lines: Sequence[Args]) -> None:
    """The only claim that may fail: no unit may be sold that is not there (unless the variant says so)."""
    for line in lines:
        variant = shop.variants.get(number_of("ProductVariant", line.get("variantId")))
        if variant is None or not variant.is_tracked or variant.is_oversold_allowed:
            continue
        level = inventory.first_stocked(shop, variant.item_id)
        if level is None or level.quantities["available"] < line["quantity"]:
            message = "Unable to reserve inventory"  # assumed text
            raise Refused(["order", "lineItems"], message, "INVENTORY_CLAIM_FAILED")


def _customer(shop: ShopState, order: Args) -> int | None:
    """Whoever is named; an email alone finds or makes its customer (recorded)."""
    given = order.get("customer") or {}
    if given.get("toAssociate"):
        return number_of("Customer", given["toAssociate"].get("id")) or None
    wanted = given.get("toUpsert") or {"email": order.get("email")}
    if not wanted.get("email"):
        return None
    known = next((c for c in shop.customers.values() if c.email == wanted.get("email")), None)
    if known is None:
        name = f"{wanted.get('firstName') or ''} {wanted.get('lastName') or ''}".strip()
        known = Customer(
            id=shop.next_id("Customer"),
            email=wanted.get("email") or "",
            name=name or str(wanted.get("email")),
            created_at=shop.now(),
            updated_at=shop.now(),
        )
        shop.customers[known.id] = known
    return known.id


def _fill(shop: ShopState, order: Order, given: Args) -> None:
    for one in given["lineItems"]:
        order.lines.append(_line(shop, order, one))
    for one in given.get("shippingLines") or []:
        price = bag_of_input(one["priceSet"], order.rate)
        taxes = _taxes(order, one.get("taxLines"), price)
        line = ShippingLine(
            id=shop.next_id("ShippingLine"), order_id=order.id, title=one["title"], price=price, tax_lines=taxes
        )
        order.shipping_lines.append(line)
    if given.get("taxLines") and order.lines:
        order.lines[0].tax_lines += _taxes(order, given["taxLines"], pricing.subtotal(order))


def _line(shop: ShopState, order: Order, given: Args) -> OrderLine:
    variant = shop.variants.get(number_of("ProductVariant", given.get("variantId")))
    price = _price(order, given, variant)
    title = given.get("title") or ("" if variant is None else shop.products[variant.product_id].title)
    whole = price.times(given["quantity"])
    return OrderLine(
        id=shop.next_id("LineItem"),
        order_id=order.id,
        title=title,
        variant_title=given.get("variantTitle") or ("" if variant is None else variant.title),
        sku=given.get("sku") or ("" if variant is None else variant.sku),
        quantity=given["quantity"],
        unit_price=price,
        variant_id=None if variant is None else variant.id,
        is_taxable=bool(given.get("taxable")),
        is_shipped=bool(given.get("requiresShipping")),
        is_gift_card=bool(given.get("giftCard")),
        tax_lines=_taxes(order, given.get("taxLines"), whole),
    )


def _price(order: Order, given: Args, variant: Variant | None) -> Bag:
    if given.get("priceSet"):
        return bag_of_input(given["priceSet"], order.rate)
    return converted(Decimal(0) if variant is None else variant.price, order.rate)


def _taxes(order: Order, given: Sequence[Args] | None, base: Bag) -> list[TaxLine]:
    return [
        TaxLine(
            title=one["title"],
            rate=Decimal(str(one["rate"])),
            price=(
                bag_of_input(one["priceSet"], order.rate)
                if one.get("priceSet")
                else base.times(Decimal(str(one["rate"])))
            ),
        )
        for one in given or []
    ]


def _pay(shop: ShopState, order: Order, given: Args) -> None:
    """Transactions as given; a status of PAID without any makes one manual sale."""
    for one in given.get("transactions") or []:
        gateway = one.get("gateway") or "manual"
        add_transaction(
            shop,
            order,
            kind=one.get("kind") or "SALE",
            status=one.get("status") or "SUCCESS",
            gateway=gateway,
            amount=bag_of_input(one["amountSet"], order.rate),
            is_manual=gateway == "manual",
        )
    whole = pricing.price_total(order)
    if given.get("financialStatus") == "PAID" and not given.get("transactions") and whole.shop:
        add_transaction(shop, order, kind="SALE", status="SUCCESS", gateway="manual", amount=whole, is_manual=True)
