"""Polling into the same inbox as webhooks, so that a lost webhook costs delay and nothing else (design section 4)."""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from connectors import inbox, pace_settings, ports
from connectors.delivery_cases import pause_for_auth
from connectors.models import SyncCursor
from connectors.registry import connector_for, link_for
from returnsops.log_redaction import fault_of
from returnsops.models import Connection

Poll = Callable[[ports.Link, str], ports.PollPage]

log = logging.getLogger(__name__)

MAX_PAGES = 200  # of one round; the rest comes with the next, from the stored cursor
CLAIM_S = 600
FAILED_WAIT_S = 60
STREAM = "main"


def poll_due(*, at: datetime) -> int:
    """Poll every connection whose time has come; returns how many items were new."""
    unpaused = Connection.objects.filter(is_paused=False)  # wrong credentials asked again and again get us blocked
    return sum(_poll_surely(connection, at=at) for connection in unpaused.order_by("pk"))


def _poll_surely(connection: Connection, *, at: datetime) -> int:
    """A fault of ours with one connection never keeps the others waiting; its claim lapses, then it is tried again."""
    try:
        return poll_connection(connection=connection, at=at)
    except Exception as error:
        log.error("polling of %s failed: %s", connection.name, fault_of(error))
        SyncCursor.objects.filter(connection=connection, stream=STREAM).update(
            error_text=f"{fault_of(error)}, in our own program"[:500], failure_count=F("failure_count") + 1
        )
        return 0


def poll_connection(*, connection: Connection, at: datetime, is_forced: bool = False) -> int:
    """One round of polling, to the end or MAX_PAGES. Nothing where it is not due or another worker does it.

    The cursor moves only after the items of its page are stored, so a crash repeats and never skips.
    """
    connector = connector_for(connection.vendor)
    if connector.poll is None or not _claim(connection, at=at, is_forced=is_forced):
        return 0
    cursor = SyncCursor.objects.get(connection=connection, stream=STREAM)
    interval_s = _interval_s(connection, connector)
    try:
        stored = _round(connection, connector.poll, cursor, at=at)
    except ports.VendorError as error:
        log.warning("polling of %s stopped: %s", connection.name, error.text)
        if isinstance(error, ports.AuthFailed):
            pause_for_auth(connection=connection, text=error.text, at=at)
        _finish(cursor, at=at, wait_s=_wait_s(error, interval_s), error=error.text)
        return 0
    _finish(cursor, at=at, wait_s=interval_s, error="")
    return stored


def _round(connection: Connection, poll: Poll, cursor: SyncCursor, *, at: datetime) -> int:
    link = link_for(connection)
    stored = 0
    for _ in range(MAX_PAGES):
        page = poll(link, cursor.cursor)
        stored += _store_page(connection, page, cursor, at=at)
        if page.is_last:
            break
    return stored


@transaction.atomic
def _store_page(connection: Connection, page: ports.PollPage, cursor: SyncCursor, *, at: datetime) -> int:
    stored = 0
    for item in page.items:
        recorded = inbox.record_polled(connection=connection, item=item, at=at)
        stored += not recorded.is_duplicate
    cursor.cursor = page.cursor
    cursor.save(update_fields=["cursor"])
    return stored


def _claim(connection: Connection, *, at: datetime, is_forced: bool) -> bool:
    SyncCursor.objects.get_or_create(connection=connection, stream=STREAM)
    free = Q(claimed_until_at__isnull=True) | Q(claimed_until_at__lt=at)
    due = Q() if is_forced else Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=at)
    rows = SyncCursor.objects.filter(free, due, connection=connection, stream=STREAM)
    return bool(rows.update(claimed_until_at=at + timedelta(seconds=CLAIM_S), claim_token=str(uuid.uuid4())))


def _finish(cursor: SyncCursor, *, at: datetime, wait_s: float, error: str) -> None:
    cursor.claimed_until_at = None
    cursor.claim_token = ""
    cursor.next_poll_at = at + timedelta(seconds=wait_s)
    cursor.error_text = error[:500]
    cursor.failure_count = cursor.failure_count + 1 if error else 0
    if not error:
        cursor.polled_at = at
    cursor.save(
        update_fields=["claimed_until_at", "claim_token", "next_poll_at", "error_text", "failure_count", "polled_at"]
    )


def _interval_s(connection: Connection, connector: ports.Connector) -> int:
    """Seconds between two rounds: the vendor's, unless the connection has its own."""
    own = connection.settings.get(pace_settings.POLL_INTERVAL.name)
    return own if isinstance(own, int) and own > 0 else connector.poll_interval_s


def _wait_s(error: ports.VendorError, interval_s: int) -> float:
    if isinstance(error, ports.RateLimited):
        return error.after_s
    return min(FAILED_WAIT_S, interval_s)
