"""Returns through their life, parcels back, dispositions, processing: what the recordings leave open between them."""

from decimal import Decimal
from typing import Any

from connectors.simulators.shopify import Order
from connectors.simulators.shopify.state import gid
from tests.connectors.simulators.shopify.asking import Bench, bench

CREATE = """
mutation Create($given: ReturnInput!) {
  returnCreate(returnInput: $given) {
    return {
      id
      name
      status
      order { returnStatus }
      returnLineItems(first: 5) { nodes { id quantity processedQuantity refundableQuantity } }
      exchangeLineItems(first: 5) { nodes { id processedQuantity } }
      reverseFulfillmentOrders(first: 5) { nodes { id status lineItems(first: 5) { nodes { id totalQuantity } } } }
    }
    userErrors { field message code }
  }
}
"""
PROCESS = """
mutation Process($input: ReturnProcessInput!) {
  returnProcess(input: $input) {
    return {
      status
      returnLineItems(first: 5) { nodes { processedQuantity unprocessedQuantity refundedQuantity } }
      refunds(first: 5) { nodes { note totalRefundedSet { shopMoney { amount } } return { name } } }
      exchangeLineItems(first: 5) { nodes { processedQuantity lineItems { sku currentQuantity } } }
    }
    userErrors { field message code }
  }
}
"""
CLOSE = "mutation Close($id: ID!) { returnClose(id: $id) { return { status closedAt } userErrors { code } } }"
CANCEL = "mutation Cancel($id: ID!) { returnCancel(id: $id) { return { status } userErrors { field code } } }"
DELIVER = """
mutation Deliver($id: ID!, $tracking: ReverseDeliveryTrackingInput) {
  reverseDeliveryCreateWithShipping(reverseFulfillmentOrderId: $id, reverseDeliveryLineItems: [], trackingInput: $tracking) {
    reverseDelivery {
      id
      reverseDeliveryLineItems(first: 5) { nodes { quantity } }
      deliverable { ... on ReverseDeliveryShippingDeliverable { tracking { number url carrierName } } }
    }
    userErrors { field message code }
  }
}
"""  # noqa: E501
DISPOSE = """
mutation Dispose($inputs: [ReverseFulfillmentOrderDisposeInput!]!) {
  reverseFulfillmentOrderDispose(dispositionInputs: $inputs) {
    reverseFulfillmentOrderLineItems { dispositions { type quantity } }
    userErrors { field message code }
  }
}
"""


def sent_order(own: Bench, quantity: int = 2) -> Order:
    """A paid order that has left the house."""
    return own.order(quantity, is_fulfilled=True)


def create(own: Bench, order: Order, quantity: int = 1, **more: Any) -> Any:
    line = order.fulfilments[0].lines[0]
    given = {
        "orderId": gid("Order", order.id),
        "returnLineItems": [
            {
                "fulfillmentLineItemId": gid("FulfillmentLineItem", line.id),
                "quantity": quantity,
                "returnReason": "DEFECTIVE",
            }
        ],
        **more,
    }
    return own.data(CREATE, given=given)["returnCreate"]


def test_units_can_be_asked_back_once() -> None:
    own = bench()
    order = sent_order(own)
    made = create(own, order)["return"]
    assert (made["name"], made["status"], made["order"]) == (
        f"{order.name}-R1",
        "OPEN",
        {"returnStatus": "IN_PROGRESS"},
    )
    assert [line["totalQuantity"] for line in made["reverseFulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"]] == [1]
    again = create(own, order, 2)
    assert (again["return"], again["userErrors"][0]["code"]) == (None, "INVALID")
    asked = """query Left($id: ID!) { returnableFulfillments(orderId: $id, first: 5) { nodes {
      returnableFulfillmentLineItems(first: 5) { nodes { quantity } } } } }"""
    left = own.data(asked, id=gid("Order", order.id))["returnableFulfillments"]["nodes"]
    assert left == [{"returnableFulfillmentLineItems": {"nodes": [{"quantity": 1}]}}]


