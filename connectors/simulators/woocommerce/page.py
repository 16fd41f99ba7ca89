"""The read-only page of the simulated shop."""

from connectors.simulators.calls import Call
from connectors.simulators.pages import Table, render_page
from connectors.simulators.woocommerce.pricing import refunded_sum, totals_of
from connectors.simulators.woocommerce.product_json import shown_sku
from connectors.simulators.woocommerce.records import Order, Refund
from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import local, money

MOST_ROWS = 200


def shop_page(shop: ShopState, calls: list[Call]) -> str:
    """Orders, refunds, stock, payouts, webhooks and the latest calls as HTML, everything escaped."""
    newest = sorted(shop.orders.values(), key=lambda order: -order.id)[:MOST_ROWS]
    refunds = sorted(shop.refunds.values(), key=lambda refund: -refund.id)[:MOST_ROWS]
    return render_page(
        title="Simulated WooCommerce shop",
        intro=f"Currency {shop.settings.currency}, time zone {shop.settings.timezone}. This page only shows.",
        tables=[
            Table(title="Orders", columns=_ORDER_COLUMNS, rows=[_order_row(shop, order) for order in newest]),
            Table(title="Refunds", columns=_REFUND_COLUMNS, rows=[_refund_row(shop, refund) for refund in refunds]),
            _payouts(shop),
            _stock(shop),
            _notes(shop),
            _webhooks(shop),
            _calls(shop, calls),
        ],
    )


_ORDER_COLUMNS = ("Order", "Status", "Customer", "Paid", "Refunded", "Currency", "Lines")
_REFUND_COLUMNS = ("Refund", "Order", "Amount", "Reason", "Lines", "By gateway", "At")


def _order_row(shop: ShopState, order: Order) -> tuple[object, ...]:
    name = f"{order.billing.get('first_name', '')} {order.billing.get('last_name', '')}".strip()
    lines = ", ".join(f"{item.quantity} x {item.name}" for item in order.of_kind("line"))
    total = money(totals_of(order, shop.decimals).total, shop.decimals)
    refunded = money(refunded_sum(shop.refunds_of(order.id)), shop.decimals)
    return order.id, order.status, name, total, refunded, order.currency, lines


def _refund_row(shop: ShopState, refund: Refund) -> tuple[object, ...]:
    lines = ", ".join(f"{item.quantity} x {item.name}" for item in refund.items)
    amount = "" if refund.amount is None else money(refund.amount, shop.decimals)
    is_paid = "yes" if refund.is_payment_refunded else "no"
    return refund.id, refund.order_id, amount, refund.reason, lines, is_paid, local(refund.created_at, shop.zone)


def _payouts(shop: ShopState) -> Table:
    rows = [(p.order_id, p.gateway_id, p.amount, p.currency, local(p.paid_at, shop.zone)) for p in shop.payouts]
    return Table(
        title="Money the gateways paid back", columns=("Order", "Gateway", "Amount", "Currency", "At"), rows=rows
    )


def _stock(shop: ShopState) -> Table:
    rows = [
        (p.id, p.parent_id or "", shown_sku(shop, p), p.name, p.stock_quantity if p.is_stock_managed else "not managed")
        for p in shop.products.values()
    ]
    return Table(title="Stock", columns=("Product", "Parent", "SKU", "Name", "In stock"), rows=rows)


def _notes(shop: ShopState) -> Table:
    rows = [(n.order_id, n.author, n.text, local(n.created_at, shop.zone)) for n in reversed(shop.notes[-MOST_ROWS:])]
    return Table(title="Order notes", columns=("Order", "Author", "Note", "At"), rows=rows)


def _webhooks(shop: ShopState) -> Table:
    rows = [(w.id, w.topic, w.status, w.failure_count) for w in shop.webhooks.values()]
    return Table(title="Webhooks", columns=("Id", "Topic", "Status", "Failures in a row"), rows=rows)


def _calls(shop: ShopState, calls: list[Call]) -> Table:
    rows = [
        (local(call.at, shop.zone), call.method, call.path, call.status or "no answer", call.fault)
        for call in reversed(calls[-MOST_ROWS:])
    ]
    return Table(title="Calls", columns=("At", "Method", "Path", "Answer", "Fault"), rows=rows)
