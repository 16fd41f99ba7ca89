"""Queries that are asked over and over in one shape, built once per process.

Django needs far longer to build the SQL of a query with many conditions or columns than a database to answer it. Here
it is built once, with marks in place of the values that change from call to call; the answer is read as Django does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql.subqueries import UpdateQuery
from django.db.transaction import TransactionManagementError

Value = datetime | int | float | str
Row = Sequence[Any]
M = TypeVar("M", bound=Model)

_FIRST_MOMENT: Final = datetime(1900, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
_FIRST_NUMBER: Final = 2**62


class Prepared(Generic[M]):
    """A query by what builds it; ``build`` gets the changing values by name.

    The values are moments, texts and ids (``bigint``), used as they are given. What changes the shape of the query,
    such as how many values an ``IN`` has, is another query. Nothing is prefetched.
    """

    def __init__(self, build: Callable[..., "QuerySet[M, Any]"]) -> None:
        """Nothing is built before it is first asked: the models are not there yet."""
        self._build = build
        self._built: _Built | None = None

    def rows(self, **values: Value) -> list[Row]:
        """The answer for these values, as ``values_list`` gives it."""
        built = self._built or self._once(values)
        return list(built.ask(values))

    def objects(self, **values: Value) -> list[M]:
        """The answer for these values, as objects, with what ``select_related`` names."""
        built = self._built or self._once(values)
        return [built.object(row) for row in built.ask(values)]

    def one(self, **values: Value) -> M:
        """The one object for these values. Raises the model's DoesNotExist where there is none."""
        built = self._built or self._once(values)
        for row in built.ask(values):
            made: M = built.object(row)
            return made
        raise built.model.DoesNotExist(f"No {built.model._meta.verbose_name} has these values.")

    def _once(self, values: Mapping[str, Value]) -> "_Built":
        marks = {name: _mark(value, number) for number, (name, value) in enumerate(values.items())}
        self._built = _Built(self._build(**marks), marks)
        return self._built


class _Built:
    """SQL with marks, and how its answer is read: what a queryset makes anew each time."""

    def __init__(self, query: "QuerySet[Any, Any]", marks: Mapping[str, Value]) -> None:
        self.compiler = query.query.get_compiler(connection=connection)
        self.sql, params = self.compiler.as_sql()
        self.params = _marked(params, marks)
        self.converters = self.compiler.get_converters([column for column, *_ in self.compiler.select])
        self.is_locking = query.query.select_for_update and connection.features.has_select_for_update
        self.model = query.model
        if self.compiler.klass_info:  # of a query for objects
            columns = self.compiler.klass_info["select_fields"]
            self.own = slice(columns[0], columns[-1] + 1)
            self.names = [column.target.attname for column, *_ in self.compiler.select[self.own]]
            read: Any = get_related_populators  # its type is of the next Django, which asks for one argument more
            self.related = read(self.compiler.klass_info, self.compiler.select, DEFAULT_DB_ALIAS)

    def ask(self, values: Mapping[str, Value]) -> Iterable[Row]:
        if self.is_locking and not connection.in_atomic_block:
            raise TransactionManagementError("Rows are locked within a transaction only.")
        with connection.cursor() as cursor:
            cursor.execute(self.sql, _filled(self.params, values))
            rows: list[Row] = cursor.fetchall()
        return self.compiler.apply_converters(rows, self.converters) if self.converters else rows

    def object(self, row: Row) -> Any:
        made = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.own])
        for one in self.related:
            one.populate(row, made)
        return made


class PreparedUpdate:
    """An UPDATE by what builds it: the rows, and what is written to them."""

    def __init__(self, build: Callable[..., "tuple[QuerySet[Any, Any], Mapping[str, Any]]"]) -> None:
        """Nothing is built before it is first run."""
        self._build = build
        self._built: tuple[str, tuple[Any, ...]] | None = None

    def run(self, **values: Value) -> int:
        """Write with these values; how many rows there were."""
        sql, params = self._built or self._once(values)
        with transaction.mark_for_rollback_on_error(using=DEFAULT_DB_ALIAS), connection.cursor() as cursor:
            cursor.execute(sql, _filled(params, values))
            return int(cursor.rowcount)

    def _once(self, values: Mapping[str, Value]) -> tuple[str, tuple[Any, ...]]:
        marks = {name: _mark(value, number) for number, (name, value) in enumerate(values.items())}
        rows, written = self._build(**marks)
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(written)
        # Over a join the rows are chosen before they are locked: two at once would both write.
        assert query.count_active_tables() <= 1, "The rows must be chosen by their own columns."
        sql, params = query.get_compiler(connection=connection).as_sql()
        self._built = (sql, _marked(params, marks))
        return self._built


class _Mark(str):
    """The name of a value that is given with each call."""

    __slots__ = ()


def _mark(value: Value, number: int) -> Value:
    """A value that no query has for another reason."""
    if isinstance(value, datetime):
        return _FIRST_MOMENT + timedelta(days=number)
    if isinstance(value, float):
        return float(_FIRST_NUMBER) * (number + 2)
    return _FIRST_NUMBER + number if isinstance(value, int) else f"<value {number} of this query>"


def _marked(params: Iterable[Any], marks: Mapping[str, Value]) -> tuple[Any, ...]:
    names = {_in_database(mark): _Mark(name) for name, mark in marks.items()}
    marked = tuple(names.get(param, param) for param in params)
    unused = set(names.values()) - {param for param in marked if isinstance(param, _Mark)}
    assert not unused, f"These are no values of the query: {', '.join(sorted(unused))}"
    return marked


def _filled(params: Iterable[Any], values: Mapping[str, Value]) -> list[Any]:
    assert None not in values.values(), "Nothing equals what is missing: that is another query."
    return [_in_database(values[one]) if isinstance(one, _Mark) else one for one in params]


def _in_database(value: Value) -> Any:
    """A value as the database's driver takes it."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
