"""The WSGI app of the shop: routes, credentials, the order in which WordPress checks a request, headers."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from connectors.simulators.base import send
from connectors.simulators.woocommerce import (
    coupon_endpoints,
    gateway_endpoints,
    note_endpoints,
    order_endpoints,
    product_endpoints,
    refund_endpoints,
    screens,
    webhook_endpoints,
)
from connectors.simulators.woocommerce.arguments import Answer, Call, json_body, query_lists
from connectors.simulators.woocommerce.auth import authenticated_key, is_https, refusal_for_nobody
from connectors.simulators.woocommerce.page import shop_page
from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import WooError, php_json

PREFIX = "/wp-json/wc/v3"

# Handlers that do their own locking, because they wait for something: a second refund, a webhook receiver.
_UNLOCKED = (refund_endpoints.post_refund, webhook_endpoints.create_webhook)

ROUTES: dict[str, dict[str, Callable[..., Answer]]] = {
    "/orders": {"GET": order_endpoints.list_orders, "POST": order_endpoints.create_order},
    "/orders/<int:order_id>": {
        "GET": order_endpoints.get_order,
        "PUT": order_endpoints.update_order,
        "POST": order_endpoints.update_order,
        "PATCH": order_endpoints.update_order,
        "DELETE": order_endpoints.delete_order,
    },
    "/orders/<int:order_id>/notes": {"GET": note_endpoints.list_notes, "POST": note_endpoints.create_note},
    "/orders/<int:order_id>/notes/<int:note_id>": {
        "GET": note_endpoints.get_note,
        "DELETE": note_endpoints.delete_note,
    },
    "/orders/<int:order_id>/refunds": {"GET": refund_endpoints.list_refunds, "POST": refund_endpoints.post_refund},
    "/orders/<int:order_id>/refunds/<int:refund_id>": {
        "GET": refund_endpoints.get_refund,
        "DELETE": refund_endpoints.remove_refund,
    },
    "/refunds": {"GET": refund_endpoints.list_all_refunds},
    "/payment_gateways": {"GET": gateway_endpoints.list_gateways},
    "/payment_gateways/<string:gateway_id>": {"GET": gateway_endpoints.get_gateway},
    "/products": {"GET": product_endpoints.list_products, "POST": product_endpoints.create_product},
    "/products/batch": {"POST": product_endpoints.batch_products},
    "/products/<int:product_id>": {
        "GET": product_endpoints.get_product,
        "PUT": product_endpoints.update_product,
        "DELETE": product_endpoints.delete_product,
    },
    "/products/<int:product_id>/variations": {
        "GET": product_endpoints.list_variations,
        "POST": product_endpoints.create_variation,
    },
    "/products/<int:product_id>/variations/batch": {"POST": product_endpoints.batch_variations},
    "/products/<int:product_id>/variations/<int:variation_id>": {
        "GET": product_endpoints.get_variation,
        "PUT": product_endpoints.update_variation,
    },
    "/coupons": {"GET": coupon_endpoints.list_coupons, "POST": coupon_endpoints.create_coupon},
    "/coupons/<int:coupon_id>": {
        "GET": coupon_endpoints.get_coupon,
        "PUT": coupon_endpoints.update_coupon,
        "POST": coupon_endpoints.update_coupon,
        "PATCH": coupon_endpoints.update_coupon,
        "DELETE": coupon_endpoints.delete_coupon,
    },
    "/taxes": {"GET": product_endpoints.list_taxes, "POST": product_endpoints.create_tax},
    "/webhooks": {"GET": webhook_endpoints.list_webhooks, "POST": webhook_endpoints.create_webhook},
    "/webhooks/<int:webhook_id>": {
        "GET": webhook_endpoints.get_webhook,
        "PUT": webhook_endpoints.update_webhook,
        "DELETE": webhook_endpoints.delete_webhook,
    },
}

_URLS = Map([Rule(PREFIX + path, endpoint=path) for path in ROUTES])


@dataclass(kw_only=True)
class WooApp:
    """The shop as a WSGI app. `page_source` gives the call log to the read-only page."""

    shop: ShopState
    page_source: Callable[[], list[Any]] = list

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        return send(self._respond(Request(environ)), start_response)

    def _respond(self, request: Request) -> Response:
        if request.path == "/":
            with self.shop.lock:
                return Response(shop_page(self.shop, self.page_source()), content_type="text/html; charset=utf-8")
        if request.path.startswith(screens.FOLDER):
            with self.shop.lock:
                return screens.screen(self.shop, request.path, request.args)
        home = f"{'https' if is_https(self.shop, request) else 'http'}://{request.host}"
        if not self.shop.settings.home_url:
            self.shop.settings.home_url = home
        try:
            answer = self._handle(request, home)
        except WooError as error:
            answer = Answer(body=error.body(), status=error.status)
        headers = _headers(answer, request, home)
        return Response(php_json(answer.body), status=answer.status, headers=headers)

    def _handle(self, request: Request, home: str) -> Answer:
        """WordPress's order: credentials, route, JSON, then rights and arguments."""
        with self.shop.lock:
            key = authenticated_key(self.shop, request)
        handler, ids = _match(request)
        body = json_body(request.get_data(), request.content_type or "")
        if key is None:
            raise refusal_for_nobody(request.method, is_single=bool(ids))
        pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True)
        call = Call(
            shop=self.shop,
            method=request.method,
            base=home + PREFIX,
            url=request.base_url,
            query=query_lists(pairs),
            body=body,
        )
        with nullcontext() if handler in _UNLOCKED else self.shop.lock:
            return handler(call, **ids)


def _match(request: Request) -> tuple[Callable[..., Answer], dict[str, int]]:
    try:
        path, ids = _URLS.bind_to_environ(request.environ).match(method=request.method)
        return ROUTES[path][request.method], dict(ids)
    except (HTTPException, KeyError) as error:
        message = "No route was found matching the URL and request method."
        raise WooError(status=404, code="rest_no_route", message=message) from error


def _headers(answer: Answer, request: Request, home: str) -> list[tuple[str, str]]:
    headers = [("Content-Type", "application/json; charset=UTF-8"), ("X-Robots-Tag", "noindex")]
    headers.append(("Link", f'<{home}/wp-json/>; rel="https://api.w.org/"'))
    if answer.location:
        headers.append(("Location", answer.location))
    if answer.total is None:
        return headers
    pages = ceil(answer.total / answer.per_page)
    headers += [("X-WP-Total", str(answer.total)), ("X-WP-TotalPages", str(pages))]
    if answer.page < pages:
        # The real server repeats the whole query here, signature and nonce included: not to be followed.
        pairs = [pair for pair in parse_qsl(request.query_string.decode()) if pair[0] != "page"]
        query = urlencode([*pairs, ("page", str(answer.page + 1))])
        headers.append(("Link", f'<{home}{request.path}?{query}>; rel="next"'))
    return headers
