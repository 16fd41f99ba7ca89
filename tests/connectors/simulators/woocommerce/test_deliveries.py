"""Webhooks: what fires, what is sent, when it stops (woocommerce-observed.md section 7)."""

import json
from collections import Counter as Count
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connectors.simulators.base import WebhookFault
from connectors.simulators.woocommerce.deliveries import signature
from connectors.simulators.wsgi_transport import mounted_session
from tests.connectors.simulators.woocommerce.recorded import FOLDER
from tests.connectors.simulators.woocommerce.woo_client import Setting, new_setting

TOPICS = (
    "order.created",
    "order.updated",
    "order.deleted",
    "product.updated",
    "action.woocommerce_order_refunded",
    "action.woocommerce_refund_created",
    "action.woocommerce_order_status_changed",
)


class Receiver:
    """Keeps what arrives and answers as told."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[tuple[dict[str, str], bytes]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Take one delivery."""
        request = Request(environ)
        self.requests.append((dict(request.headers), request.get_data()))
        return Response(status=self.status)(environ, start_response)

    def topics(self) -> dict[str, int]:
        """How many came per topic since the last look."""
        found = Count(headers["X-Wc-Webhook-Topic"] for headers, _ in self.requests)
        self.requests.clear()
        return dict(found)


def listening(*topics: str) -> tuple[Setting, Receiver]:
    setting, receiver = new_setting(), Receiver()
    setting.shop.webhooks.session = mounted_session(receiver, "http://in.test")
    for topic in topics:
        body = {"name": topic, "topic": topic, "delivery_url": "http://in.test/hook", "secret": "s3cret"}
        assert setting.call("POST", "webhooks", body).status_code == 201
    receiver.requests.clear()
    return setting, receiver


def refund_body(setting: Setting, order_id: int) -> dict[str, Any]:
    line = setting.shop.state.orders[order_id].items[0].id
    entry = {"id": line, "quantity": 1, "refund_total": 24.99, "refund_tax": [{"id": 1, "refund_total": 5.25}]}
    return {"api_refund": False, "line_items": [entry]}


def put(body: dict[str, Any]) -> Callable[[Setting, int], Any]:
    return lambda setting, order_id: setting.call("PUT", f"orders/{order_id}", body)


CHANGES: dict[str, Callable[[Setting, int], Any]] = {
    "status_to_completed": put({"status": "completed"}),
    "meta_data_only": put({"meta_data": [{"key": "returnsops_case", "value": "C-1"}]}),
    "same_status_again_no_real_change": put({"status": "completed"}),
    "empty_put": put({}),
    "order_note": lambda setting, order_id: setting.call("POST", f"orders/{order_id}/notes", {"note": "x"}),
    "partial_refund_by_line": lambda setting, order_id: setting.call(
        "POST", f"orders/{order_id}/refunds", refund_body(setting, order_id)
    ),
    "failed_api_refund": lambda setting, order_id: setting.call("POST", f"orders/{order_id}/refunds", {"amount": "1"}),
    "full_remaining_refund": lambda setting, order_id: setting.call(
        "POST", f"orders/{order_id}/refunds", {"amount": "60.47", "api_refund": False}
    ),
}


def test_one_call_causes_the_recorded_deliveries() -> None:
    recorded = json.loads((FOLDER / "webhooks" / "_summary_deliveries_per_change.json").read_text())["changes"]
    setting, receiver = listening(*TOPICS)
    body = {"payment_method": "bacs", "set_paid": True, "line_items": [{"product_id": setting.shirt.id, "quantity": 3}]}
    order_id = setting.call("POST", "orders", body).json()["id"]
    setting.shop.webhooks.deliver_pending()
    seen = {"create_paid_order": receiver.topics()}
    for name, change in CHANGES.items():
        change(setting, order_id)
        setting.shop.webhooks.deliver_pending()
        seen[name] = receiver.topics()
    assert seen == {name: recorded[name]["by_topic"] for name in seen}


def test_cancelling_trashing_and_stock_cause_the_recorded_deliveries() -> None:
    recorded = json.loads((FOLDER / "webhooks" / "_summary_deliveries_per_change.json").read_text())["changes"]
    setting, receiver = listening(*TOPICS)
    first, second = setting.order(), setting.order()
    setting.shop.webhooks.deliver_pending()
    receiver.requests.clear()
    changes: dict[str, Callable[[], Any]] = {
        "two_changes_same_order_before_the_queue_runs": lambda: [
            setting.call("PUT", f"orders/{first.id}", {"status": status}) for status in ("on-hold", "processing")
        ],
        "two_orders_changed_before_the_queue_runs": lambda: [
            setting.call("PUT", f"orders/{order.id}", {"status": "completed"}) for order in (first, second)
        ],
        "simple_product_stock_put": lambda: setting.call("PUT", f"products/{setting.shirt.id}", {"stock_quantity": 60}),
        "cancel_order": lambda: setting.call("PUT", f"orders/{first.id}", {"status": "cancelled"}),
        "trash_order": lambda: setting.call("DELETE", f"orders/{first.id}"),
    }
    seen = {}
    for name, change in changes.items():
        change()
        setting.shop.webhooks.deliver_pending()
        seen[name] = receiver.topics()
    assert seen == {name: recorded[name]["by_topic"] for name in changes}
    refund = setting.shop.staff_refund(second.id, Decimal("1.00"))
    setting.shop.webhooks.deliver_pending()
    receiver.requests.clear()
    setting.call("DELETE", f"orders/{second.id}/refunds/{refund.id}")
    setting.shop.webhooks.deliver_pending()
    assert receiver.topics() == recorded["delete_refund"]["by_topic"] == {}


