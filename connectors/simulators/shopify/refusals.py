"""How a mutation says no: userErrors, with what else its payload carries."""

from collections.abc import Mapping
from typing import Any


def problem(field: list[str] | None, message: str, code: str | None = None) -> dict[str, Any]:
    """One entry of userErrors; types without a code never have it selected."""
    return {"field": field, "message": message, "code": code}


class Refused(Exception):
    """The mutation did nothing. `payload` is what the answer carries besides its userErrors."""

    def __init__(
        self,
        field: list[str] | None,
        message: str,
        code: str | None = None,
        *,
        payload: Mapping[str, Any] | None = None,
        more: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.problems = [problem(field, message, code), *(more or [])]
        self.payload = dict(payload or {})


def refuse_all(problems: list[dict[str, Any]]) -> None:
    """Raise Refused with all of these, or nothing where there are none."""
    if problems:
        first, *rest = problems
        raise Refused(first["field"], first["message"], first["code"], more=rest)
