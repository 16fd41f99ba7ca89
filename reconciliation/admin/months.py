"""Months of the books: sums beside the gateways' lines, what blocks the closing, two people to close, the pack."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path
from django.utils import timezone

from exceptions_queue.evidence import EvidenceTable
from reconciliation import book_cases, books_of_shop, month_end, periods, postings
from reconciliation.batches import Totals
from reconciliation.models import Period
from returnsops import money
from returnsops.admin.acts import Act, ActForm, Performed, WhyForm
from returnsops.admin.base import ReadOnlyAdmin, SavedViews, display
from returnsops.selectors.watch import View

CLOSE: Final = "reconciliation.close_period"
STATE_COLOURS: Final = {"open": "info", "proposed": "warning", "closed": "success"}
TONES: Final = {"open": "info", "proposed": "warn", "closed": "good"}
STATE_WORDS: Final = {"open": "open", "proposed": "waits for a second person", "closed": "closed"}


class CloseForm(ActForm):
    """Exactly the postings that the person sees."""

    seen = forms.CharField(widget=forms.HiddenInput)
    is_sure = forms.BooleanField(label="I looked at the sums: they match the bank and the gateways' statements")

    def prepare(self) -> None:
        """The sums, and the seal of exactly what is shown."""
        seen = periods.preview(period=self.subject, at=timezone.now())
        self.initial["seen"] = seen.seal
        self.tables = [sums_table(seen.totals)]


def _propose(period: Period, done: Performed) -> str:
    periods.propose(period=period, by=done.by, at=done.at, why=done.data["why"])
    return f"Proposed: a second person of finance closes {period}."


def _withdraw(period: Period, done: Performed) -> str:
    periods.withdraw(period=period, by=done.by, at=done.at, why=done.data["why"])
    return f"The proposal to close {period} is taken back."


def _close(period: Period, done: Performed) -> str:
    periods.close(period=period, by=done.by, at=done.at, seen=done.data["seen"])
    return f"{period} is closed. What comes later goes into the next month."


PROPOSE: Final = Act(
    code="propose_close",
    label="Propose to close the month",
    permission=CLOSE,
    form=WhyForm,
    run=_propose,
    is_offered=lambda period: period.state == Period.OPEN,
    explain="Say what you checked. A second person closes it.",
)
CONFIRM: Final = Act(
    code="close",
    label="Close the month",
    permission=CLOSE,
    form=CloseForm,
    run=_close,
    is_offered=lambda period: period.state == Period.PROPOSED,
    is_grave=True,
    explain="A closed month is never opened again: what comes later, corrections too, goes into the next one.",
    template="reconciliation/act_month.html",
)
WITHDRAW: Final = Act(
    code="withdraw_close",
    label="Take the proposal back",
    permission=CLOSE,
    form=WhyForm,
    run=_withdraw,
    is_offered=lambda period: period.state == Period.PROPOSED,
)


def sums_table(totals: Mapping[str, Totals]) -> EvidenceTable:
    """One column per currency; Posted is the sum of the four below it."""
    parts: tuple[tuple[str, Callable[[Totals], int]], ...] = (
        ("Posted", lambda total: total.posted_minor),
        ("of that with a line", lambda total: total.lined_minor),
        ("of that on its way", lambda total: total.coming_minor),
        ("of that without a gateway", lambda total: total.elsewhere_minor),
        ("of that rounding", lambda total: total.rounding_minor),
        ("Paid out by gateways", lambda total: total.settled_minor),
        ("Difference", lambda total: total.difference_minor),
    )
    rows = [("Postings", *(str(total.count) for total in totals.values()))]
    for name, part in parts:
        rows.append((name, *(_words(part(total), currency) for currency, total in totals.items())))
    return EvidenceTable(title="Sums by currency", columns=("What", *totals), rows=tuple(rows) if totals else ())


def _words(minor: int, currency: str) -> str:
    return money.display(money.from_minor(minor, currency=currency), currency=currency)


def drift_table(period: Period, here: Mapping[tuple[str, str], int]) -> EvidenceTable:
    """Rounding drift by gateway and currency: of this month, of all months, and what is tolerated."""
    chosen = books_of_shop.settings_of(period.connection)
    whole = book_cases.drifts(period.connection, chosen)
    rows = []
    for gateway, currency in sorted({*here, *whole}):
        counted = (here.get((gateway, currency), 0), whole.get((gateway, currency), 0), chosen.drift_tolerance_minor)
        rows.append((f"{gateway}, {currency}", *(_words(minor, currency) for minor in counted)))
    title = "Paid out beyond or short of what was refunded, by rounding"
    columns = ("Gateway", "This month", "Not booked yet", "Tolerated")
    return EvidenceTable(title=title, columns=columns, rows=tuple(rows))


def period_page(period: Period, request: HttpRequest) -> dict[str, Any]:
    """Everything the template shows."""
    page: dict[str, Any] = {
        "title": f"{period}",
        "period": period,
        "state": STATE_WORDS[period.state],
        "tone": TONES[period.state],
        "zone": period.connection.time_zone,
        "late_count": sum(batch.postings.exclude(late_for="").count() for batch in period.batches.all()),
    }
    try:
        seen = periods.preview(period=period, at=timezone.now())
        page |= {"blockers": seen.blockers, "drift": [drift_table(period, seen.drift)]}
        if period.closed_at is None:
            page["unposted_count"] = postings.count_due(connection=period.connection, at=timezone.now())
    except books_of_shop.BooksError as error:
        return page | {"blockers": [periods.Blocker(text=str(error))]}
    return page | {
        "sums": [sums_table(seen.totals)],
        "sealed": _sealed(period) if period.closed_at is not None else None,
        "is_whole": period.closed_at is None or periods.is_seal_whole(period),
    }


def _sealed(period: Period) -> list[EvidenceTable]:
    """The sums as they were when the month closed; what gateways paid out later is not in them."""
    sealed = list(period.batches.all())
    parts = (
        ("Posted", "posted_minor"),
        ("of that on its way then", "coming_minor"),
        ("of that without a gateway, and rounding", "elsewhere_minor"),
        ("Paid out by then", "settled_minor"),
    )
    rows = [("Postings", *(str(batch.posting_count) for batch in sealed))]
    for name, field in parts:
        rows.append((name, *(_words(getattr(batch, field) or 0, batch.currency) for batch in sealed)))
    rows.append(("Seal", *(batch.seal[:16] for batch in sealed)))
    columns = ("What", *(batch.currency for batch in sealed))
    return [EvidenceTable(title="Sums by currency", columns=columns, rows=tuple(rows))]


def _periods_in(code: str, rows: QuerySet[Period]) -> QuerySet[Period]:
    is_closed = Q(closed_at__isnull=False)
    return rows.filter({"open": ~is_closed, "closed": is_closed}.get(code, Q()))


class PeriodViews(SavedViews):
    """Tabs of the list."""

    views = (View(code="all", title="All"), View(code="open", title="Open"), View(code="closed", title="Closed"))
    rows = staticmethod(_periods_in)


@admin.register(Period)
class PeriodAdmin(ReadOnlyAdmin):
    """One row per shop and month, newest first."""

    acts = (PROPOSE, CONFIRM, WITHDRAW)
    page_of = staticmethod(period_page)
    list_display = ("name", "connection", "show_state", "show_posted", "show_who", "closed_at")
    list_display_links = ("name",)
    list_filter = (PeriodViews, ("connection", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("connection", "proposed_by", "closed_by")
    list_before_template = "returnsops/tabs.html"
    change_form_template = "reconciliation/period.html"
    fields = ("name",)

    @display(description="State", label=STATE_COLOURS)  # type: ignore[untyped-decorator]
    def show_state(self, period: Period) -> tuple[str, str]:
        """Open, proposed or closed."""
        return period.state, STATE_WORDS[period.state]

    @admin.display(description="Posted")
    def show_posted(self, period: Period) -> str:
        """Sums by currency; of a closed month as it was closed."""
        sums = periods.posted_sums(period)
        return "; ".join(_words(minor, currency) for currency, minor in sums.items()) or "nothing"

    @admin.display(description="Proposed, closed by")
    def show_who(self, period: Period) -> str:
        """Both people."""
        return ", ".join(str(person) for person in (period.proposed_by, period.closed_by) if person is not None)

    def get_urls(self) -> list[URLPattern]:
        """The download before Django's own, whose last pattern takes everything."""
        view = self.admin_site.admin_view(self.pack_view)
        return [path("<int:period_id>/pack/", view, name="reconciliation_period_pack"), *super().get_urls()]

    def pack_view(self, request: HttpRequest, period_id: int) -> HttpResponse:
        """The month-end pack as a zip of CSV files. POST only, since it leaves a note of who took it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        period = Period.objects.select_related("connection").filter(pk=period_id).first()
        if period is None:
            raise Http404
        at = timezone.now()
        pack = month_end.pack_of(period=period, at=at)
        content = month_end.zip_of(pack, by=cast(User, request.user).get_username(), at=at)
        name = f"month-end-{period.connection.name}-{period.name}.zip"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return HttpResponse(content, content_type="application/zip", headers=headers)
