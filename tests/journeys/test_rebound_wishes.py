"""A wish that V1 goes on showing after a middleware told its end: read again it is no new wish; made anew it is."""

from typing import Any

import pytest

from connectors.reveni.samples import sample_event
from connectors.signing import sign
from connectors.simulators.shopify.records import Order, Variant
from exceptions_queue.models import ExceptionCase
from returnsops import states
from tests.journeys.rebound_world import MEANING, WEBHOOK_SECRET, ShopifyPair, shopify_pair
from tests.journeys.test_shopify_rebound_journeys import EXCHANGES, NAMED, swap
from tests.journeys.world import as_json, post_raw

pytestmark = pytest.mark.django_db
KEEP: dict[str, Any] = {"reason": [{"action": "return", "reason": "Damaged", "wish": "Keep"}]}


def asked_for(p: ShopifyPair) -> tuple[Order, Variant, Variant, str]:
    """An order of one unit, the articles there are instead, and its return, of which nothing was read yet."""
    wishes = {**MEANING["resolution"], "Keep": "none", "Swap": "exchange"}
    p.mean({**MEANING, "resolution": wishes}, exchanges=NAMED)
    tee, large, small = (p.w.variant(sku) for sku in ("TEE-BLK-M", "TEE-BLK-L", "TEE-BLK-S"))
    order = p.w.sale((tee, 1))
    return order, large, small, p.ask(order, tee, **swap(large.sku))


def hear(p: ShopifyPair, kind: str, return_id: str, order: Order) -> None:
    """What a middleware says of the exchange a minute later, and everything that follows."""
    p.w.shift(60)
    at = p.w.now()
    shown = p.account.returns[return_id]
    (item,) = shown["item"]
    line = {"id": "line-1", "sku": item["sku_code"], "quantity": 1, "resolution": "exchange", "reason_code": "Damaged"}
    about = {"return_id": return_id, "number": shown["display_id"], "order_id": str(order.id)}
    event = sample_event(kind, event_id=f"{kind}:{at}", items=[line], at=at, **about)
    event["data"]["return"] |= {"created_at": shown["date_added"].replace(" ", "T") + "Z", "resolution": "exchange"}
    replacement = {"sku": item["reason"][0]["additional"]["value"], "quantity": 1, "replaces_item_id": "line-1"}
    event["data"]["exchange"] = {"id": "exc-7", "lines": [replacement]}
    raw = as_json(event)
    headers = sign(
        verifier={"kind": "standard_webhooks"}, secret=WEBHOOK_SECRET, body=raw, at=p.w.now(), message_id=event["id"]
    )
    assert post_raw(raw, headers, connection="rebound").status_code == 202
    p.w.settle()


def judged(p: ShopifyPair, return_id: str) -> None:
    """The goods come in and are accepted, which is what a replacement waits for; read with the return."""
    p.account.track(return_id, "Arrived at Our Hub")
    p.account.dispose(return_id, "GRADE A")
    p.poll()


def placed(p: ShopifyPair, sold: Order) -> list[str]:
    """SKUs of the replacement orders that were asked for."""
    made = [order for order in p.w.store.state.orders.values() if order.id != sold.id]
    return [line.sku for order in made for line in order.lines]


def test_a_wish_read_again_unchanged_after_its_cancellation_was_heard_sends_nothing() -> None:
    with shopify_pair(tables=EXCHANGES) as p:
        order, large, _, return_id = asked_for(p)
        p.poll()
        hear(p, "exchange.cancelled", return_id, order)
        judged(p, return_id)
        p.account.track(return_id, "Delivered")
        p.poll()
        assert p.w.rma(return_id).exchanges.get().cancelled_at is not None
        assert (p.w.asked("ExchangeOrderCreate"), p.w.stock(large), p.w.open_cases()) == ([], 10, [])


def test_the_same_wish_taken_back_in_v1_and_made_again_is_sent_once() -> None:
    with shopify_pair(tables=EXCHANGES) as p:
        order, large, _, return_id = asked_for(p)
        p.poll()
        hear(p, "exchange.cancelled", return_id, order)
        p.account.change_item(return_id, 0, **KEEP)
        p.poll()
        p.account.change_item(return_id, 0, **swap(large.sku))
        judged(p, return_id)
        p.account.track(return_id, "Delivered")
        p.poll()
        assert (placed(p, order), p.w.stock(large), p.w.open_cases()) == ([large.sku], 9, [])


def test_other_goods_wished_after_a_reading_that_is_newer_than_the_cancellation_are_a_new_wish() -> None:
    with shopify_pair(tables=EXCHANGES) as p:
        order, large, small, return_id = asked_for(p)
        p.poll()
        hear(p, "exchange.cancelled", return_id, order)
        judged(p, return_id)
        p.account.change_item(return_id, 0, **swap(small.sku))
        p.poll()
        assert (placed(p, order), p.w.stock(large), p.w.stock(small), p.w.open_cases()) == ([small.sku], 10, 9, [])


@pytest.mark.parametrize("is_read_before", [True, False])
def test_a_wish_that_may_be_older_than_its_cancellation_is_a_case_and_sends_nothing(is_read_before: bool) -> None:
    """Changed between two readings, or read for the first time, with the cancellation heard of in between."""
    with shopify_pair(tables=EXCHANGES) as p:
        order, large, small, return_id = asked_for(p)
        if is_read_before:
            p.poll()
        hear(p, "exchange.cancelled", return_id, order)
        wanted = small if is_read_before else large
        p.account.change_item(return_id, 0, **swap(wanted.sku))
        judged(p, return_id)
        p.account.track(return_id, "Delivered")
        p.poll()
        assert (p.w.asked("ExchangeOrderCreate"), p.w.stock(large), p.w.stock(small)) == ([], 10, 10)
        assert p.w.open_cases() == [states.CASE_EXCHANGE_WISH_UNCLEAR]
        case = ExceptionCase.objects.get()
        assert (case.owner_team, case.occurrences, case.evidence["wanted"]) == (states.CX, 1, f"1 x {wanted.sku}")

        hear(p, "exchange.requested", return_id, order)  # the middleware knows, and says when
        assert placed(p, order) == [wanted.sku]
