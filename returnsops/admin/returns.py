"""Returns: the list with its saved views, and the page that answers everything about one return."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from exceptions_queue.models import ExceptionCase
from exceptions_queue.sla import span_in_words
from returnsops.models import ReturnAuthorisation
from returnsops.selectors import boxes, credits, going_live, remote_links, timeline, watch, why_not_yet, words
from returnsops.services.cases import group_of, waiting_since

from .acts import Offer, offers, url_of
from .base import ReadOnlyAdmin, SavedViews, display
from .effect_acts import EFFECT_ACTS
from .release import release_selected
from .return_acts import INSPECT, NOTE, RETURN_ACTS, has_goods_to_inspect
from .return_forms import InspectionForm, NoteForm

STATUS_COLOURS = {"good": "success", "bad": "danger", "warn": "warning", "info": "info", "quiet": "default"}


class ReturnViews(SavedViews):
    """Tabs of the list."""

    views = watch.RETURN_VIEWS
    rows = staticmethod(watch.returns_in)


def page_of(rma: ReturnAuthorisation, request: HttpRequest) -> dict[str, Any]:
    """Everything the template shows."""
    now = timezone.now()
    back = request.path
    effects = why_not_yet.effects_of(rma, now=now)
    may_see_cases = request.user.has_perm("exceptions_queue.view_exceptioncase")
    may_see_effects = request.user.has_perm("returnsops.view_effect")
    cases = ExceptionCase.objects.active().filter(group_key=group_of(rma)) if may_see_cases else ()
    offered = offers(RETURN_ACTS, rma, request.user)
    return {
        "title": f"Return {rma.label}",
        "rma": rma,
        "answer": why_not_yet.answer(rma, effects) if may_see_effects else (),
        "status": words.plain(rma.status),
        "status_tone": words.RETURN_TONES.get(rma.status, "info"),
        "resolution": words.plain(rma.resolution),
        "order_link": _order_link(rma),
        "return_link": remote_links.link_to(rma.connection, "return", rma.external_id),
        "lines": _lines(rma),
        "effects": _with_offers(effects, request, back) if may_see_effects else (),
        "money": boxes.money_box(rma) if may_see_effects else None,
        "stock": boxes.stock_box(rma),
        "other_goods": boxes.other_goods(rma),
        "credits": credits.of_return(rma) if may_see_effects else (),
        "cases": [(case, case.deadline_in_words(now)) for case in cases],
        "timeline": timeline.of_return(rma) if may_see_effects else (),
        "offered": [offer for offer in offered if offer.act not in (NOTE, INSPECT)],
        "inspection": _form(INSPECT, InspectionForm, offered, rma) if has_goods_to_inspect(rma) else None,
        "note": _form(NOTE, NoteForm, offered, rma),
        "now": now,
    }


def _form(act: Any, form: Any, offered: tuple[Offer, ...], rma: ReturnAuthorisation) -> dict[str, Any] | None:
    if act not in [offer.act for offer in offered]:
        return None
    return {"act": act, "url": url_of(act, rma), "form": form(subject=rma, prefix=None)}


def _order_link(rma: ReturnAuthorisation) -> remote_links.RemoteRecord | None:
    if not rma.order_external_id:
        return None
    commerce = rma.route.commerce if rma.route else None
    return remote_links.RemoteRecord(
        label=rma.order_number or rma.order_external_id,
        external_id=rma.order_external_id,
        url=remote_links.link_to(commerce, "order", rma.order_external_id),
    )


def _lines(rma: ReturnAuthorisation) -> QuerySet[Any]:
    return rma.lines.select_related("order_line", "reason").order_by("is_withdrawn", "pk")


def _with_offers(effects: tuple[why_not_yet.EffectShown, ...], request: HttpRequest, back: str) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "offers": offers(EFFECT_ACTS, row.effect, request.user, back=back),
            "url": reverse("admin:returnsops_effect_change", args=[row.effect.pk]),
            "attempts": row.effect.attempts.count(),
        }
        for row in effects
    ]


@admin.register(ReturnAuthorisation)
class ReturnAdmin(ReadOnlyAdmin):
    """Nothing of a return is edited; facts and people's acts change it."""

    acts = RETURN_ACTS
    actions = (release_selected,)
    page_of = staticmethod(page_of)
    list_display = ("show_return", "show_order", "show_customer", "show_status", "show_resolution", "show_waiting")
    list_display_links = ("show_return",)
    list_filter = (ReturnViews, "resolution", ("route", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("order", "route")
    list_before_template = "returnsops/tabs.html"
    search_fields = (
        "number",
        "external_id",
        "order_number",
        "order_external_id",
        "customer_email",
        "lines__sku",
        "parcels__tracking_number",
        "platform_refunds__external_id",
        "effects__remote_id",
    )
    search_help_text = "Return or order number, refund id, SKU, tracking number or e-mail"
    change_form_template = "returnsops/return.html"
    fields = ("external_id",)

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk action."""
        return request.user.has_perm("returnsops.release_return")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Where returns wait for release, what would go out stands beside them."""
        if request.GET.get("view") != "release" or not request.user.has_perm("returnsops.view_effect"):
            return self.list_display
        return (*self.list_display[:4], "show_would_send", "show_in_shop")

    @admin.display(description="Goes out when released")
    def show_would_send(self, rma: ReturnAuthorisation) -> str:
        """Effects that nothing else keeps back."""
        return ", ".join(words.describe(effect) for effect in going_live.would_send(rma)) or "nothing yet"

    @admin.display(description="Refunded in the shop already")
    def show_in_shop(self, rma: ReturnAuthorisation) -> str:
        """Sum on its order, by anyone."""
        return boxes.money_box(rma).in_shop_total or "nothing"

    @admin.display(description="Return", ordering="number")
    def show_return(self, rma: ReturnAuthorisation) -> str:
        """The name people use."""
        return rma.label

    @admin.display(description="Order", ordering="order_number")
    def show_order(self, rma: ReturnAuthorisation) -> str:
        """Its number, and whether it was found."""
        shown = rma.order_number or rma.order_external_id or "not named"
        return shown if rma.order_id else f"{shown} (not found yet)"

    @admin.display(description="Customer", ordering="customer_email")
    def show_customer(self, rma: ReturnAuthorisation) -> str:
        """E-mail address."""
        return rma.customer_email or rma.customer_external_id or "not known"

    @display(description="Status", ordering="status", label=STATUS_COLOURS)  # type: ignore[untyped-decorator]
    def show_status(self, rma: ReturnAuthorisation) -> tuple[str, str]:
        """Status of the goods; money and stock are not in it."""
        return words.RETURN_TONES.get(rma.status, "info"), words.plain(rma.status)

    @admin.display(description="Wants", ordering="resolution")
    def show_resolution(self, rma: ReturnAuthorisation) -> str:
        """What the customer asked for."""
        return words.plain(rma.resolution) + (" (instant)" if rma.mode == "instant" else "")

    @admin.display(description="Customer waits", ordering="requested_at")
    def show_waiting(self, rma: ReturnAuthorisation) -> str:
        """Since when, in words."""
        since = waiting_since(rma)
        is_over = rma.closed_at is not None or rma.end_status
        return span_in_words(timezone.now() - since) if since and not is_over else ""
