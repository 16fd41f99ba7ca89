"""Shopify's stock: goods that are not for sale have places of their own, by mapping, and never reach the storefront."""

from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest

from connectors import delivery_cases
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.shopify import inventory, reverse_logistics
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from reconciliation.causes import CASE_STOCK_DIFFERS
from returnsops import states
from returnsops.services import approvals
from returnsops.services.effect_rows import EffectError
from tests.journeys.shopify_world import ShopifyWorld, gid, shopify_world
from tests.reconciliation.played import compare

pytestmark = pytest.mark.django_db


ASIDE = """
[routes.policy.restock]
set_aside = ["quarantine", "damaged"]
[routes.policy.reversal]
stock = "automatic"
"""
LOST = (FaultKind.LOST_ANSWER, FaultKind.LATE_COMMIT, FaultKind.LOST_REQUEST)


@pytest.mark.requirement("S1-9")
@pytest.mark.requirement("S1-21")
@pytest.mark.requirement("S1-34")
@pytest.mark.requirement("S5-19")
def test_goods_that_are_not_for_sale_lie_in_states_of_their_own_once_and_move_with_their_verdict() -> None:
    """One of each; then the damaged one turns out sellable, and the sellable one is put in quarantine."""
    with shopify_world(policy_tables=ASIDE) as w:
        w.store.faults.script(*(Fault(kind=kind, path_pattern="#InventoryAdjust$", delay_s=20) for kind in LOST))
        tee = w.variant()
        return_id = w.returning(w.sale((tee, 3)), quantity=3)
        w.platform.receive(return_id)
        w.settle()
        assert w.asked("InventoryAdjust") == []
        item = {"item_id": w.item_id(return_id), "quantity": 1, "outcome": "accepted", "disposition_final": True}

        def judge(*dispositions: str) -> tuple[int, int, int, int]:
            w.platform.complete_inspection(return_id, [{**item, "disposition": one} for one in dispositions])
            w.settle()
            names = ("available", "quality_control", "damaged", "on_hand")
            assert {one.state for one in w.effects(return_id, states.SET_ASIDE)} == {states.CONFIRMED}
            assert w.open_cases() == []
            return cast(tuple[int, int, int, int], tuple(w.stock(tee, name) for name in names))

        assert judge("sellable", "quarantine", "damaged") == (8, 1, 1, 10)
        changes = [(call["input"]["name"], call["key"]) for call in w.asked("InventoryAdjust")]
        assert (len(changes), len(set(changes))) == (6, 3)  # each lost answer was asked for again with its own key
        by_state = {call["input"]["name"]: call["input"]["changes"][0] for call in w.asked("InventoryAdjust")}
        assert "ledgerDocumentUri" not in by_state["available"]
        assert by_state["damaged"]["ledgerDocumentUri"].startswith("gid://returnsops/StockMovement/")
        assert judge("quarantine", "quarantine", "sellable") == (8, 2, 0, 10)
        assert judge("quarantine", "sellable", "sellable") == (9, 1, 0, 10)
        w.shift(3600)
        assert [(run.difference_count, run.check_code) for run in compare(w) if run.difference_count] == []


def test_goods_are_set_aside_at_a_location_only_where_it_sells_nothing_online() -> None:
    with shopify_world(policy_tables=ASIDE) as w:
        scrap = w.store.add_location("Scrap")
        shop = w.connection("shop")
        shop.settings["location_map"]["scrap"] = gid("Location", scrap.id)
        shop.save(update_fields=["settings"])
        tee = w.variant()
        inventory.stock_at(w.store.state, tee.item_id, scrap.id)
        return_id = w.returning(w.sale((tee, 2)))
        w.platform.receive(return_id)
        w.judge(return_id, "damaged")
        w.settle()
        effect = w.effect(return_id, states.SET_ASIDE)
        assert (effect.state, w.open_cases()) == (states.REJECTED, [states.CASE_REJECTED_STOCK])
        assert ("sells online" in effect.error_text, w.asked("InventoryAdjust")) == (True, [])
        scrap.fulfils_online = False
        approvals.requeue(effect_id=effect.pk, by=w.users["WH"], at=w.now(), why="it sells nothing online any more")
        w.settle()
        assert (w.store.stock_of(tee, scrap), w.stock(tee), w.open_cases()) == (1, 8, [])


