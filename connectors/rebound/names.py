"""What the items of a return are called, however they were heard of: V1 itself has no id for them. Pure."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any


def names_of(return_id: Any, items: Sequence[Mapping[str, Any]], *, sku: str, given: str = "id") -> list[str]:
    """``<return>:<sku>:<n>``, the n-th item of its SKU, so that the order of different articles says nothing.

    ``sku`` and ``given`` are the fields that hold the SKU and an id; an item whose id is such a name already keeps it.
    """
    stems = [f"{plain(return_id)}:{plain(item.get(sku))}:" for item in items]
    names = [_kept(item.get(given), stem) for item, stem in zip(items, stems, strict=True)]
    for place, stem in enumerate(stems):
        if not names[place]:
            names[place] = next(name for number in count(1) if (name := f"{stem}{number}") not in names)
    return names


def _kept(given: Any, stem: str) -> str:
    is_name = isinstance(given, str) and given.startswith(stem) and given.removeprefix(stem).isdecimal()
    return given if is_name else ""


def plain(value: Any) -> str:
    """A text or a whole number as text, '' for anything else."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
