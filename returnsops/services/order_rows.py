"""Stored orders back into the snapshot that the planner reads."""

from collections.abc import Iterable

from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund
from returnsops.models import Order, OrderLine, Refund

from . import view_reads
from .order_documents import refund_lines_from, taxes_from


def refunds_of(order: Order) -> list[Refund]:
    """Every refund that ever stood on the order, oldest first."""
    return view_reads.ORDER_REFUNDS.objects(order_id=order.pk)


def snapshot_of(order: Order, *, refunds: Iterable[Refund] | None = None) -> OrderSnapshot:
    """The stored order; removed lines and vanished refunds are left out. ``refunds``: where they were read already."""
    return OrderSnapshot(
        order_id=order.external_id,
        number=order.number,
        status=order.status,
        currency=order.currency,
        total=order.total,
        lines=tuple(_line(line) for line in view_reads.ORDER_LINES.objects(order_id=order.pk) if not line.is_removed),
        refunds=tuple(
            _refund(row) for row in (refunds_of(order) if refunds is None else refunds) if not row.vanished_at
        ),
        placed_at=order.placed_at,
        modified_at=order.modified_at,
        paid_at=order.paid_at,
        customer_id=order.customer_external_id,
        customer_email=order.customer_email,
        channel=order.channel,
        payment_method=order.payment_method,
        payment_reference=order.payment_reference,
        is_locked=order.is_locked,
        lock_reason=order.lock_reason,
        is_gone=order.is_gone,
    )


def _line(row: OrderLine) -> OrderLineSnapshot:
    return OrderLineSnapshot(
        line_id=row.external_id,
        kind=row.kind,  # type: ignore[arg-type]
        name=row.name,
        quantity=row.quantity,
        net=row.net,
        taxes=taxes_from(row.taxes),
        sku=row.sku,
        product_id=row.product_external_id,
        variation_id=row.variation_external_id,
        is_sku_ambiguous=row.is_sku_ambiguous,
        reduced_stock=row.reduced_stock,
    )


def _refund(row: Refund) -> RemoteRefund:
    return RemoteRefund(
        refund_id=row.external_id,
        amount=row.amount,
        currency=row.currency,
        created_at=row.refunded_at,
        lines=refund_lines_from(row.lines),
        key=row.key,
        reason=row.reason,
        author=row.author,
        is_gateway_paid=row.is_gateway_paid,
    )
