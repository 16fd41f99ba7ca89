"""The fields of catalogue and stock: products, variants, inventory items, levels, locations, adjustment groups."""

from typing import Any

from connectors.simulators.shopify import inventory
from connectors.simulators.shopify.marks import metafield_of
from connectors.simulators.shopify.paging import (
    Args,
    Fields,
    attribute,
    connection,
    global_id,
    legacy_id,
    moment,
    paged,
)
from connectors.simulators.shopify.records import Level, Location, Variant
from connectors.simulators.shopify.state import ShopState, gid, number_of, stamp

_NAMES = {
    "available": "Available",
    "committed": "Committed",
    "reserved": "Reserved",
    "damaged": "Damaged",
    "safety_stock": "Safety stock",
    "quality_control": "Quality control",
    "incoming": "Incoming",
}


def _variants_of(shop: ShopState, product: Any) -> list[Variant]:
    return [variant for variant in shop.variants.values() if variant.product_id == product.id]


def _display_name(shop: ShopState, variant: Variant, args: Args) -> str:
    return f"{shop.products[variant.product_id].title} - {variant.title}"


def levels_of(shop: ShopState, variant: Variant) -> list[Level]:
    """Where an item is stocked, in the order of the locations."""
    return sorted(
        (level for (item, _), level in shop.levels.items() if item == variant.item_id and level.is_active),
        key=lambda level: level.location_id,
    )


def _available(shop: ShopState, variant: Variant, args: Args) -> int:
    return sum(level.quantities["available"] for level in levels_of(shop, variant))


def _sells_online(location: Location) -> bool:
    return location.is_active and location.fulfils_online


def _for_sale_online(shop: ShopState, variant: Variant, args: Args) -> int:
    """Assumed: what is available where online orders are fulfilled, below zero too."""
    levels = levels_of(shop, variant)
    return sum(level.quantities["available"] for level in levels if _sells_online(shop.locations[level.location_id]))


PRODUCT: Fields = {
    "id": global_id("Product"),
    "title": attribute("title"),
    "status": attribute("status"),
    "variants": paged(_variants_of),
}

VARIANT: Fields = {
    "id": global_id("ProductVariant"),
    "legacyResourceId": legacy_id,
    "sku": attribute("sku"),
    "barcode": attribute("barcode"),
    "title": attribute("title"),
    "displayName": _display_name,
    "price": attribute("price"),
    "product": lambda shop, variant, args: shop.products[variant.product_id],
    "inventoryItem": lambda shop, variant, args: Item(variant),
    "inventoryQuantity": _available,
    "sellableOnlineQuantity": _for_sale_online,
    "metafield": metafield_of("ProductVariant"),
}


class Item:
    """A variant seen as its inventory item."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.id = variant.item_id


def _same_sku(shop: ShopState, item: Item, args: Args) -> int:
    sku = item.variant.sku
    return sum(1 for other in shop.variants.values() if sku and other.sku == sku and other is not item.variant)


def _level_at(shop: ShopState, item: Item, args: Args) -> Level | None:
    return inventory.level_of(shop, item.id, number_of("Location", args["locationId"]))


def _levels_page(shop: ShopState, item: Item, args: Args) -> dict[str, Any]:
    return connection(levels_of(shop, item.variant), args, place=lambda level: level.location_id)


ITEM: Fields = {
    "id": global_id("InventoryItem"),
    "sku": lambda shop, item, args: item.variant.sku or None,
    "tracked": lambda shop, item, args: item.variant.is_tracked,
    "requiresShipping": lambda shop, item, args: item.variant.is_shipped,
    "duplicateSkuCount": _same_sku,
    "variants": paged(lambda shop, item: [item.variant]),
    "inventoryLevel": _level_at,
    "inventoryLevels": _levels_page,
}


def _quantities(shop: ShopState, level: Level, args: Args) -> list[dict[str, Any]]:
    return [_quantity(level, name) for name in args["names"]]


def _quantity(level: Level, name: str) -> dict[str, Any]:
    number = level.on_hand if name == "on_hand" else level.quantities.get(name, 0)
    return {
        "id": gid("InventoryQuantity", f"{level.location_id}?inventory_item_id={level.item_id}&name={name}"),
        "name": name,
        "quantity": number,
        "updatedAt": stamp(level.changed_at.get(name)),
    }


LEVEL: Fields = {
    "id": lambda shop, level, args: inventory.level_gid(level),
    "isActive": attribute("is_active"),
    "item": lambda shop, level, args: Item(_variant(shop, level.item_id)),
    "location": lambda shop, level, args: shop.locations[level.location_id],
    "quantities": _quantities,
    "updatedAt": moment("updated_at"),
}


def _variant(shop: ShopState, item_id: int) -> Variant:
    return shop.variants[shop.variant_of_item[item_id]]


def _service(shop: ShopState, location: Location, args: Args) -> dict[str, Any] | None:
    return {"handle": location.service_handle} if location.service_handle else None


LOCATION: Fields = {
    "id": global_id("Location"),
    "legacyResourceId": legacy_id,
    "name": attribute("name"),
    "isActive": attribute("is_active"),
    "fulfillsOnlineOrders": lambda shop, location, args: _sells_online(location),
    "isFulfillmentService": lambda shop, location, args: bool(location.service_handle),
    "fulfillmentService": _service,
    "address": lambda shop, location, args: {"city": location.city, "countryCode": location.country_code},
}


GROUP: Fields = {
    "id": global_id("InventoryAdjustmentGroup"),
    "createdAt": moment("created_at"),
    "reason": attribute("reason"),
    "referenceDocumentUri": attribute("reference_uri"),
    "changes": lambda shop, group, args: list(group.changes),
}


CHANGE: Fields = {
    "name": attribute("name"),
    "delta": attribute("delta"),
    "quantityAfterChange": lambda shop, change, args: None,
    "ledgerDocumentUri": attribute("ledger_uri"),
    "item": lambda shop, change, args: Item(_variant(shop, change.item_id)),
    "location": lambda shop, change, args: shop.locations[change.location_id],
}


def inventory_properties(shop: ShopState, root: Any, args: Args) -> dict[str, Any]:
    """The names of quantities with what belongs to what."""
    names = [
        {
            "name": name,
            "displayName": title,
            "isInUse": True,
            "belongsTo": [] if name == "incoming" else ["on_hand"],
            "comprises": [],
        }
        for name, title in _NAMES.items()
    ]
    on_hand = {"name": "on_hand", "displayName": "On hand", "isInUse": True, "belongsTo": []}
    return {"quantityNames": [*names, on_hand | {"comprises": list(inventory.IN_BUILDING)}]}
