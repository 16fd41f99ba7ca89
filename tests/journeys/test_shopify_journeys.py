"""Shopify with Reveni: one refund, one unit on the shelf and marks on the order, whatever gets lost on the way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.registry import link_for
from connectors.shopify import gift_cards
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.shopify.order_writing import Payment
from connectors.simulators.shopify.records import Order, Variant
from returnsops import states
from returnsops.models import Effect, Refund
from returnsops.services import approvals
from tests.journeys.shopify_world import ShopifyWorld, gid, shopify_world
from tests.journeys.test_crash_journeys import Dying, settled
from tests.journeys.test_credit_journeys import withdraw

pytestmark = pytest.mark.django_db

PAID = Decimal("30.00")
MONEY_AND_STOCK = (states.REFUND, states.RESTOCK)


def returned(w: ShopifyWorld, **details: Any) -> tuple[Variant, Order, str]:
    """One unit of two is back and sellable, and the shop is to pay for it."""
    tee = w.variant()
    order = w.sale((tee, 2), **details)
    return_id = w.returning(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00", executed_by="commerce_platform")
    return tee, order, return_id


def check_each_once(w: ShopifyWorld, tee: Variant, order: Order, return_id: str) -> None:
    """Exactly one refund, one unit in stock, each note once, the newest status on order and customer."""
    assert w.paid_back(order) == [PAID]
    assert (w.stock(tee), w.stock(tee, "on_hand")) == (9, 9)
    tokens = [effect.payload["token"] for effect in w.effects(return_id, states.NOTE)]
    assert tokens
    assert [(order.note or "").count(token) for token in tokens] == [1] * len(tokens)
    for kind in (states.REFUND, states.RESTOCK):
        assert w.effect(return_id, kind).state == states.CONFIRMED
    assert w.open_cases() == []


@pytest.mark.requirement("S1-8")
@pytest.mark.requirement("S1-22")
@pytest.mark.requirement("S1-32")
@pytest.mark.requirement("S1-35")
def test_a_request_becomes_refund_stock_and_history_without_anybody() -> None:
    with shopify_world(is_telling=True) as w:
        tee, order, return_id = returned(w)
        order.note = "Leave at the back door."
        w.settle()
        check_each_once(w, tee, order, return_id)
        refund = w.refund(order)
        key = w.effect(return_id, states.REFUND).key
        assert refund.note.startswith(f"{key} Return ")
        assert [(line.quantity, line.restock_type) for line in refund.lines] == [(1, "NO_RESTOCK")]
        assert order.note.startswith("Leave at the back door.\n")
        assert order.tags == ["return"]
        told = [field["value"] for call in w.asked("MetafieldsSet") for field in call["metafields"]]
        number = w.rma(return_id).label
        assert told.count("Goods inspected; refunded €30.00") == 1
        assert told.count(f"Return {number}: Goods inspected; refunded €30.00") == 1
        assert told.count(number) == 1
        before = len(w.store.calls.all())
        w.settle()
        assert len(w.store.calls.all()) == before


@pytest.mark.requirement("S1-30")
@pytest.mark.parametrize(
    "deaths",
    [
        [("send_begun", states.REFUND), ("send_begun", states.RESTOCK)],
        [("sent", states.REFUND), ("sent", states.RESTOCK), ("sent", states.NOTE)],
        [(moment, kind) for moment in ("claimed", "looked_up") for kind in MONEY_AND_STOCK],
        [
            ("settled", states.REFUND),
            ("settled", states.RESTOCK),
            ("confirm_claimed", states.REFUND),
            ("confirm_looked_up", states.RESTOCK),
        ],
    ],
    ids=["begun", "sent", "before", "after"],
)
def test_crashes_leave_each_thing_done_once(deaths: list[tuple[str, str]]) -> None:
    """A worker dies at each of these moments with that kind, one after the other; nothing is lost."""
    with shopify_world(is_telling=True) as w:
        dying = [Dying(w, kind=kind, moment=moment) for moment, kind in deaths]
        placed = returned(w)
        settled(w)
        assert [one.has_died for one in dying] == [True] * len(deaths)
        check_each_once(w, *placed)
        assert set(Effect.objects.values_list("state", flat=True)) == {states.CONFIRMED, states.DONE}


@pytest.mark.requirement("S1-29")
@pytest.mark.requirement("S5-15")
@pytest.mark.requirement("S5-16")
@pytest.mark.parametrize(
    ("operation", "waits"), [("RefundCreate", [20, 180, 180]), ("InventoryAdjust", [20, 180, 180, 180])]
)
def test_lost_and_late_answers_one_after_the_other_leave_each_thing_done_once(operation: str, waits: list[int]) -> None:
    """After 429 it waits as told; what may have been carried out is sent again once it is surely absent, or keyed."""
    with shopify_world(is_telling=True) as w:
        path = f"#{operation}$"
        for fault in (
            Fault(kind=FaultKind.RATE_LIMITED, path_pattern=path, retry_after_s=20),
            Fault(kind=FaultKind.SERVER_ERROR, path_pattern=path, status=502),
            Fault(kind=FaultKind.LOST_REQUEST, path_pattern=path),
            Fault(kind=FaultKind.LATE_COMMIT, path_pattern=path, delay_s=20),
        ):
            w.store.faults.script(fault)
        placed = returned(w)
        w.settle()
        check_each_once(w, *placed)
        keys = {call["key"] for call in w.asked(operation)}
        assert len(keys) == 1
        assert w.waits_between(operation) == waits


@pytest.mark.requirement("S1-29")
@pytest.mark.requirement("S5-16")
def test_tries_that_did_nothing_come_again_after_a_random_part_of_a_growing_wait() -> None:
    """The look before the send fails four times, once with Retry-After: at most 10 s, 20 s, 40 s."""
    with shopify_world() as w:
        path = "#OrderFinalState$"
        order = w.sale((w.variant(), 2))
        return_id = w.returning(order)
        w.platform.receive(return_id)
        w.judge(return_id, "damaged")
        w.settle()
        for status in (502, 502, 503):
            w.store.faults.script(Fault(kind=FaultKind.SERVER_ERROR, path_pattern=path, status=status))
        w.store.faults.script(Fault(kind=FaultKind.RATE_LIMITED, path_pattern=path, retry_after_s=45))
        draws = iter((0.5, 1.0, 0.25))
        w.runtime = replace(w.runtime, random=lambda: next(draws))
        before = len(w.waits_between("OrderFinalState"))
        w.pay(return_id, "30.00", executed_by="commerce_platform")
        w.settle()
        assert w.waits_between("OrderFinalState")[before + 1 :][:4] == [5, 20, 10, 45]
        assert list(draws) == []
        assert (len(w.asked("RefundCreate")), w.paid_back(order), w.open_cases()) == (1, [PAID], [])


@pytest.mark.requirement("S1-12")
@pytest.mark.requirement("S5-21")
def test_money_under_way_is_not_paid_and_a_gateway_that_fails_later_is_a_case_that_blocks_no_stock() -> None:
    with shopify_world() as w:
        w.store.set_gateway("shopify_payments", "PENDING")
        tee, order, return_id = returned(w)
        w.settle()
        assert w.effect(return_id, states.REFUND).state == states.DONE
        assert (w.stock(tee), w.open_cases()) == (9, [])
        assert "refunded" not in (order.note or "")
        (transaction,) = [w.store.state.transactions[one] for one in w.refund(order).transaction_ids]
        w.store.settle(transaction, "FAILURE", error_code="CARD_DECLINED")
        w.settle(horizon=timedelta(hours=7))
        assert w.effect(return_id, states.REFUND).state == states.FAILED
        assert w.open_cases() == [states.CASE_FAILED_LATER]
        assert w.store.refunded_total(order) == 0
        assert len(w.asked("RefundCreate")) == 1
        assert "refunded" not in (order.note or "")


@pytest.mark.requirement("S1-8")
def test_money_goes_back_to_the_payments_it_came_from() -> None:
    with shopify_world(is_telling=True) as w:
        cards = (Payment(gateway="gift_card", amount=Decimal("20.00")), Payment())
        tee, order, return_id = returned(w, payments=cards)
        w.settle()
        check_each_once(w, tee, order, return_id)
        (sent,) = w.asked("RefundCreate")
        amounts = [(part["gateway"], Decimal(part["amount"])) for part in sent["input"]["transactions"]]
        assert amounts == [("gift_card", Decimal("20.00")), ("shopify_payments", Decimal("10.00"))]


@pytest.mark.requirement("S1-9")
@pytest.mark.requirement("S1-21")
@pytest.mark.requirement("S1-25")
@pytest.mark.requirement("S5-20")
def test_what_cannot_be_restocked_is_a_case_and_money_goes_all_the_same() -> None:
    """One sellable and one damaged unit; the location closes before the sellable one is put back."""
    with shopify_world() as w:
        tee = w.variant()
        order = w.sale((tee, 3))
        return_id = w.returning(order, quantity=2)
        w.store.deactivate_location(w.main.id)
        w.platform.receive(return_id)
        verdict = {"item_id": w.item_id(return_id), "quantity": 1, "outcome": "accepted", "disposition_final": True}
        w.platform.complete_inspection(
            return_id, [{**verdict, "disposition": "sellable"}, {**verdict, "disposition": "damaged"}]
        )
        w.pay(return_id, "60.00", quantity=2, executed_by="commerce_platform")
        w.settle()
        assert (w.paid_back(order), w.stock(tee)) == ([Decimal("60.00")], 7)
        assert w.open_cases() == [states.CASE_REJECTED_STOCK]
        restock = w.effect(return_id, states.RESTOCK)
        assert (restock.state, restock.quantity) == (states.REJECTED, 1)
        assert "deactivated" in restock.error_text
        assert w.asked("InventoryAdjust") == []
        w.main.is_active = True
        approvals.requeue(effect_id=restock.pk, by=w.users["WH"], at=w.now(), why="the location is open again")
        w.settle()
        assert (w.stock(tee), w.effect(return_id, states.RESTOCK).state) == (8, states.CONFIRMED)


@pytest.mark.requirement("S1-23")
@pytest.mark.requirement("S1-24")
@pytest.mark.requirement("S5-18")
def test_a_refund_by_hand_before_the_platforms_own_is_seen_in_time_and_named() -> None:
    """Nothing told us of it: the look before the send finds it, and the return's own refund is not sent."""
    with shopify_world() as w:
        order = w.sale((w.variant(), 2))
        return_id = w.returning(order)
        anna = w.store.add_staff("Anna", email="anna@example.test")
        w.settle()
        w.platform.receive(return_id)
        w.judge(return_id)
        w.store.staff_refund(order, PAID, lines={order.lines[0].id: 1}, staff=anna)
        w.pay(return_id, "30.00", executed_by="commerce_platform")
        w.settle()
        assert (w.store.refunded_total(order), w.asked("RefundCreate")) == (PAID, [])
        (row,) = Refund.objects.filter(order=w.rma(return_id).order)
        assert (row.origin, row.rma) == (Refund.EXTERNAL, w.rma(return_id))
        assert row.author.startswith("Anna (Shopify staff ")
        assert w.effects(return_id, states.REFUND)[0].state == states.EFFECT_CANCELLED


