"""WooCommerce and Reveni: store credit and gift cards, issued once, for one customer, taken back unspent (S4-18)."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from connectors import delivery_cases, replay
from connectors.jobs import CHECKPOINTS
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.woocommerce import CartLine
from connectors.simulators.woocommerce.records import Coupon, Order
from connectors.simulators.woocommerce.wire import WooError
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import Attempt, Effect, HistoryEntry, InboundEvent, Route
from returnsops.services import acts, approvals, proposals
from returnsops.services.apply_facts import apply_facts
from returnsops.services.effect_rows import EffectError
from tests.journeys.test_crash_journeys import Dying, settled
from tests.journeys.world import World, post_raw, world

pytestmark = pytest.mark.django_db

OURS = '[routes.policy.credit]\nwriter = "us"\nvalid_days = 365'
AUTOMATIC = f'{OURS}\n[routes.policy.reversal]\ncredit = "automatic"'
APPROVED = f'{OURS}\n[routes.policy.reversal]\ncredit = "approve"'
EMAIL = "ana@example.test"


def returned(w: World, *, kind: str = "store_credit", is_judged: bool = True, **order: Any) -> tuple[Order, str]:
    """One of two units of 30.00 is back, for credit instead of money."""
    product = w.product(f"TEE-{len(w.shop.state.products)}")
    placed = w.order((product, 2), **{"email": EMAIL, **order})
    return_id = w.ask(placed, resolution=kind)
    w.platform.receive(return_id)
    if is_judged:
        w.judge(return_id)
    return placed, return_id


def issued(w: World, **order: Any) -> tuple[Order, str, str]:
    """And the credit of 30.00 is in the shop: order, return, credit."""
    placed, return_id = returned(w, **order)
    credit_id = w.platform.issue_credit(return_id, amount="30.00")
    w.settle()
    assert len(coupons(w)) == 1
    return placed, return_id, credit_id


def coupons(w: World) -> list[Coupon]:
    return list(w.shop.state.coupons.values())


def coupon_writes(w: World) -> list[str]:
    """Methods of what we wrote to coupons."""
    return [method for method, path in w.writes() if "/coupons" in path]


def spend(w: World, coupon: Coupon, *, email: str = EMAIL) -> Order:
    """Somebody pays with it."""
    product = w.product(f"MUG-{len(w.shop.state.products)}", price="40.00")
    return w.shop.place_order([CartLine(product_id=product.id, quantity=1)], coupons=[coupon], email=email)


def withdraw(w: World, return_id: str, credit_id: str, *, who: str = "cx", kind: str = "store_credit") -> None:
    """A person takes the credit back."""
    fact = facts.CreditWithdrawn(
        return_id=return_id, occurred_at=w.now(), by=who, why="granted twice", credit_id=credit_id, kind=kind
    )
    acts.act(rma=w.rma(return_id), fact=fact, by=who, at=w.now())


def act(w: World, case_kind: str, action: str, *, who: str = "FIN", **data: str) -> None:
    """A person answers a case."""
    case = ExceptionCase.objects.active().get(kind_code=case_kind)
    queue.run_action(case=case, action_code=action, by=w.users[who], at=w.now(), reason="asked the customer", data=data)


def check_issued_once(w: World, return_id: str, amount: str = "30.00") -> None:
    """One coupon, confirmed, and nobody has to do anything."""
    (coupon,) = coupons(w)
    effect = w.effect(return_id, states.STORE_CREDIT)
    assert (coupon.amount, coupon.email_restrictions) == (Decimal(amount), [EMAIL])
    assert (effect.state, effect.remote_id, effect.amount) == (states.CONFIRMED, str(coupon.id), Decimal(amount))
    assert coupon_writes(w) == ["POST"]
    assert w.refund_posts() == len(w.restock_records(w.shop.state.orders[min(w.shop.state.orders)]))
    assert w.open_cases() == []


def check_taken_back(w: World, return_id: str) -> None:
    """The one coupon buys nothing any more, and nobody has to do anything."""
    assert w.effect(return_id, states.VOID_CREDIT).state == states.CONFIRMED
    assert w.open_cases() == []
    (coupon,) = coupons(w)
    with pytest.raises(WooError, match="expired"):
        spend(w, coupon)


# --- issued once -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S4-18")
@pytest.mark.parametrize("kind", ["store_credit", "gift_card"])
def test_credit_instead_of_money_is_one_coupon_of_its_customer(kind: str) -> None:
    with world(policy_tables=OURS) as w:
        order, return_id = returned(w, kind=kind)
        credit_id = w.platform.issue_credit(return_id, amount="30.00", is_gift_card=kind == "gift_card")
        w.settle()

        check_issued_once(w, return_id)
        assert w.effect(return_id, states.STORE_CREDIT).key == f"store_credit:reveni/{return_id}:{kind}:{credit_id}"
        assert w.money_refunds(order) == []
        assert w.shop.gateway_payouts == []
        with pytest.raises(WooError, match="not yours"):
            spend(w, coupons(w)[0], email="eve@example.test")
        spend(w, coupons(w)[0])


@pytest.mark.requirement("S4-18")
def test_what_is_given_on_top_is_issued_with_it_and_shown_apart() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id = returned(w)
        w.platform.issue_credit(return_id, amount="30.00", bonus="3.00")
        w.settle()
        check_issued_once(w, return_id, "33.00")
        assert w.effect(return_id, states.STORE_CREDIT).payload["bonus"] == "3.00"


def test_credit_waits_for_the_goods_as_money_does() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id = returned(w, is_judged=False)
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        effect = w.effect(return_id, states.STORE_CREDIT)
        assert (effect.state, [hold["code"] for hold in effect.holds]) == (states.HELD, ["waits_for_trigger"])
        assert coupon_writes(w) == []

        w.judge(return_id)
        w.settle()
        check_issued_once(w, return_id)


def test_the_trigger_of_the_resolution_counts() -> None:
    tables = f'{OURS}\n[routes.policy.refund.trigger_by_resolution]\nstore_credit = "received"'
    with world(policy_tables=tables) as w:
        _, return_id = returned(w, is_judged=False)
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        check_issued_once(w, return_id)


def test_credit_the_platform_issued_is_recorded_and_never_issued_again() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id = returned(w)
        w.platform.issue_credit(return_id, amount="30.00", executed_by="returns_platform")
        w.settle()
        assert w.effects(return_id, states.STORE_CREDIT) == []
        assert w.rma(return_id).credits.get().executed_by == "returns_platform"
        assert (coupons(w), w.open_cases()) == ([], [])


def test_nobody_named_to_issue_it_is_asked_first() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id = returned(w)
        w.settle()
        fact = facts.CreditIssued(
            return_id=return_id,
            occurred_at=w.now(),
            credit_id="crd_1",
            kind="store_credit",
            amount=Decimal("30.00"),
            currency="EUR",
        )
        apply_facts(connection=w.connection("reveni"), new_facts=[fact], at=w.now())
        w.settle()
        assert w.open_cases() == [states.CASE_EXECUTOR_UNKNOWN]
        assert coupon_writes(w) == []

        act(w, states.CASE_EXECUTOR_UNKNOWN, "decide_executor", refund="crd_1", executed_by="commerce_platform")
        w.settle()
        check_issued_once(w, return_id)


def test_told_many_times_it_is_issued_once() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id = returned(w)
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        (sent,) = [row for row in w.platform.sender.sent if row.topic == "credit.issued"]
        answers = [post_raw(sent.webhook.body, dict(sent.webhook.headers)) for _ in range(20)]
        assert all(answer.json()["duplicate"] for answer in answers)
        w.settle()
        w.poll()
        w.settle()
        check_issued_once(w, return_id)


def test_without_the_policy_a_person_issues_it_as_before() -> None:
    with world() as w:
        _, return_id = returned(w)
        credit_id = w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        assert w.open_cases() == [states.CASE_MANUAL_CREDIT]
        assert w.effects(return_id, states.STORE_CREDIT) == []
        act(w, states.CASE_MANUAL_CREDIT, "settle_credit", who="CX", credit=credit_id, reference="1234")
        assert w.open_cases() == []


# --- a dead worker, a lost answer --------------------------------------------------------------------------------


@pytest.mark.requirement("S4-18", "S4-22")
@pytest.mark.parametrize("moment", CHECKPOINTS)
def test_crashes_at_any_moment_issue_one_coupon_and_take_it_back_once(moment: str) -> None:
    with world(policy_tables=AUTOMATIC) as w:
        dying = [Dying(w, kind=kind, moment=moment) for kind in (states.STORE_CREDIT, states.VOID_CREDIT)]
        _, return_id = returned(w)
        credit_id = w.platform.issue_credit(return_id, amount="30.00")
        settled(w)
        assert [one.has_died for one in dying] == [True, False]
        check_issued_once(w, return_id)

        withdraw(w, return_id, credit_id)
        settled(w)
        assert [one.has_died for one in dying] == [True, True]
        check_taken_back(w, return_id)


FAULTS: tuple[Callable[[str, str], Fault], ...] = (
    lambda method, path: Fault(kind=FaultKind.LOST_ANSWER, method=method, path_pattern=path),
    lambda method, path: Fault(kind=FaultKind.LATE_COMMIT, method=method, path_pattern=path, delay_s=20),
    lambda method, path: Fault(kind=FaultKind.SERVER_ERROR_AFTER_COMMIT, method=method, path_pattern=path, status=502),
    lambda method, path: Fault(kind=FaultKind.RATE_LIMITED, method=method, path_pattern=path, retry_after_s=20),
)


@pytest.mark.requirement("S4-18", "S4-22")
@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_lost_or_late_answers_issue_one_coupon_and_take_it_back_once(number: int) -> None:
    with world(policy_tables=AUTOMATIC) as w:
        w.shop.faults.script(FAULTS[number]("POST", r"/coupons$"))
        w.shop.faults.script(FAULTS[number]("PUT", r"/coupons/\d+$"))
        _, return_id = returned(w)
        credit_id = w.platform.issue_credit(return_id, amount="30.00")
        settled(w)
        assert len(coupons(w)) == 1
        assert w.effect(return_id, states.STORE_CREDIT).state == states.CONFIRMED
        assert w.open_cases() == []

        withdraw(w, return_id, credit_id)
        settled(w)
        assert w.shop.faults.scripted == []
        check_taken_back(w, return_id)


def test_the_whole_return_is_replayed_to_the_same_rows() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        _, return_id, credit_id = issued(w)
        withdraw(w, return_id, credit_id)
        w.settle()
        assert replay.replay(rma=w.rma(return_id), at=w.now()).differences == ()


# --- what stands in the way --------------------------------------------------------------------------------------


def test_more_than_was_paid_is_never_issued_but_a_bonus_counts_nothing() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id = returned(w)
        credit_id = w.platform.issue_credit(return_id, amount="60.01")
        w.settle()
        assert w.open_cases() == [states.CASE_WOULD_OVER_CREDIT]
        assert coupon_writes(w) == []

        act(w, states.CASE_WOULD_OVER_CREDIT, "withdraw_credit", credit=f"store_credit|{credit_id}")
        w.platform.issue_credit(return_id, amount="60.00", bonus="30.00")
        w.settle()
        (coupon,) = coupons(w)
        assert coupon.amount == Decimal("90.00")
        assert w.open_cases() == []


def test_what_was_refunded_before_is_not_given_as_credit_again() -> None:
    with world(policy_tables=OURS) as w:
        order, return_id = returned(w)
        refund = w.shop.staff_refund(order.id, Decimal("45.00"), reason="lost on the way")
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        assert w.open_cases() == [states.CASE_REFUNDED_OUTSIDE]
        assert [hold["code"] for hold in w.effect(return_id, states.STORE_CREDIT).holds] == ["refunded_outside"]

        act(w, states.CASE_REFUNDED_OUTSIDE, "attribute_refund", refund=str(refund.id), meaning="unrelated")
        w.settle()
        assert (w.open_cases(), coupon_writes(w)) == ([states.CASE_WOULD_OVER_CREDIT], [])


def test_credit_is_kept_from_being_refunded_by_another_return() -> None:
    with world(policy_tables=OURS) as w:
        order, _, _ = issued(w)
        other = w.ask(order)
        w.platform.receive(other)
        w.judge(other)
        w.pay(other, "60.00")
        w.settle()
        assert w.money_refunds(order) == []
        assert states.CASE_WOULD_OVER_REFUND in w.open_cases()
        rma = w.rma(other)
        assert rma.order is not None
        assert proposals.remaining_of(rma.order) == Decimal("-30.00")  # 60 paid, 30 credit, 60 more asked for


def test_money_and_credit_for_the_same_units_wait_for_a_person() -> None:
    with world(policy_tables=OURS) as w:
        order, return_id = returned(w)
        credit_id = w.platform.issue_credit(return_id, amount="30.00")
        w.pay(return_id, "30.00")
        w.settle()
        assert w.open_cases() == [states.CASE_CREDIT_AND_REFUND]
        assert (w.money_refunds(order), coupon_writes(w)) == ([], [])

        act(w, states.CASE_CREDIT_AND_REFUND, "withdraw_credit", credit=f"store_credit|{credit_id}")
        w.settle()
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert (coupons(w), w.open_cases()) == ([], [])


def test_both_accepted_wait_for_a_second_person() -> None:
    with world(policy_tables=OURS) as w:
        order, return_id = returned(w)
        w.platform.issue_credit(return_id, amount="30.00")
        w.pay(return_id, "30.00")
        w.settle()
        act(w, states.CASE_CREDIT_AND_REFUND, "waive_hold")
        w.settle()
        effects = [w.effect(return_id, kind) for kind in (states.REFUND, states.STORE_CREDIT)]
        assert {effect.state for effect in effects} == {states.AWAITING_APPROVAL}
        for effect in effects:
            with pytest.raises(EffectError, match="released a hold"):
                approvals.approve(effect_id=effect.pk, by=w.users["FIN"], at=w.now(), revision=effect.payload_revision)
            approvals.approve(effect_id=effect.pk, by=w.users["FIN2"], at=w.now(), revision=effect.payload_revision)
        w.settle()
        assert len(w.money_refunds(order)) == len(coupons(w)) == 1
        assert w.open_cases() == []


def test_credit_after_the_money_was_paid_is_a_case() -> None:
    with world(policy_tables=OURS) as w:
        order, return_id = returned(w)
        w.pay(return_id, "30.00")
        w.settle()
        assert len(w.money_refunds(order)) == 1
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        assert w.open_cases() == [states.CASE_CREDIT_AND_REFUND]
        assert coupon_writes(w) == []


def test_another_currency_is_not_converted() -> None:
    with world(policy_tables=OURS) as w:
        placed = w.order((w.product(), 2), email=EMAIL)
        return_id = w.ask(placed, resolution="store_credit", currency="USD")
        w.platform.receive(return_id)
        w.judge(return_id)
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        assert w.open_cases() == [states.CASE_CURRENCY_MISMATCH]
        assert coupon_writes(w) == []


def test_without_an_email_the_credit_would_be_everybodys() -> None:
    with world(policy_tables=OURS) as w:
        order, return_id = returned(w, customer={"email": ""})
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        effect = w.effect(return_id, states.STORE_CREDIT)
        assert (effect.state, effect.error_code) == (states.REJECTED, "no_email")
        assert (w.open_cases(), coupon_writes(w)) == ([states.CASE_REJECTED], [])

        order.billing["email"] = EMAIL
        act(w, states.CASE_REJECTED, "requeue")
        w.settle()
        delivery_cases.close_gone(at=w.now())
        check_issued_once(w, return_id)


def test_above_the_limit_a_second_person_decides() -> None:
    tables = f'{OURS}\n[routes.policy.refund.approval_threshold]\nEUR = "30.00"'
    with world(policy_tables=tables) as w:
        _, return_id = returned(w)
        w.platform.issue_credit(return_id, amount="30.00", bonus="0.01")
        w.settle()
        effect = w.effect(return_id, states.STORE_CREDIT)
        assert effect.state == states.AWAITING_APPROVAL
        assert w.open_cases() == [states.CASE_NEEDS_APPROVAL]
        assert "a credit of €30.01 waits" in ExceptionCase.objects.get().cause
        assert coupon_writes(w) == []

        act(w, states.CASE_NEEDS_APPROVAL, "approve", effect=str(effect.pk))
        w.settle()
        check_issued_once(w, return_id, "30.01")


def test_credits_count_into_the_limit_of_an_hour() -> None:
    tables = f"{OURS}\n[routes.policy.refund.limit_per_hour]\ncount = 1"
    with world(policy_tables=tables) as w:
        issued(w)
        _, second = returned(w)
        w.platform.issue_credit(second, amount="30.00")
        w.settle()
        assert (len(coupons(w)), w.open_cases()) == (1, [states.CASE_REFUND_LIMIT])
        assert Route.objects.get().is_paused


def test_a_return_called_off_before_gets_no_credit() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id = returned(w, is_judged=False)
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        w.platform.cancel(return_id)
        w.settle()
        assert w.effect(return_id, states.STORE_CREDIT).state == states.EFFECT_CANCELLED
        assert (coupons(w), w.open_cases()) == ([], [])


# --- taken back --------------------------------------------------------------------------------------------------


def test_a_credit_withdrawn_before_it_was_issued_is_not_issued() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id = returned(w, is_judged=False)
        credit_id = w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        withdraw(w, return_id, credit_id)
        w.judge(return_id)
        w.settle()
        assert (coupons(w), w.open_cases()) == ([], [])
        assert HistoryEntry.objects.filter(act="credit_withdrawn", by="cx", why="granted twice").exists()


def test_an_unspent_credit_is_made_worthless_once() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        _, return_id, credit_id = issued(w)
        withdraw(w, return_id, credit_id)
        w.settle()
        credit, void = w.effect(return_id, states.STORE_CREDIT), w.effect(return_id, states.VOID_CREDIT)
        assert (void.key, void.state) == (f"reverse:{credit.key}:1", states.CONFIRMED)
        assert coupon_writes(w) == ["POST", "PUT"]
        with pytest.raises(WooError, match="expired"):
            spend(w, coupons(w)[0])
        assert w.open_cases() == []
        rma = w.rma(return_id)
        assert rma.order is not None
        assert proposals.remaining_of(rma.order) == Decimal("60.00")


def test_a_return_called_off_takes_its_credit_back() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        _, return_id, _ = issued(w)
        w.platform.cancel(return_id)
        w.settle()
        assert w.effect(return_id, states.VOID_CREDIT).state == states.CONFIRMED
        with pytest.raises(WooError, match="expired"):
            spend(w, coupons(w)[0])


def test_a_spent_credit_is_a_case_and_nothing_is_sent() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        _, return_id, credit_id = issued(w)
        spend(w, coupons(w)[0])
        withdraw(w, return_id, credit_id)
        w.settle()
        assert w.effect(return_id, states.VOID_CREDIT).state == states.REJECTED
        assert (w.open_cases(), coupon_writes(w)) == ([states.CASE_CREDIT_SPENT], ["POST"])

        act(w, states.CASE_CREDIT_SPENT, "waive_hold")
        w.settle()
        assert w.open_cases() == []
        assert w.effect(return_id, states.VOID_CREDIT).state == states.EFFECT_CANCELLED


def test_a_credit_spent_while_it_is_taken_back_is_for_a_person() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        _, return_id, credit_id = issued(w)

        def buys(name: str) -> None:
            if name == "send_begun" and not coupons(w)[0].usage_count:
                spend(w, coupons(w)[0])

        w.runtime = replace(w.runtime, checkpoint=buys)
        withdraw(w, return_id, credit_id)
        w.settle()
        assert coupon_writes(w) == ["POST", "PUT"]
        assert w.effect(return_id, states.VOID_CREDIT).state == states.UNKNOWN
        assert w.open_cases() == [states.CASE_AMBIGUOUS_OUTCOME]
        assert "spent already" in ExceptionCase.objects.get().cause


def test_taking_back_wants_a_second_person_where_the_policy_says_so() -> None:
    with world(policy_tables=APPROVED) as w:
        _, return_id, credit_id = issued(w)
        withdraw(w, return_id, credit_id, who="fin")
        w.settle()
        void = w.effect(return_id, states.VOID_CREDIT)
        assert (void.state, w.open_cases()) == (states.AWAITING_APPROVAL, [states.CASE_NEEDS_APPROVAL])
        with pytest.raises(EffectError, match="took this credit back yourself"):
            approvals.approve(effect_id=void.pk, by=w.users["FIN"], at=w.now(), revision=void.payload_revision)
        act(w, states.CASE_NEEDS_APPROVAL, "approve", who="FIN2", effect=str(void.pk))
        w.settle()
        assert w.effect(return_id, states.VOID_CREDIT).state == states.CONFIRMED
        assert w.open_cases() == []


def test_taking_back_is_a_persons_work_by_default() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id, credit_id = issued(w)
        withdraw(w, return_id, credit_id)
        w.settle()
        assert (w.open_cases(), coupon_writes(w)) == ([states.CASE_CREDIT_TO_VOID], ["POST"])
        act(w, states.CASE_CREDIT_TO_VOID, "waive_hold")
        w.settle()
        assert w.open_cases() == []


# --- the code is worth money -------------------------------------------------------------------------------------


def test_the_code_reaches_the_customer_by_a_note_and_is_kept_nowhere() -> None:
    note = '\ncustomer_note = "Your code is {code}, worth {amount}."'
    with world(policy_tables=OURS + note) as w:
        order, return_id, credit_id = issued(w)
        code = coupons(w)[0].code.upper()
        (sent,) = [one for one in w.shop.state.notes if one.is_for_customer]
        assert sent.order_id == order.id
        assert sent.text == f"Your code is {code}, worth €30.00. [{w.rma(return_id).label}/credit/{credit_id}]"

        kept = [str(list(model.objects.values())) for model in (Effect, Attempt, HistoryEntry, ExceptionCase)]
        kept += [bytes(event.body).decode() for event in InboundEvent.objects.all()]
        assert not [text for text in kept if code in text.upper()]
        assert any(f"{code[-4:]}" in text for text in kept)  # the last four are shown


def test_without_the_option_the_customer_is_told_nothing() -> None:
    with world(policy_tables=OURS) as w:
        issued(w)
        assert not [one for one in w.shop.state.notes if one.is_for_customer]


# --- on the screen -----------------------------------------------------------------------------------------------


def page(w: World, return_id: str, *, who: str = "CX") -> str:
    """The return's page as a team sees it."""
    client = Client()
    client.force_login(w.users[who])
    answer = client.get(f"/admin/returnsops/returnauthorisation/{w.rma(return_id).pk}/change/")
    return answer.content.decode()


