"""The past for an audit, the number a customer knows, and the catalogue by one bulk operation."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.ports import Answer, Link, Rejected, Retryable
from connectors.shopify import bulk
from connectors.shopify.catalogue import WAIT_S, read_catalogue
from connectors.shopify.finding import find_order
from connectors.shopify.history import list_orders
from connectors.shopify.reading import read_order
from returnsops.facts import OrderSnapshot
from tests.connectors.shopify.scripted import config
from tests.connectors.shopify.served import START, id_of, stage


@pytest.mark.requirement("S5-23")
def test_the_past_comes_whole_ten_orders_in_a_call() -> None:
    with stage() as own:
        own.place()
        own.clock.advance(3600)
        orders = [own.place(1) for _ in range(23)]
        own.refund(orders[0], "25.00", 1)
        since = START + timedelta(minutes=30)
        found: list[OrderSnapshot] = []
        cursor, calls = "", 0
        while cursor or not calls:
            page = list_orders(own.link, since, cursor)
            found += page.orders
            cursor, calls = page.cursor, calls + 1
        alone = read_order(own.link, id_of(orders[0]))
    assert (calls, len(found), {order.order_id for order in found}) == (3, 23, {id_of(order) for order in orders})
    assert next(order for order in found if order.order_id == id_of(orders[0])) == alone


def test_an_order_that_cannot_be_understood_costs_only_itself() -> None:
    with stage() as own:
        order, broken = own.place(1), own.place(1)
        made = [own.shop.staff_refund(broken, Decimal("0.01")) for _ in range(100)]
        made[-1].transaction_ids.clear()  # a payment that went back, and no refund says why
        page = list_orders(own.link, START, "")
    assert [found.order_id for found in page.orders] == [id_of(order)]
    assert broken.name in page.unreadable[0]


def test_an_order_is_found_by_its_exact_name_only() -> None:
    with stage() as own:
        order, other = own.place(), own.place()
        assert find_order(own.link, order.name) == id_of(order)
        assert find_order(own.link, order.name.removeprefix("#")) == id_of(order)
        assert find_order(own.link, "#9") is None
        before = len(own.asked())
        for bad in ("", '#1" OR name:"', "a\\b"):
            assert find_order(own.link, bad) is None
        assert len(own.asked()) == before
        own.shop.state.orders[other.id].name = order.name
        assert find_order(own.link, order.name) is None


def test_the_catalogue_takes_one_operation_and_one_file() -> None:
    with stage(bulk_duration_s=20) as own:
        own.shop.add_variant(
            own.shop.state.products[own.mug.product_id], sku="", price=Decimal(1), title="Blue", is_tracked=False
        )
        begun = read_catalogue(own.link, "")
        waiting = read_catalogue(own.link, begun.cursor)
        assert (begun.articles, waiting.articles) == ((), ())
        assert (waiting.cursor, waiting.wait_s) == (begun.cursor, WAIT_S)
        own.clock.advance(20)
        done = read_catalogue(own.link, waiting.cursor)
        assert own.asked() == ["BulkQuery", "BulkStatus", "BulkStatus"]
    assert done.cursor == ""
    assert [(a.sku, a.name, a.is_stock_managed) for a in sorted(done.articles, key=lambda a: a.name)] == [
        ("ABC-1", "Jacket", True),
        ("MUG-1", "Mug", True),
        ("", "Mug - Blue", False),
    ]
    assert {article.product_id.partition("Product/")[0] for article in done.articles} == {"gid://shopify/"}


def test_a_shop_that_runs_too_many_operations_is_read_by_pages() -> None:
    with stage(bulk_duration_s=3600) as own:
        for _ in range(5):
            bulk.start(own.link, "CatalogueBulk")
        for number in range(100):
            own.shop.add_product(f"P{number}", sku=f"P-{number}", price=Decimal(1))
        first = read_catalogue(own.link, "")
        assert (len(first.articles), first.cursor.partition(" ")[0]) == (100, "pages")
        second = read_catalogue(own.link, first.cursor)
    assert (len(second.articles), second.cursor) == (2, "")


def test_a_result_is_read_in_whole_lines_whatever_the_size_of_a_chunk() -> None:
    text = b"".join(b'{"id": "gid://shopify/ProductVariant/%d"}\n' % number for number in range(20))
    asked: list[str] = []

    def call(method: str, url: str, **given: Any) -> Answer:
        asked.append(given["headers"]["Range"])
        first, _, last = given["headers"]["Range"].removeprefix("bytes=").partition("-")
        body = text[int(first) : int(last) + 1]
        return Answer(status=206 if body else 416, headers={}, body=body, json=None)

    link = Link(config=config(), call=call, now=lambda: START)
    rows: list[Any] = []
    chunk = bulk.Chunk(rows=(), next_offset=0)
    while chunk.next_offset is not None:
        chunk = bulk.read(link, "https://files.example/1.jsonl", offset=chunk.next_offset, chunk_bytes=300)
        rows += chunk.rows
    assert rows == [{"id": f"gid://shopify/ProductVariant/{number}"} for number in range(20)]
    assert (asked[0], len(asked)) == ("bytes=0-299", 3)


def test_an_operation_that_ended_badly_has_no_result() -> None:
    with stage() as own:
        with pytest.raises(Rejected) as unknown:
            bulk.look(own.link, "gid://shopify/BulkOperation/1")
        assert unknown.value.code == "bulk_failed"
        bulk_id = bulk.start(own.link, "CatalogueBulk")
        state = bulk.look(own.link, bulk_id)
        with pytest.raises(Rejected):
            bulk.read(own.link, state.url.replace(".jsonl", "9.jsonl"))
        with pytest.raises(Rejected):
            bulk.read(own.link, "http://files.example/1.jsonl")
        with pytest.raises(Retryable):
            bulk._chunk(b"x" * 10, offset=0, is_end=False)
