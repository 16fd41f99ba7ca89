"""WooCommerce and Reveni: what goes back into stock, and what never does (S4-2, S4-14, S4-20)."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.records import Order
from exceptions_queue import services as queue
from exceptions_queue.errors import CaseError
from exceptions_queue.models import CaseState, ExceptionCase
from returnsops import states
from returnsops.facts import InspectedItem, ItemsInspected
from returnsops.services import acts, warehouse
from returnsops.services.replan import plan_or_open_case
from tests.factories import WaiverFactory
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
        order, _, product_id = _disputed(w)
        assert w.shop.stock_of(product_id) == 8
        assert w.restock_records(order) == []


def _disputed(w: World) -> tuple[Order, str, int]:
    """Our warehouse finds the unit damaged, then the platform calls it sellable."""
    order, return_id, product_id = _asked(w)
    w.platform.receive(return_id)
    w.settle()
    _bench(w, return_id, "damaged")
    w.judge(return_id)
    w.settle()
    return order, return_id, product_id


def _count_again(w: World, **units: str) -> ExceptionCase:
    """The warehouse counts again on the page of the one open case."""
    case = ExceptionCase.objects.active().get()
    client = Client()
    client.force_login(w.users["WH"])
    address = reverse("admin:exceptions_queue_exceptioncase_action", args=[case.pk, "recount"])
    data = {f"recount-{name}": value for name, value in {"reason": "looked at it", **units}.items()}
    assert client.post(address, data).status_code == 302
    w.settle()
    case.refresh_from_db()
    return case


@pytest.mark.requirement("S4-14")
@pytest.mark.parametrize("confirmation", ["platform", "warehouse", "either", "both"])
def test_goods_our_warehouse_found_damaged_stay_out_of_stock_whatever_the_platform_says(confirmation: str) -> None:
    with world(policy_tables=f'[routes.policy.restock]\nconfirmation = "{confirmation}"') as w:
        order, return_id, product_id = _disputed(w)
        assert (w.shop.stock_of(product_id), w.restock_records(order), w.refund_posts()) == (8, [], 0)
        held = w.effect(return_id, states.RESTOCK)
        assert (held.state, [hold["code"] for hold in held.holds]) == (states.HELD, [states.CASE_VERDICTS_DIFFER])
        assert w.open_cases() == [states.CASE_VERDICTS_DIFFER]

        case = _count_again(w, sellable="1")
        assert (case.state, w.open_cases()) == (CaseState.AUTO_RESOLVED, [])
        assert (w.shop.stock_of(product_id), len(w.restock_records(order))) == (9, 1)


def test_counted_again_as_damaged_they_are_never_restocked() -> None:
    with world() as w:
        order, return_id, product_id = _disputed(w)
        case = _count_again(w, damaged="1")
        assert (case.state, w.open_cases()) == (CaseState.AUTO_RESOLVED, [])
        assert (w.shop.stock_of(product_id), w.restock_records(order), w.refund_posts()) == (8, [], 0)
        assert w.effect(return_id, states.RESTOCK).state == states.EFFECT_CANCELLED


def test_a_verdict_of_ours_taken_back_lets_them_go() -> None:
    with world() as w:
        order, return_id, product_id = _disputed(w)
        own = w.rma(return_id).inspections.get(source="warehouse")
        warehouse.undo_inspection(rma=w.rma(return_id), inspection_id=own.pk, by="wh", at=w.now(), why="the other one")
        w.settle()
        assert (w.shop.stock_of(product_id), len(w.restock_records(order)), w.open_cases()) == (9, 1, [])


def test_units_on_sale_already_leave_it_again_and_come_back_once_they_are_counted() -> None:
    with world(policy_tables='[routes.policy.reversal]\nstock = "automatic"') as w:
        _, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        assert (w.shop.stock_of(product_id), w.open_cases()) == (9, [])
        _bench(w, return_id, "damaged")
        w.settle()
        assert (w.shop.stock_of(product_id), w.open_cases()) == (8, [states.CASE_VERDICTS_DIFFER])
        _count_again(w, sellable="1")
        assert (w.shop.stock_of(product_id), w.open_cases()) == (9, [])
        assert [one.state for one in w.effects(return_id, states.RESTOCK)] == [states.CONFIRMED] * 2


def test_a_dispute_is_settled_by_counting_and_not_by_accepting_it() -> None:
    """Accepted as done by hand, the unit went back into stock a second time once the two judges agreed."""
    with world() as w:
        order, _, product_id = _disputed(w)
        case = ExceptionCase.objects.active().get()
        with pytest.raises(CaseError):
            queue.run_action(case=case, action_code="waive_hold", by=w.users["WH"], at=w.now(), reason="put back")
        w.settle()
        assert (w.shop.stock_of(product_id), w.restock_records(order)) == (8, [])
        assert w.open_cases() == [states.CASE_VERDICTS_DIFFER]


@pytest.mark.parametrize(("found", "stock"), [("sellable", 9), ("quarantine", 8)])
def test_a_dispute_accepted_before_is_counted_before_its_units_go_back(found: str, stock: int) -> None:
    """Its case allowed that once, and did not ask which units were put in stock by hand."""
    with world() as w:
        order, return_id, product_id = _disputed(w)
        rma = w.rma(return_id)
        WaiverFactory.create(rma=rma, hold_code=states.CASE_VERDICTS_DIFFER, subject=w.item_id(return_id), by="wh")
        plan_or_open_case(rma_id=rma.pk, at=w.now())
        w.settle()
        assert (w.shop.stock_of(product_id), w.open_cases()) == (8, [])

        own = rma.inspections.get(source="warehouse")
        warehouse.undo_inspection(rma=rma, inspection_id=own.pk, by="wh", at=w.now(), why="the other one")
        w.settle()
        assert (w.shop.stock_of(product_id), w.restock_records(order)) == (8, [])
        assert w.open_cases() == [states.CASE_VERDICTS_DIFFER]

        case = _count_again(w, **{found: "1"})
        assert (case.state, w.open_cases()) == (CaseState.AUTO_RESOLVED, [])
        assert (w.shop.stock_of(product_id), len(w.restock_records(order))) == (stock, stock - 8)


@pytest.mark.parametrize(
    ("confirmation", "stock", "cases"), [("platform", 8, [states.CASE_VERDICTS_DIFFER]), ("either", 9, [])]
)
def test_goods_only_the_warehouse_calls_sellable_follow_the_policy(
    confirmation: str, stock: int, cases: list[str]
) -> None:
    with world(policy_tables=f'[routes.policy.restock]\nconfirmation = "{confirmation}"') as w:
        _, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        w.judge(return_id, "damaged")
        w.settle()
        _bench(w, return_id, "sellable")
        w.settle()
        assert (w.shop.stock_of(product_id), w.open_cases()) == (stock, cases)


@pytest.mark.requirement("S4-14")
def test_what_only_the_warehouse_judged_waits_for_the_platform_in_words_where_its_word_decides() -> None:
    with world() as w:
        order, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        w.settle()
        _bench(w, return_id, "sellable")
        w.settle()
        assert (w.shop.stock_of(product_id), w.restock_records(order), w.refund_posts()) == (8, [], 0)
        held = w.effect(return_id, states.RESTOCK)
        assert (held.state, w.open_cases()) == (states.HELD, [])
        words = (
            "waits for the returns platform to confirm 1 sellable unit: by the policy of the route its word decides, "
            "not the warehouse&#x27;s alone"
        )
        client = Client()
        client.force_login(w.users["WH"])
        page = client.get(reverse("admin:returnsops_returnauthorisation_change", args=[w.rma(return_id).pk]))
        assert words in page.content.decode()

        w.judge(return_id)
        w.settle()
        assert (w.shop.stock_of(product_id), len(w.restock_records(order))) == (9, 1)
        assert w.effect(return_id, states.RESTOCK).state == states.CONFIRMED


@pytest.mark.requirement("S4-14")
def test_where_either_may_confirm_the_form_of_the_warehouse_restocks_at_once() -> None:
    with world(policy_tables='[routes.policy.restock]\nconfirmation = "either"') as w:
        order, return_id, product_id = _asked(w)
        w.platform.receive(return_id)
        w.settle()
        _bench(w, return_id, "sellable")
        w.settle()
        w.judge(return_id)
        w.settle()
        assert (w.shop.stock_of(product_id), len(w.restock_records(order)), w.open_cases()) == (9, 1, [])


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


def test_units_put_in_stock_by_hand_are_not_put_back_when_the_shop_could_restock_them_later() -> None:
    """The order was edited, so that its line holds less stock than it sold; a corrected verdict then fits it."""
    with world() as w:
        order, return_id, product_id = _asked(w, quantity=2)
        w.shop.state.set_meta(order.items[0].meta, "_reduced_stock", "1")
        w.platform.receive(return_id)
        w.judge(return_id, quantity=2)
        w.settle()
        assert (w.shop.stock_of(product_id), w.open_cases()) == (8, [states.CASE_RESTOCK_IMPOSSIBLE])
        w.shop.state.products[product_id].stock_quantity = 10
        _accept(w)
        assert (w.shop.stock_of(product_id), w.open_cases()) == (10, [])

        verdict = {"item_id": w.item_id(return_id), "quantity": 1, "outcome": "accepted", "disposition_final": True}
        both = [{**verdict, "disposition": name} for name in ("sellable", "damaged")]
        w.platform.complete_inspection(return_id, both)
        w.settle()
        assert (w.shop.stock_of(product_id), w.restock_records(order)) == (10, [])
        assert w.open_cases() == [states.CASE_RESTOCKED_BY_HAND], "one that is damaged is on sale"
        _accept(w)
        assert (w.open_cases(), w.refund_posts()) == ([], 0)


def _accept(w: World) -> None:
    """The warehouse did by hand what the one open case is about."""
    case = ExceptionCase.objects.active().get()
    queue.run_action(case=case, action_code="waive_hold", by=w.users["WH"], at=w.now(), reason="put on the shelf")
    w.settle()
