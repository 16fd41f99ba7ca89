"""Metafields, tags, notes: repeatable, all or none, compare-and-set; and staff's edits as the order shows them."""

from decimal import Decimal
from typing import Any

from connectors.simulators.shopify import CartLine
from connectors.simulators.shopify.state import gid
from tests.connectors.simulators.shopify.asking import Bench, bench

SET = """
mutation Set($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    metafields { value compareDigest }
    userErrors { field code }
  }
}
"""
TAG = (
    "mutation Tag($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { node { id } userErrors { message } } }"
)
NOTE = (
    "mutation Note($input: OrderInput!) { orderUpdate(input: $input) { order { note tags } userErrors { message } } }"
)
STATE = """
query State($id: ID!) { order(id: $id) {
  edited
  metafield(namespace: "returnsops", key: "status") { value }
  subtotalPriceSet { shopMoney { amount } }
  currentSubtotalPriceSet { shopMoney { amount } }
  currentTotalTaxSet { shopMoney { amount } }
  currentTotalPriceSet { shopMoney { amount } }
  totalOutstandingSet { shopMoney { amount } }
  lineItems(first: 5) { nodes { sku quantity currentQuantity refundableQuantity
    priceAfterAllDiscountsBeforeTaxesSet { shopMoney { amount } }
    discountAllocations { allocatedAmountSet { shopMoney { amount } } }
    taxLines { priceSet { shopMoney { amount } } } } }
} }
"""


def put(own: Bench, owner: str, value: str, **more: Any) -> Any:
    given = {"ownerId": owner, "namespace": "returnsops", "key": "status", "type": "json", "value": value, **more}
    return own.data(SET, metafields=[given])["metafieldsSet"]


def test_a_metafield_is_written_again_without_harm_and_compared_where_asked() -> None:
    own = bench()
    owner = gid("Order", own.order().id)
    first = put(own, owner, '{"state":"received"}')["metafields"][0]
    assert put(own, owner, '{"state":"received"}', compareDigest="stale")["userErrors"] == []
    stale = put(own, owner, '{"state":"refunded"}', compareDigest="stale")
    assert (stale["metafields"], stale["userErrors"][0]["code"]) == (None, "STALE_OBJECT")
    assert put(own, owner, '{"state":"refunded"}', compareDigest=first["compareDigest"])["userErrors"] == []
    assert own.data(STATE, id=owner)["order"]["metafield"] == {"value": '{"state":"refunded"}'}
    unknown = put(own, gid("Order", 1), "{}")
    assert unknown["userErrors"][0]["field"] == ["metafields", "0", "ownerId"]


def test_tags_are_added_to_what_is_there_and_a_note_replaces_the_whole() -> None:
    own = bench()
    order = own.order(tags=["vip"], note="Leave at the door")
    owner = gid("Order", order.id)
    for _ in range(2):
        own.data(TAG, id=owner, tags=["returnsops"])
    assert own.data(NOTE, input={"id": owner, "note": "RET-42 refunded"})["orderUpdate"]["order"] == {
        "note": "RET-42 refunded",
        "tags": ["returnsops", "vip"],
    }


def test_an_edit_leaves_the_old_figures_beside_the_new() -> None:
    """As the recording of the money of an edit says: tax lines and discounts stay, totals follow."""
    own = bench(is_tax_included=False)
    shirt = own.shop.add_product("Shirt", sku="DEF-2", price=Decimal("10.00"))
    cart = CartLine(variant=own.jacket, quantity=2, order_discount=Decimal("10.00"))
    order = own.shop.place([cart], tax_rate=Decimal("0.1"))
    own.shop.edit(order, quantities={order.lines[0].id: 1}, add=[shirt])
    seen = own.data(STATE, id=gid("Order", order.id))["order"]
    amounts = {name: value["shopMoney"]["amount"] for name, value in seen.items() if name.endswith("Set")}
    assert amounts == {
        "subtotalPriceSet": "50.0",
        "currentSubtotalPriceSet": "30.0",
        "currentTotalTaxSet": "3.0",
        "currentTotalPriceSet": "33.0",
        "totalOutstandingSet": "-11.0",
    }
    assert seen["edited"] is True
    jacket = seen["lineItems"]["nodes"][0]
    assert (jacket["quantity"], jacket["currentQuantity"], jacket["refundableQuantity"]) == (2, 1, 1)
    assert jacket["discountAllocations"][0]["allocatedAmountSet"]["shopMoney"]["amount"] == "10.0"
    assert jacket["taxLines"][0]["priceSet"]["shopMoney"]["amount"] == "4.0"
    assert jacket["priceAfterAllDiscountsBeforeTaxesSet"]["shopMoney"]["amount"] == "20.0"
