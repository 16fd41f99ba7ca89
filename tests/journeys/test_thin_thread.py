"""One signed refund.issued becomes exactly one confirmed refund in the shop."""

from decimal import Decimal

import pytest

from returnsops import states
from tests.journeys.world import world

pytestmark = pytest.mark.django_db


def test_refund_issued_becomes_one_confirmed_refund() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
        w.settle()

        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
        assert w.open_cases() == []
