"""What every import of a CSV file has: bounds, a preview before anything is stored, all rows or none."""

from typing import Any, ClassVar, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV
from import_export.results import Result, RowResult
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from .base import ReadOnlyAdmin

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class ImportFileError(ValueError):
    """A file that cannot be read as rows; the text says what to do."""


class BoundedCsv(CSV):  # type: ignore[misc]
    """CSV of at most so many rows; ``separators`` that its heading may use."""

    max_rows: ClassVar[int] = 2000
    separators: ClassVar[str] = ","

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Any:
        """The rows. Raises ImportFileError."""
        heading = str(in_stream).partition("\n")[0]
        separator = max(self.separators, key=heading.count)
        try:
            dataset = super().create_dataset(in_stream, delimiter=separator, **kwargs)
        except Exception as error:  # whatever the parser stumbles over is the file's fault
            text = "The file is not a table: every row must have as many cells as the first. Check quotes and commas."
            raise ImportFileError(text) from error
        self.check_columns([str(name) for name in dataset.headers or ()])
        if len(dataset) > self.max_rows:
            raise ImportFileError(f"The file has {len(dataset)} rows; import at most {self.max_rows} at once.")
        return dataset

    def check_columns(self, names: list[str]) -> None:
        """Refuse columns that cannot be right. Raises ImportFileError."""


class CsvImportForm(ImportForm):  # type: ignore[misc]
    """A file of bounded size."""

    max_bytes: ClassVar[int] = 1024 * 1024
    help_text: ClassVar[str] = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["import_file"].help_text = self.help_text

    def clean_import_file(self) -> Any:
        """Refuse what is too large before it is read."""
        given = self.cleaned_data["import_file"]
        if given.size > self.max_bytes:
            raise forms.ValidationError(f"The file is larger than {self.max_bytes // 1024} KiB; split it.")
        return given


class CsvImportAdmin(ReadOnlyAdmin, ImportExportModelAdmin):  # type: ignore[misc]
    """A read-only screen with an import."""

    import_form_class: Any = CsvImportForm
    export_form_class = ExportForm
    skip_admin_log = True  # what was imported is in our own history
    import_permission: ClassVar[str] = ""
    import_format: ClassVar[Any] = BoundedCsv

    @property
    def import_url(self) -> str:
        """The address of the form."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_import")

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Who may import."""
        return bool(request.user.has_perm(self.import_permission))

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Who may see."""
        return bool(self.has_view_permission(request))

    def get_import_formats(self) -> list[Any]:
        """CSV only."""
        return [self.import_format]

    def get_export_formats(self) -> list[Any]:
        """CSV only."""
        return [CSV]

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
            return HttpResponseRedirect(self.import_url)
        return answer

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        """Say what was done; a row that is wrong by now means that nothing was."""
        if result.has_errors() or result.has_validation_errors():
            rows = ", ".join(str(row.number) for row in [*result.invalid_rows, *result.error_rows])
            text = f"Nothing was imported: since the preview, rows {rows} are no longer right. Choose the file again."
            messages.error(request, text)
            return HttpResponseRedirect(self.import_url)
        answer: HttpResponse = super().process_result(result, request)
        return answer

    def add_success_message(self, result: Result, request: HttpRequest) -> None:
        """How many were new."""
        new, known = (result.totals[kind] for kind in (RowResult.IMPORT_TYPE_NEW, RowResult.IMPORT_TYPE_SKIP))
        messages.success(request, f"Imported: {new} new, {known} known already and left as they are.")
