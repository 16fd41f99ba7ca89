"""Who may call: static tokens, and tokens given out for the app's credentials that live for a day (section 1)."""

from datetime import timedelta
from hmac import compare_digest
from secrets import token_hex
from typing import Any

from werkzeug.wrappers import Request

from connectors.simulators.shopify.state import ShopState

TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105 - a path
GRANT = "client_credentials"


def refusal(shop: ShopState, request: Request) -> tuple[int, dict[str, Any]] | None:
    """Why this call is not heard, None where it is."""
    if shop.access.refusal:
        return shop.access.refusal, {"errors": _CLOSED.get(shop.access.refusal, "Unavailable Shop")}
    token = request.headers.get("X-Shopify-Access-Token", "")
    if not is_valid(shop, token):
        return 401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
    return None


_CLOSED = {402: "Unavailable Shop", 403: "User does not have access", 423: "This shop is locked"}


def is_valid(shop: ShopState, token: str) -> bool:
    """A token that was given out and has not ended."""
    if token not in shop.access.tokens:
        return False
    ends_at = shop.access.tokens[token]
    return ends_at is None or ends_at > shop.clock.now()


def give_token(shop: ShopState, request: Request) -> tuple[int, dict[str, Any]]:
    """The client-credentials grant."""
    form = request.form
    if form.get("grant_type") != GRANT:
        return 400, {"error": "unsupported_grant_type", "error_description": "The grant type is not supported."}
    is_known = compare_digest(form.get("client_id", ""), shop.access.client_id) and compare_digest(
        form.get("client_secret", ""), shop.access.client_secret
    )
    if not is_known:
        return 400, {"error": "invalid_client", "error_description": "Client authentication failed."}
    token = f"shpat_{token_hex(16)}"
    shop.access.tokens[token] = shop.clock.now() + timedelta(seconds=shop.settings.token_life_s)
    return 200, {
        "access_token": token,
        "scope": ",".join(shop.access.scopes),
        "expires_in": shop.settings.token_life_s,
    }
