"""Facts that contradict what was sent or planned: what is undone, what is replaced, and what a person is asked."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors import delivery_cases
from connectors.jobs import CHECKPOINTS
from connectors.simulators.base import Fault, FaultKind
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import Route
from returnsops.services import acts, routes, switches
from tests.journeys.test_crash_journeys import Dying, settled
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db

AUTOMATIC = '[routes.policy.reversal]\nstock = "automatic"'
APPROVE = '[routes.policy.reversal]\nstock = "approve"'


def restocked(w: World, *, quantity: int = 1) -> tuple[str, int]:
    """Units of two are back and on sale again: the return and the product."""
    product = w.product(stock=10)
    return_id = w.ask(w.order((product, 2)), quantity=quantity)
    w.platform.receive(return_id)
    w.judge(return_id, quantity=quantity)
    w.settle()
    assert w.shop.stock_of(product.id) == 8 + quantity
    return return_id, product.id


def correct(w: World, return_id: str, disposition: str = "damaged") -> None:
    """The platform's inspection is completed again, with another verdict."""
    w.shift(60)
    w.judge(return_id, disposition)


def stock_puts(w: World) -> int:
    """How often we asked the shop to change a product."""
    return sum(1 for method, path in w.writes() if method == "PUT" and "/products/" in path)


def test_sellable_corrected_to_damaged_is_a_case_by_default_and_the_stock_stays() -> None:
    with world() as w:
        return_id, product_id = restocked(w)
        correct(w, return_id)
        w.settle()
        assert w.open_cases() == [states.CASE_RESTOCK_CONTRADICTED]
        assert (w.shop.stock_of(product_id), stock_puts(w)) == (9, 0)


def test_sellable_corrected_to_damaged_leaves_the_stock_once() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        return_id, product_id = restocked(w)
        for _ in range(3):
            correct(w, return_id)
            w.settle()
        effect = w.effect(return_id, states.TAKE_OUT)
        assert effect.key == f"reverse:restock:reveni/{return_id}:{w.item_id(return_id)}:1"
        assert effect.state == states.DONE
        assert (w.shop.stock_of(product_id), stock_puts(w)) == (8, 1)
        assert w.open_cases() == []


def test_a_verdict_of_our_bench_taken_back_takes_the_units_out() -> None:
    with world(policy_tables=f'{AUTOMATIC}\n[routes.policy.restock]\nconfirmation = "warehouse"') as w:
        product = w.product(stock=10)
        return_id = w.ask(w.order((product, 2)))
        w.platform.receive(return_id)
        w.settle()
        verdict = facts.InspectedItem(
            item_id=w.item_id(return_id),
            quantity=1,
            outcome="accepted",
            disposition="sellable",
            is_final=True,
            inspected_at=w.now(),
            inspected_by="wh",
        )
        said: dict[str, Any] = {"return_id": return_id, "occurred_at": w.now()}
        fact = facts.ItemsInspected(items=(verdict,), source="warehouse", decision_id="d1", **said)
        acts.act(rma=w.rma(return_id), fact=fact, by="wh", at=w.now())
        w.settle()
        assert w.shop.stock_of(product.id) == 9

        identity = w.rma(return_id).inspections.get().identity
        undone = facts.InspectionUndone(
            item_id=verdict.item_id, identity=identity, by="wh", why="another parcel", **said
        )
        acts.act(rma=w.rma(return_id), fact=undone, by="wh", at=w.now())
        w.settle()
        assert w.shop.stock_of(product.id) == 8
        assert w.effect(return_id, states.TAKE_OUT).state == states.DONE


def test_with_approval_nothing_leaves_the_stock_before_the_warehouse_agrees() -> None:
    with world(policy_tables=APPROVE) as w:
        return_id, product_id = restocked(w)
        correct(w, return_id)
        w.settle()
        assert w.open_cases() == [states.CASE_NEEDS_STOCK_APPROVAL]
        assert (w.shop.stock_of(product_id), stock_puts(w)) == (9, 0)

        effect = w.effect(return_id, states.TAKE_OUT)
        queue.run_action(
            case=ExceptionCase.objects.active().get(),
            action_code="approve",
            by=w.users["WH"],
            at=w.now(),
            data={"effect": str(effect.pk)},
        )
        w.settle()
        assert w.shop.stock_of(product_id) == 8
        assert w.open_cases() == []


