"""check_connection: what is wrong and what to do, in words; nothing is changed in the shop."""

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.ports import Answer, CheckLine
from connectors.woocommerce.checks import check
from connectors.woocommerce.webhooks import TOPICS
from tests.connectors.woocommerce.recordings import answer_of
from tests.connectors.woocommerce.scripted import NOW, answered, page, scripted_link

HOOK_URL = "https://ops.example/webhooks/shop/"
DATE = format_datetime(NOW, usegmt=True)


class Shop:
    """A shop in good order, to be spoilt by a test."""

    def __init__(self) -> None:
        self.orders: list[Any] = [answer_of("orders/get_order")]
        self.date = DATE
        self.write = answered(400, {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID."})
        self.hooks = [
            {"id": n, "name": f"returnsops {topic}", "topic": topic, "status": "active", "delivery_url": HOOK_URL}
            for n, topic in enumerate(TOPICS)
        ]

    def __call__(self, method: str, path: str, params: Any, body: Any) -> Answer:
        if method == "PUT":
            assert (path, body) == ("/orders/0", {})
            return self.write
        if path == "/webhooks":
            return answered(200, self.hooks, x_wp_total=str(len(self.hooks)), x_wp_totalpages="1")
        return answered(200, self.orders, date=self.date)


def lines_of(shop: Any, **changes: Any) -> dict[str, CheckLine]:
    link, _ = scripted_link(shop, **({"time_zone": "Europe/Madrid", "webhook_url": HOOK_URL} | changes))
    return {line.name: line for line in check(link)}


def test_a_shop_in_good_order() -> None:
    lines = lines_of(Shop())
    assert [line for line in lines.values() if not line.is_ok] == []
    assert list(lines)[:6] == ["address", "credentials", "write permission", "clock", "time zone", "price digits"]
    assert [name for name in lines if name.startswith("webhook ")] == [f"webhook {topic}" for topic in TOPICS]


def test_plain_http_ends_the_check() -> None:
    lines = lines_of(Shop(), base_url="http://shop.example")
    assert list(lines) == ["address"]
    assert "https://" in lines["address"].text


def test_a_key_without_rights() -> None:
    refused = answered(401, {"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 401}})
    lines = lines_of(lambda *_: refused)
    assert lines["credentials"].is_ok is False
    assert "Settings > Advanced > REST API" in lines["credentials"].fix


def test_an_address_that_is_no_shop() -> None:
    assert "base_url" in lines_of(lambda *_: page(404))["credentials"].fix


def test_a_read_only_key() -> None:
    shop = Shop()
    shop.write = answered(401, answer_of("auth/read_only_key_write"))
    line = lines_of(shop)["write permission"]
    assert (line.is_ok, "Read/Write" in line.fix) == (False, True)


def test_clocks_that_differ() -> None:
    shop = Shop()
    shop.date = format_datetime(NOW - timedelta(minutes=3), usegmt=True)
    line = lines_of(shop)["clock"]
    assert (line.is_ok, line.text) == (False, "The clocks differ by 180 s.")


@pytest.mark.parametrize(("zone", "is_ok"), [("Europe/Madrid", True), ("UTC", False), ("Europe/Nowhere", False)])
def test_the_time_zone(zone: str, is_ok: bool) -> None:
    assert lines_of(Shop(), time_zone=zone)["time zone"].is_ok is is_ok


def test_a_shop_that_rounds_away_cents() -> None:
    shop = Shop()
    shop.orders[0]["total"] = "120"
    line = lines_of(shop)["price digits"]
    assert (line.is_ok, line.text) == (False, "The shop keeps 0 decimals, EUR has 2.")


def test_a_shop_without_orders_yet() -> None:
    shop = Shop()
    shop.orders = []
    assert all(line.is_ok for line in lines_of(shop).values())


def test_webhooks_missing_and_switched_off() -> None:
    shop = Shop()
    shop.hooks[1]["status"] = "disabled"
    del shop.hooks[3]
    lines = lines_of(shop)
    assert (lines["webhook order.updated"].is_ok, lines["webhook order.updated"].text) == (
        False,
        "switched off by the shop",
    )
    assert lines[f"webhook {TOPICS[3]}"].text == "missing"


def test_a_webhook_that_delivers_to_another_address_is_none_of_ours() -> None:
    shop = Shop()
    shop.hooks[0]["delivery_url"] = "https://test.example/webhooks/shop/?key=hush"
    line = lines_of(shop)[f"webhook {TOPICS[0]}"]
    assert (line.is_ok, line.text) == (
        False,
        f"missing: it delivers to https://test.example/webhooks/shop/, our address (PUBLIC_URL) is {HOOK_URL}",
    )
    assert lines_of(shop)[f"webhook {TOPICS[1]}"].is_ok
