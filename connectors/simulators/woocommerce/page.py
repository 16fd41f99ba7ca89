"""The read-only page of the simulated shop."""

from connectors.simulators.calls import Call
from connectors.simulators.pages import Table, render_page
from connectors.simulators.woocommerce.pricing import refunded_sum, totals_of
from connectors.simulators.woocommerce.product_json import shown_sku
from connectors.simulators.woocommerce.records import Coupon, Order, Refund
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


def order_page(shop: ShopState, order: Order) -> str:
    """One order with its lines, refunds, money paid back and notes."""
    refunds = [_refund_row(shop, refund) for refund in shop.refunds_of(order.id)]
    lines = [
        (
            item.kind,
            item.name,
            item.quantity,
            money(item.total, shop.decimals),
            item.product_id or "",
            item.variation_id or "",
        )
        for item in order.items
    ]
    fields = [(meta.key, meta.value) for meta in order.meta]
    return render_page(
        title=f"Order {order.id} of the simulated WooCommerce shop",
        intro="What the shop's own page of the order would show. This page only shows.",
        tables=[
            Table(title="Order", columns=_ORDER_COLUMNS, rows=[_order_row(shop, order)]),
            Table(title="Lines", columns=("Kind", "Name", "Quantity", "Net", "Product", "Variation"), rows=lines),
            Table(title="Refunds", columns=_REFUND_COLUMNS, rows=refunds),
            _payouts(shop, order_id=order.id),
            _notes(shop, order_id=order.id),
            Table(title="Fields", columns=("Field", "Value"), rows=fields),
        ],
        is_part=True,
    )


def coupon_page(shop: ShopState, coupon: Coupon) -> str:
    """One coupon: what is left of its code stays hidden, as in the call log."""
    used = ", ".join(coupon.used_by)
    row = (
        coupon.id,
        f"ends in {coupon.code[-4:]}",
        coupon.status,
        money(coupon.amount, shop.decimals),
        coupon.usage_count,
        used,
    )
    return render_page(
        title=f"Coupon {coupon.id} of the simulated WooCommerce shop",
        intro="This page only shows.",
        tables=[Table(title="Coupon", columns=("Coupon", "Code", "Status", "Amount", "Times used", "By"), rows=[row])],
        is_part=True,
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


def _payouts(shop: ShopState, *, order_id: int = 0) -> Table:
    rows = [
        (p.order_id, p.gateway_id, p.amount, p.currency, local(p.paid_at, shop.zone))
        for p in shop.payouts
        if order_id in (0, p.order_id)
    ]
    return Table(
        title="Money the gateways paid back", columns=("Order", "Gateway", "Amount", "Currency", "At"), rows=rows
    )


def _stock(shop: ShopState) -> Table:
    rows = [
        (p.id, p.parent_id or "", shown_sku(shop, p), p.name, p.stock_quantity if p.is_stock_managed else "not managed")
        for p in shop.products.values()
    ]
    return Table(title="Stock", columns=("Product", "Parent", "SKU", "Name", "In stock"), rows=rows)


def _notes(shop: ShopState, *, order_id: int = 0) -> Table:
    notes = [note for note in shop.notes if order_id in (0, note.order_id)]
    rows = [(n.order_id, n.author, n.text, local(n.created_at, shop.zone)) for n in reversed(notes[-MOST_ROWS:])]
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
