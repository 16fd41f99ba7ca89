"""`/orders` and `/orders/{id}/notes`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from connectors.simulators.woocommerce import coupons_of_shop
from connectors.simulators.woocommerce import order_writing as writing
from connectors.simulators.woocommerce.arguments import (
    Answer,
    Call,
    boolean,
    decimal_or_none,
    integer,
    integers,
    moment,
    one_of,
    page_of,
    string,
    whole,
)
from connectors.simulators.woocommerce.order_json import order_json
from connectors.simulators.woocommerce.pricing import ZERO
from connectors.simulators.woocommerce.records import Coupon, Order
from connectors.simulators.woocommerce.refund_writing import refund_remainder
from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import WooError, invalid_type

STATUSES = [
    "auto-draft",
    "pending",
    "processing",
    "on-hold",
    "completed",
    "cancelled",
    "refunded",
    "failed",
    "checkout-draft",
]
ORDERINGS = ["date", "id", "include", "title", "slug", "modified"]
_UNCOVERED_EDITS = ("line_items", "shipping_lines", "fee_lines", "coupon_lines")


def list_orders(call: Call) -> Answer:
    """GET /orders: filters, order and paging as declared by the real server; an unknown argument is ignored."""
    tests = _filters(call)
    rows = [order for order in call.shop.orders.values() if all(test(order) for test in tests)]
    orderby = one_of("orderby", call.text("orderby", "date"), ORDERINGS)
    is_descending = one_of("order", call.text("order", "desc"), ["asc", "desc"]) == "desc"
    rows.sort(key=_sort_key(orderby), reverse=is_descending)
    decimals = integer(call, "dp", call.shop.decimals)
    return page_of(call, rows, lambda order: order_json(call.shop, order, base=call.base, decimals=decimals))


def _sort_key(orderby: str) -> Callable[[Order], tuple[Any, ...]]:
    if orderby == "modified":
        return lambda order: (order.modified_at, order.id)
    if orderby == "date":
        return lambda order: (order.created_at, order.id)
    return lambda order: (order.id,)


def _filters(call: Call) -> list[Callable[[Order], bool]]:
    statuses = _statuses(call)
    tests: list[Callable[[Order], bool]] = [lambda order: order.status in statuses]
    for name, test in _ID_FILTERS.items():
        if numbers := integers(call, name):
            tests.append(partial(test, numbers))
    if made_by := call.words("created_via"):
        tests.append(lambda order: order.created_via in made_by)
    if term := call.text("search").lower():
        tests.append(lambda order: term in _searchable(order))
    return tests + _date_filters(call)


_ID_FILTERS: dict[str, Callable[[list[int], Order], bool]] = {
    "include": lambda numbers, order: order.id in numbers,
    "exclude": lambda numbers, order: order.id not in numbers,
    "parent": lambda numbers, order: order.parent_id in numbers,
    "parent_exclude": lambda numbers, order: order.parent_id not in numbers,
    "customer": lambda numbers, order: order.customer_id in numbers,
    "product": lambda numbers, order: any(item.product_id in numbers for item in order.of_kind("line")),
}


def _date_filters(call: Call) -> list[Callable[[Order], bool]]:
    """All strictly after or before, with a resolution of one second."""
    tests: list[Callable[[Order], bool]] = []
    if (after := moment(call, "after")) is not None:
        tests.append(lambda order: order.created_at > after)
    if (before := moment(call, "before")) is not None:
        tests.append(lambda order: order.created_at < before)
    if (modified_after := moment(call, "modified_after")) is not None:
        tests.append(lambda order: order.modified_at > modified_after)
    if (modified_before := moment(call, "modified_before")) is not None:
        tests.append(lambda order: order.modified_at < modified_before)
    return tests


def _statuses(call: Call) -> list[str]:
    asked = call.words("status") or ["any"]
    for index, status in enumerate(asked):
        one_of(f"status[{index}]", status, ["any", "trash", *STATUSES])
    return [*STATUSES, *asked] if "any" in asked else asked


def _searchable(order: Order) -> str:
    """What the search looks at: number, addresses and item names; no meta values."""
    values = [str(order.id), *order.billing.values(), *order.shipping.values(), *(i.name for i in order.items)]
    return "\n".join(values).lower()


def find_order(shop: ShopState, order_id: int, *, status: int = 404) -> Order:
    """The order, trashed ones too. Raises WooError 404, or 400 for a PUT."""
    order = shop.orders.get(order_id)
    if order is None:
        raise WooError(status=status, code="woocommerce_rest_shop_order_invalid_id", message="Invalid ID.")
    return order


def get_order(call: Call, order_id: int) -> Answer:
    """GET /orders/{id}."""
    order = find_order(call.shop, order_id)
    decimals = integer(call, "dp", call.shop.decimals)
    return Answer(body=order_json(call.shop, order, base=call.base, decimals=decimals))


def create_order(call: Call) -> Answer:
    """POST /orders: nothing is checked against catalogue or stock (section 6)."""
    shop, body = call.shop, call.body
    status = one_of("status", string(body, "status", "pending"), STATUSES)
    cart = [_cart_line(shop, line) for line in _lists(body, "line_items")]
    email = str(body.get("billing", {}).get("email", ""))
    coupons = [coupons_of_shop.usable(shop, str(row.get("code", "")), email) for row in _lists(body, "coupon_lines")]
    parent_id = whole(body, "parent_id")
    if parent_id and parent_id not in shop.orders:
        raise WooError(status=400, code="order_invalid_parent_id", message="Invalid parent ID.")
    order = writing.new_order(shop, parent_id=parent_id, currency=body.get("currency", ""))
    _set_fields(shop, order, body)
    order.created_via = body.get("created_via") or "rest-api"
    fill_order(shop, order, cart, coupons)
    for line in _lists(body, "shipping_lines"):
        title, method = str(line.get("method_title", "")), str(line.get("method_id", ""))
        writing.add_shipping(shop, order, decimal_or_none(line.get("total")) or ZERO, title=title, method_id=method)
    for line in _lists(body, "fee_lines"):
        is_taxable = line.get("tax_status", "taxable") == "taxable"
        total = decimal_or_none(line.get("total")) or ZERO
        writing.add_fee(shop, order, str(line.get("name", "")), total, is_taxable=is_taxable)
    is_paid = boolean("set_paid", body.get("set_paid", False))
    finish_order(shop, order, coupons, status=status, is_paid=is_paid)
    shown = order_json(shop, order, base=call.base)
    return Answer(body=shown, status=201, location=f"{call.base}/orders/{order.id}")


def fill_order(shop: ShopState, order: Order, cart: list[writing.CartLine], coupons: list[Coupon]) -> None:
    """Append lines with the discounts of the coupons."""
    discounts = [
        sum(shares, ZERO) for shares in zip(*(writing.line_discounts(shop, c, cart) for c in coupons), strict=True)
    ]
    for line, discount in zip(cart, discounts or [ZERO] * len(cart), strict=True):
        writing.add_line(shop, order, line, coupon_discount=discount)


def finish_order(shop: ShopState, order: Order, coupons: list[Coupon], *, status: str, is_paid: bool) -> None:
    """Number tax and coupon lines, fire created and updated, and let status and payment take effect."""
    writing.number_tax_lines(shop, order)
    for coupon in coupons:
        writing.add_coupon_line(shop, order, coupon)
    shop.emit("order.created", order.id)
    shop.emit("order.updated", order.id)
    writing.change_status(shop, order, status, is_new=True)
    if is_paid:
        writing.complete_payment(shop, order)


def _cart_line(shop: ShopState, line: dict[str, Any]) -> writing.CartLine:
    """A line by SKU (which wins), variation or product id."""
    product_id, variation_id = whole(line, "product_id"), whole(line, "variation_id")
    sku = str(line.get("sku") or "")
    if not (sku or product_id or variation_id):
        message = "Product ID or SKU is required."
        raise WooError(status=400, code="woocommerce_rest_required_product_reference", message=message)
    if sku:
        found = next((product for product in shop.products.values() if product.own_sku == sku), None)
        product_id, variation_id = (found.id, 0) if found else (0, 0)
    return writing.CartLine(
        product_id=product_id,
        variation_id=variation_id,
        quantity=whole(line, "quantity", 1),
        subtotal=decimal_or_none(line.get("subtotal")),
        total=decimal_or_none(line.get("total")),
    )


def _lists(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise invalid_type(name, "array")
    return [entry for entry in value if isinstance(entry, dict)]


def _set_fields(shop: ShopState, order: Order, body: dict[str, Any]) -> None:
    for name in ("customer_note", "payment_method", "payment_method_title", "transaction_id"):
        if name in body:
            setattr(order, name, string(body, name))
    if "customer_id" in body:
        order.customer_id = whole(body, "customer_id")
    order.billing = writing.address(order.billing | body.get("billing", {}), has_email=True)
    order.shipping = writing.address(order.shipping | body.get("shipping", {}), has_email=False)
    for entry in _lists(body, "meta_data"):
        shop.set_meta(order.meta, str(entry.get("key", "")), entry.get("value"))


def update_order(call: Call, order_id: int) -> Answer:
    """PUT /orders/{id}: every PUT moves the date and fires order.updated, an empty one too (section 3).

    ``set_paid`` pays only what needs payment: nothing happens to an order of 0.00 (read in the orders controller v3).
    """
    shop, body = call.shop, call.body
    order = find_order(shop, order_id, status=400)
    for name in _UNCOVERED_EDITS:
        if name in body:
            message = "The simulator does not edit items over REST; WooShop.edit_order does."
            raise WooError(status=501, code="simulator_does_not_cover", message=message)
    status = one_of("status", string(body, "status"), STATUSES) if "status" in body else order.status
    _set_fields(shop, order, body)
    shop.touch(order)
    if status == "refunded" and order.status != "refunded":
        refund_remainder(shop, order)
    writing.change_status(shop, order, status)
    if boolean("set_paid", body.get("set_paid", False)) and writing.needs_payment(shop, order):
        writing.complete_payment(shop, order)
    return Answer(body=order_json(shop, order, base=call.base))


def delete_order(call: Call, order_id: int) -> Answer:
    """DELETE /orders/{id}: to the trash, with order.deleted; `force=true` for good, without a webhook."""
    shop = call.shop
    order = find_order(shop, order_id)
    shown = order_json(shop, order, base=call.base)
    if boolean("force", call.text("force", "false")):
        del shop.orders[order_id]
        shop.refunds = {rid: refund for rid, refund in shop.refunds.items() if refund.order_id != order_id}
        return Answer(body=shown)
    trash_order(shop, order)
    return Answer(body=order_json(shop, order, base=call.base))


def trash_order(shop: ShopState, order: Order) -> None:
    """Move an order to the trash. Raises WooError 410 where it is there already."""
    if order.status == "trash":
        message = "The order has already been deleted."
        raise WooError(status=410, code="woocommerce_rest_already_trashed", message=message)
    order.status_before_trash, order.status = order.status, "trash"
    order.modified_at = shop.now()
    shop.emit("order.deleted", order.id)
