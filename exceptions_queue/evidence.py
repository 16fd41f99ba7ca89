"""Evidence of a case: made storable when it comes in, and turned into plain tables of text for the screen.

Evidence is a JSON object, one section per key. How a section is shown follows from its shape:
an object of objects is a matrix (e.g. amounts here and there), an object of values is a table of two
columns, a list of objects is a table, anything else is text. Sections stand side by side. Foreign text stays text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

LONGEST_CELL = 2000
MOST_ROWS = 200


@dataclass(frozen=True, kw_only=True)
class EvidenceTable:
    """One section as text: `columns` may be empty (a table of names and values)."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def clean_text(text: str) -> str:
    """Text that every database takes: without NUL characters and broken surrogates, which webhook bodies may carry."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def clean_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object that every database takes; decimals, dates and UUIDs become text. Raises TypeError for others."""
    decoded: dict[str, Any] = _cleaned(json.loads(json.dumps(dict(value), cls=DjangoJSONEncoder)))
    return decoded


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def evidence_tables(evidence: Mapping[str, Any]) -> tuple[EvidenceTable, ...]:
    """The sections of some evidence as tables, in the order given."""
    return tuple(_table(_words(name), content) for name, content in evidence.items())


def _table(title: str, content: Any) -> EvidenceTable:
    if isinstance(content, dict) and content and all(isinstance(item, dict) for item in content.values()):
        columns = _columns(list(content.values()))
        rows = tuple((_words(name), *(_cell(item.get(key)) for key in columns)) for name, item in content.items())
        return EvidenceTable(title=title, columns=("", *map(_words, columns)), rows=rows[:MOST_ROWS])
    if isinstance(content, dict):
        pairs = tuple((_words(name), _cell(value)) for name, value in content.items())
        return EvidenceTable(title=title, columns=(), rows=pairs[:MOST_ROWS])
    if isinstance(content, list) and content and all(isinstance(item, dict) for item in content):
        columns = _columns(content)
        listed = tuple(tuple(_cell(item.get(key)) for key in columns) for item in content)
        return EvidenceTable(title=title, columns=tuple(map(_words, columns)), rows=listed[:MOST_ROWS])
    return EvidenceTable(title=title, columns=(), rows=((_cell(content),),))


def _columns(items: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for item in items for key in item))


def _words(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _cell(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]} … ({len(text)} characters in all)"
