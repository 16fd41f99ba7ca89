"""What a recording's store had before its requests, and what was done there by other means than ours."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.simulators.shopify import CartLine, Payment
from connectors.simulators.shopify.after_sales_records import ReasonDefinition
from connectors.simulators.shopify.records import Order
from connectors.simulators.shopify.state import gid, number_of
from tests.connectors.simulators.shopify.recorded import Exchange, Replay, exchanges, load


def prepare(replay: Replay, name: str) -> None:
    """Let bulk operations run on; make the orders that the recording's look-ups show, and the reasons it lists."""
    replay.own.shop.settings.bulk_duration_s = 3600
    for exchange in exchanges(name):
        if exchange.roots == ["inventoryActivate"]:
            _unstock(replay, exchange)
        if exchange.roots == ["returnReasonDefinitions"]:
            _make_reasons(replay, exchange.answer["data"]["returnReasonDefinitions"]["nodes"])
    answers = [one.answer.get("data") or {} for one in exchanges(name)]
    made = {((one.get("orderCreate") or {}).get("order") or {}).get("id") for one in answers}
    for call in load(name).get("upstreamCalls", []):
        answer = call["response"].get("body", call["response"])
        data = (answer.get("data") or {}) if isinstance(answer, dict) else {}
        variant, order = data.get("productVariant"), data.get("order")
        if variant and variant["id"] in replay.ids:
            _name_variant(replay, variant["id"], variant, variant["product"]["title"])
        if not order or order["id"] in replay.ids:
            continue
        if {"transactions", "lineItems", "shippingLines"} <= set(order):
            _make_order(replay, order)
        elif "merchantEditable" in order and order["id"] not in made:
            _make_unpaid_order(replay, order)
        elif "paymentGatewayNames" in order and not order["transactions"]:
            _make_bare_order(replay, order)


def _unstock(replay: Replay, exchange: Exchange) -> None:
    """What is to be activated somewhere was not stocked there."""
    given = exchange.variables
    item, place = (replay.ids[given[name]] for name in ("inventoryItemId", "locationId"))
    replay.own.shop.state.levels.pop((number_of("InventoryItem", item), number_of("Location", place)), None)


def _make_reasons(replay: Replay, shown: list[dict[str, Any]]) -> None:
    state = replay.own.shop.state
    state.definitions.clear()
    for one in shown:
        number = state.next_id("ReturnReasonDefinition")
        made = ReasonDefinition(id=number, handle=one["handle"], name=one["name"], is_deleted=one.get("deleted", False))
        state.definitions[number] = made
        replay.ids[one["id"]] = gid("ReturnReasonDefinition", number)


def _make_order(replay: Replay, shown: dict[str, Any]) -> None:
    """An order as it was looked up: lines, postage, payments, and one refund where one is shown."""
    shop = replay.own.shop
    lines = shown["lineItems"]["nodes"]
    cart = [
        CartLine(
            variant=shop.add_product(line["title"], sku="", price=amount_of(line["originalUnitPriceSet"])),
            quantity=line["quantity"],
        )
        for line in lines
    ]
    postage = sum((amount_of(one["originalPriceSet"]) for one in shown["shippingLines"]["nodes"]), Decimal(0))
    order = shop.place(
        cart,
        payments=[Payment(gateway="manual")],
        shipping=postage,
        tax_rate=Decimal(0),
    )
    replay.ids[shown["id"]] = gid("Order", order.id)
    replay.ids[shown["name"]] = order.name
    _pair(replay, "LineItem", lines, order.lines)
    _pair(replay, "OrderTransaction", shown["transactions"], order.transactions)
    for refund in shown["refunds"]:
        taken = {
            own.id: line["quantity"] - line["currentQuantity"] for line, own in zip(lines, order.lines, strict=True)
        }
        shop.staff_refund(order, amount_of(refund["totalRefundedSet"]), lines=taken, note=refund["note"])


def _make_unpaid_order(replay: Replay, shown: dict[str, Any]) -> None:
    """An order as it was looked up before an edit: without postage and tax; no payment was shown."""
    cart = []
    for line in shown["lineItems"]["nodes"]:
        price = amount_of(line["originalUnitPriceSet"])
        if line["variant"]:
            _name_variant(replay, line["variant"]["id"], line["variant"] | {"price": price}, line["title"])
            variant = replay.own.shop.state.variants[number_of("ProductVariant", replay.ids[line["variant"]["id"]])]
        else:
            variant = replay.own.shop.add_product(line["title"], sku=line["sku"] or "", price=price)
        cart.append(CartLine(variant=variant, quantity=line["quantity"]))
    order = replay.own.shop.place(cart, payments=[], tax_rate=Decimal(0), note=replay.known[shown["id"]].get("note"))
    for line, own in zip(shown["lineItems"]["nodes"], order.lines, strict=True):
        own.variant_id = own.variant_id if line["variant"] else None
    replay.ids[shown["id"]] = gid("Order", order.id)
    replay.ids[shown["name"]] = order.name
    _pair(replay, "LineItem", shown["lineItems"]["nodes"], order.lines)


def _make_bare_order(replay: Replay, shown: dict[str, Any]) -> None:
    """An order of which only its worth was looked up: one thing of that price, not paid."""
    worth = shown["currentTotalPriceSet"]
    thing = replay.own.shop.add_product("Something", sku="", price=amount_of(worth))
    currency = worth["shopMoney"]["currencyCode"]
    order = replay.own.shop.place(
        [CartLine(variant=thing)], payments=[], tax_rate=Decimal(0), currency=currency, has_financial_status=False
    )
    replay.ids[shown["id"]] = gid("Order", order.id)
    replay.ids[shown["name"]] = order.name


