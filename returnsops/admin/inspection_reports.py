"""What warehouse systems told, call by call and row by row, and the import of a file of it."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.text import Truncator

from returnsops.models import InspectionReport

from .csv_import import CsvImportAdmin, CsvImportForm
from .inspection_import import MAX_ROWS, InspectionImport, InspectionReportResource, ReportCsv


class ReportImportForm(CsvImportForm):
    """What a row is."""

    help_text = (
        f"CSV in UTF-8 with commas, one verdict a row, at most {MAX_ROWS} rows. Times carry their zone: "
        "2026-11-02T09:30:00+01:00. Nothing is stored before you confirm the preview."
    )


@admin.register(InspectionReport)
class InspectionReportAdmin(CsvImportAdmin):
    """Read only: a verdict that was wrong is taken back on the return's page."""

    import_form_class = ReportImportForm
    import_format = ReportCsv
    import_permission = "returnsops.confirm_inspection"
    list_display = ("received_at", "show_return", "text", "warehouse", "received_by", "show_key", "repeat_count")
    list_display_links = ("received_at",)
    list_select_related = ("rma",)
    search_fields = ("key", "origin", "rma__number", "rma__external_id")
    search_help_text = "Key, caller or return number"
    fields = (
        "received_at", "received_by", "origin", "key", "show_return", "warehouse", "text", "answer", "repeat_count",
    )  # fmt: skip
    readonly_fields = ("show_return",)
    change_form_template = "returnsops/record.html"

    @admin.display(description="Return", ordering="rma")
    def show_return(self, report: InspectionReport) -> str:
        """Its number."""
        return str(report.rma)

    @admin.display(description="Key", ordering="key")
    def show_key(self, report: InspectionReport) -> str:
        """Short enough for a list; the page shows all of it."""
        return Truncator(report.key).chars(24)

    def get_import_resource_classes(self, request: HttpRequest) -> list[Any]:
        """Rows into reports."""
        return [InspectionImport]

    def get_export_resource_classes(self, request: HttpRequest) -> list[Any]:
        """Reports as rows."""
        return [InspectionReportResource]

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """Who imports."""
        return {"by": cast(User, request.user).get_username()}
