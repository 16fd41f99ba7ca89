"""Postings: what was booked, in which month, and the gateway's line that pays it. Read only, for ever."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from reconciliation import books_of_shop
from reconciliation.models import Posting
from returnsops.admin.base import ReadOnlyAdmin, SavedViews, display
from returnsops.selectors import words
from returnsops.selectors.watch import View

COLOURS = {"settled": "success", "elsewhere": "default", "waiting": "info"}


def _postings_in(code: str, rows: QuerySet[Posting]) -> QuerySet[Posting]:
    chosen = {
        "waiting": Q(line__isnull=True, kind__in=[Posting.REFUND, Posting.OUTSIDE], settled_elsewhere__isnull=True),
        "late": ~Q(late_for=""),
        "taken_back": Q(amount_minor__lt=0) & ~Q(kind=Posting.ROUNDING),
    }
    return rows.filter(chosen.get(code, Q()))


class PostingViews(SavedViews):
    """Tabs of the list."""

    views = (
        View(code="all", title="All"),
        View(code="waiting", title="Without a statement line"),
        View(code="late", title="Late for a closed month"),
        View(code="taken_back", title="Taken back"),
    )
    rows = staticmethod(_postings_in)


def posting_page(posting: Posting, request: HttpRequest) -> dict[str, Any]:
    """Everything the template shows."""
    return {
        "title": str(posting),
        "posting": posting,
        "line": getattr(posting, "line", None),
        "elsewhere": getattr(posting, "settled_elsewhere", None),
        "amount": words.amount(posting.amount, posting.currency),
    }


@admin.register(Posting)
class PostingAdmin(ReadOnlyAdmin):
    """One row per refund, credit or correction."""

    page_of = staticmethod(posting_page)
    list_display = ("happened_at", "show_amount", "kind", "order", "rma", "gateway", "show_month", "show_settled")
    list_display_links = ("happened_at",)
    list_filter = (PostingViews, "kind", ("batch__period", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("batch__period__connection", "order", "rma", "line", "settled_elsewhere")
    list_before_template = "returnsops/tabs.html"
    search_fields = ("order__number", "order__external_id", "rma__number", "refund__external_id", "key")
    search_help_text = "Order or return number, refund id"
    change_form_template = "reconciliation/posting.html"
    fields = ("key",)

    @admin.display(description="Amount", ordering="amount_minor")
    def show_amount(self, posting: Posting) -> str:
        """With its currency."""
        return words.amount(posting.amount, posting.currency)

    @admin.display(description="Month", ordering="batch__period__starts_at")
    def show_month(self, posting: Posting) -> str:
        """The month it is posted in, and the closed one it came too late for."""
        late = f" (late for {posting.late_for})" if posting.late_for else ""
        return f"{posting.batch.period.name}{late}"

    @display(description="Statement", label=COLOURS)  # type: ignore[untyped-decorator]
    def show_settled(self, posting: Posting) -> tuple[str, str]:
        """The day its gateway paid it out."""
        if (line := getattr(posting, "line", None)) is not None:
            return "settled", f"paid out {line.settled_date:%d %b %Y}"
        if getattr(posting, "settled_elsewhere", None) is not None:
            return "elsewhere", "settled otherwise"
        return ("waiting", "no line yet") if _is_expected(posting) else ("elsewhere", "needs none")


def _is_expected(posting: Posting) -> bool:
    try:
        return books_of_shop.is_expected(posting, books_of_shop.settings_of(posting.batch.period.connection))
    except books_of_shop.BooksError:
        return True
