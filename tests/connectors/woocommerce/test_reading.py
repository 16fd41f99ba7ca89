"""Reading an order where the shop answers something else. Over HTTP: test_actions.py."""

from typing import Any

import pytest

from connectors.ports import Answer, Rejected, Retryable
from connectors.woocommerce.reading import read_order
from tests.connectors.woocommerce.recordings import answer_of
from tests.connectors.woocommerce.scripted import answered, scripted_link


def reading(order: Any, **changes: Any) -> Any:
    def respond(method: str, path: str, params: Any, body: Any) -> Answer:
        if path in ("/orders/18/refunds", "/products"):
            return answered(200, [], x_wp_total="0", x_wp_totalpages="0")
        return order if isinstance(order, Answer) else answered(200, order)

    link, asked = scripted_link(respond, **changes)
    return link, asked


@pytest.mark.parametrize("order", [[], {"id": 19}, {"status": "processing"}])
def test_an_answer_that_is_not_this_order_is_tried_again(order: Any) -> None:
    link, _ = reading(order)
    with pytest.raises(Retryable, match="not this order"):
        read_order(link, "18")


def test_a_wrong_address_is_not_an_unknown_order() -> None:
    """404 alone says nothing: the plugin may be off."""
    link, _ = reading(answered(404, answer_of("errors/unknown_route")))
    with pytest.raises(Rejected) as refusal:
        read_order(link, "18")
    assert refusal.value.code == "rest_no_route"


@pytest.mark.parametrize("total", ["12,50", "a lot", [1]])
def test_an_order_whose_amounts_are_no_numbers_says_so(total: Any) -> None:
    link, _ = reading(answer_of("orders/get_order") | {"total": total})
    with pytest.raises(Rejected, match="Open it in the shop") as refusal:
        read_order(link, "18")
    assert refusal.value.code == "unreadable_order"


def test_products_are_asked_for_once_and_only_those_on_the_order() -> None:
    link, asked = reading(answer_of("orders/get_order"))
    read_order(link, "18")
    assert [(path, params.get("include")) for _, path, params, _ in asked] == [
        ("/orders/18", None),
        ("/orders/18/refunds", None),
        ("/products", "10,11"),
    ]
