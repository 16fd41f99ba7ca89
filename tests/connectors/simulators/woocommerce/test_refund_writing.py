"""Refunds: what the recordings cannot show, above all gateways and concurrency (sections 4 and 9)."""

from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
import requests

from connectors.simulators.base import Fault
from connectors.simulators.server import serve
from connectors.simulators.woocommerce import RefundLine
from tests.connectors.simulators.woocommerce.woo_client import Setting, new_setting

CANNOT = "woocommerce_rest_cannot_create_order_refund"


def refund(setting: Setting, order_id: int, **body: Any) -> requests.Response:
    return setting.call("POST", f"orders/{order_id}/refunds", body)


def restock(setting: Setting, order_id: int, quantity: int = 1) -> requests.Response:
    line = {"id": setting.shop.state.orders[order_id].items[0].id, "quantity": quantity, "refund_total": "0"}
    return refund(setting, order_id, amount="0", api_refund=False, line_items=[line | {"refund_tax": 0}])


def test_a_gateway_that_can_pays_once_per_refund() -> None:
    setting = new_setting()
    setting.shop.add_gateway("stripe", title="Card")
    order = setting.order(payment_method="stripe")
    answers = [refund(setting, order.id, amount="10.00") for _ in range(2)]
    assert [answer.json()["refunded_payment"] for answer in answers] == [True, True]
    assert [(p.order_id, p.amount, p.currency) for p in setting.shop.gateway_payouts] == [
        (order.id, Decimal("10.00"), "EUR")
    ] * 2


def test_api_refund_false_pays_nothing() -> None:
    setting = new_setting()
    setting.shop.add_gateway("stripe")
    order = setting.order(payment_method="stripe")
    assert refund(setting, order.id, amount="10.00", api_refund=False).json()["refunded_payment"] is False
    assert setting.shop.gateway_payouts == []


@pytest.mark.parametrize(("failure", "payouts"), [("declined", 0), ("paid_then_error", 1)])
def test_a_failing_gateway_leaves_no_record_though_it_may_have_paid(failure: str, payouts: int) -> None:
    setting = new_setting()
    setting.shop.add_gateway("stripe", failure=failure)
    order = setting.order(payment_method="stripe")
    answer = refund(setting, order.id, amount="10.00")
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (500, CANNOT, 500)
    assert setting.shop.refunds_of(order.id) == []
    assert len(setting.shop.gateway_payouts) == payouts
    setting.shop.add_gateway("stripe")
    assert refund(setting, order.id, amount="10.00").json()["id"] == order.id + 2  # the failed one burnt an id


def test_a_payout_that_fails_later_leaves_the_record_as_it_is() -> None:
    setting = new_setting()
    setting.shop.add_gateway("stripe")
    order = setting.order(payment_method="stripe")
    refund_id = refund(setting, order.id, amount="10.00").json()["id"]
    setting.shop.fail_payout_later(refund_id)
    assert setting.shop.gateway_payouts[0].has_failed_later is True
    assert setting.call("GET", f"orders/{order.id}/refunds/{refund_id}").json()["refunded_payment"] is True


