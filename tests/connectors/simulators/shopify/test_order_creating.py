"""orderCreate: neither takes stock nor ships unless told to; a second call makes a second order."""

from typing import Any

from connectors.simulators.shopify.state import gid
from tests.connectors.simulators.shopify.asking import Bench, bench

CREATE = """
mutation Create($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {
  orderCreate(order: $order, options: $options) {
    order {
      name
      sourceIdentifier
      displayFinancialStatus
      totalPriceSet { shopMoney { amount } }
      lineItems(first: 5) { nodes { sku requiresShipping } }
    }
    userErrors { field message code }
  }
}
"""
FIND = """query Find($query: String!) { orders(first: 5, query: $query, sortKey: UPDATED_AT) { nodes { name } } }"""


def exchange(own: Bench, *, quantity: int = 1, **line: Any) -> dict[str, Any]:
    return {
        "customer": {"toAssociate": {"id": gid("Customer", own.customer.id)}},
        "financialStatus": "PAID",
        "sourceIdentifier": "RET-42",
        "tags": ["returnsops-exchange"],
        "lineItems": [
            {
                "variantId": gid("ProductVariant", own.jacket.id),
                "quantity": quantity,
                "priceSet": {"shopMoney": {"amount": "0.00", "currencyCode": "GBP"}},
                **line,
            }
        ],
    }


def test_by_default_no_stock_is_taken_and_nothing_ships() -> None:
    own = bench()
    made = own.data(CREATE, order=exchange(own))["orderCreate"]["order"]
    assert (made["displayFinancialStatus"], made["totalPriceSet"]["shopMoney"]) == ("PAID", {"amount": "0.0"})
    assert made["lineItems"]["nodes"] == [{"sku": "ABC-1", "requiresShipping": False}]
    assert own.shop.stock_of(own.jacket, own.warehouse) == 10


def test_stock_is_claimed_when_told_to_and_never_what_is_not_there() -> None:
    own = bench()
    options = {"inventoryBehaviour": "DECREMENT_OBEYING_POLICY"}
    made = own.data(CREATE, order=exchange(own, requiresShipping=True), options=options)["orderCreate"]
    assert made["order"]["lineItems"]["nodes"][0]["requiresShipping"] is True
    stock = [own.shop.stock_of(own.jacket, own.warehouse, name) for name in ("available", "committed", "on_hand")]
    assert stock == [9, 1, 10]
    refused = own.data(CREATE, order=exchange(own, quantity=10), options=options)["orderCreate"]
    assert (refused["order"], refused["userErrors"][0]["code"]) == (None, "INVENTORY_CLAIM_FAILED")
    assert len(own.shop.state.orders) == 1


def test_the_search_knows_an_order_only_after_its_lag() -> None:
    own = bench(search_lag_s=5)
    name = own.data(CREATE, order=exchange(own))["orderCreate"]["order"]["name"]
    for query in ("source_identifier:RET-42", "tag:'returnsops-exchange'", f'name:"{name}"'):
        assert own.data(FIND, query=query)["orders"]["nodes"] == []
    own.clock.advance(5)
    for query in ("source_identifier:RET-42", "tag:'returnsops-exchange'", f'name:"{name}"'):
        assert own.data(FIND, query=query)["orders"]["nodes"] == [{"name": name}]
    assert own.data(FIND, query="tag_not:'returnsops-exchange'")["orders"]["nodes"] == []
    assert own.data(FIND, query="updated_at:>='2026-07-01T09:00:01Z'")["orders"]["nodes"] == []