CREDITS = '[routes.policy.credit]\nwriter = "us"\nvalid_days = 365\n'


@pytest.mark.requirement("S1-8")
@pytest.mark.parametrize("fault", [FaultKind.LOST_ANSWER, FaultKind.LOST_REQUEST])
def test_store_credit_is_given_once_on_the_order_and_takes_no_refund(fault: FaultKind) -> None:
    with shopify_world(policy_tables=CREDITS) as w:
        w.store.faults.script(Fault(kind=fault, path_pattern="#RefundCreate$"))
        order = w.sale((w.variant(), 2))
        return_id = w.returning(order, resolution="store_credit")
        w.platform.receive(return_id)
        w.judge(return_id)
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        assert w.store.credit_of(w.customer) == Decimal("30.00")
        assert w.effect(return_id, states.STORE_CREDIT).state == states.CONFIRMED
        assert w.effects(return_id, states.REFUND) == []
        assert w.open_cases() == []
        assert "refundLineItems" not in w.asked("RefundCreate")[-1]["input"]


@pytest.mark.requirement("S1-8")
@pytest.mark.parametrize("fault", [FaultKind.LOST_ANSWER, FaultKind.LATE_COMMIT])
def test_a_gift_card_is_made_once_with_a_code_nobody_can_guess_and_taken_back_unspent(fault: FaultKind) -> None:
    tables = CREDITS + '[routes.policy.reversal]\ncredit = "automatic"\n'
    with shopify_world(policy_tables=tables) as w:
        w.store.faults.script(Fault(kind=fault, path_pattern="#GiftCardCreate$", delay_s=20))
        order = w.sale((w.variant(), 2))
        return_id = w.returning(order, resolution="gift_card")
        w.platform.receive(return_id)
        w.judge(return_id)
        credit_id = w.platform.issue_credit(return_id, amount="30.00", bonus="3.00", is_gift_card=True)
        w.settle()
        (card,) = w.store.gift_cards()
        assert (card.balance, card.customer_id) == (Decimal("33.00"), w.customer.id)
        effect = w.effect(return_id, states.STORE_CREDIT)
        assert (effect.state, effect.remote_id, w.open_cases()) == (states.CONFIRMED, gid("GiftCard", card.id), [])
        seen = gift_cards.read_credit(link_for(w.connection("shop")), effect.remote_id)
        assert (seen.code, seen.amount, seen.is_usable) == (card.code.upper(), Decimal("33.00"), True)
        attempts = str(list(effect.attempts.values("text", "evidence")))
        assert card.code not in attempts.lower()

        withdraw(w, return_id, credit_id, kind="gift_card")
        w.settle()
        assert card.deactivated_at is not None
        assert w.effect(return_id, states.VOID_CREDIT).state == states.CONFIRMED


