"""The shop's admin screens that links of ours lead to (connectors/woocommerce/links.py), as pages that only read."""

from collections.abc import Mapping
from typing import Final

from werkzeug.wrappers import Response

from connectors.simulators.woocommerce.page import coupon_page, order_page
from connectors.simulators.woocommerce.state import ShopState

FOLDER: Final = "/wp-admin/"
_POSTS: Final = f"{FOLDER}post.php"  # coupons, and orders of a shop that keeps them as posts
_SCREENS: Final = f"{FOLDER}admin.php"  # orders of a shop with order tables (HPOS)


def screen(shop: ShopState, path: str, asked: Mapping[str, str]) -> Response:
    """The screen of one order or coupon; 404 in words where there is none."""
    html = _page(shop, _record_id(path, asked))
    text = html or "You attempted to edit an item that is not here. Perhaps it was deleted?"
    return Response(
        text, status=200 if html else 404, content_type=f"text/{'html' if html else 'plain'}; charset=utf-8"
    )


def _record_id(path: str, asked: Mapping[str, str]) -> int:
    """The number in the address; 0 where it is none of an order or coupon."""
    named = {_POSTS: "post", _SCREENS: "id" if asked.get("page") == "wc-orders" else ""}.get(path, "")
    number = asked.get(named, "")
    return int(number) if asked.get("action") == "edit" and number.isdecimal() else 0


def _page(shop: ShopState, record_id: int) -> str:
    if record_id in shop.orders:
        return order_page(shop, shop.orders[record_id])
    return coupon_page(shop, shop.coupons[record_id]) if record_id in shop.coupons else ""
