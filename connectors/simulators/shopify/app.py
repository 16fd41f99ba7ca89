"""The WSGI app of the shop: the GraphQL address, the token address, bulk files, and the read-only page."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from connectors.simulators.base import send
from connectors.simulators.shopify.auth import TOKEN_PATH, give_token, refusal
from connectors.simulators.shopify.bulk_operations import finish
from connectors.simulators.shopify.executing import run, run_bulk
from connectors.simulators.shopify.page import order_page, shop_page
from connectors.simulators.shopify.state import ShopState

_GRAPHQL = re.compile(r"/admin/api/(?P<version>[\w-]+)/graphql\.json")
ORDERS = "/admin/orders/"  # where links of ours to an order lead (connectors/shopify/links.py)
_RESULT = re.compile(r"/bulk/(?P<number>\d+)\.jsonl")


@dataclass(kw_only=True)
class ShopifyApp:
    """The shop as a WSGI app. `page_source` gives the call log to the read-only page."""

    shop: ShopState
    page_source: Callable[[], list[Any]] = list

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        with self.shop.lock:
            self.shop.home_url = request.host_url.rstrip("/")
            return send(self._respond(request), start_response)

    def _respond(self, request: Request) -> Response:
        if request.path == "/":
            return Response(shop_page(self.shop, self.page_source()), content_type="text/html; charset=utf-8")
        if request.path.startswith(ORDERS):
            return self._order(request.path.removeprefix(ORDERS))
        if request.path == TOKEN_PATH and request.method == "POST":
            return _json(*give_token(self.shop, request))
        if (result := _RESULT.fullmatch(request.path)) is not None:
            return self._result(int(result["number"]))
        called = _GRAPHQL.fullmatch(request.path)
        if called is None or request.method != "POST":
            return _json(404, {"errors": "Not Found"})
        return self._graphql(request, called["version"])

    def _graphql(self, request: Request, asked_version: str) -> Response:
        refused = refusal(self.shop, request)
        if refused is not None:
            return _json(*refused)
        try:
            body = json.loads(request.get_data())
        except ValueError:
            return _json(400, {"errors": {"query": "Required parameter missing or invalid"}})
        self.finish_bulks()
        answer = _json(200, run(self.shop, body))
        answer.headers["X-Shopify-API-Version"] = self._served(asked_version)
        return answer

    def finish_bulks(self) -> None:
        """End the bulk operations that have run long enough."""
        due = self.shop.now() - timedelta(seconds=self.shop.settings.bulk_duration_s)
        for bulk in self.shop.bulks.values():
            if bulk.status in ("CREATED", "RUNNING", "CANCELING") and bulk.created_at <= due:
                finish(self.shop, bulk, None if bulk.status == "CANCELING" else run_bulk(self.shop, bulk.text))

    def _served(self, asked: str) -> str:
        """A version that is gone falls forward to the oldest that is supported."""
        supported = self.shop.settings.supported_versions
        return asked if asked in supported or asked == "unstable" else min(supported)

    def _order(self, number: str) -> Response:
        order = self.shop.orders.get(int(number)) if number.isdecimal() else None
        if order is None:
            return Response("There is no such order here.", status=404, content_type="text/plain; charset=utf-8")
        return Response(order_page(self.shop, order), content_type="text/html; charset=utf-8")

    def _result(self, number: int) -> Response:
        bulk = self.shop.bulks.get(number)
        if bulk is None or bulk.result is None:
            return Response("", status=404)
        return Response(bulk.result, content_type="application/jsonl")


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json; charset=utf-8")
