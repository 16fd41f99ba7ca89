"""The steps of an edit: orderEditBegin, units, added lines, discounts. Errors in the words that were recorded."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.amounts import NOTHING, converted, converted_back
from connectors.simulators.shopify.edit_figures import edited, taxes_like
from connectors.simulators.shopify.edit_records import Edit, StagedDiscount
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.records import OrderLine
from connectors.simulators.shopify.refusals import Refused, problem, refuse_all
from connectors.simulators.shopify.state import ShopState, gid, number_of

LONGEST_TITLE = 255


def begin(shop: ShopState, args: Args) -> dict[str, Any]:
    """orderEditBegin."""
    order = shop.orders.get(number_of("Order", args["id"]))
    if order is None:
        raise Refused(["id"], "The order does not exist.")
    if order.cancelled_at is not None:
        raise Refused(None, "The order cannot be edited.")
    edit = Edit(id=shop.next_id("OrderEdit"), order_id=order.id)
    shop.edits[edit.id] = edit
    return shown(shop, edit)


def set_quantity(shop: ShopState, args: Args) -> dict[str, Any]:
    """orderEditSetQuantity: the units that shall stand; none takes the line off, which stays with none."""
    edit, units = opened(shop, args), args["quantity"]
    line = _line(shop, edit, args["lineItemId"], ["lineItemId"])
    if units < 0:
        raise Refused(["quantity"], "must be greater than or equal to 0")
    key = next((key for key, added in edit.lines.items() if added is line), None)
    if key is None:
        _check_sent(shop, edit, line, units)
        edit.quantities[line.id] = units
        (edit.restocked.add if args.get("restock") else edit.restocked.discard)(line.id)
    elif units:
        line.quantity = units
        _tax(shop, edit, line)
    else:
        del edit.lines[key]
        edit.discounts = {name: one for name, one in edit.discounts.items() if one.line_id != line.id}
        return shown(shop, edit)
    return _with_line(shop, edit, line)


def add_variant(shop: ShopState, args: Args) -> dict[str, Any]:
    """orderEditAddVariant: at the variant's price of today; which location it names changes nothing here."""
    edit, units = opened(shop, args), args["quantity"]
    if str(args["variantId"]).endswith("/0"):
        raise Refused(["variantId"], "can't convert Integer[0] to a positive Integer to use as an untrusted id")
    variant = shop.variants.get(number_of("ProductVariant", args["variantId"]))
    if variant is None:
        raise Refused(["variantId"], "The variant does not exist in the shop.")
    problems = [] if units > 0 else [problem(["quantity"], "must be greater than 0")]
    if units < 0:
        problems.append(problem(["quantity"], "must be greater than or equal to 0"))
    refuse_all(problems)
    title = shop.products[variant.product_id].title
    lines = edited(shop, edit).draft.lines
    if not args.get("allowDuplicates") and any(line.variant_id == variant.id for line in lines):
        raise Refused(["id"], f"{title} was not added because it's already on the order.")
    line = OrderLine(
        id=shop.next_id("LineItem"),
        order_id=edit.order_id,
        title=title,
        variant_title=variant.title,
        sku=variant.sku,
        quantity=units,
        unit_price=converted(variant.price, shop.orders[edit.order_id].rate),
        variant_id=variant.id,
        is_shipped=variant.is_shipped,
    )
    return _added(shop, edit, line)


def add_custom_item(shop: ShopState, args: Args) -> dict[str, Any]:
    """orderEditAddCustomItem: a line without a variant, taxable and not to be shipped unless told."""
    edit, price = opened(shop, args), args["price"]
    order = shop.orders[edit.order_id]
    problems = []
    if not args["title"].strip():
        problems.append(problem(["title"], "can't be blank"))
    if len(args["title"]) > LONGEST_TITLE:
        problems.append(problem(["title"], f"is too long (maximum is {LONGEST_TITLE} characters)"))
    if args["quantity"] <= 0:
        problems.append(problem(["quantity"], "must be greater than 0"))
    if Decimal(price["amount"]) < 0:
        problems.append(problem(["price", "amount"], "must be greater than or equal to 0"))
    if price["currencyCode"] != order.presentment_currency:
        problems.append(problem(["price", "amount"], f"Currency must be {order.presentment_currency}."))
    refuse_all(problems)
    line = OrderLine(
        id=shop.next_id("LineItem"),
        order_id=order.id,
        title=args["title"],
        sku="",
        quantity=args["quantity"],
        unit_price=converted_back(Decimal(price["amount"]), order.rate),
        is_taxable=args.get("taxable") is not False,
        is_shipped=bool(args.get("requiresShipping")),
    )
    return _added(shop, edit, line)


