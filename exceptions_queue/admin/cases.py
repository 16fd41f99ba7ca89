"""List and page of cases."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets, SimpleListFilter
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from exceptions_queue import services
from exceptions_queue.admin import bulk, page
from exceptions_queue.admin.acts import ACTS, Request
from exceptions_queue.admin.forms import ActionForm, RaiseForm
from exceptions_queue.errors import CaseError
from exceptions_queue.models import CaseExport, CaseQuerySet, ExceptionCase
from exceptions_queue.permissions import WORK
from exceptions_queue.presentation import as_csv, money_in_words
from exceptions_queue.saved_views import DEFAULT_VIEW, TITLES, cases_of_view, tabs

COLOURS = {"late": "danger", "soon": "warning", "fine": "success", "closed": "info"}


class SavedViewFilter(SimpleListFilter):
    """The tab that is shown; the tabs above the list link to it."""

    title = "view"
    parameter_name = "view"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, title) for code, title in TITLES.items() if code != DEFAULT_VIEW]

    def queryset(self, request: HttpRequest, queryset: CaseQuerySet) -> CaseQuerySet:  # type: ignore[override]
        view = self.value() or DEFAULT_VIEW
        return cases_of_view(cases=queryset, view=view, user=request.user, now=timezone.now())

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            yield {**choice, "display": TITLES[DEFAULT_VIEW]} if choice["display"] == "All" else choice


@admin.register(ExceptionCase)
class CaseAdmin(ModelAdmin):  # type: ignore[misc]
    """Everybody with the view permission sees all cases; acting goes through the services, which ask the team."""

    list_display = ("show_title", "show_subject", "show_money", "show_deadline", "show_owner", "priority")
    list_display_links = ("show_title",)
    list_filter = (SavedViewFilter, ("owner_team", admin.AllValuesFieldListFilter), "is_regressed")
    list_select_related = ("assigned_to",)
    list_per_page = 25
    list_max_show_all = bulk.MOST_CASES
    list_disable_select_all = True
    list_before_template = "exceptions_queue/list_before.html"
    show_facets = ShowFacets.NEVER
    show_full_result_count = False
    search_fields = ("=id", "title", "subject_id", "subject_label", "group_key")
    search_help_text = "Number of the case, subject, order or return number"
    ordering = ("-priority", "due_at", "pk")
    actions = (bulk.assign_to_me, bulk.snooze_selected, bulk.resolve_selected)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Cases are opened by services, or on the page for raising one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ExceptionCase | None = None) -> bool:
        """No field of a case is edited by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ExceptionCase | None = None) -> bool:
        """Cases are a record."""
        return False

    def has_work_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk actions."""
        return request.user.has_perm(WORK)

    @admin.display(description="Case", ordering="title")
    def show_title(self, case: ExceptionCase) -> str:
        """Title, with a word if it came back."""
        return f"{case.title} (came back)" if case.is_regressed else case.title

    @admin.display(description="About", ordering="subject_id")
    def show_subject(self, case: ExceptionCase) -> str:
        """What it is about."""
        return case.subject_label or f"{case.subject_type} {case.subject_id}"

    @admin.display(description="Money at risk", ordering="money_at_risk")
    def show_money(self, case: ExceptionCase) -> str:
        """Amount in its currency."""
        return money_in_words(case.money_at_risk, case.currency) or "none"

    @display(description="Deadline", ordering="due_at", label=COLOURS)  # type: ignore[untyped-decorator]
    def show_deadline(self, case: ExceptionCase) -> tuple[str, str]:
        """Deadline in words and colour."""
        return page.urgency_of(case, timezone.now())

    @admin.display(description="Owner", ordering="owner_team")
    def show_owner(self, case: ExceptionCase) -> str:
        """Team and person."""
        person = case.assigned_to.get_username() if case.assigned_to else "unassigned"
        return f"{case.team_title}: {person}"

    def get_urls(self) -> list[URLPattern]:
        """Our own pages stand before Django's, whose last pattern takes everything."""
        wrap = self.admin_site.admin_view
        own = [
            path("raise/", wrap(self.raise_view), name="exceptions_queue_exceptioncase_raise"),
            path("export/", wrap(self.export_view), name="exceptions_queue_exceptioncase_export"),
            path("<int:pk>/do/<str:act>/", wrap(self.act_view), name="exceptions_queue_exceptioncase_do"),
            path("<int:pk>/action/<str:code>/", wrap(self.action_view), name="exceptions_queue_exceptioncase_action"),
        ]
        inherited: list[URLPattern] = super().get_urls()
        return own + inherited

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The list with its tabs."""
        view = request.GET.get("view", DEFAULT_VIEW)
        context = {
            "case_tabs": tabs(current=view, user=request.user, now=timezone.now()),
            "may_raise": self.has_work_permission(request),
            **(extra_context or {}),
        }
        response: TemplateResponse = super().changelist_view(request, context)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The page of one case; it is read only, every act has its own address."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        return self.render_case(request, self._case(request, object_id))

    def render_case(
        self, request: HttpRequest, case: ExceptionCase, form: ActionForm | None = None, status: int = 200
    ) -> TemplateResponse:
        """The case page, with one action's form filled as the person left it."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            **page.context_of(case=case, user=request.user, now=timezone.now(), form=form),
        }
        return TemplateResponse(request, "exceptions_queue/case.html", context, status=status)

    def act_view(self, request: HttpRequest, pk: int, act: str) -> HttpResponseBase:
        """POST: one of the acts that every case has."""
        case, user = self._case(request, str(pk)), self._person(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if act not in ACTS:
            raise Http404(f"A case has no act {act!r}.")
        if not self.has_work_permission(request):
            raise PermissionDenied
        try:
            sentence = ACTS[act](Request(case=case, by=user, at=timezone.now(), data=request.POST))
        except CaseError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, sentence)
        return self._back_to(case)

    def action_view(self, request: HttpRequest, pk: int, code: str) -> HttpResponseBase:
        """POST: one of the actions of the case's kind; a form that is not complete is shown again as it was."""
        case, user = self._case(request, str(pk)), self._person(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        action = case.kind.action(code) if case.kind else None
        if action is None:
            raise Http404(f"This case has no action {code!r}.")
        form = ActionForm(action=action, case=case, data=request.POST)
        if not form.is_valid():
            return self.render_case(request, case, form, status=400)
        try:
            sentence = services.run_action(
                case=case, action_code=code, by=user, at=timezone.now(), reason=form.reason(), data=form.values()
            )
        except CaseError as error:
            messages.error(request, str(error))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, sentence)
        return self._back_to(case)

    def raise_view(self, request: HttpRequest) -> HttpResponseBase:
        """Form for a case that a person noticed."""
        user = self._person(request)
        if not self.has_work_permission(request):
            raise PermissionDenied
        form = RaiseForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            case = services.raise_by_hand(**form.cleaned_data, by=user, at=timezone.now())
            messages.success(request, f"Case {case.pk} is now with {case.team_title}.")
            return self._back_to(case)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Raise a case",
            "form": form,
        }
        return TemplateResponse(request, "exceptions_queue/raise.html", context, status=400 if form.is_bound else 200)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """POST: the list as it is filtered now, as CSV; who took it is kept."""
        user = self._person(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        cases = list(self.get_changelist_instance(request).get_queryset(request))
        CaseExport.objects.create(
            at=timezone.now(), by_user=user, view=request.GET.urlencode()[:250], row_count=len(cases)
        )
        headers = {"Content-Disposition": 'attachment; filename="cases.csv"'}
        return HttpResponse(as_csv(cases), content_type="text/csv; charset=utf-8", headers=headers)

    def _case(self, request: HttpRequest, pk: str) -> ExceptionCase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        case: ExceptionCase | None = self.get_object(request, pk)
        if case is None:
            raise Http404("There is no case of that number.")
        return case

    def _person(self, request: HttpRequest) -> User:
        if not isinstance(request.user, User):
            raise PermissionDenied
        return request.user

    def _back_to(self, case: ExceptionCase) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:exceptions_queue_exceptioncase_change", args=[case.pk]))
