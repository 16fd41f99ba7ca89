"""A small shop, and how a test asks it: over its WSGI app, with documents of this project's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import requests

from connectors.simulators.base import SimulatedClock
from connectors.simulators.shopify import (
    STATIC_TOKEN,
    CartLine,
    Customer,
    Location,
    Order,
    ShopifyShop,
    ShopSettings,
    Variant,
)
from connectors.simulators.shopify.state import gid
from connectors.simulators.wsgi_transport import mounted_session

HOST = "https://returnsops-test.myshopify.com"
START = datetime(2026, 7, 1, 9, 0, 0, tzinfo=UTC)

REFUND = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund {
      id
      note
      totalRefundedSet { shopMoney { amount } presentmentMoney { amount } }
      refundLineItems(first: 5) { nodes { quantity restockType subtotalSet { shopMoney { amount } } } }
      orderAdjustments(first: 5) { nodes { reason amountSet { shopMoney { amount } } } }
      transactions(first: 5) { nodes { id status gateway amountSet { shopMoney { amount } } } }
    }
    order { displayFinancialStatus netPaymentSet { shopMoney { amount } } }
    userErrors { field message }
  }
}
"""

ADJUST = """
mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id reason changes { name delta quantityAfterChange } }
    userErrors { field message code }
  }
}
"""


@dataclass(kw_only=True)
class Bench:
    """A shop with one warehouse, one jacket and one customer."""

    shop: ShopifyShop
    clock: SimulatedClock
    http: requests.Session
    warehouse: Location
    jacket: Variant
    customer: Customer

    def send(
        self, document: str, variables: Mapping[str, Any] | None = None, *, token: str = STATIC_TOKEN
    ) -> requests.Response:
        """One request as a client makes it."""
        return self.http.post(
            f"{HOST}/admin/api/2026-07/graphql.json",
            json={"query": document, "variables": dict(variables or {})},
            headers={"X-Shopify-Access-Token": token},
        )

    def ask(self, document: str, **variables: Any) -> Any:
        """The whole body of the answer."""
        return self.send(document, variables).json()

    def data(self, document: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        body = self.ask(document, **variables)
        assert "errors" not in body, body["errors"]
        return body["data"]

    def order(self, quantity: int = 2, **details: Any) -> Order:
        """A paid order of jackets at 25.00, tax included."""
        return self.shop.place([CartLine(variant=self.jacket, quantity=quantity)], customer=self.customer, **details)

    def refund(self, order: Order, amount: str, *, key: str = "key-1", lines: int = 0, **more: Any) -> Any:
        """refundCreate over the order's first payment; returns its payload."""
        return self.data(REFUND, key=key, input=refund_input(order, amount, lines=lines, **more))["refundCreate"]


def bench(**settings: Any) -> Bench:
    """A new shop."""
    clock = SimulatedClock(START)
    shop = ShopifyShop(clock=clock, settings=ShopSettings(**settings))
    warehouse = shop.add_location("Leeds")
    jacket = shop.add_product("Jacket", sku="ABC-1", price=Decimal("25.00"), stock={warehouse.id: 10})
    return Bench(
        shop=shop,
        clock=clock,
        http=mounted_session(shop.app, HOST),
        warehouse=warehouse,
        jacket=jacket,
        customer=shop.add_customer(),
    )


def refund_input(order: Order, amount: str, *, lines: int = 0, **more: Any) -> dict[str, Any]:
    """The input of refundCreate: money over the first payment ("" for none), units of the first line."""
    given: dict[str, Any] = {"orderId": gid("Order", order.id), "note": "returnsops RET-42", **more}
    if amount:
        payment = order.transactions[0]
        given["transactions"] = [
            {
                "orderId": gid("Order", order.id),
                "parentId": gid("OrderTransaction", payment.id),
                "kind": "REFUND",
                "gateway": payment.gateway,
                "amount": amount,
            }
        ]
    if lines:
        line = {"lineItemId": gid("LineItem", order.lines[0].id), "quantity": lines, "restockType": "NO_RESTOCK"}
        given["refundLineItems"] = [line]
    return given


def adjust_input(own: Bench, delta: int, *, name: str = "available", **more: Any) -> dict[str, Any]:
    """The input of inventoryAdjustQuantities for the jacket; `more` goes into its one change."""
    change = {
        "inventoryItemId": gid("InventoryItem", own.jacket.item_id),
        "locationId": gid("Location", own.warehouse.id),
        "delta": delta,
        "changeFromQuantity": None,
        **more,
    }
    return {"name": name, "reason": "restock", "changes": [change]}
