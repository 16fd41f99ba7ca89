"""Evidence as tables of text."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exceptions_queue.evidence import clean_json, evidence_tables


def test_the_shape_of_a_section_decides_its_table() -> None:
    tables = evidence_tables(
        {
            "amounts": {"line_1": {"here": "10.00", "shop": "12.00"}, "sum": {"here": "10.00"}},
            "request": {"amount": "10.00", "is_final": True, "note": None},
            "lines": [{"sku": "A"}, {"sku": "B", "quantity": 2}],
            "answer": "refused",
            "codes": [1, 2],
        }
    )
    assert [(table.title, table.columns, table.rows) for table in tables] == [
        ("Amounts", ("", "Here", "Shop"), (("Line 1", "10.00", "12.00"), ("Sum", "10.00", "none"))),
        ("Request", (), (("Amount", "10.00"), ("Is final", "yes"), ("Note", "none"))),
        ("Lines", ("Sku", "Quantity"), (("A", "none"), ("B", "2"))),
        ("Answer", (), (("refused",),)),
        ("Codes", (), (("[\n  1,\n  2\n]",),)),
    ]


def test_a_huge_answer_is_cut_and_says_so() -> None:
    (table,) = evidence_tables({"answer": "x" * 5000})
    assert table.rows[0][0].endswith("… (5000 characters in all)")


def test_what_json_cannot_say_becomes_text_or_an_error() -> None:
    moment = datetime(2026, 3, 12, 10, 0, tzinfo=UTC)
    assert clean_json({"a": Decimal("1.10"), "at": moment, "t": (1, 2)}) == {
        "a": "1.10",
        "at": "2026-03-12T10:00:00Z",
        "t": [1, 2],
    }
    with pytest.raises(TypeError):
        clean_json({"a": object()})
