"""Pulled returns: what is new in them, and that push and pull tell one story."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.returns_contract.snapshots import pull_id
from connectors.simulators.base import SimulatedClock
from connectors.simulators.reveni import ReveniPlatform
from returnsops import facts
from tests.connectors.reveni.documents import EXAMPLES, normalised

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
Act = Callable[[ReveniPlatform, str], object]

STORY: Sequence[Act] = (
    lambda p, r: p.authorise(r),
    lambda p, r: p.label(r),
    lambda p, r: p.in_transit(r),
    lambda p, r: p.delivered(r),
    lambda p, r: p.receive(r),
    lambda p, r: p.inspect(r, [{"item_id": "rit_1", "quantity": 1}]),
    lambda p, r: p.inspect(r, [{"item_id": "rit_1", "quantity": 1, "disposition": "damaged"}]),
    lambda p, r: p.complete_inspection(r),
    lambda p, r: p.issue_refund(r, amount="20.00", items=[{"item_id": "rit_1", "amount": "20.00", "quantity": 2}]),
    lambda p, r: p.request_exchange(r, lines=[{"sku": "MUG-BLUE", "quantity": 1}]),
    lambda p, r: p.issue_credit(r, amount="5.00"),
    lambda p, r: p.issue_credit(r, amount="6.00", is_gift_card=True),
    lambda p, r: p.charge(r, amount="3.00"),
    lambda p, r: p.close(r),
)


def play() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was pushed, and the whole return after each act."""
    clock = SimulatedClock(START)
    platform = ReveniPlatform(clock=clock)
    return_id = platform.create_return(
        order_id="77", items=[{"sku": "TEE", "quantity": 2}, {"sku": "MUG"}], mode="instant", resolution="mixed"
    )
    states = [platform.whole_returns()[0]]
    for act in STORY:
        clock.advance(60)
        act(platform, return_id)
        states.append(platform.whole_returns()[0])
    return reparsed(platform.told), reparsed(states)


def reparsed(documents: list[Any]) -> list[Any]:
    return list(json.loads(json.dumps(documents), parse_float=Decimal))


PUSHED, PULLED = play()


@cache
def pulled_at(index: int, before: int | None = None) -> tuple[facts.Fact, ...]:
    """The facts of one of the story's pulls, after another or none."""
    return pulled_facts(PULLED[index], None if before is None else PULLED[before])


@cache
def pushed_at(index: int) -> tuple[facts.Fact, ...]:
    """The facts of one of the story's pushes."""
    return normalised(PUSHED[index]).facts


def pulled_facts(document: Any, previous: Any = None) -> tuple[facts.Fact, ...]:
    result = normalised(document, topic="pull.return", previous=previous)
    assert result.problems == ()
    return result.facts


def business(found: Sequence[facts.Fact]) -> set[Any]:
    """Facts by what they are about: money, credits, exchanges, charges, and who heard of them when left out."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    kinds = (facts.RefundIssued, facts.CreditIssued, facts.ExchangeRequested, facts.RiskCharge)
    return {replace(fact, occurred_at=moment, revision=0) for fact in found if isinstance(fact, kinds)}


def units_in_force(found: Sequence[facts.Fact]) -> dict[tuple[str, str], int]:
    """Units per item and disposition, as the back office counts: the newest absolute verdict, else the deltas."""
    completed = [fact for fact in found if isinstance(fact, facts.InspectionCompleted)]
    deltas = {
        (fact.revision, item.item_id, item.disposition, item.inspected_at): item
        for fact in found
        if isinstance(fact, facts.ItemsInspected)
        for item in fact.items
    }
    items = max(completed, key=lambda fact: fact.revision).items if completed else tuple(deltas.values())
    totals: dict[tuple[str, str], int] = {}
    for item in items:
        totals[item.item_id, item.disposition] = totals.get((item.item_id, item.disposition), 0) + item.quantity
    return totals


def test_one_pull_at_the_end_tells_what_all_pushes_told() -> None:
    pushed = [fact for event in PUSHED for fact in normalised(event).facts]

    assert business(pulled_facts(PULLED[-1])) == business(pushed)
    assert units_in_force(pulled_facts(PULLED[-1])) == units_in_force(pushed)
    assert units_in_force(pushed) == {("rit_1", "sellable"): 1, ("rit_1", "damaged"): 1}


@given(st.permutations(range(len(PULLED))), st.booleans())
def test_the_order_of_pulls_does_not_matter(order: list[int], has_history: bool) -> None:
    found: list[facts.Fact] = []
    for before, index in zip([None, *order], order, strict=False):
        found += pulled_at(index, before if has_history else None)

    assert business(found) == business(pulled_at(len(PULLED) - 1))
    assert units_in_force(found) == units_in_force(pulled_at(len(PULLED) - 1))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, len(PUSHED) - 1)), max_size=12))
def test_partial_verdicts_count_once_whether_pushed_or_pulled(heard: list[tuple[bool, int]]) -> None:
    before_end = [(is_push, index) for is_push, index in heard if index <= 7]
    found: list[facts.Fact] = []
    for is_push, index in before_end:
        found += pushed_at(index) if is_push else pulled_at(index)

    assert set(units_in_force(found).values()) <= {1}


def test_the_same_snapshot_again_tells_only_itself() -> None:
    for document in PULLED:
        (seen,) = pulled_facts(document, document)
        assert isinstance(seen, facts.ReturnSeen)


def comparable(found: Sequence[facts.Fact]) -> list[facts.Fact]:
    """Without what a pull cannot know: when exactly the last verdict was declared the last, which scan a parcel had."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        replace(fact, occurred_at=moment) if isinstance(fact, facts.InspectionCompleted) else fact
        for fact in found[1:]
        if not isinstance(fact, facts.ParcelLabelled)
    ]