@pytest.mark.requirement("S1-8")
def test_a_gift_card_that_the_search_does_not_show_yet_is_waited_for_before_its_withdrawal_counts() -> None:
    with shopify_world(policy_tables=CREDITS) as w:
        w.store.settings.search_lag_s = 600
        w.store.faults.script(Fault(kind=FaultKind.LOST_ANSWER, path_pattern="#GiftCardCreate$"))
        return_id = w.returning(w.sale((w.variant(), 2)), resolution="gift_card")
        w.platform.receive(return_id)
        w.judge(return_id)
        credit_id = w.platform.issue_credit(return_id, amount="30.00", is_gift_card=True)
        w.settle(horizon=timedelta(seconds=0))
        withdraw(w, return_id, credit_id, kind="gift_card")
        w.settle(horizon=timedelta(minutes=12))
        assert w.effect(return_id, states.STORE_CREDIT).state == states.UNKNOWN
        w.settle()
        effect, (card,) = w.effect(return_id, states.STORE_CREDIT), w.store.gift_cards()
        assert (effect.state, effect.remote_id) == (states.CONFIRMED, gid("GiftCard", card.id))
        assert (len(w.asked("GiftCardCreate")), w.open_cases()) == (1, [states.CASE_CREDIT_TO_VOID])


@pytest.mark.requirement("S1-5")
@pytest.mark.requirement("S1-9")
@pytest.mark.requirement("S1-25")
@pytest.mark.requirement("S1-34")
@pytest.mark.requirement("S5-19")
@pytest.mark.requirement("S5-20")
@pytest.mark.requirement("S5-26")
def test_of_a_sellable_and_a_damaged_unit_exactly_one_is_for_sale_again() -> None:
    """Of three bought two come back; the final verdict moves the money, by policy, and one unit."""
    policy = '[routes.policy.refund]\ninitiator = "policy_trigger"\ntrigger = "disposition_final"\n'
    with shopify_world(policy_tables=policy) as w:
        tee, other = w.variant(), w.variant("CAP")
        order = w.sale((tee, 3), (other, 1))
        return_id = w.returning(order, quantity=2)
        w.platform.receive(return_id)
        w.settle()
        assert (w.stock(tee), w.asked("RefundCreate"), w.asked("InventoryAdjust")) == (7, [], [])
        verdict = {"item_id": w.item_id(return_id), "quantity": 1, "outcome": "accepted", "disposition_final": True}
        w.platform.complete_inspection(
            return_id, [{**verdict, "disposition": "sellable"}, {**verdict, "disposition": "damaged"}]
        )
        w.settle()
        assert (w.stock(tee), w.stock(tee, "on_hand"), w.stock(other)) == (8, 8, 9)
        assert (w.paid_back(order), w.open_cases()) == ([Decimal("60.00")], [])
        (adjusted,) = w.asked("InventoryAdjust")
        (change,) = adjusted["input"]["changes"]
        assert (adjusted["input"]["name"], change["locationId"]) == ("available", gid("Location", w.main.id))


