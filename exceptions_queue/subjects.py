"""What a case can be about: other apps register their things, and how one is found by what people call it.

An app registers each kind of thing while Django starts (`AppConfig.ready`). A case that a person raises is about
exactly one of them, so that its page, its actions and its checks find it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from exceptions_queue.errors import InvalidInputError, KindError


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One thing that a case is about; the fields are those of the case."""

    subject_type: str
    subject_id: str
    subject_label: str
    group_key: str = ""
    deep_link: str = ""
    waiting_since_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SubjectType:
    """A kind of thing. `find` takes what a person typed and raises `InvalidInputError` with what is wrong with it."""

    code: str
    title: str
    help: str
    find: Callable[[str], Subject]


_TYPES: dict[str, SubjectType] = {}


def register_subject(subject_type: SubjectType) -> None:
    """Add a kind of thing. Raises `KindError` where its code is taken."""
    if subject_type.code in _TYPES:
        raise KindError(f"Cases are about {subject_type.code!r} already.")
    _TYPES[subject_type.code] = subject_type


def all_subjects() -> tuple[SubjectType, ...]:
    """Every kind of thing, in the order in which they were registered."""
    return tuple(_TYPES.values())


def find_subject(code: str, number: str) -> Subject:
    """The thing that people call that. Raises `InvalidInputError` for an unknown kind or number."""
    subject_type = _TYPES.get(code)
    if subject_type is None:
        raise InvalidInputError(f"Cases cannot be about {code!r}; choose one of the list.")
    return subject_type.find(number.strip())
