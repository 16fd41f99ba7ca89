"""Releasing several returns begun before their route went live: shown with their money first, one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from returnsops.models import ReturnAuthorisation
from returnsops.planning.keys import content_hash
from returnsops.selectors import boxes, going_live, words
from returnsops.services import routes

from .bulk import BulkWhyForm

MOST: Final = 25  # one page of the list: people can look through so many, and through no more


@dataclass(frozen=True, kw_only=True)
class Row:
    """One return, what would go out for it, and what stands in the shop already."""

    rma: ReturnAuthorisation
    would_send: tuple[str, ...]
    money: tuple[tuple[Any, str], ...]
    in_shop: tuple[str, ...]


@admin.action(description="Release", permissions=["release"])
def release_selected(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[ReturnAuthorisation]
) -> TemplateResponse | None:
    """Bulk action of the list of returns."""
    chosen = list(queryset.select_related("route", "order", "connection").order_by("pk")[: MOST + 1])
    if request.POST.get("select_across") == "1" or len(chosen) > MOST:
        messages.error(request, f"Choose at most {MOST}, one page at a time; nothing was released.")
        return None
    waiting = [rma for rma in chosen if routes.needs_release(rma)]
    if not waiting:
        messages.error(request, "None of these waits for release.")
        return None
    rows = [_row(rma) for rma in waiting]
    is_confirmed = request.POST.get("confirmed") == "yes"
    form = BulkWhyForm(request.POST if is_confirmed else None)
    if is_confirmed and request.POST.get("seen") != _stamp(rows):
        form.add_error(None, "What would go out changed since you looked. Look again, then confirm.")
    if not is_confirmed or not form.is_valid():
        return _page(model_admin, request, rows, form)
    _release(request, rows, why=form.cleaned_data["why"])
    return None


def _row(rma: ReturnAuthorisation) -> Row:
    effects = going_live.would_send(rma)
    return Row(
        rma=rma,
        would_send=tuple(words.describe(effect) for effect in effects),
        money=tuple((effect.amount, effect.currency) for effect in effects if effect.amount is not None),
        in_shop=tuple(f"{shown.amount} by {shown.by}, {shown.whose}" for shown in boxes.money_box(rma).in_shop),
    )


def _stamp(rows: Sequence[Row]) -> str:
    """Changes with what would go out: the confirmation is for just what was shown."""
    return content_hash({str(row.rma.pk): [list(row.would_send), list(row.in_shop)] for row in rows})


def _page(model_admin: Any, request: HttpRequest, rows: Sequence[Row], form: forms.Form) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Release these returns?",
        "opts": model_admin.opts,
        "rows": rows,
        "total": words.total(money for row in rows for money in row.money),
        "stamp": _stamp(rows),
        "form": form,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "returnsops/release.html", context)


def _release(request: HttpRequest, rows: Sequence[Row], *, why: str) -> None:
    by = cast(User, request.user).get_username()
    try:
        released = routes.release_returns(rma_ids=[row.rma.pk for row in rows], by=by, at=timezone.now(), why=why)
    except routes.RouteError as error:
        messages.error(request, str(error))
        return
    messages.success(request, f"Released: {len(released)}. What is planned for them goes out now.")
