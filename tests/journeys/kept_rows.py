"""The rows of a world's set-up, kept by its configuration: what one journey installed is copied into the next.

A world's people, configuration, signatures and its route going live are some 250 queries, the same for every journey
of a configuration. They run through the product once per process; after that the rows they left are inserted as they
were, with the addresses of the present simulators.
"""

from collections.abc import Callable, Mapping
from copy import copy
from typing import Final

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Model

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

_Rows = list[tuple[type[Model], list[Model]]]

_kept: dict[tuple[str, int], _Rows] = {}


def install(*, text: str, urls: Mapping[str, str], build: Callable[[], None]) -> None:
    """Let ``build`` set up what ``text`` describes, or insert the rows it left before.

    ``urls`` is the address of each connection by name, which differs from world to world and stands in ``text``. In a
    database that is not empty the rows are built and not kept.
    """
    if _is_in_use():
        build()
        return
    for name, url in urls.items():
        text = text.replace(url, f"<{name}>")
    # Permissions are made anew, with other ids, after a test that emptied the database.
    key = (text, Permission.objects.order_by("pk").values_list("pk", flat=True)[0])
    if key in _kept:
        _insert(_kept[key], urls)
        return
    build()
    _kept[key] = [(model, list(model._default_manager.all())) for model in _MODELS]


def _is_in_use() -> bool:
    """Whether a test put something of its own here first."""
    return any(model._default_manager.exists() for model in (User, Group, ReasonCode, Location, Connection))


@transaction.atomic  # rows that point at each other are checked at its end
def _insert(kept: _Rows, urls: Mapping[str, str]) -> None:
    for model, rows in kept:
        copies = [copy(row) for row in rows]
        for row in copies:
            if isinstance(row, Connection):
                row.base_url = urls[row.name]
        model._default_manager.bulk_create(copies)
