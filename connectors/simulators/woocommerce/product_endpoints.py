"""`/products`, `/products/{id}/variations`, and the few of `/taxes` a test shop is made with."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.simulators.woocommerce import catalogue, stock
from connectors.simulators.woocommerce.arguments import (
    Answer,
    Call,
    boolean,
    decimal_or_none,
    integers,
    page_of,
    string,
    whole,
)
from connectors.simulators.woocommerce.product_json import product_json, tax_json, variation_json
from connectors.simulators.woocommerce.records import Product
from connectors.simulators.woocommerce.wire import WooError, invalid_type

MOST_BATCH_ITEMS = 100


def list_products(call: Call) -> Answer:
    """GET /products: `sku` finds products and variations by their own SKU; without it only products are listed."""
    skus, numbers = call.words("sku"), integers(call, "include")
    rows = [product for product in call.shop.products.values() if skus or not product.parent_id]
    rows = [p for p in rows if (not skus or p.own_sku in skus) and (not numbers or p.id in numbers)]
    rows.sort(key=lambda product: (product.created_at, product.id), reverse=True)
    return page_of(call, rows, lambda product: product_json(call.shop, product, base=call.base))


def get_product(call: Call, product_id: int) -> Answer:
    """GET /products/{id}: a variation answers too."""
    return Answer(body=product_json(call.shop, _find_product(call, product_id), base=call.base))


def create_product(call: Call) -> Answer:
    """POST /products."""
    product = catalogue.new_product(
        call.shop,
        name=string(call.body, "name"),
        type=string(call.body, "type", "simple"),
        sku=string(call.body, "sku"),
        price=decimal_or_none(call.body.get("regular_price")),
        stock_quantity=_stock_given(call.body),
        tax_class=string(call.body, "tax_class"),
        attributes=call.body.get("attributes", []),
    )
    location = f"{call.base}/products/{product.id}"
    return Answer(body=product_json(call.shop, product, base=call.base, is_edited=True), status=201, location=location)


def update_product(call: Call, product_id: int) -> Answer:
    """PUT /products/{id}; not for variations."""
    product = _find_product(call, product_id, status=400)
    if product.parent_id:
        message = (
            "To manipulate product variations you should use the "
            "/products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
        )
        raise WooError(status=404, code="woocommerce_rest_invalid_product_id", message=message)
    _apply(call, product, call.body)
    return Answer(body=product_json(call.shop, product, base=call.base, is_edited=True))


def delete_product(call: Call, product_id: int) -> Answer:
    """DELETE /products/{id}, for good."""
    product = _find_product(call, product_id)
    shown = product_json(call.shop, product, base=call.base)
    catalogue.remove_product(call.shop, product)
    return Answer(body=shown)


def batch_products(call: Call) -> Answer:
    """POST /products/batch: 200 even if items fail."""

    def update(entry: dict[str, Any]) -> dict[str, Any]:
        product = _find_product(call, whole(entry, "id"), status=400)
        _apply(call, product, entry)
        return product_json(call.shop, product, base=call.base, is_edited=True)

    return _batch(call, update)


def list_variations(call: Call, product_id: int) -> Answer:
    """GET the variations of a product; `sku` matches own SKUs only."""
    parent, skus = _find_product(call, product_id), call.words("sku")
    children = [call.shop.products[child] for child in parent.variation_ids]
    rows = [child for child in reversed(children) if not skus or child.own_sku in skus]
    return page_of(call, rows, lambda child: variation_json(call.shop, child, base=call.base))


def get_variation(call: Call, product_id: int, variation_id: int) -> Answer:
    """GET one variation."""
    child = _find_variation(call, product_id, variation_id)
    return Answer(body=variation_json(call.shop, child, base=call.base))


def create_variation(call: Call, product_id: int) -> Answer:
    """POST a variation."""
    child = catalogue.new_variation(
        call.shop,
        _find_product(call, product_id),
        sku=string(call.body, "sku"),
        price=decimal_or_none(call.body.get("regular_price")),
        stock_quantity=_stock_given(call.body),
        attributes=call.body.get("attributes", []),
    )
    location = f"{call.base}/products/(?P<product_id>[\\d]+)/variations/{child.id}"
    return Answer(body=variation_json(call.shop, child, base=call.base, is_edited=True), status=201, location=location)


def update_variation(call: Call, product_id: int, variation_id: int) -> Answer:
    """PUT one variation."""
    child = _find_variation(call, product_id, variation_id)
    _apply(call, child, call.body)
    return Answer(body=variation_json(call.shop, child, base=call.base, is_edited=True))


def batch_variations(call: Call, product_id: int) -> Answer:
    """POST /products/{id}/variations/batch."""

    def update(entry: dict[str, Any]) -> dict[str, Any]:
        child = _find_variation(call, product_id, whole(entry, "id"))
        _apply(call, child, entry)
        return variation_json(call.shop, child, base=call.base, is_edited=True)

    return _batch(call, update)


def create_tax(call: Call) -> Answer:
    """POST /taxes."""
    rate = catalogue.new_tax_rate(
        call.shop,
        country=string(call.body, "country"),
        rate=decimal_or_none(call.body.get("rate")) or Decimal(0),
        name=string(call.body, "name", "Tax"),
        tax_class=string(call.body, "class", "standard"),
        is_for_shipping=boolean("shipping", call.body.get("shipping", True)),
    )
    return Answer(body=tax_json(rate, base=call.base), status=201, location=f"{call.base}/taxes/{rate.id}")


def list_taxes(call: Call) -> Answer:
    """GET /taxes."""
    return page_of(call, list(call.shop.tax_rates.values()), lambda rate: tax_json(rate, base=call.base))


def _find_product(call: Call, product_id: int, *, status: int = 404) -> Product:
    product = call.shop.products.get(product_id)
    if product is None:
        raise WooError(status=status, code="woocommerce_rest_product_invalid_id", message="Invalid ID.")
    return product


def _find_variation(call: Call, product_id: int, variation_id: int) -> Product:
    child = call.shop.products.get(variation_id)
    if child is None or child.parent_id != product_id:
        raise WooError(status=404, code="woocommerce_rest_product_variation_invalid_id", message="Invalid ID.")
    return child


def _batch(call: Call, update: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
    entries = call.body.get("update", [])
    if sum(len(call.body.get(verb, [])) for verb in ("create", "update", "delete")) > MOST_BATCH_ITEMS:
        message = "Unable to accept more than 100 items for this request."
        raise WooError(status=413, code="woocommerce_rest_request_entity_too_large", message=message)
    return Answer(body={"update": [_tried(entry, update) for entry in entries]})


def _tried(entry: dict[str, Any], update: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    try:
        return update(entry)
    except WooError as error:
        return {"id": entry.get("id"), "error": error.body()}


def _apply(call: Call, product: Product, body: dict[str, Any]) -> None:
    """Set what is given. A quantity where stock is not managed: 200, and nothing happens (section 5)."""
    quantity, delta = _whole(body, "stock_quantity"), _whole(body, "inventory_delta")
    if "sku" in body:
        catalogue.check_sku(call.shop, string(body, "sku"), holder_id=product.id)
        product.own_sku = string(body, "sku")
    if "manage_stock" in body:
        product.is_stock_managed = boolean("manage_stock", body["manage_stock"])
        product.stock_quantity = product.stock_quantity or 0 if product.is_stock_managed else None
    if (price := decimal_or_none(body.get("regular_price"))) is not None:
        product.regular_price = price
    if product.is_stock_managed and quantity is not None:
        product.stock_quantity = quantity
    elif product.is_stock_managed and delta is not None:
        product.stock_quantity = (product.stock_quantity or 0) + delta
    stock.save_product(call.shop, product)


def _stock_given(body: dict[str, Any]) -> int | None:
    is_managed = boolean("manage_stock", body.get("manage_stock", False))
    return (_whole(body, "stock_quantity") or 0) if is_managed else None


def _whole(body: dict[str, Any], name: str) -> int | None:
    """A whole number or a string of digits; a fraction is refused."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        raise invalid_type(name, "integer")
    return int(value)
