"""Watching our webhook subscriptions at the vendors: a switched-off one is a case, and is armed again (S4)."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from connectors.budget import close_case_of
from connectors.models import SyncCursor
from connectors.ports import Connector, VendorError, WebhookState
from connectors.registry import connector_for, link_for
from exceptions_queue import services as queue
from returnsops import states
from returnsops.models import Connection

log = logging.getLogger(__name__)

STREAM: Final = "webhooks"
EVERY: Final = timedelta(minutes=15)


def check_due(*, at: datetime) -> int:
    """Look at the subscriptions of every connection whose time has come; returns how many connections."""
    checked = 0
    for connection in Connection.objects.filter(is_paused=False).order_by("pk"):
        connector = connector_for(connection.vendor)
        if connector.list_webhooks is not None and _claimed(connection, at=at):
            _check(connection, connector, at=at)
            checked += 1
    return checked


def webhook_url(connection: Connection) -> str:
    """Where the vendor delivers to."""
    return f"{settings.PUBLIC_URL}/webhooks/{connection.name}/"


def _claimed(connection: Connection, *, at: datetime) -> bool:
    SyncCursor.objects.get_or_create(connection=connection, stream=STREAM)
    due = Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=at)
    rows = SyncCursor.objects.filter(due, connection=connection, stream=STREAM)
    return rows.update(next_poll_at=at + EVERY, polled_at=at) == 1


def _check(connection: Connection, connector: Connector, *, at: datetime) -> None:
    assert connector.list_webhooks is not None  # check_due
    url = webhook_url(connection)
    try:
        link = link_for(connection)
        ours = [hook for hook in connector.list_webhooks(link) if hook.delivery_url == url]
        off = [hook for hook in ours if not hook.is_active]
        if off and connector.ensure_webhooks is not None:
            connector.ensure_webhooks(link, url)
    except VendorError as error:
        log.warning("the webhooks of %s could not be looked at: %s", connection.name, error.text)
        return
    _say(connection, off, at=at)


@transaction.atomic
def _say(connection: Connection, off: Sequence[WebhookState], *, at: datetime) -> None:
    kind = states.CASE_WEBHOOK_DISABLED
    if not off:
        close_case_of(kind=kind, name=connection.name, at=at, reason="All webhooks are on.")
        return
    topics = ", ".join(sorted(hook.topic for hook in off))
    queue.open_case(
        kind=kind,
        fingerprint=f"{kind}:{connection.name}",
        subject_type="connection",
        subject_id=str(connection.pk),
        subject_label=str(connection),
        cause=f"Switched off there: {topics}. Armed again; the case closes when the next look finds them on.",
        evidence={"topics": [hook.topic for hook in off]},
        deep_link=f"/admin/returnsops/connection/{connection.pk}/change/",
        group_key=f"connection:{connection.name}",
        at=at,
    )
