"""A month's last day: what drifted is found, goes to whoever owns it, and to the lead before the books close."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from exceptions_queue import alerts, notify
from exceptions_queue import services as queue
from exceptions_queue.errors import NotAllowedError
from exceptions_queue.models import ExceptionCase
from exceptions_queue.saved_views import cases_of_view
from reconciliation import causes
from reconciliation.tasks import reconcile_recent
from returnsops import states
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db

# A Monday, and the month's last working day, which closes at 17:00 in London.
LAST_AFTERNOON = datetime.fromisoformat("2026-11-30T14:30:00+00:00")
ALERTS = {"mail_to": {"default": ["team@shop.example"]}, "leads": {"FIN": ["cfo@shop.example"]}, "severities": []}


def _refunded(w: World, price: str) -> tuple[Any, str]:
    """A return that went well, at the beginning of the month."""
    order = w.order((w.product(f"SKU-{price}", price=price), 1))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, price)
    w.settle()
    assert [refund.amount for refund in w.money_refunds(order)] == [Decimal(price)]
    return order, return_id


def _until(w: World, at: datetime) -> None:
    w.shift((at - w.now()).total_seconds())


@pytest.mark.requirement("S4-12")
@pytest.mark.requirement("S4-13")
def test_money_that_drifted_on_the_last_day_reaches_its_owner_and_its_lead_before_the_month_ends(settings: Any) -> None:
    settings.EXCEPTIONS_QUEUE_ALERTS = ALERTS
    with world() as w:
        order, _ = _refunded(w, "80.00")
        _until(w, LAST_AFTERNOON)
        small = w.order((w.product(), 1))
        w.ask(small, item={"order_line_id": "999999", "sku": "no such article", "variant_id": "999999"})
        w.settle()
        w.shop.delete_refund(w.money_refunds(order)[0].id)  # no webhook, no date moves
        assert reconcile_recent() >= 1

        money = ExceptionCase.objects.get(kind_code=causes.CASE_RECORD_DELETED)
        status = ExceptionCase.objects.get(kind_code=states.CASE_LINE_NOT_ON_ORDER)
        assert (money.owner_team, status.owner_team) == (states.FIN, states.CX)
        assert (money.money_at_risk, money.currency) == (Decimal("80.00"), order.currency)
        assert money.due_at is not None
        assert money.due_at.month == 12  # four working hours: its own deadline would miss the month
        for case, action, stranger in ((money, "accept_difference", "CX"), (status, "look_again", "FIN")):
            with pytest.raises(NotAllowedError, match="can act on this case"):
                queue.run_action(case=case, action_code=action, by=w.users[stranger], at=w.now(), reason="mine?")

        waited_h = int((w.now() - money.waiting_since_at).total_seconds() // 3600) if money.waiting_since_at else 0
        assert money.priority == 80 + waited_h + 30
        assert money.priority > status.priority
        everything = cases_of_view(
            cases=ExceptionCase.objects.all(), view="all", user=w.users["OPS"], now=w.now()
        ).most_urgent_first()
        assert list(everything) == [money, status]

        _until(w, datetime.fromisoformat("2026-11-30T15:59:00+00:00"))
        assert alerts.queue_escalations(w.now()) == 0
        w.shift(60)  # an hour before the month ends
        assert alerts.queue_escalations(w.now()) == 1
        notify.send_due_alerts(w.now())
        assert [message.to for message in mail.outbox] == [["cfo@shop.example"]]
        assert mail.outbox[0].subject == (
            f"[Finance] A refund was deleted in the shop is urgent and will be late soon (case {money.pk})"
        )

        queue.run_action(
            case=money, action_code="accept_difference", by=w.users["FIN"], at=w.now(), reason="the bank shows it"
        )
        w.shift(timedelta(days=1).total_seconds())
        assert causes.CASE_RECORD_DELETED not in w.open_cases()
