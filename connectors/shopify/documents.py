"""The GraphQL documents of this connector: one operation per file under ``queries/``, read once."""

from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "queries"


class UnknownDocumentError(LookupError):
    """There is no document of that name."""


@cache
def document(name: str) -> str:
    """The text of ``queries/<name>.graphql``. Raises UnknownDocumentError."""
    if name not in names():
        raise UnknownDocumentError(f"There is no GraphQL document {name!r}; known are {', '.join(names())}.")
    return (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")


@cache
def names() -> tuple[str, ...]:
    """All documents, by name."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.graphql")))
