"""What people pay themselves on a return counts against its own refund: nobody is paid twice for one claim."""

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connectors import delivery_cases
from connectors.replay import replay
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.woocommerce.records import Order
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect
from tests.journeys.world import World, world

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("S1-23"), pytest.mark.requirement("S4-9")]

TEE = Decimal("30.00")
WAITS = "waits_for_proposal"


def _bought(w: World, *, quantity: int = 1, units: int = 2, **wanted: Any) -> tuple[Order, str]:
    """Some T-shirts were sold at 30.00; some of them are to come back, and none is here yet."""
    order = w.order((w.product(), units), **{key: wanted.pop(key) for key in ("payment_method",) if key in wanted})
    return_id = w.ask(order, quantity=quantity, **wanted)
    w.settle()
    return order, return_id


def _back(w: World, return_id: str, *, amount: str = "30.00", quantity: int = 1, **paid: Any) -> None:
    """The parcel arrives, is judged sellable, and the platform decides its refund."""
    w.platform.receive(return_id)
    w.judge(return_id, quantity=quantity)
    w.pay(return_id, amount, quantity=quantity, **paid)
    w.settle()


def _post(w: World, team: str, url: str, **data: Any) -> str:
    """A form as a person of that team sends it; the page that follows."""
    client = Client()
    client.force_login(w.users[team])
    answer = client.post(url, data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def _of_return(w: World, return_id: str, act: str) -> str:
    return f"/admin/returnsops/returnauthorisation/{w.rma(return_id).pk}/act/{act}/"


def _propose(w: World, return_id: str, amount: str = "30.00", *, ground: str = "lost parcel") -> Effect:
    """Customer service wants it refunded through the shop."""
    form = {"request_id": str(uuid.uuid4()), "amount": amount, "ground": ground, "why": "Asked for by the customer."}
    _post(w, "CX", _of_return(w, return_id, "propose_refund"), **form)
    return _newest(w, return_id)


def _record(w: World, return_id: str, amount: str = "30.00", *, ground: str = "other") -> Effect:
    """Finance paid by bank transfer."""
    form = {"request_id": str(uuid.uuid4()), "amount": amount, "ground": ground, "why": "The customer called."}
    paid = {"reference": "SEPA-77", "paid_on": timezone.localdate().isoformat()}
    _post(w, "FIN", _of_return(w, return_id, "paid_outside"), **form, **paid)
    return _newest(w, return_id)


def _newest(w: World, return_id: str) -> Effect:
    found = w.rma(return_id).effects.filter(origin=states.ORIGIN_PERSON).order_by("pk").last()
    assert found is not None
    return found


def _decide(w: World, proposal: Effect, act: str = "approve") -> str:
    """The second person."""
    data = {"revision": proposal.payload_revision} if act == "approve" else {"why": "No."}
    page = _post(w, "FIN2", f"/admin/returnsops/effect/{proposal.pk}/act/{act}/", **data)
    w.settle()
    return page


def _own(w: World, return_id: str) -> Effect:
    """The return's own refund."""
    return w.rma(return_id).effects.get(kind=states.REFUND, origin=states.ORIGIN_PLAN)


def _codes(effect: Effect) -> list[str]:
    return [hold["code"] for hold in effect.holds]


def _amounts(w: World, order: Order) -> list[Decimal]:
    return sorted(refund.amount or Decimal(0) for refund in w.money_refunds(order))


def _paid(w: World) -> list[Decimal]:
    return sorted(payout.amount for payout in w.shop.gateway_payouts)


def _classify(w: World, return_id: str) -> None:
    data = {"item": w.item_id(return_id), "reason_code": "too_small"}
    _post(w, "CX", _of_return(w, return_id, "classify_reason"), **data)
    w.settle()


def test_paid_outside_while_the_refund_waits_for_a_reason_is_not_paid_by_the_gateway_as_well() -> None:
    with world() as w:
        order, return_id = _bought(w, units=3, reason="never_heard_of")
        _back(w, return_id)
        assert _codes(_own(w, return_id)) == [states.CASE_REASON_UNMAPPED]

        record = _record(w, return_id)
        assert set(_codes(_own(w, return_id))) == {states.CASE_REASON_UNMAPPED, WAITS}
        _decide(w, record)
        _classify(w, return_id)

        assert _amounts(w, order) == [TEE]
        assert _paid(w) == []
        assert _own(w, return_id).state == states.EFFECT_CANCELLED
        assert w.open_cases() == []
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()


@pytest.mark.parametrize("units", [1, 2])
def test_a_lost_parcel_that_arrives_after_all_is_not_paid_twice(units: int) -> None:
    with world() as w:
        order, return_id = _bought(w, units=units)
        _decide(w, _propose(w, return_id))
        assert _paid(w) == [TEE]
        _back(w, return_id)
        assert _amounts(w, order) == [TEE]
        assert _paid(w) == [TEE]
        assert w.rma(return_id).effects.filter(kind=states.REFUND, origin=states.ORIGIN_PLAN).count() == 0
        assert states.CASE_WOULD_OVER_REFUND not in w.open_cases()
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()


@pytest.mark.parametrize("units", [1, 2])
def test_a_proposal_holds_the_refund_until_it_is_decided_and_a_refused_one_lets_it_go(units: int) -> None:
    with world() as w:
        order, return_id = _bought(w, units=units)
        proposal = _propose(w, return_id)
        _back(w, return_id)
        own = _own(w, return_id)
        assert (own.state, _codes(own)) == (states.HELD, [WAITS])
        assert own.holds[0]["waits_for"] == proposal.key
        assert w.open_cases() == [states.CASE_NEEDS_APPROVAL]
        assert _amounts(w, order) == []

        _decide(w, proposal, "refuse")
        assert _amounts(w, order) == [TEE]
        assert _paid(w) == [TEE]
        assert _own(w, return_id).state == states.CONFIRMED
        assert w.open_cases() == []


def test_a_cancelled_proposal_lets_the_refund_go() -> None:
    with world() as w:
        order, return_id = _bought(w)
        proposal = _propose(w, return_id)
        _back(w, return_id)
        assert _codes(_own(w, return_id)) == [WAITS]
        _post(w, "OPS", f"/admin/returnsops/effect/{proposal.pk}/act/cancel/", why="A slip.")
        w.settle()
        assert _newest(w, return_id).state == states.EFFECT_CANCELLED
        assert _amounts(w, order) == [TEE]
        assert _paid(w) == [TEE]


def test_a_held_refund_gives_its_place_on_the_order_to_what_is_paid_instead() -> None:
    with world() as w:
        order, return_id = _bought(w, units=1, reason="never_heard_of")
        _back(w, return_id)
        record = _record(w, return_id)  # all that was paid for the order
        assert states.CASE_WOULD_OVER_REFUND not in w.open_cases()
        _decide(w, record)
        _classify(w, return_id)
        assert _amounts(w, order) == [TEE]
        assert _paid(w) == []
        assert w.open_cases() == []


def test_only_the_difference_is_refunded_where_less_was_paid() -> None:
    with world() as w:
        order, return_id = _bought(w)
        _decide(w, _record(w, return_id, "20.00"))
        _back(w, return_id)
        assert _amounts(w, order) == [Decimal("10.00"), Decimal("20.00")]
        assert _paid(w) == [Decimal("10.00")]
        assert states.CASE_AMOUNT_MISMATCH not in w.open_cases()


def test_goodwill_comes_on_top() -> None:
    with world() as w:
        order, return_id = _bought(w)
        proposal = _propose(w, return_id, "5.00", ground="goodwill")
        _back(w, return_id)
        assert _amounts(w, order) == [TEE]  # goodwill that waits holds nothing
        _decide(w, proposal)
        assert _paid(w) == [Decimal("5.00"), TEE]


def test_a_form_without_a_ground_is_asked_again() -> None:
    with world() as w:
        _, return_id = _bought(w)
        form = {"request_id": str(uuid.uuid4()), "amount": "5.00", "ground": "", "why": "Late."}
        assert "This field is required." in _post(w, "CX", _of_return(w, return_id, "propose_refund"), **form)
        assert w.rma(return_id).effects.filter(origin=states.ORIGIN_PERSON).count() == 0


def test_one_unit_lost_and_one_back_are_paid_once_each() -> None:
    with world() as w:
        order, return_id = _bought(w, quantity=2)
        _decide(w, _propose(w, return_id))
        _back(w, return_id, amount="60.00", quantity=2)
        assert _paid(w) == [TEE, TEE]
        assert _amounts(w, order) == [TEE, TEE]


def test_money_for_a_lost_unit_is_not_counted_against_the_other_without_a_word() -> None:
    """Two shirts of one price: one was lost and paid by people, the other arrives and the platform decides it."""
    with world() as w:
        order, return_id = _bought(w, quantity=2)
        _decide(w, _propose(w, return_id))
        _back(w, return_id)
        assert _paid(w) == [TEE]
        assert states.CASE_PEOPLE_PAID_IN_DOUBT in w.open_cases()

        _decide(w, _propose(w, return_id, ground="goodwill"))
        case = ExceptionCase.objects.active().get(kind_code=states.CASE_PEOPLE_PAID_IN_DOUBT)
        url = f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/waive_hold/"
        _post(w, "FIN", url, **{"waive_hold-reason": "Paid for the lost one; the other is proposed."})
        w.settle()
        assert states.CASE_PEOPLE_PAID_IN_DOUBT not in w.open_cases()
        assert _paid(w) == [TEE, TEE]
        assert _amounts(w, order) == [TEE, TEE]


def test_what_the_gateway_refused_is_settled_by_the_record_of_the_bank_transfer() -> None:
    with world() as w:
        order, return_id = _bought(w, units=1, payment_method="bacs")
        _back(w, return_id)
        assert _own(w, return_id).state == states.REJECTED
        assert w.open_cases() == [states.CASE_REJECTED]

        _decide(w, _record(w, return_id, ground="gateway refuses"))
        delivery_cases.close_gone(at=w.now())
        assert w.open_cases() == []
        assert _own(w, return_id).state == states.EFFECT_CANCELLED
        assert _amounts(w, order) == [TEE]
        assert _paid(w) == []


def test_a_refused_refund_that_is_tried_again_waits_for_what_people_proposed() -> None:
    with world() as w:
        order, return_id = _bought(w, payment_method="bacs")
        _back(w, return_id)
        record = _record(w, return_id, ground="gateway refuses")
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
        own = _own(w, return_id)
        assert (own.state, _codes(own)) == (states.HELD, [WAITS])
        _decide(w, record)
        assert _amounts(w, order) == [TEE]
        assert _paid(w) == []


def test_a_proposal_that_does_not_go_through_keeps_the_refund_until_it_is_given_up() -> None:
    with world() as w:
        order, return_id = _bought(w, payment_method="bacs")
        proposal = _propose(w, return_id)
        _decide(w, proposal)
        assert _newest(w, return_id).state == states.REJECTED
        w.shop.state.orders[order.id].payment_method = "card"
        _back(w, return_id)
        own = _own(w, return_id)
        assert (own.state, _codes(own)) == (states.HELD, [WAITS])
        assert _amounts(w, order) == []
        _post(w, "OPS", f"/admin/returnsops/effect/{proposal.pk}/act/cancel/", why="The refund goes by itself.")
        w.settle()
        assert _paid(w) == [TEE]


def test_nothing_is_approved_while_the_refund_itself_is_in_doubt_and_then_people_see_what_was_paid() -> None:
    with world() as w:
        order, return_id = _bought(w)
        lost = Fault(kind=FaultKind.LOST_ANSWER, method="POST", path_pattern=rf"/orders/{order.id}/refunds$")
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        w.shop.faults.script(lost)
        w.pay(return_id, "30.00")
        w.tell()
        w.work()
        assert _own(w, return_id).state == states.UNKNOWN

        proposal = _propose(w, return_id)
        page = _post(
            w,
            "FIN2",
            f"/admin/returnsops/effect/{proposal.pk}/act/approve/",
            revision=proposal.payload_revision,
        )
        assert "Another refund of this return is being sent right now" in page
        w.settle()
        assert _own(w, return_id).state == states.CONFIRMED
        assert _newest(w, return_id).state == states.AWAITING_APPROVAL
        assert _paid(w) == [TEE]

        case = ExceptionCase.objects.get(kind_code=states.CASE_NEEDS_APPROVAL)
        assert "€30.00 were refunded for this return already" in case.cause
        client = Client()
        client.force_login(w.users["FIN2"])
        shown = client.get(f"/admin/returnsops/effect/{proposal.pk}/act/approve/").content.decode()
        assert "€30.00 were refunded for this return already" in shown
        form = client.get(_of_return(w, return_id, "propose_refund")).content.decode()
        assert "€30.00 were refunded for this return already" in form


def _amount(text: str) -> dict[str, str]:
    """The field, as the case's form and the return's name it."""
    return {"amount": text, "accept_amount-amount": text}


@pytest.mark.parametrize("place", ["case", "page"])
def test_an_amount_that_the_order_does_not_have_is_not_accepted(place: str) -> None:
    with world() as w:
        order, return_id = _bought(w)
        _back(w, return_id, amount="35.00")
        assert w.open_cases() == [states.CASE_AMOUNT_MISMATCH]
        case = ExceptionCase.objects.active().get()
        hold = f"{states.CASE_AMOUNT_MISMATCH}|{_own(w, return_id).key}"
        urls = {
            "case": f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/accept_amount/",
            "page": _of_return(w, return_id, "waive_hold"),
        }
        form = {"accept_amount-reason": "As agreed.", "why": "As agreed.", "hold": hold}
        page = _post(w, "FIN", urls[place], **form, **_amount("500.00"))
        assert "€500.00 is more than can still be refunded on this order. Accept €60.00 or less." in page
        w.settle()
        assert w.open_cases() == [states.CASE_AMOUNT_MISMATCH]
        assert w.rma(return_id).waivers.count() == 0

        _post(w, "FIN", urls[place], **form, **_amount("35.00"))
        w.settle()
        assert w.open_cases() == [states.CASE_NEEDS_APPROVAL]
        assert _amounts(w, order) == []


def test_what_can_still_be_refunded_is_told_apart_from_what_is_not_planned_yet() -> None:
    with world() as w:
        _, return_id = _bought(w, units=1, reason="never_heard_of")
        _back(w, return_id)
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
