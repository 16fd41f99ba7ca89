"""The HTTP dialect of WooCommerce's REST API v3: how to sign, how to read an error, how to page to the end.

Sources: woocommerce.md sections 1 and 2 and woocommerce-observed.md sections 2 to 4 of the project's references, and
github.com/woocommerce/woocommerce-rest-api-docs (wp-api-v3).
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from requests.auth import AuthBase, HTTPBasicAuth
from requests_oauthlib import OAuth1

from connectors.ports import Answer, AuthFailed, ConnectionConfig, Json, Link, OutcomeUnknown, Rejected, Retryable
from connectors.redaction import redact_text
from connectors.woocommerce.links import api_url, site_url

PER_PAGE: Final = 100
MAX_PAGES: Final = 500
READ_TIMEOUT_S: Final = 20.0
WRITE_TIMEOUT_S: Final = 60.0  # the shop's payment gateway is called inside the request

ORDER_UNKNOWN: Final = "woocommerce_rest_shop_order_invalid_id"
REFUND_FAILED: Final = "woocommerce_rest_cannot_create_order_refund"
NO_ROUTE: Final = "rest_no_route"

# Raised before anything is written (observed 2, 4.1, 4.9; woocommerce.md 2 and 4). Everything else that a write is
# answered with says nothing about what was done, whatever its HTTP status.
_REFUSALS: Final = frozenset(
    {
        ORDER_UNKNOWN,
        NO_ROUTE,
        "rest_invalid_json",
        "rest_invalid_param",
        "order_invalid_parent_id",
        "rest_missing_callback_param",
        "coupon_invalid_amount",
        "coupon_invalid_email_address",
        "woocommerce_rest_empty_coupon_code",
        "woocommerce_rest_shop_coupon_invalid_id",
        "woocommerce_rest_invalid_customer_id",
        "woocommerce_rest_invalid_order_id",
        "woocommerce_rest_invalid_order_refund",
        "woocommerce_rest_required_product_reference",
        "woocommerce_rest_shop_webhook_invalid_delivery_url",
        "woocommerce_rest_shop_webhook_invalid_id",
        "woocommerce_rest_shop_webhook_invalid_topic",
    }
)
_AUTH_PREFIXES: Final = (
    "woocommerce_rest_authentication_",
    "woocommerce_rest_cannot_view",
    "woocommerce_rest_cannot_read",
    "woocommerce_rest_cannot_create",
    "woocommerce_rest_cannot_edit",
    "woocommerce_rest_cannot_batch",
    "woocommerce_rest_cannot_delete",
    "rest_forbidden",
    "rest_not_logged_in",
)
_MEANINGS: Final = {
    ORDER_UNKNOWN: "the shop has no such order",
    "woocommerce_rest_invalid_order_id": "the shop has no such order",
    NO_ROUTE: "the shop has no such address; check base_url, permalinks and that WooCommerce is active",
    REFUND_FAILED: "the shop refused the refund (more than what is left to refund, or a gateway that cannot refund)",
}


def get(link: Link, path: str, *, params: Mapping[str, str] | None = None) -> Answer:
    """Read one resource; the answer is 2xx with JSON.

    Raises AuthFailed, Rejected(code of the shop) for a definite answer such as an unknown id, Retryable otherwise.
    """
    answer = _call(link, "GET", path, params=params, body=None, timeout_s=READ_TIMEOUT_S)
    if not _is_good(answer):
        _raise_for_read(answer, f"GET {path}")
    return answer


def write(link: Link, method: str, path: str, *, body: Json, is_gateway_called: bool = False) -> Json:
    """POST or PUT and the JSON of a 2xx answer.

    Raises Rejected only for codes known to mean that nothing was done, AuthFailed, RateLimited, and OutcomeUnknown for
    all else (observed 4.1: business refusals come as HTTP 500, so the status decides nothing).
    """
    answer = _call(link, method, path, params=None, body=body, timeout_s=WRITE_TIMEOUT_S)
    if not _is_good(answer):
        _raise_for_write(answer, f"{method} {path}", is_gateway_called=is_gateway_called)
    return answer.json


def get_all(link: Link, path: str, *, params: Mapping[str, str] | None = None) -> tuple[Json, ...]:
    """All rows of a list, each id once, by counting pages: the Link header repeats the signature (observed 2).

    Raises Retryable where rows came or went while paging, so that a list is never taken for whole when it is not.
    """
    rows: dict[str, Json] = {}
    for page in range(1, MAX_PAGES + 1):
        answer = get(link, path, params={**(params or {}), "per_page": str(PER_PAGE), "page": str(page)})
        listed = rows_of(answer, path)
        rows.update({str(row["id"]): row for row in listed})
        if page >= total_pages(answer, listed, page=page):
            _check_count(answer, rows, path)
            return tuple(rows.values())
    raise Retryable(f"GET {path}: more than {MAX_PAGES} pages; the list was not read to its end.")


def rows_of(answer: Answer, path: str) -> list[dict[str, Any]]:
    """The rows of one page. Raises Retryable where the answer is no list of objects with ids."""
    if not isinstance(answer.json, list) or not all(isinstance(row, dict) and "id" in row for row in answer.json):
        raise Retryable(f"GET {path}: the shop answered something that is not a list of records.")
    return answer.json


def total_pages(answer: Answer, listed: Sequence[Json], *, page: int) -> int:
    """How many pages there are; where the header is missing, one more as long as pages are full."""
    count = answer.headers.get("x-wp-totalpages", "")
    if count.isascii() and count.isdigit():
        return int(count)
    return page + 1 if len(listed) >= PER_PAGE else page


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def auth_for(config: ConnectionConfig) -> AuthBase:
    """Basic over https; OAuth 1.0a over http, for loopback only (observed 2: Basic over http is silently ignored).

    Raises AuthFailed for plain http to another machine, where keys and customer data would travel readable, and for
    missing keys.
    """
    key, secret = config.secret("consumer_key"), config.secret("consumer_secret")
    parts = urlsplit(site_url(config))
    if parts.scheme == "https":
        return HTTPBasicAuth(key.encode(), secret.encode())
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return _oauth(key, secret)
    raise AuthFailed(
        f"Connection {config.name} uses {parts.scheme or 'no scheme'}:// to {parts.hostname or 'no host'}: set base_url"
        " to the shop's https:// address. Plain http is allowed for this machine only."
    )


def error_code(answer: Answer) -> str:
    """The shop's error code, '' where the body is none of its errors (HTML pages of proxies and PHP failures)."""
    code = answer.json.get("code") if isinstance(answer.json, dict) else None
    return code if isinstance(code, str) else ""


