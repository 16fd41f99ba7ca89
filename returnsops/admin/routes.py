"""Routes, their policies and signatures, mappings and stop switches: read here, changed by configuration or acts."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from returnsops import states
from returnsops.models import PolicySignature, PolicyVersion, Route, Switch
from returnsops.selectors import going_live, shadow, words
from returnsops.services import routes, switches

from .acts import Act, ActForm, Performed, WhyForm
from .base import ReadOnlyAdmin, display
from .going_live import GO_LIVE, SWITCH_OFF, TO_SHADOW

MODE_TONES = {states.ROUTE_LIVE: "good", states.ROUTE_SHADOW: "info", states.ROUTE_OFF: "quiet"}
MODE_COLOURS = {states.ROUTE_LIVE: "success", states.ROUTE_SHADOW: "info", states.ROUTE_OFF: "default"}


class SignForm(ActForm):
    """For which team the person signs."""

    team = forms.ChoiceField(label="For", choices=[(team, states.TEAMS[team]) for team in routes.SIGNING_TEAMS])


def _sign(policy: PolicyVersion, done: Performed) -> str:
    routes.sign_policy(policy=policy, team=done.data["team"], by=done.by, at=done.at)
    return f"Policy {policy.version} is signed for {states.TEAMS[done.data['team']]}."


def _resume_route(route: Route, done: Performed) -> str:
    switches.resume_route(route=route, reason=done.data["why"], by=done.name, at=done.at)
    return f"{route} sends again."


def _resume_scope(switch: Switch, done: Performed) -> str:
    switches.resume(scope=switch.scope, reason=done.data["why"], by=done.name, at=done.at)
    return "Sending goes on."


SIGN: Final = Act(
    code="sign",
    label="Sign for my team",
    permission="returnsops.sign_policy",
    form=SignForm,
    run=_sign,
    explain="Your team agrees to every line of this policy. A route goes live only with three signatures.",
)
RESUME_ROUTE: Final = Act(
    code="resume",
    label="Send again",
    permission="returnsops.stop_sending",
    form=WhyForm,
    run=_resume_route,
    is_offered=lambda route: route.is_paused,
    is_grave=True,
)
RESUME_SCOPE: Final = Act(
    code="resume",
    label="Resume sending",
    permission="returnsops.stop_sending",
    form=WhyForm,
    run=_resume_scope,
    back_to_list=True,
)


def route_page(route: Route, request: HttpRequest) -> dict[str, Any]:
    """Everything the template shows."""
    waiting = going_live.waiting_for_release(route.returns.all())
    return {
        "title": f"Route {route}",
        "route": route,
        "mode_tone": MODE_TONES[route.mode],
        "signatures": going_live.signatures(route, request.user),
        "obstacles": going_live.obstacles_of(route),
        "matrix": going_live.matrix(route),
        "waiting_count": waiting.count(),
        "figures": shadow.figures(route),
        "may_release": request.user.has_perm("returnsops.release_return"),
    }


@admin.register(Route)
class RouteAdmin(ReadOnlyAdmin):
    """Which platform and shop belong together."""

    acts = (RESUME_ROUTE, GO_LIVE, TO_SHADOW, SWITCH_OFF)
    page_of = staticmethod(route_page)
    list_display = ("__str__", "platform", "commerce", "show_mode", "live_from", "show_sending", "policy")
    list_select_related = ("platform", "commerce", "policy")
    search_fields = ("name", "title")
    fields = ("name",)
    change_form_template = "returnsops/route.html"

    @display(description="Mode", ordering="mode", label=MODE_COLOURS)  # type: ignore[untyped-decorator]
    def show_mode(self, route: Route) -> tuple[str, str]:
        """Off, shadow or live."""
        return route.mode, route.get_mode_display()

    @display(description="Sending", label={"yes": "success", "no": "danger"})  # type: ignore[untyped-decorator]
    def show_sending(self, route: Route) -> tuple[str, str]:
        """Whether it is paused."""
        return ("no", f"paused: {route.pause_reason}") if route.is_paused else ("yes", "sends")


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin):
    """Immutable; a new version is made with apply_config."""

    acts = (SIGN,)
    list_display = ("show_policy", "created_at", "created_by", "show_signed")
    list_filter = (("route", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("route",)
    fields = ("route", "version", "created_at", "created_by", "show_signed", "show_document")
    readonly_fields = ("show_signed", "show_document")
    change_form_template = "returnsops/record.html"

    @admin.display(description="Policy", ordering="route")
    def show_policy(self, policy: PolicyVersion) -> str:
        """Route and version."""
        return f"{policy.route}, version {policy.version}"

    @admin.display(description="Signed by")
    def show_signed(self, policy: PolicyVersion) -> str:
        """Teams and people."""
        rows = policy.signatures.select_related("signed_by")
        signed = [f"{states.TEAMS.get(row.team, row.team)} ({row.signed_by.get_username()})" for row in rows]
        return ", ".join(signed) or "nobody yet"

    @admin.display(description="Policy in full")
    def show_document(self, policy: PolicyVersion) -> str:
        """The document."""
        return words.pretty(policy.document)


@admin.register(PolicySignature)
class PolicySignatureAdmin(ReadOnlyAdmin):
    """Who signed which version for which team."""

    list_display = ("policy", "team", "signed_by", "signed_at")
    list_select_related = ("policy", "signed_by")
    fields = ("policy", "team", "signed_by", "signed_at")
    change_form_template = "returnsops/record.html"


@admin.register(Switch)
class SwitchAdmin(ReadOnlyAdmin):
    """What is stopped. The button that stops everything is on every page of who may press it."""

    acts = (RESUME_SCOPE,)
    list_display = ("show_scope", "reason", "stopped_by", "stopped_at")
    list_before_template = "returnsops/stop_button.html"
    fields = ("scope", "reason", "stopped_by", "stopped_at")
    change_form_template = "returnsops/record.html"

    @admin.display(description="What is stopped", ordering="scope")
    def show_scope(self, switch: Switch) -> str:
        """The scope in words."""
        return words.scope_in_words(switch.scope).capitalize()