def _name_variant(replay: Replay, theirs: str, shown: dict[str, Any], title: str) -> None:
    state = replay.own.shop.state
    variant = state.variants[number_of("ProductVariant", replay.ids[theirs])]
    variant.sku, variant.title, variant.price = shown["sku"] or "", shown["title"], Decimal(shown["price"])
    state.products[variant.product_id].title = title


def _pair(replay: Replay, kind: str, theirs: list[dict[str, Any]], ours: list[Any]) -> None:
    for one, own in zip(theirs, ours, strict=False):
        replay.ids[one["id"]] = gid(kind, own.id)


def amount_of(money_set: dict[str, Any]) -> Decimal:
    """The shop amount of a MoneyBag."""
    return Decimal(money_set["shopMoney"]["amount"])


def filled(replay: Replay, exchange: Exchange) -> Exchange:
    """A step of an edit kept without its text: the edit it is of, and what it added, as its answer shows."""
    root = exchange.roots[0]
    if exchange.document or not root.startswith("orderEdit") or root == "orderEditBegin":
        return exchange
    edit = next(reversed(replay.own.shop.state.edits))
    variables = {**exchange.variables, "id": gid("CalculatedOrder", edit)}
    payload = exchange.answer["data"][root]
    if root == "orderEditAddCustomItem":
        variables |= {name: payload["calculatedLineItem"][name] for name in ("title", "quantity")}
    if root == "orderEditAddVariant" and "variantId" not in variables:
        variables |= {"variantId": "gid://shopify/ProductVariant/0", "quantity": 1}  # by the words of its refusal
    return replace(exchange, variables=variables)


def by_hand(replay: Replay, exchange: Exchange) -> bool:
    """Do what the simulator's schema has no mutation for; False where there is nothing to do by hand."""
    roots = exchange.roots
    if len(roots) != 1 or roots[0] not in _ACTS:
        return False
    payload = (exchange.answer.get("data") or {}).get(roots[0])
    if payload and not payload.get("userErrors"):
        _ACTS[roots[0]](replay, exchange, payload)
    return True


def _fulfil(replay: Replay, exchange: Exchange, payload: dict[str, Any]) -> None:
    """Send the units that the recorded fulfilment holds."""
    theirs = payload["fulfillment"]
    lines = theirs["fulfillmentLineItems"]["nodes"]
    if lines[0]["lineItem"]["id"] not in replay.ids:
        newest = list(replay.own.shop.state.orders.values())[-1]
        _pair(replay, "LineItem", [one["lineItem"] for one in lines], newest.lines)
    quantities = {number_of("LineItem", replay.ids[one["lineItem"]["id"]]): one["quantity"] for one in lines}
    order = _order_with(replay, next(iter(quantities)))
    made = replay.own.shop.fulfil(order, quantities=quantities)
    replay.ids[theirs["id"]] = gid("Fulfillment", made.id)
    own = {line.line_id: line for line in made.lines}
    for one in lines:
        line = own[number_of("LineItem", replay.ids[one["lineItem"]["id"]])]
        replay.ids[one["id"]] = gid("FulfillmentLineItem", line.id)


def _order_with(replay: Replay, line_id: int) -> Order:
    orders = replay.own.shop.state.orders.values()
    return next(order for order in orders if any(line.id == line_id for line in order.lines))


def _add_customer(replay: Replay, exchange: Exchange, payload: dict[str, Any]) -> None:
    theirs = payload["customer"]
    made = replay.own.shop.add_customer(
        theirs.get("email") or "recorded@example.test", name=theirs.get("displayName") or "Hermes StoreCredit"
    )
    made.tags = list((exchange.variables.get("input") or {}).get("tags") or [])
    replay.ids[theirs["id"]] = gid("Customer", made.id)


def _mark_paid(replay: Replay, exchange: Exchange, payload: dict[str, Any]) -> None:
    theirs = payload["order"]
    order = replay.own.shop.state.orders[number_of("Order", replay.ids[theirs["id"]])]
    paid = replay.own.shop.pay(order, Payment(gateway="manual"))
    _pair(replay, "OrderTransaction", theirs["transactions"], [paid])


def _spend(replay: Replay, exchange: Exchange, payload: dict[str, Any]) -> None:
    theirs = payload["storeCreditAccountTransaction"]
    state = replay.own.shop.state
    account = state.accounts[number_of("StoreCreditAccount", replay.ids[theirs["account"]["id"]])]
    amount = abs(Decimal(theirs["amount"]["amount"]))
    replay.own.shop.spend_credit(state.customers[account.customer_id], amount, currency=account.currency)


def _make_draft(replay: Replay, exchange: Exchange, payload: dict[str, Any]) -> None:
    """A draft is only a step to its order here: its total is what that order will be."""
    replay.own.shop.add_product("Draft", sku="draft", price=amount_of(payload["draftOrder"]["totalPriceSet"]))


def _complete_draft(replay: Replay, exchange: Exchange, payload: dict[str, Any]) -> None:
    theirs = payload["draftOrder"]["order"]
    variant = list(replay.own.shop.state.variants.values())[-1]
    order = replay.own.shop.place(
        [CartLine(variant=variant)], payments=[Payment(gateway="manual")], tax_rate=Decimal(0)
    )
    replay.ids[theirs["id"]] = gid("Order", order.id)


_ACTS: dict[str, Callable[[Replay, Exchange, dict[str, Any]], None]] = {
    "customerCreate": _add_customer,
    "draftOrderComplete": _complete_draft,
    "draftOrderCreate": _make_draft,
    "fulfillmentCreate": _fulfil,
    "orderMarkAsPaid": _mark_paid,
    "storeCreditAccountDebit": _spend,
}
"""Mutations that the simulator's schema lacks, with what a test or the demo does by hand instead."""

BY_HAND = frozenset(_ACTS)
