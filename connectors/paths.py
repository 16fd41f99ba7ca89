"""The path language of stored mappings: a subset of RFC 9535 that can only point, never compute.

``$`` is the whole document, ``@`` the mapping's root or the current list element; then ``.name``, ``['name']``, ``[n]``
and ``[*]``. The published parser reads the text; anything it knows beyond that (filters, slices, recursion, several
names) is refused here. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jsonpath import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError
from jsonpath.segments import JSONPathChildSegment, JSONPathSegment
from jsonpath.selectors import IndexSelector, NameSelector, WildcardSelector

PLACEHOLDER: Final = "<unknown>"
MAX_LENGTH: Final = 300
MAX_FOUND: Final = 10_000
_STRICT: Final = JSONPathEnvironment(strict=True)
_ALLOWED: Final = "Allowed after $ or @ are .name, ['name'], [n] and [*]."


class PathError(ValueError):
    """A path that cannot be used; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Path:
    """A parsed path; a step is a name, an index, or None for every element."""

    is_relative: bool
    steps: tuple[str | int | None, ...]


def is_placeholder(text: object) -> bool:
    """Whether a path still waits for somebody to fill it in (the vendor does not publish the field)."""
    return isinstance(text, str) and PLACEHOLDER in text


@lru_cache(maxsize=2048)
def parse_path(text: str) -> Path:
    """The steps of a path. Raises PathError with what is wrong and what is allowed."""
    if len(text) > MAX_LENGTH:
        raise PathError(f"The path is longer than {MAX_LENGTH} characters.")
    if not text.startswith(("$", "@")):
        raise PathError(f"{text[:60]!r} does not start with $ or @. {_ALLOWED}")
    try:
        query = _STRICT.compile("$" + text[1:])
    except JSONPathError as error:
        reason = str(error).splitlines()[0]
        raise PathError(f"{text[:60]!r} cannot be read: {reason}. {_ALLOWED}") from None
    steps = tuple(_step(text, segment) for segment in getattr(query, "segments", ()))
    return Path(is_relative=text.startswith("@"), steps=steps)


def _step(text: str, segment: JSONPathSegment) -> str | int | None:
    if isinstance(segment, JSONPathChildSegment) and len(segment.selectors) == 1:
        selector = segment.selectors[0]
        if isinstance(selector, NameSelector):
            return selector.name
        if isinstance(selector, WildcardSelector):
            return None
        if isinstance(selector, IndexSelector) and selector.index >= 0:
            return selector.index
    raise PathError(f"{text[:60]!r} uses more than a mapping may. {_ALLOWED}")


def find(text: str, *, document: Any, here: Any) -> list[Any]:
    """Every value the path points to, in order; a placeholder and a path into nothing give none."""
    if is_placeholder(text):
        return []
    path = parse_path(text)
    found = [here if path.is_relative else document]
    for step in path.steps:
        found = [value for parent in found for value in _children(parent, step)][:MAX_FOUND]
    return found


def _children(parent: Any, step: str | int | None) -> Sequence[Any]:
    if isinstance(parent, Mapping):
        if step is None:
            return list(parent.values())
        return [parent[step]] if isinstance(step, str) and step in parent else []
    if isinstance(parent, list):
        if step is None:
            return parent
        return [parent[step]] if isinstance(step, int) and step < len(parent) else []
    return []
