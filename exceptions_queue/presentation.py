"""Cases in words: money, and the rows of an export."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from babel.numbers import format_currency

from exceptions_queue.models import ExceptionCase

LOCALE = "en_GB"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "case", "kind", "title", "team", "assigned to", "state", "regressed", "subject type", "subject", "money at risk",
    "currency", "priority", "opened at", "due at", "closed at", "closed by", "resolution", "reason",
)  # fmt: skip


def money_in_words(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency's own digits, e.g. "£12.30", "JPY 1,200"; empty if there is none."""
    return "" if amount is None else format_currency(amount, currency, locale=LOCALE)


def total_in_words(cases: Iterable[ExceptionCase]) -> str:
    """The money at risk of several cases, one sum per currency."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for case in cases:
        if case.money_at_risk is not None:
            sums[case.currency] += case.money_at_risk
    return " + ".join(money_in_words(amount, currency) for currency, amount in sorted(sums.items())) or "no money"


def as_csv(cases: Iterable[ExceptionCase]) -> str:
    """The cases as CSV; text that a spreadsheet would run as a formula is made harmless with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(value) for value in _row(case)] for case in cases)
    return out.getvalue()


def _row(case: ExceptionCase) -> tuple[object, ...]:
    times = (case.opened_at, case.due_at, case.resolved_at)
    opened, due, closed = ("" if at is None else at.isoformat(timespec="seconds") for at in times)
    return (
        case.pk, case.kind_code, case.title, case.team_title, case.assigned_to or "", case.get_state_display(),
        "yes" if case.is_regressed else "no", case.subject_type, case.subject_label or case.subject_id,
        "" if case.money_at_risk is None else case.money_at_risk, case.currency, case.priority, opened, due, closed,
        case.resolved_by_name, case.get_resolution_display(), case.resolution_reason,
    )  # fmt: skip


def _harmless(value: object) -> str:
    text = str(value)
    return f"'{text}" if not isinstance(value, int | Decimal) and text.lstrip(" ").startswith(FORMULA_STARTS) else text
