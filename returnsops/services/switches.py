"""People stop and resume sending: everywhere, per connection, route or effect kind (design section 5, Stop).

Reading goes on. Each act is one row changed and one entry of history.
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max

from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, HistoryEntry, Route, Switch

from . import audit, wakeups

ALL: Final = "all"
ROUTE_RESUMED: Final = "route_resumed"


class StopError(Exception):
    """A stop or resume that is not possible; the text says why."""


@transaction.atomic
def stop(*, scope: str, reason: str, by: str, at: datetime) -> Switch:
    """Stop sending for 'all', 'connection:NAME', 'route:NAME' or 'kind:KIND'; a second stop changes nothing.

    Raises StopError without a reason, or for a scope that does not exist.
    """
    _check(scope, reason)
    row, is_new = Switch.objects.get_or_create(
        scope=scope, defaults={"reason": reason.strip()[:300], "stopped_by": by, "stopped_at": at}
    )
    if is_new:
        audit.record(act="sending_stopped", by=by, at=at, subject=row, text=f"Sending stopped: {scope}.", why=reason)
    return row


@transaction.atomic
def resume(*, scope: str, reason: str, by: str, at: datetime) -> None:
    """Take a stop away; what is ready goes out. Raises StopError without a reason, or where nothing is stopped."""
    reason = _reason(reason)
    row = Switch.objects.select_for_update().filter(scope=scope).first()
    if row is None:
        raise StopError(f"Sending is not stopped for {scope!r}; somebody resumed it already.")
    audit.record(act="sending_resumed", by=by, at=at, subject=row, text=f"Sending resumed: {scope}.", why=reason)
    row.delete()
    for connection_id in Connection.objects.values_list("pk", flat=True):
        wakeups.wake_pump(connection_id)


@transaction.atomic
def resume_scope(*, scope: str, reason: str, by: str, at: datetime) -> bool:
    """Take away whatever holds a scope back: its stop, wrong credentials, a refund limit; False where nothing did.

    Raises StopError without a reason, or for a scope that does not exist.
    """
    _check(scope, reason)
    kind, _, name = scope.partition(":")
    is_held = is_stopped(scope=scope)
    if is_held:
        resume(scope=scope, reason=reason, by=by, at=at)
    for connection in Connection.objects.filter(name=name, is_paused=True) if kind == "connection" else ():
        resume_connection(connection=connection, reason=reason, by=by, at=at)
        is_held = True
    for route in Route.objects.filter(name=name, is_paused=True) if kind == "route" else ():
        resume_route(route=route, reason=reason, by=by, at=at)
        is_held = True
    return is_held


@transaction.atomic
def pause_connection(*, connection: Connection, reason: str, by: str, at: datetime) -> None:
    """Make no call to a system at all. What comes in is still recorded. Raises StopError without a reason."""
    row = Connection.objects.select_for_update().get(pk=connection.pk)
    if row.is_paused:
        raise StopError(f"{row} is paused already: {row.pause_reason}")
    row.is_paused, row.pause_reason = True, _reason(reason)
    row.save(update_fields=["is_paused", "pause_reason"])
    audit.record(act="connection_paused", by=by, at=at, subject=row, text=f"{row.name} paused.", why=reason)


@transaction.atomic
def resume_connection(*, connection: Connection, reason: str, by: str, at: datetime) -> None:
    """Call the system again; nothing that waited is lost. Raises StopError where it is not paused."""
    row = Connection.objects.select_for_update().get(pk=connection.pk)
    if not row.is_paused:
        raise StopError(f"{row} is not paused; somebody resumed it already.")
    row.is_paused, row.pause_reason = False, ""
    row.save(update_fields=["is_paused", "pause_reason"])
    audit.record(act="connection_resumed", by=by, at=at, subject=row, text=f"{row.name} resumed.", why=reason)
    _close_case(states.CASE_CONNECTION_AUTH, row.name, at=at, reason="The connection was resumed.")
    wakeups.wake_pump(row.pk)


@transaction.atomic
def resume_route(*, route: Route, reason: str, by: str, at: datetime) -> None:
    """Send again on a route that its refund limit or a person paused. Raises StopError where it is not paused."""
    row = Route.objects.select_for_update(of=("self",)).get(pk=route.pk)
    if not row.is_paused:
        raise StopError(f"{row} is not paused; somebody resumed it already.")
    row.is_paused, row.pause_reason = False, ""
    row.save(update_fields=["is_paused", "pause_reason"])
    audit.record(act=ROUTE_RESUMED, by=by, at=at, subject=row, text=f"{row.name} resumed.", why=_reason(reason))
    _close_case(states.CASE_REFUND_LIMIT, row.name, at=at, reason="The route was resumed.")
    if row.commerce_id is not None:
        wakeups.wake_pump(row.commerce_id)


def last_resumed_at(route: Route) -> datetime | None:
    """When somebody last looked at a paused route and let it send again; None = never."""
    said = HistoryEntry.objects.filter(act=ROUTE_RESUMED, subject_type="route", subject_id=str(route.pk))
    at: datetime | None = said.aggregate(at=Max("at"))["at"]
    return at


def _close_case(kind: str, name: str, *, at: datetime, reason: str) -> None:
    for case in ExceptionCase.objects.active().filter(kind_code=kind, fingerprint=f"{kind}:{name}"):
        queue.auto_resolve(case=case, at=at, reason=reason)


def _check(scope: str, reason: str) -> None:
    _reason(reason)
    kind, _, name = scope.partition(":")
    known = {
        "connection": lambda: Connection.objects.filter(name=name).exists(),
        "route": lambda: Route.objects.filter(name=name).exists(),
        "kind": lambda: name in states.EFFECT_KINDS,
    }
    if scope != ALL and not (kind in known and known[kind]()):
        raise StopError(f"There is no {scope!r} to stop; use all, connection:NAME, route:NAME or kind:KIND.")


def _reason(reason: str) -> str:
    if not reason.strip():
        raise StopError("Give a reason; it is shown to everybody while sending is stopped.")
    return reason.strip()[:300]


def is_stopped(*, scope: str) -> bool:
    """Whether this very scope is stopped."""
    return Switch.objects.filter(scope=scope).exists()
