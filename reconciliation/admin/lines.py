"""Statements of gateways, their lines, the import with its dry run, and what people say of a line."""

from typing import Any, Final, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from import_export.forms import ConfirmImportForm

from reconciliation import book_actions, book_cases, books_of_shop, resources, settlements
from reconciliation.models import Settlement, SettlementLine
from returnsops.admin.acts import Act, Performed, WhyForm
from returnsops.admin.base import ReadOnlyAdmin, SavedViews, display
from returnsops.admin.csv_import import CsvImportAdmin, CsvImportForm, ImportFileError
from returnsops.selectors.watch import View

MATCH: Final = "reconciliation.match_line"
COLOURS: Final = {"pays": "success", "aside": "default", "open": "danger", "differs": "warning"}
TONES: Final = {"pays": "good", "aside": "quiet", "open": "bad", "differs": "warn"}


# --- what people say of a line ---------------------------------------------------------------------------------------


class PaysForm(WhyForm):
    """Which refund, and why."""

    posting = forms.ChoiceField(label="Refund", help_text="Refunds of the same order or payment stand first.")
    field_order = ("posting", "why")

    def prepare(self) -> None:
        """Refunds that no line pays yet."""
        cast(forms.ChoiceField, self.fields["posting"]).choices = book_actions.choices(self.subject)


def _pays(line: SettlementLine, done: Performed) -> str:
    posting_id, why = int(done.data["posting"]), done.data["why"]
    row = settlements.pays(line_id=line.pk, posting_id=posting_id, by=done.name, at=done.at, why=why)
    book_cases.refresh(connection=line.connection, at=done.at)
    return f"The line pays {row.posting}."


def _set_aside(line: SettlementLine, done: Performed) -> str:
    settlements.set_aside(line_id=line.pk, by=done.name, at=done.at, why=done.data["why"])
    book_cases.refresh(connection=line.connection, at=done.at)
    return "Set aside; it stays on record."


def _accept(line: SettlementLine, done: Performed) -> str:
    settlements.accept_difference(line_id=line.pk, by=done.name, at=done.at, why=done.data["why"])
    book_cases.refresh(connection=line.connection, at=done.at)
    return "The difference is accepted as it is."


PAYS: Final = Act(code="pays", label="Say which refund it pays", permission=MATCH, form=PaysForm, run=_pays)
SET_ASIDE: Final = Act(
    code="set_aside",
    label="No refund of ours",
    permission=MATCH,
    run=_set_aside,
    is_offered=lambda line: line_state(line)[0] == "open",
    explain="For example a refund of another shop on the same account. The line stays on record.",
)
ACCEPT: Final = Act(
    code="accept",
    label="Accept the difference",
    permission=MATCH,
    run=_accept,
    is_offered=lambda line: line_state(line)[0] == "differs",
)


def line_state(line: SettlementLine) -> tuple[str, str]:
    """Pays, differs, set aside or open."""
    if line.posting is not None:
        off = line.amount_minor - line.posting.amount_minor
        is_rounding = abs(off) <= _rounding_of(line)
        if off and line.decided_at is None and not is_rounding:
            return "differs", f"off by {off} minor units"
        return "pays", "pays a refund" if not off else f"pays a refund, off by {off} minor units"
    return ("aside", "set aside") if line.decided_at is not None else ("open", "no refund matched")


def _rounding_of(line: SettlementLine) -> int:
    try:
        return books_of_shop.settings_of(line.connection).rounding_minor
    except books_of_shop.BooksError:
        return 0


def line_page(line: SettlementLine, request: HttpRequest) -> dict[str, Any]:
    """Everything the template shows."""
    code, state = line_state(line)
    return {"title": str(line).capitalize(), "line": line, "state": state, "tone": TONES[code]}


def _lines_in(code: str, rows: QuerySet[SettlementLine]) -> QuerySet[SettlementLine]:
    is_aside = Q(decided_at__isnull=False)
    chosen = {
        "open": Q(posting__isnull=True) & ~is_aside,
        "pays": Q(posting__isnull=False),
        "aside": Q(posting__isnull=True) & is_aside,
    }
    return rows.filter(chosen.get(code, Q()))


