"""The acts that take a route from off to shadow to live and back; going live shows first what it does."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django import forms
from django.utils import timezone

from returnsops import states
from returnsops.models import Route
from returnsops.selectors import going_live
from returnsops.services import routes

from .acts import Act, Performed, WhyForm

# What the browser's field leaves out of a moment is no past date.
NOW_ENOUGH: Final = timedelta(minutes=2)


class GoLiveForm(WhyForm):
    """From when, and what that does; confirmed only as it was seen."""

    live_from = forms.DateTimeField(
        label="Live from (empty: from this moment on)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    is_past_meant = forms.BooleanField(
        label="The date lies in the past and that is meant", required=False, widget=forms.CheckboxInput()
    )
    field_order = ("live_from", "is_past_meant", "why")

    def prepare(self) -> None:
        """What going live from this moment on does."""
        route: Route = self.subject
        self.obstacles = going_live.obstacles_of(route)
        since = timezone.localtime(route.live_from) if route.live_from else None
        before = f" Before, it was live from {since:%Y-%m-%d %H:%M}." if since else ""
        zone = timezone.get_current_timezone_name()
        self.fields["live_from"].help_text = f"Returns begun earlier wait for release. Time in {zone}.{before}"
        self._look(None)

    def clean(self) -> dict[str, Any]:
        """Refuse what was not shown, and a past date that nobody says is meant."""
        data = super().clean() or {}
        given: datetime | None = data.get("live_from")
        self._look(given)
        if given is not None and given < timezone.now() - NOW_ENOUGH and not data.get("is_past_meant"):
            self.add_error(
                "is_past_meant",
                "The date lies in the past: what people did by hand since then must be seen here already. See below "
                "what is sent at once, and tick this if that is meant.",
            )
        if self.data.get("seen") != self.preview.stamp:
            self.add_error(None, "What would be sent is shown anew below. Look at it, and confirm again.")
        return data

    def _look(self, given: datetime | None) -> None:
        self.preview = going_live.preview(self.subject, live_from=given or timezone.now())
        self.is_past = given is not None and given < timezone.now() - NOW_ENOUGH


def _go_live(route: Route, done: Performed) -> str:
    live_from = done.data["live_from"] or done.at
    routes.set_mode(
        route=route, mode=states.ROUTE_LIVE, by=done.name, at=done.at, live_from=live_from, why=done.data["why"]
    )
    return (
        f"{route} is live for returns begun since {live_from:%d %b %Y %H:%M} UTC. Those from before wait for release."
    )


def _switch(mode: str, sentence: str, route: Route, done: Performed) -> str:
    routes.set_mode(route=route, mode=mode, by=done.name, at=done.at, why=done.data["why"])
    return f"{route} {sentence}"


GO_LIVE: Final = Act(
    code="go_live",
    label="Go live",
    permission="returnsops.change_route",
    form=GoLiveForm,
    run=_go_live,
    is_offered=lambda route: route.mode != states.ROUTE_LIVE,
    is_grave=True,
    template="returnsops/go_live.html",
    explain="Returns begun from then on are sent by themselves. Returns begun earlier send nothing until a person "
    "releases them.",
)
TO_SHADOW: Final = Act(
    code="to_shadow",
    label="To shadow",
    permission="returnsops.change_route",
    run=partial(_switch, states.ROUTE_SHADOW, "is in shadow: it plans and compares, and sends nothing."),
    is_offered=lambda route: route.mode != states.ROUTE_SHADOW,
    explain="Every return is planned and compared with what people do in the shop. Nothing is sent. What is on its way "
    "is looked up to its end.",
)
SWITCH_OFF: Final = Act(
    code="switch_off",
    label="Switch off",
    permission="returnsops.change_route",
    run=partial(_switch, states.ROUTE_OFF, "is off: nothing is sent."),
    is_offered=lambda route: route.mode != states.ROUTE_OFF,
    is_grave=True,
    explain="Nothing is sent. Messages are still kept, so that nothing is lost when the route comes back.",
)