@pytest.mark.requirement("S1-25")
@pytest.mark.requirement("S1-34")
def test_in_whatever_order_it_is_told_the_sellable_unit_alone_is_for_sale_and_the_money_goes_once() -> None:
    """Four returns of a sellable and a damaged unit each; receipt, verdict and refund come in four orders."""
    orders = ("receive judge pay", "judge receive pay", "pay judge receive", "receive pay judge")
    with shopify_world() as w:
        played = [(w.variant(f"TEE-{number}"), steps.split()) for number, steps in enumerate(orders)]
        sales = [w.sale((tee, 3)) for tee, _ in played]
        returns = [w.returning(order, quantity=2) for order in sales]

        def judge(return_id: str) -> None:
            verdict = {"item_id": w.item_id(return_id), "quantity": 1, "outcome": "accepted", "disposition_final": True}
            said = [{**verdict, "disposition": one} for one in ("sellable", "damaged")]
            w.platform.complete_inspection(return_id, said)

        acts: dict[str, Callable[[str], object]] = {
            "receive": w.platform.receive,
            "judge": judge,
            "pay": lambda return_id: w.pay(return_id, "60.00", quantity=2, executed_by="commerce_platform"),
        }
        for step in range(3):
            for return_id, (_, steps) in zip(returns, played, strict=True):
                acts[steps[step]](return_id)
            w.settle()
            is_judged = ["judge" in steps[: step + 1] for _, steps in played]
            assert [w.stock(tee) for tee, _ in played] == [8 if judged else 7 for judged in is_judged]
        assert [w.stock(tee, "on_hand") for tee, _ in played] == [8] * 4
        assert [w.paid_back(order) for order in sales] == [[Decimal("60.00")]] * 4
        assert (len(w.asked("InventoryAdjust")), w.open_cases()) == (4, [])


