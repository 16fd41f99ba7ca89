"""From a number to an order, also where a plugin numbers orders its own way."""

from typing import Any

import pytest

from connectors.ports import Answer
from connectors.woocommerce.finding import PAGES, find_order
from tests.connectors.woocommerce.recordings import answer_of
from tests.connectors.woocommerce.scripted import answered, scripted_link

UNKNOWN = answered(404, {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID."})


def shop(*orders: dict[str, Any], pages: int = 1) -> Any:
    """A shop whose search answers all its orders, whatever was asked."""

    def respond(method: str, path: str, params: Any, body: Any) -> Answer:
        if path == "/orders":
            return answered(200, list(orders), x_wp_total=str(len(orders)), x_wp_totalpages=str(pages))
        found = [order for order in orders if path == f"/orders/{order['id']}"]
        return answered(200, found[0]) if found else UNKNOWN

    return scripted_link(respond)


def test_a_number_that_is_the_id_needs_one_call() -> None:
    link, asked = shop({"id": 18, "number": "18"})
    assert find_order(link, "18") == "18"
    assert [path for _, path, _, _ in asked] == ["/orders/18"]


def test_a_plugins_number_is_searched_for_and_compared_exactly() -> None:
    link, asked = shop({"id": 18, "number": "WEB-7"}, {"id": 19, "number": "WEB-70"})
    assert find_order(link, "WEB-7") == "18"
    assert asked[-1][2]["search"] == "WEB-7"


def test_an_id_that_carries_another_number_is_not_the_order() -> None:
    link, _ = shop({"id": 18, "number": "7"}, {"id": 7, "number": "70"})
    assert find_order(link, "7") == "18"
    assert find_order(link, "18") is None


@pytest.mark.parametrize("numbers", [[], ["WEB-8"], ["WEB-7", "WEB-7"], ["web-7"]])
def test_none_and_several_are_nothing(numbers: list[str]) -> None:
    link, _ = shop(*({"id": 20 + place, "number": number} for place, number in enumerate(numbers)))
    assert find_order(link, "WEB-7") is None


def test_a_search_without_end_is_not_followed() -> None:
    link, asked = shop({"id": 30, "number": "WEB-9"}, pages=500)
    assert find_order(link, "WEB-7") is None
    assert len([path for _, path, _, _ in asked if path == "/orders"]) == PAGES


def test_a_recorded_order_says_its_number_as_text() -> None:
    recorded = answer_of("orders/get_order")
    link, _ = shop(recorded)
    assert find_order(link, recorded["number"]) == str(recorded["id"])
