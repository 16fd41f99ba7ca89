"""Acts on several cases at once, always through a page that shows how many they are and how much money is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from exceptions_queue.admin.acts import ACTS, Request
from exceptions_queue.admin.forms import ResolveForm, SnoozeForm
from exceptions_queue.errors import CaseError
from exceptions_queue.models import CaseQuerySet, ExceptionCase
from exceptions_queue.presentation import total_in_words

if TYPE_CHECKING:
    from exceptions_queue.admin.cases import CaseAdmin

MOST_CASES = 100


@dataclass(frozen=True, kw_only=True)
class BulkAct:
    """One act that is also offered for several cases; `act` is its name in `ACTS`."""

    name: str
    act: str
    question: str
    form: Callable[..., forms.Form]


ASSIGN = BulkAct(name="assign_to_me", act="assign-to-me", question="Assign these cases to yourself?", form=forms.Form)
SNOOZE = BulkAct(name="snooze_selected", act="snooze", question="Snooze these cases?", form=SnoozeForm)
RESOLVE = BulkAct(name="resolve_selected", act="resolve", question="Close these cases?", form=ResolveForm)


@admin.action(description="Assign to me", permissions=["work"])
def assign_to_me(model_admin: CaseAdmin, request: HttpRequest, queryset: CaseQuerySet) -> TemplateResponse | None:
    """Bulk action of the list."""
    return _asked_or_done(model_admin, request, queryset, ASSIGN)


@admin.action(description="Snooze", permissions=["work"])
def snooze_selected(model_admin: CaseAdmin, request: HttpRequest, queryset: CaseQuerySet) -> TemplateResponse | None:
    """Bulk action of the list."""
    return _asked_or_done(model_admin, request, queryset, SNOOZE)


@admin.action(description="Close", permissions=["work"])
def resolve_selected(model_admin: CaseAdmin, request: HttpRequest, queryset: CaseQuerySet) -> TemplateResponse | None:
    """Bulk action of the list."""
    return _asked_or_done(model_admin, request, queryset, RESOLVE)


def _asked_or_done(
    model_admin: CaseAdmin, request: HttpRequest, queryset: CaseQuerySet, bulk: BulkAct
) -> TemplateResponse | None:
    cases = list(queryset.order_by("pk")[: MOST_CASES + 1])
    if request.POST.get("select_across") == "1" or len(cases) > MOST_CASES:
        messages.error(request, f"Choose at most {MOST_CASES} cases, one page at a time; nothing was changed.")
        return None
    is_confirmed = request.POST.get("confirmed") == "yes"
    form = bulk.form(request.POST) if is_confirmed else bulk.form()
    if not is_confirmed or not form.is_valid():
        return _confirm_page(model_admin, request, cases, bulk, form)
    _do_all(request, cases, bulk)
    return None


def _confirm_page(
    model_admin: CaseAdmin, request: HttpRequest, cases: Sequence[ExceptionCase], bulk: BulkAct, form: forms.Form
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": bulk.question,
        "opts": model_admin.opts,
        "bulk": bulk,
        "cases": cases,
        "total": total_in_words(cases),
        "form": form,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "exceptions_queue/confirm.html", context)


def _do_all(request: HttpRequest, cases: Sequence[ExceptionCase], bulk: BulkAct) -> None:
    if not isinstance(request.user, User):
        return
    done = 0
    for case in cases:
        try:
            ACTS[bulk.act](Request(case=case, by=request.user, at=timezone.now(), data=request.POST))
            done += 1
        except CaseError as error:
            messages.error(request, f"Case {case.pk}: {error}")
    if done:
        messages.success(request, f"Done for {done} of {len(cases)} cases.")
