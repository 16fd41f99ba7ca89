"""Callers of our API. Operations make and revoke them; the secret is shown on one page, once."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from returnsops.models import ApiToken, Route
from returnsops.models.api import ELIGIBILITY, INSPECTIONS
from returnsops.services import api_tokens

from .acts import Act, Performed
from .base import ReadOnlyAdmin, display

SCOPE_WORDS = (
    (ELIGIBILITY, "Eligibility: ask whether units may be returned"),
    (INSPECTIONS, "Inspections: tell what a warehouse system received and found"),
)


class TokenForm(forms.Form):
    """Who calls, and what for."""

    name = forms.SlugField(
        max_length=63, help_text="Letters, digits, hyphens. History keeps it, so name the system: wms-madrid."
    )
    scopes = forms.MultipleChoiceField(
        label="May",
        choices=SCOPE_WORDS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose one."},
    )
    routes = forms.ModelMultipleChoiceField(
        label="Only on these routes",
        queryset=Route.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all routes, later ones too.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelMultipleChoiceField[Route]", self.fields["routes"]).queryset = Route.objects.all()


def _revoke(token: ApiToken, done: Performed) -> str:
    api_tokens.revoke_token(token=token, by=done.name, at=done.at, why=done.data["why"])
    return f"{token.name} is revoked: its calls are refused from now on."


REVOKE = Act(
    code="revoke",
    label="Revoke this token",
    permission="returnsops.revoke_apitoken",
    explain="Its calls are refused at once. A revoked token never comes back; make a new one.",
    run=_revoke,
    is_offered=lambda token: token.revoked_at is None,
    is_grave=True,
    back_to_list=True,
)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Who may call, and when they last did."""

    acts = (REVOKE,)
    list_display = ("name", "show_state", "show_scopes", "last_used_at", "created_at", "created_by")
    search_fields = ("name",)
    fields = (
        "name", "show_state", "show_scopes", "show_routes", "secret_end", "created_at", "created_by", "last_used_at",
        "revoked_at", "revoked_by",
    )  # fmt: skip
    readonly_fields = ("show_state", "show_scopes", "show_routes")
    change_form_template = "returnsops/record.html"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who may make callers."""
        return bool(request.user.has_perm("returnsops.add_apitoken"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A GET asks; a POST makes the token and answers with the one page that shows its secret."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = TokenForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            secret = _made(form, by=cast(User, request.user).get_username())
            if secret:
                return self._page(request, form, title="The new token", secret=secret, name=form.cleaned_data["name"])
        return self._page(request, form, title="New API token")

    def _page(self, request: HttpRequest, form: TokenForm, **context: Any) -> TemplateResponse:
        every = {**self.admin_site.each_context(request), "opts": self.opts, "form": form, **context}
        return TemplateResponse(request, "returnsops/api_token.html", every)

    @display(description="State", label={"live": "success", "revoked": "danger"})  # type: ignore[untyped-decorator]
    def show_state(self, token: ApiToken) -> tuple[str, str]:
        """Live or revoked."""
        return ("revoked", "revoked") if token.revoked_at else ("live", "live")

    @admin.display(description="May")
    def show_scopes(self, token: ApiToken) -> str:
        """What for."""
        return ", ".join(token.scopes)

    @admin.display(description="Only on")
    def show_routes(self, token: ApiToken) -> str:
        """Its routes."""
        return ", ".join(str(route) for route in token.routes.all()) or "all routes"


def _made(form: TokenForm, *, by: str) -> str:
    """The secret of the new token; '' where it could not be made, with the reason on the form."""
    data = form.cleaned_data
    try:
        _, secret = api_tokens.create_token(
            name=data["name"], scopes=data["scopes"], routes=data["routes"], by=by, at=timezone.now()
        )
    except api_tokens.TokenError as error:
        form.add_error("name", str(error))
        return ""
    return secret
