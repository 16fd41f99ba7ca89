"""Hints that something may be sendable or can be planned now. Truth is in the rows; a lost hint costs a minute."""

from collections.abc import Callable

from django.db import transaction

WakePump = Callable[[int], None]
WakePlanner = Callable[[], None]

_pumps: list[WakePump] = []
_planners: list[WakePlanner] = []


def register(*, pump: WakePump, planner: WakePlanner) -> None:
    """Add what to call with a connection id, and what plans; the connectors app does so when it is ready."""
    if pump not in _pumps:
        _pumps.append(pump)
        _planners.append(planner)


def wake_pump(connection_id: int) -> None:
    """Have what is ready for a connection sent, once the present transaction is committed."""
    for pump in _pumps:
        transaction.on_commit(lambda pump=pump: pump(connection_id))  # type: ignore[misc]


def wake_planner() -> None:
    """Have what is still to be planned planned, once the present transaction is committed."""
    for planner in _planners:
        transaction.on_commit(planner)
