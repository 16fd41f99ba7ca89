"""The fields of the shop itself, webhook subscriptions and bulk operations."""

from typing import Any

from connectors.simulators.shopify.after_sales_records import Bulk, Subscription
from connectors.simulators.shopify.paging import Args, Fields, attribute, global_id, moment
from connectors.simulators.shopify.state import ShopState

SHOP: Fields = {
    "id": lambda shop, settings, args: "gid://shopify/Shop/1",
    "name": attribute("name"),
    "myshopifyDomain": attribute("domain"),
    "currencyCode": attribute("currency"),
    "ianaTimezone": attribute("timezone"),
    "taxesIncluded": attribute("is_tax_included"),
    "plan": lambda shop, settings, args: {
        "publicDisplayName": settings.plan,
        "partnerDevelopment": False,
        "shopifyPlus": settings.is_plus,
    },
}


def _version(shop: ShopState, subscription: Subscription, args: Args) -> dict[str, Any]:
    return {"handle": shop.settings.api_version, "supported": True}


SUBSCRIPTION: Fields = {
    "id": global_id("WebhookSubscription"),
    "topic": attribute("topic"),
    "uri": attribute("uri"),
    "format": attribute("format"),
    "name": attribute("name"),
    "filter": lambda shop, subscription, args: subscription.filter,
    "includeFields": lambda shop, subscription, args: list(subscription.fields),
    "createdAt": moment("created_at"),
    "updatedAt": moment("updated_at"),
    "apiVersion": _version,
}


def result_url(shop: ShopState, bulk: Bulk) -> str | None:
    """Where the result lies; an empty one has no address."""
    return f"{shop.home_url}/bulk/{bulk.id}.jsonl" if bulk.result else None


def _url(shop: ShopState, bulk: Bulk, args: Args) -> str | None:
    return result_url(shop, bulk) if bulk.status == "COMPLETED" else None


def _partial_url(shop: ShopState, bulk: Bulk, args: Args) -> str | None:
    return result_url(shop, bulk) if bulk.status in ("FAILED", "CANCELED") else None


BULK: Fields = {
    "id": global_id("BulkOperation"),
    "type": lambda shop, bulk, args: "QUERY",
    "status": attribute("status"),
    "errorCode": attribute("error_code"),
    "createdAt": moment("created_at"),
    "completedAt": moment("completed_at"),
    "objectCount": lambda shop, bulk, args: str(bulk.objects),
    "rootObjectCount": lambda shop, bulk, args: str(bulk.roots),
    "fileSize": lambda shop, bulk, args: str(len(bulk.result)) if bulk.result else None,
    "url": _url,
    "partialDataUrl": _partial_url,
}