def test_units_sold_meanwhile_cannot_be_taken_out_and_are_a_case() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        return_id, product_id = restocked(w)
        product = w.shop.state.products[product_id]
        w.order((product, 9))
        correct(w, return_id)
        w.settle()
        assert w.open_cases() == [states.CASE_RESTOCK_CONTRADICTED]
        refused = w.effect(return_id, states.TAKE_OUT)
        assert refused.error_code == states.SOLD_MEANWHILE
        case = ExceptionCase.objects.active().get()
        assert (case.owner_team, refused.error_text in case.cause) == (states.WH, True)

        by = w.users["WH"]
        queue.run_action(case=case, action_code="waive_hold", by=by, at=w.now(), reason="the buyer was told")
        w.settle()
        assert w.open_cases() == []
        assert w.effect(return_id, states.TAKE_OUT).state == states.EFFECT_CANCELLED
        assert (w.shop.stock_of(product_id), stock_puts(w)) == (0, 0)


@pytest.mark.parametrize("moment", [name for name in CHECKPOINTS if not name.startswith("confirm")])
def test_a_crash_at_any_moment_takes_the_units_out_once(moment: str) -> None:
    with world(policy_tables=AUTOMATIC) as w:
        return_id, product_id = restocked(w)
        dying = Dying(w, kind=states.TAKE_OUT, moment=moment)
        correct(w, return_id)
        settled(w)
        assert dying.has_died
        assert w.effect(return_id, states.TAKE_OUT).state == states.DONE
        assert (w.shop.stock_of(product_id), stock_puts(w)) == (8, 1)
        assert w.open_cases() == []


ORDER, PRODUCT = r"/orders/\d+$", r"/products/\d+$"
FAULTS: tuple[Callable[[str], Fault], ...] = (
    lambda path: Fault(kind=FaultKind.LOST_ANSWER, method="PUT", path_pattern=path),
    lambda path: Fault(kind=FaultKind.SERVER_ERROR_AFTER_COMMIT, method="PUT", path_pattern=path, status=502),
)


def _say(w: World, action: str, who: str, **data: str) -> None:
    """Somebody counted the shelf."""
    (case,) = ExceptionCase.objects.active().filter(kind_code=states.CASE_AMBIGUOUS_STOCK)
    queue.run_action(case=case, action_code=action, by=w.users[who], at=w.now(), reason="counted the shelf", data=data)


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_lost_answer_of_the_stock_move_is_a_case_and_never_a_second_move(number: int) -> None:
    with world(policy_tables=AUTOMATIC) as w:
        return_id, product_id = restocked(w)
        w.shop.faults.script(FAULTS[number](PRODUCT))
        correct(w, return_id)
        w.settle()
        assert w.open_cases() == [states.CASE_AMBIGUOUS_STOCK]
        assert (w.shop.stock_of(product_id), stock_puts(w)) == (8, 1)

        _say(w, "adopt", "WH", remote_id="counted: 8")
        w.settle()
        delivery_cases.close_gone(at=w.now())
        assert w.effect(return_id, states.TAKE_OUT).state == states.DONE
        assert (w.shop.stock_of(product_id), stock_puts(w)) == (8, 1)
        assert w.open_cases() == []


def test_a_stock_move_that_did_not_happen_is_made_when_a_person_says_so() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        return_id, product_id = restocked(w)
        w.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR, method="PUT", path_pattern=PRODUCT))
        correct(w, return_id)
        w.settle()
        assert w.open_cases() == [states.CASE_AMBIGUOUS_STOCK]
        assert w.shop.stock_of(product_id) == 9

        _say(w, "not_done", "WH")
        w.settle()
        delivery_cases.close_gone(at=w.now())
        assert w.effect(return_id, states.TAKE_OUT).state == states.DONE
        assert (w.shop.stock_of(product_id), stock_puts(w)) == (8, 2)
        assert w.open_cases() == []


