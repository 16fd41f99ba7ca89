"""Restocks against the line and the shelf figure: only a distance of exactly these units says anything."""

from datetime import timedelta
from typing import Any

import pytest

from reconciliation import causes
from reconciliation.books import OrderBook, Restocked
from reconciliation.checks import stock_levels
from reconciliation.checks.stock_levels import compare
from returnsops.facts import StockLevel
from tests.reconciliation.books import AT, book, snapshot, stock_effect, stock_record

ARTICLE = ("10", "")


def made(*, level: StockLevel | None = None, reduced: int | None = 1, **seen: Any) -> OrderBook:
    """One unit of two restocked; the figure should be 9."""
    restocked = Restocked(**{"effect_id": 2, "article": ARTICLE, "due": 9, "later": 0, "is_moving": False, **seen})
    return book(
        effects=(stock_effect(),),
        snapshot=snapshot(stock_record(), reduced=reduced),
        restocked=(restocked,),
        read_at=AT,
        levels=None if level is None else {ARTICLE: level},
    )


@pytest.mark.parametrize(
    ("level", "later", "outcome"),
    [
        (9, 0, "matched"),
        (8, 0, "found"),
        (7, 0, stock_levels.MOVED_OTHERWISE),
        (12, 0, stock_levels.MOVED_OTHERWISE),
        (10, 0, "raised"),  # put in by hand as well
        (8, 1, stock_levels.MOVED_OTHERWISE),  # what the later restock put back is missing, not this one's
        (7, 1, "found"),  # both are
        (None, 0, stock_levels.NOT_COUNTED),
    ],
)
def test_the_figure_says_something_only_where_exactly_the_restock_is_missing(
    level: int | None, later: int, outcome: str
) -> None:
    comparison = compare(orders=[made(level=StockLevel(quantity=level), later=later)])
    expected = {"found": [causes.LEVEL_NOT_UPDATED], "raised": [causes.LEVEL_RAISED]}
    assert [one.cause for one in comparison.findings] == expected.get(outcome, [])
    assert comparison.matched == (2 if outcome == "matched" else 1)
    assert list(comparison.not_comparable) == ([] if outcome in ("matched", *expected) else [outcome])


def test_a_figure_that_moved_a_moment_ago_or_is_moving_is_left_for_the_next_run() -> None:
    just = StockLevel(quantity=8, changed_at=AT - timedelta(minutes=9))
    assert list(compare(orders=[made(level=just)]).not_comparable) == [stock_levels.JUST_CHANGED]
    before = StockLevel(quantity=8, changed_at=AT - timedelta(minutes=10))
    assert len(compare(orders=[made(level=before)]).findings) == 1
    assert list(compare(orders=[made(level=before, is_long_ago=True)]).not_comparable) == [stock_levels.LONG_AGO]
    moving = compare(orders=[made(level=before, is_moving=True)])
    assert (moving.findings, moving.not_comparable) == ((), {})


def test_a_shop_that_shows_no_figures_is_not_guessed_about() -> None:
    assert list(compare(orders=[made()]).not_comparable) == [stock_levels.NO_LEVELS]
    assert next(iter(compare(orders=[made(reduced=None)]).not_comparable)) == stock_levels.NO_FIGURE


def test_a_line_that_still_holds_the_units_as_sold_is_found_once() -> None:
    comparison = compare(orders=[made(reduced=2, level=StockLevel(quantity=8))])
    assert [(one.cause, one.quantity) for one in comparison.findings] == [(causes.LEVEL_NOT_UPDATED, 1)]


@pytest.mark.parametrize(
    "records",
    [
        (),
        (stock_record(), stock_record(refund_id="14")),
        (stock_record(), stock_record(refund_id="14", lines=())),
        (stock_record(units=2),),
    ],
)
def test_a_record_that_is_wrong_itself_is_left_to_the_units(records: tuple[Any, ...]) -> None:
    restocks = book(effects=(stock_effect(),), snapshot=snapshot(*records, reduced=2), restocked=())
    assert compare(orders=[restocks]).findings == ()
