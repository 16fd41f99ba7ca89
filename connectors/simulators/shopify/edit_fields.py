"""The fields of an open edit: CalculatedOrder with its lines, discounts and postage."""

from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.edit_figures import Edited, taken_off
from connectors.simulators.shopify.edit_records import StagedDiscount
from connectors.simulators.shopify.order_fields import shown
from connectors.simulators.shopify.paging import Args, Field, Fields, connection
from connectors.simulators.shopify.records import OrderLine, ShippingLine
from connectors.simulators.shopify.state import ShopState, gid

EditedLine = tuple[Edited, int]
"""A line of an edited order, by its id."""


def _bag(of: Any) -> Field:
    return lambda shop, found, args: shown(found.draft, of(shop, found.draft))


def _lines(shop: ShopState, found: Edited, args: Args) -> dict[str, Any]:
    return _page(found, [line.id for line in found.order.lines], args)


def _added_lines(shop: ShopState, found: Edited, args: Args) -> dict[str, Any]:
    return _page(found, [line.id for line in found.edit.lines.values()], args)


def _page(found: Edited, line_ids: list[int], args: Args) -> dict[str, Any]:
    return connection([(found, line_id) for line_id in line_ids], args, place=lambda pair: pair[1])


def _postage(shop: ShopState, found: Edited, args: Args) -> list[tuple[Edited, ShippingLine]]:
    return [(found, line) for line in [*found.order.shipping_lines, *found.edit.postage.values()]]


def _units(shop: ShopState, found: Edited, args: Args) -> int:
    return sum(pricing.current_quantity(shop, found.draft, line) for line in found.draft.lines)


CALCULATED_ORDER: Fields = {
    "id": lambda shop, found, args: gid("CalculatedOrder", found.edit.id),
    "originalOrder": lambda shop, found, args: found.order,
    "lineItems": _lines,
    "addedLineItems": _added_lines,
    "shippingLines": _postage,
    "subtotalLineItemsQuantity": _units,
    "subtotalPriceSet": _bag(pricing.current_subtotal),
    "totalPriceSet": _bag(pricing.current_total),
    "totalOutstandingSet": _bag(pricing.outstanding),
}


def _line(found: EditedLine) -> OrderLine:
    return found[0].line(found[1])


def _line_key(found: EditedLine) -> str:
    keys = {line.id: key for key, line in found[0].edit.lines.items()}
    return gid("CalculatedLineItem", keys.get(found[1], found[1]))


def _unit_price(shop: ShopState, found: EditedLine, args: Args) -> dict[str, Any]:
    line = _line(found)
    return shown(found[0].draft, pricing.line_total(line, "line").part(1, line.quantity))


def _staged(found: EditedLine) -> dict[str, StagedDiscount]:
    return {key: one for key, one in found[0].edit.discounts.items() if one.line_id == found[1]}


def _allocations(shop: ShopState, found: EditedLine, args: Args) -> list[dict[str, Any]]:
    """Of the discounts that this edit gives; how older ones are named in an edit was not recorded."""
    line, draft = _line(found), found[0].draft
    units = pricing.current_quantity(shop, draft, line)
    return [
        {
            "allocatedAmountSet": shown(draft, taken_off(line, one, units)),
            "discountApplication": {
                "__typename": "CalculatedManualDiscountApplication",
                "id": gid("CalculatedManualDiscountApplication", key),
                "description": one.description,
            },
        }
        for key, one in _staged(found).items()
    ]


CALCULATED_LINE: Fields = {
    "id": lambda shop, found, args: _line_key(found),
    "title": lambda shop, found, args: _line(found).title,
    "sku": lambda shop, found, args: _line(found).sku or None,
    "variant": lambda shop, found, args: shop.variants.get(_line(found).variant_id or 0),
    "quantity": lambda shop, found, args: pricing.current_quantity(shop, found[0].draft, _line(found)),
    "originalUnitPriceSet": lambda shop, found, args: shown(found[0].draft, _line(found).unit_price),
    "discountedUnitPriceSet": _unit_price,
    "calculatedDiscountAllocations": _allocations,
    "hasStagedLineItemDiscount": lambda shop, found, args: bool(_staged(found)),
}


def _postage_key(found: tuple[Edited, ShippingLine]) -> str:
    keys = {line.id: key for key, line in found[0].edit.postage.items()}
    return gid("CalculatedShippingLine", keys.get(found[1].id, found[1].id))


def _postage_status(shop: ShopState, found: tuple[Edited, ShippingLine], args: Args) -> str:
    edit, line = found[0].edit, found[1]
    if line.id in edit.removed_postage:
        return "REMOVED"
    return "ADDED" if any(added.id == line.id for added in edit.postage.values()) else "NONE"


CALCULATED_POSTAGE: Fields = {
    "id": lambda shop, found, args: _postage_key(found),
    "title": lambda shop, found, args: found[1].title,
    "price": lambda shop, found, args: shown(found[0].draft, found[1].price),
    "stagedStatus": _postage_status,
}
