"""The same thing said many times is done once (S4-17, S4-22)."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from connectors import inbox
from connectors.simulators.base import Fault, FaultKind, WebhookFault, WebhookFaultKind
from connectors.simulators.reveni_webhooks import DeliveryFault, DeliveryFaultKind
from returnsops import states
from returnsops.models import Attempt, InboundEvent
from tests.journeys.world import World, post_raw, world


def _due(w: World) -> tuple[Any, str]:
    order = w.order((w.product(), 2))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.settle()
    return order, return_id


@pytest.mark.django_db
@pytest.mark.requirement("S4-17")
def test_the_same_message_a_hundred_times_is_one_effect() -> None:
    with world() as w:
        order, return_id = _due(w)
        w.pay(return_id, "30.00")
        w.platform.sender.deliver_pending()
        (sent,) = [row for row in w.platform.sender.sent if row.topic == "refund.issued"]
        answers = [post_raw(sent.webhook.body, dict(sent.webhook.headers)) for _ in range(100)]
        w.settle()

        assert {answer.status_code for answer in answers} == {200}
        assert all(answer.json()["duplicate"] for answer in answers)
        event = InboundEvent.objects.get(topic="refund.issued")
        assert event.duplicate_count == 100
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert len(w.effects(return_id, states.REFUND)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.requirement("S4-17")
def test_the_same_message_a_hundred_times_in_parallel_is_one_effect() -> None:
    with world() as w:
        order, return_id = _due(w)
        w.pay(return_id, "30.00", is_silent=True)
        body, headers = _signed(w, return_id)

        def post(_: int) -> int:
            try:
                return post_raw(body, headers).status_code
            finally:
                connections.close_all()

        with ThreadPoolExecutor(max_workers=10) as pool:
            codes = list(pool.map(post, range(100)))
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda _: _process(w), range(4)))
        w.settle()

        assert sorted(codes) == [200] * 99 + [202]
        assert InboundEvent.objects.get(topic="refund.issued").duplicate_count == 99
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]


def _process(w: World) -> None:
    try:
        inbox.process_due(at=w.now())
    finally:
        connections.close_all()


def _signed(w: World, return_id: str) -> tuple[bytes, dict[str, str]]:
    """The refund.issued event as the platform would send it now, signed."""
    from connectors.signing import sign

    document = w.platform.account.returns[return_id]
    snapshot = {name: value for name, value in document.items() if name not in _BLOCKS}
    event = {
        "id": "evt_parallel",
        "type": "refund.issued",
        "timestamp": w.now().isoformat().replace("+00:00", "Z"),
        "schema_version": "1",
        "account": {"id": w.platform.account_id},
        "data": {"return": snapshot, "refund": document["refunds"][-1]},
    }
    body = json.dumps(event).encode()
    headers = sign(
        verifier={"kind": "standard_webhooks"},
        secret=w.platform.webhook_secrets[0],
        body=body,
        at=w.now(),
        message_id="evt_parallel",
    )
    return body, {**headers, "Content-Type": "application/json"}


_BLOCKS = {"shipments", "inspections", "refunds", "exchanges", "credits", "gift_cards", "risks"}


@pytest.mark.django_db
@pytest.mark.requirement("S4-22")
@pytest.mark.parametrize(
    "fault",
    [
        WebhookFault(kind=WebhookFaultKind.DUPLICATE, times=20),
        WebhookFault(kind=WebhookFaultKind.REORDERED, times=3),
        DeliveryFault(kind=DeliveryFaultKind.DUPLICATE_NEW_ID, times=20),
    ],
    ids=lambda fault: str(fault.kind),
)
def test_storms_of_platform_events_are_one_refund(fault: WebhookFault | DeliveryFault) -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        if isinstance(fault, WebhookFault):
            w.platform.faults.script(fault)
        else:
            w.platform.script(fault)
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
        w.settle()

        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert len(w.restock_records(order)) == 1
        assert w.open_cases() == []


@pytest.mark.django_db
@pytest.mark.requirement("S4-22")
def test_storms_of_shop_webhooks_are_one_refund() -> None:
    with world() as w:
        w.shop.faults.script(
            WebhookFault(kind=WebhookFaultKind.DUPLICATE, times=50),
            WebhookFault(kind=WebhookFaultKind.REORDERED, times=5),
        )
        order, return_id = _due(w)
        w.pay(return_id, "30.00")
        w.settle()
        w.shop.state.touch(w.shop.state.orders[order.id])
        w.settle()

        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert [payout.amount for payout in w.shop.gateway_payouts] == [Decimal("30.00")]


@pytest.mark.django_db
@pytest.mark.requirement("S4-22")
@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.LATE_COMMIT, FaultKind.SERVER_ERROR_AFTER_COMMIT])
def test_lost_answers_are_looked_up_and_never_sent_again(kind: FaultKind) -> None:
    with world() as w:
        order, return_id = _due(w)
        w.shop.faults.script(Fault(kind=kind, method="POST", path_pattern=r"/refunds$", delay_s=2))
        w.pay(return_id, "30.00")
        w.settle()

        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert [payout.amount for payout in w.shop.gateway_payouts] == [Decimal("30.00")]
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
        assert Attempt.objects.filter(effect__kind=states.REFUND, outcome="unknown").exists()
        assert w.open_cases() == []
