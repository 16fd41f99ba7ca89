"""Postage inside an edit: orderEditAddShippingLine, …UpdateShippingLine, …RemoveShippingLine (recorded, codes too)."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from connectors.simulators.shopify.amounts import Bag, converted_back
from connectors.simulators.shopify.edit_figures import taxes_like
from connectors.simulators.shopify.edit_records import Edit
from connectors.simulators.shopify.edit_steps import opened, shown
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.records import ShippingLine
from connectors.simulators.shopify.refusals import Refused
from connectors.simulators.shopify.state import ShopState, number_of

INVALID = "INVALID"


def add_shipping_line(shop: ShopState, args: Args) -> dict[str, Any]:
    """The mutation."""
    edit, given = opened(shop, args, INVALID), args["shippingLine"]
    price = _price(shop, edit, given["price"])
    line = ShippingLine(id=shop.next_id("ShippingLine"), order_id=edit.order_id, title=given["title"], price=price)
    line.tax_lines = taxes_like(shop.orders[edit.order_id], price)
    edit.postage[str(uuid4())] = line
    payload = shown(shop, edit)
    return payload | {"calculatedShippingLine": (payload["calculatedOrder"], line)}


def update_shipping_line(shop: ShopState, args: Args) -> dict[str, Any]:
    """The mutation, for a line that this edit added."""
    edit, given = opened(shop, args, INVALID), args["shippingLine"]
    line = edit.postage.get(_key(args))
    if line is None:
        message = "The shipping line can't be updated because it doesn't exist or wasn't added during this edit."
        raise Refused(["shippingLineId"], message, INVALID)
    if given.get("price"):
        line.price = _price(shop, edit, given["price"])
        line.tax_lines = taxes_like(shop.orders[edit.order_id], line.price)
    line.title = given.get("title") or line.title
    return shown(shop, edit)


def remove_shipping_line(shop: ShopState, args: Args) -> dict[str, Any]:
    """The mutation: a line that this edit added is gone, one of the order is marked."""
    edit = opened(shop, args, INVALID)
    number = number_of("CalculatedShippingLine", args["shippingLineId"])
    present = {line.id for line in shop.orders[edit.order_id].shipping_lines} - edit.removed_postage
    if _key(args) in edit.postage:
        del edit.postage[_key(args)]
    elif number in present:
        edit.removed_postage.add(number)
    else:
        message = "The shipping line can't be removed because it doesn't exist or has already been removed."
        raise Refused(["shippingLineId"], message, INVALID)
    return shown(shop, edit)


def _key(args: Args) -> str:
    return str(args["shippingLineId"]).rpartition("/")[2]


def _price(shop: ShopState, edit: Edit, given: Args) -> Bag:
    order = shop.orders[edit.order_id]
    if given["currencyCode"] != order.presentment_currency:
        raise Refused(["shippingLine", "price"], f"The price must be in {order.presentment_currency}.", INVALID)
    return converted_back(Decimal(given["amount"]), order.rate)
