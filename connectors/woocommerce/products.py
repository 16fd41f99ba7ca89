"""The product behind an order line: whose stock figure counts, and what it says now (observed 5)."""

from dataclasses import dataclass
from typing import Any, Final

from connectors.ports import Json, Link, Rejected
from connectors.woocommerce import client

IMPOSSIBLE: Final = "restock_impossible"
_PRODUCT_GONE: Final = frozenset(
    {"woocommerce_rest_product_invalid_id", "woocommerce_rest_product_variation_invalid_id"}
)


@dataclass(frozen=True, kw_only=True)
class ManagedProduct:
    """Path of the record that holds the stock figure, and the figure."""

    path: str
    quantity: int | None


def managed_product(link: Link, *, product_id: str, variation_id: str, name: str) -> ManagedProduct:
    """Whose stock figure counts: the variation's or, where that says so, the parent's, and the figure now.

    Raises Rejected('restock_impossible') where the product is gone or its stock is not managed.
    """
    if not product_id:
        raise impossible(f"The product of {name} no longer exists in the shop.")
    parent = f"/products/{product_id}"
    path = f"{parent}/variations/{variation_id}" if variation_id else parent
    product = _fetch(link, path, name)
    if product.get("manage_stock") == "parent" and variation_id:
        path = parent
        product = _fetch(link, path, name)
    if product.get("manage_stock") is not True:
        raise impossible(
            f"The shop does not manage the stock of {name}, so nothing can be put back. Turn on stock management"
            " for the product, or close this by hand."
        )
    quantity = product.get("stock_quantity")
    return ManagedProduct(path=path, quantity=quantity if isinstance(quantity, int) else None)


def _fetch(link: Link, path: str, name: str) -> dict[str, Any]:
    try:
        product: Json = client.get(link, path).json
    except Rejected as refusal:
        if refusal.code in _PRODUCT_GONE:
            raise impossible(f"The product {name} no longer exists in the shop.") from None
        raise
    return product if isinstance(product, dict) else {}


def impossible(text: str) -> Rejected:
    """The shop would do nothing, and says so only afterwards."""
    return Rejected(text, code=IMPOSSIBLE)