def at_once(setting: Setting, order_id: int, count: int) -> list[int]:
    """Several identical full refunds whose checks all happen before the first write."""
    setting.shop.settings.has_refund_lock = False
    setting.shop.state.refund_pause = Barrier(count).wait
    found: list[int] = []
    body = {"amount": "60.48", "api_refund": False}

    def send() -> None:
        found.append(setting.call("POST", f"orders/{order_id}/refunds", body).status_code)

    threads = [Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return found


def test_concurrent_refunds_pass_the_check_together_where_the_lock_is_off() -> None:
    setting = new_setting()
    order = setting.order()
    assert at_once(setting, order.id, 4) == [201] * 4
    assert setting.shop.refunded_total(order.id) == Decimal("241.92")
    assert setting.call("GET", f"orders/{order.id}").json()["total"] == "60.48"


def test_one_after_the_other_they_do_not() -> None:
    setting = new_setting()
    order = setting.order()
    body = {"amount": "60.48", "api_refund": False}
    statuses = [setting.call("POST", f"orders/{order.id}/refunds", body).status_code for _ in range(4)]
    assert statuses == [201, 500, 500, 500]


def test_restocks_without_money_work_at_any_time_and_stop_at_exactly_zero() -> None:
    setting = new_setting()
    order = setting.order(2)
    assert setting.shop.stock_of(setting.shirt.id) == 98
    assert restock(setting, order.id).status_code == 201
    setting.shop.staff_refund(order.id, Decimal("60.48"))
    assert order.status == "refunded"
    stocks = []
    for _ in range(2):
        assert restock(setting, order.id).status_code == 201
        stocks.append(setting.shop.stock_of(setting.shirt.id))
    assert stocks == [100, 100]
    assert setting.shop.refunded_total(order.id) == Decimal("60.48")


def test_a_restock_is_no_cap() -> None:
    setting = new_setting()
    order = setting.order(2)
    restock(setting, order.id, quantity=5)
    assert setting.shop.stock_of(setting.shirt.id) == 103
    meta = setting.call("GET", f"orders/{order.id}").json()["line_items"][0]["meta_data"]
    assert [(entry["key"], entry["value"]) for entry in meta] == [
        ("_reduced_stock", "-3"),
        ("_restock_refunded_items", "5"),
    ]


def test_cancelling_puts_back_only_what_is_still_out() -> None:
    setting = new_setting()
    order = setting.order(3)
    restock(setting, order.id)
    assert setting.shop.stock_of(setting.shirt.id) == 98
    setting.call("PUT", f"orders/{order.id}", {"status": "cancelled"})
    assert setting.shop.stock_of(setting.shirt.id) == 100


def test_an_unpaid_order_never_took_stock_and_gives_none_back() -> None:
    setting = new_setting()
    order = setting.order(2, is_paid=False)
    assert restock(setting, order.id).status_code == 201
    assert setting.shop.stock_of(setting.shirt.id) == 100


def test_restocks_and_sales_at_once_lose_nothing() -> None:
    setting = new_setting()
    orders = [setting.order(1) for _ in range(8)]
    work = [Thread(target=restock, args=(setting, order.id)) for order in orders]
    work += [Thread(target=setting.order, args=(1,)) for _ in range(8)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(timeout=30)
    assert setting.shop.stock_of(setting.shirt.id) == 92


def test_a_line_list_with_one_entry_without_id_is_useless() -> None:
    setting = new_setting()
    order = setting.order()
    entries = [{"id": order.items[0].id, "quantity": 1, "refund_total": 5}, {"quantity": 1, "refund_total": 5}]
    made = refund(setting, order.id, amount="10.00", api_refund=False, line_items=entries).json()
    assert (made["amount"], made["line_items"]) == ("10.00", [])
    assert setting.shop.stock_of(setting.shirt.id) == 98


def test_unknown_orders_and_refunds_of_other_orders() -> None:
    setting = new_setting()
    first, second = setting.order(), setting.order()
    made = setting.shop.staff_refund(first.id, Decimal("1.00"))
    unknown = refund(setting, 999, amount="1.00", api_refund=False)
    assert (unknown.status_code, unknown.json()["data"]) == (500, 404)
    assert unknown.json()["code"] == "woocommerce_rest_invalid_order_id"
    other = setting.call("GET", f"orders/{second.id}/refunds/{made.id}")
    assert (other.status_code, other.json()["code"]) == (500, "woocommerce_rest_invalid_order_refund_id")


@pytest.mark.parametrize(("kind", "refunds"), [("lost_answer", 1), ("lost_request", 0), ("late_commit", 0)])
def test_over_tcp_the_caller_cannot_tell_what_happened(kind: str, refunds: int) -> None:
    setting = new_setting(is_https=True)
    order = setting.order()
    server = serve(setting.shop.app)
    setting.shop.faults.script(Fault(kind=kind, method="POST", path_pattern="/refunds$"))
    url = f"{server.url}/wp-json/wc/v3/orders/{order.id}/refunds"
    try:
        with pytest.raises(requests.ConnectionError):
            requests.post(url, json={"amount": "1.00", "api_refund": False}, auth=("ck", "cs"), timeout=10)
        assert len(requests.get(url, auth=("ck", "cs"), timeout=10).json()) == refunds
        setting.shop.app.release()
        found = len(requests.get(url, auth=("ck", "cs"), timeout=10).json())
        assert found == (1 if kind == "late_commit" else refunds)
    finally:
        server.stop()


def test_staff_may_refund_by_line_and_restock() -> None:
    setting = new_setting()
    order = setting.order(2)
    line = RefundLine(item_id=order.items[0].id, quantity=1, total=Decimal("24.99"), taxes={1: Decimal("5.25")})
    setting.shop.staff_refund(order.id, Decimal("30.24"), lines=[line], reason="goodwill", is_restocked=True)
    shown = setting.call("GET", f"orders/{order.id}/refunds").json()[0]
    assert (shown["amount"], shown["reason"], shown["line_items"][0]["total_tax"]) == ("30.24", "goodwill", "-5.25")
    assert setting.shop.stock_of(setting.shirt.id) == 99
    setting.shop.delete_refund(shown["id"])
    assert setting.call("GET", f"orders/{order.id}/refunds").json() == []
    assert setting.shop.stock_of(setting.shirt.id) == 99


@pytest.mark.parametrize("lines", ["text", [1], [{"quantity": 1}], []])
def test_a_line_list_of_the_wrong_shape_counts_as_none(lines: Any) -> None:
    setting = new_setting()
    made = refund(setting, setting.order().id, amount="1.00", api_refund=False, line_items=lines)
    assert (made.status_code, made.json()["line_items"]) == (201, [])


def test_a_quantity_that_is_no_whole_number_is_refused() -> None:
    setting = new_setting()
    order = setting.order()
    lines = [{"id": order.items[0].id, "quantity": "two", "refund_total": 1}]
    refused = refund(setting, order.id, api_refund=False, line_items=lines)
    assert (refused.status_code, refused.json()["code"]) == (400, "rest_invalid_param")
    assert setting.shop.refunds_of(order.id) == []