def test_processing_pays_links_the_refund_and_leaves_the_return_open_until_it_is_closed() -> None:
    own = bench()
    order = sent_order(own)
    made = create(own, order)["return"]
    payment = {
        "parentId": gid("OrderTransaction", order.transactions[0].id),
        "transactionAmount": {"amount": "25.00", "currencyCode": "GBP"},
    }
    line = made["returnLineItems"]["nodes"][0]
    given = {
        "returnId": made["id"],
        "note": "returnsops RET-42",
        "returnLineItems": [{"id": line["id"], "quantity": 1}],
        "financialTransfer": {"issueRefund": {"orderTransactions": [payment]}},
    }
    processed = own.data(PROCESS, input=given)["returnProcess"]["return"]
    assert processed == {
        "status": "OPEN",
        "returnLineItems": {"nodes": [{"processedQuantity": 1, "unprocessedQuantity": 0, "refundedQuantity": 1}]},
        "refunds": {
            "nodes": [
                {
                    "note": "returnsops RET-42",
                    "totalRefundedSet": {"shopMoney": {"amount": "25.0"}},
                    "return": {"name": made["name"]},
                }
            ]
        },
        "exchangeLineItems": {"nodes": []},
    }
    twice = own.data(PROCESS, input=given)["returnProcess"]
    assert twice["userErrors"][0]["code"] == "INVALID"
    assert own.shop.refunded_total(order) == Decimal("25.00")
    assert own.data(CANCEL, id=made["id"])["returnCancel"]["userErrors"] == [{"field": ["id"], "code": "INVALID_STATE"}]
    assert own.data(CLOSE, id=made["id"])["returnClose"]["return"]["status"] == "CLOSED"


def test_processing_without_transfer_moves_no_money_and_an_exchange_becomes_a_line_of_the_order() -> None:
    own = bench()
    order = sent_order(own)
    wanted = {"variantId": gid("ProductVariant", own.jacket.id), "quantity": 1}
    made = create(own, order, exchangeLineItems=[wanted])["return"]
    given = {
        "returnId": made["id"],
        "returnLineItems": [{"id": made["returnLineItems"]["nodes"][0]["id"], "quantity": 1}],
        "exchangeLineItems": [{"id": made["exchangeLineItems"]["nodes"][0]["id"], "quantity": 1}],
    }
    processed = own.data(PROCESS, input=given)["returnProcess"]["return"]
    assert processed["refunds"] == {"nodes": []}
    assert processed["exchangeLineItems"]["nodes"] == [
        {"processedQuantity": 1, "lineItems": [{"sku": "ABC-1", "currentQuantity": 1}]}
    ]
    assert own.shop.refunds_of(order) == []


def test_a_parcel_back_is_tracked_and_restocked_units_become_available_once() -> None:
    own = bench()
    order = sent_order(own)
    made = create(own, order)["return"]
    reverse = made["reverseFulfillmentOrders"]["nodes"][0]
    tracking = {"number": "RT-1", "url": "https://carrier.example/RT-1"}
    delivery = own.data(DELIVER, id=reverse["id"], tracking=tracking)["reverseDeliveryCreateWithShipping"]
    assert delivery["reverseDelivery"]["reverseDeliveryLineItems"]["nodes"] == [{"quantity": 1}]
    assert delivery["reverseDelivery"]["deliverable"]["tracking"] == tracking | {"carrierName": None}
    before = own.shop.stock_of(own.jacket, own.warehouse)
    given = {
        "reverseFulfillmentOrderLineItemId": reverse["lineItems"]["nodes"][0]["id"],
        "quantity": 1,
        "dispositionType": "RESTOCKED",
        "locationId": gid("Location", own.warehouse.id),
    }
    disposed = own.data(DISPOSE, inputs=[given])["reverseFulfillmentOrderDispose"]
    assert disposed["reverseFulfillmentOrderLineItems"] == [{"dispositions": [{"type": "RESTOCKED", "quantity": 1}]}]
    assert own.shop.stock_of(own.jacket, own.warehouse) == before + 1
    again = own.data(DISPOSE, inputs=[given])["reverseFulfillmentOrderDispose"]
    assert again["userErrors"][0]["field"] == ["dispositionInputs", "0", "quantity"]
    assert own.shop.stock_of(own.jacket, own.warehouse) == before + 1


def test_a_return_cancelled_gives_its_units_free() -> None:
    own = bench()
    order = sent_order(own, 1)
    made = create(own, order)["return"]
    assert own.data(CANCEL, id=made["id"])["returnCancel"]["return"] == {"status": "CANCELED"}
    assert create(own, order)["return"]["name"] == f"{order.name}-R2"
