"""Verdicts of a warehouse system as a CSV file, for warehouses that cannot call the API (S4-14).

Each row is one report (services/wms.py). Its key is the column ``key``, or else its own content: the same file again
changes nothing. A file with any wrong row is imported not at all.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils import timezone
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import RowResult
from rest_framework import serializers

from returnsops.api.access import fields_of
from returnsops.api.inspections import MAX_KEY, ReportSerializer, report_of
from returnsops.models import InspectionReport
from returnsops.planning.keys import content_hash
from returnsops.services import wms

from .csv_import import FORMULA_STARTS, BoundedCsv, ImportFileError

ORIGIN: Final = "csv"
MAX_ROWS: Final = 2000
OF_REPORT: Final = ("return", "warehouse", "received_at")
OF_ITEM: Final = (
    "item_id", "sku", "quantity", "outcome", "disposition", "final", "inspected_at", "grade", "reject_reason",
    "location_code", "inspected_by",
)  # fmt: skip
COLUMNS: Final = ("key", *OF_REPORT, *OF_ITEM)
_TRUTHS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_KEY: Final = re.compile(rf"[!-~]{{1,{MAX_KEY}}}")


class ReportCsv(BoundedCsv):
    """CSV with our columns, within bounds."""

    max_rows = MAX_ROWS

    def check_columns(self, names: list[str]) -> None:
        """Every column is one of ours, once. Raises ImportFileError."""
        if len(names) == 1 and ";" in names[0]:
            raise ImportFileError("The columns are separated by semicolons; save the file with commas.")
        unknown = sorted(set(names) - set(COLUMNS))
        if unknown:
            given = ", ".join(name[:40] for name in unknown[:10])
            raise ImportFileError(f"Unknown columns: {given}. Known are {', '.join(COLUMNS)}.")
        if len(set(names)) < len(names):
            raise ImportFileError("A column is there twice; keep one.")
        if "return" not in names:
            raise ImportFileError("The column return is missing: it names the return of each row.")


class InspectionImport(ModelResource):  # type: ignore[misc]
    """Rows into reports, through the same service as the API."""

    class Meta:
        model = InspectionReport

    def __init__(self, by: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by
        self.fields = {name: Field(column_name=name, attribute=None) for name in COLUMNS}
        self._seen: dict[str, int] = {}
        self._shown: list[str] = list(COLUMNS)

    def import_data(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        """All rows; the preview shows the columns of the file and no others."""
        self._shown = [str(name) for name in dataset.headers or ()]
        return super().import_data(dataset, *args, **kwargs)

    def get_diff_headers(self) -> list[str]:
        """The columns of the file."""
        return self._shown

    def get_import_order(self) -> tuple[str, ...]:
        """Columns as documented."""
        return COLUMNS

    def import_row(self, row: Mapping[str, Any], instance_loader: Any, **kwargs: Any) -> RowResult:
        """Take one row; what is wrong with it is told by column."""
        result = RowResult()
        result.diff = [str(row.get(name) or "") for name in self._shown]
        try:
            taken = self._take(row, number=kwargs["row_number"])
        except ValidationError as error:
            result.import_type = RowResult.IMPORT_TYPE_INVALID
            result.validation_error = error
            return result
        result.import_type = RowResult.IMPORT_TYPE_SKIP if taken.is_duplicate else RowResult.IMPORT_TYPE_NEW
        result.instance = taken.row
        result.add_instance_info(taken.row)
        return result

    def _take(self, row: Mapping[str, Any], *, number: int) -> wms.Taken:
        document = document_of(row)
        key = str(row.get("key") or "").strip() or f"row:{content_hash(document)}"
        if not _KEY.fullmatch(key):
            raise ValidationError({"key": f"Give 1 to {MAX_KEY} printable ASCII characters without spaces."})
        earlier = self._seen.setdefault(key, number)
        if earlier != number:
            text = f"The same as row {earlier}. Add the quantities up, or give each row a key of its own."
            raise ValidationError({"key": text})
        serializer = ReportSerializer(data=document)
        try:
            serializer.is_valid(raise_exception=True)
            report = report_of(serializer.validated_data, key=key)
            return wms.take(report=report, origin=ORIGIN, by=self.by, at=timezone.now())
        except serializers.ValidationError as error:
            raise ValidationError(_by_column(error.detail)) from None
        except wms.ItemsWrongError as error:
            raise ValidationError({"sku": list(error.problems.values())}) from None
        except wms.SeveralReturnsError as error:
            refs = ", ".join(candidate["ref"] for candidate in error.candidates)
            raise ValidationError({"return": f"{error} They are: {refs}."}) from None
        except wms.KeyReusedError as error:
            raise ValidationError({"key": str(error)}) from None
        except wms.ReportError as error:
            raise ValidationError({"return": str(error)}) from None


def document_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the API's document: empty cells are left out, numbers and truth values are read where they are some."""
    cells = {name: str(value).strip() for name, value in row.items() if value is not None and str(value).strip()}
    document: dict[str, Any] = {name: cells[name] for name in OF_REPORT if name in cells}
    document.setdefault("return", "")
    item: dict[str, Any] = {name: cells[name] for name in OF_ITEM if name in cells}
    if re.fullmatch(r"[0-9]{1,9}", item.get("quantity", "")):
        item["quantity"] = int(item["quantity"])
    if item.get("final", "").lower() in _TRUTHS:
        item["final"] = _TRUTHS[item["final"].lower()]
    return {**document, "items": [item]} if item else document


def _by_column(detail: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in fields_of(detail):
        name = problem["field"].removeprefix("items[0]").lstrip(".") or "item_id"
        found.setdefault("return" if name == "body" else name, []).append(problem["error"])
    return found


class InspectionReportResource(ModelResource):  # type: ignore[misc]
    """What is exported of reports. Texts come from outside, so none may begin like a formula of a spreadsheet."""

    rma = Field(attribute="rma__label", column_name="return")

    class Meta:
        model = InspectionReport
        fields = ("received_at", "received_by", "origin", "key", "rma", "warehouse", "text", "repeat_count")
        export_order = fields

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        """The value; the package itself looks at ``=`` only."""
        value = super().export_field(field, instance, **kwargs)
        return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
