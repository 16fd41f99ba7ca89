"""Kinds of cases about returns: owner, deadline, meaning and what fixes them (screens and handbook follow)."""

from exceptions_queue.kinds import register, register_team
from returnsops import states

from . import exchanges, goods, money, orders, parts, platform


def register_all() -> None:
    """Register teams and kinds; called once while Django starts."""
    for code, title in states.TEAMS.items():
        register_team(code, title)
    for kind in (*orders.KINDS, *goods.KINDS, *exchanges.KINDS, *money.KINDS, *platform.KINDS):
        register(parts.of_return(kind))
    for kind in money.OF_ROUTES:
        register(kind)
