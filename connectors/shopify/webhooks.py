"""Webhook subscriptions of a shop: registering them, and finding those the shop has taken away.

Source: shopify.md section 13. After eight failures in a row the shop deletes a subscription without a word; polling
stays the truth, webhooks make it quick. Signed are they all with the app's secret: there is none of their own.
"""

from collections.abc import Mapping
from typing import Any, Final

from connectors.ports import Json, Link, OutcomeUnknown, Retryable, WebhookState
from connectors.shopify import client

# returns/create does not exist: returns/approve says that goods are on their way.
TOPICS: Final = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/cancelled",
    "orders/delete",
    "refunds/create",
    "order_transactions/create",
    "returns/approve",
    "returns/cancel",
    "returns/close",
    "returns/reopen",
)


def list_webhooks(link: Link) -> tuple[WebhookState, ...]:
    """The subscriptions of this app on topics of ours; the shop knows no switched-off ones, only missing ones."""
    rows = client.nodes_to_end(link, "WebhookList", {}, path=("webhookSubscriptions",))
    states = [_state(row) for row in rows]
    return tuple(state for state in states if state.topic in TOPICS)


def ensure_webhooks(link: Link, delivery_url: str) -> tuple[WebhookState, ...]:
    """Register what is missing for ``delivery_url``; the state after. Running it again changes nothing more."""
    known = {state.topic: state for state in list_webhooks(link) if state.delivery_url == delivery_url}
    return tuple(known.get(topic) or _create(link, topic, delivery_url) for topic in TOPICS)


def enum_of(topic: str) -> str:
    """A topic as the API names it: ``orders/updated`` is ``ORDERS_UPDATED``."""
    return topic.upper().replace("/", "_")


_BY_ENUM: Final[Mapping[str, str]] = {enum_of(topic): topic for topic in TOPICS}


def _create(link: Link, topic: str, delivery_url: str) -> WebhookState:
    variables: dict[str, Any] = {
        "topic": enum_of(topic),
        "webhookSubscription": {"uri": delivery_url, "format": "JSON"},
    }
    payload = client.execute(link, "WebhookCreate", variables, is_write=True).get("webhookSubscriptionCreate")
    client.refuse_user_errors(payload, name=f"Registering {topic}")
    made = payload.get("webhookSubscription") if isinstance(payload, Mapping) else None
    if made is None:
        raise OutcomeUnknown(f"Whether the webhook {topic} was registered is not known; look again.")
    return _state(made)


def _state(row: Json) -> WebhookState:
    if not isinstance(row, Mapping) or not row.get("id"):
        raise Retryable("The shop answered something that is no webhook.")
    topic = str(row.get("topic") or "")
    return WebhookState(
        external_id=str(row["id"]),
        topic=_BY_ENUM.get(topic, topic),
        is_active=True,
        delivery_url=str(row.get("uri") or ""),
    )
