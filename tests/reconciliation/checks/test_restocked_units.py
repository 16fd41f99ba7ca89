"""Restocked units: records against effects, effects against records, both against what is sellable."""

from decimal import Decimal
from typing import Any

import pytest

from reconciliation import causes
from reconciliation.books import UNITS, OrderBook, Total
from reconciliation.checks.restocked_units import compare
from returnsops import states
from tests.reconciliation.books import (
    book,
    judged,
    known,
    outside_record,
    snapshot,
    stock_effect,
    stock_record,
    unsettled,
)


def found(made: OrderBook) -> list[tuple[str, str, int | None]]:
    """Cause, side and units of what is found."""
    return [(one.cause, one.side, one.quantity) for one in compare(orders=[made]).findings]


def made(*records: Any, reduced: int | None = 1, **changes: Any) -> OrderBook:
    """A book with these restock records."""
    return book(**{"effects": (stock_effect(),), "snapshot": snapshot(*records, reduced=reduced), **changes})


def test_equal_books_match_with_equal_units() -> None:
    comparison = compare(orders=[made(stock_record())])
    assert (comparison.matched, comparison.findings) == (2, ())
    assert comparison.totals == {UNITS: Total(here=Decimal(1), there=Decimal(1))}


@pytest.mark.parametrize(
    ("effect", "records", "reduced", "expected"),
    [
        (stock_effect(), (), 2, (causes.RESTOCK_MISSING, "only_here", 1)),
        (stock_effect(), (stock_record(units=2),), None, (causes.RESTOCK_DIFFERS, "mismatched", 1)),
        (stock_effect(), (stock_record(line_id="6"),), 2, (causes.RESTOCK_DIFFERS, "mismatched", 1)),
        (
            stock_effect(),
            (stock_record(), stock_record(refund_id="14")),
            None,
            (causes.RESTOCKED_TWICE, "mismatched", 1),
        ),
        (
            unsettled(stock_effect(remote_id=""), states.HELD),
            (stock_record(),),
            None,
            (causes.RESTOCK_NOT_SETTLED, "only_there", 1),
        ),
    ],
    ids=["missing", "other quantity", "other line", "twice", "held here"],
)
def test_planted_mismatches(
    effect: Any, records: tuple[Any, ...], reduced: int | None, expected: tuple[str, str, int]
) -> None:
    assert found(made(*records, reduced=reduced, effects=(effect,))) == [expected]


def test_a_deleted_restock_record_is_told_from_one_that_never_was() -> None:
    gone = known(refund_id="13", amount=Decimal(0), is_vanished=True)
    assert found(made(refunds=(gone,))) == [(causes.RESTOCK_DELETED, "only_here", 1)]


def test_a_record_with_a_key_that_no_effect_has() -> None:
    strange = stock_record(refund_id="30", key="restock:elsewhere/ret_9:item_9:1", line_id="6")
    assert found(made(stock_record(), strange)) == [(causes.RESTOCK_UNKNOWN, "only_there", 1)]


def test_a_record_without_money_and_key_is_not_ours_to_explain() -> None:
    assert found(made(stock_record(), stock_record(refund_id="31", key="", line_id="6"))) == []


def test_more_restocked_than_judged_sellable() -> None:
    assert found(made(stock_record(), judged=(judged(sellable=0),))) == [(causes.MORE_THAN_SELLABLE, "mismatched", 1)]


def test_an_accepted_excess_is_no_difference() -> None:
    assert found(made(stock_record(), judged=(judged(sellable=0, is_excess_accepted=True),))) == []


def test_sellable_units_that_nothing_restocks() -> None:
    assert found(made(reduced=2, effects=())) == [(causes.NOT_RESTOCKED, "only_here", 1)]
    assert found(made(reduced=2, effects=(unsettled(stock_effect(), states.FAILED),))) == [
        (causes.NOT_RESTOCKED, "only_here", 1)
    ]


@pytest.mark.parametrize("state", sorted(states.UNSENT | states.IN_FLIGHT))
def test_a_restock_on_its_way_is_no_difference(state: str) -> None:
    assert found(made(reduced=2, effects=(unsettled(stock_effect(), state),))) == []


def test_units_put_back_by_hand_beyond_what_is_sellable() -> None:
    assert found(made(stock_record(), reduced=0)) == [(causes.RESTOCKED_BY_HAND, "only_there", 1)]


def test_units_that_came_back_with_an_explained_refund_are_no_difference() -> None:
    by_hand = outside_record(lines=stock_record().lines)
    explained = made(stock_record(), by_hand, reduced=0, refunds=(known(explanation="unrelated"),))
    assert found(explained) == []


@pytest.mark.parametrize("reduced", [None, 1])
def test_a_line_whose_stock_the_shop_does_not_know_is_left_alone(reduced: int | None) -> None:
    assert found(made(stock_record(), reduced=reduced)) == []
