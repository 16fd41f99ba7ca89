"""Making products, variations and tax rates."""

from decimal import Decimal
from typing import Any

from connectors.simulators.woocommerce.records import Product, TaxRate
from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import WooError


def new_product(
    shop: ShopState,
    *,
    name: str,
    type: str = "simple",
    sku: str = "",
    price: Decimal | None = None,
    stock_quantity: int | None = None,
    tax_class: str = "",
    attributes: list[dict[str, Any]] | None = None,
    is_virtual: bool = False,
) -> Product:
    """A product; stock is managed where a quantity is given. Raises WooError 400 for a SKU in use."""
    check_sku(shop, sku)
    product = Product(
        id=shop.next_id("post"),
        type=type,
        name=name,
        slug=_slug(name),
        own_sku=sku,
        regular_price=price,
        is_stock_managed=stock_quantity is not None,
        stock_quantity=stock_quantity,
        tax_class="" if tax_class == "standard" else tax_class,
        attributes=[_attribute(index, given) for index, given in enumerate(attributes or [])],
        is_virtual=is_virtual,
        created_at=shop.now(),
        modified_at=shop.now(),
    )
    shop.products[product.id] = product
    shop.emit("product.created", product.id)
    return product


def new_variation(
    shop: ShopState,
    parent: Product,
    *,
    sku: str = "",
    price: Decimal | None = None,
    stock_quantity: int | None = None,
    attributes: list[dict[str, Any]] | None = None,
) -> Product:
    """A variation. Raises WooError 400 for a SKU in use, the parent's own included."""
    check_sku(shop, sku)
    chosen = [
        {"id": 0, "name": str(a["name"]), "slug": _slug(str(a["name"])), "option": str(a["option"])}
        for a in attributes or []
    ]
    name = ", ".join(str(attribute["option"]) for attribute in chosen)
    child = Product(
        id=shop.next_id("post"),
        type="variation",
        parent_id=parent.id,
        name=name,
        slug=_slug(name),
        own_sku=sku,
        regular_price=price,
        is_stock_managed=stock_quantity is not None,
        stock_quantity=stock_quantity,
        tax_class=parent.tax_class,
        attributes=[dict(attribute) for attribute in chosen],
        created_at=shop.now(),
        modified_at=shop.now(),
    )
    shop.products[child.id] = child
    parent.variation_ids.append(child.id)
    return child


def remove_product(shop: ShopState, product: Product) -> None:
    """Delete a product for good; order lines keep its id and name."""
    del shop.products[product.id]
    parent = shop.products.get(product.parent_id)
    if parent is not None:
        parent.variation_ids.remove(product.id)
    shop.emit("product.deleted", product.id)


def new_tax_rate(
    shop: ShopState, *, country: str, rate: Decimal, name: str, tax_class: str = "", is_for_shipping: bool = True
) -> TaxRate:
    """A tax rate in percent."""
    made = TaxRate(
        id=shop.next_id("tax"),
        country=country,
        rate=rate,
        name=name,
        tax_class="" if tax_class == "standard" else tax_class,
        is_for_shipping=is_for_shipping,
    )
    shop.tax_rates[made.id] = made
    return made


def check_sku(shop: ShopState, sku: str, *, holder_id: int = 0) -> None:
    """Raise WooError 400 product_invalid_sku where another product or variation has this SKU as its own."""
    holder = next((p for p in shop.products.values() if sku and p.own_sku == sku and p.id != holder_id), None)
    if holder is not None:
        data = {"status": 400, "resource_id": holder.id, "unique_sku": f"{sku}-1"}
        message = "Invalid or duplicated SKU."
        raise WooError(status=400, code="product_invalid_sku", message=message, data=data)


def _attribute(index: int, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": 0,
        "name": str(given["name"]),
        "slug": str(given["name"]),
        "position": index,
        "visible": bool(given.get("visible", False)),
        "variation": bool(given.get("variation", False)),
        "options": list(given.get("options", [])),
    }


def _slug(name: str) -> str:
    return "-".join(name.lower().split())
