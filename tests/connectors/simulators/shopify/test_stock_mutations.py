"""Stock: states, ledger documents, compare-and-swap, keys, places that do not stock an item."""

from typing import Any

import pytest

from connectors.simulators.shopify.state import gid
from tests.connectors.simulators.shopify.asking import ADJUST, Bench, adjust_input, bench

MOVE = """
mutation Move($input: InventoryMoveQuantitiesInput!, $key: String!) {
  inventoryMoveQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { changes { name delta ledgerDocumentUri } }
    userErrors { field message code }
  }
}
"""
ACTIVATE = """
mutation Activate($item: ID!, $place: ID!, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $place) @idempotent(key: $key) {
    inventoryLevel { id isActive }
    userErrors { field message }
  }
}
"""


def adjust(own: Bench, given: dict[str, Any], key: str = "key-1") -> Any:
    return own.data(ADJUST, key=key, input=given)["inventoryAdjustQuantities"]


def test_what_becomes_available_is_in_the_building_too_and_the_key_adds_it_once() -> None:
    own = bench()
    group = adjust(own, adjust_input(own, 1))["inventoryAdjustmentGroup"]
    assert [(c["name"], c["delta"], c["quantityAfterChange"]) for c in group["changes"]] == [
        ("available", 1, None),
        ("on_hand", 1, None),
    ]
    assert adjust(own, adjust_input(own, 1))["inventoryAdjustmentGroup"] == group
    assert own.shop.stock_of(own.jacket, own.warehouse) == 11
    mismatch = adjust(own, adjust_input(own, 2))
    assert mismatch["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    own.shop.state.keys.held.add("key-2")
    assert adjust(own, adjust_input(own, 1), "key-2")["userErrors"][0]["code"] == "IDEMPOTENCY_CONCURRENT_REQUEST"


def test_a_unit_waits_in_quality_control_and_moves_with_its_ledger_documents() -> None:
    own = bench()
    adjust(own, adjust_input(own, 2, name="quality_control", ledgerDocumentUri="gid://returnsops/Return/1"))
    place = {"locationId": gid("Location", own.warehouse.id), "changeFromQuantity": None}
    change = {
        "inventoryItemId": gid("InventoryItem", own.jacket.item_id),
        "quantity": 1,
        "from": place | {"name": "quality_control", "ledgerDocumentUri": "gid://returnsops/Return/1"},
        "to": place | {"name": "available"},
    }
    given = {"reason": "restock", "referenceDocumentUri": "gid://returnsops/Return/1", "changes": [change]}
    moved = own.data(MOVE, key="key-2", input=given)["inventoryMoveQuantities"]
    assert moved["userErrors"] == []
    assert moved["inventoryAdjustmentGroup"]["changes"] == [
        {"name": "quality_control", "delta": -1, "ledgerDocumentUri": "gid://returnsops/Return/1"},
        {"name": "available", "delta": 1, "ledgerDocumentUri": None},
    ]
    quantities = [own.shop.stock_of(own.jacket, own.warehouse, n) for n in ("available", "quality_control", "on_hand")]
    assert quantities == [11, 1, 12]


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("quality_control", {}, "INVALID_QUANTITY_DOCUMENT"),
        ("available", {"ledgerDocumentUri": "x://1"}, "INVALID_AVAILABLE_DOCUMENT"),
        ("damaged", {"ledgerDocumentUri": "gid://shopify/Return/1"}, "INTERNAL_LEDGER_DOCUMENT"),
        ("on_hand", {"ledgerDocumentUri": "x://1"}, "INVALID_QUANTITY_NAME"),
        ("available", {"changeFromQuantity": 9}, "CHANGE_FROM_QUANTITY_STALE"),
        ("available", {"inventoryItemId": gid("InventoryItem", 1)}, "INVALID_INVENTORY_ITEM"),
        ("available", {"locationId": gid("Location", 1)}, "INVALID_LOCATION"),
    ],
)
def test_refusals_leave_stock_as_it_was(name: str, more: dict[str, Any], code: str) -> None:
    own = bench()
    payload = adjust(own, adjust_input(own, 1, name=name, **more))
    assert (payload["inventoryAdjustmentGroup"], [one["code"] for one in payload["userErrors"]]) == (None, [code])
    assert own.shop.stock_of(own.jacket, own.warehouse) == 10


def test_compare_and_swap_must_be_said_even_where_it_is_not_wanted() -> None:
    own = bench()
    given = adjust_input(own, 1)
    del given["changes"][0]["changeFromQuantity"]
    body = own.ask(ADJUST, key="key-1", input=given)
    assert (
        body["errors"][0]["message"] == "InventoryChangeInput must include the following argument: changeFromQuantity."
    )
    assert body["errors"][0]["extensions"] == {"code": "INVALID_FIELD_ARGUMENTS"}
    given["changes"][0]["changeFromQuantity"] = 10
    assert adjust(own, given)["userErrors"] == []


def test_an_item_not_stocked_at_a_place_is_activated_there_first_and_a_closed_place_takes_none() -> None:
    own = bench()
    outlet = own.shop.add_location("Outlet")
    there = {"locationId": gid("Location", outlet.id)}
    assert adjust(own, adjust_input(own, 1, **there))["userErrors"][0]["code"] == "ITEM_NOT_STOCKED_AT_LOCATION"
    item = gid("InventoryItem", own.jacket.item_id)
    activated = own.data(ACTIVATE, key="key-2", item=item, place=there["locationId"])["inventoryActivate"]
    assert activated["inventoryLevel"]["isActive"] is True
    assert adjust(own, adjust_input(own, 1, **there), "key-3")["userErrors"] == []
    own.shop.deactivate_location(outlet.id)
    assert adjust(own, adjust_input(own, 1, **there), "key-4")["userErrors"][0]["code"] == "INVALID_LOCATION"


def test_a_deleted_product_takes_its_stock_along_and_leaves_the_line_of_the_order() -> None:
    own = bench()
    order = own.order()
    own.shop.delete_product(own.jacket.product_id)
    assert adjust(own, adjust_input(own, 1))["userErrors"][0]["code"] == "INVALID_INVENTORY_ITEM"
    asked = "query Line($id: ID!) { order(id: $id) { lineItems(first: 5) { nodes { sku variant { id } } } } }"
    lines = own.data(asked, id=gid("Order", order.id))["order"]["lineItems"]["nodes"]
    assert lines == [{"sku": "ABC-1", "variant": None}]


def test_staff_put_units_back_by_hand() -> None:
    own = bench()
    staff = own.shop.add_staff("Grace Example", email="grace@example.test")
    own.shop.staff_adjust(own.jacket, own.warehouse, delta=2, reason="restock", staff=staff)
    assert own.shop.stock_of(own.jacket, own.warehouse) == 12
    assert [group.staff_id for group in own.shop.state.groups.values()] == [staff.id]


def test_nothing_to_change_makes_no_group() -> None:
    own = bench()
    assert adjust(own, adjust_input(own, 0)) == {"inventoryAdjustmentGroup": None, "userErrors": []}
