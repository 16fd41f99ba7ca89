"""What people may do, as data: a permission, a form, one call. A GET shows the form, only a POST changes anything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from exceptions_queue.errors import CaseError
from returnsops.selectors.role_home import forget_stops
from returnsops.services.api_tokens import TokenError
from returnsops.services.decisions import DecisionError
from returnsops.services.effect_rows import EffectError
from returnsops.services.notes import NoteError
from returnsops.services.routes import RouteError
from returnsops.services.switches import StopError
from returnsops.services.warehouse import WarehouseError

# What services say when an act is not possible: a sentence for the person, never a fault of the program.
REFUSALS = (
    CaseError,
    DecisionError,
    EffectError,
    NoteError,
    RouteError,
    StopError,
    TokenError,
    ValidationError,
    WarehouseError,
)


class ActForm(forms.Form):
    """A form about one row. Fields that depend on the row are set in ``prepare``."""

    def __init__(self, *args: Any, subject: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subject = subject
        self.prepare()
        for name, field in self.fields.items():
            if self.errors.get(name) if self.is_bound else False:
                field.widget.attrs["aria-invalid"] = "true"

    def prepare(self) -> None:
        """Set choices and initial values from ``self.subject``."""


class WhyForm(ActForm):
    """Nothing but the reason."""

    why = forms.CharField(
        label="Reason", max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept in the history."
    )


class NoForm(ActForm):
    """Nothing to fill in."""


@dataclass(frozen=True, kw_only=True)
class Performed:
    """Who pressed the button, when, with what."""

    by: User
    at: datetime
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The name that history keeps."""
        return self.by.get_username()


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing people may do to one row. ``run`` makes one call and returns the sentence that is shown after it."""

    code: str
    label: str
    permission: str
    run: Callable[[Any, Performed], str]
    form: type[ActForm] = WhyForm
    explain: str = ""
    is_offered: Callable[[Any], bool] = lambda row: True
    is_grave: bool = False
    back_to_list: bool = False
    template: str = "returnsops/act.html"
    is_shown_once: bool = False  # the sentence holds what must not be stored: it is the answer, in no message


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An act as a link on a page."""

    act: Act
    url: str


def offers(acts: Sequence[Act], row: Any, user: Any, *, back: str = "") -> tuple[Offer, ...]:
    """The acts that fit the row and that this person may do."""
    return tuple(
        Offer(act=act, url=url_of(act, row) + (f"?next={back}" if back else ""))
        for act in acts
        if user.has_perm(act.permission) and act.is_offered(row)
    )


def url_of(act: Act, row: Any) -> str:
    """Where an act on a row lives."""
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_act", args=[row.pk, act.code])


def act_page(model_admin: Any, request: HttpRequest, object_id: str, code: str) -> HttpResponse:
    """Show the form of an act, or do it. 404 for a row or act that is not there, 403 without the permission."""
    row = model_admin.get_object(request, object_id)
    act = next((act for act in model_admin.acts if act.code == code), None)
    if row is None or act is None:
        raise Http404
    if not (model_admin.has_view_permission(request, row) and request.user.has_perm(act.permission)):
        raise PermissionDenied
    if request.method != "POST":
        return _page(model_admin, request, act, row, act.form(subject=row, initial=request.GET.dict()))
    form = act.form(request.POST, subject=row)
    if act.is_shown_once and form.is_valid():
        return _shown_once(model_admin, request, act, row, form)
    if form.is_valid() and _is_done(request, act, row, form):
        return HttpResponseRedirect(_list_of(row) if act.back_to_list else _next(request, row))
    return _page(model_admin, request, act, row, form)


def _shown_once(model_admin: Any, request: HttpRequest, act: Act, row: Any, form: ActForm) -> HttpResponse:
    """The sentence as part of the answer itself, which nobody may keep."""
    performed = Performed(by=cast(User, request.user), at=timezone.now(), data=form.cleaned_data)
    try:
        sentence = act.run(row, performed)
    except REFUSALS as refusal:
        form.add_error(None, str(refusal))
        return _page(model_admin, request, act, row, form)
    response = _page(model_admin, request, act, row, form, shown=sentence)
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_done(request: HttpRequest, act: Act, row: Any, form: ActForm) -> bool:
    performed = Performed(by=cast(User, request.user), at=timezone.now(), data=form.cleaned_data)
    try:
        sentence = act.run(row, performed)
    except REFUSALS as refusal:
        texts = refusal.messages if isinstance(refusal, ValidationError) else [str(refusal)]
        for text in texts:
            form.add_error(None, text)
        return False
    forget_stops()
    messages.success(request, sentence)
    return True


def _page(
    model_admin: Any, request: HttpRequest, act: Act, row: Any, form: ActForm, *, shown: str = ""
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": act.label,
        "act": act,
        "row": row,
        "form": form,
        "shown": shown,
        "opts": model_admin.opts,
        "original": row,
        "back": _next(request, row),
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return TemplateResponse(request, act.template, context, status=200)


def _list_of(row: Any) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")


def _next(request: HttpRequest, row: Any) -> str:
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])
