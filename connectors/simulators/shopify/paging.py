"""Connections: what every list with first and after looks like, and the maps by which fields are answered."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from connectors.simulators.shopify.state import ShopState, gid, stamp

Args = Mapping[str, Any]
Field = Callable[[ShopState, Any, Args], Any]
Fields = dict[str, Field]
"""Field name → answer, given the shop, the record it stands on, and the arguments."""

MOST_PER_PAGE = 250
EVERYTHING = 1_000_000_000
"""What `first` is inside a bulk operation, whose connections have no pages."""


def attribute(name: str) -> Field:
    """A field that is an attribute of the record; an empty text is null."""
    return lambda shop, record, args: getattr(record, name) if getattr(record, name) != "" else None


def moment(name: str) -> Field:
    """A field that is a moment of the record."""
    return lambda shop, record, args: stamp(getattr(record, name))


def global_id(kind: str) -> Field:
    """The id of a record."""
    return lambda shop, record, args: gid(kind, record.id)


def legacy_id(shop: ShopState, record: Any, args: Args) -> str:
    """legacyResourceId: the number, as a string."""
    return str(record.id)


def paged(records: Callable[[ShopState, Any], Sequence[Any]]) -> Field:
    """A connection over these records, in their order."""
    return lambda shop, record, args: connection(records(shop, record), args)


def listed(records: Callable[[ShopState, Any], Sequence[Any]]) -> Field:
    """A plain list with `first` only."""
    return lambda shop, record, args: list(records(shop, record))[: args.get("first")]


def connection(
    records: Sequence[Any], args: Args, *, place: Callable[[Any], Any] | None = None, is_reversed: bool = False
) -> dict[str, Any]:
    """One page. `place` is what a cursor remembers of a record (its id by default), comparable and ascending."""
    ordinal = place or (lambda record: record.id)
    first = args.get("first")
    if first is None:
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    if first != EVERYTHING and not 0 <= first <= MOST_PER_PAGE:
        message = f"first cannot exceed {MOST_PER_PAGE}"
        raise GraphQLError(message, extensions={"code": "INVALID_FIELD_ARGUMENTS"})
    rest = list(records)
    if args.get("after"):
        position = _position(str(args["after"]))
        rest = [r for r in rest if (list_of(ordinal(r)) < position if is_reversed else list_of(ordinal(r)) > position)]
    page = rest[:first]
    cursors = [_cursor(ordinal(record)) for record in page]
    return {
        "nodes": page,
        "edges": [{"cursor": cursor, "node": record} for cursor, record in zip(cursors, page, strict=True)],
        "pageInfo": {
            "hasNextPage": len(rest) > len(page),
            "hasPreviousPage": bool(args.get("after")),
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def list_of(ordinal: Any) -> list[Any]:
    """A place as it comes back out of a cursor."""
    return list(ordinal) if isinstance(ordinal, tuple) else [ordinal]


def _cursor(ordinal: Any) -> str:
    return base64.b64encode(json.dumps(list_of(ordinal)).encode()).decode()


def _position(cursor: str) -> list[Any]:
    try:
        return list(json.loads(base64.b64decode(cursor)))
    except ValueError as error:
        raise GraphQLError("Invalid cursor for current pagination sort.", extensions={"code": "BAD_REQUEST"}) from error