class LineViews(SavedViews):
    """Tabs of the list; the first is the work."""

    views = (
        View(code="open", title="Without a refund"),
        View(code="pays", title="Matched"),
        View(code="aside", title="Set aside"),
        View(code="all", title="All"),
    )
    rows = staticmethod(_lines_in)


# --- the import ------------------------------------------------------------------------------------------------------


class StatementImportForm(CsvImportForm):
    """Whose statement, and the file."""

    max_bytes = 2 * 1024 * 1024
    help_text = (
        f"CSV in UTF-8, at most {resources.MAX_ROWS} rows, with the columns that the stored format of the gateway "
        "names (docs/configuration.md). Nothing is stored before you confirm the preview."
    )
    account = forms.ChoiceField(label="Shop and gateway")
    field_order = ["resource", "account", "import_file", "format"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = resources.accounts()
        field = cast(forms.ChoiceField, self.fields["account"])
        field.choices = known
        if not known:
            field.help_text = "No gateway has a stored format yet; docs/configuration.md says how to add one."

    def clean(self) -> dict[str, Any]:
        """Whether the file's heading is one of that gateway."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given = cleaned.get("import_file")
        if given is not None and cleaned.get("account"):
            try:
                resources.check_heading(cleaned["account"], given.read())
            except (ImportFileError, books_of_shop.BooksError) as error:
                self.add_error("import_file", str(error))
            given.seek(0)
        return cleaned


class StatementConfirmForm(ConfirmImportForm):  # type: ignore[misc]
    """The preview's own account."""

    account = forms.CharField(widget=forms.HiddenInput)


@admin.register(SettlementLine)
class SettlementLineAdmin(CsvImportAdmin):
    """Every line of every statement."""

    acts = (PAYS, SET_ASIDE, ACCEPT)
    page_of = staticmethod(line_page)
    import_form_class = StatementImportForm
    confirm_form_class = StatementConfirmForm
    import_format = resources.StatementCsv
    import_permission = "reconciliation.import_statement"
    list_display = ("settled_date", "show_amount", "gateway", "order_number", "refund_reference", "show_state")
    list_display_links = ("settled_date",)
    list_filter = (
        LineViews,
        ("connection", admin.RelatedOnlyFieldListFilter),
        ("settlement", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("connection", "settlement", "posting__batch")
    list_before_template = "returnsops/tabs.html"
    search_fields = ("order_number", "reference", "refund_reference", "external_id")
    search_help_text = "Order number, payment or refund reference"
    change_form_template = "reconciliation/line.html"
    fields = ("external_id",)

    @admin.display(description="Amount", ordering="amount_minor")
    def show_amount(self, line: SettlementLine) -> str:
        """With its currency."""
        return line.amount_words

    @display(description="State", label=COLOURS)  # type: ignore[untyped-decorator]
    def show_state(self, line: SettlementLine) -> tuple[str, str]:
        """Whether it pays a refund."""
        return line_state(line)

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        """The account travels with the file."""
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        return {**initial, "account": import_form.cleaned_data["account"]} if import_form is not None else initial

    def get_import_resource_classes(self, request: HttpRequest) -> list[Any]:
        """Rows into lines."""
        return [resources.StatementImport]

    def get_export_resource_classes(self, request: HttpRequest) -> list[Any]:
        """Lines as rows."""
        return [resources.SettlementLineResource]

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """Who imports, and whose statement."""
        form = kwargs.get("form")
        given = getattr(form, "cleaned_data", None) or {}
        return {"by": cast(User, request.user).get_username(), "account": given.get("account", "")}


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    """Every statement that was imported."""

    list_display = ("imported_at", "__str__", "connection", "gateway", "line_count", "show_open", "imported_by")
    list_display_links = ("imported_at",)
    list_filter = (("connection", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("connection",)
    fields = (
        "imported_at", "imported_by", "connection", "gateway", "file_name", "line_count", "left_out_count", "show_open",
    )  # fmt: skip
    readonly_fields = ("show_open",)
    change_form_template = "reconciliation/statement.html"

    @admin.display(description="Without a refund")
    def show_open(self, settlement: Settlement) -> int:
        """How many lines ask for a person."""
        return settlement.lines.filter(posting__isnull=True, decided_at__isnull=True).count()
