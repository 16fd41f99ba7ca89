"""Shadow comparison, return by return."""

from django.contrib import admin

from returnsops.models import ShadowComparison
from returnsops.selectors import shadow, watch, words

from .base import ReadOnlyAdmin, SavedViews, display

TONES = {"equal": "success", "we_more": "warning", "people_more": "danger", "not_yet": "default"}


class ShadowViews(SavedViews):
    """Tabs of the list."""

    views = watch.SHADOW_VIEWS
    rows = staticmethod(shadow.rows_in)


@admin.register(ShadowComparison)
class ShadowComparisonAdmin(ReadOnlyAdmin):
    """What we would have sent for a return, against what people did in the shop."""

    list_display = ("show_return", "show_money", "show_amounts", "show_stock", "show_units", "compared_at")
    list_filter = (ShadowViews, ("route", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("rma", "route")
    list_before_template = "returnsops/tabs.html"
    search_fields = ("rma__number", "rma__external_id", "rma__order_number")
    change_form_template = "returnsops/record.html"
    fields = (
        "rma", "route", "show_money", "show_amounts", "show_stock", "show_units", "show_waits", "compared_at",
    )  # fmt: skip
    readonly_fields = ("show_money", "show_amounts", "show_stock", "show_units", "show_waits")

    @admin.display(description="Return", ordering="rma__number")
    def show_return(self, row: ShadowComparison) -> str:
        """The name people use."""
        return row.rma.label

    @display(description="Money", ordering="money", label=TONES)  # type: ignore[untyped-decorator]
    def show_money(self, row: ShadowComparison) -> tuple[str, str]:
        """The verdict on money."""
        return row.money, row.get_money_display()

    @admin.display(description="Refunds")
    def show_amounts(self, row: ShadowComparison) -> str:
        """Ours, what of ours still waits, and theirs."""
        ours, waiting, theirs = (
            words.amount(value, row.currency) for value in (row.our_amount, row.our_amount_waiting, row.their_amount)
        )
        later = f" (and {waiting} later)" if row.our_amount_waiting else ""
        return f"we {ours}{later}, people {theirs}"

    @display(description="Stock", ordering="stock", label=TONES)  # type: ignore[untyped-decorator]
    def show_stock(self, row: ShadowComparison) -> tuple[str, str]:
        """The verdict on goods."""
        return row.stock, row.get_stock_display()

    @admin.display(description="Units put back")
    def show_units(self, row: ShadowComparison) -> str:
        """Ours, what of ours still waits, and theirs."""
        later = f" (and {row.our_units_waiting} later)" if row.our_units_waiting else ""
        theirs = "the shop does not say" if row.their_units is None else f"people {row.their_units}"
        return f"we {row.our_units}{later}, {theirs}"

    @admin.display(description="Ours still waits because")
    def show_waits(self, row: ShadowComparison) -> str:
        """What holds the rest of ours, in words."""
        return row.waits or "nothing waits"
