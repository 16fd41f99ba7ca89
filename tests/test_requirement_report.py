"""`make requirements` counts rows, tests and what is missing."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import requirement_report


def item(nodeid: str, *row_ids: str) -> pytest.Item:
    markers = [SimpleNamespace(args=row_ids)] if row_ids else []
    return cast(pytest.Item, SimpleNamespace(nodeid=nodeid, iter_markers=lambda name: markers))


def test_tests_are_listed_once_whatever_their_parameters() -> None:
    items = [
        item("tests/a.py::test_x[1]", "S4-1", "S4-2"),
        item("tests/a.py::test_x[2]", "S4-1"),
        item("tests/b.py::test_y"),
    ]
    found: dict[str, Any] = requirement_report.tests_by_row(items)
    assert found == {"S4-1": ["tests/a.py::test_x"], "S4-2": ["tests/a.py::test_x"]}


def test_every_row_is_shown_with_its_tests_or_as_missing(capsys: pytest.CaptureFixture[str]) -> None:
    requirement_report.show([item("tests/a.py::test_x", "S4-17")])
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("S4-17 "))
    assert lines[at + 1] == "         tests/a.py::test_x"
    assert lines[-1] == "1 of 136 rows have a test, 135 missing."
    assert lines.count("         missing") == 135


def test_an_id_that_is_no_row_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match="S9-1"):
        requirement_report.show([item("tests/a.py::test_x", "S9-1")])
