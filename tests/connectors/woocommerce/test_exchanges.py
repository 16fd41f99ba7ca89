"""Replacement orders against the simulated shop over real HTTP: what is asked, what is refused, what a look-up says."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.http import make_caller, new_session
from connectors.ports import Found, Intent, Link, Lookup, OutcomeUnknown, Rejected, Retryable, Sent
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.server import serve
from connectors.simulators.woocommerce import CartLine, Order, Product, WooShop
from connectors.simulators.woocommerce.state import meta_value
from connectors.woocommerce import exchange_ends, exchanges
from connectors.woocommerce.links import API
from returnsops import states
from tests.connectors.woocommerce.scripted import NOW, Request, answered, config, scripted_link

KEY = "exchange:reveni/ret-1:exc-1"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A shop on loopback with a pair of trainers sold in size 40."""

    shop: WooShop
    link: Link
    parent: Product
    sizes: dict[str, Product]
    original: Order

    def intent(self, *lines: dict[str, Any], **changes: Any) -> Intent:
        payload = {"exchange_id": "exc-1", "lines": list(lines) or [self.line()], "rma_number": "RMA-77"}
        intent = Intent(
            kind=states.EXCHANGE,
            key=KEY,
            remote_key=KEY,
            order_id=str(self.original.id),
            payload=payload | changes.pop("payload", {}),
            amount=None,
            currency="",
            planned_at=NOW - timedelta(minutes=5),
            first_attempt_at=None,
        )
        return replace(intent, **changes)

    def line(self, size: str = "41", **changes: Any) -> dict[str, Any]:
        variation = self.sizes[size]
        return {"sku": variation.own_sku, "variant_id": str(variation.id), "quantity": 1, **changes}

    def look_up(self, intent: Intent) -> Lookup:
        return exchanges.look_up(self.link, intent)

    def send(self, intent: Intent) -> Sent:
        return exchanges.send(self.link, intent, self.look_up(intent))

    def refused(self, intent: Intent) -> Rejected:
        with pytest.raises(Rejected) as caught:
            self.send(intent)
        assert [call.path for call in self.shop.calls.all() if call.method in ("POST", "PUT")] == []
        return caught.value

    def placed(self, intent: Intent | None = None) -> Order:
        return self.shop.state.orders[int(self.send(intent or self.intent()).remote_id)]

    def inverse(self, order: Order, **changes: Any) -> Intent:
        key = f"reverse:{KEY}:1"
        payload = {"order_id": str(order.id), "key": KEY, "exchange_id": "exc-1"} | changes
        return self.intent(kind=states.CANCEL_EXCHANGE, key=key, remote_key=key, payload=payload)


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = SimulatedClock(NOW)
    shop = WooShop(clock=clock)
    shop.add_key("ck_test", "cs_test")
    parent = shop.add_product("Trainers", None, sku="TRAIN", type="variable")
    sizes = {
        size: shop.add_variation(
            parent, Decimal("50.00"), options={"Size": size}, sku=f"TRAIN-{size}", stock_quantity=3
        )
        for size in ("40", "41", "42")
    }
    original = shop.place_order([CartLine(product_id=parent.id, variation_id=sizes["40"].id)], customer_id=26)
    with new_session() as session:
        server = serve(shop.app)
        try:
            call = make_caller(session=session, before_call=None, record=None, now=clock.now)
            link = Link(config=config(base_url=server.url), call=call, now=clock.now)
            yield Stage(shop=shop, link=link, parent=parent, sizes=sizes, original=original)
        finally:
            server.stop()


def test_the_order_as_it_is_asked_for_and_what_comes_of_it(stage: Stage) -> None:
    intent = stage.intent()
    sent = stage.send(intent)
    order = stage.shop.state.orders[int(sent.remote_id)]
    assert (order.status, order.created_via, order.customer_id) == ("processing", exchanges.created_via(KEY), 26)
    assert (order.payment_method, order.payment_method_title) == ("exchange", "Exchange RMA-77")
    assert (order.billing, order.shipping) == (stage.original.billing, stage.original.shipping)
    assert order.parent_id == 0
    assert {meta.key: meta.value for meta in order.meta} == {
        "_returnsops_key": KEY,
        "_returnsops_exchange_of": str(stage.original.id),
        "_returnsops_rma": "RMA-77",
    }
    assert sent.evidence == {
        "order": str(order.id),
        "number": str(order.id),
        "status": "processing",
        "reserved": 1,
        "stock_before": {"TRAIN-41": 3},
    }
    assert sent.stock_concern == ""
    assert stage.shop.stock_of(stage.parent.id, stage.sizes["41"].id) == 2
    found = stage.look_up(intent)
    assert (found.found, found.remote_id, found.stock_concern) == (Found.COMPLETE, str(order.id), "")
    assert [(call.method, call.path) for call in stage.shop.calls.all() if call.method in ("POST", "PUT")] == [
        ("POST", f"{API}/orders"),
        ("PUT", f"{API}/orders/{order.id}"),
    ]


