"""Everything in this folder measures; the table is printed at the end."""

from pathlib import Path

import pytest

from tests.benchmarks import measuring

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder; the run then knows what to leave out."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("benchmark")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of this run as a markdown table."""
    if measuring.FIGURES:
        terminalreporter.section("measured")
        terminalreporter.write_line(measuring.table(measuring.FIGURES))
