"""What people pay themselves on a return counts against its own refund: nobody is paid twice for one claim."""

import uuid
from decimal import Decimal

import pytest
from django.test import Client

from connectors import delivery_cases
from connectors.replay import replay
from connectors.simulators.base import Fault, FaultKind
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from tests.journeys.proposing import (
    TEE,
    act_of_return,
    amounts_refunded,
    arrives,
    bought_and_asked,
    classify,
    decide,
    hold_codes,
    newest_proposal,
    own_refund,
    paid_by_gateway,
    post_form,
    propose,
    record_paid,
)
from tests.journeys.world import world

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("S1-23"), pytest.mark.requirement("S4-9")]

WAITS = "waits_for_proposal"


def test_paid_outside_while_the_refund_waits_for_a_reason_is_not_paid_by_the_gateway_as_well() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w, units=3, reason="never_heard_of")
        arrives(w, return_id)
        assert hold_codes(own_refund(w, return_id)) == [states.CASE_REASON_UNMAPPED]

        record = record_paid(w, return_id)
        assert set(hold_codes(own_refund(w, return_id))) == {states.CASE_REASON_UNMAPPED, WAITS}
        decide(w, record)
        classify(w, return_id)

        assert amounts_refunded(w, order) == [TEE]
        assert paid_by_gateway(w) == []
        assert own_refund(w, return_id).state == states.EFFECT_CANCELLED
        assert w.open_cases() == []
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()


@pytest.mark.parametrize("units", [1, 2])
def test_a_lost_parcel_that_arrives_after_all_is_not_paid_twice(units: int) -> None:
    with world() as w:
        order, return_id = bought_and_asked(w, units=units)
        decide(w, propose(w, return_id))
        assert paid_by_gateway(w) == [TEE]
        arrives(w, return_id)
        assert amounts_refunded(w, order) == [TEE]
        assert paid_by_gateway(w) == [TEE]
        assert w.rma(return_id).effects.filter(kind=states.REFUND, origin=states.ORIGIN_PLAN).count() == 0
        assert states.CASE_WOULD_OVER_REFUND not in w.open_cases()
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()


@pytest.mark.parametrize("units", [1, 2])
def test_a_proposal_holds_the_refund_until_it_is_decided_and_a_refused_one_lets_it_go(units: int) -> None:
    with world() as w:
        order, return_id = bought_and_asked(w, units=units)
        proposal = propose(w, return_id)
        arrives(w, return_id)
        own = own_refund(w, return_id)
        assert (own.state, hold_codes(own)) == (states.HELD, [WAITS])
        assert own.holds[0]["waits_for"] == proposal.key
        assert w.open_cases() == [states.CASE_NEEDS_APPROVAL]
        assert amounts_refunded(w, order) == []

        decide(w, proposal, "refuse")
        assert amounts_refunded(w, order) == [TEE]
        assert paid_by_gateway(w) == [TEE]
        assert own_refund(w, return_id).state == states.CONFIRMED
        assert w.open_cases() == []


def test_a_cancelled_proposal_lets_the_refund_go() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w)
        proposal = propose(w, return_id)
        arrives(w, return_id)
        assert hold_codes(own_refund(w, return_id)) == [WAITS]
        post_form(w, "OPS", f"/admin/returnsops/effect/{proposal.pk}/act/cancel/", why="A slip.")
        w.settle()
        assert newest_proposal(w, return_id).state == states.EFFECT_CANCELLED
        assert amounts_refunded(w, order) == [TEE]
        assert paid_by_gateway(w) == [TEE]


def test_a_held_refund_gives_its_place_on_the_order_to_what_is_paid_instead() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w, units=1, reason="never_heard_of")
        arrives(w, return_id)
        record = record_paid(w, return_id)  # all that was paid for the order
        assert states.CASE_WOULD_OVER_REFUND not in w.open_cases()
        decide(w, record)
        classify(w, return_id)
        assert amounts_refunded(w, order) == [TEE]
        assert paid_by_gateway(w) == []
        assert w.open_cases() == []


