"""Editing an order through the API: what the recordings' store showed is in test_recordings, here is the rest."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.simulators.shopify import CartLine, Order
from connectors.simulators.shopify.state import gid
from tests.connectors.simulators.shopify.asking import Bench, bench

MONEY = "{ shopMoney { amount } presentmentMoney { amount } }"
EDITED = f"""
  calculatedOrder {{
    id subtotalLineItemsQuantity totalPriceSet {MONEY} totalOutstandingSet {MONEY}
    lineItems(first: 5) {{ nodes {{ id quantity discountedUnitPriceSet {MONEY} }} pageInfo {{ hasNextPage }} }}
    addedLineItems(first: 5) {{ nodes {{ id quantity }} }}
    shippingLines {{ id stagedStatus price {MONEY} }}
  }}
  orderEditSession {{ id }}
"""
LINE = f"calculatedLineItem {{ id quantity calculatedDiscountAllocations {{ allocatedAmountSet {MONEY} "
LINE += "discountApplication { id description } } }"
STEPS = {
    "orderEditBegin": ("$id: ID!", "id: $id", EDITED),
    "orderEditSetQuantity": (
        "$id: ID!, $line: ID!, $units: Int!, $restock: Boolean",
        "id: $id, lineItemId: $line, quantity: $units, restock: $restock",
        EDITED,
    ),
    "orderEditAddVariant": (
        "$id: ID!, $variant: ID!, $units: Int!",
        "id: $id, variantId: $variant, quantity: $units",
        EDITED + LINE,
    ),
    "orderEditAddLineItemDiscount": (
        "$id: ID!, $line: ID!, $discount: OrderEditAppliedDiscountInput!",
        "id: $id, lineItemId: $line, discount: $discount",
        EDITED + LINE,
    ),
    "orderEditRemoveDiscount": ("$id: ID!, $one: ID!", "id: $id, discountApplicationId: $one", EDITED),
    "orderEditAddShippingLine": (
        "$id: ID!, $postage: OrderEditAddShippingLineInput!",
        "id: $id, shippingLine: $postage",
        EDITED,
    ),
    "orderEditRemoveShippingLine": ("$id: ID!, $one: ID!", "id: $id, shippingLineId: $one", EDITED),
    "orderEditCommit": ("$id: ID!", "id: $id", "successMessages order { id }"),
}
TOTALS = f"""
query Totals($id: ID!) {{ order(id: $id) {{
  edited currentTotalPriceSet {MONEY} currentTotalTaxSet {MONEY} totalOutstandingSet {MONEY}
  lineItems(first: 5) {{ nodes {{ quantity currentQuantity unfulfilledQuantity
    priceAfterAllDiscountsBeforeTaxesSet {MONEY} taxLines {{ priceSet {MONEY} }} }} }}
}} }}
"""


def editing(**settings: Any) -> Bench:
    own = bench(**settings)
    own.shop.state.access.scopes.append("write_order_edits")
    return own


def step(own: Bench, name: str, **given: Any) -> Any:
    head, arguments, selection = STEPS[name]
    document = f"mutation Step({head}) {{ {name}({arguments}) {{ {selection} userErrors {{ field message }} }} }}"
    return own.data(document, **given)[name]


def begun(own: Bench, order: Order) -> str:
    made = step(own, "orderEditBegin", id=gid("Order", order.id))
    return str(made["calculatedOrder"]["id"])


def line_of(order: Order, number: int = 0) -> str:
    return gid("CalculatedLineItem", order.lines[number].id)


def shop_amount(bag: Any) -> str:
    return str(bag["shopMoney"]["amount"])


def refusal(payload: Any) -> tuple[Any, str]:
    (error,) = payload["userErrors"]
    return error["field"], error["message"]


def test_tax_and_total_follow_what_an_edit_takes_out_adds_and_takes_off() -> None:
    """2 x 25.00 at a tenth of tax; one goes, a shirt at 10.00 comes, and 2.00 is taken off each jacket."""
    own = editing(is_tax_included=False)
    shirt = own.shop.add_product("Shirt", sku="DEF-2", price=Decimal("10.00"), stock={own.warehouse.id: 3})
    order = own.order(2, tax_rate=Decimal("0.1"))
    edit = begun(own, order)
    step(own, "orderEditSetQuantity", id=edit, line=line_of(order), units=1, restock=True)
    added = step(own, "orderEditAddVariant", id=edit, variant=gid("ProductVariant", shirt.id), units=2)
    discount = {"description": "Late", "fixedValue": {"amount": "2.00", "currencyCode": "GBP"}}
    given = step(own, "orderEditAddLineItemDiscount", id=edit, line=line_of(order), discount=discount)
    (allocation,) = given["calculatedLineItem"]["calculatedDiscountAllocations"]
    assert shop_amount(allocation["allocatedAmountSet"]) == "2.0"
    seen = given["calculatedOrder"]
    assert (seen["subtotalLineItemsQuantity"], shop_amount(seen["totalPriceSet"])) == (3, "47.3")
    assert shop_amount(seen["lineItems"]["nodes"][0]["discountedUnitPriceSet"]) == "23.0"
    assert added["calculatedLineItem"]["id"] == seen["addedLineItems"]["nodes"][0]["id"]
    assert [line.quantity - line.removed for line in order.lines] == [2]
    assert own.shop.stock_of(own.jacket, own.warehouse) == 8

    done = step(own, "orderEditCommit", id=edit)
    assert (done["successMessages"], done["userErrors"]) == (["Order updated"], [])
    totals = own.data(TOTALS, id=gid("Order", order.id))["order"]
    assert totals["edited"] is True
    assert shop_amount(totals["currentTotalPriceSet"]) == "47.3"
    assert shop_amount(totals["currentTotalTaxSet"]) == "4.3"
    assert shop_amount(totals["totalOutstandingSet"]) == "-7.7"
    jacket, shirts = totals["lineItems"]["nodes"]
    assert (jacket["quantity"], jacket["currentQuantity"], jacket["unfulfilledQuantity"]) == (2, 1, 1)
    assert shop_amount(jacket["priceAfterAllDiscountsBeforeTaxesSet"]) == "23.0"
    assert (shirts["quantity"], shop_amount(shirts["taxLines"][0]["priceSet"])) == (2, "2.0")
    assert own.shop.stock_of(own.jacket, own.warehouse) == 9
    assert own.shop.stock_of(shirt, own.warehouse) == 1
    assert refusal(step(own, "orderEditCommit", id=edit)) == (["id"], "The calculated order does not exist.")


@pytest.mark.parametrize(("is_restocked", "available", "on_hand"), [(True, 10, 10), (False, 8, 8)])
def test_units_that_are_taken_out_go_back_into_stock_only_where_told(
    is_restocked: bool, available: int, on_hand: int
) -> None:
    own = editing()
    order = own.order(2)
    edit = begun(own, order)
    step(own, "orderEditSetQuantity", id=edit, line=line_of(order), units=0, restock=is_restocked)
    step(own, "orderEditCommit", id=edit)
    assert own.shop.stock_of(own.jacket, own.warehouse) == available
    assert own.shop.stock_of(own.jacket, own.warehouse, "committed") == 0
    assert own.shop.stock_of(own.jacket, own.warehouse, "on_hand") == on_hand
    assert own.data(TOTALS, id=gid("Order", order.id))["order"]["lineItems"]["nodes"][0]["currentQuantity"] == 0


def test_more_units_of_a_line_are_claimed_and_taxed() -> None:
    own = editing()
    order = own.order(2)
    edit = begun(own, order)
    grown = step(own, "orderEditSetQuantity", id=edit, line=line_of(order), units=3)
    assert shop_amount(grown["calculatedOrder"]["totalOutstandingSet"]) == "25.0"
    step(own, "orderEditCommit", id=edit)
    seen = own.data(TOTALS, id=gid("Order", order.id))["order"]
    assert shop_amount(seen["currentTotalTaxSet"]) == "12.5"
    assert own.shop.stock_of(own.jacket, own.warehouse) == 7


def test_nothing_changes_without_a_commit_and_a_refund_made_meanwhile_counts() -> None:
    own = editing()
    order = own.order(3)
    edit = begun(own, order)
    step(own, "orderEditSetQuantity", id=edit, line=line_of(order), units=2)
    own.shop.staff_refund(order, Decimal("25.00"), lines={order.lines[0].id: 1})
    assert own.data(TOTALS, id=gid("Order", order.id))["order"]["edited"] is False
    assert refusal(step(own, "orderEditCommit", id=edit)) == (["id"], "There must be at least one change to be made.")


def test_units_that_were_sent_are_not_taken_out() -> None:
    own = editing()
    order = own.order(3)
    own.shop.fulfil(order, quantities={order.lines[0].id: 2})
    edit = begun(own, order)
    refused = step(own, "orderEditSetQuantity", id=edit, line=line_of(order), units=1)
    assert (refusal(refused)[0], refused["calculatedOrder"]) == (["quantity"], None)
    step(own, "orderEditSetQuantity", id=edit, line=line_of(order), units=2)
    assert step(own, "orderEditCommit", id=edit)["userErrors"] == []
    assert own.data(TOTALS, id=gid("Order", order.id))["order"]["lineItems"]["nodes"][0]["unfulfilledQuantity"] == 0


def test_an_added_line_can_be_changed_and_taken_out_again_in_the_same_edit() -> None:
    own = editing()
    shirt = own.shop.add_product("Shirt", sku="DEF-2", price=Decimal("12.00"))
    order = own.order(1)
    edit = begun(own, order).replace("CalculatedOrder", "OrderEditSession")
    variant = gid("ProductVariant", shirt.id)
    line = step(own, "orderEditAddVariant", id=edit, variant=variant, units=1)["calculatedLineItem"]["id"]
    percent = {"percentValue": 50}
    given = step(own, "orderEditAddLineItemDiscount", id=edit, line=line, discount=percent)
    assert shop_amount(given["calculatedOrder"]["totalPriceSet"]) == "31.0"
    more = step(own, "orderEditSetQuantity", id=edit, line=line, units=3)["calculatedOrder"]
    assert (more["addedLineItems"]["nodes"][0]["quantity"], shop_amount(more["totalPriceSet"])) == (3, "43.0")
    again = refusal(step(own, "orderEditAddVariant", id=edit, variant=variant, units=1))
    assert again == (["id"], "Shirt was not added because it's already on the order.")
    gone = step(own, "orderEditSetQuantity", id=edit, line=line, units=0)["calculatedOrder"]
    assert (gone["addedLineItems"]["nodes"], shop_amount(gone["totalPriceSet"])) == ([], "25.0")
    one = gid("CalculatedManualDiscountApplication", "gone")
    assert refusal(step(own, "orderEditRemoveDiscount", id=edit, one=one))[0] == ["discountApplicationId"]


def test_postage_of_the_order_is_marked_as_removed_and_gone_after_the_commit() -> None:
    own = editing()
    order = own.order(1, shipping=Decimal("5.00"))
    edit = begun(own, order)
    present = gid("CalculatedShippingLine", order.shipping_lines[0].id)
    removed = step(own, "orderEditRemoveShippingLine", id=edit, one=present)["calculatedOrder"]
    assert [line["stagedStatus"] for line in removed["shippingLines"]] == ["REMOVED"]
    assert shop_amount(removed["totalPriceSet"]) == "25.0"
    assert refusal(step(own, "orderEditRemoveShippingLine", id=edit, one=present))[0] == ["shippingLineId"]
    postage = {"title": "Express", "price": {"amount": "9.00", "currencyCode": "GBP"}}
    seen = step(own, "orderEditAddShippingLine", id=edit, postage=postage)["calculatedOrder"]
    assert [line["stagedStatus"] for line in seen["shippingLines"]] == ["REMOVED", "ADDED"]
    step(own, "orderEditCommit", id=edit)
    assert [(line.title, line.price.shop) for line in order.shipping_lines] == [("Express", Decimal("9.00"))]


def test_amounts_of_an_edit_are_in_what_the_customer_paid_in() -> None:
    own = editing(rates={"EUR": Decimal("1.25")})
    order = own.shop.place([CartLine(variant=own.jacket)], presentment_currency="EUR")
    edit = begun(own, order)
    discount = {"fixedValue": {"amount": "5.00", "currencyCode": "EUR"}}
    seen = step(own, "orderEditAddLineItemDiscount", id=edit, line=line_of(order), discount=discount)
    total = seen["calculatedOrder"]["totalPriceSet"]
    assert (total["presentmentMoney"]["amount"], total["shopMoney"]["amount"]) == ("26.25", "21.0")


def test_an_app_edits_only_with_the_scope_for_it() -> None:
    own = bench()
    order = own.order()
    (error,) = own.ask("mutation B($id: ID!) { orderEditBegin(id: $id) { userErrors { message } } }",
                       id=gid("Order", order.id))["errors"]  # fmt: skip
    assert (error["extensions"]["code"], own.shop.state.edits) == ("ACCESS_DENIED", {})
