"""Refunds made outside: attributed without a person only where one explanation is left, and recorded like any word."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exceptions_queue.errors import CaseError
from returnsops.models import InboundEvent, Refund, ReturnAuthorisation
from returnsops.services import attribution, attribution_acts
from returnsops.services.replan import replan, replan_as_recorded
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def rma() -> ReturnAuthorisation:
    """One unit of a line of two, 24.35 each, asked for before now."""
    line = make.ReturnLineFactory(quantity=1, order_line=None)
    row: ReturnAuthorisation = line.rma
    bought = make.OrderLineFactory(order=row.order, quantity=2, net=Decimal("48.70"), taxes=[], name="Tee")
    line.order_line = bought
    line.save()
    row.requested_at = NOW - timedelta(days=3)
    row.save()
    return row


def by_hand(of: ReturnAuthorisation, amount: str = "24.35", **more: Any) -> Refund:
    row: Refund = make.RefundFactory(order=of.order, amount=Decimal(amount), **more)
    return row


def test_what_explains_itself_is_recorded_applied_and_planned_at_once(rma: ReturnAuthorisation) -> None:
    refund = by_hand(rma)
    replan(rma_id=rma.pk, at=LATER)
    refund.refresh_from_db()
    assert (refund.rma, refund.attributed_by, refund.attributed_at) == (rma, "returnsops", LATER)
    event = InboundEvent.objects.get()
    assert (event.topic, event.by, event.source, event.processed_at) == (
        "RefundAttributed",
        "returnsops",
        "human",
        LATER,
    )
    replan(rma_id=rma.pk, at=LATER)
    assert InboundEvent.objects.count() == 1


def test_planning_from_what_is_recorded_says_nothing_new(rma: ReturnAuthorisation) -> None:
    by_hand(rma)
    replan_as_recorded(rma_id=rma.pk, at=LATER)
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("what", ["ended", "no policy", "bad policy", "no order", "said", "zero", "gone", "ours"])
def test_what_is_no_question_is_not_answered(rma: ReturnAuthorisation, what: str) -> None:
    fields: dict[str, dict[str, Any]] = {
        "said": {"attributed_by": "fiona", "attributed_at": NOW},
        "zero": {"amount": "0"},
        "gone": {"vanished_at": NOW},
        "ours": {"origin": Refund.OURS, "key": "refund:x"},
    }
    by_hand(rma, **fields.get(what, {}))
    if what == "ended":
        rma.status = "declined"
    if what == "no policy":
        rma.policy = None
    if what == "bad policy":
        assert rma.policy is not None
        rma.policy.document = {"refund": 7}
    if what == "no order":
        rma.order = None
    assert attribution.attribute_outside(rma=rma, at=LATER) == 0
    assert not InboundEvent.objects.exists()


def test_two_refunds_are_looked_at_one_after_the_other(rma: ReturnAuthorisation) -> None:
    """Both name the one unit that comes back: the first pays for it, the second is for a person."""
    assert rma.order is not None
    line = rma.order.lines.get()
    named = [{"line_id": line.external_id, "quantity": 1, "net": "24.35", "taxes": []}]
    first = by_hand(rma, lines=named)
    second = by_hand(rma, lines=named, refunded_at=NOW + timedelta(minutes=1))
    assert attribution.attribute_outside(rma=rma, at=LATER) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.rma, second.rma, second.is_unrelated) == (rma, None, False)


def test_what_is_surely_for_another_return_is_left_to_its_own_plan(rma: ReturnAuthorisation) -> None:
    other = make.ReturnFactory(connection=rma.connection, route=rma.route, order=rma.order, requested_at=NOW)
    refund = by_hand(rma)
    assert attribution.attribute_outside(rma=other, at=LATER) == 0
    assert attribution.attribute_outside(rma=rma, at=LATER) == 1
    refund.refresh_from_db()
    assert refund.rma == rma


# --- people ----------------------------------------------------------------------------------------------------------


def test_each_explanation_of_the_case_has_a_button_that_says_what_it_does(rma: ReturnAuthorisation) -> None:
    by_hand(rma, "25.00")
    case = make.CaseFactory(rma=rma, kind_code="refunded_outside")
    assert attribution_acts.words_of_rank(1, case).endswith(
        "goodwill on the order; no open return. It counts for no return. Can be taken back on the return's page until "
        "money goes."
    )
    assert attribution_acts.words_of_rank(2, case) == ""
    assert attribution_acts.choice_of_rank(2, case) == []


def test_an_explanation_may_be_for_another_return_of_the_order(rma: ReturnAuthorisation) -> None:
    assert rma.order is not None
    other = make.ReturnFactory(connection=rma.connection, route=rma.route, order=rma.order, requested_at=NOW)
    make.ReturnLineFactory(rma=other, quantity=1, order_line=rma.order.lines.get())
    refund = by_hand(rma)
    code = next(
        attribution_acts.code_of(refund_id, one)
        for refund_id, one in attribution_acts.ranked(rma)
        if one.return_ref == other.ref
    )
    attribution_acts.apply_code(rma=rma, code=code, by="fiona", at=LATER)
    refund.refresh_from_db()
    assert (refund.rma, refund.attributed_by) == (other, "fiona")
    assert attribution_acts.answered_refunds(rma) == []
    assert [row.pk for row in attribution_acts.answered_refunds(other)] == [refund.pk]


def test_an_answer_is_taken_back_with_a_reason_and_stays_for_people(rma: ReturnAuthorisation) -> None:
    refund = by_hand(rma)
    replan(rma_id=rma.pk, at=LATER)
    with pytest.raises(CaseError, match="needs a reason"):
        attribution_acts.undo(rma=rma, refund_id=refund.external_id, by="fiona", at=LATER, why="")
    attribution_acts.undo(rma=rma, refund_id=refund.external_id, by="fiona", at=LATER, why="Another parcel.")
    refund.refresh_from_db()
    assert (refund.rma, refund.attributed_by, refund.attributed_why) == (None, "fiona", "Another parcel.")
    replan(rma_id=rma.pk, at=LATER)
    refund.refresh_from_db()
    assert refund.rma is None
    with pytest.raises(CaseError, match="no answer from this return"):
        attribution_acts.undo(rma=rma, refund_id=refund.external_id, by="fiona", at=LATER, why="Again.")


def test_nothing_is_open_or_answered_without_an_order(rma: ReturnAuthorisation) -> None:
    rma.order = None
    assert attribution_acts.open_refunds(rma) == []
    assert attribution_acts.answered_refunds(rma) == []


def test_a_deleted_record_is_open_again_for_its_return(rma: ReturnAuthorisation) -> None:
    gone = by_hand(rma, rma=rma, attributed_by="fiona", attributed_at=NOW, vanished_at=LATER)
    by_hand(rma, rma=rma, attributed_by="fiona", attributed_at=LATER, vanished_at=NOW)
    assert [row.pk for row in attribution_acts.open_refunds(rma)] == [gone.pk]


def test_the_box_has_to_be_ticked_and_the_case_be_of_a_return(rma: ReturnAuthorisation) -> None:
    case = make.CaseFactory(rma=rma, kind_code="refunded_outside")
    values: dict[str, Any] = {"explanation": "x", "is_sure": False}
    with pytest.raises(CaseError, match="Tick the box"):
        attribution_acts.apply_explanation(case=case, by="fiona", at=LATER, reason="", data=values)
    case.subject_type = "order"
    with pytest.raises(CaseError, match="not about one return"):
        attribution_acts.words_of_rank(1, case)
