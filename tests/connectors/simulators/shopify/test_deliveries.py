"""Webhooks: signed over the raw body, one id through all retries, deleted after the eighth, doubled, late or lost."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connectors.simulators.base import WebhookFault, WebhookFaultKind
from connectors.simulators.wsgi_transport import mounted_session
from tests.connectors.simulators.shopify.asking import Bench, bench

HOOKS = "https://ops.example.com"
SUBSCRIBE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $given: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $given) {
    webhookSubscription { id topic uri format name apiVersion { handle } }
    userErrors { field message }
  }
}
"""
LIST = "query List { webhookSubscriptions(first: 10) { nodes { topic } } }"
DELETE = """mutation Delete($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }"""


@dataclass
class Receiver:
    """Keeps what it is sent and answers `status`."""

    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        self.got.append((dict(request.headers), request.get_data()))
        return Response("", status=self.status)(environ, start_response)

    def topics(self) -> list[str]:
        """Topics in the order they came."""
        return [headers["X-Shopify-Topic"] for headers, _ in self.got]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def own(receiver: Receiver) -> Bench:
    made = bench()
    made.shop.webhooks.session = mounted_session(receiver, HOOKS)
    return made


def subscribe(own: Bench, *topics: str, **given: Any) -> Any:
    for topic in topics:
        payload = own.data(SUBSCRIBE, topic=topic, given={"uri": f"{HOOKS}/shopify", **given})
    return payload["webhookSubscriptionCreate"]


def test_a_refund_is_told_with_its_transaction_and_its_order_signed_over_the_raw_body(
    own: Bench, receiver: Receiver
) -> None:
    subscribe(own, "ORDERS_UPDATED", "REFUNDS_CREATE", "ORDER_TRANSACTIONS_CREATE", name="returnsops")
    order = own.order()
    own.shop.webhooks.deliver_pending()
    receiver.got.clear()
    own.shop.staff_refund(order, Decimal("25.00"), lines={order.lines[0].id: 1}, note="by hand")
    own.shop.webhooks.deliver_pending()
    assert receiver.topics() == ["order_transactions/create", "refunds/create", "orders/updated"]
    headers, raw = receiver.got[1]
    secret = own.shop.state.access.client_secret
    expected = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    assert headers["X-Shopify-Hmac-Sha256"] == expected
    assert (headers["X-Shopify-Shop-Domain"], headers["X-Shopify-Api-Version"], headers["X-Shopify-Name"]) == (
        "returnsops-test.myshopify.com",
        "2026-07",
        "returnsops",
    )
    body = json.loads(raw)
    assert (body["order_id"], body["note"], body["refund_line_items"][0]["subtotal"]) == (order.id, "by hand", 25.0)
    assert body["transactions"][0]["amount"] == "25.00"
    assert json.loads(receiver.got[2][1])["financial_status"] == "partially_refunded"


def test_a_refused_delivery_comes_again_eight_times_with_the_same_id_then_the_subscription_is_gone(
    own: Bench, receiver: Receiver
) -> None:
    subscribe(own, "ORDERS_CREATE")
    receiver.status = 500
    own.order()
    for _ in range(20):
        own.shop.webhooks.deliver_pending()
        own.clock.advance(6000)
    assert len(receiver.got) == 9
    assert len({headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.got}) == 1
    assert len({raw for _, raw in receiver.got}) == 1
    assert own.data(LIST)["webhookSubscriptions"]["nodes"] == []
    assert own.shop.webhooks.pending() == []


def test_deliveries_are_doubled_reordered_late_and_lost(own: Bench, receiver: Receiver) -> None:
    subscribe(own, "ORDERS_CREATE", "ORDERS_UPDATED", "CUSTOMERS_UPDATE")
    own.shop.faults.script(
        WebhookFault(kind=WebhookFaultKind.DUPLICATE, topic_pattern="orders/create"),
        WebhookFault(kind=WebhookFaultKind.REORDERED, topic_pattern="orders/create"),
    )
    own.order()
    own.shop.cancel(own.order())
    own.shop.webhooks.deliver_pending()
    assert receiver.topics() == ["orders/create", "orders/create", "orders/updated", "orders/create"]
    assert receiver.got[0] == receiver.got[1]
    receiver.got.clear()
    own.shop.faults.script(
        WebhookFault(kind=WebhookFaultKind.LATE, topic_pattern="orders/create", delay_s=3600),
        WebhookFault(kind=WebhookFaultKind.DROP, topic_pattern="orders/create"),
    )
    own.order()
    own.order()
    own.shop.webhooks.deliver_pending()
    assert receiver.topics() == []
    own.clock.advance(3600)
    own.shop.webhooks.deliver_pending()
    assert receiver.topics() == ["orders/create"]


def test_an_address_is_subscribed_once_per_topic_and_must_be_https(own: Bench) -> None:
    made = subscribe(own, "ORDERS_CREATE")["webhookSubscription"]
    taken = subscribe(own, "ORDERS_CREATE")
    assert taken["userErrors"] == [
        {"field": ["webhookSubscription", "callbackUrl"], "message": "Address for this topic has already been taken"}
    ]
    plain = subscribe(own, "ORDERS_EDITED", uri="http://ops.example.com/hooks")
    assert plain["userErrors"][0]["message"] == "Address protocol http:// is not supported"
    deleted = own.data(DELETE, id=made["id"])["webhookSubscriptionDelete"]
    assert deleted == {"deletedWebhookSubscriptionId": made["id"], "userErrors": []}
    assert own.data(DELETE, id=made["id"])["webhookSubscriptionDelete"]["userErrors"] == [
        {"message": "Webhook subscription does not exist"}
    ]


def test_an_edit_is_told_as_deltas_without_an_order(own: Bench, receiver: Receiver) -> None:
    subscribe(own, "ORDERS_EDITED", "INVENTORY_LEVELS_UPDATE")
    order = own.order()
    own.shop.webhooks.deliver_pending()
    receiver.got.clear()
    own.shop.edit(order, quantities={order.lines[0].id: 1})
    own.shop.webhooks.deliver_pending()
    assert receiver.topics() == ["inventory_levels/update", "orders/edited"]
    assert json.loads(receiver.got[0][1])["available"] == 9
    edit = json.loads(receiver.got[1][1])["order_edit"]
    assert edit["line_items"] == {"additions": [], "removals": [{"id": order.lines[0].id, "delta": 1}]}