def test_each_pull_tells_what_its_push_told() -> None:
    for event, before, after in zip(PUSHED[1:], PULLED, PULLED[1:], strict=False):
        assert comparable(pulled_facts(after, before)) == comparable(normalised(event).facts), event["type"]


def test_a_pushed_event_is_a_previous_too() -> None:
    assert [type(fact) for fact in pulled_facts(PULLED[1], PUSHED[1])] == [facts.ReturnSeen]


def test_a_status_of_hold_without_its_risk_still_freezes() -> None:
    held = {**PULLED[1], "status": "on_hold", "revision": 3}
    after = {**PULLED[1], "revision": 4}

    placed = pulled_facts(held, PULLED[1])[1]
    released = pulled_facts(after, held)[1]
    assert isinstance(placed, facts.RiskHoldPlaced)
    assert isinstance(released, facts.RiskHoldReleased)
    assert placed.risk_id == released.risk_id == "hold:ret_1001"


@pytest.mark.parametrize("status", ["declined", "cancelled"])
def test_an_end_without_reason_says_so(status: str) -> None:
    ended = pulled_facts({**PULLED[1], "status": status})[1]

    assert isinstance(ended, facts.ReturnDeclined | facts.ReturnCancelled)
    assert ended.reason_code == "not_given"


def test_several_parcels_do_not_all_arrive_with_the_return() -> None:
    parcels = [{"id": "a"}, {"id": "b"}]
    found = pulled_facts({**PULLED[5], "shipments": parcels})

    assert [type(fact).__name__ for fact in found] == ["ReturnSeen", "ParcelLabelled", "ParcelLabelled"]


def test_a_verdict_without_its_revision_waits_for_the_end() -> None:
    verdicts = [{name: value for name, value in row.items() if name != "revision"} for row in PULLED[6]["inspections"]]
    found = pulled_facts({**PULLED[6], "inspections": verdicts}, PULLED[5])

    assert [type(fact).__name__ for fact in found] == ["ReturnSeen"]


def test_one_unusable_entry_does_not_hide_the_others() -> None:
    good = PULLED[-1]["refunds"][0]
    result = normalised({**PULLED[-1], "refunds": [{**good, "id": "bad", "amount": "-1"}, good]}, topic="pull.return")

    assert [fact.refund_id for fact in result.facts if isinstance(fact, facts.RefundIssued)] == [good["id"]]
    assert len(result.problems) == 1
    assert "-1 is negative" in result.problems[0].text


def test_a_failed_refund_is_told_with_the_refund() -> None:
    failed = EXAMPLES["refund.failed"]["data"]["refund"]
    found = pulled_facts({**PULLED[-1], "refunds": [failed]}, PULLED[-1])

    assert [type(fact).__name__ for fact in found] == ["ReturnSeen", "RefundIssued", "RefundFailed"]


def test_a_pull_is_named_by_its_revision_or_its_content() -> None:
    assert pull_id(PULLED[3]) == "pull:ret_1001:4"
    unnumbered = {**PULLED[3], "revision": None}
    assert pull_id(unnumbered).startswith("pull:ret_1001:")
    assert pull_id(unnumbered) != pull_id({**unnumbered, "status": "closed"})


@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "status", "revision", "shipments", "inspections", "refunds", "risks", "items", "reason"]
        ),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=4),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
        ),
    )
)
def test_no_pulled_content_raises(changes: dict[str, Any]) -> None:
    result = normalised({**PULLED[-1], **changes}, topic="pull.return")

    assert result.facts or result.problems


@pytest.mark.parametrize(
    ("status", "risk", "kind"),
    [
        ("on_hold", {"id": "r", "kind": "fraud_review"}, facts.RiskHoldPlaced),
        ("received", {"id": "r", "kind": "fraud_review"}, facts.RiskHoldReleased),
        ("received", {"id": "r", "kind": "fraud_review", "stage": "hold_placed"}, facts.RiskHoldPlaced),
        ("expired", {"id": "r", "kind": "not_returned"}, facts.RiskCharge),
    ],
)
def test_a_risk_without_its_stage_is_read_by_kind_and_status(status: str, risk: dict[str, str], kind: type) -> None:
    found = pulled_facts({**PULLED[5], "status": status, "risks": [risk]}, {**PULLED[5], "status": status})

    assert [type(fact) for fact in found] == [facts.ReturnSeen, kind]
