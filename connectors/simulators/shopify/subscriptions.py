"""Webhook subscriptions: made, listed and deleted through the API (shopify.md section 13)."""

import re
from typing import Any
from urllib.parse import urlsplit

from connectors.simulators.shopify.after_sales_records import Subscription
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.refusals import Refused
from connectors.simulators.shopify.state import ShopState, gid, number_of

LONGEST_NAME = 50
_ON_THIS_MACHINE = ("127.0.0.1", "localhost", "testserver")
"""Real Shopify takes https only; the demo's receiver is on loopback."""


def header_topic(topic: str) -> str:
    """ORDERS_UPDATED → orders/updated: the last word is the event, but for what Shopify splits elsewhere."""
    known = {
        "ORDER_TRANSACTIONS_CREATE": "order_transactions/create",
        "REVERSE_DELIVERIES_ATTACH_DELIVERABLE": "reverse_deliveries/attach_deliverable",
        "REVERSE_FULFILLMENT_ORDERS_DISPOSE": "reverse_fulfillment_orders/dispose",
        "APP_SCOPES_UPDATE": "app/scopes_update",
    }
    head, _, tail = topic.lower().rpartition("_")
    return known.get(topic, f"{head}/{tail}")


def subscribe(shop: ShopState, args: Args) -> dict[str, Any]:
    """webhookSubscriptionCreate: one topic and address is subscribed to once."""
    topic, given = args["topic"], args["webhookSubscription"]
    uri, name = given.get("uri") or "", given.get("name")
    path = ["webhookSubscription", "callbackUrl"]
    if not uri:
        raise Refused(path, "Address can't be blank")
    if uri.startswith("http://") and urlsplit(uri).hostname not in _ON_THIS_MACHINE:
        raise Refused(path, "Address protocol http:// is not supported")
    if not re.match(r"https?://|arn:|pubsub:", uri):
        raise Refused(path, "Address is invalid")
    if any((one.topic, one.uri) == (topic, uri) for one in shop.subscriptions.values()):
        message = "Address for this topic has already been taken"
        raise Refused(path, message)
    if name and not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}", name):
        message = "Name name field can only contain alphanumeric characters, underscores, and hyphens"
        raise Refused(["webhookSubscription", "name"], message)
    subscription = Subscription(
        id=shop.next_id("WebhookSubscription"),
        topic=topic,
        uri=uri,
        created_at=shop.now(),
        updated_at=shop.now(),
        format=given.get("format") or "JSON",
        name=name,
        filter=given.get("filter"),
        fields=list(given.get("includeFields") or []),
    )
    shop.subscriptions[subscription.id] = subscription
    return {"webhookSubscription": subscription}


def unsubscribe(shop: ShopState, args: Args) -> dict[str, Any]:
    """webhookSubscriptionDelete."""
    number = number_of("WebhookSubscription", args["id"])
    if shop.subscriptions.pop(number, None) is None:
        raise Refused(["id"], "Webhook subscription does not exist")
    return {"deletedWebhookSubscriptionId": gid("WebhookSubscription", number)}
