"""What opens a case, what it holds back, what ends it, and what then goes out exactly once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.woocommerce.records import Order
from connectors.views import BURST
from exceptions_queue.models import CaseState, ExceptionCase, Resolution
from returnsops import states
from returnsops.models import Effect
from tests.journeys.proposing import TEE, arrives, bought_and_asked, decide, own_refund, paid_by_gateway, post_form
from tests.journeys.world import World, post_raw, world

pytestmark = pytest.mark.django_db

HELD = ("refund held", "restock held")
REFUND_HELD = ("refund held", "restock confirmed")
NOTHING = ()
GONE, BY_ACTION = (CaseState.AUTO_RESOLVED, Resolution.CAUSE_GONE), (CaseState.RESOLVED, Resolution.ACTION)


@dataclass(frozen=True, kw_only=True)
class Life:
    """A case from its cause to its end, with others of the same cause ``beside`` it.

    ``at_rest``: our effects while it is open; ``paid``: by the gateway at last.
    """

    kind: str
    owner: str
    begins: Callable[[World], str]
    ends: Callable[[World, str], None]
    beside: tuple[str, ...] = ()
    at_rest: tuple[str, ...] = HELD
    closed: tuple[str, str] = GONE
    paid: tuple[Decimal, ...] = (TEE,)
    restocked: int = 1


def _effects() -> tuple[str, ...]:
    return tuple(sorted(f"{effect.kind} {effect.state}" for effect in Effect.objects.all()))


def _act(w: World, kind: str, code: str, *, team: str, **data: str) -> None:
    """Somebody of the team acts on the case, as its form is sent."""
    case = ExceptionCase.objects.active().get(kind_code=kind)
    form = {f"{code}-{name}": value for name, value in {"reason": "Looked into it.", **data}.items()}
    post_form(w, team, f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/{code}/", **form)
    w.settle()


def _approved_by_a_second_person(w: World, return_id: str) -> None:
    """What a person released is not sent before another one agrees."""
    refund = own_refund(w, return_id)
    assert (refund.state, w.open_cases()) == (states.AWAITING_APPROVAL, [states.CASE_NEEDS_APPROVAL])
    assert paid_by_gateway(w) == []
    decide(w, refund)


# --- the order --------------------------------------------------------------------------------------------------------


def _asked_too_late(w: World) -> str:
    order = w.order((w.product(), 2), created_at=w.now() - timedelta(days=60))
    return_id = w.ask(order)
    arrives(w, return_id)
    return return_id


def _exception_granted(w: World, return_id: str) -> None:
    _act(w, states.CASE_OUTSIDE_WINDOW, "waive_hold", team="CX")
    _approved_by_a_second_person(w, return_id)


def _order_put_on_hold(w: World) -> str:
    return _arrives_after(w, lambda order: w.shop.set_status(order.id, "on-hold"))


def _order_put_in_the_bin(w: World) -> str:
    return _arrives_after(w, lambda order: w.shop.trash(order.id))


def _arrives_after(w: World, change: Callable[[Order], object]) -> str:
    """The order is changed in the shop before the goods of its return arrive."""
    order, return_id = bought_and_asked(w)
    change(order)
    arrives(w, return_id)
    return return_id


def _processing_again(w: World, return_id: str) -> None:
    (order,) = w.shop.state.orders.values()
    w.shop.set_status(order.id, "processing")


def _arrives_damaged(w: World, return_id: str, *, amount: str, quantity: int) -> None:
    """Money alone is what may follow."""
    w.platform.receive(return_id)
    w.judge(return_id, "damaged", quantity=quantity)
    w.pay(return_id, amount, quantity=quantity)


def _asked_for_three_of_two(w: World) -> str:
    order = w.order((w.product(), 2), (w.product("COAT", price="100.00"), 1))
    return_id = w.ask(order, quantity=3)
    _arrives_damaged(w, return_id, amount="90.00", quantity=3)
    return return_id


def _third_was_bought_at_the_counter(w: World, return_id: str) -> None:
    (order,) = w.shop.state.orders.values()
    w.shop.edit_order(order.id, quantities={order.items[0].id: 3})


def _asked_for_what_was_not_bought(w: World) -> str:
    stranger = {"order_line_id": "424242", "variant_id": None, "sku": "NOT-SOLD-HERE"}
    _, return_id = bought_and_asked(w, item=stranger)
    arrives(w, return_id)
    return return_id


def _corrected_on_the_platform(w: World, return_id: str) -> None:
    (order,) = w.shop.state.orders.values()
    (item,) = w.platform.account.returns[return_id]["items"]
    right = {"order_line_id": str(order.items[0].id), "sku": "TEE-BLK-M", "quantity": 1, "total": "30.00"}
    w.platform.update(return_id, {"items": [{**item, **right}]})
    w.judge(return_id)


# --- money ------------------------------------------------------------------------------------------------------------


def _dearer_than_the_order(w: World) -> str:
    order = w.order((w.product(), 1), fees={"Voucher": Decimal("-8.00")})
    return_id = w.ask(order)
    arrives(w, return_id)
    return return_id


def _dearer_than_the_article(w: World) -> str:
    _, return_id = bought_and_asked(w)
    arrives(w, return_id, amount="35.00")
    return return_id


def _accepted(kind: str, amount: str) -> Callable[[World, str], None]:
    def ends(w: World, return_id: str) -> None:
        _act(w, kind, "accept_amount", team="FIN", amount=amount)
        _approved_by_a_second_person(w, return_id)

    return ends


def _paid_at_once(w: World, *, days: int) -> str:
    """The platform paid when the return began; then the days go by."""
    _, return_id = bought_and_asked(w, mode="instant")
    w.pay(return_id, "30.00", executed_by="returns_platform", is_instant=True)
    w.settle()
    w.shift(timedelta(days=days).total_seconds())
    return return_id


def _never_came_back(w: World) -> str:
    return_id = _paid_at_once(w, days=31)
    w.platform.expire(return_id)
    return return_id


def _came_after_all(w: World, return_id: str) -> None:
    w.platform.receive(return_id)
    w.judge(return_id)


def _undecided_for_26_days(w: World) -> str:
    return_id = _paid_at_once(w, days=26)
    w.platform.receive(return_id)
    return return_id


def _decided(w: World, return_id: str) -> None:
    w.judge(return_id)


def _charge_failed(w: World) -> str:
    _, return_id = bought_and_asked(w)
    w.platform.charge(return_id, amount="30.00", stage="failed")
    return return_id


def _booked(w: World, return_id: str) -> None:
    _act(w, states.CASE_CHARGE_PROBLEM, "waive_hold", team="FIN")


# --- the wire ---------------------------------------------------------------------------------------------------------


def _cannot_be_looked_up(w: World) -> str:
    """A plugin of the shop spoils its list of refunds, so whether ours is among them cannot be seen."""
    _, return_id = bought_and_asked(w)
    page: dict[str, Any] = {"status": 200, "body": "{}", "content_type": "application/json", "times": 1000}
    w.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR, method="GET", path_pattern=r"/orders/\d+/refunds$", **page))
    _arrives_damaged(w, return_id, amount="30.00", quantity=1)
    return return_id


def _tried_again(w: World, return_id: str) -> None:
    w.shop.faults.clear()
    _act(w, states.CASE_ATTEMPTS_EXHAUSTED, "requeue", team="FIN")


def _knocked_with_a_wrong_secret(w: World) -> str:
    for _ in range(BURST):
        assert post_raw(b"{}", {"webhook-id": "evt"}).status_code == 401
    return ""


def _secret_compared(w: World, return_id: str) -> None:
    _act(w, states.CASE_BAD_SIGNATURES, "settled", team="OPS")
    arrives(w, bought_and_asked(w)[1])


def _told_in_words_of_no_contract(w: World) -> str:
    _, return_id = bought_and_asked(w)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.settle()
    w.pay(return_id, "thirty")
    return return_id


def _told_again(w: World, return_id: str) -> None:
    _act(w, states.CASE_UNREADABLE_EVENT, "settled", team="OPS")
    w.pay(return_id, "30.00", refund_id="rfd_again")


LIVES = (
    Life(
        kind=states.CASE_OUTSIDE_WINDOW,
        owner=states.CX,
        begins=_asked_too_late,
        ends=_exception_granted,
        at_rest=REFUND_HELD,
    ),
    Life(kind=states.CASE_ORDER_LOCKED, owner=states.FIN, begins=_order_put_on_hold, ends=_processing_again),
    Life(kind=states.CASE_ORDER_LOCKED, owner=states.FIN, begins=_order_put_in_the_bin, ends=_processing_again),
    Life(
        kind=states.CASE_TOO_MANY_UNITS,
        owner=states.CX,
        begins=_asked_for_three_of_two,
        ends=_third_was_bought_at_the_counter,
        at_rest=("refund held",),
        paid=(3 * TEE,),
        restocked=0,
    ),
    Life(
        kind=states.CASE_LINE_NOT_ON_ORDER,
        owner=states.CX,
        begins=_asked_for_what_was_not_bought,
        ends=_corrected_on_the_platform,
    ),
    Life(
        kind=states.CASE_WOULD_OVER_REFUND,
        owner=states.FIN,
        begins=_dearer_than_the_order,
        ends=_accepted(states.CASE_WOULD_OVER_REFUND, "22.00"),
        at_rest=REFUND_HELD,
        paid=(Decimal("22.00"),),
    ),
    Life(
        kind=states.CASE_AMOUNT_MISMATCH,
        owner=states.FIN,
        begins=_dearer_than_the_article,
        ends=_accepted(states.CASE_AMOUNT_MISMATCH, "35.00"),
        at_rest=REFUND_HELD,
        paid=(Decimal("35.00"),),
    ),
    Life(
        kind=states.CASE_INSTANT_NEVER_RETURNED,
        owner=states.FIN,
        begins=_never_came_back,
        ends=_came_after_all,
        at_rest=("refund confirmed",),
        paid=NOTHING,
    ),
    Life(
        kind=states.CASE_DECISION_DUE,
        owner=states.CX,
        begins=_undecided_for_26_days,
        ends=_decided,
        at_rest=("refund confirmed",),
        paid=NOTHING,
    ),
    Life(
        kind=states.CASE_CHARGE_PROBLEM,
        owner=states.FIN,
        begins=_charge_failed,
        ends=_booked,
        at_rest=NOTHING,
        paid=NOTHING,
        restocked=0,
    ),
    Life(
        kind=states.CASE_ATTEMPTS_EXHAUSTED,
        owner=states.FIN,
        begins=_cannot_be_looked_up,
        ends=_tried_again,
        beside=(states.CASE_CONNECTION_DOWN,),
        at_rest=("refund failed",),
        restocked=0,
    ),
    Life(
        kind=states.CASE_BAD_SIGNATURES,
        owner=states.OPS,
        begins=_knocked_with_a_wrong_secret,
        ends=_secret_compared,
        at_rest=NOTHING,
        closed=BY_ACTION,
    ),
    Life(
        kind=states.CASE_UNREADABLE_EVENT,
        owner=states.OPS,
        begins=_told_in_words_of_no_contract,
        ends=_told_again,
        at_rest=("restock confirmed",),
        closed=BY_ACTION,
    ),
)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: f"{life.kind}{life.begins.__name__}")
def test_a_case_holds_until_its_cause_is_gone_and_what_waited_goes_once(life: Life) -> None:
    with world(policy="return_window_days = 30") as w:
        return_id = life.begins(w)
        w.settle()
        assert w.open_cases() == sorted((life.kind, *life.beside))
        case = ExceptionCase.objects.active().get(kind_code=life.kind)
        assert case.owner_team == life.owner
        assert _effects() == life.at_rest
        assert w.shop.gateway_payouts == []

        life.ends(w, return_id)
        w.settle()
        case.refresh_from_db()
        assert (w.open_cases(), (case.state, case.resolution)) == ([], life.closed)
        assert paid_by_gateway(w) == list(life.paid)
        orders = w.shop.state.orders.values()
        assert sum(len(w.restock_records(order)) for order in orders) == life.restocked
        assert all(" confirmed" in effect for effect in _effects())