@pytest.mark.requirement("S5-6")
@pytest.mark.parametrize(("trigger", "is_paid"), [("received", True), ("inspected", False)])
def test_the_receipt_pays_only_where_the_policy_says_so(trigger: str, is_paid: bool) -> None:
    policy = f'[routes.policy.refund]\ninitiator = "policy_trigger"\ntrigger = "{trigger}"\n'
    with shopify_world(policy_tables=policy) as w:
        order = w.sale((w.variant(), 2))
        return_id = w.returning(order)
        w.platform.receive(return_id)
        w.settle()
        assert w.paid_back(order) == ([PAID] if is_paid else [])
        assert w.asked("InventoryAdjust") == []


@pytest.mark.requirement("S1-21")
def test_a_disposition_without_a_place_in_the_shop_is_a_case_and_never_a_default() -> None:
    with shopify_world() as w:
        shop = w.connection("shop")
        shop.settings = {**shop.settings, "location_map": {}}
        shop.save(update_fields=["settings"])
        tee, order, return_id = returned(w)
        w.settle()
        assert (w.paid_back(order), w.stock(tee)) == ([PAID], 8)
        assert w.open_cases() == [states.CASE_REJECTED_STOCK]
        assert "location_map" in w.effect(return_id, states.RESTOCK).error_text


@pytest.mark.requirement("S1-12")
def test_an_adjustment_the_shop_acknowledged_and_lost_is_caught_and_not_sent_again() -> None:
    with shopify_world() as w:
        *_, return_id = returned(w)
        w.settle(horizon=timedelta(seconds=0))
        w.store.state.groups.clear()  # acknowledged, and nothing of it is kept
        Effect.objects.filter(kind=states.RESTOCK).update(state=states.DONE, confirm_after_at=w.now())
        w.settle(horizon=timedelta(minutes=30))
        assert w.effect(return_id, states.RESTOCK).state == states.DONE
        assert w.open_cases() == [states.CASE_NOT_SEEN_STOCK]
        assert len(w.asked("InventoryAdjust")) == 1
