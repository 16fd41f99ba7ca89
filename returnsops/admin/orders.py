"""Orders as the shop shows them now, and the refunds that stand there."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from returnsops.models import Order, Refund
from returnsops.selectors import boxes, remote_links, stops, timeline, watch, words
from returnsops.services.proposals import remaining_of

from .base import ReadOnlyAdmin, SavedViews, display


def _page(order: Order, request: HttpRequest) -> dict[str, Any]:
    refunds = order.refunds.exclude(amount=0).select_related("rma")
    now, switches = timezone.now(), stops.in_force()
    return {
        "title": f"Order {order.number or order.external_id}",
        "order": order,
        "total": words.amount(order.total, order.currency),
        "refundable": words.amount(boxes.not_refunded(order), order.currency),
        "remaining": words.amount(remaining_of(order), order.currency),
        "url": remote_links.link_to(order.connection, "order", order.external_id),
        "lines": [(line, words.amount(line.net, order.currency)) for line in order.lines.all()],
        "refunds": [boxes.refund_shown(row) for row in refunds],
        "returns": order.returns.all(),
        "effects": [
            (row, words.describe(row), *stops.state_of(row, switches=switches, now=now))
            for row in order.effects.select_related("connection", "route")
        ],
        "timeline": timeline.of_order(order),
    }


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """The final state of an order: lines, refunds by anyone, returns."""

    page_of = staticmethod(_page)
    list_display = ("show_number", "show_total", "show_refunded", "status", "customer_email", "placed_at")
    list_display_links = ("show_number",)
    list_filter = ("status", "is_locked", "is_gone", ("connection", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("connection",)
    search_fields = ("number", "external_id", "customer_email", "lines__sku", "refunds__external_id")
    search_help_text = "Order number, refund id, SKU or e-mail"
    change_form_template = "returnsops/order.html"
    fields = ("external_id",)

    @admin.display(description="Order", ordering="number")
    def show_number(self, order: Order) -> str:
        """Its number."""
        return order.number or order.external_id

    @admin.display(description="Total", ordering="total")
    def show_total(self, order: Order) -> str:
        """Paid amount."""
        return words.amount(order.total, order.currency)

    @admin.display(description="Refunded in the shop")
    def show_refunded(self, order: Order) -> str:
        """Sum of all refunds that stand there."""
        rows = order.refunds.filter(vanished_at__isnull=True).exclude(amount=0)
        return words.total((row.amount, row.currency) for row in rows) if rows else ""


class RefundViews(SavedViews):
    """Tabs of the list."""

    views = watch.REFUND_VIEWS
    rows = staticmethod(watch.refunds_in)


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Refunds that stand in the shop, made by us or by anyone."""

    list_display = ("external_id", "show_amount", "show_order", "show_whose", "author", "refunded_at")
    list_filter = (RefundViews,)
    list_select_related = ("order", "rma")
    list_before_template = "returnsops/tabs.html"
    ordering = ("-refunded_at", "-id")
    search_fields = ("external_id", "key", "order__number", "order__external_id", "rma__number")
    search_help_text = "Refund id, order or return number"
    fields = (
        "external_id",
        "order",
        "show_amount",
        "origin",
        "author",
        "reason",
        "refunded_at",
        "vanished_at",
        "rma",
        "is_unrelated",
        "attributed_by",
        "attributed_at",
        "attributed_why",
        "key",
    )
    readonly_fields = ("show_amount",)

    @admin.display(description="Amount", ordering="amount")
    def show_amount(self, refund: Refund) -> str:
        """Amount with currency."""
        return words.amount(refund.amount, refund.currency)

    @admin.display(description="Order", ordering="order__number")
    def show_order(self, refund: Refund) -> str:
        """Its order's number."""
        return refund.order.number or refund.order.external_id

    @display(description="Whose", label={"question": "warning", "known": "default", "gone": "danger"})  # type: ignore[untyped-decorator]
    def show_whose(self, refund: Refund) -> tuple[str, str]:
        """Ours, attributed, or a question."""
        if refund.vanished_at is not None:
            return "gone", "no longer in the shop"
        shown = boxes.refund_shown(refund)
        return "question" if shown.is_question else "known", shown.whose