def test_only_the_difference_is_refunded_where_less_was_paid() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w)
        decide(w, record_paid(w, return_id, "20.00"))
        arrives(w, return_id)
        assert amounts_refunded(w, order) == [Decimal("10.00"), Decimal("20.00")]
        assert paid_by_gateway(w) == [Decimal("10.00")]
        assert states.CASE_AMOUNT_MISMATCH not in w.open_cases()


def test_goodwill_comes_on_top() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w)
        proposal = propose(w, return_id, "5.00", ground="goodwill")
        arrives(w, return_id)
        assert amounts_refunded(w, order) == [TEE]  # goodwill that waits holds nothing
        decide(w, proposal)
        assert paid_by_gateway(w) == [Decimal("5.00"), TEE]


def test_a_form_without_a_ground_is_asked_again() -> None:
    with world() as w:
        _, return_id = bought_and_asked(w)
        form = {"request_id": str(uuid.uuid4()), "amount": "5.00", "ground": "", "why": "Late."}
        assert "This field is required." in post_form(w, "CX", act_of_return(w, return_id, "propose_refund"), **form)
        assert w.rma(return_id).effects.filter(origin=states.ORIGIN_PERSON).count() == 0


def test_one_unit_lost_and_one_back_are_paid_once_each() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w, quantity=2)
        decide(w, propose(w, return_id))
        arrives(w, return_id, amount="60.00", quantity=2)
        assert paid_by_gateway(w) == [TEE, TEE]
        assert amounts_refunded(w, order) == [TEE, TEE]


def test_money_for_a_lost_unit_is_not_counted_against_the_other_without_a_word() -> None:
    """Two shirts of one price: one was lost and paid by people, the other arrives and the platform decides it."""
    with world() as w:
        order, return_id = bought_and_asked(w, quantity=2)
        decide(w, propose(w, return_id))
        arrives(w, return_id)
        assert paid_by_gateway(w) == [TEE]
        assert states.CASE_PEOPLE_PAID_IN_DOUBT in w.open_cases()

        decide(w, propose(w, return_id, ground="goodwill"))
        case = ExceptionCase.objects.active().get(kind_code=states.CASE_PEOPLE_PAID_IN_DOUBT)
        url = f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/waive_hold/"
        post_form(w, "FIN", url, **{"waive_hold-reason": "Paid for the lost one; the other is proposed."})
        w.settle()
        assert states.CASE_PEOPLE_PAID_IN_DOUBT not in w.open_cases()
        assert paid_by_gateway(w) == [TEE, TEE]
        assert amounts_refunded(w, order) == [TEE, TEE]


def test_what_the_gateway_refused_is_settled_by_the_record_of_the_bank_transfer() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w, units=1, payment_method="bacs")
        arrives(w, return_id)
        assert own_refund(w, return_id).state == states.REJECTED
        assert w.open_cases() == [states.CASE_REJECTED]

        decide(w, record_paid(w, return_id, ground="gateway refuses"))
        delivery_cases.close_gone(at=w.now())
        assert w.open_cases() == []
        assert own_refund(w, return_id).state == states.EFFECT_CANCELLED
        assert amounts_refunded(w, order) == [TEE]
        assert paid_by_gateway(w) == []


def test_a_refused_refund_that_is_tried_again_waits_for_what_people_proposed() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w, payment_method="bacs")
        arrives(w, return_id)
        record = record_paid(w, return_id, ground="gateway refuses")
        w.shop.state.orders[order.id].payment_method = "card"  # it would go now
        queue.run_action(
            case=ExceptionCase.objects.get(kind_code=states.CASE_REJECTED),
            action_code="requeue",
            by=w.users["FIN"],
            at=w.now(),
            reason="The shop can refund now.",
            data={},
        )
        w.settle()
        own = own_refund(w, return_id)
        assert (own.state, hold_codes(own)) == (states.HELD, [WAITS])
        decide(w, record)
        assert amounts_refunded(w, order) == [TEE]
        assert paid_by_gateway(w) == []


