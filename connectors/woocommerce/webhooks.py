"""Webhooks of a shop: receiving them, registering them, and finding those the shop has switched off.

Sources: woocommerce.md section 8, woocommerce-observed.md section 7. Nothing is ever delivered twice by the shop, and
after seven failures in a row it disables the webhook silently: polling stays the truth, webhooks make it quick.
"""

import json
import re
from typing import Any, Final

from connectors.ports import AuthFailed, ConnectionConfig, Inbound, Json, Link, Reception, Retryable, WebhookState
from connectors.woocommerce import client
from connectors.woocommerce.normalise import order_id_of

# No refund topic exists: order.updated comes with every refund, and the custom topic names its order (observed 7).
TOPICS: Final = ("order.created", "order.updated", "order.deleted", "action.woocommerce_order_refunded")
SECRET: Final = "webhook_secret"  # noqa: S105 - the name of a setting
NAME_PREFIX: Final = "returnsops"
VERIFIER: Final = {"kind": "hmac_sha256_base64", "header": "X-WC-Webhook-Signature", "secret": SECRET}

_PING_TYPE: Final = "application/x-www-form-urlencoded"
_PING_BODY: Final = re.compile(rb"webhook_id=[0-9]{1,20}")
_SECRET_TEXT: Final = re.compile(r"[A-Za-z0-9]{16,128}")


def receive(inbound: Inbound, config: ConnectionConfig) -> Reception:
    """What a delivery is, before its signature is checked.

    Delivery-ID is not unique (observed 7), so there is no delivery key: hints of one order are merged while unread.
    """
    headers = inbound.headers
    if headers.get("x-wc-webhook-signature") and headers.get("x-wc-webhook-topic"):
        return _event(headers["x-wc-webhook-topic"], inbound.body)
    if _is_ping(inbound):
        return Reception(kind="ping", topic="ping")
    return Reception(kind="unsigned")


def list_webhooks(link: Link) -> tuple[WebhookState, ...]:
    """Our webhooks in the shop, by their name; disabled and paused ones have ``is_active`` False."""
    rows = client.get_all(link, "/webhooks")
    return tuple(_state(row) for row in rows if str(row.get("name", "")).startswith(NAME_PREFIX))


def ensure_webhooks(link: Link, delivery_url: str) -> tuple[WebhookState, ...]:
    """Register what is missing for ``delivery_url`` and switch on again what is off; the state after.

    Each is given our newest secret anew: the shop never tells which one it holds, and sent without one it invents its
    own. What was off before is seen by list_webhooks, to be asked first. Running it again changes nothing more.
    """
    secret = webhook_secret(link.config)
    known = {(str(row.get("topic")), str(row.get("delivery_url"))): row for row in client.get_all(link, "/webhooks")}
    return tuple(_ensure(link, known.get((topic, delivery_url)), topic, delivery_url, secret) for topic in TOPICS)


def webhook_secret(config: ConnectionConfig) -> str:
    """The newest secret. Raises AuthFailed where it could not be signed with: the shop decodes HTML entities in it."""
    secret = config.secret(SECRET)
    if not _SECRET_TEXT.fullmatch(secret):
        raise AuthFailed(
            f"The {SECRET} of connection {config.name} must be 16 to 128 letters and digits, nothing else: WooCommerce"
            " changes other characters before it signs. Set a new one with apply_config."
        )
    return secret


def _event(topic: str, body: bytes) -> Reception:
    try:
        document: Json = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    order_id = order_id_of(topic, document)
    key = f"order:{order_id}" if order_id else ""
    return Reception(kind="event", topic=topic, hint_key=key, subject_key=key)


def _is_ping(inbound: Inbound) -> bool:
    """Exactly what WooCommerce sends on creation: form-encoded ``webhook_id=<n>`` without any header of its own."""
    has_own_header = any(name.startswith("x-wc-") for name in inbound.headers)
    kind = inbound.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == _PING_TYPE and not has_own_header and _PING_BODY.fullmatch(inbound.body) is not None


def _ensure(link: Link, row: dict[str, Any] | None, topic: str, delivery_url: str, secret: str) -> WebhookState:
    if row is None:
        body = {
            "name": f"{NAME_PREFIX} {topic}",
            "topic": topic,
            "delivery_url": delivery_url,
            "secret": secret,
            "status": "active",
        }
        return _state(client.write(link, "POST", "/webhooks", body=body))
    body = {"name": f"{NAME_PREFIX} {topic}", "status": "active", "secret": secret}
    return _state(client.write(link, "PUT", f"/webhooks/{row['id']}", body=body))


def _state(row: Json) -> WebhookState:
    if not isinstance(row, dict) or "id" not in row:
        raise Retryable("The shop answered something that is no webhook.")
    return WebhookState(
        external_id=str(row["id"]),
        topic=str(row.get("topic") or ""),
        is_active=row.get("status") == "active",
        delivery_url=str(row.get("delivery_url") or ""),
    )
