"""What the domain has to know of a returns platform, asked without knowing vendors: the connectors app answers."""

from collections.abc import Callable

from returnsops.models import Connection

Pays = Callable[[Connection], bool]

_answers: list[Pays] = []


def register(pays: Pays) -> None:
    """Set who says whether a platform moves money itself; the connectors app does so when it is ready."""
    _answers[:] = [pays]


def pays(connection: Connection) -> bool:
    """Whether a platform may pay a shopper by itself; while nobody knows, it may."""
    return all(answer(connection) for answer in _answers)