def test_a_proposal_that_does_not_go_through_keeps_the_refund_until_it_is_given_up() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w, payment_method="bacs")
        proposal = propose(w, return_id)
        decide(w, proposal)
        assert newest_proposal(w, return_id).state == states.REJECTED
        w.shop.state.orders[order.id].payment_method = "card"
        arrives(w, return_id)
        own = own_refund(w, return_id)
        assert (own.state, hold_codes(own)) == (states.HELD, [WAITS])
        assert amounts_refunded(w, order) == []
        post_form(w, "OPS", f"/admin/returnsops/effect/{proposal.pk}/act/cancel/", why="The refund goes by itself.")
        w.settle()
        assert paid_by_gateway(w) == [TEE]


def test_nothing_is_approved_while_the_refund_itself_is_in_doubt_and_then_people_see_what_was_paid() -> None:
    with world() as w:
        order, return_id = bought_and_asked(w)
        lost = Fault(kind=FaultKind.LOST_ANSWER, method="POST", path_pattern=rf"/orders/{order.id}/refunds$")
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        w.shop.faults.script(lost)
        w.pay(return_id, "30.00")
        w.tell()
        w.work()
        assert own_refund(w, return_id).state == states.UNKNOWN

        proposal = propose(w, return_id)
        page = post_form(
            w,
            "FIN2",
            f"/admin/returnsops/effect/{proposal.pk}/act/approve/",
            revision=proposal.payload_revision,
        )
        assert "A refund, credit or replacement of this return is being sent right now" in page
        w.settle()
        assert own_refund(w, return_id).state == states.CONFIRMED
        assert newest_proposal(w, return_id).state == states.AWAITING_APPROVAL
        assert paid_by_gateway(w) == [TEE]

        case = ExceptionCase.objects.get(kind_code=states.CASE_NEEDS_APPROVAL)
        assert "€30.00 were refunded for this return already" in case.cause
        client = Client()
        client.force_login(w.users["FIN2"])
        shown = client.get(f"/admin/returnsops/effect/{proposal.pk}/act/approve/").content.decode()
        assert "€30.00 were refunded for this return already" in shown
        form = client.get(act_of_return(w, return_id, "propose_refund")).content.decode()
        assert "€30.00 were refunded for this return already" in form


def _amount(text: str) -> dict[str, str]:
    """The field, as the case's form and the return's name it."""
    return {"amount": text, "accept_amount-amount": text}


@pytest.mark.parametrize("place", ["case", "page"])
def test_an_amount_that_the_order_does_not_have_is_not_accepted(place: str) -> None:
    with world() as w:
        order, return_id = bought_and_asked(w)
        arrives(w, return_id, amount="35.00")
        assert w.open_cases() == [states.CASE_AMOUNT_MISMATCH]
        case = ExceptionCase.objects.active().get()
        hold = f"{states.CASE_AMOUNT_MISMATCH}|{own_refund(w, return_id).key}"
        urls = {
            "case": f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/accept_amount/",
            "page": act_of_return(w, return_id, "waive_hold"),
        }
        form = {"accept_amount-reason": "As agreed.", "why": "As agreed.", "hold": hold}
        page = post_form(w, "FIN", urls[place], **form, **_amount("500.00"))
        assert "€500.00 is more than can still be refunded on this order. Accept €60.00 or less." in page
        w.settle()
        assert w.open_cases() == [states.CASE_AMOUNT_MISMATCH]
        assert w.rma(return_id).waivers.count() == 0

        post_form(w, "FIN", urls[place], **form, **_amount("35.00"))
        w.settle()
        assert w.open_cases() == [states.CASE_NEEDS_APPROVAL]
        assert amounts_refunded(w, order) == []


def test_what_can_still_be_refunded_is_told_apart_from_what_is_not_planned_yet() -> None:
    with world() as w:
        _, return_id = bought_and_asked(w, units=1, reason="never_heard_of")
        arrives(w, return_id)
        client = Client()
        client.force_login(w.users["FIN"])
        rma = w.rma(return_id)
        assert rma.order is not None
        pages = {
            f"/admin/returnsops/returnauthorisation/{rma.pk}/change/": "Can still be refunded on the order",
            f"/admin/returnsops/order/{rma.order.pk}/change/": "Can still be refunded",
        }
        for url, label in pages.items():
            html = client.get(url).content.decode()
            assert f"<dt>{label}</dt><dd>€30.00</dd>" in html
            assert "<dt>Of that neither planned nor given as credit</dt><dd>€0.00</dd>" in html
