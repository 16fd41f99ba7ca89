"""`make requirements`: each row of docs/requirements.csv with the tests that carry its id."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

TABLE = Path(__file__).resolve().parent.parent / "docs" / "requirements.csv"


def rows() -> list[dict[str, str]]:
    """Return the rows of the table, in its order: id, pair, requirement, role, test."""
    with TABLE.open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def tests_by_row(items: Iterable[pytest.Item]) -> dict[str, list[str]]:
    """Return the node ids of the tests behind each row id, without the parameters of parametrised tests."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in items:
        test = item.nodeid.split("[")[0]
        for marker in item.iter_markers("requirement"):
            for row_id in marker.args:
                if test not in found[row_id]:
                    found[row_id].append(test)
    return found


def show(items: Iterable[pytest.Item]) -> None:
    """Print every row with its tests or the word missing, and the count; refuse ids that are no row."""
    found = tests_by_row(items)
    table = rows()
    unknown = sorted(set(found) - {row["id"] for row in table})
    if unknown:
        raise pytest.UsageError(f"These requirement ids are no rows of docs/requirements.csv: {', '.join(unknown)}")
    lines = [_line(row, found.get(row["id"], [])) for row in table]
    proven = sum(1 for row in table if found.get(row["id"]))
    print("\n".join([*lines, f"{proven} of {len(table)} rows have a test, {len(table) - proven} missing."]))  # noqa: T201


def _line(row: dict[str, str], tests: list[str]) -> str:
    head = f"{row['id']:6} {row['requirement']}"
    return "\n".join([head, *(f"         {test}" for test in tests)]) if tests else f"{head}\n         missing"
