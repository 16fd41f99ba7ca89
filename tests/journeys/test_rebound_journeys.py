"""WooCommerce and ReBound: polling alone, money by our policy, stock on the final disposition, cases for the rest."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from connectors import mappings, polling
from connectors.rebound.connector import default_mapping
from connectors.reveni.samples import sample_event
from connectors.signing import sign
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.woocommerce.records import Order, Product
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops.facts import InspectedItem, ItemsInspected
from returnsops.models import InboundEvent, ReturnAuthorisation
from returnsops.services import acts, switches
from tests.journeys.rebound_world import MEANING, WEBHOOK_SECRET, ReboundPair, rebound_account
from tests.journeys.world import World, as_json, configuration_text, post_raw, world

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, kw_only=True)
class Pair(ReboundPair[World]):
    """The shop's world with a ReBound account beside it."""

    def ask(self, order: Order, product: Product, *, reference: str = "", **item: Any) -> str:
        """A return of one unit of a product."""
        return self.placed(reference or str(order.id), {"sku_code": product.own_sku, **item})


@contextmanager
def pair(*, trigger: str = "received", is_mapped: bool = True) -> Iterator[Pair]:
    """Shop and ReBound on a live route."""
    with world(is_live=False) as w, rebound_account() as (account, url):
        made = Pair(w=w, account=account, url=url, shop_text=configuration_text(w))
        made.install(trigger=trigger, is_mapped=is_mapped)
        yield made


def _bought(p: Pair, *, units: int = 2) -> tuple[Order, Product]:
    product = p.w.product(stock=10)
    return p.w.order((product, units)), product


def test_money_by_the_trigger_and_stock_on_the_final_disposition_only() -> None:
    with pair() as p:
        order, product = _bought(p)
        return_id = p.ask(order, product)
        assert p.poll() == 1
        assert (p.w.rma(return_id).status, p.w.rma(return_id).currency) == ("authorised", "EUR")
        p.account.track(return_id, "Entered Our Network")
        p.poll()
        assert (p.w.rma(return_id).status, p.w.money_refunds(order)) == ("in_transit", [])

        p.account.track(return_id, "Arrived at Our Hub", city="Hubtown")
        p.poll()
        (refund,) = p.w.money_refunds(order)
        assert f"{refund.amount:.2f}" == "30.00"
        assert (p.w.rma(return_id).status, p.w.shop.stock_of(product.id)) == ("received", 8)

        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert p.w.shop.stock_of(product.id) == 9
        assert len(p.w.money_refunds(order)) == 1
        assert p.w.open_cases() == []


def test_reading_twice_stores_nothing_and_sends_nothing() -> None:
    with pair() as p:
        order, product = _bought(p)
        return_id = p.ask(order, product, final_disposition="GRADE A")
        p.account.track(return_id, "Arrived at Our Hub")
        assert p.poll() == 1
        writes, events = len(p.w.writes()), InboundEvent.objects.filter(connection__name="rebound").count()
        assert [p.poll(), p.poll()] == [0, 0]
        assert len(p.w.writes()) == writes
        assert InboundEvent.objects.filter(connection__name="rebound").count() == events
        assert (p.w.shop.stock_of(product.id), len(p.w.money_refunds(order))) == (9, 1)


def test_a_position_that_is_lost_reads_everything_again_and_moves_nothing_twice() -> None:
    with pair() as p:
        order, product = _bought(p)
        return_id = p.ask(order, product)
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        p.w.connection("rebound").cursors.update(cursor="")
        p.account.track(return_id, "Delivered")
        p.poll()
        assert (p.w.shop.stock_of(product.id), len(p.w.money_refunds(order))) == (9, 1)


def test_damaged_goods_are_paid_by_the_policy_and_never_put_on_sale() -> None:
    with pair(trigger="disposition_final") as p:
        order, product = _bought(p)
        return_id = p.ask(order, product)
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        assert p.w.money_refunds(order) == []
        p.account.dispose(return_id, "BIN")
        p.poll()
        assert len(p.w.money_refunds(order)) == 1
        assert p.w.shop.stock_of(product.id) == 8


def _two(p: Pair) -> tuple[Order, list[Product], str]:
    """Two articles of one order in one parcel, at the hub."""
    products = [p.w.product("TEE-BLK-M"), p.w.product("MUG-RED", price="12.00")]
    order = p.w.order(*((product, 1) for product in products))
    items = [{"sku_code": product.own_sku} for product in products]
    return_id = p.account.create_return(order_reference=str(order.id), items=items)
    p.account.track(return_id, "Arrived at Our Hub")
    p.poll()
    return order, products, return_id


def _stock(p: Pair, products: list[Product]) -> list[int | None]:
    return [p.w.shop.stock_of(product.id) for product in products]


