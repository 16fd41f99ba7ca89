"""Signed deliveries: headers, eight retries over four hours with the same body, then the subscription is gone."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from connectors.simulators.shopify.after_sales_records import Subscription
from connectors.simulators.shopify.state import ShopState, stamp
from connectors.simulators.shopify.subscriptions import header_topic
from connectors.simulators.webhooks import OutgoingWebhook, PendingWebhook, SentWebhook

RETRY_DELAYS_S = (10, 60, 300, 900, 1800, 2700, 3600, 5035)
"""Assumed steps; documented are eight retries over four hours, growing."""


def enqueue(shop: ShopState, topic: str, body: dict[str, Any], event_id: str) -> None:
    """Queue one delivery for every subscription on this topic, with the state of this moment."""
    event = event_id or str(uuid4())
    for subscription in list(shop.subscriptions.values()):
        if header_topic(subscription.topic) == topic and subscription.uri.startswith("http"):
            shop.sender.enqueue(_pending(shop, subscription, topic, _kept(subscription, body), event))


def signature(secret: str, body: bytes) -> str:
    """base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _kept(subscription: Subscription, body: dict[str, Any]) -> bytes:
    fields = subscription.fields
    kept = {name: value for name, value in body.items() if name in fields} if fields else body
    return json.dumps(kept, separators=(",", ":")).encode()


def _pending(shop: ShopState, subscription: Subscription, topic: str, body: bytes, event_id: str) -> PendingWebhook:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": shop.settings.domain,
        "X-Shopify-API-Version": shop.settings.api_version,
        "X-Shopify-Webhook-Id": str(uuid4()),
        "X-Shopify-Event-Id": event_id,
        "X-Shopify-Triggered-At": str(stamp(shop.now())),
    }
    if subscription.name:
        headers["X-Shopify-Name"] = subscription.name
    uri = subscription.uri

    def build(now: datetime) -> OutgoingWebhook:
        """Signed when sent: after a rotation of the secret a retry carries the new signature."""
        signed = headers | {"X-Shopify-Hmac-Sha256": signature(shop.access.client_secret, body)}
        return OutgoingWebhook(url=uri, headers=signed, body=body)

    return _attempt(shop, subscription, PendingWebhook(topic=topic, build=build), tries=0)


def _attempt(shop: ShopState, subscription: Subscription, pending: PendingWebhook, *, tries: int) -> PendingWebhook:
    def on_sent(attempt: SentWebhook) -> None:
        with shop.lock:
            _count(shop, subscription, pending, attempt, tries)

    return replace(pending, on_sent=on_sent)


def _count(
    shop: ShopState, subscription: Subscription, pending: PendingWebhook, attempt: SentWebhook, tries: int
) -> None:
    """2xx is success; else it comes again later, and after the eighth retry the subscription is deleted."""
    if attempt.status is not None and 200 <= attempt.status < 300:
        return
    if tries < len(RETRY_DELAYS_S):
        due_at = shop.clock.now() + timedelta(seconds=RETRY_DELAYS_S[tries])
        again = replace(pending, due_at=due_at)
        shop.sender.requeue(_attempt(shop, subscription, again, tries=tries + 1))
    else:
        shop.subscriptions.pop(subscription.id, None)
