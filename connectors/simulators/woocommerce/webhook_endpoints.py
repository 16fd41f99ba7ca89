"""`/webhooks`."""

import secrets
from typing import Any

from connectors.simulators.woocommerce import deliveries
from connectors.simulators.woocommerce.arguments import Answer, Call, boolean, one_of, page_of, string
from connectors.simulators.woocommerce.records import Webhook
from connectors.simulators.woocommerce.wire import WooError, gmt, links, local

STATUSES = ["active", "paused", "disabled"]


def webhook_json(call: Call, webhook: Webhook) -> dict[str, Any]:
    """A webhook; the secret is never shown."""
    resource, _, event = webhook.topic.partition(".")
    allow = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return {
        "id": webhook.id,
        "name": webhook.name,
        "status": webhook.status,
        "topic": webhook.topic,
        "resource": resource,
        "event": event,
        "hooks": deliveries.hooks_of(webhook.topic),
        "delivery_url": webhook.delivery_url,
        "date_created": local(webhook.created_at, call.shop.zone),
        "date_created_gmt": gmt(webhook.created_at),
        "date_modified": local(webhook.modified_at, call.shop.zone),
        "date_modified_gmt": gmt(webhook.modified_at),
        "_links": links(call.base, f"webhooks/{webhook.id}", allow=allow, collection="webhooks"),
    }


def list_webhooks(call: Call) -> Answer:
    """GET /webhooks, filtered by status."""
    status = one_of("status", call.text("status", "all"), ["all", *STATUSES])
    rows = [w for w in call.shop.webhooks.values() if status in ("all", w.status)]
    return page_of(call, list(reversed(rows)), lambda webhook: webhook_json(call, webhook))


def get_webhook(call: Call, webhook_id: int) -> Answer:
    """GET one webhook."""
    return Answer(body=webhook_json(call, _find(call, webhook_id)))


def create_webhook(call: Call) -> Answer:
    """POST: pings the receiver at once, 201 whatever it answers; a secret left out is invented and never shown."""
    topic, url = string(call.body, "topic"), string(call.body, "delivery_url")
    _check_topic(topic)
    _check_url(url)
    with call.shop.lock:
        webhook = Webhook(
            id=call.shop.next_id("webhook"),
            name=string(call.body, "name", topic),
            topic=topic,
            delivery_url=url,
            secret=string(call.body, "secret") or secrets.token_hex(25),
            status=one_of("status", string(call.body, "status", "active"), STATUSES),
            created_at=call.shop.now(),
        )
        call.shop.webhooks[webhook.id] = webhook
    # Without the lock: the receiver may call the shop back before it answers the ping.
    deliveries.ping(call.shop, webhook)
    location = f"{call.base}/webhooks/{webhook.id}"
    return Answer(body=webhook_json(call, webhook), status=201, location=location)


def update_webhook(call: Call, webhook_id: int) -> Answer:
    """PUT: activating resets the count of failures and sends no ping."""
    webhook = _find(call, webhook_id, status=400)
    if "topic" in call.body:
        _check_topic(string(call.body, "topic"))
        webhook.topic = string(call.body, "topic")
    if "delivery_url" in call.body:
        _check_url(string(call.body, "delivery_url"))
        webhook.delivery_url = string(call.body, "delivery_url")
    if "status" in call.body:
        webhook.status = one_of("status", string(call.body, "status"), STATUSES)
        webhook.failure_count = 0
    webhook.name = string(call.body, "name", webhook.name)
    webhook.secret = string(call.body, "secret", webhook.secret)
    webhook.modified_at = call.shop.now()
    return Answer(body=webhook_json(call, webhook))


def delete_webhook(call: Call, webhook_id: int) -> Answer:
    """DELETE; needs force=true."""
    webhook = _find(call, webhook_id)
    if not boolean("force", call.text("force", "false")):
        message = "Webhooks do not support trashing."
        raise WooError(status=501, code="woocommerce_rest_trash_not_supported", message=message)
    del call.shop.webhooks[webhook_id]
    return Answer(body=webhook_json(call, webhook))


def _find(call: Call, webhook_id: int, *, status: int = 404) -> Webhook:
    webhook = call.shop.webhooks.get(webhook_id)
    if webhook is None:
        raise WooError(status=status, code="woocommerce_rest_shop_webhook_invalid_id", message="Invalid ID.")
    return webhook


def _check_topic(topic: str) -> None:
    if not deliveries.is_valid_topic(topic):
        message = "Webhook topic is required and must be valid."
        raise WooError(status=400, code="woocommerce_rest_shop_webhook_invalid_topic", message=message)


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise WooError(status=400, code="woocommerce_rest_shop_webhook_invalid_delivery_url", message=message)
