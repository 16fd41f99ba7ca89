"""Saved views show what their names say."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.models import Effect, Refund, ReturnAuthorisation, ReturnLine
from returnsops.selectors import watch
from tests import factories as make

pytestmark = pytest.mark.django_db


def in_view(code: str) -> set[str]:
    return {rma.label for rma in watch.returns_in(code, ReturnAuthorisation.objects.all())}


def test_the_views_of_returns() -> None:
    make.ReturnFactory(number="new")
    make.ReturnFactory(number="moving", in_transit_at=make.NOW)
    make.ReturnFactory(number="in", in_transit_at=make.NOW, received_at=make.NOW)
    make.ReturnFactory(number="judged", received_at=make.NOW, inspected_at=make.NOW)
    make.ReturnFactory(number="closed", received_at=make.NOW, closed_at=make.NOW)
    make.ReturnFactory(number="declined", end_status=states.DECLINED, ended_at=make.NOW)
    assert in_view("open") == {"new", "moving", "in", "judged"}
    assert in_view("on_the_way") == {"moving"}
    assert in_view("inspect") == {"in"}
    assert in_view("done") == {"closed", "declined"}
    assert len(in_view("all")) == len(in_view("anything else")) == 6


def test_returns_with_open_cases_and_with_money_to_come() -> None:
    troubled, waiting, paid = (make.ReturnFactory(number=name) for name in ("troubled", "waiting", "paid"))
    make.CaseFactory(rma=troubled)
    make.EffectFactory(rma=waiting, state=states.UNKNOWN)
    make.EffectFactory(rma=paid, state=states.CONFIRMED)
    make.EffectFactory(rma=paid, restock=True, state=states.HELD)
    assert in_view("problems") == {"troubled"}
    assert in_view("waiting_refund") == {"waiting"}


@pytest.mark.requirement("S5-31")
def test_who_waited_longest_is_inspected_first() -> None:
    for days, number in ((1, "one"), (9, "nine"), (4, "four")):
        line = make.ReturnLineFactory(
            rma__number=number,
            rma__in_transit_at=make.NOW - timedelta(days=days),
            rma__received_at=make.NOW,
            quantity=2,
        )
        assert line.pk
    first, second, third = watch.what_to_inspect_next()
    assert [entry.rma.label for entry in (first, second, third)] == ["nine", "four", "one"]
    assert (first.items, first.why) == ("2 x Blue shirt", "goods are in; customer waits for money")
    assert first.waiting_since == make.NOW - timedelta(days=9)


def waiting(units: int = 2, **changes: Any) -> ReturnLine:
    """A return that is in, with units of one item."""
    return make.ReturnLineFactory(rma__received_at=make.NOW, quantity=units, **changes)


def listed() -> list[tuple[str, str]]:
    return [(entry.items, entry.why) for entry in watch.what_to_inspect_next()]


@pytest.mark.requirement("S5-31")
def test_only_units_left_to_judge_are_listed_and_a_return_without_any_is_not() -> None:
    line = waiting(rma__number="half")
    other = make.ReturnLineFactory(rma=line.rma, name="Coat")
    make.ReturnLineFactory(rma=line.rma, name="Hat", is_withdrawn=True)
    make.InspectionFactory(line=line, source="warehouse", disposition="damaged")
    make.InspectionFactory(line=line, source="warehouse", is_superseded=True)
    make.InspectionFactory(line=line, source="platform", quantity=2)  # the warehouse judged: its word counts
    make.InspectionFactory(line=other, is_final=False)
    assert listed() == [("1 x Blue shirt, 1 x Coat", "goods are in; customer waits for money")]
    make.InspectionFactory(line=line, source="warehouse")
    make.InspectionFactory(line=other, source="wms")
    assert (listed(), watch.to_inspect().count(), in_view("inspect")) == ([], 0, set())


@pytest.mark.requirement("S5-31")
@pytest.mark.parametrize(
    ("confirmation", "expected"),
    [("platform", []), ("either", []), ("warehouse", ["2 x Blue shirt"]), ("both", ["2 x Blue shirt"])],
)
def test_what_only_the_platform_judged_is_left_where_the_policy_wants_the_warehouse(
    confirmation: str, expected: list[str]
) -> None:
    line = waiting()
    line.rma.policy = make.PolicyVersionFactory(document={"restock": {"confirmation": confirmation}})
    line.rma.save()
    make.InspectionFactory(line=line, quantity=2)
    assert [entry.items for entry in watch.what_to_inspect_next()] == expected


def test_goods_of_which_no_item_is_known_yet_are_listed() -> None:
    make.ReturnFactory(received_at=make.NOW)
    assert listed() == [("items not known yet", "goods are in; customer waits for money")]


def test_money_is_named_only_where_the_customer_waits_for_it_or_had_it_in_advance() -> None:
    def told(resolution: str = "refund", mode: str = "on_receipt", *, paid: str = "", by_hand: bool = False) -> str:
        line = waiting(rma__resolution=resolution, rma__mode=mode)
        if paid:
            make.EffectFactory(rma=line.rma, state=paid)
        if by_hand:
            make.RefundFactory(rma=line.rma)
        (entry,) = watch.what_to_inspect_next()
        make.InspectionFactory(line=line, quantity=2)
        return entry.why

    assert told() == "goods are in; customer waits for money"
    assert told(paid=states.HELD) == "goods are in; customer waits for money"
    assert told(paid=states.CONFIRMED) == "goods are in"
    assert told(by_hand=True) == "goods are in"
    assert told("exchange") == "goods are in"
    assert told("exchange", paid=states.REJECTED) == "goods are in; customer waits for money"
    assert told(mode="instant") == "goods are in; customer waits for money"
    assert told(mode="instant", paid=states.CONFIRMED) == "goods are in; money was paid in advance"


def test_refunds_needing_a_person_with_their_sum_per_currency() -> None:
    make.EffectFactory(state=states.AWAITING_APPROVAL, amount=Decimal("10.00"))
    make.EffectFactory(state=states.FAILED, amount=Decimal("2.50"))
    make.EffectFactory(state=states.REJECTED, amount=Decimal(700), currency="JPY")
    make.EffectFactory(state=states.READY, amount=Decimal("99.00"))
    make.EffectFactory(restock=True, state=states.FAILED)
    assert watch.refunds_needing_a_person().count() == 3
    assert watch.refunds_needing_a_person_total() == "£12.50 + JP¥700"
    assert watch.effects_in("stuck", Effect.objects.all()).get().kind == states.RESTOCK


def test_refunds_made_outside_that_nobody_attributed() -> None:
    make.RefundFactory(external_id="question")
    make.RefundFactory(external_id="ours", origin=Refund.OURS)
    make.RefundFactory(external_id="answered", is_unrelated=True, attributed_by="fin", attributed_at=make.NOW)
    make.RefundFactory(external_id="gone", vanished_at=make.NOW)
    make.RefundFactory(external_id="restock", amount=Decimal(0))

    def found(code: str) -> set[str]:
        return {row.external_id for row in watch.refunds_in(code, Refund.objects.all())}

    assert found("question") == {"question"}
    assert found("outside") == {"question", "answered", "gone"}
    assert found("gone") == {"gone"}
    assert found("all") == {"question", "ours", "answered", "gone"}


def test_the_inbox_backlog_and_long_holds() -> None:
    make.InboundEventFactory(state=states.EVENT_RECEIVED)
    make.InboundEventFactory(state=states.EVENT_RECEIVED, next_attempt_at=make.NOW + timedelta(hours=1))
    make.InboundEventFactory(state=states.EVENT_PARKED)
    make.InboundEventFactory()
    make.EffectFactory(state=states.HELD, planned_at=make.NOW - timedelta(days=3))
    make.EffectFactory(state=states.HELD, planned_at=make.NOW)
    make.EffectFactory(state=states.UNKNOWN)
    assert watch.inbox_backlog(now=make.NOW) == 2
    assert watch.long_held(now=make.NOW) == 1
    assert watch.unknown_outcomes() == 1