def test_a_delivery_has_the_recorded_headers_and_a_signature_over_the_raw_body() -> None:
    recorded = json.loads((FOLDER / "webhooks" / "received_create_paid_order.json").read_text())[1]
    setting, receiver = listening("order.updated")
    setting.order()
    setting.shop.webhooks.deliver_pending()
    ((headers, body),) = receiver.requests
    theirs = dict(recorded["headers"])
    fixed = ("User-Agent", "Content-Type", "X-WC-Webhook-Topic", "X-WC-Webhook-Resource", "X-WC-Webhook-Event")
    assert [headers[name.title()] for name in fixed] == [theirs[name] for name in fixed]
    assert headers["X-Wc-Webhook-Source"] == "https://shop.test/"
    assert headers["X-Wc-Webhook-Id"] == "1"
    assert len(headers["X-Wc-Webhook-Delivery-Id"]) == len(theirs["X-WC-Webhook-Delivery-ID"])
    assert headers["X-Wc-Webhook-Signature"] == signature("s3cret", body)
    assert json.loads(body).keys() == json.loads(recorded["body"]).keys()
    assert b"\\/wp-json\\/" in body


@pytest.mark.parametrize("path", sorted(FOLDER.glob("webhooks/received_*.json")), ids=lambda path: str(path.stem))
def test_recorded_signatures_are_what_the_simulator_computes(path: Any) -> None:
    for delivery in json.loads(path.read_text()):
        headers = dict(delivery["headers"])
        if "X-WC-Webhook-Signature" in headers:
            assert signature("s3cret", delivery["body"].encode()) == headers["X-WC-Webhook-Signature"]


def test_creation_pings_without_signature_and_succeeds_whatever_is_answered() -> None:
    setting, receiver = listening()
    receiver.status = 500
    body = {"name": "x", "topic": "order.updated", "delivery_url": "http://in.test/hook"}
    created = setting.call("POST", "webhooks", body)
    assert created.status_code == 201
    assert "secret" not in created.json()
    ((headers, raw),) = receiver.requests
    assert raw == b"webhook_id=1"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert not [name for name in headers if name.startswith("X-Wc")]
    setting.call("PUT", "webhooks/1", {"status": "active"})
    assert len(receiver.requests) == 1


def test_two_orders_of_one_second_share_a_delivery_id() -> None:
    setting, receiver = listening("order.updated")
    for _ in range(2):
        setting.order()
    setting.shop.webhooks.deliver_pending()
    setting.clock.advance(1)
    setting.order()
    setting.shop.webhooks.deliver_pending()
    ids = [headers["X-Wc-Webhook-Delivery-Id"] for headers, _ in receiver.requests]
    assert ids[0] == ids[1] != ids[2]
    assert receiver.requests[0][1] != receiver.requests[1][1]


def test_the_body_shows_the_moment_of_sending() -> None:
    setting, receiver = listening("order.created")
    order = setting.order()
    setting.call("PUT", f"orders/{order.id}", {"status": "completed"})
    setting.shop.webhooks.deliver_pending()
    assert json.loads(receiver.requests[0][1])["status"] == "completed"


def test_the_seventh_failure_in_a_row_disables_and_nothing_is_sent_again() -> None:
    history = json.loads((FOLDER / "webhooks" / "_failures_until_disabled.json").read_text())["history"]
    setting, receiver = listening("order.updated")
    order = setting.order()
    setting.shop.webhooks.deliver_pending()
    receiver.requests.clear()
    receiver.status = 500
    webhook = setting.shop.state.webhooks[1]
    for step in history:
        setting.call("PUT", f"orders/{order.id}", {})
        setting.shop.webhooks.deliver_pending()
        assert len(receiver.requests) == step["received_total"]
        assert (webhook.status, webhook.failure_count) == (step["status"], step["failure_count"])
    assert setting.call("GET", "webhooks/1").json()["status"] == "disabled"
    receiver.status = 200
    setting.call("PUT", "webhooks/1", {"status": "active"})
    assert webhook.failure_count == 0
    setting.call("PUT", f"orders/{order.id}", {})
    setting.shop.webhooks.deliver_pending()
    assert len(receiver.requests) == 8


def test_a_success_forgets_earlier_failures() -> None:
    setting, receiver = listening("order.updated")
    order = setting.order()
    for status in [500] * 6 + [302] + [500] * 6:
        receiver.status = status
        setting.call("PUT", f"orders/{order.id}", {})
        setting.shop.webhooks.deliver_pending()
    assert setting.shop.state.webhooks[1].status == "active"


def test_two_webhooks_on_one_topic_both_deliver() -> None:
    setting, receiver = listening("order.updated", "order.updated")
    setting.order()
    setting.shop.webhooks.deliver_pending()
    assert receiver.topics() == {"order.updated": 2}


def test_webhook_faults_apply_to_the_shop() -> None:
    setting, receiver = listening("order.updated")
    setting.shop.faults.script(WebhookFault(kind="duplicate"), WebhookFault(kind="drop"))
    setting.order()
    setting.order()
    setting.shop.webhooks.deliver_pending()
    assert len(receiver.requests) == 2
    assert receiver.requests[0] == receiver.requests[1]
