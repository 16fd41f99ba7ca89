"""What a webhook delivery of Shopify is, before its signature is checked (shopify.md section 13)."""

import json
from collections.abc import Mapping
from typing import Final

from connectors.ports import ConnectionConfig, Inbound, Json, Reception
from connectors.shopify.normalise import order_id_of

SECRET: Final = "client_secret"  # noqa: S105 - the name of a setting; the app's secret signs its webhooks
VERIFIER: Final = {"kind": "hmac_sha256_base64", "header": "X-Shopify-Hmac-Sha256", "secret": SECRET}


def receive(inbound: Inbound, config: ConnectionConfig) -> Reception:
    """A delivery with Shopify's headers is an event; anything else is unsigned.

    An event is delivered again with the same webhook id, and once more for every other subscription that fires for it
    with the same event id: event, topic and subject together know both. Hints of one order are merged while unread.
    """
    headers = inbound.headers
    topic = headers.get("x-shopify-topic", "")
    if not topic or not headers.get("x-shopify-hmac-sha256"):
        return Reception(kind="unsigned")
    order_id = order_id_of(topic, _document(inbound.body))
    key = f"order:{order_id}" if order_id else ""
    return Reception(
        kind="event", topic=topic, delivery_key=_delivery_key(headers, topic, order_id), hint_key=key, subject_key=key
    )


def _delivery_key(headers: Mapping[str, str], topic: str, order_id: str) -> str:
    event_id, webhook_id = headers.get("x-shopify-event-id", ""), headers.get("x-shopify-webhook-id", "")
    if event_id:
        return f"event:{event_id}:{topic}:{order_id}"
    return f"webhook:{webhook_id}" if webhook_id else ""


def _document(body: bytes) -> Json:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
