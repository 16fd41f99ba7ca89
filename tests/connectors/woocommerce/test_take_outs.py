"""Taking units out of stock: what is written into the order, and what a look-up makes of it."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.ports import Answer, Found, Intent, OutcomeUnknown, Rejected
from connectors.woocommerce import take_outs
from tests.connectors.woocommerce.intents import restock_intent
from tests.connectors.woocommerce.recordings import answer_of
from tests.connectors.woocommerce.scripted import NOW, Request, answered, page, scripted_link

KEY = "reverse:restock:reveni/ret-1:item-1:1"


def intent(**changes: Any) -> Intent:
    found = restock_intent("18", line_id="1", quantity=1, planned_at=NOW, key=KEY, product_id="10", variation_id="")
    return replace(found, kind="take_out", **changes)


class Shop:
    """Recorded order 18 and product 10 with 5 in stock; answers to writes may be scripted."""

    def __init__(self) -> None:
        self.order = answer_of("orders/get_order") | {"meta_data": []}
        self.stock = 5
        self.answers: list[Answer] = []
        self.is_marking = True

    def __call__(self, method: str, path: str, params: Any, body: Any) -> Answer:
        if method == "GET" and path == "/products/10":
            return answered(200, {"id": 10, "manage_stock": True, "stock_quantity": self.stock})
        if path == "/products/10":
            return self._lower(body)
        if method == "PUT":
            if not self.is_marking:
                return page(502)
            kept = [entry for entry in self.order["meta_data"] if entry["key"] != body["meta_data"][0]["key"]]
            self.order["meta_data"] = [*kept, *body["meta_data"]]
        return answered(200, self.order)

    def _lower(self, body: Any) -> Answer:
        if self.answers:
            return self.answers.pop(0)
        self.stock += body["inventory_delta"]
        return answered(200, {"id": 10, "stock_quantity": self.stock})

    def book(self) -> list[str]:
        return [entry["value"] for entry in self.order["meta_data"]]


def sent_to(shop: Shop, **changes: Any) -> tuple[Any, list[Request]]:
    link, asked = scripted_link(shop)
    one = intent(**changes)
    return take_outs.send(link, one, take_outs.look_up(link, one)), asked


def found(shop: Shop, **changes: Any) -> Found:
    link, _ = scripted_link(shop)
    return take_outs.look_up(link, intent(**changes)).found


def test_the_book_is_opened_the_stock_lowered_and_the_book_closed() -> None:
    shop = Shop()
    sent, asked = sent_to(shop)
    key = "_returnsops_take_out_" + sent.remote_id.rpartition("_")[2]
    assert [(method, path, body) for method, path, _, body in asked if method != "GET"] == [
        ("PUT", "/orders/18", {"meta_data": [{"key": key, "value": f"begun 5 {KEY}"}]}),
        ("PUT", "/products/10", {"inventory_delta": -1}),
        ("PUT", "/orders/18", {"meta_data": [{"key": key, "value": f"done 5->4 {KEY}"}]}),
    ]
    assert sent.evidence == {"stock_before": 5, "stock_after": 4, "quantity": 1}
    assert found(shop) is Found.COMPLETE
    assert found(shop, remote_key=f"{KEY}#2", earlier_remote_keys=(KEY,)) is Found.COMPLETE


def test_a_definite_refusal_is_written_down_and_may_be_tried_again() -> None:
    shop = Shop()
    shop.answers = [answered(400, {"code": "rest_invalid_param", "message": "no", "data": {"status": 400}})]
    with pytest.raises(Rejected):
        sent_to(shop)
    assert shop.book() == [f"refused 5 {KEY}"]
    assert found(shop) is Found.ABSENT


def test_an_opened_book_that_was_not_closed_is_ambiguous_and_shows_the_stock() -> None:
    shop = Shop()
    shop.answers = [page(502)]
    with pytest.raises(OutcomeUnknown):
        sent_to(shop)
    link, _ = scripted_link(shop)
    lookup = take_outs.look_up(link, intent())
    assert lookup.found is Found.AMBIGUOUS
    assert lookup.evidence == {"stock_before": "5", "stock_now": 5}
    assert found(shop, remote_key=f"{KEY}#2", earlier_remote_keys=(KEY,)) is Found.ABSENT


def test_nothing_moves_where_the_book_cannot_be_opened() -> None:
    shop = Shop()
    shop.is_marking = False
    with pytest.raises(OutcomeUnknown, match="could not be written"):
        sent_to(shop)
    assert shop.stock == 5


def test_fewer_in_stock_than_to_be_taken_out_is_refused_before_anything_is_written() -> None:
    shop = Shop()
    shop.stock = 0
    with pytest.raises(Rejected) as refusal:
        sent_to(shop)
    assert (refusal.value.code, shop.book()) == ("sold_meanwhile", [])
