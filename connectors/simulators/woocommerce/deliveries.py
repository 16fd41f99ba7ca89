"""Webhooks of the shop: which topic fires, what is sent, and when a webhook is disabled (section 7)."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

from connectors.simulators.webhooks import OutgoingWebhook, PendingWebhook, SentWebhook
from connectors.simulators.woocommerce.order_json import order_json
from connectors.simulators.woocommerce.product_json import product_json
from connectors.simulators.woocommerce.records import Webhook
from connectors.simulators.woocommerce.state import VERSION, ShopState
from connectors.simulators.woocommerce.wire import php_json

USER_AGENT = f"WooCommerce/{VERSION} Hookshot (WordPress/7.1.4)"
FAILURES_ALLOWED = 5
HOOKS = {
    "order.created": ["woocommerce_new_order"],
    "order.updated": ["woocommerce_update_order", "woocommerce_order_refunded"],
    "order.deleted": ["wp_trash_post", "woocommerce_trash_order"],
    "order.restored": ["untrashed_post", "woocommerce_untrash_order"],
    "product.created": [
        "woocommerce_process_product_meta",
        "woocommerce_new_product",
        "woocommerce_new_product_variation",
    ],
    "product.updated": [
        "woocommerce_process_product_meta",
        "woocommerce_update_product",
        "woocommerce_update_product_variation",
    ],
    "product.deleted": ["wp_trash_post"],
}


def is_valid_topic(topic: str) -> bool:
    """A topic the shop knows, or any custom `action.<hook>`."""
    return topic in HOOKS or (topic.startswith("action.") and len(topic) > len("action."))


def hooks_of(topic: str) -> list[str]:
    """The WordPress hooks behind a topic."""
    return HOOKS.get(topic) or [topic.partition(".")[2]]


def enqueue(shop: ShopState, topic: str, resource_id: int) -> None:
    """Queue a delivery for every active webhook on this topic; one already waiting for the resource is merged."""
    for webhook in list(shop.webhooks.values()):
        if webhook.topic == topic and webhook.status == "active":
            shop.sender.enqueue(_pending(shop, webhook, resource_id))


def ping(shop: ShopState, webhook: Webhook) -> None:
    """The unsigned form-encoded call right after creation; its failure changes nothing."""

    def build(now: datetime) -> OutgoingWebhook:
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/x-www-form-urlencoded"}
        return OutgoingWebhook(url=webhook.delivery_url, headers=headers, body=f"webhook_id={webhook.id}".encode())

    shop.sender.send_now(PendingWebhook(topic="ping", build=build))


def signature(secret: str, body: bytes) -> str:
    """base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def delivery_id(webhook_id: int, now: datetime) -> str:
    """A hash of webhook id and current second only: two deliveries of one second share it."""
    return hashlib.md5(f"{webhook_id}{int(now.timestamp())}".encode(), usedforsecurity=False).hexdigest()


def _pending(shop: ShopState, webhook: Webhook, resource_id: int) -> PendingWebhook:
    def build(now: datetime) -> OutgoingWebhook:
        with shop.lock:
            body = php_json(_payload(shop, webhook.topic, resource_id))
        return OutgoingWebhook(url=webhook.delivery_url, headers=_headers(shop, webhook, body, now), body=body)

    def on_sent(attempt: SentWebhook) -> None:
        with shop.lock:
            _count(shop, webhook, attempt.status)

    merge_key = f"{webhook.id}:{resource_id}"
    return PendingWebhook(topic=webhook.topic, build=build, merge_key=merge_key, on_sent=on_sent)


def _headers(shop: ShopState, webhook: Webhook, body: bytes, now: datetime) -> dict[str, str]:
    resource, _, event = webhook.topic.partition(".")
    return {
        "User-Agent": USER_AGENT,
        "Content-Type": "application/json",
        "X-WC-Webhook-Source": f"{shop.settings.home_url}/",
        "X-WC-Webhook-Topic": webhook.topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": signature(webhook.secret, body),
        "X-WC-Webhook-ID": str(webhook.id),
        "X-WC-Webhook-Delivery-ID": delivery_id(webhook.id, now),
    }


def _payload(shop: ShopState, topic: str, resource_id: int) -> dict[str, Any]:
    """The body, built when the job runs: it shows the state of that moment, not of the change."""
    base = f"{shop.settings.home_url}/wp-json/wc/v3"
    resource, _, event = topic.partition(".")
    if resource == "action":
        return {"action": event, "arg": resource_id}
    if event == "deleted":
        return {"id": resource_id}
    if resource == "order" and resource_id in shop.orders:
        return order_json(shop, shop.orders[resource_id], base=base)
    if resource == "product" and resource_id in shop.products:
        return product_json(shop, shop.products[resource_id], base=base)
    return {"code": f"woocommerce_rest_{resource}_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}


def _count(shop: ShopState, webhook: Webhook, status: int | None) -> None:
    """Success is 200 to 302; the 7th failure in a row disables, and nothing is ever sent again."""
    if status is not None and 200 <= status <= 302:
        webhook.failure_count = 0
    elif webhook.failure_count > FAILURES_ALLOWED:
        webhook.status = "disabled"
        webhook.modified_at = shop.now()
    else:
        webhook.failure_count += 1
