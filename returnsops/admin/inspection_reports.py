"""What warehouse systems told, call by call and row by row, and the import of a file of it."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import Truncator
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV
from import_export.results import Result, RowResult
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from returnsops.models import InspectionReport

from .base import ReadOnlyAdmin
from .inspection_import import (
    MAX_FILE_BYTES,
    MAX_ROWS,
    ImportFileError,
    InspectionImport,
    InspectionReportResource,
    ReportCsv,
)


class ReportImportForm(ImportForm):  # type: ignore[misc]
    """A file of bounded size."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["import_file"].help_text = (
            f"CSV in UTF-8 with commas, one verdict a row, at most {MAX_ROWS} rows. Times carry their zone: "
            "2026-11-02T09:30:00+01:00. Nothing is stored before you confirm the preview."
        )

    def clean_import_file(self) -> Any:
        """Refuse what is too large before it is read."""
        given = self.cleaned_data["import_file"]
        if given.size > MAX_FILE_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_FILE_BYTES // 1024} KiB; split it.")
        return given


@admin.register(InspectionReport)
class InspectionReportAdmin(ReadOnlyAdmin, ImportExportModelAdmin):  # type: ignore[misc]
    """Read only: a verdict that was wrong is taken back on the return's page."""

    import_form_class = ReportImportForm
    export_form_class = ExportForm
    skip_admin_log = True  # every row is in our own history
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

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Who may confirm inspections."""
        return bool(request.user.has_perm("returnsops.confirm_inspection"))

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Who may see."""
        return bool(self.has_view_permission(request))

    def get_import_resource_classes(self, request: HttpRequest) -> list[Any]:
        """Rows into reports."""
        return [InspectionImport]

    def get_export_resource_classes(self, request: HttpRequest) -> list[Any]:
        """Reports as rows."""
        return [InspectionReportResource]

    def get_import_formats(self) -> list[Any]:
        """CSV only."""
        return [ReportCsv]

    def get_export_formats(self) -> list[Any]:
        """CSV only."""
        return [CSV]

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """Who imports."""
        return {"by": cast(User, request.user).get_username()}

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """All rows or none, also where a row was right in the preview and is not any more."""
        return {**super().get_import_data_kwargs(**kwargs), "rollback_on_validation_errors": True}

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        """What is wrong with the file, in words."""
        text = "The file is not UTF-8 text; save it as CSV UTF-8."
        form.add_error("import_file", str(e) if isinstance(e, ImportFileError) else text)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Import what was previewed; pressed twice, the second finds the file gone."""
        try:
            answer: HttpResponse = super().process_import(request, **kwargs)
        except (OSError, ImportFileError):
            messages.error(request, "That preview was used already or is too old; choose the file again.")
            return HttpResponseRedirect(reverse("admin:returnsops_inspectionreport_import"))
        return answer

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        """Say what was done; a row that is wrong by now means that nothing was."""
        if result.has_errors() or result.has_validation_errors():
            rows = ", ".join(str(row.number) for row in [*result.invalid_rows, *result.error_rows])
            text = f"Nothing was imported: since the preview, rows {rows} are no longer right. Choose the file again."
            messages.error(request, text)
            return HttpResponseRedirect(reverse("admin:returnsops_inspectionreport_import"))
        answer: HttpResponse = super().process_result(result, request)
        return answer

    def add_success_message(self, result: Result, request: HttpRequest) -> None:
        """How many were new."""
        new, known = (result.totals[kind] for kind in (RowResult.IMPORT_TYPE_NEW, RowResult.IMPORT_TYPE_SKIP))
        messages.success(request, f"Imported: {new} new, {known} known already and left as they are.")
