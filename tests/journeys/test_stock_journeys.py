"""WooCommerce and Reveni: what goes back into stock, and what never does (S4-2, S4-14, S4-20)."""

from decimal import Decimal

import pytest

from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.records import Order
from returnsops import states
from returnsops.facts import InspectedItem, ItemsInspected
from returnsops.services import acts
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db


def _asked(w: World, *, units: int = 2, quantity: int = 1) -> tuple[Order, str, int]:
    product = w.product(stock=10)
    order = w.order((product, units))
    return_id = w.ask(order, quantity=quantity)
    return order, return_id, product.id


def _bench(w: World, return_id: str, disposition: str, *, quantity: int = 1) -> None:
    """Our warehouse judges the first item."""
    rma = w.rma(return_id)
    verdict = InspectedItem(
        item_id=w.item_id(return_id),
        quantity=quantity,
        outcome="accepted",
        disposition=disposition,
        is_final=True,
        inspected_at=w.now(),
        inspected_by="wh",
    )
    fact = ItemsInspected(
        return_id=return_id, occurred_at=w.now(), items=(verdict,), source="warehouse", decision_id=f"d{disposition}"
    )
    acts.act(rma=rma, fact=fact, by="wh", at=w.now())


@pytest.mark.requirement("S4-2")
def test_receipt_alone_restocks_nothing_a_final_sellable_verdict_exactly_one() -> None:
    with world() as w:
        order, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        w.settle()
        assert w.shop.stock_of(product_id) == 8
        assert w.refund_posts() == 0

        w.judge(return_id)
        w.settle()
        assert w.shop.stock_of(product_id) == 9
        assert len(w.restock_records(order)) == 1
        assert w.effect(return_id, states.RESTOCK).state == states.CONFIRMED
        assert w.open_cases() == []


@pytest.mark.requirement("S4-2")
def test_a_verdict_that_is_not_final_restocks_nothing() -> None:
    with world() as w:
        _, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        item = {"item_id": w.item_id(return_id), "quantity": 1, "outcome": "accepted", "disposition": "sellable"}
        w.platform.inspect(return_id, [{**item, "disposition_final": False}])
        w.settle()
        assert w.shop.stock_of(product_id) == 8


def test_damaged_goods_are_never_put_on_sale() -> None:
    with world() as w:
        order, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        w.judge(return_id, "damaged")
        w.settle()
        assert w.shop.stock_of(product_id) == 8
        assert w.restock_records(order) == []
        assert w.effects(return_id, states.RESTOCK) == []


BOTH = '[routes.policy.restock]\nconfirmation = "both"'
WAREHOUSE = '[routes.policy.restock]\nconfirmation = "warehouse"'


@pytest.mark.requirement("S4-14")
def test_with_two_confirmations_wanted_one_restocks_nothing() -> None:
    with world(policy_tables=BOTH) as w:
        _, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        assert w.shop.stock_of(product_id) == 8

        _bench(w, return_id, "sellable")
        w.settle()
        assert w.shop.stock_of(product_id) == 9


@pytest.mark.requirement("S4-14")
def test_the_warehouse_alone_can_be_the_confirmation() -> None:
    with world(policy_tables=WAREHOUSE) as w:
        _, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        assert w.shop.stock_of(product_id) == 8

        _bench(w, return_id, "sellable")
        w.settle()
        assert w.shop.stock_of(product_id) == 9


@pytest.mark.requirement("S4-14")
def test_the_warehouse_outranks_the_platform() -> None:
    with world(policy_tables='[routes.policy.restock]\nconfirmation = "either"') as w:
        order, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        w.settle()
        _bench(w, return_id, "damaged")
        w.judge(return_id)
        w.settle()
        assert w.shop.stock_of(product_id) == 8
        assert w.restock_records(order) == []


@pytest.mark.requirement("S4-20")
def test_variation_without_its_own_sku_is_detected_and_not_restocked() -> None:
    with world() as w:
        parent = w.shop.add_product("Trainers", None, sku="TRAIN", type="variable")
        size = w.shop.add_variation(parent, Decimal("50.00"), options={"Size": "40"}, stock_quantity=5)
        order = w.shop.place_order(
            [CartLine(product_id=parent.id, variation_id=size.id, quantity=1)], payment_method="card"
        )
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        assert w.open_cases() == [states.CASE_SKU_AMBIGUOUS]
        assert w.shop.stock_of(parent.id, size.id) == 4
        assert w.effect(return_id, states.RESTOCK).state == states.HELD
