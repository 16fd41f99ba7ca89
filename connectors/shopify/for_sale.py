"""What a wanted line of goods is in this shop's catalogue, and whether there is enough of it.

Identity is the variant's id, never the SKU alone: SKUs are not unique in Shopify, and its search is tokenised and knows
no case, so that its answers are compared exactly (shopify.md section 10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.ports import Json, Link, Rejected
from connectors.shopify import client
from connectors.shopify.links import gid, is_gid
from connectors.shopify.refund_records import nodes
from returnsops import states

ACTIVE: Final = "ACTIVE"
MOST_ALTERNATIVES: Final = 10


@dataclass(frozen=True, kw_only=True)
class Goods:
    """One wanted line, found; ``stock`` is None where nobody counts it."""

    variant_id: str
    sku: str
    name: str
    quantity: int
    stock: int | None
    product_id: str = ""


def find_all(link: Link, wanted: Sequence[Mapping[str, Any]]) -> tuple[Goods, ...]:
    """Every wanted line, in stock in full. Raises Rejected with a code of states.UNAVAILABLE and the line."""
    found = tuple(_find(link, line) for line in wanted)
    for line, one in zip(wanted, found, strict=True):
        needed = sum(other.quantity for other in found if other.variant_id == one.variant_id)
        if one.stock is not None and one.stock < needed:
            text = f"Only {max(0, one.stock)} of {one.name} are in stock, {needed} are wanted."
            raise _unavailable(link, line, states.OUT_OF_STOCK, text, product_id=one.product_id)
    return found


def _find(link: Link, line: Mapping[str, Any]) -> Goods:
    variant = _by_id(link, line) if line.get("variant_id") else _by_sku(link, line)
    name, product = str(variant.get("displayName") or variant["id"]), variant.get("product") or {}
    if product.get("status") != ACTIVE:
        raise _unavailable(link, line, states.NOT_FOR_SALE, f"{name} is not for sale in the shop.")
    is_counted = (variant.get("inventoryItem") or {}).get("tracked") is True
    return Goods(
        variant_id=str(variant["id"]),
        sku=str(variant.get("sku") or ""),
        name=name,
        quantity=int(line["quantity"]),
        stock=int(variant.get("inventoryQuantity") or 0) if is_counted else None,
        product_id=str(product.get("id") or ""),
    )


def _by_id(link: Link, line: Mapping[str, Any]) -> Json:
    variant_id = gid("ProductVariant", line["variant_id"])
    known = is_gid(variant_id, "ProductVariant")
    variant = client.execute(link, "VariantForSale", {"id": variant_id}).get("productVariant") if known else None
    if not isinstance(variant, Mapping):
        text = f"The shop has no variant {line['variant_id']} (SKU {line.get('sku') or 'none'})."
        raise _unavailable(link, line, states.PRODUCT_UNKNOWN, text)
    shown = str(variant.get("sku") or "")
    if line.get("sku") and shown and shown != line["sku"]:
        text = f"Variant {line['variant_id']} is SKU {shown} in the shop, but SKU {line['sku']} was asked for."
        raise _unavailable(link, line, states.PRODUCT_UNCLEAR, text)
    return variant


def _by_sku(link: Link, line: Mapping[str, Any]) -> Json:
    sku = str(line.get("sku") or "")
    quoted = sku.replace("\\", "\\\\").replace('"', '\\"')
    found = client.execute(link, "VariantsBySku", {"query": f'sku:"{quoted}"'}).get("productVariants") if sku else {}
    rows = [row for row in nodes(found) if row.get("sku") == sku]
    if len(rows) != 1:
        code = states.PRODUCT_UNCLEAR if rows else states.PRODUCT_UNKNOWN
        raise _unavailable(link, line, code, f"{len(rows) or 'No'} variants of the shop have SKU {sku or 'none'}.")
    return rows[0]


def _unavailable(link: Link, line: Mapping[str, Any], code: str, text: str, *, product_id: str = "") -> Rejected:
    """The refusal, with the other variants of the product that are in stock in the wanted quantity."""
    others = _alternatives(link, line, product_id) if product_id else []
    names = ", ".join(f"{one['name']} ({one['stock']} left)" for one in others[:5])
    text = f"{text} In stock of the same product: {names}." if names else text
    wanted = {name: str(line.get(name) or "") for name in ("sku", "variant_id", "quantity")}
    return Rejected(text, code=code, evidence={"line": wanted, "alternatives": others})


def _alternatives(link: Link, line: Mapping[str, Any], product_id: str) -> list[dict[str, Any]]:
    """Nothing where the product is not for sale; the first fifty variants are looked at."""
    product: Json = client.execute(link, "ProductVariants", {"id": product_id}).get("product")
    if not isinstance(product, Mapping) or product.get("status") != ACTIVE:
        return []
    wanted = {gid("ProductVariant", line["variant_id"])} if line.get("variant_id") else set()
    found: list[dict[str, Any]] = []
    for row in nodes(product.get("variants")):
        is_counted = (row.get("inventoryItem") or {}).get("tracked") is True
        left = int(row.get("inventoryQuantity") or 0)
        is_wanted = row["id"] in wanted or (not wanted and row.get("sku") == line.get("sku"))
        if is_wanted or (is_counted and left < int(line["quantity"])):
            continue
        names = {"variant_id": str(row["id"]), "sku": str(row.get("sku") or ""), "name": str(row.get("displayName"))}
        found.append({**names, "stock": left if is_counted else "enough"})
    return found[:MOST_ALTERNATIVES]
