"""What people pay for a return themselves and its own refunds never come to more than either alone would."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from returnsops import money, states
from returnsops.planning.model import PlannedEffect
from returnsops.planning.plan import plan
from returnsops.planning.view import EffectView, PayoutView, ReturnView, VerdictView
from tests.properties.test_planning import World, everything, heard, ready, sent, worlds
from tests.returnsops.planning import views as v

KEY = "refund:manual:woo:500:form-1"
UNDECIDED = (states.AWAITING_APPROVAL, states.READY, states.REJECTED)


def _with(view: ReturnView, amount: Decimal, state: str) -> ReturnView:
    """The proposal in a state; a refused one counts no more."""
    row = EffectView(
        key=KEY,
        kind=states.REFUND,
        state=state,
        origin=states.ORIGIN_PERSON,
        amount=amount,
        currency=view.currency,
        ground="lost parcel",
    )
    return replace(view, effects=(*(one for one in view.effects if one.key != KEY), row))


def _refunds(view: ReturnView, world: World) -> list[PlannedEffect]:
    return ready(plan(view, world.policy, v.NOW), ("refund",))


def _sent(view: ReturnView) -> Decimal:
    return sum((one.amount or Decimal(0) for one in view.effects if one.key != KEY), Decimal(0))


def _claimed(view: ReturnView, world: World) -> Decimal:
    """All money that the return would ask for by itself, held or not."""
    made = plan(view, world.policy, v.NOW)
    return sum((one.amount or Decimal(0) for one in made.effects if one.kind == "refund"), Decimal(0))


def _finished(view: ReturnView, world: World, data: st.DataObject) -> ReturnView:
    while going := _refunds(view, world):
        view = sent(view, data.draw(st.sampled_from(going)), is_seen=data.draw(st.booleans()))
    return view


@pytest.mark.requirement("S1-23")
@given(
    world=st.one_of(worlds(), worlds(initiator="policy_trigger", has_one_source=True)),
    is_refused=st.booleans(),
    data=st.data(),
)
def test_a_proposal_and_the_returns_own_refunds_pay_once(world: World, is_refused: bool, data: st.DataObject) -> None:
    assert world.start.order is not None
    currency = world.start.currency
    most = money.to_minor(world.start.order.total, currency=currency)
    amount = money.from_minor(data.draw(st.integers(1, most)), currency=currency)
    view = _with(world.start, amount, data.draw(st.sampled_from(UNDECIDED)))
    every: list[PayoutView | VerdictView] = [*world.payouts, *world.verdicts]
    facts = data.draw(st.permutations(every))
    decided_after = data.draw(st.integers(0, len(facts)))
    for fact in facts[:decided_after]:
        view = heard(view, fact)
        assert _refunds(view, world) == []  # nothing of this return goes before people have decided
    view = _with(view, amount, states.EFFECT_CANCELLED if is_refused else states.CONFIRMED)
    for fact in facts[decided_after:]:
        view = heard(view, fact)
        if data.draw(st.booleans()):
            view = _finished(view, world, data)
    view = _finished(view, world, data)

    claimed = _claimed(everything(world), world)
    if is_refused:
        assert _sent(view) <= claimed
    else:
        assert _sent(view) + amount <= max(amount, claimed)
        assert _sent(view) + amount <= world.start.order.total


@pytest.mark.requirement("S1-23")
@given(world=worlds(initiator="policy_trigger", has_one_source=True), data=st.data())
def test_money_that_equals_what_may_still_be_refused_is_never_paid_beside_it(world: World, data: st.DataObject) -> None:
    """Whatever is judged first, and whatever goes in between: nothing above what is due in the end."""
    assume(world.policy.refund.trigger != "authorised")  # there money goes before anything is judged
    asked = [one.amount for one in plan(world.start, world.policy, v.NOW).effects if one.kind == "refund"]
    amount = data.draw(st.sampled_from([one for one in asked if one] or [Decimal(1)]))
    outcomes = st.sampled_from(["accepted", "rejected"])
    verdicts = [replace(one, outcome=data.draw(outcomes)) for one in world.verdicts]
    view = _with(world.start, amount, states.CONFIRMED)
    for fact in data.draw(st.permutations(verdicts)):
        view = heard(view, fact)
        if data.draw(st.booleans()):
            view = _finished(view, world, data)
    view = _finished(view, world, data)
    due = _claimed(replace(world.start, verdicts=tuple(verdicts)), world)
    assert _sent(view) + amount <= max(amount, due)