def test_a_lost_answer_of_the_closing_mark_is_written_again() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        return_id, product_id = restocked(w)
        w.shop.faults.script(replace(FAULTS[0](ORDER), after=1))
        correct(w, return_id)
        w.settle()
        assert w.effect(return_id, states.TAKE_OUT).state == states.DONE
        assert (w.shop.stock_of(product_id), stock_puts(w)) == (8, 1)
        assert w.open_cases() == []


# --- what changes before it is sent ----------------------------------------------------------------------------------


def test_two_returns_on_one_order_are_refunded_and_restocked_each_once() -> None:
    with world() as w:
        product = w.product(stock=10)
        order = w.order((product, 2))
        both = [w.ask(order), w.ask(order)]
        for return_id in both:
            w.platform.receive(return_id)
            w.judge(return_id)
            w.pay(return_id, "30.00")
        w.settle()
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00"), Decimal("30.00")]
        assert w.shop.stock_of(product.id) == 10
        assert w.open_cases() == []

        third = w.ask(order)
        w.platform.receive(third)
        w.judge(third)
        w.pay(third, "30.00")
        w.settle()
        assert len(w.money_refunds(order)) == 2
        assert w.shop.stock_of(product.id) == 10
        assert set(w.open_cases()) >= {states.CASE_TOO_MANY_UNITS}


def test_a_refund_changed_before_it_is_sent_goes_with_the_new_amount() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order, quantity=2)
        refund_id = w.pay(return_id, "30.00")
        w.settle()
        assert w.effect(return_id, states.REFUND).state == states.HELD

        w.shift(60)
        w.pay(return_id, "60.00", quantity=2, refund_id=refund_id)
        w.platform.receive(return_id)
        w.judge(return_id, quantity=2)
        w.settle()
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("60.00")]
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
        assert w.open_cases() == []


def test_an_order_edited_between_plan_and_send_is_planned_again_and_pays_nothing_for_what_is_gone() -> None:
    with world() as w:
        shirt, mug = w.product(stock=10), w.product("MUG", price="12.00")
        order = w.order((shirt, 2), (mug, 1))
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        switches.stop(scope="all", reason="stock-taking", by="ops", at=w.now())
        w.pay(return_id, "30.00")
        w.settle()
        assert w.effect(return_id, states.REFUND).state == states.READY

        w.shop.edit_order(order.id, quantities={order.items[0].id: 0})
        w.shop.webhooks.deliver_pending(limit=0)
        w.shop.state.sender.pending().clear()  # no webhook tells of it
        switches.resume(scope="all", reason="done", by="ops", at=w.now())
        w.settle()
        assert w.refund_posts() == 0
        assert w.effect(return_id, states.REFUND).state == states.HELD
        assert states.CASE_LINE_NOT_ON_ORDER in w.open_cases()


def test_a_policy_changed_while_a_return_is_held_does_not_move_it() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.pay(return_id, "30.00")
        w.settle()
        before = w.rma(return_id).policy

        route = Route.objects.get(name="main")
        assert route.policy is not None
        looser = {**route.policy.document, "refund": {"trigger": "authorised"}}
        routes.save_policy(route=route, document=looser, by="test", at=w.now())
        w.settle()
        assert w.rma(return_id).policy == before
        assert w.refund_posts() == 0  # back in shadow, and the return keeps the policy of its authorisation

        route.refresh_from_db()
        for team in routes.SIGNING_TEAMS:
            routes.sign_policy(policy=route.policy, team=team, by=w.users[team], at=w.now())
        routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="test", at=w.now())
        w.settle()
        assert w.refund_posts() == 0
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        assert len(w.money_refunds(order)) == 1