def add_line_discount(shop: ShopState, args: Args) -> dict[str, Any]:
    """orderEditAddLineItemDiscount: an amount off each unit (recorded), or a share of the price."""
    edit, given = opened(shop, args), args["discount"]
    line = _line(shop, edit, args["lineItemId"], ["id"])
    fixed = given.get("fixedValue")
    staged = StagedDiscount(
        id=shop.next_id("OrderStagedChange"),
        line_id=line.id,
        description=given.get("description") or "",
        each=converted_back(Decimal(fixed["amount"]), shop.orders[edit.order_id].rate) if fixed else NOTHING,
        percent=Decimal(str(given.get("percentValue") or 0)),
    )
    edit.discounts[str(uuid4())] = staged
    change = {"id": gid("OrderStagedChangeAddLineItemDiscount", staged.id), "description": staged.description}
    return _with_line(shop, edit, line) | {"addedDiscountStagedChange": change}


def remove_discount(shop: ShopState, args: Args) -> dict[str, Any]:
    """orderEditRemoveDiscount, of those that this edit gives."""
    edit = opened(shop, args, "INVALID")
    key = str(args["discountApplicationId"]).rpartition("/")[2]
    if key not in edit.discounts:
        message = "The discount application does not exist."  # assumed text
        raise Refused(["discountApplicationId"], message, "INVALID")
    del edit.discounts[key]
    return shown(shop, edit)


def opened(shop: ShopState, args: Args, code: str | None = None) -> Edit:
    """The open edit that is named by its calculated order or its session. Raises Refused."""
    number = number_of("CalculatedOrder", args["id"]) or number_of("OrderEditSession", args["id"])
    if number not in shop.edits:
        raise Refused(["id"], "The calculated order does not exist.", code)
    return shop.edits[number]


def shown(shop: ShopState, edit: Edit) -> dict[str, Any]:
    """What the payload of every step shows."""
    return {"calculatedOrder": edited(shop, edit), "orderEditSession": {"id": gid("OrderEditSession", edit.id)}}


def _with_line(shop: ShopState, edit: Edit, line: OrderLine) -> dict[str, Any]:
    payload = shown(shop, edit)
    return payload | {"calculatedLineItem": (payload["calculatedOrder"], line.id)}


def _line(shop: ShopState, edit: Edit, given: str, field: list[str]) -> OrderLine:
    """A line of the order, or one that this edit added. Raises Refused."""
    added = edit.lines.get(str(given).rpartition("/")[2])
    found = added or shop.line(shop.orders[edit.order_id], number_of("CalculatedLineItem", given))
    if found is None:
        raise Refused(field, "The line item does not exist on the order.")
    return found


def _check_sent(shop: ShopState, edit: Edit, line: OrderLine, units: int) -> None:
    """Only units that were not sent are edited (schema, orderEditCommit)."""
    order = shop.orders[edit.order_id]
    sent = pricing.current_quantity(shop, order, line) - pricing.unfulfilled_quantity(shop, order, line)
    if units < sent:
        raise Refused(["quantity"], f"must be greater than or equal to {sent}, the units sent")  # assumed text


def _added(shop: ShopState, edit: Edit, line: OrderLine) -> dict[str, Any]:
    edit.lines[str(uuid4())] = line
    _tax(shop, edit, line)
    return _with_line(shop, edit, line)


def _tax(shop: ShopState, edit: Edit, line: OrderLine) -> None:
    if line.is_taxable:
        line.tax_lines = taxes_like(shop.orders[edit.order_id], pricing.line_total(line))