def test_each_item_is_paid_and_restocked_by_its_own_disposition() -> None:
    with pair(trigger="disposition_final") as p:
        order, products, return_id = _two(p)
        assert (_stock(p, products), p.w.money_refunds(order)) == ([9, 9], [])
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert (_stock(p, products), len(p.w.money_refunds(order))) == ([10, 9], 1)
        p.account.track(return_id, "Delivered")
        p.poll()
        assert (_stock(p, products), len(p.w.money_refunds(order))) == ([10, 9], 1)
        p.account.dispose(return_id, "GRADE A", "BIN")
        p.poll()
        assert (_stock(p, products), len(p.w.money_refunds(order))) == ([10, 9], 2)
        assert sorted(f"{refund.amount:.2f}" for refund in p.w.money_refunds(order)) == ["12.00", "30.00"]
        assert p.w.open_cases() == []


def test_goods_that_never_came_are_neither_paid_nor_restocked() -> None:
    with pair(trigger="disposition_final") as p:
        p.mean({"resolution": {"Refund": "refund"}, "disposition": {"GRADE A": "sellable", "LOST": "missing"}})
        order, products, return_id = _two(p)
        p.account.dispose(return_id, "GRADE A", "LOST")
        p.poll()
        (refund,) = p.w.money_refunds(order)
        assert (_stock(p, products), f"{refund.amount:.2f}") == ([10, 9], "30.00")
        assert p.w.open_cases() == ["goods_missing"]


def test_a_disposition_corrected_after_the_restock_is_a_case_and_moves_nothing_by_itself() -> None:
    with pair() as p:
        order, product = _bought(p)
        return_id = p.ask(order, product, final_disposition="GRADE A")
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        assert p.w.shop.stock_of(product.id) == 9
        p.account.dispose(return_id, "BIN")
        p.poll()
        assert p.w.shop.stock_of(product.id) == 9
        assert p.w.open_cases() == ["restock_contradicted"]
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert p.w.open_cases() == []
        assert (p.w.shop.stock_of(product.id), len(p.w.money_refunds(order))) == (9, 1)


def test_an_article_that_was_not_bought_is_a_case_and_the_other_goes_on() -> None:
    with pair() as p:
        order, product = _bought(p)
        items = [{"sku_code": product.own_sku}, {"sku_code": "NOT-OURS"}]
        return_id = p.account.create_return(order_reference=str(order.id), items=items)
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        assert "line_not_on_order" in p.w.open_cases()
        assert len(p.w.money_refunds(order)) == 1


def test_empty_tables_move_nothing_and_once_filled_what_waited_goes_on() -> None:
    with pair(is_mapped=False, trigger="disposition_final") as p:
        order, product = _bought(p)
        return_id = p.ask(order, product, final_disposition="GRADE A")
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        assert (p.w.refund_posts(), p.w.shop.stock_of(product.id)) == (0, 8)
        assert p.w.open_cases() == ["unmapped_event"] * 2
        p.mean(MEANING)
        connection = p.w.connection("rebound")
        assert mappings.read_again(connection=connection, by="ops", at=p.w.now()) == 1
        p.w.settle()
        assert (p.w.shop.stock_of(product.id), len(p.w.money_refunds(order))) == (9, 1)
        assert p.w.open_cases() == []


def test_a_parcel_with_its_label_in_the_box_begins_in_transit() -> None:
    with pair() as p:
        order, product = _bought(p)
        items = [{"sku_code": product.own_sku}]
        return_id = p.account.create_return(order_reference=str(order.id), items=items, status="Entered Our Network")
        p.poll()
        assert p.w.rma(return_id).status == "in_transit"
        assert p.w.rma(return_id).order is not None


def test_an_order_that_is_not_there_is_a_case_and_found_once_it_is() -> None:
    with pair() as p:
        product = p.w.product(stock=10)
        return_id = p.account.create_return(order_reference="9999", items=[{"sku_code": product.own_sku}])
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        p.w.settle(horizon=timedelta(days=2))
        assert p.w.open_cases() == ["order_not_found"]
        assert p.w.writes() == []
        order = p.w.order((product, 1))
        p.account.returns[return_id]["order_reference"] = str(order.id)
        p.poll()
        assert p.w.open_cases() == []
        assert len(p.w.money_refunds(order)) == 1


def test_unknown_words_are_a_case_each_however_often_they_are_read_and_the_return_goes_on() -> None:
    with pair() as p:
        order, product = _bought(p)
        return_id = p.ask(order, product)
        p.account.track(return_id, "Held by customs")
        p.account.dispose(return_id, "SECONDS")
        p.poll()
        p.account.track(return_id, "arrived at our hub")
        p.poll()
        assert len(p.w.money_refunds(order)) == 1
        p.account.track(return_id, "Delivered")
        p.poll()
        cases = ExceptionCase.objects.active().order_by("pk")
        assert [(one.kind_code, one.occurrences) for one in cases] == [("unmapped_event", 3)] * 2
        p.mean({**MEANING, "disposition": {**MEANING["disposition"], "SECONDS": "damaged"}})
        assert mappings.read_again(connection=p.w.connection("rebound"), by="ops", at=p.w.now()) == 1
        p.w.settle()
        (left,) = cases.all()
        assert "Held by customs" in left.cause
        assert p.w.rma(return_id).inspections.get(is_superseded=False).disposition == "damaged"


