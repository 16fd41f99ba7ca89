"""A gateway's statement as a CSV file: a dry run that says what each row would do, then all rows or none.

A line is known by the gateway's own id, so that the same file, or the same line in another file, changes nothing.
"""

import csv
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, Final

from django.core.exceptions import ValidationError
from django.utils import timezone
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import RowResult

from connectors.finance_settings import StatementFormat
from reconciliation import book_cases, books_of_shop, settlements
from reconciliation.models import Settlement, SettlementLine
from reconciliation.statement_rows import Identities, RowError, StatementRow, read_row
from returnsops.admin.csv_import import FORMULA_STARTS, BoundedCsv, ImportFileError
from returnsops.models import Connection, Order

OUTCOME: Final = "what happens"
MAX_ROWS: Final = 5000


class StatementCsv(BoundedCsv):
    """CSV with commas, semicolons or tabs, whichever the heading uses."""

    max_rows = MAX_ROWS
    separators: ClassVar[str] = ",;\t"


class StatementImport(ModelResource):  # type: ignore[misc]
    """Rows into lines of one statement, matched at once."""

    class Meta:
        model = SettlementLine

    def __init__(self, by: str = "", account: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by, self.account = by, account
        self.fields = {name: Field(column_name=name, attribute=None) for name in ("amount", "date")}
        self._shown: list[str] = []
        self._shape: StatementFormat | None = None
        self._settlement: Settlement | None = None
        self._identities = Identities()
        self._rows: dict[str, int] = {}
        self._results: dict[int, RowResult] = {}
        self._left_out = 0

    def import_data(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        """All rows; the preview shows the columns of the file and what happens to each row."""
        self._shown = [str(name) for name in dataset.headers or ()]
        return super().import_data(dataset, *args, **kwargs)

    def get_diff_headers(self) -> list[str]:
        """What happens, then the columns of the file."""
        return [OUTCOME, *self._shown]

    def get_import_order(self) -> tuple[str, ...]:
        """The columns every format has."""
        return ("amount", "date")

    def get_user_visible_fields(self) -> list[Field]:
        """What the form says that it reads."""
        return [Field(column_name="the columns that the stored format of the gateway names")]

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """The format of the account, and whether the file is one of it. Raises ImportFileError."""
        connection, gateway = account_of(self.account)
        shape = settlements.format_of(connection, gateway)
        check_columns(shape, self._shown)
        books_of_shop.lock(connection)
        self._at = timezone.now()
        self._currencies = frozenset(Order.objects.filter(connection=connection).values_list("currency", flat=True))
        self._settlement = settlements.begin(
            connection=connection,
            gateway=gateway,
            file_name=str(kwargs.get("file_name") or ""),
            shape=asdict(shape),
            by=self.by,
            at=self._at,
        )
        self._shape = shape

    def import_row(self, row: Mapping[str, Any], instance_loader: Any, **kwargs: Any) -> RowResult:
        """Take one row; what is wrong with it is told by its column."""
        number = kwargs["row_number"]
        result = RowResult()
        result.import_type = RowResult.IMPORT_TYPE_SKIP
        cells = [str(row.get(name) or "") for name in self._shown]
        result.diff = ["", *cells]
        if self._shape is None or self._settlement is None:
            return result
        try:
            outcome, line = self._take(row, number=number)
        except RowError as error:
            result.import_type = RowResult.IMPORT_TYPE_INVALID
            result.validation_error = ValidationError(error.problems)
            return result
        result.diff = [outcome, *cells]
        if line is not None:
            result.import_type = RowResult.IMPORT_TYPE_NEW
            result.instance = line
            result.add_instance_info(line)
            self._results[line.pk] = result
        return result

    def _take(self, row: Mapping[str, Any], *, number: int) -> tuple[str, SettlementLine | None]:
        assert self._shape is not None  # the caller asked
        assert self._settlement is not None
        read = read_row(self._shape, row, currencies=self._currencies)
        if read is None:
            self._left_out += 1
            return "left out: no refund", None
        identity = self._identities.of(read)
        earlier = self._rows.setdefault(identity, number)
        known = SettlementLine.objects.filter(
            connection=self._settlement.connection, gateway=self._settlement.gateway, external_id=identity
        ).first()
        if known is None:
            return "", settlements.add_line(settlement=self._settlement, identity=identity, row=read, row_number=number)
        self._refuse_if_changed(known, read, earlier=earlier, number=number)
        return "known already" if earlier == number else f"the same as row {earlier}", None

    def _refuse_if_changed(self, known: SettlementLine, read: StatementRow, *, earlier: int, number: int) -> None:
        if settlements.is_same(known, read):
            return
        assert self._shape is not None
        columns = self._shape.columns
        column = columns.get("line_id") or columns.get("refund_reference") or columns["amount"]
        where = f"row {earlier}" if earlier != number else f"row {known.row_number} of {known.settlement}"
        raise RowError({column: f"The line came before, in {where}, and said something else; look which is right."})

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        """Match the new lines, and say beside each row what that did; only a real import leaves cases."""
        if self._settlement is None or result.has_errors() or result.has_validation_errors():
            return
        connection = self._settlement.connection
        if not self._results:
            settlements.drop_empty(self._settlement)
            return
        settlements.finish(
            settlement=self._settlement,
            line_count=len(self._results),
            left_out_count=self._left_out,
            by=self.by,
            at=self._at,
        )
        _, matching = book_cases.refresh(connection=connection, at=self._at)
        self._say(matching.candidates)

    def _say(self, candidates: Mapping[int, tuple[int, ...]]) -> None:
        lines = SettlementLine.objects.filter(pk__in=list(self._results)).select_related("posting__order")
        for line in lines:
            if line.posting is not None:
                off = line.amount_minor - line.posting.amount_minor
                differs = f", off by {off} minor units" if off else ""
                text = f"pays a refund of {line.posting.order}{differs}"
            else:
                count = len(candidates.get(line.pk, ()))
                text = f"{count} refunds fit: a case" if count else "no refund fits: a case"
            self._results[line.pk].diff[0] = text


def account_of(account: str) -> tuple[Connection, str]:
    """Shop and gateway behind a choice of the form. Raises ImportFileError."""
    name, _, gateway = account.partition("/")
    connection = Connection.objects.filter(name=name).first()
    if connection is None:
        raise ImportFileError("Choose the shop and gateway of the statement.")
    return connection, gateway


def accounts() -> list[tuple[str, str]]:
    """Shops and gateways whose statements can be read."""
    found = []
    for connection in books_of_shop.shops():
        try:
            gateways = books_of_shop.settings_of(connection).gateways
        except books_of_shop.BooksError:
            continue
        found += [(f"{connection.name}/{gateway}", f"{connection}: {gateway}") for gateway in gateways]
    return found


def check_heading(account: str, content: bytes) -> None:
    """Whether a file begins with the columns of an account's format. Raises ImportFileError, BooksError."""
    heading = content.decode("utf-8-sig", errors="replace").partition("\n")[0].strip()
    separator = max(StatementCsv.separators, key=heading.count)
    names = next(csv.reader([heading], delimiter=separator), [])
    check_columns(settlements.format_of(*account_of(account)), names)


def check_columns(shape: StatementFormat, names: list[str]) -> None:
    """Whether the file has what its format names. Raises ImportFileError."""
    missing = sorted(set(shape.columns.values()) - set(names))
    if missing:
        given = ", ".join(name[:40] for name in names[:20])
        raise ImportFileError(f"The file has no column {', '.join(missing)}; it has {given}. Is it another gateway's?")
    if any(names.count(name) > 1 for name in shape.columns.values()):
        raise ImportFileError("A column is there twice; keep one.")


class SettlementLineResource(ModelResource):  # type: ignore[misc]
    """What is exported of lines. References come from outside, so none may begin like a formula of a spreadsheet."""

    pays = Field(attribute="posting__key", column_name="pays")

    class Meta:
        model = SettlementLine
        fields = (
            "gateway", "external_id", "settled_date", "amount_minor", "currency", "reference", "refund_reference",
            "order_number", "pays", "matched_by", "decided_by", "decided_why",
        )  # fmt: skip
        export_order = fields

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        """The value; the package itself looks at ``=`` only."""
        value = super().export_field(field, instance, **kwargs)
        return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