def test_the_parent_order_is_named_only_where_the_shop_wants_it(stage: Stage) -> None:
    wanted = replace(stage.link, config=replace(stage.link.config, settings={"exchange_parent": True}))
    sent = exchanges.send(wanted, stage.intent(), Lookup(found=Found.ABSENT))
    assert stage.shop.state.orders[int(sent.remote_id)].parent_id == stage.original.id


def test_created_via_fits_whatever_the_key() -> None:
    assert len(exchanges.created_via("x" * 500)) == 51
    assert exchanges.created_via("a") != exchanges.created_via("b")


# --- goods -----------------------------------------------------------------------------------------------------------


def test_by_sku_alone_the_variation_is_found(stage: Stage) -> None:
    order = stage.placed(stage.intent(stage.line(variant_id="")))
    assert (order.items[0].product_id, order.items[0].variation_id) == (stage.parent.id, stage.sizes["41"].id)


def test_a_simple_product_with_counted_and_one_with_uncounted_stock(stage: Stage) -> None:
    mug = stage.shop.add_product("Mug", Decimal("9.00"), sku="MUG", stock_quantity=2)
    stage.shop.add_product("Book", Decimal("9.00"), sku="BOOK")
    lines = [{"sku": "MUG", "variant_id": str(mug.id), "quantity": 2}, {"sku": "BOOK", "variant_id": "", "quantity": 9}]
    sent = stage.send(stage.intent(*lines))
    assert (sent.evidence["reserved"], sent.stock_concern) == (2, "")
    assert stage.shop.stock_of(mug.id) == 0


def test_stock_that_the_parent_holds_counts_for_its_variations(stage: Stage) -> None:
    parent = stage.shop.add_product("Cap", None, sku="CAP", type="variable", stock_quantity=1)
    red = stage.shop.add_variation(parent, Decimal("9.00"), options={"Colour": "red"}, sku="CAP-R")
    line = {"sku": "CAP-R", "variant_id": str(red.id), "quantity": 1}
    order = stage.placed(stage.intent(line))
    assert meta_value(order.items[0].meta, "_reduced_stock") == "1"


def test_more_than_there_is_over_all_lines_is_refused_with_what_else_is_there(stage: Stage) -> None:
    refusal = stage.refused(stage.intent(stage.line(quantity=2), stage.line(quantity=2)))
    assert refusal.code == states.OUT_OF_STOCK
    assert refusal.text.startswith("Only 3 of Trainers - 41 (SKU TRAIN-41) are in stock, 4 are wanted.")
    assert refusal.evidence["line"] == {
        "sku": "TRAIN-41",
        "variant_id": str(stage.sizes["41"].id),
        "quantity": "2",
    }
    assert [one["sku"] for one in refusal.evidence["alternatives"]] == ["TRAIN-42", "TRAIN-40"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"sku": "NONE", "variant_id": "", "quantity": 1}, states.PRODUCT_UNKNOWN),
        ({"sku": "TRAIN-41,TRAIN-42", "variant_id": "", "quantity": 1}, states.PRODUCT_UNKNOWN),
        ({"sku": "TRAIN-41", "variant_id": "999999", "quantity": 1}, states.PRODUCT_UNKNOWN),
        ({"sku": "TRAIN-41", "variant_id": "gid://x", "quantity": 1}, states.PRODUCT_UNKNOWN),
        ({"sku": "TRAIN", "variant_id": "", "quantity": 1}, states.PRODUCT_UNCLEAR),
    ],
)
def test_goods_that_are_not_one_thing_of_the_shop_are_refused(stage: Stage, line: dict[str, Any], code: str) -> None:
    assert stage.refused(stage.intent(line)).code == code


def test_an_id_of_another_sku_is_refused(stage: Stage) -> None:
    refusal = stage.refused(stage.intent(stage.line(sku="TRAIN-42")))
    assert refusal.code == states.PRODUCT_UNCLEAR
    assert "is SKU TRAIN-41 in the shop, but SKU TRAIN-42 was asked for" in refusal.text


