"""Polling by ``updated_at``: overlap, pages, two changes in a second, and another API version answering."""

import json
from datetime import timedelta

from connectors.ports import PolledItem, PollPage
from connectors.shopify.normalise import POLLED_ORDER, POLLED_VERSION
from connectors.shopify.polling import parse_cursor, poll
from connectors.shopify.timing import INDEX_LAG
from tests.connectors.shopify.served import START, Stage, id_of, stage


def round_of(own: Stage, cursor: str = "") -> tuple[list[PolledItem], str, int]:
    items: list[PolledItem] = []
    for pages in range(1, 20):
        page: PollPage = poll(own.link, cursor)
        items += [item for item in page.items if item.topic == POLLED_ORDER]
        cursor = page.cursor
        if page.is_last:
            return items, cursor, pages
    raise AssertionError("The round does not end.")


def test_changed_orders_come_once_per_change_and_again_within_the_overlap() -> None:
    with stage() as own:
        first, second = own.place(), own.place()
        items, cursor, pages = round_of(own)
        assert ([item.subject_key for item in items], pages) == (
            [f"order:{id_of(first)}", f"order:{id_of(second)}"],
            1,
        )
        assert items[0].body == {
            "id": id_of(first),
            "updatedAt": "2026-11-02T09:00:00Z",
            "displayFinancialStatus": "PAID",
            "returnStatus": "NO_RETURN",
        }
        again, _, _ = round_of(own, cursor)
        assert [item.delivery_key for item in again] == [item.delivery_key for item in items]
        own.refund(first, "25.00", 1)  # within the same second
        changed, cursor, _ = round_of(own, cursor)
        assert len({item.delivery_key for item in (*items, *changed)}) == 3
        own.clock.advance(3600)
        own.refund(second, "9.99")
        items, cursor, _ = round_of(own, cursor)
        assert {item.subject_key for item in items} == {f"order:{id_of(first)}", f"order:{id_of(second)}"}
        assert parse_cursor(cursor, now=START).top == START + timedelta(hours=1)
        later, _, _ = round_of(own, cursor)
        assert [item.subject_key for item in later] == [f"order:{id_of(second)}"]


def test_a_search_that_lags_behind_hides_nothing_for_ever() -> None:
    with stage(search_lag_s=240) as own:
        own.place()
        items, cursor, _ = round_of(own)
        assert items == []
        own.clock.advance(300)
        items, _, _ = round_of(own, cursor)
        assert len(items) == 1
        assert timedelta(seconds=240) < INDEX_LAG


def test_many_changes_are_read_page_by_page_with_the_shops_own_cursor() -> None:
    with stage() as own:
        for _ in range(101):
            own.place(shipping=None)
        items, cursor, pages = round_of(own)
    assert (len({item.subject_key for item in items}), pages) == (101, 2)
    assert set(json.loads(cursor)) == {"top"}


def test_a_cursor_that_cannot_be_read_starts_a_little_ago() -> None:
    for text in ("", "{", "[]", '{"top": 7}', "null"):
        assert parse_cursor(text, now=START).top == START


def test_the_version_that_answers_is_told_once_a_day_with_the_first_page() -> None:
    with stage(settings={"api_version": "2025-07"}) as own:
        for _ in range(101):
            own.place(shipping=None)
        page = poll(own.link, "")
        following = poll(own.link, page.cursor)
        own.clock.advance(86400)
        tomorrow = poll(own.link, following.cursor)
    (told,) = [item for item in page.items if item.topic == POLLED_VERSION]
    assert told.body == {"asked": "2025-07", "served": "2025-10"}
    assert (told.delivery_key, told.subject_key) == ("api_version:2025-07:2025-10:2026-11-02", "api_version")
    assert (page.is_last, [item for item in following.items if item.topic == POLLED_VERSION]) == (False, [])
    (again,) = [item for item in tomorrow.items if item.topic == POLLED_VERSION]
    assert again.delivery_key == "api_version:2025-07:2025-10:2026-11-03"
