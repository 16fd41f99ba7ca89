"""Rows that many tests begin with: made by the product once per process, inserted as they were after that."""

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

from django.db import connection, transaction
from django.db.models import Model


class KeptRows:
    """All rows of some tables as they are when it is made; parents come before what points at them.

    ``texts`` are values that are others each time, by name: the address of a simulator, for example.
    """

    def __init__(self, models: Iterable[type[Model]], *, texts: Mapping[str, str]) -> None:
        """Read the rows."""
        self._rows = [(model, list(model._default_manager.all())) for model in models]
        self._texts = dict(texts)
        self._statements: list[tuple[str, list[Any]]] = []

    @transaction.atomic  # rows that point at each other are checked at its end
    def insert(self, *, texts: Mapping[str, str]) -> None:
        """Insert them into tables that have none. Django builds the statements the first time only."""
        if not self._statements:
            self._build()
        given = {kept: texts[name] for name, kept in self._texts.items()}
        with connection.cursor() as cursor:
            for statement, params in self._statements:
                cursor.execute(statement, [_replaced(one, given) for one in params])

    def _build(self) -> None:
        """Insert them once to see how, and take that back."""

        def remember(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
            if statement.startswith("INSERT"):
                self._statements.append((statement, list(params)))
            return execute(statement, params, many, context)

        with transaction.atomic(), connection.execute_wrapper(remember):
            for model, rows in self._rows:
                model._default_manager.bulk_create([copy(row) for row in rows])
            transaction.set_rollback(True)


def _replaced(value: Any, given: Mapping[str, str]) -> Any:
    """A value of one row, or a column of many (PostgreSQL), with what it is this time."""
    if isinstance(value, list):
        return [_replaced(one, given) for one in value]
    return given.get(value, value) if isinstance(value, str) else value
