"""The read-only page of the simulated shop."""

from collections.abc import Sequence

from connectors.simulators.calls import Call
from connectors.simulators.pages import Table, render_page
from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.amounts import written
from connectors.simulators.shopify.records import Order, Refund
from connectors.simulators.shopify.state import ShopState

MOST_ROWS = 200


def shop_page(shop: ShopState, calls: Sequence[Call]) -> str:
    """Orders, refunds, returns, stock, credit, webhooks and the latest calls as HTML, everything escaped."""
    bucket = shop.bucket.status()
    intro = (
        f"{shop.settings.domain}, {shop.settings.currency}. Bucket {bucket['currentlyAvailable']} of "
        f"{bucket['maximumAvailable']} points, {shop.bucket.throttled} calls throttled. This page only shows."
    )
    orders = sorted(shop.orders.values(), key=lambda order: -order.id)[:MOST_ROWS]
    refunds = sorted(shop.refunds.values(), key=lambda refund: -refund.id)[:MOST_ROWS]
    return render_page(
        title="Simulated Shopify shop",
        intro=intro,
        tables=[
            Table(title="Orders", columns=_ORDER, rows=[_order_row(shop, order) for order in orders]),
            Table(title="Refunds", columns=_REFUND, rows=[_refund_row(shop, refund) for refund in refunds]),
            _returns(shop),
            _stock(shop),
            _credit(shop),
            _subscriptions(shop),
            _calls(calls),
        ],
    )


def order_page(shop: ShopState, order: Order) -> str:
    """One order with its lines and refunds."""
    refunds = [refund for refund in shop.refunds.values() if refund.order_id == order.id]
    lines = [(line.sku, line.title, line.quantity, pricing.current_quantity(shop, order, line)) for line in order.lines]
    return render_page(
        title=f"Order {order.name} of the simulated Shopify shop",
        intro="What the shop's own page of the order would show. This page only shows.",
        tables=[
            Table(title="Order", columns=_ORDER, rows=[_order_row(shop, order)]),
            Table(title="Lines", columns=("SKU", "Title", "Ordered", "Left"), rows=lines),
            Table(title="Refunds", columns=_REFUND, rows=[_refund_row(shop, refund) for refund in refunds]),
        ],
        is_part=True,
    )


_ORDER = ("Order", "Paid", "Sent", "Return", "Total now", "Refunded", "Currency", "Tags", "Lines")
_REFUND = ("Refund", "Order", "Amount", "Money", "Note", "Lines", "At")


def _order_row(shop: ShopState, order: Order) -> tuple[object, ...]:
    lines = ", ".join(
        f"{pricing.current_quantity(shop, order, line)} x {line.sku or line.title}" for line in order.lines
    )
    return (
        order.name,
        pricing.financial_status(shop, order),
        pricing.fulfilment_status(shop, order),
        pricing.return_status(shop, order),
        written(pricing.current_total(shop, order).shop),
        written(pricing.refunded(order).shop),
        order.currency,
        ", ".join(sorted(order.tags)),
        lines,
    )


def _refund_row(shop: ShopState, refund: Refund) -> tuple[object, ...]:
    order = shop.orders[refund.order_id]
    states = ", ".join(shop.transactions[one].status for one in refund.transaction_ids) or "none"
    lines = ", ".join(f"{line.quantity} ({line.restock_type})" for line in refund.lines)
    amount = written(pricing.refund_total(shop, refund).shop)
    return refund.id, order.name, amount, states, refund.note, lines, refund.created_at.isoformat()


def _returns(shop: ShopState) -> Table:
    rows = [(one.name, one.status, sum(line.quantity for line in one.lines)) for one in shop.returns.values()]
    return Table(title="Returns", columns=("Return", "Status", "Units"), rows=rows[-MOST_ROWS:])


def _stock(shop: ShopState) -> Table:
    rows = [
        (
            shop.variants[shop.variant_of_item[item]].sku,
            shop.locations[place].name,
            level.on_hand,
            *_states(level.quantities),
        )
        for (item, place), level in shop.levels.items()
    ]
    names = ("Available", "Committed", "Damaged", "Quality control")
    return Table(title="Stock", columns=("SKU", "Location", "On hand", *names), rows=rows[:MOST_ROWS])


def _states(quantities: dict[str, int]) -> tuple[int, ...]:
    return tuple(quantities[name] for name in ("available", "committed", "damaged", "quality_control"))


def _credit(shop: ShopState) -> Table:
    rows: list[tuple[object, ...]] = [
        ("store credit", shop.customers[a.customer_id].name, written(a.balance), a.currency)
        for a in shop.accounts.values()
    ]
    rows += [
        ("gift card", f"ends {card.code[-4:]}", written(card.balance), card.currency)
        for card in shop.gift_cards.values()
    ]
    return Table(title="Credit", columns=("Kind", "Of", "Balance", "Currency"), rows=rows)


def _subscriptions(shop: ShopState) -> Table:
    rows = [(one.id, one.topic, one.format) for one in shop.subscriptions.values()]
    return Table(title="Webhook subscriptions", columns=("Id", "Topic", "Format"), rows=rows)


def _calls(calls: Sequence[Call]) -> Table:
    rows = [
        (call.at.isoformat(), call.method, call.path, operation_of(call), call.status or "no answer", call.fault)
        for call in reversed(calls[-MOST_ROWS:])
    ]
    return Table(title="Calls", columns=("At", "Method", "Path", "Operation", "Answer", "Fault"), rows=rows)


def operation_of(call: Call) -> str:
    """The first words of the document a call sent, without its variables."""
    text = str(call.body.get("query") or "") if isinstance(call.body, dict) else ""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    return next(
        (line.partition("(")[0].partition("{")[0] for line in lines if line.startswith(("query", "mutation"))), ""
    )