def look(w: World, effect: Effect, *, who: str) -> Any:
    """A person asks for the code."""
    client = Client()
    client.force_login(w.users[who])
    return client.post(f"/admin/returnsops/effect/{effect.pk}/act/look_at_credit/")


def test_the_page_shows_the_last_four_and_who_may_see_the_code_reads_it_from_the_shop() -> None:
    with world(policy_tables=OURS) as w:
        _, return_id = returned(w)
        w.platform.issue_credit(return_id, amount="30.00", bonus="3.00")
        w.settle()
        code = coupons(w)[0].code.upper()
        html = page(w, return_id)
        assert code not in html
        for shown in (f"code ends in {code[-4:]}", "€3.00 on top", "holds until 2 Nov 2027", "not used when last"):
            assert shown in html

        effect = w.effect(return_id, states.STORE_CREDIT)
        assert look(w, effect, who="WH").status_code == 403
        answer = look(w, effect, who="CX")
        assert answer.status_code == 200
        assert "no-store" in answer.headers["Cache-Control"]
        assert f"{code}: €33.00, not used yet, holds until 02 November 2027 22:59 UTC." in answer.content.decode()
        seen = HistoryEntry.objects.get(act="credit_code_shown")
        assert (seen.by, code in seen.text) == ("cx", False)

        spend(w, coupons(w)[0])
        assert "the customer has used it" in look(w, effect, who="FIN").content.decode()
        w.shop.state.coupons.clear()
        assert "could not be read: The shop has no coupon" in look(w, effect, who="FIN").content.decode()


def test_a_credit_is_withdrawn_on_the_returns_page() -> None:
    with world(policy_tables=AUTOMATIC) as w:
        _, return_id, credit_id = issued(w)
        client = Client()
        client.force_login(w.users["CX"])
        client.post(
            f"/admin/returnsops/returnauthorisation/{w.rma(return_id).pk}/act/withdraw_credit/",
            {"credit": f"store_credit|{credit_id}", "why": "granted twice"},
        )
        w.settle()
        assert w.effect(return_id, states.VOID_CREDIT).state == states.CONFIRMED
        assert "taken back: done and seen in the shop" in page(w, return_id)
