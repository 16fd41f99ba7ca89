"""Restocks: the exact request, what is refused before, and what a look-up makes of it."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from connectors.ports import Answer, Found, Lookup, OutcomeUnknown, Rejected
from connectors.woocommerce import restocks
from tests.connectors.woocommerce.intents import restock_intent
from tests.connectors.woocommerce.recordings import answer_of
from tests.connectors.woocommerce.scripted import NOW, Request, answered, page, scripted_link

KEY = "restock:reveni/ret-1:item-1:1"


class Shop:
    """Recorded order 18 (3 shirts on line 1), whose stock moves unless ``is_moving`` is off."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.order = answer_of("orders/get_order")
        self.records = list(records)
        self.products: dict[str, Answer] = {
            "/products/10": answered(200, {"id": 10, "manage_stock": True, "stock_quantity": 47})
        }
        self.is_moving = True
        self.is_readable_after = True

    def __call__(self, method: str, path: str, params: Any, body: Any) -> Answer:
        if path == "/products":
            return answered(200, [], x_wp_total="0", x_wp_totalpages="0")
        if path.startswith("/products/"):
            gone = answered(404, {"code": "woocommerce_rest_product_invalid_id", "message": "", "data": {}})
            return self.products.get(path, gone)
        if method == "POST":
            return self._restock(body)
        if self.records and not self.is_readable_after:
            return page(503)
        if path == "/orders/18/refunds":
            return answered(200, self.records, x_wp_total=str(len(self.records)), x_wp_totalpages="1")
        return answered(200, self.order)

    def reduced(self, value: str | None) -> None:
        self.order["line_items"][0]["meta_data"] = [] if value is None else [{"key": "_reduced_stock", "value": value}]

    def _restock(self, body: Any) -> Answer:
        if self.is_moving:
            self.reduced("2")
        self.records.append(record(60, meta_data=body["meta_data"]))
        return answered(201, self.records[-1])


def record(number: int, *, key: str = "", quantity: int = 1, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = deepcopy(answer_of("stock/zero_money_refund_restocks_one"))
    row["line_items"][0] |= {"quantity": -quantity, "meta_data": [{"key": "_refunded_item_id", "value": "1"}]}
    meta = [{"key": "_returnsops_key", "value": key}] if key else []
    created = (NOW - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    return row | {"id": number, "meta_data": meta, "date_created_gmt": created, **more}


def sent_to(shop: Shop, **changes: Any) -> tuple[Any, list[Request]]:
    link, asked = scripted_link(shop)
    intent = restock_intent("18", line_id="1", quantity=1, planned_at=NOW - timedelta(minutes=5), **changes)
    return restocks.send(link, intent, restocks.look_up(link, intent)), asked


def looked_up(shop: Shop, **changes: Any) -> Lookup:
    link, _ = scripted_link(shop)
    planned_at = NOW - timedelta(minutes=5)
    return restocks.look_up(link, restock_intent("18", line_id="1", quantity=1, planned_at=planned_at, **changes))


def test_the_exact_request_and_what_was_seen_of_it() -> None:
    sent, asked = sent_to(Shop())

    assert [body for method, _, _, body in asked if method == "POST"] == [
        {
            "amount": "0",
            "reason": f"{KEY} restock",
            "api_refund": False,
            "api_restock": True,
            "line_items": [
                {"id": 1, "quantity": 1, "refund_total": "0", "refund_tax": [{"id": 1, "refund_total": "0"}]}
            ],
            "meta_data": [
                {"key": "_returnsops_key", "value": KEY},
                {"key": "_returnsops_rma", "value": "RMA-77"},
            ],
        }
    ]
    assert sent.remote_id == "60"
    assert sent.evidence == {
        "refund_id": "60",
        "quantity": 1,
        "stock_before": 47,
        "reduced_stock_before": 3,
        "read_back": "reduced stock 3 -> 2",
    }


def refused(shop: Shop, **changes: Any) -> Rejected:
    link, asked = scripted_link(shop)
    intent = restock_intent("18", line_id="1", quantity=1, planned_at=NOW, **changes)
    with pytest.raises(Rejected) as refusal:
        restocks.send(link, intent, restocks.look_up(link, intent))
    assert [method for method, _, _, _ in asked if method == "POST"] == []
    return refusal.value


@pytest.mark.parametrize("reduced", [None, "0", "-1", "x"])
def test_a_line_of_which_nothing_is_out_of_stock(reduced: str | None) -> None:
    shop = Shop()
    shop.reduced(reduced)
    refusal = refused(shop)
    assert refusal.code == "restock_impossible"
    assert "will not put 1 back" in refusal.text


@pytest.mark.parametrize("managed", [False, None, "parent"])
def test_a_product_whose_stock_is_not_managed(managed: Any) -> None:
    shop = Shop()
    shop.products["/products/10"] = answered(200, {"id": 10, "manage_stock": managed})
    refusal = refused(shop)
    assert (refusal.code, "does not manage the stock of Linen shirt" in refusal.text) == ("restock_impossible", True)


def test_an_order_in_the_bin_is_left_alone() -> None:
    shop = Shop()
    shop.order["status"] = "trash"
    assert refused(shop).code == "order_gone"


def test_a_product_that_is_gone() -> None:
    shop = Shop()
    shop.products.clear()
    assert refused(shop).text == "The product Linen shirt no longer exists in the shop."


def test_a_line_whose_product_changed_since_it_was_planned() -> None:
    assert refused(Shop(), product_id="11").code == "restock_impossible"


def test_a_variation_whose_stock_is_kept_on_the_parent() -> None:
    shop = Shop()
    shop.order["line_items"][0]["variation_id"] = 15
    shop.products["/products/10/variations/15"] = answered(200, {"id": 15, "manage_stock": "parent"})
    sent, _ = sent_to(shop, variation_id="15")
    assert sent.evidence["stock_before"] == 47


def test_a_record_without_movement_is_unknown_and_then_ambiguous() -> None:
    shop = Shop()
    shop.is_moving = False
    with pytest.raises(OutcomeUnknown, match="did not move"):
        sent_to(shop)
    found = looked_up(shop)
    assert found.found is Found.AMBIGUOUS
    assert found.text == "The restock is recorded, but the shop put nothing back into stock (record 60 of order 18)."


def test_a_failing_read_back_does_not_undo_the_answer() -> None:
    shop = Shop()
    shop.is_readable_after = False
    sent, _ = sent_to(shop)
    assert (sent.remote_id, sent.evidence["read_back"]) == ("60", "not read: Retryable")


def test_looking_up() -> None:
    assert looked_up(Shop()).found is Found.ABSENT
    shop = Shop(record(60, key=KEY))
    shop.reduced("2")
    found = looked_up(shop)
    assert (found.found, found.remote_id, found.evidence["reduced_stock"]) == (Found.COMPLETE, "60", 2)


@pytest.mark.parametrize(
    "rows",
    [
        [record(60, key=KEY), record(61, key=KEY)],
        [record(60, key=KEY, quantity=2)],
        [record(60, key=KEY, amount="5.00")],
        [record(60)],
    ],
    ids=["two", "other quantity", "with money", "twin without key"],
)
def test_what_is_for_a_person(rows: list[dict[str, Any]]) -> None:
    shop = Shop(*rows)
    shop.reduced("1")
    assert looked_up(shop).found is Found.AMBIGUOUS


def test_a_line_that_lost_its_mark_after_all_went_back() -> None:
    shop = Shop(record(60, key=KEY))
    shop.reduced(None)
    assert looked_up(shop).found is Found.COMPLETE
