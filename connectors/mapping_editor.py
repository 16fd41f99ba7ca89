"""The screen on which a connection's mapping is edited: try it against a message, save it, read again what waited."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from connectors import mappings
from connectors.mappings import MappingError, Trial
from exceptions_queue.evidence import EvidenceTable, evidence_tables
from returnsops.admin.base import ReadOnlyAdmin
from returnsops.models import Connection, InboundEvent, MappingVersion
from returnsops.selectors import words

MAY_EDIT: Final = "returnsops.add_mappingversion"
TEMPLATE: Final = "returnsops/mapping_editor.html"


class EditorForm(forms.Form):
    """The mapping, a message to try it on, and what to do."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)
    document = forms.CharField(
        label="Mapping",
        max_length=mappings.MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "ro-code"}),
        help_text="JSON. Paths, rules and tables are described in docs/connectors/reveni.md.",
    )
    event = forms.ChoiceField(label="Try it on a stored message", required=False)
    message = forms.CharField(
        label="or on a message you paste",
        required=False,
        max_length=mappings.MAX_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "ro-code"}),
        help_text="As the other system sends it. It is not stored.",
    )
    why = forms.CharField(
        label="Why it is changed", required=False, max_length=500, help_text="Wanted for saving; kept in the history."
    )
    is_read_again = forms.BooleanField(label="After saving, read again what waits", required=False, initial=True)

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(row.pk), _event_words(row)) for row in mappings.recent_messages(connection)]
        self.fields["event"].choices = [("", "none"), *choices]  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a trial said, for the page."""

    tables: tuple[tuple[str, tuple[EvidenceTable, ...]], ...]
    problems: tuple[str, ...]
    ignored_because: str
    unfilled: tuple[str, ...]


@admin.register(MappingVersion)
class MappingVersionAdmin(ReadOnlyAdmin):
    """How messages of a connection are read; the newest is in force."""

    list_display = ("connection", "version", "created_at", "created_by")
    list_filter = (("connection", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("connection",)
    fields = ("connection", "version", "created_at", "created_by", "show_document")
    readonly_fields = ("show_document",)
    change_form_template = "returnsops/record.html"

    def get_urls(self) -> list[URLPattern]:
        """The editor beside the usual pages."""
        view = self.admin_site.admin_view(self.editor)
        return [path("edit/<int:connection_id>/", view, name="returnsops_mappingversion_edit"), *super().get_urls()]

    @admin.display(description="Mapping in full")
    def show_document(self, mapping: MappingVersion) -> str:
        """The document."""
        return words.pretty(mapping.document)

    def editor(self, request: HttpRequest, connection_id: int) -> HttpResponse:
        """GET shows the mapping in force; a POST tries or saves what was typed."""
        if not request.user.has_perm(MAY_EDIT):
            raise PermissionDenied
        connection = get_object_or_404(Connection, pk=connection_id)
        if request.method != "POST":
            document, version = mappings.in_force(connection)
            initial = {"document": words.pretty(document), "based_on": version}
            return self._page(request, connection, EditorForm(initial=initial, connection=connection))
        form = EditorForm(request.POST, connection=connection)
        shown: Shown | None = None
        if form.is_valid():
            try:
                if "save" in request.POST:
                    return _saved(request, connection, form.cleaned_data)
                shown = _tried(connection, form.cleaned_data)
            except MappingError as error:
                for problem in error.problems:
                    form.add_error(None, problem)
        return self._page(request, connection, form, shown=shown)

    def _page(
        self, request: HttpRequest, connection: Connection, form: EditorForm, *, shown: Shown | None = None
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Mapping of {connection}",
            "opts": self.opts,
            "connection": connection,
            "form": form,
            "shown": shown,
            "waiting": mappings.waiting(connection).count(),
            "back": reverse("admin:returnsops_connection_change", args=[connection.pk]),
        }
        return TemplateResponse(request, TEMPLATE, context)


def edit_url(connection: Connection) -> str:
    """Where a connection's mapping is edited."""
    return reverse("admin:returnsops_mappingversion_edit", args=[connection.pk])


@transaction.atomic
def _saved(request: HttpRequest, connection: Connection, data: dict[str, Any]) -> HttpResponse:
    by, at = cast(User, request.user).get_username(), timezone.now()
    document = mappings.checked(data["document"])
    row = mappings.save(
        connection=connection, document=document, based_on=data["based_on"], by=by, at=at, why=data["why"]
    )
    sentence = f"Version {row.version} is in force."
    if data["is_read_again"]:
        count = mappings.read_again(connection=connection, by=by, at=at)
        sentence += (
            f" {count} message{'' if count == 1 else 's'} that waited {'is' if count == 1 else 'are'} read again."
        )
    messages.success(request, sentence)
    return HttpResponseRedirect(edit_url(connection))


def _tried(connection: Connection, data: dict[str, Any]) -> Shown:
    document = mappings.checked(data["document"])
    topic, message = _message_of(connection, data)
    trial = mappings.tried(connection=connection, mapping=document, message=message, topic=topic, at=timezone.now())
    return _shown(trial, unfilled=mappings.still_unfilled(document))


def _message_of(connection: Connection, data: dict[str, Any]) -> tuple[str, Any]:
    """The pasted message, otherwise the stored one chosen. Raises MappingError where there is none."""
    if data["message"].strip():
        message = mappings.parsed(data["message"], what="message")
        return mappings.topic_of(connection, text=data["message"], at=timezone.now()), message
    if not data["event"]:
        raise MappingError(["Choose a stored message or paste one to try the mapping on."])
    event = InboundEvent.objects.get(connection=connection, pk=int(data["event"]))
    try:
        return event.topic, json.loads(bytes(event.body), parse_float=Decimal)
    except (ValueError, RecursionError):
        raise MappingError(["That stored message is not JSON; no mapping can read it."]) from None


def _shown(trial: Trial, *, unfilled: tuple[str, ...]) -> Shown:
    tables = tuple((name, tuple(evidence_tables({_spoken(name): _cells(fields)}))) for name, fields in trial.statements)
    return Shown(tables=tables, problems=trial.problems, ignored_because=trial.ignored_because, unfilled=unfilled)


def _spoken(name: str) -> str:
    """ReturnSeen → Return seen."""
    return re.sub(r"(?<!^)([A-Z])", lambda found: " " + found[0].lower(), name)


def _cells(fields: dict[str, Any]) -> dict[str, str]:
    """Values of one statement as text; what is nested is shown as JSON."""
    return {
        name.replace("_", " "): value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
        for name, value in fields.items()
    }


def _event_words(event: InboundEvent) -> str:
    return f"{event.received_at:%d %b %H:%M} {event.topic or 'message'}: {event.get_state_display()}"
