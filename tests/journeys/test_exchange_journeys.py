"""WooCommerce and Reveni: a replacement order of its own, placed once, and what becomes of it (S4-18, S4-19)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.jobs import CHECKPOINTS
from connectors.replay import replay
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.records import Order, Product
from connectors.simulators.woocommerce.state import meta_value
from exceptions_queue import services as queue
from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.services.exchange_actions import variations
from tests.factories import UserFactory
from tests.journeys.test_crash_journeys import Dying, settled
from tests.journeys.world import World, post_raw, world

pytestmark = pytest.mark.django_db

ORDER = r"/orders/\d+$"
QUIET = "[routes.policy.write_back]\nto_do = []\n"  # what the platform is told is another story
PLACED_BY_US = '[routes.policy.exchange]\nwriter = "us"\n'
OURS = QUIET + PLACED_BY_US
WITHDRAWN_BY_ITSELF = f'{OURS}[routes.policy.reversal]\nexchange = "automatic"\n'


class Shelf:
    """Trainers in three sizes: 40 was bought, 41 is wanted instead, 42 is there too."""

    def __init__(self, w: World, *, stock: int = 5) -> None:
        self.w = w
        self.parent = w.shop.add_product("Trainers", None, sku="TRAIN", type="variable")
        self.sizes = {size: self._size(size, stock if size == "41" else 5) for size in ("40", "41", "42")}
        self.order = w.shop.place_order(
            [CartLine(product_id=self.parent.id, variation_id=self.sizes["40"].id, quantity=1)], payment_method="card"
        )
        self.return_id = w.ask(self.order, item={"resolution": "exchange"})

    def _size(self, size: str, stock: int) -> Product:
        return self.w.shop.add_variation(
            self.parent, Decimal("50.00"), options={"Size": size}, sku=f"TRAIN-{size}", stock_quantity=stock
        )

    def line(self, size: str = "41", quantity: int = 1, **details: Any) -> dict[str, Any]:
        """What the shopper wants instead."""
        variation = self.sizes[size]
        wanted = {
            "sku": variation.own_sku,
            "variant_id": str(variation.id),
            "quantity": quantity,
            "unit_price": "50.00",
        }
        return {**wanted, "replaces_item_id": self.w.item_id(self.return_id), **details}

    def ask(self, *lines: dict[str, Any], **details: Any) -> str:
        """The exchange, at once unless said otherwise."""
        return self.w.platform.request_exchange(
            self.return_id, lines=list(lines) or [self.line()], **{"is_instant": True, **details}
        )

    def ask_again(self, exchange_id: str, line: dict[str, Any], **details: Any) -> None:
        """The platform says something else about an exchange."""
        change = {"id": exchange_id, "lines": [line], **details}
        self.w.platform.account.attach(
            self.return_id, "exchange.requested", "exchange", "exchanges", change, is_silent=False
        )

    def stock(self, size: str = "41") -> int | None:
        """Left on the shelf."""
        return self.w.shop.stock_of(self.parent.id, self.sizes[size].id)

    def placed(self) -> list[Order]:
        """Orders in the shop beside the original one, whatever became of them."""
        return [order for order in self.w.shop.state.orders.values() if order.id != self.order.id]


@pytest.mark.requirement("S4-19")
def test_an_instant_exchange_is_a_zero_value_order_that_names_the_original_and_reserves_stock() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        shelf.ask()
        w.settle()
        (order,) = shelf.placed()
        effect = w.effect(shelf.return_id, states.EXCHANGE)
        assert (effect.state, effect.remote_id) == (states.CONFIRMED, str(order.id))
        assert order.status == "processing"
        (line,) = order.items
        assert (line.product_id, line.variation_id, line.quantity) == (shelf.parent.id, shelf.sizes["41"].id, 1)
        assert (line.total, line.subtotal) == (Decimal(0), Decimal(0))
        assert meta_value(order.meta, "_returnsops_exchange_of") == str(shelf.order.id)
        assert meta_value(order.meta, "_returnsops_key") == effect.key
        assert order.billing == shelf.order.billing
        assert order.shipping == shelf.order.shipping
        assert meta_value(line.meta, "_reduced_stock") == "1"
        assert shelf.stock() == 4
        assert w.money_refunds(shelf.order) == []
        assert w.open_cases() == []


@pytest.mark.requirement("S4-19")
def test_an_exchange_that_is_not_instant_waits_for_the_inspection_and_the_goods_go_their_own_way() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        shelf.ask(is_instant=False)
        w.platform.receive(shelf.return_id)
        w.settle()
        effect = w.effect(shelf.return_id, states.EXCHANGE)
        assert effect.state == states.HELD
        assert [hold["text"] for hold in effect.holds] == ["waits for inspection of 1 of 1 item"]
        assert shelf.placed() == []

        w.judge(shelf.return_id)
        w.settle()
        assert [order.status for order in shelf.placed()] == ["processing"]
        assert (shelf.stock("40"), shelf.stock("41")) == (5, 4)  # the old pair is back, the new one is reserved
        assert w.effects(shelf.return_id, states.REFUND) == []
        assert w.open_cases() == []


def test_staff_and_customer_hear_of_it_only_once_the_order_exists() -> None:
    with world(is_telling=True, policy_tables=f"{OURS}customer_note = true\n") as w:
        shelf = Shelf(w)
        w.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR_AFTER_COMMIT, method="PUT", path_pattern=ORDER))
        shelf.ask()
        w.settle()
        (order,) = shelf.placed()
        notes = [note for note in w.shop.state.notes if note.order_id == shelf.order.id and "[" in note.text]
        told = [(note.text.partition(" [")[0], note.is_for_customer) for note in notes]
        assert (f"Return {w.rma(shelf.return_id).number}: the replacement is order {order.id}.", False) in told
        assert (f"Your replacement is on its way to you as order {order.id}.", True) in told
        assert len(told) == len(set(told))
        status = meta_value(shelf.order.meta, "_returnsops_status")
        assert f"replacement order {order.id} placed" in status
        assert order.paid_at is not None
        assert min(note.created_at for note in notes if "replacement" in note.text) >= order.paid_at


def test_the_platform_is_to_be_told_only_once_the_order_exists() -> None:
    with world(policy_tables=PLACED_BY_US) as w:
        shelf = Shelf(w, stock=0)
        shelf.ask()
        w.settle()
        assert states.CASE_PLATFORM_TO_DO not in w.open_cases()
        shelf.sizes["41"].stock_quantity = 1
        act(w, states.CASE_EXCHANGE_UNAVAILABLE, "try_again")
        w.settle()
        (order,) = shelf.placed()
        case = ExceptionCase.objects.active().get(kind_code=states.CASE_PLATFORM_TO_DO)
        assert str(order.id) in str(case.evidence)


def test_the_same_message_many_times_makes_one_order() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        shelf.ask()
        w.platform.sender.deliver_pending()
        (sent,) = [row for row in w.platform.sender.sent if row.topic == "exchange.requested"]
        answers = [post_raw(sent.webhook.body, dict(sent.webhook.headers)) for _ in range(20)]
        w.settle()
        assert all(answer.json()["duplicate"] for answer in answers)
        post_raw(sent.webhook.body, dict(sent.webhook.headers))
        w.settle()
        assert len(shelf.placed()) == 1
        assert shelf.stock() == 4


def test_two_exchanges_on_one_order_are_two_orders() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        ids = {shelf.ask(), shelf.ask(shelf.line("42"))}
        w.settle()
        assert sorted(order.items[0].variation_id for order in shelf.placed()) == [
            shelf.sizes["41"].id,
            shelf.sizes["42"].id,
        ]
        assert {effect.payload["exchange_id"] for effect in w.effects(shelf.return_id, states.EXCHANGE)} == ids
        assert (shelf.stock("41"), shelf.stock("42")) == (4, 4)


# --- crashes and lost answers ----------------------------------------------------------------------------------------


def check_once(w: World, shelf: Shelf) -> None:
    """One paid order that stands, and one pair out of stock."""
    standing = [order for order in shelf.placed() if order.status not in ("cancelled", "trash")]
    assert [order.status for order in standing] == ["processing"]
    assert w.effect(shelf.return_id, states.EXCHANGE).state == states.CONFIRMED
    assert shelf.stock() == 4
    assert w.open_cases() == []


def check_cancelled(w: World, shelf: Shelf) -> None:
    """The one order was cancelled, and the pair is back in stock."""
    assert w.effect(shelf.return_id, states.CANCEL_EXCHANGE).state == states.CONFIRMED
    assert [order.status for order in shelf.placed()] == ["cancelled"]
    assert shelf.stock() == 5
    assert w.open_cases() == []


@pytest.mark.requirement("S4-19")
@pytest.mark.parametrize("moment", CHECKPOINTS)
def test_crashes_at_any_moment_leave_one_paid_order_and_cancel_it_once(moment: str) -> None:
    with world(policy_tables=WITHDRAWN_BY_ITSELF) as w:
        dying = [Dying(w, kind=kind, moment=moment) for kind in (states.EXCHANGE, states.CANCEL_EXCHANGE)]
        shelf = Shelf(w)
        exchange_id = shelf.ask()
        settled(w)
        assert [one.has_died for one in dying] == [True, False]
        check_once(w, shelf)

        w.platform.cancel_exchange(shelf.return_id, exchange_id)
        settled(w)
        assert [one.has_died for one in dying] == [True, True]
        check_cancelled(w, shelf)


LOST = (FaultKind.LOST_ANSWER, FaultKind.LATE_COMMIT, FaultKind.SERVER_ERROR_AFTER_COMMIT, FaultKind.RATE_LIMITED)


@pytest.mark.requirement("S4-19")
@pytest.mark.parametrize("kind", LOST)
def test_lost_answers_leave_one_paid_order_and_cancel_it_once(kind: FaultKind) -> None:
    """Of the POST that places it, of the PUT that pays it, and of the PUT that cancels it."""
    with world(policy_tables=WITHDRAWN_BY_ITSELF, policy="mirrors = []") as w:
        fault = Fault(kind=kind, delay_s=20 if kind is FaultKind.LATE_COMMIT else 0, retry_after_s=20)
        w.shop.faults.script(replace(fault, method="POST", path_pattern=r"/orders$"))
        w.shop.faults.script(replace(fault, method="PUT", path_pattern=ORDER))
        shelf = Shelf(w)
        exchange_id = shelf.ask()
        settled(w)
        assert w.shop.faults.scripted == []
        check_once(w, shelf)

        w.shop.faults.script(replace(fault, method="PUT", path_pattern=ORDER))
        w.platform.cancel_exchange(shelf.return_id, exchange_id)
        settled(w)
        assert w.shop.faults.scripted == []
        check_cancelled(w, shelf)


def test_the_shop_dies_between_placing_and_paying_and_the_order_is_paid_later() -> None:
    with world(policy_tables=OURS, policy="mirrors = []") as w:
        w.shop.faults.script(Fault(kind=FaultKind.LOST_REQUEST, method="PUT", path_pattern=ORDER))
        shelf = Shelf(w)
        shelf.ask()
        settled(w)
        check_once(w, shelf)
        assert [method for method, path in w.writes() if path.endswith("/orders")] == ["POST"]


# --- goods that are not there ----------------------------------------------------------------------------------------


def act(w: World, kind: str, action: str, team: str = "CX", *, reason: str = "", **data: str) -> None:
    """A person presses a button of the open case of that kind."""
    case = ExceptionCase.objects.active().get(kind_code=kind)
    queue.run_action(case=case, action_code=action, by=w.users[team], at=w.now(), reason=reason, data=data)


def test_more_than_is_in_stock_is_refused_before_anything_is_placed_and_another_size_sent() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w, stock=0)
        shelf.ask()
        w.settle()
        assert shelf.placed() == []
        assert [path for method, path in w.writes() if method == "POST" and path.endswith("/orders")] == []
        assert w.open_cases() == [states.CASE_EXCHANGE_UNAVAILABLE]
        case = ExceptionCase.objects.active().get()
        assert "Only 0 of" in case.cause
        assert variations(case) == [
            (str(shelf.sizes[size].id), f"{size} (TRAIN-{size}, {left} left)") for size, left in (("42", 5), ("40", 4))
        ]

        act(w, states.CASE_EXCHANGE_UNAVAILABLE, "choose_variation", variation=str(shelf.sizes["42"].id))
        w.settle()
        (order,) = shelf.placed()
        assert order.items[0].variation_id == shelf.sizes["42"].id
        assert (shelf.stock("41"), shelf.stock("42")) == (0, 4)
        effect = w.effect(shelf.return_id, states.EXCHANGE)
        assert (effect.state, effect.generation) == (states.CONFIRMED, 2)
        assert w.open_cases() == []
        assert replay(rma=w.rma(shelf.return_id), at=w.now()).differences == ()


def test_goods_came_in_and_it_is_tried_again() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w, stock=0)
        shelf.ask()
        w.settle()
        shelf.sizes["41"].stock_quantity = 1
        act(w, states.CASE_EXCHANGE_UNAVAILABLE, "try_again")
        w.settle()
        assert [order.status for order in shelf.placed()] == ["processing"]
        assert shelf.stock() == 0
        assert w.open_cases() == []


def test_it_is_placed_by_hand_instead() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w, stock=0)
        exchange_id = shelf.ask()
        w.settle()
        act(w, states.CASE_EXCHANGE_UNAVAILABLE, "settle_exchange", exchange=exchange_id, reference="9001")
        w.settle()
        assert shelf.placed() == []
        assert w.effect(shelf.return_id, states.EXCHANGE).state == states.EFFECT_CANCELLED
        assert w.open_cases() == []


def test_it_is_refunded_instead_until_the_platform_withdraws_it() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w, stock=0)
        exchange_id = shelf.ask()
        w.settle()
        act(w, states.CASE_EXCHANGE_UNAVAILABLE, "refund_instead", reason="she wants her money")
        w.settle()
        assert w.open_cases() == [states.CASE_EXCHANGE_UNDECIDED]

        w.platform.cancel_exchange(shelf.return_id, exchange_id)
        w.settle()
        assert shelf.placed() == []
        assert w.open_cases() == []


def test_an_unknown_variation_is_not_replaced_by_its_parent() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        shelf.ask(shelf.line(sku="TRAIN", variant_id=None))
        w.settle()
        assert shelf.placed() == []
        assert w.open_cases() == [states.CASE_EXCHANGE_UNAVAILABLE]
        assert w.effect(shelf.return_id, states.EXCHANGE).error_code == states.PRODUCT_UNCLEAR


def test_the_last_piece_is_sold_once_however_many_exchanges_want_it() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w, stock=1)
        shelf.ask()
        shelf.ask()
        w.settle()
        assert len(shelf.placed()) == 1
        assert shelf.stock() == 0
        assert w.open_cases() == [states.CASE_EXCHANGE_UNAVAILABLE]


def test_sold_out_between_placing_and_paying_the_unpaid_order_is_cancelled() -> None:
    with world(policy_tables=OURS) as w:
        w.shop.faults.script(Fault(kind=FaultKind.LOST_REQUEST, method="PUT", path_pattern=ORDER))
        shelf = Shelf(w, stock=1)
        shelf.ask()
        while not shelf.placed():
            w.tell()
            w.work()
        shelf.sizes["41"].stock_quantity = 0
        w.settle()
        assert [order.status for order in shelf.placed()] == ["cancelled"]
        assert shelf.stock() == 0
        assert w.open_cases() == [states.CASE_EXCHANGE_UNAVAILABLE]

        act(w, states.CASE_EXCHANGE_UNAVAILABLE, "choose_variation", variation=str(shelf.sizes["42"].id))
        w.settle()
        assert sorted(order.status for order in shelf.placed()) == ["cancelled", "processing"]
        assert (shelf.stock("41"), shelf.stock("42")) == (0, 4)


def test_bought_by_somebody_in_the_very_moment_the_warehouse_hears_of_it_and_no_second_order_is_made() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w, stock=1)
        emit = w.shop.state.emit

        def buy(topic: str, resource_id: int) -> None:
            emit(topic, resource_id)
            if topic == "order.created" and shelf.stock() == 1:
                shelf.sizes["41"].stock_quantity = 0

        w.shop.state.emit = buy
        shelf.ask()
        w.settle()
        assert [order.status for order in shelf.placed()] == ["processing"]
        assert shelf.stock() == -1
        assert w.open_cases() == [states.CASE_STOCK_CONCERN]


# --- the price, and what is withdrawn --------------------------------------------------------------------------------


def test_a_dearer_replacement_waits_for_the_difference() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        shelf.ask(price_difference="10.00")
        w.settle()
        assert shelf.placed() == []
        assert w.open_cases() == [states.CASE_EXCHANGE_PRICE]

        act(w, states.CASE_EXCHANGE_PRICE, "record_payment", reference="PAY-7")
        w.settle()
        assert [order.status for order in shelf.placed()] == ["processing"]
        assert w.open_cases() == []


def test_customer_service_may_let_the_difference_go_and_a_colleague_agrees() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        shelf.ask(price_difference="10.00")
        w.settle()
        assert shelf.placed() == []
        act(w, states.CASE_EXCHANGE_PRICE, "waive_hold", reason="promised on the phone")
        w.settle()
        assert (shelf.placed(), w.open_cases()) == ([], [states.CASE_NEEDS_EXCHANGE_APPROVAL])
        case = ExceptionCase.objects.active().get()
        assert (case.owner_team, case.money_at_risk) == (states.CX, Decimal("10.00"))

        effect = str(w.effect(shelf.return_id, states.EXCHANGE).pk)
        with pytest.raises(CaseError, match="a second person has to approve it"):
            act(w, states.CASE_NEEDS_EXCHANGE_APPROVAL, "approve", effect=effect)
        w.settle()
        assert shelf.placed() == []
        w.users["CX2"] = UserFactory(team=states.CX)
        act(w, states.CASE_NEEDS_EXCHANGE_APPROVAL, "approve", "CX2", effect=effect)
        w.settle()
        assert [order.status for order in shelf.placed()] == ["processing"]
        assert w.open_cases() == []


def test_a_cheaper_replacement_is_refunded_only_by_the_platforms_word() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        shelf.ask(price_difference="-10.00")
        w.platform.receive(shelf.return_id)
        w.judge(shelf.return_id)
        w.settle()
        assert w.money_refunds(shelf.order) == []
        w.platform.close(shelf.return_id)
        w.settle()
        assert w.open_cases() == [states.CASE_EXCHANGE_UNDECIDED]
        assert "costs €10.00 less" in ExceptionCase.objects.active().get().cause
        w.pay(shelf.return_id, "10.00")
        w.settle()
        assert [refund.amount for refund in w.money_refunds(shelf.order)] == [Decimal("10.00")]
        assert states.CASE_EXCHANGE_UNDECIDED not in w.open_cases()


def test_withdrawn_before_it_was_sent_nothing_is_placed() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        exchange_id = shelf.ask(is_instant=False)
        w.settle()
        w.platform.cancel_exchange(shelf.return_id, exchange_id)
        w.judge(shelf.return_id)
        w.settle()
        assert shelf.placed() == []
        assert w.effect(shelf.return_id, states.EXCHANGE).state == states.EFFECT_CANCELLED


@pytest.mark.parametrize("mode", ["case", "approve", "automatic"])
def test_withdrawn_before_it_left_its_order_is_cancelled_and_the_stock_is_back(mode: str) -> None:
    with world(is_telling=True, policy_tables=f'{OURS}[routes.policy.reversal]\nexchange = "{mode}"\n') as w:
        shelf = Shelf(w)
        exchange_id = shelf.ask()
        w.settle()
        w.platform.cancel_exchange(shelf.return_id, exchange_id)
        w.settle()
        if mode == "case":
            assert w.open_cases() == [states.CASE_EXCHANGE_WITHDRAWN]
            act(w, states.CASE_EXCHANGE_WITHDRAWN, "cancel_order", reason="she keeps the old pair")
        if mode == "approve":
            assert w.open_cases() == [states.CASE_NEEDS_EXCHANGE_APPROVAL]
            placed = w.effect(shelf.return_id, states.EXCHANGE).remote_id
            wanted = f"cancelling the replacement order {placed} waits for the approval of a second person."
            assert ExceptionCase.objects.active().get().cause == wanted
            inverse = w.effect(shelf.return_id, states.CANCEL_EXCHANGE)
            act(w, states.CASE_NEEDS_EXCHANGE_APPROVAL, "approve", effect=str(inverse.pk))
        w.settle()
        (order,) = shelf.placed()
        assert order.status == "cancelled"
        assert shelf.stock() == 5
        inverse = w.effect(shelf.return_id, states.CANCEL_EXCHANGE)
        assert (inverse.state, inverse.key) == (
            states.CONFIRMED,
            f"reverse:{w.effect(shelf.return_id, states.EXCHANGE).key}:1",
        )
        assert "cancelled" in meta_value(shelf.order.meta, "_returnsops_status")
        assert w.open_cases() == []


def test_withdrawn_after_it_left_is_for_the_warehouse() -> None:
    with world(policy_tables=WITHDRAWN_BY_ITSELF) as w:
        shelf = Shelf(w)
        exchange_id = shelf.ask()
        w.settle()
        (order,) = shelf.placed()
        w.shop.set_status(order.id, "completed")
        w.platform.cancel_exchange(shelf.return_id, exchange_id)
        w.settle()
        assert order.status == "completed"
        assert w.open_cases() == [states.CASE_EXCHANGE_SHIPPED]

        act(w, states.CASE_EXCHANGE_SHIPPED, "keep_order", "WH", reason="the parcel comes back")
        w.settle()
        assert order.status == "completed"
        assert w.open_cases() == []


def test_other_goods_asked_for_after_sending_place_nothing_more() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        exchange_id = shelf.ask()
        w.settle()
        w.shift(60)
        shelf.ask_again(exchange_id, shelf.line("42"))
        w.settle()
        assert len(shelf.placed()) == 1
        assert w.open_cases() == [states.CASE_EXCHANGE_CHANGED]

        act(w, states.CASE_EXCHANGE_CHANGED, "waive_hold", reason="corrected in the shop before it left")
        w.settle()
        assert len(shelf.placed()) == 1
        assert w.open_cases() == []


def test_a_risk_hold_freezes_it() -> None:
    with world(policy_tables=OURS) as w:
        shelf = Shelf(w)
        w.platform.risk_hold(shelf.return_id)
        shelf.ask()
        w.settle()
        assert shelf.placed() == []
        assert w.effect(shelf.return_id, states.EXCHANGE).state == states.HELD


# --- the platform writes -----------------------------------------------------------------------------------------


def test_an_order_the_platform_placed_is_looked_for_and_never_placed_again() -> None:
    with world(policy_tables=f'{QUIET}[routes.policy.exchange]\nwriter = "platform"\n') as w:
        shelf = Shelf(w)
        exchange_id = shelf.ask()
        w.settle()
        effect = w.effect(shelf.return_id, states.EXCHANGE)
        assert [hold["text"] for hold in effect.holds] == [
            "waits for the returns platform to place the replacement order"
        ]
        theirs = w.shop.place_order(
            [CartLine(product_id=shelf.parent.id, variation_id=shelf.sizes["41"].id, total=Decimal(0))]
        )
        shelf.ask_again(exchange_id, shelf.line(), commerce_order_id=str(theirs.id))
        w.settle()
        effect.refresh_from_db()
        assert (effect.state, effect.remote_id) == (states.CONFIRMED, str(theirs.id))
        assert shelf.placed() == [theirs]
        assert ("POST", "/wp-json/wc/v3/orders") not in w.writes()
        assert w.open_cases() == []
