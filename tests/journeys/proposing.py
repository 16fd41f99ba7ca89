"""What people propose, record and decide on a return, each as the form they send."""

import uuid
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone

from connectors.simulators.woocommerce.records import Order
from returnsops import states
from returnsops.models import Effect
from tests.journeys.world import World

TEE = Decimal("30.00")


def bought_and_asked(w: World, *, quantity: int = 1, units: int = 2, **wanted: Any) -> tuple[Order, str]:
    """Some T-shirts were sold at 30.00; some of them are to come back, and none is here yet."""
    order = w.order((w.product(), units), **{key: wanted.pop(key) for key in ("payment_method",) if key in wanted})
    return_id = w.ask(order, quantity=quantity, **wanted)
    w.settle()
    return order, return_id


def arrives(w: World, return_id: str, *, amount: str = "30.00", quantity: int = 1, **paid: Any) -> None:
    """The parcel arrives, is judged sellable, and the platform decides its refund."""
    w.platform.receive(return_id)
    w.judge(return_id, quantity=quantity)
    w.pay(return_id, amount, quantity=quantity, **paid)
    w.settle()


def post_form(w: World, team: str, url: str, **data: Any) -> str:
    """A form as a person of that team sends it; the page that follows."""
    client = Client()
    client.force_login(w.users[team])
    answer = client.post(url, data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def act_of_return(w: World, return_id: str, act: str) -> str:
    return f"/admin/returnsops/returnauthorisation/{w.rma(return_id).pk}/act/{act}/"


def propose(w: World, return_id: str, amount: str = "30.00", *, ground: str = "lost parcel") -> Effect:
    """Customer service wants it refunded through the shop."""
    form = {"request_id": str(uuid.uuid4()), "amount": amount, "ground": ground, "why": "Asked for by the customer."}
    post_form(w, "CX", act_of_return(w, return_id, "propose_refund"), **form)
    return newest_proposal(w, return_id)


def record_paid(w: World, return_id: str, amount: str = "30.00", *, ground: str = "other") -> Effect:
    """Finance paid by bank transfer."""
    form = {"request_id": str(uuid.uuid4()), "amount": amount, "ground": ground, "why": "The customer called."}
    paid = {"reference": "SEPA-77", "paid_on": timezone.localdate().isoformat()}
    post_form(w, "FIN", act_of_return(w, return_id, "paid_outside"), **form, **paid)
    return newest_proposal(w, return_id)


def newest_proposal(w: World, return_id: str) -> Effect:
    found = w.rma(return_id).effects.filter(origin=states.ORIGIN_PERSON).order_by("pk").last()
    assert found is not None
    return found


def decide(w: World, proposal: Effect, act: str = "approve") -> str:
    """The second person."""
    data = {"revision": proposal.payload_revision} if act == "approve" else {"why": "No."}
    page = post_form(w, "FIN2", f"/admin/returnsops/effect/{proposal.pk}/act/{act}/", **data)
    w.settle()
    return page


def own_refund(w: World, return_id: str) -> Effect:
    """The return's own refund."""
    return w.rma(return_id).effects.get(kind=states.REFUND, origin=states.ORIGIN_PLAN)


def hold_codes(effect: Effect) -> list[str]:
    return [hold["code"] for hold in effect.holds]


def amounts_refunded(w: World, order: Order) -> list[Decimal]:
    return sorted(refund.amount or Decimal(0) for refund in w.money_refunds(order))


def paid_by_gateway(w: World) -> list[Decimal]:
    return sorted(payout.amount for payout in w.shop.gateway_payouts)


def classify(w: World, return_id: str) -> None:
    data = {"item": w.item_id(return_id), "reason_code": "too_small"}
    post_form(w, "CX", act_of_return(w, return_id, "classify_reason"), **data)
    w.settle()
