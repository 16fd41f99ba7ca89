"""The rows of a world's set-up, kept by its configuration: what one journey installed is copied into the next.

A world's people, configuration, signatures and its route going live are some 250 queries, the same for every journey
of a configuration. They run through the product once per process; after that the rows they left are inserted as they
were, with the addresses of the present simulators.
"""

from collections.abc import Callable, Mapping
from typing import Final

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model, QuerySet

from returnsops.models import (
    Connection,
    ConnectionSecret,
    DispositionMapping,
    HistoryEntry,
    Location,
    MappingVersion,
    PolicySignature,
    PolicyVersion,
    ReasonCode,
    ReasonMapping,
    Route,
)
from returnsops.prepared import Prepared
from tests.kept import KeptRows

_MODELS: Final[tuple[type[Model], ...]] = (
    Group,
    Group.permissions.through,
    User,
    User.groups.through,
    ReasonCode,
    Location,
    Connection,
    ConnectionSecret,
    MappingVersion,
    ReasonMapping,
    PolicyVersion,
    PolicySignature,
    Route,
    DispositionMapping,
    HistoryEntry,
)

_kept: dict[tuple[str, int], KeptRows] = {}
_IN_USE: Final = Prepared(lambda: _any_of(User, Group, ReasonCode, Location, Connection))
_FIRST_PERMISSION: Final = Prepared(lambda: Permission.objects.order_by("pk").values_list("pk")[:1])


def install(*, text: str, urls: Mapping[str, str], build: Callable[[], None]) -> None:
    """Let ``build`` set up what ``text`` describes, or insert the rows it left before.

    ``urls`` is the address of each connection by name, which differs from world to world and stands in ``text``. In a
    database that is not empty the rows are built and not kept.
    """
    if _IN_USE.rows():
        build()
        return
    for name, url in urls.items():
        text = text.replace(url, f"<{name}>")
    # Permissions are made anew, with other ids, after a test that emptied the database.
    key = (text, _FIRST_PERMISSION.rows()[0][0])
    if key in _kept:
        _kept[key].insert(texts=urls)
        return
    build()
    _kept[key] = KeptRows(_MODELS, texts=urls)


def _any_of(*models: type[Model]) -> QuerySet[Model, tuple[int]]:
    """The ids of what a test put here first, if it did."""
    first, *others = (model._default_manager.values_list("pk").order_by() for model in models)
    return first.union(*others, all=True)
