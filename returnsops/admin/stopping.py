"""The stop button: all sending or a part of it, and what is stopped, with the way to go on (design section 5)."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from returnsops import states
from returnsops.models import Connection, Route, Switch
from returnsops.selectors import role_home, words
from returnsops.services import switches

Choices = list[tuple[str, str]]


def reason_field() -> forms.CharField:
    """Why; everybody sees it."""
    return forms.CharField(
        label="Reason",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown to everybody until sending is resumed.",
    )


class StopForm(forms.Form):
    """What stops, and why. Left alone, everything stops."""

    scope = forms.ChoiceField(label="What stops", required=False)
    reason = reason_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"].choices = [(switches.ALL, "All sending"), *_parts()]  # type: ignore[attr-defined]


class ResumeForm(forms.Form):
    """Why it may go on."""

    reason = forms.CharField(label="Reason", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


def _parts() -> Iterable[tuple[str, Choices]]:
    connections = [(f"connection:{row.name}", f"Sending to {row}") for row in Connection.objects.all()]
    routes = [(f"route:{row.name}", f"Sending on route {row}") for row in Route.objects.all()]
    kinds = [(f"kind:{kind}", f"Sending of {words.KIND_PLURALS[kind]}") for kind in states.EFFECT_KINDS]
    return (("One system", connections), ("One route", routes), ("One kind", kinds))


def stop_view(request: HttpRequest) -> HttpResponse:
    """The one button: stop all sending or a part of it, or resume all. A GET asks, a POST does."""
    if not request.user.has_perm("returnsops.stop_sending"):
        raise PermissionDenied
    is_stopped = switches.is_stopped(scope=switches.ALL)
    form = (ResumeForm if is_stopped else StopForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        scope = form.cleaned_data.get("scope") or switches.ALL
        _stop_or_resume(request, scope=scope, is_stopped=is_stopped, reason=form.cleaned_data["reason"])
        return HttpResponseRedirect(reverse("admin:index"))
    context = {
        **admin.site.each_context(request),
        "title": "Resume all sending" if is_stopped else "Stop sending",
        "is_stopped": is_stopped,
        "stopped": _stopped(),
        "form": form,
    }
    return TemplateResponse(request, "returnsops/stop.html", context)


def _stopped() -> list[tuple[Switch, str, str]]:
    """Every part that is stopped, in words, with the page to resume it."""
    rows = Switch.objects.exclude(scope=switches.ALL).order_by("stopped_at")
    return [(row, words.scope_in_words(row.scope), _resume_url(row)) for row in rows]


def _resume_url(row: Switch) -> str:
    return reverse("admin:returnsops_switch_act", args=[row.pk, "resume"])


def _stop_or_resume(request: HttpRequest, *, scope: str, is_stopped: bool, reason: str) -> None:
    by, at = cast(User, request.user).get_username(), timezone.now()
    try:
        if is_stopped:
            switches.resume(scope=switches.ALL, reason=reason, by=by, at=at)
            messages.success(request, "Sending goes on.")
        else:
            switches.stop(scope=scope, reason=reason, by=by, at=at)
            said = words.scope_in_words(scope)
            messages.success(request, f"Stopped: {said}. Reading goes on.")
    except switches.StopError as error:
        messages.error(request, str(error))
    role_home.forget_stops()