def _oauth(key: str, secret: str) -> AuthBase:
    auth: AuthBase = OAuth1(key, client_secret=secret, signature_method="HMAC-SHA256", signature_type="auth_header")
    return auth


def _call(
    link: Link, method: str, path: str, *, params: Mapping[str, str] | None, body: Json, timeout_s: float
) -> Answer:
    return link.call(
        method,
        api_url(link.config, path),
        params=params,
        json=body,
        headers={"Accept": "application/json"},
        auth=auth_for(link.config),
        timeout_s=timeout_s,
        is_write=method != "GET",
    )


def _is_good(answer: Answer) -> bool:
    return 200 <= answer.status < 300 and isinstance(answer.json, dict | list)


def _raise_for_read(answer: Answer, label: str) -> NoReturn:
    code = error_code(answer)
    _raise_if_auth(answer, code, label)
    evidence = _evidence(answer, code)
    if code and answer.status < 500:
        raise Rejected(_text(label, answer, code), code=code, evidence=evidence)
    if 300 <= answer.status < 400:
        text = f"{label}: the shop sends on to another address; set base_url to the address it really answers at."
        raise Rejected(text, code="redirected", evidence=evidence)
    raise Retryable(_text(label, answer, code), evidence=evidence)


def _raise_for_write(answer: Answer, label: str, *, is_gateway_called: bool) -> NoReturn:
    code = error_code(answer)
    _raise_if_auth(answer, code, label)
    evidence = _evidence(answer, code)
    if 300 <= answer.status < 400:
        text = f"{label}: the shop sends on to another address; set base_url to the address it really answers at."
        raise Rejected(text, code="redirected", evidence=evidence)
    is_refusal = code in _REFUSALS or (code == REFUND_FAILED and not is_gateway_called)
    if is_refusal:
        raise Rejected(_text(label, answer, code), code=code, evidence=evidence)
    raise OutcomeUnknown(f"{_text(label, answer, code)} Whether it was carried out is not known.", evidence=evidence)


def _raise_if_auth(answer: Answer, code: str, label: str) -> None:
    is_refused = answer.status in (401, 403) and code.startswith(_AUTH_PREFIXES)
    if is_refused:
        text = (
            f"{label}: the shop refused the API key ({code}). Check in WooCommerce > Settings > Advanced > REST API"
            " that the key exists, has read/write permission and belongs to a shop manager, and that both clocks agree."
        )
        raise AuthFailed(text, evidence=_evidence(answer, code))


def _text(label: str, answer: Answer, code: str) -> str:
    """In our words: the shop's own message is translated by its language and only shown, never understood."""
    if not code:
        return f"{label}: the shop answered HTTP {answer.status} with a page instead of data."
    meaning = _MEANINGS.get(code, "the shop refused")
    message = answer.json.get("message")
    said = f' It says: "{redact_text(message)[:200]}"' if isinstance(message, str) and message else ""
    return f"{label}: {meaning} ({code}).{said}"


def _evidence(answer: Answer, code: str) -> dict[str, Any]:
    return {"status": answer.status, "code": code, "content_type": answer.headers.get("content-type", "")[:80]}


def _check_count(answer: Answer, rows: Mapping[str, Json], path: str) -> None:
    count = answer.headers.get("x-wp-total", "")
    # A page past the end counts 0 rows (observed 3), so only more than what was read is a sign.
    if count.isascii() and count.isdigit() and int(count) > len(rows):
        raise Retryable(f"GET {path}: the list changed while it was read.")
