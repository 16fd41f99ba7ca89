"""One row of a gateway's statement as a line, by the stored format. Pure; what is wrong is told by column."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from connectors.finance_settings import IGNORE, StatementFormat
from returnsops import money
from returnsops.planning.keys import content_hash

LONGEST: Final = 200
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = {mark: re.compile(rf"-?[0-9]{{1,15}}([{mark}][0-9]{{1,6}})?") for mark in ".,"}


class RowError(ValueError):
    """A row that cannot be a line; ``problems`` are texts by the statement's own column."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("; ".join(f"{column}: {text}" for column, text in problems.items()))


@dataclass(frozen=True, kw_only=True)
class StatementRow:
    """Money that left for one refund, in minor units."""

    amount_minor: int
    currency: str
    settled_on: date
    line_id: str = ""
    reference: str = ""
    refund_reference: str = ""
    order_number: str = ""

    @property
    def content_id(self) -> str:
        """Its identity where the gateway gives none of its own."""
        parts = [self.reference, self.refund_reference, self.order_number]
        return content_hash([self.amount_minor, self.currency, self.settled_on.isoformat(), *parts])


def read_row(shape: StatementFormat, cells: Mapping[str, object], *, currencies: frozenset[str]) -> StatementRow | None:
    """The line of a row, None where the format says that its kind is not ours. Raises RowError.

    ``currencies``: those the shop sells in; another one is a wrong file or column (empty: any).
    """
    reader = _Reader(shape=shape, cells=cells)
    if shape.kinds:
        word = reader.text("kind")
        if shape.kinds.get(word) == IGNORE:
            return None
        if word not in shape.kinds:
            reader.complain("kind", f"{_shown(word)} is not known; say in the format whether it is a refund.")
    currency = shape.currency or reader.text("currency").upper()
    line = {name: reader.reference(name) for name in ("line_id", "reference", "refund_reference", "order_number")}
    minor = reader.amount(currency, currencies)
    settled_on = reader.day()
    if not any(line[name] for name in ("reference", "refund_reference", "order_number")):
        reader.complain("refund_reference", "The row names no payment, refund or order; it cannot find its refund.")
    if reader.problems or settled_on is None:
        raise RowError(reader.problems)
    return StatementRow(amount_minor=minor, currency=currency, settled_on=settled_on, **line)


@dataclass
class _Reader:
    """A row while it is read; problems gather here."""

    shape: StatementFormat
    cells: Mapping[str, object]

    def __post_init__(self) -> None:
        self.problems: dict[str, str] = {}

    def complain(self, name: str, text: str) -> None:
        """Note one problem under the statement's own column."""
        self.problems.setdefault(self.shape.columns.get(name, name), text)

    def text(self, name: str) -> str:
        """The cell of a column of ours, '' where there is none."""
        column = self.shape.columns.get(name, "")
        value = self.cells.get(column) if column else None
        return "" if value is None else str(value).strip()

    def reference(self, name: str) -> str:
        """An id: no formula, no control characters, of a usable length."""
        value = self.text(name)
        if len(value) > LONGEST:
            self.complain(name, f"Longer than {LONGEST} characters; this is no reference.")
        elif value.startswith(FORMULA_STARTS) or not value.isprintable():
            self.complain(name, f"{_shown(value)} looks like a formula or holds control characters.")
        return value

    def amount(self, currency: str, currencies: frozenset[str]) -> int:
        """Minor units, positive; 0 with a problem noted."""
        given = self.text("amount")
        if not _NUMBER[self.shape.decimal_mark].fullmatch(given):
            mark = self.shape.decimal_mark
            self.complain("amount", f"{_shown(given)} is no amount; write it like 12{mark}50, without thousands marks.")
            return 0
        amount = Decimal(given.replace(",", "."))
        if self.shape.amounts_are == "negative":
            amount = -amount
        return self._minor(amount, currency, currencies)

    def _minor(self, amount: Decimal, currency: str, currencies: frozenset[str]) -> int:
        if amount <= 0:
            self.complain("amount", f"A refund is {self.shape.amounts_are} in this format, and this one is not.")
        elif amount > money.MAX_AMOUNT:
            self.complain("amount", "Too large to be an amount.")
        elif currencies and currency not in currencies:
            self.complain(
                "currency", f"{_shown(currency)} is no currency of this shop ({', '.join(sorted(currencies))})."
            )
        else:
            try:
                return money.to_minor(amount, currency=currency)
            except money.MoneyError as error:
                self.complain("amount", str(error))
        return 0

    def day(self) -> date | None:
        """The day the gateway settled it."""
        given = self.text("date")
        try:
            return datetime.strptime(given, self.shape.date_format).date()  # noqa: DTZ007 (a day, not a moment)
        except ValueError:
            self.complain("date", f"{_shown(given)} is no date in the form {self.shape.date_format}.")
            return None


class Identities:
    """Ids of a file's lines: the gateway's own, the refund's, else the content with its count in the file."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, row: StatementRow) -> str:
        """The identity of the next line."""
        if row.line_id:
            return f"id:{row.line_id}"
        if row.refund_reference:
            return f"refund:{row.refund_reference}"
        self._seen[row.content_id] += 1
        return f"row:{row.content_id}:{self._seen[row.content_id]}"


def _shown(value: str) -> str:
    return repr(value[:40])
