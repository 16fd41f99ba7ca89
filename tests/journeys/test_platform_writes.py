"""ReBound writes refunds into the Shopify shop itself: looked for, adopted, verified, missed; never sent by us."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.simulators.shopify.records import Order, Variant
from exceptions_queue import services as queue
from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import HistoryEntry, Refund
from returnsops.services import case_actions
from tests.journeys.rebound_world import ShopifyPair, shopify_pair
from tests.reconciliation.played import compare

pytestmark = pytest.mark.django_db

PAID = Decimal("30.00")


def judged(p: ShopifyPair, order: Order, variant: Variant) -> str:
    """One article back at the hub and sellable; the return's id."""
    return_id = p.ask(order, variant)
    p.account.track(return_id, "Arrived at Our Hub")
    p.account.dispose(return_id, "GRADE A")
    p.poll()
    return return_id


WRITES = 'disposition_final"\nwriter = "platform'


def test_a_refund_that_rebound_writes_into_the_shop_itself_is_adopted_and_nothing_is_sent() -> None:
    """V1 tells of no refund: by amount alone, and by its lines with another amount, which finance is shown."""
    with shopify_pair(trigger=WRITES) as p:
        tee, order = p.sold()
        second = p.w.sale((tee, 1))
        first_id, second_id = judged(p, order, tee), judged(p, second, tee)
        assert [hold["code"] for hold in p.w.effect(first_id, states.REFUND).holds] == ["platform_writes"]
        assert (p.w.open_cases(), p.w.asked("RefundCreate")) == ([], [])
        p.w.store.staff_refund(order, PAID, note="ReBound")
        p.w.store.staff_refund(second, Decimal("25.00"), lines={second.lines[0].id: 1}, note="ReBound")
        p.w.poll()
        p.w.settle()
        adopted = {row.rma.external_id: row.amount for row in Refund.objects.all() if row.rma is not None}
        assert adopted == {first_id: PAID, second_id: Decimal("25.00")}
        case = ExceptionCase.objects.active().get()
        assert (case.kind_code, case.owner_team, case.money_at_risk) == ("amount_mismatch", "FIN", Decimal("5.00"))
        assert "refunded €25.00 in the shop for this return, the order gives €30.00" in case.cause
        case_actions.accept_amount(case=case, by=p.w.users["FIN"], at=p.w.now(), reason="fee", data={"amount": "25.00"})
        p.w.settle()
        p.w.shift(10 * 24 * 3600)
        p.poll()
        assert (p.w.open_cases(), p.w.asked("RefundCreate")) == ([], [])
        live = [one.state for rid in (first_id, second_id) for one in p.w.effects(rid, states.REFUND)]
        assert live == [states.EFFECT_CANCELLED] * 2
        assert [(run.check_code, run.difference_count) for run in compare(p.w) if run.difference_count] == []


SOON = f'{WRITES}"\nwritten_within_h = 48\nshipping = "never'


def test_a_refund_that_rebound_was_to_write_and_did_not_is_a_case_until_it_comes() -> None:
    with shopify_pair(trigger=SOON) as p:
        tee, order = p.sold()
        judged(p, order, tee)
        p.w.shift(47 * 3600)
        p.w.settle(horizon=timedelta(0))
        assert p.w.open_cases() == []
        p.w.shift(3600)
        p.w.settle(horizon=timedelta(0))
        case = ExceptionCase.objects.active().get()
        assert (case.kind_code, case.owner_team, case.money_at_risk) == ("platform_refund_missing", "FIN", PAID)
        p.w.store.staff_refund(order, PAID, note="ReBound")
        p.w.poll()
        p.w.settle()
        assert (p.w.open_cases(), p.w.asked("RefundCreate"), p.w.paid_back(order)) == ([], [], [PAID])


def test_a_case_of_an_older_version_names_its_refunds_once_it_is_checked_again() -> None:
    with shopify_pair(trigger=SOON) as p:
        tee, order = p.sold(units=1)
        judged(p, order, tee)
        p.w.shift(48 * 3600)
        p.w.settle(horizon=timedelta(0))
        case = ExceptionCase.objects.active().get()
        case.evidence = {name: value for name, value in case.evidence.items() if name != "refunds"}
        case.save()
        asked: dict[str, Any] = {"case": case, "by": p.w.users["FIN"], "at": p.w.now(), "reason": "by bank"}
        with pytest.raises(CaseError, match="Check it again first"):
            queue.run_action(**asked, action_code="give_up_refund")
        queue.run_action(**asked, action_code="look_again")
        case.refresh_from_db()
        queue.run_action(**asked, action_code="give_up_refund")
        assert (p.w.open_cases(), p.w.asked("RefundCreate")) == ([], [])


