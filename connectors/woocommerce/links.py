"""Addresses of a shop. Pure."""

from typing import Final

from connectors.ports import ConnectionConfig

API: Final = "/wp-json/wc/v3"
_LEGACY: Final = "posts"


def site_url(config: ConnectionConfig) -> str:
    """The shop's address without trailing slash; ``base_url`` may hold the API part too."""
    return config.base_url.strip().rstrip("/").removesuffix(API)


def api_url(config: ConnectionConfig, path: str) -> str:
    """The full address of an API path."""
    return site_url(config) + API + path


def coupon_url(config: ConnectionConfig, coupon_id: str) -> str:
    """The coupon in the shop's admin."""
    return f"{site_url(config)}/wp-admin/post.php?post={coupon_id}&action=edit"


def order_url(config: ConnectionConfig, order_id: str) -> str:
    """The order in the shop's admin; setting ``order_screen = "posts"`` for shops without order tables (HPOS)."""
    site = site_url(config)
    if config.settings.get("order_screen") == _LEGACY:
        return f"{site}/wp-admin/post.php?post={order_id}&action=edit"
    return f"{site}/wp-admin/admin.php?page=wc-orders&action=edit&id={order_id}"