class Catalogue:
    """A scripted catalogue: one product, and whatever else is asked for is not there."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = [{"id": 7, "type": "simple", "status": "publish", "sku": "A", "name": "A", **row} for row in rows]

    def __call__(self, method: str, path: str, params: Any, body: Any) -> Any:
        if path == "/products":
            return answered(200, self.rows, x_wp_total=str(len(self.rows)), x_wp_totalpages="1")
        return answered(404, {"code": "woocommerce_rest_product_invalid_id", "message": "", "data": {"status": 404}})


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([{"status": "draft"}], states.NOT_FOR_SALE),
        ([{"purchasable": False}], states.NOT_FOR_SALE),
        ([{"manage_stock": False, "stock_status": "outofstock"}], states.OUT_OF_STOCK),
        ([{"manage_stock": True, "stock_quantity": None}], states.OUT_OF_STOCK),
        ([{}, {"id": 8}], states.PRODUCT_UNCLEAR),
        ([{"sku": "AB"}], states.PRODUCT_UNKNOWN),
    ],
)
def test_what_the_shop_does_not_sell_is_refused(rows: list[dict[str, Any]], code: str) -> None:
    asked: list[Request]
    link, asked = scripted_link(Catalogue(*rows))
    intent = Intent(
        kind=states.EXCHANGE,
        key=KEY,
        remote_key=KEY,
        order_id="1",
        payload={"lines": [{"sku": "A", "variant_id": "", "quantity": 1}]},
        amount=None,
        currency="",
        planned_at=NOW,
        first_attempt_at=None,
    )
    with pytest.raises(Rejected) as caught:
        exchanges.send(link, intent, Lookup(found=Found.ABSENT))
    assert caught.value.code == code
    assert {method for method, *_ in asked} == {"GET"}


# --- an order that is not what was asked -----------------------------------------------------------------------------


def test_another_order_than_asked_is_cancelled_before_it_is_paid(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin adds a gift to every order."""
    emit = stage.shop.state.emit

    def add(topic: str, resource_id: int) -> None:
        emit(topic, resource_id)
        if topic == "order.created":
            stage.shop.state.orders[resource_id].items[0].quantity = 2

    monkeypatch.setattr(stage.shop.state, "emit", add)
    intent = stage.intent()
    with pytest.raises(Rejected) as caught:
        stage.send(intent)
    assert caught.value.code == states.OTHER_ORDER_MADE
    (order,) = [one for one in stage.shop.state.orders.values() if one.id != stage.original.id]
    assert (order.status, meta_value(order.meta, "_returnsops_withdrawn")) == ("cancelled", KEY)
    assert stage.shop.stock_of(stage.parent.id, stage.sizes["41"].id) == 3
    assert stage.look_up(intent).found is Found.ABSENT


def test_an_original_in_the_bin_places_nothing(stage: Stage) -> None:
    stage.shop.trash(stage.original.id)
    assert stage.refused(stage.intent()).code == "order_gone"


# --- finding it again ------------------------------------------------------------------------------------------------


def unpaid(stage: Stage, intent: Intent, *, key: str = KEY) -> Order:
    """The order as a crash after the POST leaves it."""
    order = stage.placed(intent)
    stage.shop.set_status(order.id, "pending")
    order.paid_at = None
    order.meta = [meta for meta in order.meta if meta.key != "_returnsops_key"]
    if key:
        stage.shop.state.set_meta(order.meta, "_returnsops_key", key)
    return order


@pytest.mark.parametrize("key", [KEY, ""])
def test_an_unpaid_order_is_gone_on_with_even_where_its_meta_was_lost(stage: Stage, key: str) -> None:
    intent = stage.intent()
    order = unpaid(stage, intent, key=key)
    found = stage.look_up(intent)
    assert (found.found, found.step, found.remote_id) == (Found.PARTIAL, "pay", str(order.id))
    sent = exchanges.send(stage.link, intent, found)
    assert (sent.remote_id, order.status, meta_value(order.meta, "_returnsops_key")) == (
        str(order.id),
        "processing",
        KEY,
    )


def test_an_unpaid_order_for_what_was_asked_before_is_cancelled_and_another_made(stage: Stage) -> None:
    order = unpaid(stage, stage.intent())
    later = stage.intent(stage.line("42"), remote_key=f"{KEY}#2", earlier_remote_keys=(KEY,))
    other = stage.placed(later)
    assert (order.status, other.status, other.items[0].variation_id) == (
        "cancelled",
        "processing",
        stage.sizes["42"].id,
    )
    assert stage.look_up(later).remote_id == str(other.id)


