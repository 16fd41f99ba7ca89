"""Kinds of cases about returns: owner, deadline, meaning and what fixes them (screens and handbook follow)."""

from exceptions_queue.kinds import register, register_team
from exceptions_queue.subjects import register_subject
from returnsops import states
from returnsops.services import case_subjects

from . import exchanges, goods, money, orders, parts, platform


def register_all() -> None:
    """Register teams, kinds, and what a person can raise a case about; called once while Django starts."""
    for code, title in states.TEAMS.items():
        register_team(code, title)
    for kind in (*orders.KINDS, *goods.KINDS, *exchanges.KINDS, *money.KINDS, *platform.KINDS):
        register(parts.of_return(kind))
    for kind in money.OF_ROUTES:
        register(kind)
    for subject in case_subjects.SUBJECTS:
        register_subject(subject)
