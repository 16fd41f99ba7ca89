"""The same journeys when a worker dies or an answer is lost on the way: nothing is lost, nothing happens twice."""

from collections.abc import Callable
from decimal import Decimal
from unittest import mock

import pytest

from connectors.simulators.base import Fault, FaultKind
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect, Route
from returnsops.services import replan as replanning
from returnsops.services import routes, switches
from tests.journeys.test_crash_journeys import Dying, settled
from tests.journeys.test_manual_refund_journeys import TEE, _amounts, _by_hand, _click, _due
from tests.journeys.test_write_back_journeys import BENCH, asked, judge_here, swap, told_by_calls
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db

REFUNDS = r"/orders/\d+/refunds$"


def _dead_workers(w: World) -> None:
    """One dies with the refund, the next with the restock, each after the shop did it."""
    for kind in (states.REFUND, states.RESTOCK):
        Dying(w, kind=kind, moment="sent")


def _lost_answers(w: World) -> None:
    """Of the first reading of an order, and of the first refund record."""
    w.shop.faults.script(Fault(kind=FaultKind.LOST_ANSWER, method="GET", path_pattern=r"/orders/\d+$"))
    w.shop.faults.script(Fault(kind=FaultKind.LOST_ANSWER, method="POST", path_pattern=REFUNDS))


def _late_commit(w: World) -> None:
    """The first refund record comes to be after we gave up waiting."""
    w.shop.faults.script(Fault(kind=FaultKind.LATE_COMMIT, method="POST", path_pattern=REFUNDS, delay_s=20))


TROUBLE: dict[str, Callable[[World], None]] = {
    "dead workers": _dead_workers,
    "lost answers": _lost_answers,
    "late commit": _late_commit,
}
troubled = pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)

# --- facts that contradict what was planned -------------------------------------------------------------------------


@troubled
def test_two_returns_on_one_order_are_each_done_once(trouble: Callable[[World], None]) -> None:
    with world() as w:
        product = w.product(stock=10)
        order = w.order((product, 2))
        both = [w.ask(order), w.ask(order)]
        trouble(w)
        for return_id in both:
            w.platform.receive(return_id)
            w.judge(return_id)
            w.pay(return_id, "30.00")
        settled(w)
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00"), Decimal("30.00")]
        assert len(w.restock_records(order)) == 2
        assert w.shop.stock_of(product.id) == 10
        assert w.open_cases() == []


@troubled
def test_a_refund_changed_before_it_is_sent_goes_once_with_the_new_amount(trouble: Callable[[World], None]) -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order, quantity=2)
        refund_id = w.pay(return_id, "30.00")
        settled(w)
        trouble(w)
        w.shift(60)
        w.pay(return_id, "60.00", quantity=2, refund_id=refund_id)
        w.platform.receive(return_id)
        w.judge(return_id, quantity=2)
        settled(w)
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("60.00")]
        assert len(w.restock_records(order)) == 1
        assert w.open_cases() == []


@troubled
def test_an_order_edited_between_plan_and_send_pays_what_is_left_of_it_once(trouble: Callable[[World], None]) -> None:
    with world() as w:
        shirt, mug = w.product(stock=10), w.product("MUG", price="12.00")
        order = w.order((shirt, 2), (mug, 1))
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        switches.stop(scope="all", reason="stock-taking", by="ops", at=w.now())
        w.pay(return_id, "30.00")
        settled(w)
        w.shop.edit_order(order.id, quantities={order.items[1].id: 0})
        w.shop.state.sender.pending().clear()  # no webhook tells of it
        switches.resume(scope="all", reason="done", by="ops", at=w.now())
        trouble(w)
        settled(w)
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert len(w.restock_records(order)) == 1
        assert w.open_cases() == []


@troubled
def test_a_policy_changed_while_a_return_is_held_leaves_it_paid_once(trouble: Callable[[World], None]) -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.pay(return_id, "30.00")
        settled(w)
        route = Route.objects.get(name="main")
        assert route.policy is not None
        looser = {**route.policy.document, "refund": {"trigger": "authorised"}}
        policy = routes.save_policy(route=route, document=looser, by="test", at=w.now())
        for team in routes.SIGNING_TEAMS:
            routes.sign_policy(policy=policy, team=team, by=w.users[team], at=w.now())
        routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="test", at=w.now())
        settled(w)
        assert w.refund_posts() == 0  # the return keeps the policy of its authorisation
        trouble(w)
        w.platform.receive(return_id)
        w.judge(return_id)
        settled(w)
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert w.open_cases() == []


