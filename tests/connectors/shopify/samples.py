"""Variables with which each document is held against the published schema: one sample per document."""

from collections.abc import Mapping
from typing import Any, Final

ORDER: Final = "gid://shopify/Order/1001"
RETURN: Final = "gid://shopify/Return/61"
MONEY: Final = {"amount": "25.00", "currencyCode": "GBP"}
_CHANGE: Final = {
    "inventoryItemId": "gid://shopify/InventoryItem/1",
    "locationId": "gid://shopify/Location/1",
    "delta": 1,
    "changeFromQuantity": None,
}
_MOVE_END: Final = {"locationId": "gid://shopify/Location/1", "name": "available"}

SAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "AdjustmentById": {"id": "gid://shopify/InventoryAdjustmentGroup/1"},
    "BulkQuery": {"query": "{ productVariants { edges { node { id } } } }"},
    "BulkStatus": {"id": "gid://shopify/BulkOperation/1"},
    "CatalogueBulk": {},
    "CataloguePage": {"after": None},
    "ExchangeOrder": {"id": ORDER},
    "ExchangeOrderCreate": {
        "order": {
            "currency": "GBP",
            "financialStatus": "PAID",
            "sourceIdentifier": "returnsops-1",
            "tags": ["returnsops-exchange"],
            "note": "Exchange for #1001 (return RMA-77)",
            "customAttributes": [{"key": "returnsops_key", "value": "exchange:reveni/ret-1:ex-1"}],
            "customer": {"toAssociate": {"id": "gid://shopify/Customer/5"}},
            "shippingAddress": {"firstName": "A", "address2": "2", "provinceCode": "X", "countryCode": "GB"},
            "lineItems": [
                {
                    "variantId": "gid://shopify/ProductVariant/77",
                    "quantity": 1,
                    "requiresShipping": True,
                    "priceSet": {"shopMoney": MONEY},
                }
            ],
        },
        "options": {"inventoryBehaviour": "DECREMENT_OBEYING_POLICY", "sendReceipt": False},
    },
    "ExchangeOrders": {"query": 'source_identifier:"returnsops-1"'},
    "ExchangeOriginal": {"id": ORDER, "namespace": "returnsops", "key": "exchange_1"},
    "GiftCardById": {"id": "gid://shopify/GiftCard/1"},
    "GiftCardCreate": {"input": {"code": "ABCD2345EFGH6789", "initialAmount": MONEY, "note": "gift_card:RET-42"}},
    "GiftCardDeactivate": {"id": "gid://shopify/GiftCard/1"},
    "GiftCards": {"query": "id:1", "after": None},
    "InventoryAdjust": {"key": "k", "input": {"name": "available", "reason": "restock", "changes": [_CHANGE]}},
    "InventoryMove": {
        "key": "k",
        "input": {
            "reason": "restock",
            "referenceDocumentUri": "gid://returnsops/Return/RMA-77",
            "changes": [
                {
                    "inventoryItemId": "gid://shopify/InventoryItem/1",
                    "quantity": 1,
                    "from": {**_MOVE_END, "changeFromQuantity": None},
                    "to": {**_MOVE_END, "name": "damaged", "changeFromQuantity": None},
                }
            ],
        },
    },
    "MetafieldsSet": {
        "metafields": [{"ownerId": ORDER, "namespace": "returnsops", "key": "status", "type": "json", "value": "{}"}]
    },
    "OrderFinalState": {"id": ORDER, "lines": None},
    "OrderMarks": {"id": ORDER, "namespace": "returnsops", "key": "status", "customerKey": "last_return"},
    "OrderShown": {"id": ORDER, "namespace": "returnsops"},
    "OrderNote": {"input": {"id": ORDER, "note": "RMA-77"}},
    "OrdersByName": {"query": 'name:"#1001"'},
    "OrdersChanged": {"query": "updated_at:>='2026-11-01T00:00:00Z'", "after": None},
    "OrdersPast": {"query": "updated_at:>='2026-11-01T00:00:00Z'", "after": None, "lines": None},
    "OrderMovements": {"id": ORDER},
    "RefundAuthors": {"id": ORDER, "first": 100},
    "RefundsByIds": {"ids": ["gid://shopify/Refund/1"]},
    "OrderDispositions": {"id": ORDER, "after": None},
    "OrderCancel": {"orderId": ORDER, "reason": "OTHER", "staffNote": "Exchange withdrawn"},
    "RefundCreate": {
        "key": "k",
        "input": {
            "orderId": ORDER,
            "note": "refund:RET-42",
            "notify": False,
            "currency": "GBP",
            "refundLineItems": [
                {"lineItemId": "gid://shopify/LineItem/11", "quantity": 1, "restockType": "NO_RESTOCK"}
            ],
            "transactions": [
                {
                    "orderId": ORDER,
                    "parentId": "gid://shopify/OrderTransaction/21",
                    "kind": "REFUND",
                    "gateway": "shopify_payments",
                    "amount": "25.00",
                }
            ],
        },
    },
    "RefundLines": {"id": "gid://shopify/Refund/501", "after": None},
    "ReverseOrderLines": {"id": "gid://shopify/ReverseFulfillmentOrder/71", "after": None},
    "ReturnById": {"id": RETURN},
    "ReturnCancel": {"id": RETURN},
    "ReturnClose": {"id": RETURN},
    "ReturnCreate": {
        "input": {
            "orderId": ORDER,
            "requestedAt": "2026-11-02T09:00:00Z",
            "returnLineItems": [
                {
                    "fulfillmentLineItemId": "gid://shopify/FulfillmentLineItem/31",
                    "quantity": 1,
                    "returnReasonDefinitionId": "gid://shopify/ReturnReasonDefinition/5",
                    "returnReasonNote": "open_return:reveni/ret-1 Return RMA-77",
                }
            ],
        }
    },
    "ReturnProcess": {
        "input": {
            "returnId": RETURN,
            "notifyCustomer": False,
            "note": "close_return:reveni/ret-1 Return RMA-77",
            "returnLineItems": [
                {
                    "id": "gid://shopify/ReturnLineItem/71",
                    "quantity": 1,
                    "dispositions": [
                        {
                            "reverseFulfillmentOrderLineItemId": "gid://shopify/ReverseFulfillmentOrderLineItem/81",
                            "quantity": 1,
                            "dispositionType": "NOT_RESTOCKED",
                        }
                    ],
                }
            ],
        }
    },
    "ReturnReasons": {"after": None},
    "ReturnableUnits": {"orderId": ORDER},
    "ReturnsOfOrder": {"id": ORDER},
    "ReverseDeliveryCreate": {
        "rfoId": "gid://shopify/ReverseFulfillmentOrder/9",
        "tracking": {"number": "1Z999", "url": "https://carrier.example/1Z999"},
    },
    "ShopInfo": {},
    "TagsAdd": {"id": ORDER, "tags": ["returnsops-refunded"]},
    "RemoveFromReturn": {
        "returnId": "gid://shopify/Return/1",
        "lines": [{"returnLineItemId": "gid://shopify/ReturnLineItem/1", "quantity": 1}],
    },
    "ProductVariants": {"id": "gid://shopify/Product/1"},
    "VariantLevels": {"id": "gid://shopify/ProductVariant/1"},
    "VariantForSale": {"id": "gid://shopify/ProductVariant/1"},
    "VariantStock": {"id": "gid://shopify/ProductVariant/1", "locationId": "gid://shopify/Location/1"},
    "VariantsBySku": {"query": 'sku:"ABC-1"'},
    "WebhookCreate": {
        "topic": "ORDERS_UPDATED",
        "webhookSubscription": {"uri": "https://ops.example/webhooks/shop/", "format": "JSON"},
    },
    "WebhookList": {"after": None},
}
