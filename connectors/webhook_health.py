"""Watching our webhook subscriptions at the vendors (S4): one that is off or gone is a case, and is armed again.

A connection with ``webhooks = false`` in its settings is polled only, and nothing is asked or registered there. One
whose webhooks were never registered at our address is polled by choice, too. That they were is noted in the
``cursor`` of its stream, which holds the address: after a move to another address nothing is registered by itself.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from connectors.budget import close_case_of
from connectors.models import SyncCursor
from connectors.polled_only import is_polled_only
from connectors.ports import Connector, Link, VendorError, WebhookState
from connectors.registry import connector_for, link_for, webhook_url
from exceptions_queue import services as queue
from returnsops import states
from returnsops.models import Connection

log = logging.getLogger(__name__)

STREAM: Final = "webhooks"
EVERY: Final = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Topics of our webhooks: on, switched off there, and not there any more."""

    on: tuple[str, ...]
    off: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def words(self) -> str:
        """What is wrong; '' where all is well."""
        parts = (("Switched off there", self.off), ("Not registered there any more", self.missing))
        return " ".join(f"{what}: {', '.join(topics)}." for what, topics in parts if topics)


def check_due(*, at: datetime) -> int:
    """Look at the subscriptions of every connection whose time has come; returns how many connections."""
    checked = 0
    for connection in Connection.objects.filter(is_paused=False).order_by("pk"):
        connector = connector_for(connection.vendor)
        if connector.list_webhooks is not None and _claimed(connection, at=at):
            _check(connection, connector, at=at)
            checked += 1
    return checked


def remember(connection: Connection, *, url: str) -> None:
    """Note that our webhooks were registered at ``url``: what is missing there from now on was taken away."""
    SyncCursor.objects.update_or_create(connection=connection, stream=STREAM, defaults={"cursor": url})


def is_registered(connection: Connection) -> bool:
    """False where ours were never registered at our address: changes are found by polling, by choice."""
    return SyncCursor.objects.filter(connection=connection, stream=STREAM, cursor=webhook_url(connection)).exists()


def faults_of(connection: Connection, found: Sequence[WebhookState]) -> Faults:
    """What is wrong with our webhooks, of all that ``found`` lists. None registered by choice is no fault."""
    connector = connector_for(connection.vendor)
    ours = [hook for hook in found if hook.delivery_url == webhook_url(connection)]
    present = {hook.topic for hook in ours}
    is_wanted = bool(ours) or is_registered(connection)
    return Faults(
        on=tuple(hook.topic for hook in ours if hook.is_active),
        off=tuple(sorted(hook.topic for hook in ours if not hook.is_active)),
        missing=tuple(topic for topic in connector.webhook_topics if is_wanted and topic not in present),
    )


def _claimed(connection: Connection, *, at: datetime) -> bool:
    SyncCursor.objects.get_or_create(connection=connection, stream=STREAM)
    due = Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=at)
    rows = SyncCursor.objects.filter(due, connection=connection, stream=STREAM)
    return rows.update(next_poll_at=at + EVERY, polled_at=at) == 1


def _check(connection: Connection, connector: Connector, *, at: datetime) -> None:
    assert connector.list_webhooks is not None  # check_due
    if is_polled_only(connection.settings):
        _say(connection, Faults(on=(), off=(), missing=()), repair="", at=at)
        return
    try:
        link = link_for(connection)
        faults = faults_of(connection, connector.list_webhooks(link))
    except VendorError as error:
        log.warning("the webhooks of %s could not be looked at: %s", connection.name, error.text)
        return
    if faults.on or faults.off:
        remember(connection, url=webhook_url(connection))
    _say(connection, faults, repair=_repaired(connector, link, faults), at=at)


def _repaired(connector: Connector, link: Link, faults: Faults) -> str:
    """Switch on and register again what is not well; what came of it, in words."""
    if not faults.words or connector.ensure_webhooks is None:
        return "Nothing was changed there."
    try:
        connector.ensure_webhooks(link, link.config.webhook_url)
    except VendorError as error:
        return f"They could not be armed again: {error.text}"
    return "Armed again; the case closes when the next look finds them on."


@transaction.atomic
def _say(connection: Connection, faults: Faults, *, repair: str, at: datetime) -> None:
    kind = states.CASE_WEBHOOK_DISABLED
    if not faults.words:
        close_case_of(kind=kind, name=connection.name, at=at, reason="All webhooks are on, or none is wanted.")
        return
    queue.open_case(
        kind=kind,
        fingerprint=f"{kind}:{connection.name}",
        subject_type="connection",
        subject_id=str(connection.pk),
        subject_label=str(connection),
        cause=f"{faults.words} {repair}",
        evidence={"topics": list(faults.off), "missing": list(faults.missing)},
        deep_link=f"/admin/returnsops/connection/{connection.pk}/change/",
        group_key=f"connection:{connection.name}",
        at=at,
    )