def test_several_units_with_one_word_wait_for_the_warehouse() -> None:
    with pair(trigger="disposition_final") as p:
        order, product = _bought(p)
        return_id = p.ask(order, product, quantity="2", final_disposition="GRADE A")
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        assert p.w.open_cases() == ["confirm_split"]
        assert ExceptionCase.objects.active().get().owner_team == "WH"
        assert (p.w.refund_posts(), p.w.shop.stock_of(product.id)) == (0, 8)
        _bench(p, return_id, "sellable", 1)
        _bench(p, return_id, "damaged", 1)
        p.w.settle()
        assert (p.w.shop.stock_of(product.id), len(p.w.money_refunds(order))) == (9, 1)
        queue.run_action(
            case=ExceptionCase.objects.active().get(),
            action_code="settled",
            by=p.w.users["WH"],
            at=p.w.now(),
            reason="one of each",
            data={},
        )
        p.account.track(return_id, "Delivered")
        p.poll()
        assert p.w.open_cases() == []


def _bench(p: Pair, return_id: str, disposition: str, quantity: int) -> None:
    rma = p.w.rma(return_id)
    verdict = InspectedItem(
        item_id=rma.lines.get().external_id,
        quantity=quantity,
        outcome="accepted",
        disposition=disposition,
        is_final=True,
        inspected_at=p.w.now(),
        inspected_by="wh",
    )
    fact = ItemsInspected(
        return_id=return_id, occurred_at=p.w.now(), items=(verdict,), source="warehouse", decision_id=f"d{disposition}"
    )
    acts.act(rma=rma, fact=fact, by="wh", at=p.w.now())


def test_wrong_credentials_pause_with_one_case_and_no_second_call() -> None:
    with pair() as p:
        order, product = _bought(p)
        return_id = p.ask(order, product)
        p.account.api_key = "changed-there"
        p.poll()
        assert p.w.open_cases() == ["connection_auth"]
        p.account.calls.clear()
        for _ in range(3):
            p.w.shift(3_600)
            polling.poll_due(at=p.w.now())
        assert p.account.calls.all() == []

        p.apply(key="changed-there", mapping={**default_mapping(), "values": MEANING})
        switches.resume_connection(connection=p.w.connection("rebound"), reason="new key", by="ops", at=p.w.now())
        p.w.shift(3_600)
        assert polling.poll_due(at=p.w.now()) >= 1
        p.w.settle()
        assert p.w.rma(return_id).order is not None
        assert p.w.open_cases() == []


@pytest.mark.parametrize("path", ["/returns/search", "/returns/get", "/tracking/get"])
def test_faults_on_the_way_cost_time_and_nothing_else(path: str) -> None:
    with pair() as p:
        order, product = _bought(p)
        return_id = p.ask(order, product, final_disposition="GRADE A")
        p.account.track(return_id, "Arrived at Our Hub")
        for kind in (FaultKind.LOST_ANSWER, FaultKind.SERVER_ERROR, FaultKind.RATE_LIMITED):
            p.account.faults.script(Fault(kind=kind, path_pattern=path))
            p.poll()
            p.w.shift(900)
        p.poll()
        assert p.account.faults.scripted == []
        assert (p.w.shop.stock_of(product.id), len(p.w.money_refunds(order))) == (9, 1)
        assert p.w.rma(return_id).status == "inspected"


def test_a_middleware_may_send_events_of_the_generic_contract() -> None:
    with pair() as p:
        order, product = _bought(p)
        item = {"id": "i1", "sku": product.own_sku, "quantity": 1, "reason_code": "Damaged", "resolution": "refund"}
        event = sample_event(
            "return.received", return_id="r1", order_id=str(order.id), currency="EUR", items=[item], at=p.w.now()
        )
        event["data"]["return"]["created_at"] = p.w.now().isoformat()
        body = as_json(event)
        verifier = {"kind": "standard_webhooks"}
        headers = sign(verifier=verifier, secret=WEBHOOK_SECRET, body=body, at=p.w.now(), message_id=event["id"])
        assert post_raw(body, headers, connection="rebound").status_code == 202
        assert post_raw(body, headers, connection="rebound").status_code == 200
        assert post_raw(body, {}, connection="rebound").status_code == 401
        p.w.settle()
        assert len(p.w.money_refunds(order)) == 1


def test_nothing_of_the_person_and_no_label_is_kept() -> None:
    with pair() as p:
        order, product = _bought(p)
        return_id = p.ask(order, product)
        p.poll()
        row = InboundEvent.objects.get(connection__name="rebound", rma=p.w.rma(return_id))
        stored = json.loads(bytes(row.body))["return"]
        assert not {"label", "name", "phone", "addr1", "city", "zip"} & set(stored)
        assert ReturnAuthorisation.objects.get().customer_email == "shopper@example.com"
