"""Screens of the comparison: runs and findings, read-only; what people may do is compare again."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from exceptions_queue.errors import CaseError
from exceptions_queue.evidence import EvidenceTable, evidence_tables
from reconciliation import case_actions, causes, services
from reconciliation.audit import gaps, report, running
from reconciliation.checks import CHECKS
from reconciliation.models import AuditGap, Finding, Run
from returnsops.admin.acts import Act, NoForm, Performed
from returnsops.admin.base import ReadOnlyAdmin, SavedViews, display
from returnsops.selectors import remote_links, words
from returnsops.selectors.watch import View

TITLES: Final = {**{check.code: check.title for check in CHECKS}, running.CHECK: "Audit of the past"}
MOST_GAPS: Final = 100  # per kind on the page
RUN_NOW: Final = "reconciliation.view_run"
STATE_COLOURS: Final = {"finished": "success", "running": "info", "failed": "danger", "differs": "warning"}
FINDING_COLOURS: Final = {"open": "danger", "accepted": "default", "healed": "success"}


def check_title(code: str) -> str:
    """The name of a check as people read it."""
    return TITLES.get(code, words.plain(code))


class CheckFilter(admin.SimpleListFilter):
    """By check."""

    title = "check"
    parameter_name = "check"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Code and title."""
        return list(TITLES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of the chosen check."""
        return queryset.filter(check_code=self.value()) if self.value() else queryset


# --- runs ---------------------------------------------------------------------------------------------------


def _runs_in(code: str, rows: QuerySet[Run]) -> QuerySet[Run]:
    differs = Q(mismatched_count__gt=0) | Q(only_here_count__gt=0) | Q(only_there_count__gt=0)
    return rows.filter({"differs": differs, "failed": Q(state="failed")}.get(code, Q()))


class RunViews(SavedViews):
    """Tabs of the list."""

    views = (
        View(code="all", title="All"),
        View(code="differs", title="With differences"),
        View(code="failed", title="Failed"),
    )
    rows = staticmethod(_runs_in)


def _run_page(run: Run, request: HttpRequest) -> dict[str, Any]:
    return {
        "title": f"{check_title(run.check_code)}, {run.started_at:%d %b %Y %H:%M}",
        "run": run,
        "check": check_title(run.check_code),
        "tone": _run_state(run)[0],
        "state": _run_state(run)[1],
        "totals": _totals(run),
        "not_comparable": sorted(run.not_comparable.items()),
        "found": run.findings.select_related("rma", "order__connection")[:100],
        "audit": _audit_of(run) if run.check_code == running.CHECK else None,
    }


def _audit_of(run: Run) -> dict[str, Any]:
    """What an audit found, in sections by kind; the rest is in the file of ``manage.py audit --csv``."""
    rows = list(run.gaps.all())
    totals = report.totals_of(rows)
    return {
        "totals": evidence_tables(
            {
                "totals": [{"found": gaps.KINDS[kind], **_total(total)} for kind, total in totals.items()],
                "sums": [
                    {
                        "currency": currency,
                        "decided by the platform": sums["here"],
                        "refunded in the shop": sums["there"],
                    }
                    for currency, sums in run.totals.items()
                ],
            }
        ),
        "sections": [
            {"title": title, "rows": [_shown_gap(row) for row in found[:MOST_GAPS]], "more": len(found[MOST_GAPS:])}
            for kind, title in gaps.KINDS.items()
            if (found := [row for row in rows if row.kind == kind])
        ],
        "apart": len(report.set_apart(run)),
        "not_compared": report.not_compared(run)[:MOST_GAPS],
        "not_compared_more": max(0, len(report.not_compared(run)) - MOST_GAPS),
    }


def _total(total: Mapping[str, Any]) -> dict[str, str]:
    sums = [f"{value} {currency}" for currency, value in total["amounts"].items()]
    return {
        "count": str(total["count"]),
        "amounts": ", ".join(sums) or "-",
        "units": str(total["units"]) if total["units"] else "-",
    }


def _shown_gap(row: AuditGap) -> dict[str, Any]:
    cause = gaps.CAUSES.get(row.cause)
    return {
        "gap": row,
        "title": cause.title if cause else words.plain(row.cause),
        "likely": cause.likely if cause else "",
    }


def _totals(run: Run) -> Sequence[EvidenceTable]:
    return evidence_tables({"sums": run.totals}) if run.totals else ()


def _run_state(run: Run) -> tuple[str, str]:
    if run.state == "finished" and run.difference_count:
        count = run.difference_count
        is_audit = run.check_code == running.CHECK
        return "differs", f"{count} gap{'' if count == 1 else 's'}" if is_audit else f"{count} differ"
    return run.state, "everything agrees" if run.state == "finished" else run.get_state_display()


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Every comparison, newest first, with a button that starts one."""

    page_of = staticmethod(_run_page)
    list_display = ("started_at", "show_check", "route", "show_state", "order_count", "matched_count", "show_sums")
    list_display_links = ("started_at",)
    list_filter = (RunViews, CheckFilter, ("route", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("route",)
    list_before_template = "reconciliation/run_before.html"
    change_form_template = "reconciliation/run.html"
    fields = ("check_code",)

    @admin.display(description="Check", ordering="check_code")
    def show_check(self, run: Run) -> str:
        """Its name."""
        return check_title(run.check_code)

    @display(description="Result", ordering="state", label=STATE_COLOURS)  # type: ignore[untyped-decorator]
    def show_state(self, run: Run) -> tuple[str, str]:
        """Agrees, differs, failed or running."""
        return _run_state(run)

    @admin.display(description="Here / in the shop")
    def show_sums(self, run: Run) -> str:
        """Sums per currency in both books."""
        return "; ".join(f"{sums['here']} / {sums['there']} {name}" for name, sums in run.totals.items())

    def get_urls(self) -> list[URLPattern]:
        """The button's address before Django's own, whose last pattern takes everything."""
        view = self.admin_site.admin_view(self.run_now_view)
        return [path("run-now/", view, name="reconciliation_run_now"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list with its button."""
        context = {"may_run": request.user.has_perm(RUN_NOW), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def run_now_view(self, request: HttpRequest) -> HttpResponse:
        """Compare what is due now on every route. POST only."""
        if not request.user.has_perm(RUN_NOW):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        _run_all(request)
        return HttpResponseRedirect(reverse("admin:reconciliation_run_changelist"))


def _run_all(request: HttpRequest) -> None:
    by = cast(User, request.user).get_username()
    routes = list(services.compared_routes())
    if not routes:
        messages.warning(request, "No route is switched on, so there is nothing to compare.")
    for route in routes:
        try:
            runs = case_actions.run_now(route=route, at=timezone.now(), by=by)
        except services.ReconciliationError as error:
            messages.error(request, str(error))
            continue
        failed = next((run for run in runs if run.state == "failed"), None)
        if failed is not None:
            messages.error(request, f"{route}: {failed.error_text}")
        else:
            found = sum(run.difference_count for run in runs)
            messages.success(request, f"{route}: {runs[0].order_count} orders compared, {found} differences.")


# --- findings -----------------------------------------------------------------------------------------------


def _findings_in(code: str, rows: QuerySet[Finding]) -> QuerySet[Finding]:
    is_open = Q(healed_at__isnull=True, accepted_at__isnull=True)
    is_accepted = Q(healed_at__isnull=True, accepted_at__isnull=False)
    return rows.filter({"open": is_open, "accepted": is_accepted, "healed": Q(healed_at__isnull=False)}.get(code, Q()))


class FindingViews(SavedViews):
    """Tabs of the list; the first is the work."""

    views = (
        View(code="open", title="Open"),
        View(code="accepted", title="Accepted"),
        View(code="healed", title="Healed"),
        View(code="all", title="All"),
    )
    rows = staticmethod(_findings_in)


def _compare_again(finding: Finding, done: Performed) -> str:
    try:
        services.check_order(order=finding.order, at=done.at, by=done.name)
    except services.ReconciliationError as error:
        raise CaseError(f"It could not be compared: {error}") from None
    finding.refresh_from_db()
    return "Both agree now." if finding.healed_at else "Compared again: it still differs."


COMPARE_AGAIN: Final = Act(
    code="compare_again",
    label="Compare this order again",
    permission="reconciliation.view_finding",
    form=NoForm,
    run=_compare_again,
    is_offered=lambda finding: finding.healed_at is None,
    explain="Reads the order from the shop and runs every check for it. Changes nothing there.",
)


def _finding_page(finding: Finding, request: HttpRequest) -> dict[str, Any]:
    order = finding.order
    tone, state = _finding_state(finding)
    return {
        "title": _cause_title(finding),
        "finding": finding,
        "check": check_title(finding.check_code),
        "tone": tone,
        "state": state,
        "amount": words.amount(finding.amount, finding.currency) if finding.amount is not None else "",
        "order_url": remote_links.link_to(order.connection, "order", order.external_id),
        "evidence": evidence_tables(finding.evidence),
    }


def _cause_title(finding: Finding) -> str:
    cause = causes.CAUSES.get(finding.cause)
    return cause.title if cause else words.plain(finding.cause)


def _finding_state(finding: Finding) -> tuple[str, str]:
    if finding.healed_at is not None:
        return "healed", "healed"
    return ("accepted", f"accepted by {finding.accepted_by}") if finding.accepted_at else ("open", "open")


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    """What differs, why, and the case where it is worked on."""

    acts = (COMPARE_AGAIN,)
    page_of = staticmethod(_finding_page)
    list_display = ("show_cause", "show_order", "rma", "show_here", "show_there", "show_amount", "show_state")
    list_display_links = ("show_cause",)
    list_filter = (FindingViews, CheckFilter, ("route", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("order__connection", "rma", "case", "route")
    list_before_template = "returnsops/tabs.html"
    search_fields = ("order__number", "order__external_id", "rma__number", "rma__external_id", "refund_external_id")
    search_help_text = "Order or return number, refund id"
    change_form_template = "reconciliation/finding.html"
    fields = ("cause",)

    @admin.display(description="Finding", ordering="cause")
    def show_cause(self, finding: Finding) -> str:
        """Its cause in words."""
        return _cause_title(finding)

    @admin.display(description="Order", ordering="order__number")
    def show_order(self, finding: Finding) -> str:
        """Its order's number."""
        return finding.order.number or finding.order.external_id

    @admin.display(description="Here", ordering="here")
    def show_here(self, finding: Finding) -> str:
        """What our book says."""
        return finding.here

    @admin.display(description="In the shop", ordering="there")
    def show_there(self, finding: Finding) -> str:
        """What the shop says."""
        return finding.there

    @admin.display(description="At stake", ordering="amount")
    def show_amount(self, finding: Finding) -> str:
        """Money or units."""
        if finding.amount is not None:
            return words.amount(finding.amount, finding.currency)
        return f"{finding.quantity} units" if finding.quantity is not None else ""

    @display(description="State", label=FINDING_COLOURS)  # type: ignore[untyped-decorator]
    def show_state(self, finding: Finding) -> tuple[str, str]:
        """Open, accepted or healed."""
        return _finding_state(finding)
