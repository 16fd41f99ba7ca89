"""Stock that an unmapped restock leaves wrong: as far as the line still holds the units as sold."""

from typing import Any

import pytest

from reconciliation import causes
from reconciliation.books import OrderBook, UnreadEvent
from reconciliation.checks.restocks_unmapped import NO_FIGURE, compare
from tests.reconciliation.books import book, judged, snapshot

UNREAD = UnreadEvent(event_id=9, return_id=7, topic="return.restocked", why="No rule fits.", is_about_goods=True)
TALK = UnreadEvent(event_id=9, return_id=7, topic="return.greeted", why="No rule fits.", is_about_goods=False)


def made(item: dict[str, Any], *unread: UnreadEvent, reduced: int | None = 2) -> OrderBook:
    """One item of a line of two that the shop holds as sold."""
    return book(snapshot=snapshot(reduced=reduced), effects=(), judged=(judged(**item),), unread=unread)


@pytest.mark.parametrize(
    ("item", "unread", "expected"),
    [
        ({}, (), []),
        ({"unjudged": 1}, (), []),  # simply not judged yet
        ({"unjudged": 1}, (TALK,), []),
        ({"unjudged": 1}, (UNREAD,), [(causes.RESTOCK_EVENT_UNREAD, 1, (9,))]),
        ({"unjudged": 0}, (UNREAD,), []),  # judged by a later message
        ({"unplaced": 2}, (), [(causes.RESTOCK_UNMAPPED, 2, ())]),
        ({"unplaced": 2, "is_lack_accepted": True}, (), []),
    ],
)
def test_units_that_wait_for_a_mapping(
    item: dict[str, Any], unread: tuple[UnreadEvent, ...], expected: list[tuple[str, int, tuple[int, ...]]]
) -> None:
    findings = compare(orders=[made(item, *unread)]).findings
    assert [(one.cause, one.quantity, one.event_ids) for one in findings] == expected


def test_what_the_shop_holds_no_longer_is_not_wrong_and_what_it_does_not_say_is_not_guessed() -> None:
    item = {"unplaced": 2}
    assert [one.quantity for one in compare(orders=[made(item, reduced=1)]).findings] == [1]
    assert compare(orders=[made(item, reduced=0)]).matched == 1
    silent = compare(orders=[made(item, reduced=None)])
    assert (silent.findings, silent.not_comparable) == ((), {NO_FIGURE: 1})
