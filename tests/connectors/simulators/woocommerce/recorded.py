"""Replay the recordings of a real WooCommerce 11.0.1 against the simulator, in the order they were made.

The recordings are one history of one store. Replaying them in that order, with the store's clock and the few
changes that were not kept done by hand (`GIVEN`), brings the simulator into the state each request met.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from urllib.parse import urlencode

import requests
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY, Client

from connectors.simulators.base import SimulatedClock
from connectors.simulators.woocommerce import CartLine, Order, Refund, RefundLine, ShopSettings, WooShop
from connectors.simulators.wsgi_transport import mounted_session

FOLDER = Path(__file__).parents[3] / "recordings" / "woocommerce"
HOST = "http://127.0.0.1:8091"
START = datetime(2026, 11, 20, 20, 58, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recorded request with its answer."""

    name: str
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def answered_at(self) -> datetime:
        """When the real server answered."""
        return parsedate_to_datetime(self.response["headers"]["Date"])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the simulator answered to one recorded request."""

    status: int
    body: Any
    headers: dict[str, str]


@cache
def load_all() -> dict[str, Recording]:
    """Every recorded pair by "group/name"; files of other shapes (summaries, deliveries) are for other tests."""
    found = {}
    for path in sorted(FOLDER.glob("*/*.json")):
        content = json.loads(path.read_text())
        if isinstance(content, dict) and "request" in content:
            name = f"{path.parent.name}/{path.stem}"
            found[name] = Recording(name=name, request=content["request"], response=content["response"])
    return found


def _oauth_url(recording: Recording, clock: SimulatedClock, *, nonce: str) -> str:
    """The URL signed as the recorded client did, wrongly where the recording is about that."""
    request, name = recording.request, recording.name
    url = HOST + request["path"]
    if request["query"]:
        url += "?" + urlencode([(name, value) for name, value in request["query"]])
    stamp = int(clock.now().timestamp()) - (3600 if name.endswith("old_timestamp") else 0)
    key = {"auth/oauth1_unknown_key": "ck_unknown", "auth/read_only_key_write": "ck_read"}.get(name, "ck_test")
    client = Client(
        key,
        client_secret="cs_wrong" if name.endswith("bad_signature") else "cs_test",
        signature_method=SIGNATURE_HMAC_SHA1 if "sha1_over" in name else SIGNATURE_HMAC_SHA256,
        signature_type=SIGNATURE_TYPE_QUERY,
        timestamp=str(stamp),
        nonce=nonce,
    )
    signed: str = client.sign(url, http_method=request["method"])[0]
    return signed


@dataclass(kw_only=True)
class Replay:
    """The simulated store, set up as the recorded one."""

    shop: WooShop
    clock: SimulatedClock
    session: requests.Session

    def at(self, moment: datetime) -> None:
        """Move the clock to a recorded moment (never back)."""
        self.clock.advance(max(0, (moment - self.clock.now()).total_seconds()))

    def send(self, recording: Recording) -> Outcome:
        """Send one recorded request."""
        self.at(recording.answered_at)
        self._align_ids(recording)
        request = recording.request
        auth = request["auth"] or ""
        nonce = "used-before" if recording.name.endswith("replayed_nonce") else recording.name
        if nonce == "used-before":
            self.session.get(_oauth_url(recording, self.clock, nonce=nonce))
        url = _oauth_url(recording, self.clock, nonce=nonce) if auth == "oauth" else HOST + request["path"]
        headers = dict(request["extra_headers"])
        if auth.endswith("https_faked"):
            headers["X-Forwarded-Proto"] = "https"
        if auth.startswith("query"):
            url += "?consumer_key=ck_test&consumer_secret=cs_test"
        answer = self.session.request(
            request["method"],
            url,
            data=_data(request["body"]),
            headers={"Content-Type": "application/json", **headers},
            auth=("ck_test", "cs_test") if auth.startswith("basic") else None,
        )
        return Outcome(status=answer.status_code, body=answer.json(), headers=dict(answer.headers))

    def _align_ids(self, recording: Recording) -> None:
        """Continue the recorded numbering: requests that were not kept used ids too."""
        body = recording.response["body"]
        if recording.response["status"] != 201:
            return
        sequence = {"webhooks": "webhook", "taxes": "tax", "notes": "note"}.get(
            recording.request["path"].rpartition("/")[2], "post"
        )
        self.shop.state.continue_ids(sequence, body["id"] - 1)
        items = [item["id"] for kind in ("line_items", "shipping_lines") for item in body.get(kind, [])]
        if items:
            self.shop.state.continue_ids("item", min(items) - 1)


def _data(body: Any) -> bytes | None:
    if body is None:
        return None
    return body["__raw__"].encode() if "__raw__" in body else json.dumps(body).encode()


def new_replay() -> Replay:
    """The recorded store before its first request."""
    clock = SimulatedClock(START)
    shop = WooShop(clock=clock, auth_clock=clock, settings=ShopSettings(timezone="Europe/Madrid"))
    shop.webhooks.session = mounted_session(_receiver, "http://")
    shop.add_key("ck_test", "cs_test")
    shop.add_key("ck_read", "cs_test", permissions="read")
    return Replay(shop=shop, clock=clock, session=mounted_session(shop.app, HOST))


def _receiver(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [])
    return [b""]


def _make_catalogue(replay: Replay) -> None:
    shop = replay.shop
    shop.add_tax_rate(Decimal(21), name="IVA 21", country="ES")
    shop.add_tax_rate(Decimal(10), name="IVA 10", country="ES", tax_class="reduced-rate", is_for_shipping=False)
    shop.state._last_ids["post"] = 9
    shop.add_product("Linen shirt", Decimal("24.99"), sku="SHIRT-1", stock_quantity=60)


def _forget_new_taxes(replay: Replay) -> None:
    """The rates made by create_tax_rate_* came after the first orders and were removed again."""
    for rate_id in (3, 4):
        replay.shop.state.tax_rates.pop(rate_id, None)


def _order_with_id(replay: Replay, order_id: int, *, item_id: int = 0, **details: Any) -> None:
    if item_id:
        replay.shop.state.continue_ids("item", item_id - 1)
    replay.shop.state.continue_ids("post", order_id - 1)
    replay.shop.place_order([CartLine(product_id=10)], created_via="rest-api", **details)


def _refund_pieces(replay: Replay, order_id: int, refund_id: int, item_id: int, *, quantity: int = 1) -> Refund:
    """A refund of shirts at 30.24 each, by line and back to stock."""
    order = replay.shop.state.orders[order_id]
    replay.shop.state.continue_ids("post", refund_id - 1)
    replay.shop.state.continue_ids("item", item_id - 1)
    lines = [_shirts(order, quantity)]
    return replay.shop.staff_refund(order_id, quantity * Decimal("30.24"), lines=lines, is_restocked=True)


def _shirts(order: Order, quantity: int) -> RefundLine:
    net, tax = quantity * Decimal("24.99"), quantity * Decimal("5.25")
    return RefundLine(item_id=order.items[0].id, quantity=quantity, total=net, taxes={1: tax})


def _unkept_refunded_orders(replay: Replay) -> None:
    for order_id, item_id in ((45, 46), (47, 50), (49, 54)):
        _order_with_id(replay, order_id, item_id=item_id)
        _refund_pieces(replay, order_id, order_id + 1, item_id + 2)


def _refund_that_is_deleted(replay: Replay) -> None:
    """What the webhook recordings did to orders 51 and 55."""
    replay.shop.set_status(51, "completed")
    replay.shop.set_status(55, "completed")
    replay.shop.set_status(56, "completed")
    refund = _refund_pieces(replay, 51, 52, 60)
    replay.shop.state.set_meta(refund.meta, "returnsops_ref", "RET-2")
    replay.shop.staff_refund(51, Decimal("60.47"))
    replay.shop.trash(55)


def _cancelled_order(replay: Replay) -> None:
    _refund_pieces(replay, 61, 62, 75)
    replay.shop.set_status(61, "cancelled")


def _concurrent_rounds(replay: Replay) -> None:
    """Rounds of four refunds at once, of which as many are accepted as were in the recording."""
    shop = replay.shop
    for order_id, accepted in ((81, 4), (86, 2), (89, 1), (91, 1), (93, 1), (96, 4)):
        _order_with_id(replay, order_id, item_id=134 if order_id == 96 else 0)
        shop.settings.has_refund_lock = False
        shop.state.refund_pause = Barrier(accepted).wait
        line = _shirts(shop.state.orders[order_id], 1)
        threads = [
            Thread(target=shop.staff_refund, args=(order_id, Decimal("30.24")), kwargs={"lines": [line]})
            for _ in range(accepted)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        shop.settings.has_refund_lock, shop.state.refund_pause = True, None


def _last_order(replay: Replay) -> None:
    """Order 108, and two early orders that were changed by requests not kept."""
    replay.shop.settings.is_tax_included = False
    replay.shop.state.continue_ids("item", 153)
    replay.shop.state.continue_ids("post", 107)
    replay.shop.place_order([CartLine(product_id=10, quantity=2)], created_via="rest-api")
    for order_id in (21, 23):
        replay.shop.edit_order(order_id)


def _fail_deliveries(replay: Replay) -> None:
    replay.shop.state.webhooks[3].status = "disabled"


def _prices_include_tax(replay: Replay) -> None:
    replay.shop.settings.is_tax_included = True


def _timed_out_refund(replay: Replay) -> None:
    """The refund whose client closed the connection after 0.03 s."""
    replay.shop.state.continue_ids("post", 102)
    body = {"amount": "10.00", "api_refund": False, "meta_data": [{"key": "returnsops_ref", "value": "TMO"}]}
    request = {"method": "POST", "path": "/wp-json/wc/v3/orders/102/refunds", "query": [], "body": body}
    recorded = load_all()["refunds/refunds_after_client_timeout"]
    given = Recording(
        name="given",
        request=request | {"auth": "oauth", "extra_headers": {}},
        response=recorded.response | {"status": 0},
    )
    assert replay.send(given).status == 201


def _whole_refund(replay: Replay) -> None:
    _refund_pieces(replay, 73, 74, 98, quantity=2)


def _note_ids(replay: Replay) -> None:
    replay.shop.state.continue_ids("note", 110)


def _unpaid_and_cheque_orders(replay: Replay) -> None:
    _order_with_id(replay, 76, is_paid=False)
    _order_with_id(replay, 78, payment_method="stripe")
    _order_with_id(replay, 80, payment_method="cheque")


GIVEN: dict[str, Callable[[Replay], None]] = {
    "catalog/create_simple_product_reduced_tax": _make_catalogue,
    "catalog/create_simple_product": _forget_new_taxes,
    "orders/list_orders_by_modified": _unkept_refunded_orders,
    "refunds/delete_refund_with_force": _refund_that_is_deleted,
    "stock/order_for_zero_money_restock": _note_ids,
    "orders/create_zero_total_replacement_order": _cancelled_order,
    "refunds/delete_full_refund": _whole_refund,
    "refunds/order_for_client_timeout": _concurrent_rounds,
    "orders/hpos_modified_after_naive_gmt": _last_order,
    "refunds/refund_of_unpaid_order": _unpaid_and_cheque_orders,
    "webhooks/webhook_after_failures": _fail_deliveries,
    "refunds/refunds_after_client_timeout": _timed_out_refund,
    "orders/create_order_prices_include_tax": _prices_include_tax,
}
