"""Refunds that people propose: what they may be, what is left for them, and what has to wait for them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.models import Effect, ReturnAuthorisation
from returnsops.services import approvals, proposals
from returnsops.services.effect_rows import EffectError
from tests.factories import NOW, EffectFactory, ReturnFactory, UserFactory

pytestmark = pytest.mark.django_db


def propose(rma: ReturnAuthorisation, amount: str = "10.00", **changes: Any) -> Effect:
    assert rma.order is not None
    values: dict[str, Any] = {
        "order": rma.order,
        "rma": rma,
        "request_id": "form-1",
        "amount": Decimal(amount),
        "reason": "Return 1: lost parcel",
        "ground": "lost parcel",
        "why": "It never came.",
        "by": UserFactory(),
        "at": NOW,
    }
    return proposals.propose_manual(**(values | changes))


def refund(rma: ReturnAuthorisation, state: str, **fields: Any) -> Effect:
    effect: Effect = EffectFactory(rma=rma, order=rma.order, state=state, **fields)
    return effect


def test_a_form_sent_twice_is_one_proposal_that_says_what_for_and_has_its_return_planned() -> None:
    rma = ReturnFactory(is_dirty=False)
    first = propose(rma)
    assert propose(rma, "11.00").pk == first.pk
    assert (first.amount, first.payload["ground"]) == (Decimal("10.00"), "lost parcel")
    rma.refresh_from_db()
    assert rma.is_dirty


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": Decimal("-1.00")}, "Give a positive amount"),
        ({"amount": Decimal("1.001")}, "without more digits"),
        ({"amount": Decimal("9999.00")}, "of this order is left to refund"),
        ({"executed_by": "nobody"}, "Say who pays"),
        ({"executed_by": "merchant", "reference": "SEPA-1"}, "give its reference and the date"),
        ({"executed_by": "merchant", "paid_on": date(2026, 5, 1)}, "give its reference and the date"),
        ({"why": " "}, "Give a reason"),
    ],
)
def test_what_cannot_be_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(EffectError, match=words):
        propose(ReturnFactory(), **changes)
    assert not Effect.objects.exists()


def test_what_waits_for_it_takes_nothing_of_the_order_from_it() -> None:
    rma = ReturnFactory()
    assert rma.order is not None
    total = rma.order.total
    refund(rma, states.HELD, amount=total, currency=rma.order.currency)
    with pytest.raises(EffectError, match=r"Only .0\.00 of this order"):
        propose(rma, str(total), ground=states.GROUND_GOODWILL)
    proposal = propose(rma, str(total))
    assert proposals.remaining_for(proposal) == total
    proposal.payload["ground"] = states.GROUND_GOODWILL
    assert proposals.remaining_for(proposal) == 0
    assert proposals.remaining_of(rma.order, served=rma) == 0  # the proposal itself is counted


@pytest.mark.parametrize(
    ("payload", "ground"),
    [
        ({"ground": "other"}, "other"),
        ({"reason": "Return 1: goodwill"}, "goodwill"),
        ({"reason": "Return 1: goodwill (SEPA 7 of 2026-05-01)"}, "goodwill"),
        ({"reason": "Return 1: lost parcel"}, ""),
        ({}, ""),
    ],
)
def test_the_ground_of_older_proposals_is_read_from_their_text(payload: dict[str, str], ground: str) -> None:
    assert proposals.ground_of(Effect(payload=payload)) == ground


@pytest.mark.parametrize("state", sorted(states.IN_FLIGHT))
def test_nothing_is_approved_while_the_returns_own_refund_may_be_going(state: str) -> None:
    rma = ReturnFactory()
    own = refund(rma, state, amount=Decimal("5.00"))
    proposal = propose(rma)
    with pytest.raises(EffectError, match="is being sent right now"):
        approvals.approve(effect_id=proposal.pk, by=UserFactory(), at=NOW, revision=1)
    goodwill = propose(rma, ground=states.GROUND_GOODWILL, request_id="form-2")
    approvals.approve(effect_id=goodwill.pk, by=UserFactory(), at=NOW, revision=1)
    Effect.objects.filter(pk=own.pk).update(state=states.DONE, remote_id="901", done_at=NOW)
    approvals.approve(effect_id=proposal.pk, by=UserFactory(), at=NOW, revision=1)
    proposal.refresh_from_db()
    assert proposal.state == states.READY


@pytest.mark.parametrize("kind", [states.STORE_CREDIT, states.EXCHANGE])
def test_nothing_is_approved_while_credit_or_goods_may_be_going(kind: str) -> None:
    rma = ReturnFactory()
    refund(rma, states.UNKNOWN, kind=kind, amount=Decimal("5.00"))
    proposal = propose(rma)
    with pytest.raises(EffectError, match="credit or replacement of this return is being sent right now"):
        approvals.approve(effect_id=proposal.pk, by=UserFactory(), at=NOW, revision=1)


def _refuse(effect: Effect) -> None:
    approvals.reject_approval(effect_id=effect.pk, by=UserFactory(), at=NOW, why="no")


def _cancel(effect: Effect) -> None:
    approvals.cancel(effect_id=effect.pk, by="ops", at=NOW, why="no")


@pytest.mark.parametrize("act", [_refuse, _cancel])
def test_what_waited_for_it_is_planned_again_when_it_is_given_up(act: Any) -> None:
    rma = ReturnFactory()
    proposal = propose(rma)
    ReturnAuthorisation.objects.update(is_dirty=False)
    act(proposal)
    rma.refresh_from_db()
    assert rma.is_dirty


def test_a_refund_tried_again_is_planned_first() -> None:
    rma = ReturnFactory(is_dirty=False)
    own = refund(rma, states.REJECTED)
    note = refund(rma, states.REJECTED, kind=states.NOTE)
    approvals.requeue(effect_id=note.pk, by="ops", at=NOW, why="again")
    rma.refresh_from_db()
    assert not rma.is_dirty
    approvals.requeue(effect_id=own.pk, by="ops", at=NOW, why="again")
    rma.refresh_from_db()
    assert rma.is_dirty
