"""Receiving deliveries as recorded, and keeping webhooks registered."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.ports import Answer, AuthFailed, Inbound, Reception, WebhookState
from connectors.signing import verify
from connectors.woocommerce import webhooks
from tests.connectors.woocommerce.recordings import WEBHOOK_SECRET, webhooks_of
from tests.connectors.woocommerce.scripted import KEYS, answered, config, scripted_link

AT = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
URL = "https://returns.example/webhooks/shop/"
PING = {"content-type": "application/x-www-form-urlencoded", "user-agent": "WooCommerce/11.0.1 Hookshot"}


def received(headers: dict[str, str], body: bytes) -> Reception:
    return webhooks.receive(Inbound(headers=headers, body=body, received_at=AT), config())


@pytest.mark.parametrize(
    "name",
    ["received_trash_order", "received_two_orders_changed_before_the_queue_runs", "received_partial_refund_by_line"],
)
def test_recorded_deliveries_are_genuine_and_events(name: str) -> None:
    for headers, body in webhooks_of(f"webhooks/{name}"):
        assert received(headers, body).kind == "event"
        verdict = verify(verifier=webhooks.VERIFIER, secrets=[WEBHOOK_SECRET], headers=headers, body=body, now=AT)
        assert verdict.is_genuine, verdict.reason


def test_two_orders_of_one_second_share_a_delivery_id_and_both_count() -> None:
    deliveries = webhooks_of("webhooks/received_two_orders_changed_before_the_queue_runs")
    updates = [(h, b) for h, b in deliveries if h["x-wc-webhook-topic"] == "order.updated"]

    receptions = [received(headers, body) for headers, body in updates]

    assert len({headers["x-wc-webhook-delivery-id"] for headers, _ in updates}) == 1
    assert [(r.hint_key, r.subject_key, r.delivery_key) for r in receptions] == [
        ("order:55", "order:55", ""),
        ("order:56", "order:56", ""),
    ]


def test_the_recorded_creation_pings() -> None:
    kinds = {received(headers, body).kind for headers, body in webhooks_of("webhooks/received_on_webhook_creation")}
    assert kinds == {"ping"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (PING, b"webhook_id=3&x=1"),
        (PING, b"webhook_id="),
        (PING, b"webhook_id=3\n"),
        (PING, b"id=3"),
        (PING, b"{}"),
        ({"content-type": "application/json"}, b"webhook_id=3"),
        (PING | {"x-wc-webhook-topic": "order.updated"}, b"webhook_id=3"),
        ({"content-type": "application/json"}, b'{"id": 5}'),
        ({"content-type": "application/json", "x-wc-webhook-topic": "order.updated"}, b'{"id": 5}'),
        ({}, b""),
    ],
)
def test_nothing_else_unsigned_is_taken(headers: dict[str, str], body: bytes) -> None:
    assert received(headers, body) == Reception(kind="unsigned")


def test_a_signed_body_that_says_nothing_is_still_an_event() -> None:
    headers = {"x-wc-webhook-signature": "x", "x-wc-webhook-topic": "order.updated"}
    assert received(headers, b"<html>") == Reception(kind="event", topic="order.updated")


class Shop:
    """The webhooks of a shop."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = list(rows)

    def __call__(self, method: str, path: str, params: Any, json: Any) -> Answer:
        if method == "GET":
            return answered(200, self.rows, x_wp_total=str(len(self.rows)), x_wp_totalpages="1")
        shown = {name: value for name, value in json.items() if name != "secret"}
        if method == "POST":
            self.rows.append({"id": 100 + len(self.rows), **shown})
            return answered(201, self.rows[-1])
        row = next(row for row in self.rows if path == f"/webhooks/{row['id']}")
        row.update(shown)
        return answered(200, row)


def test_missing_webhooks_are_registered_with_our_secret() -> None:
    link, asked = scripted_link(Shop())

    states = webhooks.ensure_webhooks(link, URL)

    assert [state.topic for state in states] == list(webhooks.TOPICS)
    assert all(state.is_active and state.delivery_url == URL for state in states)
    assert asked[1] == (
        "POST",
        "/webhooks",
        {},
        {
            "name": "returnsops order.created",
            "topic": "order.created",
            "delivery_url": URL,
            "secret": "abcdefgh12345678",
            "status": "active",
        },
    )


def test_running_it_again_makes_no_second_one() -> None:
    shop = Shop()
    link, asked = scripted_link(shop)
    webhooks.ensure_webhooks(link, URL)
    webhooks.ensure_webhooks(link, URL)
    assert len(shop.rows) == 4
    assert [request[0] for request in asked].count("POST") == 4


def test_a_disabled_webhook_is_seen_and_switched_on() -> None:
    row = {"id": 3, "name": "returnsops order.updated", "topic": "order.updated", "delivery_url": URL}
    other = {
        "id": 4,
        "name": "ERP",
        "topic": "order.updated",
        "delivery_url": "https://erp.example",
        "status": "disabled",
    }
    rotated = KEYS | {"webhook_secret": ("newest1234567890", "abcdefgh12345678")}
    link, asked = scripted_link(Shop(row | {"status": "disabled"}, other), secrets=rotated)

    before = webhooks.list_webhooks(link)
    after = webhooks.ensure_webhooks(link, URL)

    assert before == (WebhookState(external_id="3", topic="order.updated", is_active=False, delivery_url=URL),)
    assert next(state for state in after if state.topic == "order.updated").is_active
    sent = [request for request in asked if request[0] == "PUT"]
    rearmed = {"name": "returnsops order.updated", "status": "active", "secret": "newest1234567890"}
    assert [(path, body) for _, path, _, body in sent] == [("/webhooks/3", rearmed)], "others' are left alone"


@pytest.mark.parametrize("secret", ["short", "with spaces in the middle", "amp&amp;ersand1234567", ""])
def test_a_secret_the_shop_would_change_is_refused(secret: str) -> None:
    link, asked = scripted_link(Shop(), secrets=KEYS | {"webhook_secret": (secret,)})
    with pytest.raises(AuthFailed, match="letters and digits"):
        webhooks.ensure_webhooks(link, URL)
    assert asked == []
