"""The executable schema: schema.graphql with every field answered from plain maps."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema

from connectors.simulators.shopify import (
    customer_fields,
    edit_fields,
    marks,
    order_fields,
    refund_fields,
    return_fields,
    shop_fields,
    stock_fields,
)
from connectors.simulators.shopify.after_sales_records import (
    Bulk,
    CreditAccount,
    GiftCard,
    Return,
    ReverseDelivery,
    ReverseOrder,
    Subscription,
)
from connectors.simulators.shopify.amounts import written
from connectors.simulators.shopify.paging import EVERYTHING, Fields
from connectors.simulators.shopify.records import (
    AdjustmentGroup,
    Customer,
    FulfilmentLine,
    Level,
    Location,
    Order,
    Product,
    Refund,
    Transaction,
    Variant,
)
from connectors.simulators.shopify.roots import MUTATIONS, QUERIES
from connectors.simulators.shopify.state import ShopState

SDL = Path(__file__).with_name("schema.graphql")

FIELDS: dict[str, Fields] = {
    "QueryRoot": QUERIES,
    "Order": order_fields.ORDER,
    "LineItem": order_fields.LINE_ITEM,
    "Duty": order_fields.DUTY,
    "ShippingLine": order_fields.SHIPPING_LINE,
    "OrderTransaction": order_fields.TRANSACTION,
    "Fulfillment": order_fields.FULFILMENT,
    "FulfillmentLineItem": order_fields.FULFILMENT_LINE,
    "CalculatedOrder": edit_fields.CALCULATED_ORDER,
    "CalculatedLineItem": edit_fields.CALCULATED_LINE,
    "CalculatedShippingLine": edit_fields.CALCULATED_POSTAGE,
    "Refund": refund_fields.REFUND,
    "RefundLineItem": refund_fields.REFUND_LINE,
    "OrderAdjustment": refund_fields.ADJUSTMENT,
    "StaffMember": refund_fields.STAFF,
    "Product": stock_fields.PRODUCT,
    "ProductVariant": stock_fields.VARIANT,
    "InventoryItem": stock_fields.ITEM,
    "InventoryLevel": stock_fields.LEVEL,
    "Location": stock_fields.LOCATION,
    "InventoryAdjustmentGroup": stock_fields.GROUP,
    "InventoryChange": stock_fields.CHANGE,
    "Customer": customer_fields.CUSTOMER,
    "StoreCreditAccount": customer_fields.ACCOUNT,
    "StoreCreditAccountCreditTransaction": customer_fields.CREDIT_MOVEMENT,
    "StoreCreditAccountDebitTransaction": customer_fields.CREDIT_MOVEMENT,
    "GiftCard": customer_fields.GIFT_CARD,
    "Metafield": marks.METAFIELD,
    "MetafieldDefinition": marks.DEFINITION,
    "Return": return_fields.RETURN,
    "ReturnLineItem": return_fields.RETURN_LINE,
    "ExchangeLineItem": return_fields.EXCHANGE_LINE,
    "ReturnReasonDefinition": return_fields.REASON_DEFINITION,
    "ReverseFulfillmentOrder": return_fields.REVERSE_ORDER,
    "ReverseFulfillmentOrderLineItem": return_fields.REVERSE_LINE,
    "ReverseFulfillmentOrderDisposition": return_fields.DISPOSITION,
    "ReverseDelivery": return_fields.REVERSE_DELIVERY,
    "Shop": shop_fields.SHOP,
    "WebhookSubscription": shop_fields.SUBSCRIPTION,
    "BulkOperation": shop_fields.BULK,
}
"""Type → field → answer. Types that are not here are answered from plain dictionaries by field name."""

_KINDS: dict[type, str] = {
    Order: "Order",
    Refund: "Refund",
    Return: "Return",
    Customer: "Customer",
    Variant: "ProductVariant",
    Product: "Product",
    stock_fields.Item: "InventoryItem",
    Level: "InventoryLevel",
    AdjustmentGroup: "InventoryAdjustmentGroup",
    Location: "Location",
    Transaction: "OrderTransaction",
    FulfilmentLine: "FulfillmentLineItem",
    ReverseOrder: "ReverseFulfillmentOrder",
    ReverseDelivery: "ReverseDelivery",
    CreditAccount: "StoreCreditAccount",
    GiftCard: "GiftCard",
    Bulk: "BulkOperation",
    Subscription: "WebhookSubscription",
}


@dataclass(kw_only=True)
class Question:
    """What a resolver knows besides its record: the shop, and whether a bulk operation asks."""

    shop: ShopState
    is_bulk: bool = False


Info = GraphQLResolveInfo[Question]


def answer_field(source: Any, info: Info, **args: Any) -> Any:
    """The resolver of every field but mutations."""
    if info.context.is_bulk and str(info.return_type).rstrip("!").endswith("Connection"):
        args["first"] = EVERYTHING
    fields = FIELDS.get(info.parent_type.name)
    if fields is not None:
        if info.field_name == "staffMember" and "read_users" not in info.context.shop.access.scopes:
            raise denied("staffMember field", "read_users")
        return fields[info.field_name](info.context.shop, source, args)
    if isinstance(source, Mapping):
        if info.parent_type.name.endswith("Payload"):
            return source.get(info.field_name, [] if info.field_name == "userErrors" else None)
        value = source[info.field_name]
        return value(info, **args) if callable(value) else value
    raise GraphQLError(f"The simulator cannot answer {info.parent_type.name}.{info.field_name}.")


def type_of(value: Any, info: Info, abstract: Any) -> str:
    """Which object type stands behind an interface or a union."""
    if isinstance(value, Mapping):
        return str(value["__typename"])
    if abstract.name == "ReturnLineItemType":
        return "ReturnLineItem"
    if abstract.name == "StoreCreditAccountTransaction":
        kind = "Credit" if value[1].amount > 0 else "Debit"
        return f"StoreCreditAccount{kind}Transaction"
    return _KINDS[type(value)]


def denied(what: str, scope: str) -> GraphQLError:
    """The refusal for a scope that was not granted (recorded for staffMember)."""
    required = f"`{scope}` access scope."
    return GraphQLError(
        f"Access denied for {what}. Required access: {required}",
        extensions={
            "code": "ACCESS_DENIED",
            "documentation": "https://shopify.dev/api/usage/access-scopes",
            "requiredAccess": required,
        },
    )


@cache
def executable_schema() -> GraphQLSchema:
    """The schema, built once; scalars write and read as Shopify's do."""
    schema = build_schema(SDL.read_text(encoding="utf-8"))
    for name in ("Decimal", "Money"):
        schema.type_map[name].coerce_output_value = _amount  # type: ignore[attr-defined]
    return schema


def _amount(value: Any) -> str:
    return written(Decimal(value))


def unanswered() -> list[str]:
    """Fields of the schema that no map answers: a test holds this to be empty."""
    schema = executable_schema()
    missing = [
        f"{name}.{one}"
        for name, fields in FIELDS.items()
        for one in getattr(schema.type_map[name], "fields", {})
        if one not in fields
    ]
    known = schema.mutation_type.fields if schema.mutation_type else {}
    missing += [f"Mutation.{name}" for name in known if name not in MUTATIONS]
    return missing
