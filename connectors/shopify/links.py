"""Addresses of a shop, and ids as Shopify writes them. Pure."""

from datetime import date, timedelta
from typing import Final

from connectors.ports import ConnectionConfig

API_VERSION: Final = "2026-07"
ENDS_SOON: Final = timedelta(days=60)  # time to read two quarters' changes, and to update
_GID: Final = "gid://shopify/"


def shop_url(config: ConnectionConfig) -> str:
    """``https://<shop>.myshopify.com`` without trailing slash; ``base_url`` may end in /admin."""
    return config.base_url.strip().rstrip("/").removesuffix("/admin")


def api_version(config: ConnectionConfig) -> str:
    """The version asked for: the setting, else the one this connector was written and tested for."""
    return str(config.settings.get("api_version") or API_VERSION)


def version_ends_on(version: str) -> date | None:
    """Until when a version is supported at least: a year from the month it is named after (shopify.md section 1).

    None of one that has no such name ("unstable").
    """
    try:
        return date.fromisoformat(f"{int(version[:4]) + 1}{version[4:]}-01")
    except ValueError:
        return None


def is_ending(version: str, *, on: date) -> bool:
    """Whether a version ends soon, or has ended."""
    ends_on = version_ends_on(version)
    return ends_on is not None and ends_on - ENDS_SOON <= on


def api_url(config: ConnectionConfig) -> str:
    """Where GraphQL documents are posted to."""
    return f"{shop_url(config)}/admin/api/{api_version(config)}/graphql.json"


def order_url(config: ConnectionConfig, order_id: str) -> str:
    """The order in the shop's admin."""
    return f"{shop_url(config)}/admin/orders/{number_of(order_id)}"


def gid(kind: str, number: object) -> str:
    """The global id of a record: ``gid('Order', 1001)``; an id that is one already stays."""
    text = str(number)
    return text if text.startswith(_GID) else f"{_GID}{kind}/{text}"


def number_of(global_id: str) -> str:
    """The number at the end of a global id; of a plain number itself."""
    return global_id.partition("?")[0].rpartition("/")[2]


def is_gid(text: str, kind: str) -> bool:
    """Whether a text is a global id of that kind of record."""
    number = text.removeprefix(f"{_GID}{kind}/")
    return number != text and number.isascii() and number.isdigit()
