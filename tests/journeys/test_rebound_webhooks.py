"""ReBound's webhooks by a middleware beside the polling of V1: whatever comes both ways, and in which order, is one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.rebound.connector import default_mapping
from connectors.reveni.samples import sample_event
from connectors.signing import sign
from connectors.simulators.woocommerce.records import Order, Product
from returnsops import states
from tests.journeys.rebound_world import MEANING, WEBHOOK_SECRET, ReboundPair, rebound_account
from tests.journeys.world import World, as_json, configuration_text, post_raw, world

pytestmark = pytest.mark.django_db
VERIFIER: Mapping[str, Any] = {"kind": "standard_webhooks"}
RETURN_AT = 'webhook_return_path = "$.rma.ref"'


@dataclass(frozen=True, kw_only=True)
class Heard(ReboundPair[World]):
    """Shop and ReBound, and a return of one unit of two that were bought; the middleware has ids of its own."""

    sent: list[str] = field(default_factory=list)

    def bought(self) -> tuple[Order, Product, str]:
        """An order of two units, and the return of one of them, on its way."""
        product = self.w.product(stock=10)
        order = self.w.order((product, 2))
        return_id = self.placed(str(order.id), {"sku_code": product.own_sku})
        return order, product, return_id

    def event(self, kind: str, return_id: str, product: Product, *, at: datetime, **row: Any) -> dict[str, Any]:
        """An event of the contract about the return; ``row`` changes its verdict."""
        self.sent.append(kind)
        shown = self.account.returns[return_id]
        item = {
            "id": "line-77",
            "sku": product.own_sku,
            "quantity": 1,
            "reason_code": "Damaged",
            "resolution": "refund",
        }
        event = sample_event(
            kind,
            event_id=f"evt_{len(self.sent)}",
            return_id=return_id,
            number=shown["display_id"],
            order_id=shown["order_reference"],
            currency="EUR",
            items=[item],
            revision=40 + len(self.sent),
            at=at,
        )
        event["data"]["return"] |= {"created_at": self.w.now().isoformat(), "resolution": "refund"}
        if "items" in event["data"]:
            verdict = {"outcome": "accepted", "disposition": "sellable", "disposition_final": True}
            event["data"]["items"] = [
                {**one, **verdict, "inspected_at": at.isoformat(), **row} for one in event["data"]["items"]
            ]
        return event

    def hear(self, body: Any, *, status: int = 202, verifier: Mapping[str, Any] = VERIFIER) -> None:
        """A signed delivery, and everything that follows."""
        raw = as_json(body)
        headers = sign(verifier=verifier, secret=WEBHOOK_SECRET, body=raw, at=self.w.now(), message_id="msg_1")
        assert post_raw(raw, headers, connection="rebound").status_code == status
        self.w.settle()


@contextmanager
def heard(**given: Any) -> Iterator[Heard]:
    """Shop and ReBound on a live route."""
    with world(is_live=False) as w, rebound_account() as (account, url):
        made = Heard(w=w, account=account, url=url, shop_text=configuration_text(w))
        made.install(trigger="disposition_final", **given)
        yield made


def moved(p: Heard, order: Order, product: Product) -> tuple[int, int | None]:
    """Refunds of the order, and what is on the shelf (8 before anything came back)."""
    return len(p.w.money_refunds(order)), p.w.shop.stock_of(product.id)


@pytest.mark.requirement("S5-15")
@pytest.mark.parametrize("is_heard_first", [True, False])
def test_a_verdict_that_comes_both_ways_is_one_refund_and_one_restock(is_heard_first: bool) -> None:
    with heard() as p:
        order, product, return_id = p.bought()
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        judged_at = p.w.now() + timedelta(minutes=1)
        p.w.shift(120)
        for is_heard in (is_heard_first, not is_heard_first):
            if is_heard:
                event = p.event("return.item_inspected", return_id, product, at=judged_at)
                p.hear(event)
                p.hear(event, status=200)
            else:
                p.account.dispose(return_id, "GRADE A")
                p.poll()
            assert moved(p, order, product) == (1, 9)
        p.hear(p.event("return.inspection_completed", return_id, product, at=judged_at))
        p.account.track(return_id, "Delivered")
        p.poll()
        assert (moved(p, order, product), p.w.open_cases()) == ((1, 9), [])
        assert [line.external_id for line in p.w.rma(return_id).lines.all()] == [f"{return_id}:{product.own_sku}:1"]


def test_the_newest_state_counts_whichever_way_it_comes_and_however_late_an_older_one_is() -> None:
    with heard() as p:
        order, product, return_id = p.bought()
        early = p.w.now()
        p.account.track(return_id, "Arrived at Our Hub")
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert moved(p, order, product) == (1, 9)
        p.hear(p.event("return.item_inspected", return_id, product, at=early, disposition="damaged"))
        assert (moved(p, order, product), p.w.open_cases()) == ((1, 9), [])

        p.w.shift(60)
        p.hear(p.event("return.item_inspected", return_id, product, at=p.w.now(), disposition="damaged"))
        assert p.w.open_cases() == [states.CASE_RESTOCK_CONTRADICTED]
        p.account.dispose(return_id, "BIN")
        p.poll()
        assert p.w.open_cases() == [states.CASE_RESTOCK_CONTRADICTED]
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert p.w.open_cases() == []

        p.hear(p.event("return.updated", return_id, product, at=p.w.now()))  # hides nothing that is read after it
        p.account.dispose(return_id, None)
        p.poll()
        assert p.w.open_cases() == [states.CASE_REFUND_CONTRADICTED, states.CASE_RESTOCK_CONTRADICTED]
        assert moved(p, order, product) == (1, 9)


LINES = "$.rma.lines"
OWN: dict[str, Any] = {
    "version": 1,
    "envelope": {"id": "$.msg", "occurred_at": {"path": "$.at", "as": "epoch_s"}},
    "rules": [
        {"when": [{"path": "$.event", "in": ["graded"], "norm": "snake"}], "emit": ["return.item_inspected"]},
        {"when": [{"path": "$.event", "in": ["changed"], "norm": "snake"}], "emit": ["return.updated"]},
    ],
    "fields": {
        "return.id": "$.rma.ref",
        "return.number": "$.rma.number",
        "return.order.number": "$.rma.order",
        "return.created_at": {"path": "$.rma.opened", "as": "epoch_s"},
        "return.items": {
            "each": LINES,
            "map": {"sku": "@.article", "quantity": "@.units", "reason_code": "@.why", "resolution": "@.wish"},
        },
        "items": {
            "each": LINES,
            "map": {
                "sku": "@.article",
                "quantity": "@.units",
                "outcome": {"const": "accepted"},
                "disposition": "@.grade",
                "disposition_final": {"const": True},
            },
        },
    },
    "values": {"disposition": {"B": "sellable"}, "resolution": {"money": "refund"}},
    "fallback": {"missing_items": "fetch"},
}


def test_messages_in_the_middlewares_own_words_are_read_through_a_mapping_of_their_own() -> None:
    """Signed in its own way too; a message that says too little is answered by reading the return."""
    mapping = {**default_mapping(), "values": MEANING, "webhooks": OWN}
    verifier = {"kind": "hmac_sha256_hex", "header": "X-Relay-Signature"}
    with heard(mapping=mapping, verifier=verifier, settings=RETURN_AT) as p:
        order, product, return_id = p.bought()
        opened = int(p.w.now().timestamp())
        p.w.shift(60)
        nudge = {"msg": "m-1", "event": "Changed", "at": opened + 60, "rma": {"ref": return_id}}
        p.hear(nudge, verifier=verifier)
        assert (p.w.rma(return_id).status, moved(p, order, product)) == ("authorised", (0, 8))
        line = {"article": product.own_sku, "units": 1, "why": "Damaged", "wish": "money", "grade": "B"}
        shown = {"ref": return_id, "number": "RB-1", "order": str(order.id), "opened": opened, "lines": [line]}
        graded = {"msg": "m-2", "event": "Graded", "at": opened + 60, "rma": shown}
        p.hear(graded, verifier=verifier)
        assert (moved(p, order, product), p.w.open_cases()) == ((1, 9), [])
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert (moved(p, order, product), p.w.open_cases()) == ((1, 9), [])
        assert post_raw(as_json(graded), {}, connection="rebound").status_code == 401
