"""What is on every screen: side bar, banner, home, search, the stop button. UNFOLD in the settings names these."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from exceptions_queue.models import ExceptionCase
from exceptions_queue.permissions import VIEW
from returnsops.selectors import role_home, search, watch

# Group → (title, icon, address, permission); the badge is counted at most every 20 s.
NAVIGATION = (
    (
        "Work",
        (
            ("Cases", "assignment_late", "exceptions_queue_exceptioncase", VIEW),
            ("Returns", "package_2", "returnsops_returnauthorisation", "returnsops.view_returnauthorisation"),
            ("Refunds and effects", "payments", "returnsops_effect", "returnsops.view_effect"),
        ),
    ),
    (
        "Records",
        (
            ("Orders", "receipt_long", "returnsops_order", "returnsops.view_order"),
            ("Reasons given", "label_important", "returnsops_returnline", "returnsops.view_returnline"),
            ("Refunds in the shop", "currency_exchange", "returnsops_refund", "returnsops.view_refund"),
            (
                "Warehouse reports",
                "fact_check",
                "returnsops_inspectionreport",
                "returnsops.view_inspectionreport",
            ),
            ("Tries", "sync_alt", "returnsops_attempt", "returnsops.view_attempt"),
            ("History", "history", "returnsops_historyentry", "returnsops.view_historyentry"),
            ("Inbox", "inbox", "returnsops_inboundevent", "returnsops.view_inboundevent"),
        ),
    ),
    (
        "Checks",
        (
            ("Reconciliation runs", "rule", "reconciliation_run", "reconciliation.view_run"),
            ("Findings", "difference", "reconciliation_finding", "reconciliation.view_finding"),
            ("Shadow comparison", "compare", "returnsops_shadowcomparison", "returnsops.view_shadowcomparison"),
            ("Articles", "sell", "returnsops_catalogueitem", "returnsops.view_catalogueitem"),
        ),
    ),
    (
        "Books",
        (
            ("Months", "calendar_month", "reconciliation_period", "reconciliation.view_period"),
            ("Postings", "menu_book", "reconciliation_posting", "reconciliation.view_posting"),
            ("Statements", "account_balance", "reconciliation_settlement", "reconciliation.view_settlement"),
            ("Statement lines", "list_alt", "reconciliation_settlementline", "reconciliation.view_settlementline"),
        ),
    ),
    (
        "Set-up",
        (
            ("Connections", "cable", "returnsops_connection", "returnsops.view_connection"),
            ("Routes", "alt_route", "returnsops_route", "returnsops.view_route"),
            ("Policies", "gavel", "returnsops_policyversion", "returnsops.view_policyversion"),
            ("Mappings", "schema", "returnsops_mappingversion", "returnsops.view_mappingversion"),
            ("Reasons", "label", "returnsops_reasoncode", "returnsops.view_reasoncode"),
            ("Reason mappings", "swap_horiz", "returnsops_reasonmapping", "returnsops.view_reasonmapping"),
            ("Locations", "warehouse", "returnsops_location", "returnsops.view_location"),
            ("Places of goods", "move_to_inbox", "returnsops_dispositionmapping", "returnsops.view_dispositionmapping"),
            ("API tokens", "key", "returnsops_apitoken", "returnsops.view_apitoken"),
            ("Stop switches", "front_hand", "returnsops_switch", "returnsops.view_switch"),
            ("People", "group", "auth_user", "auth.view_user"),
            ("Roles", "badge", "auth_group", "auth.view_group"),
        ),
    ),
)
BADGES = {
    "exceptions_queue_exceptioncase": lambda: ExceptionCase.objects.open().count(),
    "returnsops_effect": lambda: watch.refunds_needing_a_person().count(),
}


def stylesheet(request: HttpRequest) -> str:
    """Our few rules; the theme ships only the classes that its own templates use."""
    return static("returnsops/screens.css")


def script(request: HttpRequest) -> str:
    """Keyboard and screen reader support that the theme lacks."""
    return static("returnsops/screens.js")


def icon(request: HttpRequest) -> str:
    """The mark in the browser's tab and the side bar."""
    return static("returnsops/icon.svg")


def account_links(request: HttpRequest) -> list[dict[str, str]]:
    """The person's own pages."""
    return [
        {"title": "Password", "link": reverse("account_change_password")},
        {"title": "Second factor", "link": reverse("mfa_index")},
    ]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar: what this person may see and what is registered."""
    registered = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    groups: list[dict[str, Any]] = []
    for title, entries in NAVIGATION:
        items = [
            _item(name, symbol, target)
            for name, symbol, target, permission in entries
            if target in registered and request.user.has_perm(permission)
        ]
        if items:
            groups.append({"title": title, "items": items})
    home_item = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    return [{"items": [home_item]}, *groups]


def _item(title: str, symbol: str, target: str) -> dict[str, Any]:
    count = role_home.badge(target, BADGES[target]) if target in BADGES else 0
    return {
        "title": title,
        "icon": symbol,
        "link": reverse(f"admin:{target}_changelist"),
        **({"badge": str(count)} if count else {}),
    }


def on_every_page(request: HttpRequest) -> dict[str, Any]:
    """The banner of stops in force, and whether this person may stop."""
    if not request.user.is_authenticated:
        return {}
    return {
        "stops": role_home.stops_in_force(),
        "may_stop": request.user.has_perm("returnsops.stop_sending"),
        "search_text": request.GET.get("find", ""),
    }


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The first page: figures and the head of the warehouse's list."""
    now = timezone.now()
    is_warehouse = request.user.has_perm("returnsops.confirm_inspection")
    return {
        **context,
        "title": "Home",
        "cards": role_home.cards_for(request.user, now=now),
        "to_inspect": watch.what_to_inspect_next() if is_warehouse else (),
        "is_warehouse": is_warehouse,
        "now": now,
    }


def find_view(request: HttpRequest) -> HttpResponse:
    """Search results; a single hit is opened at once."""
    text = request.GET.get("find", "")
    hits = search.find(text, user=request.user)
    if len(hits) == 1:
        return HttpResponseRedirect(hits[0].url)
    context = {
        **admin.site.each_context(request),
        "title": "Search",
        "hits": hits,
        "search_text": text,
    }
    return TemplateResponse(request, "returnsops/find.html", context)