def given_up(p: ShopifyPair) -> None:
    """The platform's time is over, and finance says that the customer was paid in another way."""
    p.w.shift(48 * 3600)
    p.w.settle(horizon=timedelta(0))
    case = ExceptionCase.objects.active().get()
    queue.run_action(case=case, action_code="give_up_refund", by=p.w.users["FIN"], at=p.w.now(), reason="by bank")
    p.w.settle()


def written(p: ShopifyPair, order: Order, amount: Decimal = PAID) -> None:
    """ReBound refunds one unit of the first line in the shop."""
    p.w.store.staff_refund(order, amount, lines={order.lines[0].id: 1}, note="ReBound")
    p.w.poll()
    p.w.settle()


def test_a_refund_that_was_given_up_and_is_written_all_the_same_is_finances_and_not_the_platforms_to_hear_of() -> None:
    with shopify_pair(trigger=SOON) as p:
        tee, order = p.sold(units=1)
        judged(p, order, tee)
        given_up(p)
        written(p, order)
        case = ExceptionCase.objects.active().get()
        assert (case.kind_code, case.owner_team, case.money_at_risk) == ("paid_though_given_up", "FIN", PAID)
        queue.run_action(case=case, action_code="waive_hold", by=p.w.users["FIN"], at=p.w.now(), reason="paid back")
        p.w.settle()
        assert (p.w.open_cases(), p.w.asked("RefundCreate")) == ([], [])


@pytest.mark.parametrize("price", ["30.00", "15.00"])
def test_what_is_written_after_it_was_given_up_stands_for_no_other_article_of_the_return(price: str) -> None:
    """The hat is due when the platform writes the refund of the tee: its own refund is still missed."""
    with shopify_pair(trigger=SOON) as p:
        tee, hat = p.w.variant(), p.w.variant("HAT", price=price)
        order = p.w.sale((tee, 2), (hat, 2))
        return_id = p.ask(order, tee, hat)
        p.account.track(return_id, "Arrived at Our Hub")
        p.account.dispose(return_id, "GRADE A", None)
        p.poll()
        given_up(p)
        p.account.dispose(return_id, "GRADE A", "GRADE A")
        p.poll()
        written(p, order)
        assert p.w.open_cases() == [states.CASE_PAID_THOUGH_GIVEN_UP]
        live = [(one.state, one.amount) for one in p.w.effects(return_id, states.REFUND)]
        assert sorted(live) == [(states.EFFECT_CANCELLED, PAID), (states.HELD, Decimal(price))]
        p.w.shift(48 * 3600)
        p.w.settle(horizon=timedelta(0))
        assert sorted(p.w.open_cases()) == [states.CASE_PAID_THOUGH_GIVEN_UP, states.CASE_PLATFORM_REFUND_MISSING]
        missed = ExceptionCase.objects.active().get(kind_code=states.CASE_PLATFORM_REFUND_MISSING)
        assert (missed.money_at_risk, p.w.asked("RefundCreate")) == (Decimal(price), [])
        p.w.store.staff_refund(order, Decimal(price), lines={order.lines[1].id: 1}, note="ReBound")
        p.w.poll()
        p.w.settle()
        assert p.w.open_cases() == [states.CASE_PAID_THOUGH_GIVEN_UP]
        assert [(run.check_code, run.difference_count) for run in compare(p.w) if run.difference_count] == []


def test_a_missing_refund_that_finance_gives_up_is_waited_for_no_more_and_nothing_is_sent() -> None:
    with shopify_pair(trigger=SOON) as p:
        tee, order = p.sold()
        return_id = judged(p, order, tee)
        p.w.shift(48 * 3600)
        p.w.settle(horizon=timedelta(0))
        case = ExceptionCase.objects.active().get()
        said = "Nothing more is paid here: our own refund is given up."
        finance = p.w.users["FIN"]
        given = queue.run_action(
            case=case, action_code="give_up_refund", by=finance, at=p.w.now(), reason="paid by bank transfer"
        )
        assert given == said
        effect = p.w.effect(return_id, states.REFUND)
        assert (effect.state, effect.holds) == (states.EFFECT_CANCELLED, [])
        case.refresh_from_db()
        assert (case.is_active, p.w.open_cases()) == (False, [])
        entry = HistoryEntry.objects.get(act="hold_waived")
        assert (entry.by, entry.why) == (str(finance), "paid by bank transfer")
        assert entry.text == "Refund of ours given up: nothing more is paid for it here."
        p.w.shift(10 * 24 * 3600)
        p.poll()
        assert (p.w.open_cases(), p.w.asked("RefundCreate"), p.w.paid_back(order)) == ([], [], [])