def test_an_unpaid_order_whose_goods_are_gone_is_cancelled(stage: Stage) -> None:
    order = unpaid(stage, stage.intent())
    stage.sizes["41"].stock_quantity = 0
    with pytest.raises(Rejected) as caught:
        stage.send(stage.intent())
    assert (caught.value.code, order.status) == (states.OUT_OF_STOCK, "cancelled")


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_our_order_that_somebody_cancelled_is_for_a_person(stage: Stage, status: str) -> None:
    order = stage.placed()
    stage.shop.set_status(order.id, status)
    found = stage.look_up(stage.intent())
    assert (found.found, found.remote_ids) == (Found.AMBIGUOUS, {"order_1": str(order.id)})


def test_our_order_in_the_bin_is_seen_and_for_a_person(stage: Stage) -> None:
    order = stage.placed()
    stage.shop.trash(order.id)
    assert stage.look_up(stage.intent()).found is Found.AMBIGUOUS


def test_two_orders_with_our_key_are_for_a_person(stage: Stage) -> None:
    orders = [exchanges.send(stage.link, stage.intent(), Lookup(found=Found.ABSENT)).remote_id for _ in range(2)]
    found = stage.look_up(stage.intent())
    assert (found.found, sorted(found.remote_ids.values())) == (Found.AMBIGUOUS, sorted(orders))


def test_an_order_of_ours_with_other_units_is_for_a_person(stage: Stage) -> None:
    order = stage.placed()
    stage.shop.edit_order(order.id, quantities={order.items[0].id: 2})
    assert stage.look_up(stage.intent()).found is Found.AMBIGUOUS


def test_stock_that_was_not_taken_is_told(stage: Stage) -> None:
    order = stage.placed()
    order.items[0].meta = [meta for meta in order.items[0].meta if meta.key != "_reduced_stock"]
    concern = stage.look_up(stage.intent()).stock_concern
    assert concern == f"Replacement order {order.id}: 0 of 1 x Trainers - 41 were taken out of stock."


def test_orders_of_other_exchanges_are_not_ours(stage: Stage) -> None:
    stage.placed()
    other = stage.intent(key=f"{KEY}0", remote_key=f"{KEY}0")
    assert stage.look_up(other).found is Found.ABSENT


# --- the platform's own ----------------------------------------------------------------------------------------------


def test_the_platforms_order_is_seen_waited_for_and_never_made(stage: Stage) -> None:
    missing = stage.intent(payload={"adopt": "4711"})
    assert stage.look_up(missing).found is Found.ABSENT
    with pytest.raises(Retryable):
        stage.send(missing)
    theirs = stage.shop.place_order([CartLine(product_id=stage.parent.id, variation_id=stage.sizes["41"].id)])
    named = stage.intent(payload={"adopt": str(theirs.id)})
    found = stage.look_up(named)
    assert (found.found, found.remote_id, found.evidence["reserved"]) == (Found.COMPLETE, str(theirs.id), 1)
    stage.shop.set_status(theirs.id, "cancelled")
    assert stage.look_up(named).found is Found.AMBIGUOUS
    assert stage.look_up(stage.intent(payload={"adopt": str(stage.original.id)})).found is Found.AMBIGUOUS


# --- withdrawn -------------------------------------------------------------------------------------------------------


def test_a_placed_order_is_cancelled_and_still_known_as_ours(stage: Stage) -> None:
    order = stage.placed()
    inverse = stage.inverse(order)
    found = exchange_ends.look_up(stage.link, inverse)
    assert found.found is Found.ABSENT
    assert exchange_ends.send(stage.link, inverse, found).remote_id == str(order.id)
    assert order.status == "cancelled"
    assert stage.shop.stock_of(stage.parent.id, stage.sizes["41"].id) == 3
    assert exchange_ends.look_up(stage.link, inverse).found is Found.COMPLETE
    assert stage.look_up(stage.intent()).found is Found.COMPLETE


def test_what_has_left_is_not_cancelled(stage: Stage) -> None:
    order = stage.placed()
    stage.shop.state.set_meta(order.meta, "_wc_shipment_tracking_items", [{"tracking_number": "1Z"}])
    with pytest.raises(Rejected) as caught:
        exchange_ends.send(stage.link, stage.inverse(order), Lookup(found=Found.ABSENT))
    assert caught.value.code == states.ALREADY_SHIPPED
    stage.shop.state.set_meta(order.meta, "_wc_shipment_tracking_items", [])
    stage.shop.set_status(order.id, "completed")
    with pytest.raises(Rejected, match="its status is completed"):
        exchange_ends.send(stage.link, stage.inverse(order), Lookup(found=Found.ABSENT))
    assert order.status == "completed"


