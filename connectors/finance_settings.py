"""What finance sets for a shop: months, tolerances, and how each gateway's statement is read. Pure.

The table ``finance`` of a connection's settings. Statement formats are the merchant's own: no gateway's columns are
built in, every column is named here (docs/configuration.md).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from connectors.ports import SettingSpec
from returnsops import money

FINANCE: Final = SettingSpec(
    name="finance",
    kind=dict,
    help="Months, tolerances and the formats of gateways' statements (docs/configuration.md).",
)
REFUND: Final = "refund"
IGNORE: Final = "ignore"
NEEDED_COLUMNS: Final = ("amount", "date")
REFERENCES: Final = ("refund_reference", "reference", "order_number")
COLUMNS: Final = (*NEEDED_COLUMNS, *REFERENCES, "currency", "line_id", "kind")
ISO_DATE: Final = "%Y-%m-%d"
LAST_START: Final = 28
MOST_DAYS: Final = 90
MOST_MINOR: Final = 1_000_000


class FinanceSettingsError(ValueError):
    """A table that cannot be used; ``problems`` are ``where: what to do``."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


@dataclass(frozen=True, kw_only=True)
class StatementFormat:
    """How one gateway writes its statement. ``columns``: our name → theirs; ``kinds``: their word → refund, ignore."""

    columns: Mapping[str, str]
    kinds: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""  # of every line, where there is no column
    date_format: str = ISO_DATE
    decimal_mark: str = "."
    amounts_are: str = "positive"  # or negative: how the gateway writes a refund


@dataclass(frozen=True, kw_only=True)
class FinanceSettings:
    """All of one shop. ``begins`` None: with the day its first route went live."""

    begins: date | None = None
    month_starts_on: int = 1
    settle_days: int = 7
    rounding_minor: int = 1
    drift_tolerance_minor: int = 10
    gateways: Mapping[str, StatementFormat] = field(default_factory=dict)


def parse(document: Mapping[str, Any]) -> FinanceSettings:
    """The settings of a table; missing keys have their defaults. Raises FinanceSettingsError naming every problem."""
    problems = tuple(_problems(document))
    if problems:
        raise FinanceSettingsError(problems)
    given = {name: value for name, value in document.items() if name not in ("gateways", "begins")}
    begins = document.get("begins")
    gateways = {name: StatementFormat(**table) for name, table in document.get("gateways", {}).items()}
    return FinanceSettings(**given, begins=date.fromisoformat(begins) if begins else None, gateways=gateways)


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    whole = {
        "month_starts_on": (1, LAST_START),
        "settle_days": (1, MOST_DAYS),
        "rounding_minor": (0, MOST_MINOR),
        "drift_tolerance_minor": (0, MOST_MINOR),
    }
    yield from _unknown("", document, {*whole, "begins", "gateways"})
    for name, (least, most) in whole.items():
        value = document.get(name, least)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield f"{name}: must be a whole number from {least} to {most}."
    begins = document.get("begins", "")
    if begins and not _is_date(begins):
        yield "begins: must be a date as text, like '2026-11-01'."
    gateways = document.get("gateways", {})
    if not isinstance(gateways, Mapping):
        yield "gateways: must be a table with one table per gateway."
        return
    for name, table in gateways.items():
        where = f"gateways.{name}"
        if len(name) > 60:
            yield f"{where}: the name is longer than 60 characters."
        yield from _format_problems(where, table) if isinstance(table, Mapping) else (f"{where}: must be a table.",)


def _format_problems(where: str, table: Mapping[str, Any]) -> Iterator[str]:
    known = {"columns", "kinds", "currency", "date_format", "decimal_mark", "amounts_are"}
    yield from _unknown(f"{where}.", table, known)
    columns, kinds = table.get("columns", {}), table.get("kinds", {})
    for name, value in (("columns", columns), ("kinds", kinds)):
        if not _is_table_of_texts(value):
            yield f"{where}.{name}: must be a table of texts."
            return
    yield from _unknown(f"{where}.columns.", columns, set(COLUMNS))
    for name in NEEDED_COLUMNS:
        if not columns.get(name):
            yield f"{where}.columns.{name}: is missing; name the column of the statement that holds it."
    if not any(columns.get(name) for name in REFERENCES):
        yield f"{where}.columns: name at least one of {', '.join(REFERENCES)}, else no line finds its refund."
    for word, meaning in kinds.items():
        if meaning not in (REFUND, IGNORE):
            yield f"{where}.kinds.{word}: must be {REFUND} or {IGNORE}."
    if bool(kinds) is not bool(columns.get("kind")):
        yield f"{where}.kinds: name the column kind and say of each of its words whether it is a refund, or neither."
    yield from _value_problems(where, table, columns)


def _value_problems(where: str, table: Mapping[str, Any], columns: Mapping[str, str]) -> Iterator[str]:
    currency = table.get("currency", "")
    if bool(currency) is bool(columns.get("currency")):
        yield f"{where}.currency: give either one currency for all lines or the column that holds it."
    elif currency and not _is_currency(currency):
        yield f"{where}.currency: {currency!r} is no currency code; write it like EUR."
    if table.get("decimal_mark", ".") not in (".", ","):
        yield f"{where}.decimal_mark: must be '.' or ','."
    if table.get("amounts_are", "positive") not in ("positive", "negative"):
        yield f"{where}.amounts_are: must be positive or negative: how the statement writes a refund."
    shape = table.get("date_format", ISO_DATE)
    if not (isinstance(shape, str) and all(part in shape for part in ("%Y", "%m", "%d"))):
        yield f"{where}.date_format: must name year, month and day, like %d/%m/%Y."


def _unknown(where: str, table: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    for name in sorted(set(table) - known):
        yield f"{where}{name}: unknown; known are {', '.join(sorted(known))}."


def _is_table_of_texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(part, str) and part for part in value.values())


def _is_date(value: object) -> bool:
    try:
        date.fromisoformat(str(value) if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _is_currency(code: object) -> bool:
    try:
        money.exponent(str(code))
    except money.MoneyError:
        return False
    return True
