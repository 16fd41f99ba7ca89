"""Two returns for the same units: only what is more than was sold, and only in the later return."""

from decimal import Decimal

import pytest

from reconciliation import causes
from reconciliation.checks.returns_twice import compare
from tests.reconciliation.books import book, returned_units


@pytest.mark.parametrize(("first", "second", "over"), [(1, 1, 0), (2, 1, 1), (1, 2, 1), (2, 2, 2)])
def test_two_returns_of_a_line_of_two(first: int, second: int, over: int) -> None:
    worth = Decimal("30.00") * second
    returned = (returned_units(units=first), returned_units(return_id=8, label="B", units=second, worth=worth))
    comparison = compare(orders=[book(returned=returned)])
    assert comparison.matched == (2 if not over else 1)
    assert [(one.return_id, one.quantity, one.amount) for one in comparison.findings] == (
        [(8, over, Decimal("30.00") * over)] if over else []
    )


def test_the_words_name_both_returns() -> None:
    returned = (returned_units(units=2), returned_units(return_id=8, label="B", worth=None))
    (one,) = compare(orders=[book(returned=returned)]).findings
    assert causes.words(one, order="Order 11") == (
        "Order 11: Return B asks for 1 unit of Tee that return A brings back already."
    )
    assert (one.amount, one.currency) == (None, "")


def test_one_return_that_asks_too_much_is_no_duplicate_and_lines_are_apart() -> None:
    assert compare(orders=[book(returned=(returned_units(units=3),))]).findings == ()
    elsewhere = (returned_units(units=2), returned_units(return_id=8, label="B", line_id="6"))
    assert compare(orders=[book(returned=elsewhere)]).findings == ()
    assert compare(orders=[book(snapshot=None, returned=elsewhere)]).matched == 0
