"""Why goods come back, item by item, and the same counted by reason, article and month as a file (S5-7)."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Count, F, Max, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.http import HttpRequest
from import_export.admin import ExportMixin
from import_export.fields import Field
from import_export.formats.base_formats import CSV
from import_export.resources import Resource
from unfold.contrib.import_export.forms import ExportForm

from returnsops.models import ReturnLine

from .base import ReadOnlyAdmin

BEGUN: Final = "rma__requested_at"


class ReasonsByArticle(Resource):  # type: ignore[misc]
    """One row a month, reason and article; nothing of the customer. A reason nobody classified has no code of ours."""

    month = Field(attribute="month", column_name="month")
    reason = Field(attribute="code", column_name="reason")
    title = Field(attribute="title", column_name="title")
    platform_reason = Field(attribute="reason_source_code", column_name="platform_reason")
    platform = Field(attribute="platform", column_name="platform")
    sku = Field(attribute="sku", column_name="sku")
    name = Field(attribute="article", column_name="name")
    units = Field(attribute="units", column_name="units")
    returns = Field(attribute="returns", column_name="returns")

    def filter_export(self, queryset: QuerySet[ReturnLine], **kwargs: Any) -> list[dict[str, Any]]:
        """The lines counted; those a shopper took out of the return again are not among them."""
        named = queryset.order_by().annotate(
            month_at=TruncMonth(Coalesce(BEGUN, "rma__created_at")),
            code=F("reason__code"),
            title=F("reason__title"),
            platform=F("rma__connection__name"),
        )
        rows = named.values("month_at", "code", "title", "reason_source_code", "platform", "sku").annotate(
            article=Max("name"), units=Sum("quantity"), returns=Count("rma", distinct=True)
        )
        unclassified_first = F("code").asc(nulls_first=True)  # PostgreSQL and SQLite differ where it is not said
        counted = rows.order_by("month_at", unclassified_first, "reason_source_code", "platform", "sku")
        return [{**row, "month": f"{row['month_at']:%Y-%m}"} for row in counted]


@admin.register(ReturnLine)
class ReasonsGivenAdmin(ExportMixin, ReadOnlyAdmin):  # type: ignore[misc]
    """Items with the reason they come back for; the export counts what the filters leave."""

    resource_classes: ClassVar[tuple[Any, ...]] = (ReasonsByArticle,)
    export_form_class = ExportForm
    skip_export_form = True
    date_hierarchy = BEGUN
    ordering = ("-rma_id", "id")
    list_display = ("show_begun", "show_return", "show_sku", "name", "quantity", "show_reason", "show_source_code")
    list_display_links = None
    list_filter = (
        ("reason", admin.RelatedOnlyFieldListFilter),
        ("rma__connection", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("rma", "reason")
    search_fields = ("sku", "name", "rma__number")
    search_help_text = "SKU, article or return number"
    fields = ("sku", "name", "quantity", "reason", "reason_source_code")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnLine]:
        """What still belongs to a return."""
        lines: QuerySet[ReturnLine] = super().get_queryset(request).filter(is_withdrawn=False)
        return lines

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Who may see."""
        return bool(self.has_view_permission(request))

    def get_export_formats(self) -> list[Any]:
        """CSV only."""
        return [CSV]

    @admin.display(description="Asked for", ordering=BEGUN)
    def show_begun(self, line: ReturnLine) -> Any:
        """When the return was asked for."""
        return line.rma.requested_at

    @admin.display(description="Return", ordering="rma__number")
    def show_return(self, line: ReturnLine) -> str:
        """Its number."""
        return line.rma.label

    @admin.display(description="SKU", ordering="sku")
    def show_sku(self, line: ReturnLine) -> str:
        """The article's number."""
        return line.sku

    @admin.display(description="As the platform says it", ordering="reason_source_code")
    def show_source_code(self, line: ReturnLine) -> str:
        """The platform's own code."""
        return line.reason_source_code

    @admin.display(description="Reason", ordering="reason__title")
    def show_reason(self, line: ReturnLine) -> str:
        """Ours."""
        return line.reason.title if line.reason else "not classified"
