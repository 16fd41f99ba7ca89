"""Hints that something may be sendable or processable now. Truth is in the rows; a lost hint costs a minute."""

from collections.abc import Callable

from django.db import transaction

WakePump = Callable[[int], None]

_listeners: list[WakePump] = []


def register(listener: WakePump) -> None:
    """Add what to call with a connection id; the connectors app does so when it is ready."""
    if listener not in _listeners:
        _listeners.append(listener)


def wake_pump(connection_id: int) -> None:
    """Call the listeners once the present transaction is committed."""
    for listener in _listeners:
        transaction.on_commit(lambda listener=listener: listener(connection_id))  # type: ignore[misc]