def test_a_unit_set_aside_and_then_found_sellable_leaves_its_place_before_it_goes_on_sale() -> None:
    """Goods lie in quality control when they come in (``restock_from``): the shop moves the one unit that is there."""
    with shopify_world(policy_tables=ASIDE, settings='restock_from = "quality_control"') as w:
        tee = w.variant()
        return_id = w.returning(w.sale((tee, 1)))
        inventory.stock_at(w.store.state, tee.item_id, w.main.id, available=9, quality_control=1)
        item = {"item_id": w.item_id(return_id), "quantity": 1, "outcome": "accepted", "disposition_final": True}

        def judge(disposition: str) -> tuple[int, ...]:
            w.platform.complete_inspection(return_id, [{**item, "disposition": disposition}])
            w.settle()
            return tuple(w.stock(tee, name) for name in ("available", "quality_control", "damaged"))

        w.platform.receive(return_id)
        assert judge("damaged") == (9, 0, 1)
        w.store.faults.script(Fault(kind=FaultKind.LOST_ANSWER, path_pattern="#InventoryMove$", delay_s=20))
        assert judge("sellable") == (10, 0, 0)
        assert w.open_cases() == []
        assert {effect.state for effect in w.effects(return_id, states.RESTOCK)} == {states.CONFIRMED}
        assert len({call["key"] for call in w.asked("InventoryMove")}) == 3


@pytest.mark.requirement("S1-9")
def test_a_product_deleted_between_the_return_and_its_restock_is_the_warehouses_case_and_the_refund_goes_on() -> None:
    with shopify_world() as w:
        tee, mug = w.variant(), w.variant("MUG", price="12.00")
        order = w.sale((tee, 1))
        return_id = w.returning(order)
        w.settle()
        w.platform.receive(return_id)
        w.store.delete_product(tee.product_id)
        w.judge(return_id)
        w.pay(return_id, "30.00", executed_by="commerce_platform")
        w.settle()
        assert w.paid_back(order) == [Decimal("30.00")]
        assert w.open_cases() == [states.CASE_RESTOCK_IMPOSSIBLE]
        assert (w.asked("InventoryAdjust"), w.asked("InventoryMove"), w.stock(mug)) == ([], [], 10)
        case = ExceptionCase.objects.active().get()
        assert case.cause.startswith(
            "1 x TEE-BLK-M cannot be put back into stock: the shop's catalogue does not have the"
        )
        why = "goes to the outlet as a single piece"
        queue.run_action(case=case, action_code="waive_hold", by=w.users["WH"], at=w.now(), reason=why)
        w.settle()
        assert (w.open_cases(), w.asked("InventoryAdjust"), len(w.paid_back(order))) == ([], [], 1)


@pytest.mark.requirement("S1-9")
@pytest.mark.requirement("S1-29")
@pytest.mark.requirement("S5-15")
def test_a_place_that_is_mapped_anew_after_a_lost_answer_gets_no_second_unit() -> None:
    """The repeat would name another location under the same key; a person says what the first one did."""
    with shopify_world() as w:
        w.store.faults.script(Fault(kind=FaultKind.LOST_ANSWER, path_pattern="#InventoryAdjust$"))
        tee, other = w.variant(), w.store.add_location("York")
        inventory.stock_at(w.store.state, tee.item_id, other.id)
        return_id = w.returning(w.sale((tee, 2)))
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle(horizon=timedelta(seconds=0))
        shop = w.connection("shop")
        shop.settings["location_map"]["main"] = gid("Location", other.id)
        shop.save(update_fields=["settings"])
        w.settle()
        for hours in (0, 30):
            w.shift(3600 * hours)
            w.settle(horizon=timedelta(hours=1))
            effect = w.effect(return_id, states.RESTOCK)
            assert (effect.state, w.stock(tee), w.store.stock_of(tee, other)) == (states.UNKNOWN, 9, 0)
            assert w.open_cases() == [states.CASE_AMBIGUOUS_STOCK]
        assert len({call["key"] for call in w.asked("InventoryAdjust")}) == 1
        assert len(w.asked("InventoryAdjust")) == 2
        case = ExceptionCase.objects.active().get()
        assert "arrived at the shop with other content" in case.cause
        assert f"gid://returnsops/Return/{w.rma(return_id).number}" in case.cause
        with pytest.raises(EffectError):
            approvals.requeue(effect_id=effect.pk, by=w.users["WH"], at=w.now(), why="again")
        queue.run_action(
            case=case,
            action_code="adopt",
            by=w.users["WH"],
            at=w.now(),
            reason="It is in the history of Leeds",
            data={"remote_id": "Leeds"},
        )
        w.settle()
        delivery_cases.close_gone(at=w.now())
        assert w.effect(return_id, states.RESTOCK).state == states.CONFIRMED
        assert (w.stock(tee), w.store.stock_of(tee, other), w.open_cases()) == (9, 0, [])


