"""The past of a shop: both streams to their end, refunds only where an order names any, one bad order costs itself."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.listing import OrdersPage
from connectors.ports import Answer, Link, Rejected
from connectors.woocommerce.history import list_orders
from tests.connectors.woocommerce.scripted import answered, scripted_link
from tests.connectors.woocommerce.test_polling import START, Shop, order, refund

SINCE = START - timedelta(days=180)


class PastShop(Shop):
    """Orders with totals, and the list of refunds of each."""

    def __call__(self, method: str, path: str, params: Any, body: Any) -> Answer:
        assert method == "GET"
        if path.startswith("/orders/"):
            order_id = int(path.split("/")[2])
            mine = [row for row in self.refunds if row["parent_id"] == order_id]
            return answered(200, mine, x_wp_total=str(len(mine)), x_wp_totalpages="1")
        return super().__call__(method, path, params, body)


def whole(link: Link) -> list[OrdersPage]:
    """Every page."""
    pages: list[OrdersPage] = []
    cursor = ""
    for _ in range(100):
        pages.append(list_orders(link, SINCE, cursor))
        cursor = pages[-1].cursor
        if not cursor:
            return pages
    raise AssertionError("the past does not end")


def sold(number: int, days: int, **more: Any) -> dict[str, Any]:
    """An order changed so many days ago."""
    return order(number, START - timedelta(days=days), total="30.00", currency="EUR", **more)


def test_orders_are_read_to_the_end_oldest_change_first_and_refunds_only_where_there_are_any() -> None:
    shop = PastShop(cap=3)
    shop.orders = [sold(number, days=number) for number in range(1, 11)]
    shop.orders[4]["refunds"] = [{"id": 90, "total": "-5.00"}]
    shop.refunds = [refund(90, 5, START - timedelta(days=5))]
    link, asked = scripted_link(shop)
    pages = whole(link)
    found = [read for page in pages for read in page.orders]
    assert list(dict.fromkeys(read.order_id for read in found)) == [str(number) for number in range(10, 0, -1)]
    (refunded,) = {read.order_id: read for read in found if read.refunds}.values()
    assert (refunded.order_id, [str(record.amount) for record in refunded.refunds]) == ("5", ["5.00"])
    assert {path for _, path, _, _ in asked if path.startswith("/orders/")} == {"/orders/5/refunds"}
    assert not any(path.startswith("/products") for _, path, _, _ in asked)
    assert [page.mentioned for page in pages if page.mentioned] == [("5",)]


def test_a_refund_whose_order_kept_its_date_names_the_order() -> None:
    shop = PastShop()
    shop.orders = [sold(7, days=400)]
    shop.refunds = [refund(91, 7, START - timedelta(days=2)), refund(92, 7, START), refund(93, 0, START)]
    pages = whole(scripted_link(shop)[0])
    assert [page.orders for page in pages] == [(), ()]
    assert pages[-1].mentioned == ("7",)


def test_an_older_shop_without_the_list_of_refunds_is_read_all_the_same() -> None:
    shop = PastShop(has_refunds=False)
    shop.orders = [sold(1, days=1)]
    pages = whole(scripted_link(shop)[0])
    assert [[read.order_id for read in page.orders] for page in pages] == [["1"], []]


def test_any_other_refusal_of_the_list_of_refunds_is_an_error() -> None:
    def refuse(method: str, path: str, params: Any, body: Any) -> Answer:
        if path == "/refunds":
            return answered(400, {"code": "rest_invalid_param", "message": "no", "data": {"status": 400}})
        return answered(200, [], x_wp_total="0", x_wp_totalpages="0")

    with pytest.raises(Rejected):
        whole(scripted_link(refuse)[0])


def test_an_order_that_cannot_be_understood_costs_only_itself() -> None:
    shop = PastShop()
    shop.orders = [sold(1, days=2), order(2, START, total="a lot", currency="EUR")]
    first = whole(scripted_link(shop)[0])[0]
    assert [read.order_id for read in first.orders] == ["1"]
    assert len(first.unreadable) == 1
    assert first.unreadable[0].startswith("Order 2 cannot be read: 'a lot' is not a decimal amount.")


def test_a_whole_page_within_one_second_goes_on_by_number() -> None:
    shop = PastShop(cap=2)
    shop.orders = [sold(number, days=3) for number in range(1, 6)]
    found = [read.order_id for page in whole(scripted_link(shop)[0]) for read in page.orders]
    assert sorted(set(found)) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("cursor", ["nonsense", "[]", '{"stream": "orders"}', '{"stream": "x", "after": 1, "page": 1}'])
def test_a_cursor_that_cannot_be_read_starts_anew(cursor: str) -> None:
    shop = PastShop()
    shop.orders = [sold(1, days=2)]
    link, asked = scripted_link(shop)
    assert [read.order_id for read in list_orders(link, SINCE, cursor).orders] == ["1"]
    assert asked[0][2]["modified_after"] == "2026-05-24T20:00:00"
