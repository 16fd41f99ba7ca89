"""How dates and lists of a query are read (woocommerce-observed.md section 3)."""

import json
from datetime import timedelta

import pytest

from tests.connectors.simulators.woocommerce.recorded import FOLDER
from tests.connectors.simulators.woocommerce.woo_client import START, Setting, new_setting

ASKED = "2026-11-20T21:05:00"
QUERIES = {
    "naive": {"modified_after": ASKED},
    "naive+dates_are_gmt": {"modified_after": ASKED, "dates_are_gmt": "true"},
    "Z": {"modified_after": f"{ASKED}Z"},
    "Z+dates_are_gmt": {"modified_after": f"{ASKED}Z", "dates_are_gmt": "true"},
}
TABLE = json.loads((FOLDER / "orders" / "_modified_after_by_timezone.json").read_text())["by_shop_timezone"]


@pytest.mark.parametrize("zone", TABLE)
def test_modified_after_is_read_as_recorded_in_every_time_zone(zone: str) -> None:
    """11 orders before the instant and 24 after it, all within half an hour of it."""
    setting = new_setting(timezone=zone)
    for _ in range(11):
        setting.order(1)
    setting.clock.advance(600)
    for _ in range(24):
        setting.order(1)
    seen = {name: int(setting.call("GET", "orders", **query).headers["X-WP-Total"]) for name, query in QUERIES.items()}
    assert seen == TABLE[zone]


def modified_after(setting: Setting, seconds: int) -> int:
    asked = (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return len(setting.call("GET", "orders", modified_after=asked, dates_are_gmt="true").json())


def test_it_is_strictly_after_with_a_resolution_of_one_second() -> None:
    setting = new_setting()
    setting.clock.advance(0.9)
    setting.order()
    assert (modified_after(setting, -1), modified_after(setting, 0)) == (1, 0)


def test_lists_are_of_ten_and_follow_their_pages() -> None:
    setting = new_setting()
    ids = [setting.order(1).id for _ in range(12)]
    first = setting.call("GET", "orders", order="asc")
    second = setting.call("GET", "orders", order="asc", page=2)
    assert [order["id"] for order in first.json()] == ids[:10]
    assert [order["id"] for order in second.json()] == ids[10:]
    assert (first.headers["X-WP-Total"], first.headers["X-WP-TotalPages"]) == ("12", "2")
    assert 'page=2>; rel="next"' in first.headers["Link"]
    assert 'rel="next"' not in second.headers["Link"]


def test_filters_of_orders() -> None:
    setting = new_setting()
    first = setting.order(1, email="one@example.test", customer_id=7)
    second = setting.order(1, parent_id=first.id, created_via="returnsops", is_paid=False)

    def found(**query: str | int) -> list[int]:
        return [order["id"] for order in setting.call("GET", "orders", **query).json()]

    assert found(parent=first.id) == [second.id]
    assert found(created_via="returnsops") == [second.id]
    assert found(customer=7) == [first.id]
    assert found(search="one@example") == [first.id]
    assert found(status="pending,on-hold") == [second.id]
    assert found(include=f"{first.id},99") == [first.id]
    assert found(exclude=first.id) == [second.id]
    assert found(product=setting.shirt.id) == [second.id, first.id]
    assert found(meta_key="x", meta_value="y") == [second.id, first.id]
    assert setting.call("GET", "orders", _fields="id,status").json()[0] == {"id": second.id, "status": "pending"}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"per_page": "0"}, "per_page"),
        ({"per_page": "x"}, "per_page"),
        ({"page": "0"}, "page"),
        ({"order": "up"}, "order"),
        ({"status": "lost"}, "status[0]"),
        ({"include": "a"}, "include[0]"),
        ({"modified_after": "2026-11-20"}, "modified_after"),
        ({"modified_after": ASKED, "dates_are_gmt": "maybe"}, "dates_are_gmt"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(query: dict[str, str], parameter: str) -> None:
    answer = new_setting().call("GET", "orders", **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_param")
    assert list(answer.json()["data"]["params"]) == [parameter]