# --- a person's answer -----------------------------------------------------------------------------------------------


@troubled
def test_after_an_explanation_was_chosen_the_return_goes_whole_and_once(trouble: Callable[[World], None]) -> None:
    with world() as w:
        order, return_id = _due(w)
        _by_hand(w, order, Decimal("5.00"), reason="sorry")
        w.pay(return_id, str(TEE))
        settled(w)
        trouble(w)
        _click(w)
        settled(w)
        assert _amounts(w, order) == [Decimal("5.00"), TEE]
        assert w.open_cases() == []


def test_a_crash_while_an_explanation_is_applied_leaves_the_question_as_it_was() -> None:
    with world() as w:
        order, return_id = _due(w)
        _by_hand(w, order, Decimal("5.00"), reason="sorry")
        w.pay(return_id, str(TEE))
        settled(w)
        # A plan that only fails keeps what was said; a process that dies in it takes all of the act with it.
        with mock.patch.object(replanning, "_merge", side_effect=SystemExit("power cut")), pytest.raises(SystemExit):
            _click(w)
        assert w.open_cases() == [states.CASE_REFUNDED_OUTSIDE]
        assert w.shop.gateway_payouts == []
        _click(w)
        settled(w)
        assert _amounts(w, order) == [Decimal("5.00"), TEE]


# --- the limit of an hour ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["looked_up", "settled"])
def test_a_crash_at_the_limit_of_an_hour_sends_no_refund_more(moment: str) -> None:
    with world(policy_tables="[routes.policy.refund.limit_per_hour]\ncount = 2") as w:
        orders = []
        for number in range(3):
            order = w.order((w.product(f"SKU-{number}"), 1))
            return_id = w.ask(order)
            w.platform.receive(return_id)
            w.judge(return_id)
            w.pay(return_id, "30.00")
            orders.append(order)
        dying = Dying(w, kind=states.REFUND, moment=moment)
        settled(w)
        assert dying.has_died
        assert sum(len(w.money_refunds(order)) for order in orders) == 2
        assert ExceptionCase.objects.active().filter(kind_code=states.CASE_REFUND_LIMIT).count() == 1
        assert Route.objects.get().is_paused


# --- what the platform is told -------------------------------------------------------------------------------------


def _lines(w: World) -> str:
    return asked(w)[1]


def _verdict(w: World) -> str:
    _, return_id = asked(w)
    settled(w)
    judge_here(w, return_id)
    return return_id


def _exchange_order(w: World) -> str:
    _, return_id = asked(w, resolution="exchange", item={"resolution": "exchange"})
    settled(w)
    swap(w, return_id)
    judge_here(w, return_id)
    return return_id


TOLD: dict[str, tuple[Callable[[World], str], str, str]] = {
    states.TELL_LINES: (_lines, "", r"/confirmed-lines$"),
    states.TELL_VERDICT: (_verdict, BENCH, r"/inspection$"),
    states.TELL_EXCHANGE_ORDER: (_exchange_order, f'{BENCH}\n[routes.policy.exchange]\nwriter = "us"', r"/order$"),
}


def _check_told_once(w: World, return_id: str, message: str) -> None:
    assert len(w.platform.merchant_desk.told_of(return_id, message)) == 1
    effects = Effect.objects.filter(rma=w.rma(return_id), kind=states.WRITE_BACK)
    assert [effect.state for effect in effects] == [states.DONE]
    assert w.open_cases() == []


@pytest.mark.parametrize("message", TOLD)
def test_crashes_one_after_the_other_leave_each_message_told_once(message: str) -> None:
    """A worker dies before anything is sent, the next before the call, the third after it."""
    begin, policy, _ = TOLD[message]
    with world(policy_tables=policy) as w:
        told_by_calls(w, message)
        dying = [Dying(w, kind=states.WRITE_BACK, moment=moment) for moment in ("looked_up", "send_begun", "sent")]
        return_id = begin(w)
        settled(w)
        assert [one.has_died for one in dying] == [True, True, True]
        _check_told_once(w, return_id, message)


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.LATE_COMMIT, FaultKind.LOST_REQUEST])
@pytest.mark.parametrize("message", TOLD)
def test_a_lost_answer_leaves_each_message_told_once(message: str, kind: FaultKind) -> None:
    begin, policy, path = TOLD[message]
    with world(policy_tables=policy) as w:
        told_by_calls(w, message)
        w.platform.faults.script(Fault(kind=kind, path_pattern=path, status=502, delay_s=20))
        return_id = begin(w)
        settled(w)
        _check_told_once(w, return_id, message)
