"""Acts on several effects: a page first, that shows how many they are and how much money is in them.

Only trying again and cancelling are offered for several; money is never approved in bulk, and never across pages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from returnsops.models import Effect
from returnsops.selectors import words
from returnsops.services import approvals
from returnsops.services.effect_rows import EffectError

MOST = 100


class BulkWhyForm(forms.Form):
    """The reason, the same for all."""

    why = forms.CharField(label="Reason", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """One act for several effects."""

    name: str
    question: str
    run: Callable[..., Effect]


@admin.action(description="Try again", permissions=["requeue"])
def requeue_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Effect]) -> TemplateResponse | None:
    """Bulk action of the list of effects."""
    bulk = Bulk(name="requeue_selected", question="Try these again?", run=approvals.requeue)
    return _asked_or_done(model_admin, request, queryset, bulk)


@admin.action(description="Cancel", permissions=["cancel"])
def cancel_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Effect]) -> TemplateResponse | None:
    """Bulk action of the list of effects."""
    bulk = Bulk(name="cancel_selected", question="Cancel these?", run=approvals.cancel)
    return _asked_or_done(model_admin, request, queryset, bulk)


def _asked_or_done(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Effect], bulk: Bulk
) -> TemplateResponse | None:
    rows = list(queryset.order_by("pk")[: MOST + 1])
    if request.POST.get("select_across") == "1" or len(rows) > MOST:
        messages.error(request, f"Choose at most {MOST}, one page at a time; nothing was changed.")
        return None
    is_confirmed = request.POST.get("confirmed") == "yes"
    form = BulkWhyForm(request.POST if is_confirmed else None)
    if not is_confirmed or not form.is_valid():
        return _confirm_page(model_admin, request, rows, bulk, form)
    _do_all(request, rows, bulk, why=form.cleaned_data["why"], at=timezone.now())
    return None


def _confirm_page(
    model_admin: Any, request: HttpRequest, rows: list[Effect], bulk: Bulk, form: forms.Form
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": bulk.question,
        "opts": model_admin.opts,
        "bulk": bulk,
        "rows": [(row, words.describe(row)) for row in rows],
        "total": words.total((row.amount, row.currency) for row in rows),
        "form": form,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "returnsops/confirm.html", context)


def _do_all(request: HttpRequest, rows: list[Effect], bulk: Bulk, *, why: str, at: datetime) -> None:
    done = 0
    for row in rows:
        try:
            bulk.run(effect_id=row.pk, by=cast(User, request.user), at=at, why=why)
            done += 1
        except EffectError as error:
            messages.error(request, f"{words.describe(row)}: {error}")
    if done:
        messages.success(request, f"Done for {done} of {len(rows)}.")
