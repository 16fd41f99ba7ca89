"""Polling: both streams to their end, the way of sending dates that is right in every zone, nothing seen twice."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.ports import Answer, Link, PolledItem, Rejected
from connectors.woocommerce.polling import content_hash, parse_cursor, poll
from tests.connectors.woocommerce.scripted import NOW, answered, scripted_link

START = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def order(number: int, moment: datetime, **more: Any) -> dict[str, Any]:
    return {"id": number, "date_modified_gmt": stamp(moment), "status": "processing", **more}


def refund(number: int, parent: int, moment: datetime) -> dict[str, Any]:
    return {"id": number, "parent_id": parent, "date_created_gmt": stamp(moment), "amount": "5.00"}


class Shop:
    """The two lists as the shop filters, sorts and pages them: strictly after, by the second, ``cap`` rows a page."""

    def __init__(self, *, cap: int = 100, has_refunds: bool = True) -> None:
        self.orders: list[dict[str, Any]] = []
        self.refunds: list[dict[str, Any]] = []
        self.cap = cap
        self.has_refunds = has_refunds

    def __call__(self, method: str, path: str, params: Any, body: Any) -> Answer:
        assert params["dates_are_gmt"] == "true"
        assert params["order"] == "asc"
        if path == "/orders":
            assert params["orderby"] == "modified"
            return self._page(self.orders, "date_modified_gmt", params["modified_after"], int(params["page"]))
        if not self.has_refunds:
            return answered(404, {"code": "rest_no_route", "message": "No route", "data": {"status": 404}})
        assert params["orderby"] == "date"
        return self._page(self.refunds, "date_created_gmt", params["after"], int(params["page"]))

    def _page(self, rows: list[dict[str, Any]], field: str, after: str, page: int) -> Answer:
        assert not after.endswith("Z"), "with Z and the flag the offset is applied twice"
        assert "+" not in after
        hits = sorted((row for row in rows if row[field] > after), key=lambda row: (row[field], row["id"]))
        shown = hits[(page - 1) * self.cap : page * self.cap]
        pages = -(-len(hits) // self.cap)
        return answered(200, shown, x_wp_total=str(len(hits)), x_wp_totalpages=str(pages))


def poll_round(link: Link, cursor: str) -> tuple[list[PolledItem], str, int]:
    """One round as the pump runs it: items, the cursor after it, and how many pages it took."""
    items: list[PolledItem] = []
    for pages in range(1, 100):
        page = poll(link, cursor)
        items += page.items
        cursor = page.cursor
        if page.is_last:
            return items, cursor, pages
    raise AssertionError("the round does not end")


def cursor_at(moment: datetime) -> str:
    return json.dumps({"orders_top": stamp(moment), "refunds_top": stamp(moment)})


def hints(items: list[PolledItem]) -> list[str]:
    return [item.hint_key for item in items]


def test_a_first_round_starts_ten_minutes_ago() -> None:
    shop = Shop()
    shop.orders = [order(1, NOW - timedelta(minutes=11)), order(2, NOW - timedelta(minutes=9))]
    link, asked = scripted_link(shop)

    items, cursor, _ = poll_round(link, "")

    assert hints(items) == ["order:2"]
    assert asked[0][2] == {
        "modified_after": "2026-11-20T21:50:00",
        "dates_are_gmt": "true",
        "orderby": "modified",
        "order": "asc",
        "per_page": "100",
        "page": "1",
    }
    assert json.loads(cursor) == {"orders_top": "2026-11-20T22:00:00", "refunds_top": "2026-11-20T22:00:00"}


def test_an_order_and_a_refund_become_hints_without_customer_data() -> None:
    shop = Shop()
    shop.orders = [order(7, START, billing={"email": "ana@example.test"})]
    shop.refunds = [refund(9, 7, START)]
    link, _ = scripted_link(shop)

    items, _, _ = poll_round(link, cursor_at(START))

    assert [(item.topic, item.hint_key, item.subject_key) for item in items] == [
        ("poll.order", "order:7", "order:7"),
        ("poll.refund", "order:7", "order:7"),
    ]
    assert items[0].body == {"id": "7", "date_modified_gmt": "2026-11-20T20:00:00", "status": "processing"}
    assert items[1].body["refund_id"] == "9"
    assert items[0].delivery_key.startswith("order:7:2026-11-20T20:00:00:")


def test_the_next_round_asks_from_the_newest_refund_on() -> None:
    shop = Shop()
    shop.refunds = [refund(9, 7, START + timedelta(hours=1)), refund(8, 7, START)]
    link, asked = scripted_link(shop)
    _, cursor, _ = poll_round(link, cursor_at(START))
    assert json.loads(cursor) == {"orders_top": stamp(START), "refunds_top": stamp(START + timedelta(hours=1))}
    asked.clear()
    poll_round(link, cursor)
    assert [params["after"] for _, path, params, _ in asked if path == "/refunds"] == [
        stamp(START + timedelta(minutes=50))
    ]


def test_an_empty_page_ends_a_stream_whatever_the_shop_says_of_more() -> None:
    """A plugin that hides rows, or a cached header: a round that never ends would read nothing else any more."""
    link, asked = scripted_link(lambda *_: answered(200, [], x_wp_total="500", x_wp_totalpages="5"))
    assert poll_round(link, cursor_at(START))[::2] == ([], 2)
    assert [path for _, path, _, _ in asked] == ["/orders", "/refunds"]


@pytest.mark.parametrize("cap", [10, 100])
def test_every_page_is_read_also_where_the_shop_gives_ten(cap: int) -> None:
    shop = Shop(cap=cap)
    shop.orders = [order(n, START + timedelta(seconds=n)) for n in range(1, 36)]
    shop.refunds = [refund(500 + n, n, START + timedelta(seconds=n)) for n in range(1, 24)]
    link, _ = scripted_link(shop)

    items, cursor, _ = poll_round(link, cursor_at(START))

    assert {item.hint_key for item in items if item.topic == "poll.order"} == {f"order:{n}" for n in range(1, 36)}
    assert {item.body["refund_id"] for item in items if item.topic == "poll.refund"} == {
        str(500 + n) for n in range(1, 24)
    }
    assert json.loads(cursor)["orders_top"] == stamp(START + timedelta(seconds=35))


def test_a_page_full_of_one_second_goes_on_by_page_number() -> None:
    shop = Shop(cap=10)
    shop.orders = [order(n, START) for n in range(1, 31)] + [order(99, START + timedelta(seconds=5))]
    link, _ = scripted_link(shop)

    items, _, pages = poll_round(link, cursor_at(START))

    assert {item.hint_key for item in items} == {f"order:{n}" for n in [*range(1, 31), 99]}
    assert pages < 12


def test_an_order_saved_while_paging_hides_no_other() -> None:
    """Page numbers over a moving sort key lose the row that slips onto a page already read."""
    shop = Shop(cap=10)
    shop.orders = [order(n, START + timedelta(minutes=n)) for n in range(1, 41)]
    link, _ = scripted_link(shop)

    first = poll(link, cursor_at(START))
    shop.orders[2] = order(3, START + timedelta(hours=2))
    items, _, _ = poll_round(link, first.cursor)

    seen = {*hints(list(first.items)), *hints(items)}
    assert seen == {f"order:{n}" for n in range(1, 41)}


def test_an_order_saved_in_the_second_of_the_cursor_is_found_by_the_overlap() -> None:
    shop = Shop()
    shop.orders = [order(1, START)]
    link, _ = scripted_link(shop)
    _, cursor, _ = poll_round(link, cursor_at(START))

    shop.orders.append(order(2, START))
    items, _, _ = poll_round(link, cursor)

    assert "order:2" in hints(items)


def test_what_did_not_change_keeps_its_delivery_key_and_what_did_does_not() -> None:
    shop = Shop()
    shop.orders = [order(1, START, total="5.00"), order(2, START, total="5.00")]
    link, _ = scripted_link(shop)
    before, cursor, _ = poll_round(link, cursor_at(START))

    shop.orders[1]["total"] = "6.00"  # changed within the same second
    after, _, _ = poll_round(link, cursor)

    keys = {item.hint_key: item.delivery_key for item in before}
    again = {item.hint_key: item.delivery_key for item in after}
    assert again["order:1"] == keys["order:1"]
    assert again["order:2"] != keys["order:2"]


def test_a_shop_without_the_refunds_route_is_polled_by_orders_alone() -> None:
    shop = Shop(has_refunds=False)
    shop.orders = [order(1, START)]
    link, _ = scripted_link(shop)
    items, cursor, _ = poll_round(link, cursor_at(START))
    assert hints(items) == ["order:1"]
    assert json.loads(cursor)["refunds_top"] == stamp(START)


def test_another_refusal_of_the_refunds_route_is_an_error() -> None:
    shop = Shop()

    def respond(method: str, path: str, params: Any, body: Any) -> Answer:
        if path == "/refunds":
            return answered(400, {"code": "rest_invalid_param", "message": "", "data": {"status": 400}})
        return shop(method, path, params, body)

    link, _ = scripted_link(respond)
    with pytest.raises(Rejected):
        poll_round(link, cursor_at(START))


def test_a_round_goes_on_where_it_was_left() -> None:
    shop = Shop(cap=10)
    shop.orders = [order(n, START + timedelta(seconds=n)) for n in range(1, 26)]
    link, asked = scripted_link(shop)
    first = poll(link, cursor_at(START))
    asked.clear()

    poll(link, first.cursor)

    assert asked[0][2]["modified_after"] == stamp(START + timedelta(seconds=9))
    assert first.is_last is False


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"orders_top": 5}', '{"orders_top": "x", "refunds_top": "y"}']
)
def test_an_unreadable_cursor_starts_afresh(text: str) -> None:
    assert parse_cursor(text, now=NOW).orders_top == NOW


def test_the_content_hash_leaves_links_out() -> None:
    assert content_hash({"id": 1, "_links": {"self": 1}}) == content_hash({"id": 1})
    assert content_hash({"id": 1}) != content_hash({"id": 2})
