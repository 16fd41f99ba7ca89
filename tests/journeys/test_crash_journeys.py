"""A worker dies, answers get lost, and the shop is WooCommerce: one refund, one restock, one note of each."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors import delivery_cases
from connectors.jobs import CHECKPOINTS
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.woocommerce.records import Order
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect
from returnsops.selectors import why_not_yet
from tests.faults.ledger import Crash
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db

KINDS = (states.REFUND, states.RESTOCK, states.NOTE)
NO_READ_BACK = tuple(name for name in CHECKPOINTS if not name.startswith("confirm"))


def dying_at(moment: str) -> list[str]:
    """The kinds whose worker can die at a moment and be followed by a machine alone.

    WooCommerce keeps no record of a payment whose gateway did not answer: a crash before the call is not told apart
    from one during it, and two people decide (see the last test). Notes are not read back.
    """
    never = {(states.REFUND, "send_begun")} | {(states.NOTE, name) for name in CHECKPOINTS if name not in NO_READ_BACK}
    return [kind for kind in KINDS if (kind, moment) not in never]


class Dying:
    """Lets the worker die the first time an effect of a kind comes past a moment; one world may have several."""

    def __init__(self, w: World, *, kind: str, moment: str) -> None:
        self.kind, self.moment, self.has_died = kind, moment, False
        self.earlier = w.runtime.checkpoint
        w.runtime = replace(w.runtime, checkpoint=self)

    def __call__(self, name: str) -> None:
        """Die once, unless one that was there before dies first."""
        self.earlier(name)
        if self.has_died or name != self.moment or not self._is_ours():
            return
        self.has_died = True
        raise Crash(name)

    def _is_ours(self) -> bool:
        """Whether an effect of the kind is the one under way: it was worked on last."""
        last = Effect.objects.filter(attempts__isnull=False).order_by("-attempts__pk").first()
        return last is not None and last.kind == self.kind


def settled(w: World) -> None:
    """Let everything happen; a dead worker is followed by another one."""
    for _ in range(5):
        try:
            w.settle()
        except Crash:
            continue
        return
    raise AssertionError("workers die for ever")


def returned(w: World) -> tuple[Order, str, int]:
    """One unit of two is back and sellable, and is to be refunded: the order, the return and the product."""
    product = w.product(stock=10)
    order = w.order((product, 2))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00")
    return order, return_id, product.id


def check_each_once(w: World, order: Order, return_id: str, product_id: int) -> None:
    """Exactly one refund, one payout, one unit in stock, one note of each token."""
    assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
    assert [payout.amount for payout in w.shop.gateway_payouts] == [Decimal("30.00")]
    assert len(w.restock_records(order)) == 1
    assert w.shop.stock_of(product_id) == 9
    tokens = [effect.payload["token"] for effect in w.effects(return_id, states.NOTE)]
    notes = [note.text for note in w.shop.state.notes if note.order_id == order.id]
    assert [sum(token in note for note in notes) for token in tokens] == [1] * len(tokens)
    assert tokens
    assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
    assert w.effect(return_id, states.RESTOCK).state == states.CONFIRMED
    assert {effect.state for effect in w.effects(return_id, states.NOTE)} == {states.DONE}
    assert w.open_cases() == []


@pytest.mark.requirement("S4-22")
@pytest.mark.parametrize("moment", CHECKPOINTS)
def test_crashes_at_any_moment_leave_each_thing_done_once(moment: str) -> None:
    """A worker dies there with the refund, the next with the restock, the third with a note."""
    with world(is_telling=True) as w:
        dying = [Dying(w, kind=kind, moment=moment) for kind in dying_at(moment)]
        placed = returned(w)
        settled(w)
        assert [one.has_died for one in dying] == [True] * len(dying)
        check_each_once(w, *placed)


PATHS = {
    states.REFUND: r"/orders/\d+/refunds$",
    states.NOTE: r"/orders/\d+/notes$",
}
FAULTS: tuple[Callable[[str], Fault], ...] = (
    lambda path: Fault(kind=FaultKind.LOST_ANSWER, method="POST", path_pattern=path),
    lambda path: Fault(kind=FaultKind.LATE_COMMIT, method="POST", path_pattern=path, delay_s=20),
    lambda path: Fault(kind=FaultKind.SERVER_ERROR_AFTER_COMMIT, method="POST", path_pattern=path, status=502),
    lambda path: Fault(kind=FaultKind.RATE_LIMITED, method="POST", path_pattern=path, retry_after_s=20),
)


@pytest.mark.requirement("S4-22")
@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_lost_or_late_answers_leave_each_thing_done_once(number: int) -> None:
    """Refund and restock are both refund records in WooCommerce: of either path the first two are victims."""
    with world(is_telling=True) as w:
        for path in PATHS.values():
            w.shop.faults.script(replace(FAULTS[number](path), times=2))
        placed = returned(w)
        settled(w)
        assert w.shop.faults.scripted == []
        check_each_once(w, *placed)


@pytest.mark.requirement("S4-22")
def test_a_crash_and_a_lost_look_up_after_it() -> None:
    with world(is_telling=True) as w:
        Dying(w, kind=states.REFUND, moment="sent")
        w.shop.faults.script(Fault(kind=FaultKind.LOST_ANSWER, method="GET", path_pattern=r"/orders/\d+$", after=3))
        placed = returned(w)
        settled(w)
        check_each_once(w, *placed)


def say_not_done(w: World, who: str) -> None:
    """A person of finance looked at the payment provider."""
    queue.run_action(
        case=ExceptionCase.objects.active().get(),
        action_code="not_done",
        by=w.users[who],
        at=w.now(),
        reason="the provider shows no payment",
    )


@pytest.mark.requirement("S4-22")
def test_a_payment_nobody_can_tell_is_sent_again_when_two_people_say_it_did_not_happen() -> None:
    with world(is_telling=True) as w:
        Dying(w, kind=states.REFUND, moment="send_begun")
        placed = returned(w)
        settled(w)
        assert w.money_refunds(placed[0]) == []
        assert w.shop.gateway_payouts == []
        assert w.open_cases() == [states.CASE_AMBIGUOUS_OUTCOME]
        rows = {row.effect.kind: row for row in why_not_yet.effects_of(w.rma(placed[1]), now=w.now())}
        assert [hold.code for hold in rows[states.RESTOCK].holds] == ["waits_for_outcome"]  # until the case is answered

        say_not_done(w, "FIN")
        say_not_done(w, "FIN")
        w.settle()
        assert w.refund_posts() == 0
        say_not_done(w, "FIN2")
        w.settle()
        delivery_cases.close_gone(at=w.now())
        check_each_once(w, *placed)
        (refund,) = w.money_refunds(placed[0])
        assert refund.reason.startswith(w.effect(placed[1], states.REFUND).key + "#2 ")
