"""Screens of what needs vendors at run time: connections (test, webhooks, pause) and the inbox (process again)."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from connectors import inbox, mapping_editor, mappings, points, ports
from connectors.models import ConnectionBudget, SyncCursor
from connectors.polled_only import is_polled_only
from connectors.queues import queues_of
from connectors.redaction import redact, redact_text
from connectors.registry import UnknownVendorError, config_without_secrets, connector_for, link_for, webhook_url
from connectors.webhook_health import remember
from exceptions_queue.errors import CaseError
from exceptions_queue.evidence import evidence_tables
from returnsops import states
from returnsops.admin.acts import Act, NoForm, Performed, WhyForm
from returnsops.admin.base import ReadOnlyAdmin, SavedViews, display
from returnsops.models import Connection, InboundEvent, WebhookRefusal
from returnsops.models.connections import live_secret_rows
from returnsops.selectors import remote_links
from returnsops.selectors.watch import View
from returnsops.services import credit_reading, switches
from returnsops.services.effect_rows import EffectError

# --- links to the vendors' own screens ------------------------------------------------------------------------------


def remote_link(connection: Connection, kind: remote_links.Kind, external_id: str) -> str:
    """The record's page at its vendor; '' where the vendor has none. No secret is near."""
    try:
        connector = connector_for(connection.vendor)
    except UnknownVendorError:
        return ""
    make = connector.order_url if kind == "order" else connector.return_url
    return make(config_without_secrets(connection), external_id) if make else ""


remote_links.register(remote_link)


def read_credit(connection: Connection, remote_id: str) -> credit_reading.CreditRead:
    """A credit as the shop has it now. Raises EffectError in words."""
    try:
        read = connector_for(connection.vendor).read_credit
        if read is None:
            raise EffectError(f"Credits cannot be read in {connection}.")
        seen = read(link_for(connection), remote_id)
    except (ports.VendorError, UnknownVendorError) as error:
        raise EffectError(f"The credit could not be read: {error}") from None
    return credit_reading.CreditRead(
        code=seen.code,
        amount=seen.amount,
        expires_at=seen.expires_at,
        usage_count=seen.usage_count,
        is_usable=seen.is_usable,
    )


credit_reading.register(read_credit)

# --- connections ------------------------------------------------------------------------------------------------------


def _test(connection: Connection, done: Performed) -> str:
    lines = _checked(connection)
    bad = [f"{line.name}: {line.text} {line.fix}".strip() for line in lines if not line.is_ok]
    if bad:
        raise CaseError(f"{len(bad)} of {len(lines)} checks failed. {' '.join(bad)}")
    return f"{connection} answers: all {len(lines)} checks are well."


def _checked(connection: Connection) -> Sequence[ports.CheckLine]:
    try:
        return connector_for(connection.vendor).check(link_for(connection))
    except (ports.VendorError, UnknownVendorError) as error:
        raise CaseError(f"It could not be tested: {error}") from None


def _repair(connection: Connection, done: Performed) -> str:
    ensure = connector_for(connection.vendor).ensure_webhooks
    if ensure is None:
        raise CaseError(f"{connection.vendor} has no webhooks to register from here; set them up there.")
    if is_polled_only(connection.settings):
        raise CaseError("Its settings say webhooks = false; take that out with apply_config first.")
    try:
        hooks = ensure(link_for(connection), webhook_url(connection))
    except ports.VendorError as error:
        raise CaseError(f"The webhooks could not be repaired: {error.text}") from None
    remember(connection, url=webhook_url(connection))
    return f"Registered and on: {', '.join(hook.topic for hook in hooks)}."


def _pause(connection: Connection, done: Performed) -> str:
    switches.pause_connection(connection=connection, reason=done.data["why"], by=done.name, at=done.at)
    return f"{connection} is paused: no calls; what comes in is still recorded."


def _resume(connection: Connection, done: Performed) -> str:
    switches.resume_connection(connection=connection, reason=done.data["why"], by=done.name, at=done.at)
    return f"{connection} is called again."


def _has_webhooks(connection: Connection) -> bool:
    try:
        return connector_for(connection.vendor).ensure_webhooks is not None
    except UnknownVendorError:
        return False


CONNECTION_ACTS: Final = (
    Act(
        code="test",
        label="Test connection",
        permission="returnsops.test_connection",
        form=NoForm,
        run=_test,
        explain="Asks the other system for credentials, rights, clock and webhooks. Changes nothing there.",
    ),
    Act(
        code="repair_webhooks",
        label="Repair webhooks",
        permission="returnsops.test_connection",
        form=NoForm,
        run=_repair,
        is_offered=_has_webhooks,
        explain="Registers what is missing there and switches on what was switched off.",
    ),
    Act(
        code="pause",
        label="Pause",
        permission="returnsops.stop_sending",
        form=WhyForm,
        run=_pause,
        is_offered=lambda connection: not connection.is_paused,
        is_grave=True,
        explain="No call is made to this system, reading included. What comes in is still recorded.",
    ),
    Act(
        code="resume",
        label="Resume",
        permission="returnsops.stop_sending",
        form=WhyForm,
        run=_resume,
        is_offered=lambda connection: connection.is_paused,
    ),
)


