"""What a wanted line of goods is in this shop's catalogue, and whether there is enough of it.

Identity is the product and variation id, never the SKU alone: a variation without an SKU of its own shows its parent's,
and the shop books the parent when ordered by it (woocommerce-observed.md 5). It stops no overselling either (6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.ports import Json, Link, Rejected
from connectors.woocommerce import client
from returnsops import states

MOST_ALTERNATIVES: Final = 20
_GONE: Final = frozenset({"woocommerce_rest_product_invalid_id", "woocommerce_rest_product_variation_invalid_id"})
_VARIABLE: Final = frozenset({"variable", "grouped", "external"})


@dataclass(frozen=True, kw_only=True)
class Goods:
    """One wanted line, found: ``stock`` is None where nobody counts it; ``holder`` names whose figure it is."""

    product_id: str
    variation_id: str
    sku: str
    name: str
    quantity: int
    is_managed: bool
    stock: int | None
    holder: str

    @property
    def identity(self) -> tuple[str, str, int]:
        """What an order line must show."""
        return (self.product_id, self.variation_id, self.quantity)


def find_all(link: Link, wanted: Sequence[Mapping[str, Any]]) -> tuple[Goods, ...]:
    """Every wanted line in the catalogue, in stock in full.

    Raises Rejected with a code of states.UNAVAILABLE and, in the evidence, the line and what else is in stock.
    """
    found = tuple(_find(link, line) for line in wanted)
    for line, one in zip(wanted, found, strict=True):
        needed = sum(other.quantity for other in found if other.holder == one.holder)
        if one.is_managed and (one.stock or 0) < needed:
            text = f"Only {max(0, one.stock or 0)} of {_named(line, one.name)} are in stock, {needed} are wanted."
            raise _unavailable(link, line, states.OUT_OF_STOCK, text, product_id=one.product_id)
    return found


def stock_of(link: Link, product_id: str) -> tuple[bool, int | None]:
    """Whether the stock of a product or variation is counted, and the figure that counts now."""
    product = product_of(link, product_id) or {}
    if product.get("manage_stock") == "parent":
        product = product_of(link, str(product.get("parent_id"))) or {}
    return product.get("manage_stock") is True, whole(product.get("stock_quantity"))


def _find(link: Link, line: Mapping[str, Any]) -> Goods:
    product = _by_id(link, line) if line.get("variant_id") else _by_sku(link, line)
    _check(link, line, product)
    is_variation = product.get("type") == "variation"
    holder = product
    if product.get("manage_stock") == "parent":
        holder = product_of(link, str(product.get("parent_id"))) or {}
    is_managed = holder.get("manage_stock") is True
    return Goods(
        product_id=str(product["parent_id"] if is_variation else product["id"]),
        variation_id=str(product["id"]) if is_variation else "",
        sku=str(product.get("sku") or ""),
        name=str(product.get("name") or ""),
        quantity=int(line["quantity"]),
        is_managed=is_managed,
        stock=whole(holder.get("stock_quantity")) if is_managed else None,
        holder=str(holder.get("id")),
    )


def _by_id(link: Link, line: Mapping[str, Any]) -> dict[str, Any]:
    product = product_of(link, str(line["variant_id"]))
    if product is None:
        text = f"The shop has no product or variation {line['variant_id']} ({_named(line)})."
        raise _unavailable(link, line, states.PRODUCT_UNKNOWN, text)
    shown = str(product.get("sku") or "")
    if line.get("sku") and shown and shown != line["sku"]:
        text = f"Product {line['variant_id']} is SKU {shown} in the shop, but SKU {line['sku']} was asked for."
        raise _unavailable(link, line, states.PRODUCT_UNCLEAR, text)
    return product


def _by_sku(link: Link, line: Mapping[str, Any]) -> dict[str, Any]:
    """By the exact SKU; the shop takes a comma for a list."""
    sku = str(line["sku"])
    rows = () if "," in sku else client.get_all(link, "/products", params={"sku": sku})
    rows = tuple(row for row in rows if row.get("sku") == sku)
    if not rows:
        raise _unavailable(link, line, states.PRODUCT_UNKNOWN, f"The shop has no product with SKU {sku}.")
    if len(rows) > 1:
        text = f"{len(rows)} products of the shop have SKU {sku}; it does not say which one is meant."
        raise _unavailable(link, line, states.PRODUCT_UNCLEAR, text)
    return dict(rows[0])


def _check(link: Link, line: Mapping[str, Any], product: Mapping[str, Any]) -> None:
    """One thing that can be bought. Raises Rejected where it is not."""
    name, product_id = _named(line, str(product.get("name") or "")), str(product.get("id"))
    if product.get("type") in _VARIABLE:
        text = f"{name} is a product with variations; which of them is meant is not said."
        raise _unavailable(link, line, states.PRODUCT_UNCLEAR, text, product_id=product_id)
    parent_id = str(product.get("parent_id") or product_id)
    if product.get("status") != "publish" or product.get("purchasable") is False:
        text = f"{name} is not for sale in the shop."
        raise _unavailable(link, line, states.NOT_FOR_SALE, text, product_id=parent_id)
    if product.get("manage_stock") is False and product.get("stock_status") == "outofstock":
        text = f"{name} is out of stock by the shop's own word."
        raise _unavailable(link, line, states.OUT_OF_STOCK, text, product_id=parent_id)


def _unavailable(link: Link, line: Mapping[str, Any], code: str, text: str, *, product_id: str = "") -> Rejected:
    """The refusal, with the other variations that are in stock in the wanted quantity."""
    others = _alternatives(link, line, product_id) if product_id else []
    names = ", ".join(f"{one['name']} ({one['stock']} left)" for one in others[:5])
    text = f"{text} In stock of the same product: {names}." if names else text
    wanted = {name: str(line.get(name) or "") for name in ("sku", "variant_id", "quantity")}
    return Rejected(text, code=code, evidence={"line": wanted, "alternatives": others})


def _alternatives(link: Link, line: Mapping[str, Any], product_id: str) -> list[dict[str, Any]]:
    try:
        rows = client.get_all(link, f"/products/{product_id}/variations")
    except Rejected:  # a product without variations, or gone
        return []
    found = [
        {
            "variant_id": str(row["id"]),
            "sku": str(row.get("sku") or ""),
            "name": str(row.get("name") or row["id"]),
            "stock": row.get("stock_quantity") if row.get("manage_stock") is True else "enough",
        }
        for row in rows
        if str(row["id"]) != str(line.get("variant_id") or "") and _is_there(row, int(line["quantity"]))
    ]
    return found[:MOST_ALTERNATIVES]


def _is_there(row: Mapping[str, Any], quantity: int) -> bool:
    is_sold = row.get("status") == "publish" and row.get("purchasable") is not False
    if row.get("manage_stock") is True:
        return is_sold and (whole(row.get("stock_quantity")) or 0) >= quantity
    return is_sold and row.get("stock_status") == "instock"


def product_of(link: Link, product_id: str) -> dict[str, Any] | None:
    """A product or a variation; both are read by this address (observed 5). Ids are numbers; others are not asked."""
    if not (product_id.isascii() and product_id.isdigit()):
        return None
    try:
        product: Json = client.get(link, f"/products/{product_id}").json
    except Rejected as refusal:
        if refusal.code in _GONE:
            return None
        raise
    return product if isinstance(product, dict) else None


def _named(line: Mapping[str, Any], name: str = "") -> str:
    sku = str(line.get("sku") or "")
    return f"{name} (SKU {sku})" if name and sku else name or f"SKU {sku or 'none'}"


def whole(value: object) -> int | None:
    """A whole number as the shop writes it, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