def restocked_by_staff(w: ShopifyWorld) -> None:
    """Staff say in the shop's admin that the unit of the only return there is back in stock."""
    (reverse,) = w.store.state.reverse_orders.values()
    one = {
        "reverseFulfillmentOrderLineItemId": gid("ReverseFulfillmentOrderLineItem", reverse.lines[0].id),
        "quantity": 1,
        "dispositionType": "RESTOCKED",
        "locationId": gid("Location", w.main.id),
    }
    reverse_logistics.dispose(w.store.state, {"dispositionInputs": [one]})


OURS = '[routes.policy.shop_return]\nwriter = "us"\n'


@pytest.mark.requirement("S1-25")
@pytest.mark.requirement("S1-34")
@pytest.mark.parametrize("is_refunded", [False, True])
def test_a_unit_that_staff_restocked_in_the_shops_return_is_not_put_back_again(is_refunded: bool) -> None:
    """Nothing was read since: the look before the send sees it. Found damaged after all, it is the warehouse's."""
    with shopify_world(policy_tables=OURS) as w:
        tee = w.variant()
        order = w.sale((tee, 2))
        return_id = w.returning(order)
        w.platform.receive(return_id)
        w.settle()
        restocked_by_staff(w)
        if is_refunded:
            w.store.staff_refund(order, Decimal("30.00"), lines={order.lines[0].id: 1})
        w.judge(return_id)
        w.settle()
        assert (w.stock(tee), w.asked("InventoryAdjust"), states.CASE_RESTOCKED_BY_HAND in w.open_cases()) == (
            9,
            [],
            False,
        )
        w.judge(return_id, "damaged")
        w.settle()
        assert states.CASE_RESTOCKED_BY_HAND in w.open_cases()
        assert (w.stock(tee), w.asked("InventoryAdjust")) == (9, [])


@pytest.mark.requirement("S1-34")
def test_a_unit_that_staff_restock_after_us_is_a_case_and_a_finding() -> None:
    with shopify_world(policy_tables=OURS) as w:
        tee = w.variant()
        return_id = w.returning(w.sale((tee, 2)))
        w.settle()
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle(horizon=timedelta(minutes=1))
        assert (w.stock(tee), len(w.asked("InventoryAdjust"))) == (9, 1)
        restocked_by_staff(w)
        w.shift(3600 * 30)
        found = {run.check_code: run.difference_count for run in compare(w) if run.difference_count}
        assert found == {"stock_levels": 1}
        assert w.open_cases() == [CASE_STOCK_DIFFERS, states.CASE_RESTOCKED_BY_HAND]
        assert (w.stock(tee), len(w.asked("InventoryAdjust"))) == (10, 1)


LOST_ADJUST = Fault(kind=FaultKind.LOST_ANSWER, path_pattern="#InventoryAdjust$")


@pytest.mark.requirement("S1-25")
@pytest.mark.requirement("S1-34")
def test_a_verdict_that_changes_while_an_answer_is_lost_never_leaves_a_damaged_unit_on_sale_unsaid() -> None:
    """The unit may be in stock: the same key is sent again first, which says so, and then it is a person's."""
    with shopify_world() as w:
        w.store.faults.script(LOST_ADJUST)
        tee = w.variant()
        return_id = w.returning(w.sale((tee, 2)))
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle(horizon=timedelta(seconds=0))
        assert (w.stock(tee), w.effect(return_id, states.RESTOCK).state) == (9, states.UNKNOWN)
        w.judge(return_id, "damaged")
        w.settle()
        assert w.effect(return_id, states.RESTOCK).state == states.CONFIRMED
        assert (w.stock(tee), w.open_cases()) == (9, [states.CASE_RESTOCK_CONTRADICTED])
        assert len({call["key"] for call in w.asked("InventoryAdjust")}) == 1


@pytest.mark.requirement("S1-25")
@pytest.mark.requirement("S1-34")
def test_lost_answers_of_what_is_taken_out_or_set_aside_are_asked_for_again_before_the_next_verdict_counts() -> None:
    """Each change of the stock is in doubt when the next verdict comes: the unit is in one place in the end."""
    with shopify_world(policy_tables=ASIDE) as w:
        tee = w.variant()
        return_id = w.returning(w.sale((tee, 2)))
        w.platform.receive(return_id)
        for settled, doubted, placed in (("sellable", "damaged", (9, 0)), ("damaged", "sellable", (8, 1))):
            w.judge(return_id, settled)
            w.settle()
            assert (w.stock(tee), w.stock(tee, "damaged")) == placed
            w.store.faults.script(LOST_ADJUST)
            w.judge(return_id, doubted)
            w.settle(horizon=timedelta(seconds=0))
            w.judge(return_id, settled)
            w.settle()
            assert (w.stock(tee), w.stock(tee, "damaged")) == placed
        assert w.open_cases() == []
