"""Who may call: Basic and query keys over https only, OAuth 1.0a over http (woocommerce-observed.md section 2)."""

import base64
import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote, unquote

from werkzeug.wrappers import Request

from connectors.simulators.base import HELD_KEY
from connectors.simulators.woocommerce.records import ApiKey
from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import WooError

WINDOW_S = 15 * 60
_METHODS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}
_REQUIRED = (
    "oauth_consumer_key",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
)
_HEADER_PART = re.compile(r'(oauth_[a-z_-]*)="([^"]*)"')


def is_https(shop: ShopState, request: Request) -> bool:
    """Does the shop believe it is called over TLS?"""
    if shop.settings.is_https is not None:
        return shop.settings.is_https
    forwarded = request.headers.get("X-Forwarded-Proto", "")
    return request.scheme == "https" or (shop.settings.is_forwarded_proto_trusted and forwarded == "https")


def authenticated_key(shop: ShopState, request: Request) -> ApiKey | None:
    """The key that calls, None for an anonymous caller. Raises WooError 401 for credentials that are wrong."""
    key = _simple_key(shop, request) if is_https(shop, request) else None
    key = key or _oauth_key(shop, request)
    if key is not None:
        _check_permission(key, request.method)
    return key


def refusal_for_nobody(method: str, *, is_single: bool) -> WooError:
    """What a caller without credentials reads: the same as one whose Basic header was ignored over http."""
    if method in ("GET", "HEAD"):
        message = "Sorry, you cannot view this resource." if is_single else "Sorry, you cannot list resources."
        return WooError(status=401, code="woocommerce_rest_cannot_view", message=message)
    verb = {"POST": "create", "DELETE": "delete"}.get(method, "edit")
    message = f"Sorry, you are not allowed to {verb} resources."
    return WooError(status=401, code=f"woocommerce_rest_cannot_{verb}", message=message)


def _error(message: str) -> WooError:
    return WooError(status=401, code="woocommerce_rest_authentication_error", message=message)


def _simple_key(shop: ShopState, request: Request) -> ApiKey | None:
    """Query keys win over the Basic header; an unknown key runs anonymously, a wrong secret is an error."""
    name, secret = request.args.get("consumer_key"), request.args.get("consumer_secret")
    if not (name and secret) and request.authorization and request.authorization.type == "basic":
        name, secret = request.authorization.username, request.authorization.password
    key = _find(shop, name or "")
    if key is not None and not hmac.compare_digest(key.consumer_secret, secret or ""):
        raise _error("Consumer secret is invalid.")
    return key


def _find(shop: ShopState, consumer_key: str) -> ApiKey | None:
    return next((key for key in shop.keys if key.consumer_key == consumer_key), None)


def _check_permission(key: ApiKey, method: str) -> None:
    needed = "read" if method in ("GET", "HEAD", "OPTIONS") else "write"
    if needed not in key.permissions:
        raise _error(f"The API key provided does not have {needed} permissions.")


def _oauth_key(shop: ShopState, request: Request) -> ApiKey | None:
    pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    header = _HEADER_PART.findall(request.headers.get("Authorization", ""))
    pairs += [(name, unquote(value)) for name, value in header]
    oauth = dict(pair for pair in pairs if pair[0].startswith("oauth_"))
    if not oauth:
        return None
    missing = [name for name in _REQUIRED if not oauth.get(name)]
    if missing:
        message = f"Missing OAuth parameter{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        raise WooError(status=401, code="woocommerce_rest_authentication_missing_parameter", message=message)
    key = _find(shop, oauth["oauth_consumer_key"])
    if key is None:
        raise _error("Consumer key is invalid.")
    _check_signature(shop, request, key, pairs, oauth)
    _check_freshness(shop, oauth, is_held=HELD_KEY in request.environ)
    return key


def _check_signature(
    shop: ShopState, request: Request, key: ApiKey, pairs: list[tuple[str, str]], oauth: dict[str, str]
) -> None:
    digest = _METHODS.get(oauth["oauth_signature_method"])
    if digest is None:
        raise _error("Invalid signature - signature method is invalid.")
    scheme = "https" if is_https(shop, request) else "http"
    url = f"{scheme}://{request.host}{request.path}"
    text = signature_base(request.method, url, pairs)
    wanted = hmac.new(f"{key.consumer_secret}&".encode(), text.encode(), digest).digest()
    # PHP reads `name[]` sent twice as an indexed array, so such a signature never matches (section 2).
    is_unindexed = any(name.endswith("[]") for name, _ in pairs)
    given = oauth["oauth_signature"].replace(" ", "+")
    if is_unindexed or not hmac.compare_digest(base64.b64encode(wanted).decode(), given):
        raise _error("Invalid signature - provided signature does not match.")


def signature_base(method: str, url: str, pairs: list[tuple[str, str]]) -> str:
    """The OAuth 1.0a string to sign; the signature itself is left out, the body is not part of it."""
    encoded = sorted((_escaped(name), _escaped(value)) for name, value in pairs if name != "oauth_signature")
    query = "&".join(f"{name}={value}" for name, value in encoded)
    return f"{method}&{_escaped(url)}&{_escaped(query)}"


def _escaped(text: str) -> str:
    return quote(text, safe="~")


def _check_freshness(shop: ShopState, oauth: dict[str, str], *, is_held: bool) -> None:
    """The time stamp within 15 minutes either way, and no nonce twice in that window.

    A late commit came in long before it is run: its stamp was fresh then.
    """
    now = int(shop.auth_clock.now().timestamp())
    try:
        stamp = int(oauth["oauth_timestamp"])
    except ValueError:
        stamp = 0
    if abs(now - stamp) > WINDOW_S and not is_held:
        raise _error("Invalid timestamp.")
    used = (oauth["oauth_consumer_key"], oauth["oauth_nonce"])
    if used in shop.nonces:
        raise _error("Invalid nonce - nonce has already been used.")
    shop.nonces = {nonce: at for nonce, at in shop.nonces.items() if now - at <= WINDOW_S} | {used: stamp}