def _connection_page(connection: Connection, request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    budget = ConnectionBudget.objects.filter(connection=connection).first()
    return {
        "title": str(connection),
        "connection": connection,
        "secrets": [
            (row.name, f"environment variable {row.env_name}" if row.env_name else "stored encrypted", row.created_at)
            for row in live_secret_rows(connection, at=now)
        ],
        "settings_tables": evidence_tables({"settings": redact(connection.settings)}) if connection.settings else (),
        "budget": budget,
        "points": points.known_level(budget, at=now) if budget else None,
        "queues": queues_of(connection),
        "cursors": SyncCursor.objects.filter(connection=connection).order_by("stream"),
        "refusals": connection.refusals.all()[:6],
        "webhook_url": webhook_url(connection),
        "mapping_url": _mapping_url(connection, request),
        "mapping_waiting": mappings.waiting(connection).count(),
        "now": now,
    }


def _mapping_url(connection: Connection, request: HttpRequest) -> str:
    """Where its mapping is edited; '' for who may not, or where the vendor has none."""
    try:
        is_there = request.user.has_perm(mapping_editor.MAY_EDIT) and mappings.is_editable(connection)
    except UnknownVendorError:
        return ""
    return mapping_editor.edit_url(connection) if is_there else ""


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    """Changed with apply_config; here people see its health, test and pause it. Secrets are never shown."""

    acts = CONNECTION_ACTS
    page_of = staticmethod(_connection_page)
    list_display = ("__str__", "vendor", "base_url", "show_state", "show_polled")
    search_fields = ("name", "title")
    change_form_template = "returnsops/connection.html"
    fields = ("name",)

    @display(description="State", label={"ok": "success", "paused": "danger", "open": "warning"})  # type: ignore[untyped-decorator]
    def show_state(self, connection: Connection) -> tuple[str, str]:
        """Works, paused, or does not answer."""
        if connection.is_paused:
            return "paused", f"paused: {connection.pause_reason}"
        budget = ConnectionBudget.objects.filter(connection=connection, open_until_at__isnull=False).first()
        return ("open", "does not answer") if budget else ("ok", "works")

    @admin.display(description="Last polled")
    def show_polled(self, connection: Connection) -> Any:
        """When polling last ended."""
        cursor = SyncCursor.objects.filter(connection=connection).order_by("-polled_at").first()
        return cursor.polled_at if cursor else None


# --- inbox ------------------------------------------------------------------------------------------------------------


def _events_in(code: str, rows: QuerySet[InboundEvent]) -> QuerySet[InboundEvent]:
    condition = {
        "backlog": Q(state__in=[states.EVENT_RECEIVED, states.EVENT_PARKED]),
        "parked": Q(state=states.EVENT_PARKED),
        "ignored": Q(state=states.EVENT_IGNORED),
        "people": Q(source="human"),
    }.get(code, Q())
    return rows.filter(condition)


class EventViews(SavedViews):
    """Tabs of the list."""

    views = (
        View(code="all", title="All"),
        View(code="backlog", title="Not processed"),
        View(code="parked", title="Parked"),
        View(code="ignored", title="Ignored"),
        View(code="people", title="Acts of people"),
    )
    rows = staticmethod(_events_in)


def _reprocess(event: InboundEvent, done: Performed) -> str:
    inbox.reprocess(event=event, by=done.name, at=done.at)
    return "It is in line again; what was applied before changes nothing more."


REPROCESS: Final = Act(
    code="reprocess",
    label="Process again",
    permission="returnsops.reprocess_event",
    form=NoForm,
    run=_reprocess,
    is_offered=lambda event: event.state != states.EVENT_RECEIVED and event.source in ("webhook", "poll"),
    explain="Reads the stored message again with the mapping in force now.",
)


def _event_page(event: InboundEvent, request: HttpRequest) -> dict[str, Any]:
    title = f"{event.topic or 'Message'} of {event.received_at:%d %b %Y %H:%M}"
    return {"title": title, "event": event, "body": shown_body(event)}


def shown_body(event: InboundEvent) -> str:
    """The body without customer data and secrets, as indented JSON where it is JSON."""
    raw = bytes(event.body)
    try:
        document = json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError):
        return redact_text(raw[:2000].decode("utf-8", "replace"))
    return json.dumps(redact(document), indent=2, ensure_ascii=False, default=str)


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnlyAdmin):
    """What came in. Bodies are shown without customer data and secrets."""

    acts = (REPROCESS,)
    page_of = staticmethod(_event_page)
    list_display = ("received_at", "connection", "topic", "show_state", "outcome", "rma", "duplicate_count")
    list_display_links = ("received_at",)
    list_filter = (EventViews, "source", ("connection", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("connection", "rma")
    list_before_template = "returnsops/tabs.html"
    search_fields = ("delivery_key", "subject_key", "topic", "rma__number", "order__number")
    search_help_text = "Return or order number, topic or delivery key"
    change_form_template = "returnsops/event.html"
    fields = ("delivery_key",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundEvent]:
        """Without the bodies, which only the page of one event needs."""
        rows: QuerySet[InboundEvent] = super().get_queryset(request)
        return rows.defer("body")

    @display(  # type: ignore[untyped-decorator]
        description="State",
        ordering="state",
        label={"received": "info", "processed": "success", "ignored": "default", "parked": "danger"},
    )
    def show_state(self, event: InboundEvent) -> tuple[str, str]:
        """State and colour."""
        return event.state, event.get_state_display()


@admin.register(WebhookRefusal)
class WebhookRefusalAdmin(ReadOnlyAdmin):
    """Deliveries with a bad signature, counted by ten minutes."""

    list_display = ("slot_at", "connection", "count", "last_reason")
    list_select_related = ("connection",)
    fields = ("slot_at", "connection", "count", "last_reason")
    change_form_template = "returnsops/record.html"
