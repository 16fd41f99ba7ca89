"""Money that people paid for a return, beside its credit, its replacement, another currency and what is not judged."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.replay import replay
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect
from returnsops.services import approvals
from tests.journeys.proposing import (
    amounts_refunded,
    arrives,
    bought_and_asked,
    decide,
    hold_codes,
    own_refund,
    paid_by_gateway,
    post_form,
    propose,
    record_paid,
)
from tests.journeys.test_exchange_journeys import OURS as EXCHANGES_BY_US
from tests.journeys.test_exchange_journeys import Shelf
from tests.journeys.world import World, world

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("S1-23"), pytest.mark.requirement("S4-9")]

CREDITS_BY_US = '[routes.policy.credit]\nwriter = "us"\n'
BY_TRIGGER = '[routes.policy.refund]\ninitiator = "policy_trigger"\ntrigger = "inspected"\n'
TEE = Decimal("30.00")


def answer(w: World, kind: str, action: str, *, team: str = "FIN", **fields: str) -> None:
    """A person presses a button of the only case of a kind."""
    case = ExceptionCase.objects.active().get(kind_code=kind)
    data = {f"{action}-{name}": value for name, value in {"reason": "Asked the customer.", **fields}.items()}
    post_form(w, team, f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/{action}/", **data)
    w.settle()


def approve(w: World, effect: Effect) -> None:
    """The second person agrees."""
    post_form(w, "FIN2", f"/admin/returnsops/effect/{effect.pk}/act/approve/", revision=effect.payload_revision)
    w.settle()


def asked(w: World) -> list[str]:
    """Kinds of the open cases, but for what is only to be told the platform, or is about the count of units."""
    apart = states.CASES_DONE_THERE | {states.CASE_FEWER_UNITS}
    return [kind for kind in w.open_cases() if kind not in apart]


def check_replays(w: World, return_id: str) -> None:
    assert replay(rma=w.rma(return_id), at=w.now()).differences == ()


# --- credit and goods ------------------------------------------------------------------------------------------------


def _credited(w: World, *, is_paid_first: bool) -> str:
    """One of two T-shirts is back for credit; people paid for it because its parcel was thought lost."""
    _, return_id = bought_and_asked(w, resolution="store_credit")
    if is_paid_first:
        decide(w, propose(w, return_id, "15.00"))
    proposal = None if is_paid_first else propose(w, return_id, "15.00")
    w.platform.receive(return_id)
    w.judge(return_id)
    w.platform.issue_credit(return_id, amount="30.00")
    w.settle()
    assert w.shop.state.coupons == {}
    if proposal is not None:
        assert hold_codes(w.effect(return_id, states.STORE_CREDIT)) == ["waits_for_proposal"]
        decide(w, proposal)
    return return_id


@pytest.mark.requirement("S4-18")
@pytest.mark.parametrize("is_paid_first", [True, False])
def test_credit_does_not_go_beside_money_of_people_before_two_people_say_so(is_paid_first: bool) -> None:
    with world(policy_tables=CREDITS_BY_US) as w:
        return_id = _credited(w, is_paid_first=is_paid_first)
        credit = w.effect(return_id, states.STORE_CREDIT)
        assert (credit.state, hold_codes(credit)) == (states.HELD, [states.CASE_PEOPLE_PAID_AS_WELL])
        assert asked(w) == [states.CASE_PEOPLE_PAID_AS_WELL]
        assert w.shop.state.coupons == {}

        answer(w, states.CASE_PEOPLE_PAID_AS_WELL, "waive_hold")
        assert asked(w) == [states.CASE_NEEDS_APPROVAL]
        assert w.shop.state.coupons == {}
        approve(w, w.effect(return_id, states.STORE_CREDIT))
        assert [coupon.amount for coupon in w.shop.state.coupons.values()] == [TEE]
        assert asked(w) == []
        check_replays(w, return_id)


@pytest.mark.requirement("S4-18")
def test_an_approval_from_before_people_paid_is_none_for_both() -> None:
    """Who approved the credit by itself, and says later that the customer is to have both, still needs a second one."""
    with world(policy_tables=f'{CREDITS_BY_US}[routes.policy.refund.approval_threshold]\nEUR = "10.00"\n') as w:
        _, return_id = bought_and_asked(w, resolution="store_credit")
        w.platform.receive(return_id)
        w.judge(return_id)
        w.platform.issue_credit(return_id, amount="30.00")
        w.settle()
        credit = w.effect(return_id, states.STORE_CREDIT)
        revision = credit.payload_revision
        approvals.approve(effect_id=credit.pk, by=w.users["FIN"], at=w.now(), revision=revision)
        decide(w, propose(w, return_id, "15.00"))
        answer(w, states.CASE_PEOPLE_PAID_AS_WELL, "waive_hold")
        credit.refresh_from_db()
        assert (credit.state, credit.payload_revision > revision) == (states.AWAITING_APPROVAL, True)
        assert w.shop.state.coupons == {}
        approve(w, credit)
        assert [coupon.amount for coupon in w.shop.state.coupons.values()] == [TEE]
        check_replays(w, return_id)


@pytest.mark.requirement("S4-18")
def test_credit_for_the_same_goods_is_withdrawn() -> None:
    with world(policy_tables=CREDITS_BY_US) as w:
        return_id = _credited(w, is_paid_first=True)
        (credit,) = w.rma(return_id).credits.all()
        chosen = f"{credit.kind}|{credit.external_id}"
        answer(w, states.CASE_PEOPLE_PAID_AS_WELL, "withdraw_credit", credit=chosen)
        assert w.shop.state.coupons == {}
        assert asked(w) == []


@pytest.mark.requirement("S4-19")
def test_a_replacement_is_not_sent_beside_money_of_people_before_two_people_say_so() -> None:
    with world(policy_tables=EXCHANGES_BY_US) as w:
        shelf = Shelf(w)
        w.settle()
        decide(w, propose(w, shelf.return_id, "50.00"))
        shelf.ask()
        w.settle()
        exchange = w.effect(shelf.return_id, states.EXCHANGE)
        assert (exchange.state, hold_codes(exchange)) == (states.HELD, [states.CASE_PEOPLE_PAID_AS_WELL])
        assert shelf.placed() == []
        assert paid_by_gateway(w) == [Decimal("50.00")]

        answer(w, states.CASE_PEOPLE_PAID_AS_WELL, "waive_hold")
        assert asked(w) == [states.CASE_NEEDS_EXCHANGE_APPROVAL]
        assert shelf.placed() == []
        effect = str(w.effect(shelf.return_id, states.EXCHANGE).pk)
        answer(w, states.CASE_NEEDS_EXCHANGE_APPROVAL, "approve", team="CX", effect=effect)
        assert [order.status for order in shelf.placed()] == ["processing"]
        assert asked(w) == []


# --- another currency ------------------------------------------------------------------------------------------------


def test_the_same_number_in_another_currency_is_a_question_and_its_answer_ends_it() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w, units=1)
        decide(w, propose(w, return_id))
        arrives(w, return_id, currency="USD")
        both = [states.CASE_CURRENCY_MISMATCH, states.CASE_PEOPLE_PAID_IN_DOUBT]
        assert sorted(hold_codes(own_refund(w, return_id))) == both
        assert asked(w) == both

        answer(w, states.CASE_PEOPLE_PAID_IN_DOUBT, "waive_hold")
        assert asked(w) == []
        assert amounts_refunded(w, order) == [TEE]
        assert own_refund(w, return_id).state == states.EFFECT_CANCELLED
        check_replays(w, return_id)


# --- what is not judged yet ------------------------------------------------------------------------------------------


def _one_of_two_judged(w: World) -> tuple[Any, str]:
    """People paid a part of it for a lost parcel; one of two T-shirts arrives."""
    order, return_id = bought_and_asked(w, quantity=2)
    decide(w, record_paid(w, return_id, "20.00", ground="lost parcel"))
    w.platform.receive(return_id)
    w.judge(return_id)
    w.settle()
    return order, return_id


def _due(w: World, return_id: str) -> Effect:
    return w.rma(return_id).effects.get(kind=states.REFUND, origin=states.ORIGIN_PLAN, key__endswith=":1")


@pytest.mark.parametrize(
    ("action", "sent"), [("waive_hold", ["10.00", "30.00"]), ("paid_for_other", ["10.00", "30.00"])]
)
def test_what_was_paid_is_counted_once_whatever_people_say_it_was_for(action: str, sent: list[str]) -> None:
    with world(policy_tables=BY_TRIGGER) as w:
        order, return_id = _one_of_two_judged(w)
        due = _due(w, return_id)
        assert (due.amount, hold_codes(due)) == (Decimal("10.00"), [states.CASE_PEOPLE_PAID_IN_DOUBT])
        assert asked(w) == [states.CASE_PEOPLE_PAID_IN_DOUBT]
        assert amounts_refunded(w, order) == [Decimal("20.00")]

        answer(w, states.CASE_PEOPLE_PAID_IN_DOUBT, action)
        if action == "paid_for_other":
            due = _due(w, return_id)
            assert (due.amount, due.state) == (TEE, states.AWAITING_APPROVAL)
            approve(w, due)
        assert asked(w) == []

        w.judge(return_id, quantity=2)
        w.settle()
        assert paid_by_gateway(w) == [Decimal(amount) for amount in sent]
        assert sum(amounts_refunded(w, order)) == 2 * TEE
        assert asked(w) == []
        check_replays(w, return_id)
