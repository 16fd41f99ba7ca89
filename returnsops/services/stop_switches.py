"""Pressing and releasing the stop: for everything, a connection, a route or an effect kind (section 5, Stop)."""

from datetime import datetime
from typing import Final

from django.db import transaction

from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, Route, Switch

from . import audit, wakeups

ALL: Final = "all"


class ScopeError(ValueError):
    """A scope that names nothing; the text says what it may be."""


@transaction.atomic
def pause(*, scope: str, reason: str, by: str, at: datetime) -> bool:
    """Stop sending for a scope; reading goes on. False where it was stopped already. Raises ScopeError."""
    _check(scope)
    switch, is_new = Switch.objects.get_or_create(
        scope=scope, defaults={"reason": reason[:300], "stopped_by": by, "stopped_at": at}
    )
    if is_new:
        audit.record(act="stopped", by=by, at=at, subject=switch, text=f"Sending stopped: {scope}.", why=reason)
    return is_new


@transaction.atomic
def resume(*, scope: str, by: str, at: datetime) -> bool:
    """Let a scope send again; a connection paused for its credentials and a route paused by its limit too."""
    _check(scope)
    removed = 0
    for switch in Switch.objects.filter(scope=scope):
        audit.record(act="resumed", by=by, at=at, subject=switch, text=f"Sending resumed: {scope}.")
        removed += switch.delete()[0]
    kind, _, name = scope.partition(":")
    if kind == "connection":
        removed += Connection.objects.filter(name=name, is_paused=True).update(is_paused=False, pause_reason="")
        _close_case(states.CASE_CONNECTION_AUTH, name, at=at, reason="The connection was resumed.")
    if kind == "route":
        removed += Route.objects.filter(name=name, is_paused=True).update(is_paused=False, pause_reason="")
        _close_case(states.CASE_REFUND_LIMIT, name, at=at, reason="The route was resumed.")
    for connection_id in Connection.objects.values_list("pk", flat=True):
        wakeups.wake_pump(connection_id)
    return removed > 0


def _close_case(kind: str, name: str, *, at: datetime, reason: str) -> None:
    for case in ExceptionCase.objects.active().filter(kind_code=kind, fingerprint=f"{kind}:{name}"):
        queue.auto_resolve(case=case, at=at, reason=reason)


def _check(scope: str) -> None:
    kind, _, name = scope.partition(":")
    known = {
        "connection": lambda: Connection.objects.filter(name=name).exists(),
        "route": lambda: Route.objects.filter(name=name).exists(),
        "kind": lambda: name in states.EFFECT_KINDS,
    }
    if scope != ALL and (kind not in known or not known[kind]()):
        raise ScopeError(
            f"{scope!r} is nothing that can be stopped. Use all, connection:NAME, route:NAME or "
            f"kind:{'|'.join(states.EFFECT_KINDS)}."
        )
