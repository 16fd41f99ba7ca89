"""Notes and fields on the order: what the shop shows counts, not what was acknowledged."""

from dataclasses import replace
from typing import Any

import pytest

from reconciliation import causes
from reconciliation.checks.order_marks import NO_FIELDS, NO_NOTES, compare
from returnsops import states
from tests.reconciliation.books import book, mark

FIELD = mark(kind="field", name="status", text="Return closed")
TOKENS = frozenset({"[A/authorised]"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, causes.NOTE_MISSING),
        ({"is_moving": True}, None),
        ({"is_settled": False, "state": states.READY}, None),
        ({"is_settled": False, "state": states.FAILED}, causes.MARK_NOT_WRITTEN),
    ],
)
def test_a_note_that_is_not_there(changes: dict[str, Any], expected: str | None) -> None:
    made = book(marks=(mark(**changes),), shown_tokens=frozenset())
    assert [one.cause for one in compare(orders=[made]).findings] == ([expected] if expected else [])
    assert compare(orders=[replace(made, shown_tokens=TOKENS)]).findings == ()


@pytest.mark.parametrize(
    ("shown", "there"), [({"status": "Return closed"}, None), ({"status": "none"}, "none"), ({}, "nothing")]
)
def test_a_field_that_says_something_else(shown: dict[str, str], there: str | None) -> None:
    made = book(marks=(FIELD,), shown_fields=shown)
    found = compare(orders=[made]).findings
    assert [(one.cause, one.there) for one in found] == ([(causes.FIELD_DIFFERS, there)] if there else [])


def test_a_shop_that_cannot_show_them_is_not_guessed_about() -> None:
    made = compare(orders=[book(marks=(mark(), FIELD))])
    assert (made.findings, made.not_comparable) == ((), {NO_NOTES: 1, NO_FIELDS: 1})
    assert compare(orders=[book(marks=(mark(),), snapshot=None)]).not_comparable == {}
