"""What check_connection says about a shop."""

from collections.abc import Sequence

from connectors.ports import CheckLine, Link, VendorError
from connectors.shopify import client
from connectors.shopify.links import shop_url


def check(link: Link) -> Sequence[CheckLine]:
    """Address, token. Changes nothing in the shop."""
    try:
        client.execute(link, "ShopInfo", {})
    except VendorError as failure:
        return (CheckLine(name="credentials", is_ok=False, text=failure.text, fix="Correct it, then check again."),)
    return (CheckLine(name="credentials", is_ok=True, text=f"{shop_url(link.config)} answers to the access token."),)
