"""The GraphQL documents of this connector: one operation per file under ``queries/``, read once.

What several of them select stands once, one fragment per file under ``queries/fragments/``, and is joined to whatever
spreads it: what is sent is always a whole document.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "queries"
FRAGMENTS: Final = FOLDER / "fragments"
_SPREAD: Final = re.compile(r"\.\.\.(?!on\b)(\w+)")


class UnknownDocumentError(LookupError):
    """There is no document of that name."""


@cache
def document(name: str) -> str:
    """The text of ``queries/<name>.graphql`` with the fragments it needs. Raises UnknownDocumentError."""
    if name not in names():
        raise UnknownDocumentError(f"There is no GraphQL document {name!r}; known are {', '.join(names())}.")
    text = (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")
    return "\n".join([text, *_fragments(text)])


@cache
def names() -> tuple[str, ...]:
    """All documents, by name."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.graphql")))


def _fragments(text: str) -> list[str]:
    """Every shared fragment that a text spreads, or one of these spreads, each once."""
    found: dict[str, str] = {}
    wanted = _SPREAD.findall(text)
    while wanted:
        name = wanted.pop(0)
        if name not in found:
            found[name] = (FRAGMENTS / f"{name}.graphql").read_text(encoding="utf-8")
            wanted += _SPREAD.findall(found[name])
    return list(found.values())
