"""Effects: the ledger of what should happen and what did, and the tries of each."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from exceptions_queue.evidence import evidence_tables
from returnsops.models import Attempt, Effect
from returnsops.selectors import stops, watch, why_not_yet, words

from .base import ReadOnlyAdmin, SavedViews, display
from .bulk import cancel_selected, requeue_selected
from .effect_acts import EFFECT_ACTS

COLOURS = {"good": "success", "info": "info", "warn": "warning", "bad": "danger", "quiet": "default"}


class EffectViews(SavedViews):
    """Tabs of the list; the first is finance's work."""

    views = watch.EFFECT_VIEWS
    rows = staticmethod(watch.effects_in)


def _page(effect: Effect, request: HttpRequest) -> dict[str, Any]:
    row = why_not_yet.shown(effect, now=timezone.now())
    return {
        "title": row.what,
        "effect": effect,
        "row": row,
        "attempts": effect.attempts.order_by("-number"),
        "payload": evidence_tables({"payload": effect.payload}),
    }


@admin.register(Effect)
class EffectAdmin(ReadOnlyAdmin):
    """Approve and send one by one; only trying again and cancelling are offered for several."""

    acts = EFFECT_ACTS
    page_of = staticmethod(_page)
    list_display = ("show_what", "show_return", "show_state", "show_holds", "show_where", "planned_at")
    list_display_links = ("show_what",)
    list_filter = (EffectViews, "kind", ("connection", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("rma", "connection", "order", "route")
    list_disable_select_all = True
    list_before_template = "returnsops/tabs.html"
    ordering = ("-planned_at", "-id")
    actions = (requeue_selected, cancel_selected)
    search_fields = ("key", "remote_id", "rma__number", "rma__external_id", "order__number", "order__external_id")
    search_help_text = "Return or order number, refund id or key"
    change_form_template = "returnsops/effect.html"
    fields = ("key",)

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk action."""
        return request.user.has_perm("returnsops.requeue_effect")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk action."""
        return request.user.has_perm("returnsops.cancel_effect")

    @admin.display(description="What", ordering="kind")
    def show_what(self, effect: Effect) -> str:
        """Kind with amount or quantity."""
        return words.describe(effect)

    @admin.display(description="Return", ordering="rma__number")
    def show_return(self, effect: Effect) -> str:
        """The return, or the order where there is none."""
        return effect.rma.label if effect.rma else str(effect.order or "")

    @display(description="State", ordering="state", label=COLOURS)  # type: ignore[untyped-decorator]
    def show_state(self, effect: Effect) -> tuple[str, str]:
        """State in words and colour."""
        state, tone = stops.state_of(effect, switches=stops.lately_in_force(), now=timezone.now())
        return tone, state

    @admin.display(description="Why")
    def show_holds(self, effect: Effect) -> str:
        """What holds it, or the last error."""
        return "; ".join(hold["text"] for hold in effect.holds) or effect.error_text or effect.proposed_why

    @admin.display(description="Where", ordering="connection")
    def show_where(self, effect: Effect) -> str:
        """The system it happens in."""
        return str(effect.connection)


def _attempt_page(attempt: Attempt, request: HttpRequest) -> dict[str, Any]:
    title = f"Try {attempt.number}: {words.describe(attempt.effect)}"
    return {"title": title, "attempt": attempt, "evidence": evidence_tables(attempt.evidence)}


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """One try with its redacted request and answer."""

    page_of = staticmethod(_attempt_page)
    list_display = ("show_what", "purpose", "outcome", "started_at", "text")
    list_filter = ("purpose", "outcome")
    list_select_related = ("effect",)
    ordering = ("-started_at", "-id")
    search_fields = ("effect__key", "effect__rma__number", "effect__order__number", "token")
    search_help_text = "Return or order number, key"
    change_form_template = "returnsops/attempt.html"
    fields = ("number",)

    @admin.display(description="What", ordering="effect")
    def show_what(self, attempt: Attempt) -> str:
        """Effect and number."""
        return f"{words.describe(attempt.effect)}, try {attempt.number}"