def test_an_order_of_somebody_else_is_left_alone(stage: Stage) -> None:
    with pytest.raises(Rejected) as caught:
        exchange_ends.look_up(stage.link, stage.inverse(stage.original))
    assert caught.value.code == "not_our_order"
    with pytest.raises(Rejected, match="no order with the id"):
        exchange_ends.look_up(stage.link, stage.inverse(stage.original, order_id="4711"))


def test_in_the_bin_its_stock_is_not_back_and_a_person_hears_of_it(stage: Stage) -> None:
    order = stage.placed()
    stage.shop.trash(order.id)
    assert exchange_ends.look_up(stage.link, stage.inverse(order)).found is Found.AMBIGUOUS


# --- answers that are no orders -------------------------------------------------------------------------------------


class Odd:
    """A shop whose answers to writes are given."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def __call__(self, method: str, path: str, params: Any, body: Any) -> Any:
        if method != "GET":
            return self.answers.pop(0)
        if path.startswith("/orders/"):
            marks = [{"key": "_returnsops_key", "value": KEY}]
            return answered(200, {"id": int(path.rpartition("/")[2]), "status": "processing", "meta_data": marks})
        return answered(200, {"id": 7, "type": "simple", "status": "publish", "sku": "A", "name": "A"})


def order_of(**changes: Any) -> Any:
    marks = [{"key": "_returnsops_key", "value": KEY}]
    line = {"product_id": 7, "variation_id": 0, "quantity": 1, "sku": "A"}
    made = {"id": 9, "status": "pending", "total": "0.00", "meta_data": marks, "line_items": [line], **changes}
    return answered(201, made)


def sent_odd(*answers: Any) -> Sent:
    link, _ = scripted_link(Odd(*answers))
    intent = Intent(
        kind=states.EXCHANGE,
        key=KEY,
        remote_key=KEY,
        order_id="1",
        payload={"lines": [{"sku": "A", "variant_id": "7", "quantity": 1}]},
        amount=None,
        currency="",
        planned_at=NOW,
        first_attempt_at=None,
    )
    return exchanges.send(link, intent, Lookup(found=Found.ABSENT))


@pytest.mark.parametrize(
    "answers",
    [
        (answered(201, []),),
        (order_of(meta_data=[]),),
        (order_of(), answered(200, {"id": 9, "status": "pending"})),
        (order_of(), answered(200, [])),
        (order_of(), answered(400, {"code": "woocommerce_rest_shop_order_invalid_id", "message": "", "data": {}})),
        (order_of(total="x"), answered(200, {"id": 9, "status": "pending"})),
    ],
)
def test_an_answer_that_is_not_our_order_leaves_the_outcome_unknown(answers: tuple[Any, ...]) -> None:
    with pytest.raises(OutcomeUnknown):
        sent_odd(*answers)


@pytest.mark.parametrize(
    "changes",
    [{"total": "5.00"}, {"line_items": [{"product_id": 7, "variation_id": 0, "quantity": 1, "sku": "B"}]}],
)
def test_a_price_or_another_sku_is_another_order(changes: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        sent_odd(order_of(**changes), answered(200, {"id": 9, "status": "cancelled"}))
    assert caught.value.code == states.OTHER_ORDER_MADE


def test_stock_that_cannot_be_read_afterwards_is_no_concern() -> None:
    sent = sent_odd(order_of(), order_of(status="processing"))
    assert (sent.remote_id, sent.stock_concern) == ("9", "")


def test_a_cancellation_the_shop_does_not_carry_out_is_unknown() -> None:
    link, _ = scripted_link(Odd(answered(200, {"id": 9, "status": "processing"})))
    intent = Intent(
        kind=states.CANCEL_EXCHANGE,
        key=f"reverse:{KEY}:1",
        remote_key=f"reverse:{KEY}:1",
        order_id="1",
        payload={"order_id": "9", "key": KEY},
        amount=None,
        currency="",
        planned_at=NOW,
        first_attempt_at=None,
    )
    with pytest.raises(OutcomeUnknown):
        exchange_ends.send(link, intent, Lookup(found=Found.ABSENT))
