"""Case kinds of the connectors: what cannot go on alone between us and another system (design section 8)."""

from exceptions_queue.kinds import register, register_team
from returnsops import states

from . import connections, outcomes


def register_all() -> None:
    """Register every kind with the queue. Teams too: the domain says the same, but Django starts it later."""
    for code, title in states.TEAMS.items():
        register_team(code, title)
    for kind in (*outcomes.KINDS, *connections.CONNECTION_KINDS, *connections.INBOX_KINDS):
        register(kind)
