"""What must hold for every return: planned again after every send, in any order of facts and sends."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returnsops import money
from returnsops.facts import OrderLineSnapshot, RefundItem, RemoteRefundLine, TaxShare
from returnsops.planning import amounts
from returnsops.planning.model import Plan, PlannedEffect
from returnsops.planning.plan import plan
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import (
    EffectView,
    LineView,
    PayoutView,
    ReturnView,
    ShopRefundView,
    VerdictView,
    WaiverView,
)
from tests.returnsops.planning import views as v

CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3}


# --- one return and its world ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class World:
    """A return with everything that will be heard of it."""

    start: ReturnView
    payouts: tuple[PayoutView, ...]
    verdicts: tuple[VerdictView, ...]
    policy: Policy


@st.composite
def order_lines(draw: st.DrawFn, currency: str) -> tuple[OrderLineSnapshot, ...]:
    count = draw(st.integers(1, 3))
    lines = []
    for number in range(count):
        quantity = draw(st.integers(1, 4))
        net, tax = (money.from_minor(draw(st.integers(low, 5000)), currency=currency) for low in (quantity, 0))
        taxes = (TaxShare(rate_id="1", amount=tax),)
        line = v.order_line(str(number), quantity=quantity, net=net, taxes=taxes, sku="", reduced_stock=quantity)
        lines.append(line)
    return tuple(lines)


@st.composite
def worlds(draw: st.DrawFn, *, initiator: str = "platform_event", has_one_source: bool = False) -> World:
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    bought = draw(order_lines(currency))
    items = tuple(_item(line, draw(st.integers(1, line.quantity))) for line in bought)
    total = sum((amounts.line_gross(line) for line in bought), Decimal(0))
    policy = parse_policy(
        {
            "refund": {
                "initiator": initiator,
                "trigger": draw(st.sampled_from(["authorised", "inspected", "disposition_final"])),
                # A tolerance that lets any amount pass leaves only the guard of what was paid.
                "tolerance": {currency: draw(st.sampled_from(["0", "1000000"]))},
            },
            "restock": {"confirmation": draw(st.sampled_from(["platform", "warehouse", "either", "both"]))},
        }
    )
    start = v.view(
        currency=currency, lines=items, order=v.order(currency=currency, lines=bought, total=total), status="received"
    )
    payouts = draw(_payouts(bought, items, currency)) if initiator == "platform_event" else ()
    return World(start=start, payouts=payouts, verdicts=draw(_verdicts(items, has_one_source)), policy=policy)


def _item(line: OrderLineSnapshot, quantity: int) -> LineView:
    return v.shirt_item(item_id=f"i{line.line_id}", order_line_id=line.line_id, sku="", quantity=quantity)


@st.composite
def _payouts(
    draw: st.DrawFn, bought: tuple[OrderLineSnapshot, ...], items: tuple[LineView, ...], currency: str
) -> tuple[PayoutView, ...]:
    """One payout per returned unit, each with the platform's own rounding, and sometimes one that is wrong."""
    found = []
    for line, item in zip(bought, items, strict=True):
        for unit in range(item.quantity):
            worth = amounts.span(line, count=1, currency=currency)[draw(st.integers(0, 1))]
            worth += money.quantum(currency) * draw(st.sampled_from([0, 0, 0, 1, 2000]))
            if worth <= 0:
                continue
            found.append(
                PayoutView(
                    refund_id=f"{item.item_id}-{unit}",
                    amount=worth,
                    currency=currency,
                    executed_by=draw(st.sampled_from(["commerce_platform", "returns_platform", "merchant", ""])),
                    issued_at=v.NOW - timedelta(minutes=draw(st.integers(0, 60))),
                    items=(RefundItem(item_id=item.item_id, amount=worth, quantity=1),),
                )
            )
    return tuple(found)


@st.composite
def _verdicts(draw: st.DrawFn, items: tuple[LineView, ...], has_one_source: bool) -> tuple[VerdictView, ...]:
    found = []
    possible = [("platform",), ("warehouse",), *([] if has_one_source else [("platform", "warehouse")])]
    for item in items:
        for source in draw(st.sampled_from(possible)):
            for _ in range(item.quantity):
                disposition = draw(st.sampled_from(["sellable", "sellable", "damaged", "quarantine"]))
                is_final = draw(st.booleans())
                found.append(v.verdict(item.item_id, source=source, disposition=disposition, is_final=is_final))
    return tuple(found)


# --- playing it ------------------------------------------------------------------------------------------------------


def sent(view: ReturnView, one: PlannedEffect, *, is_seen: bool) -> ReturnView:
    """The view after an effect was done; the order may not have been read again yet."""
    lines = tuple(_refund_line(line) for line in one.payload.get("lines", ()))
    row = EffectView(
        key=one.key,
        kind=one.kind,
        state="done",
        origin="plan",
        item_id=one.item_id,
        quantity=one.quantity,
        amount=one.amount,
        currency=one.currency,
        lines=lines,
        covered=Decimal(one.payload.get("covered", "0")),
    )
    view = replace(view, effects=(*(old for old in view.effects if old.key != one.key), row))
    if one.kind != "refund" or not is_seen:
        return view
    shown = ShopRefundView(
        refund_id=one.key,
        amount=one.amount or Decimal(0),
        currency=one.currency,
        refunded_at=v.NOW,
        attribution="ours",
        lines=lines,
        key=one.key,
    )
    return replace(view, shop_refunds=(*view.shop_refunds, shown))


def _refund_line(line: dict[str, Any]) -> RemoteRefundLine:
    return RemoteRefundLine(
        line_id=line["line_id"],
        quantity=line["quantity"],
        net=Decimal(line["net"]),
        taxes=tuple(TaxShare(rate_id=tax["rate_id"], amount=Decimal(tax["amount"])) for tax in line["taxes"]),
    )


def ready(made: Plan, kinds: Iterable[str] = ("refund", "restock")) -> list[PlannedEffect]:
    return [one for one in made.effects if one.kind in kinds and not one.holds]


def play(data: st.DataObject, world: World) -> ReturnView:
    """Facts arrive in any order, ready effects go in any order in between, until nothing more can move."""
    every: list[PayoutView | VerdictView] = [*world.payouts, *world.verdicts]
    facts = data.draw(st.permutations(every))
    view = world.start
    for fact in facts:
        view = heard(view, fact)
        while data.draw(st.booleans()) and (going := ready(plan(view, world.policy, v.NOW))):
            view = sent(view, data.draw(st.sampled_from(going)), is_seen=data.draw(st.booleans()))
            assert_within_paid(view)
    while going := ready(plan(view, world.policy, v.NOW)):
        view = sent(view, data.draw(st.sampled_from(going)), is_seen=data.draw(st.booleans()))
        assert_within_paid(view)
    return view


def heard(view: ReturnView, fact: PayoutView | VerdictView) -> ReturnView:
    if isinstance(fact, PayoutView):
        return replace(view, payouts=(*view.payouts, fact))
    return replace(view, verdicts=(*view.verdicts, fact))


def everything(world: World) -> ReturnView:
    return replace(world.start, payouts=world.payouts, verdicts=world.verdicts)


def refunded(view: ReturnView) -> Decimal:
    return sum((one.amount or Decimal(0) for one in view.effects if one.kind == "refund"), Decimal(0))


def assert_within_paid(view: ReturnView) -> None:
    assert view.order is not None
    assert refunded(view) <= view.order.total


def restocked(view: ReturnView) -> dict[str, int]:
    units: dict[str, int] = {}
    for one in view.effects:
        if one.kind == "restock":
            units[one.item_id] = units.get(one.item_id, 0) + (one.quantity or 0)
    return units


# --- properties ------------------------------------------------------------------------------------------------------


@given(world=worlds(), data=st.data())
def test_refunds_never_pass_what_was_paid(world: World, data: st.DataObject) -> None:
    view = play(data, world)
    assert_within_paid(view)
    keys = [one.key for one in view.effects]
    assert len(keys) == len(set(keys))


@given(world=worlds(initiator="policy_trigger", has_one_source=True), data=st.data())
def test_units_paid_by_the_policy_end_the_same_in_any_order(world: World, data: st.DataObject) -> None:
    view = play(data, world)
    at_once = everything(world)
    while going := ready(plan(at_once, world.policy, v.NOW)):
        at_once = sent(at_once, going[0], is_seen=True)
    assert per_line(at_once) == per_line(view)
    assert restocked(at_once) == restocked(view)
    assert view.order is not None
    for line in view.order.lines:
        units, amount = per_line(view).get(line.line_id, (0, Decimal(0)))
        if units == line.quantity:
            assert amount == amounts.line_gross(line)


def per_line(view: ReturnView) -> dict[str, tuple[int, Decimal]]:
    found: dict[str, tuple[int, Decimal]] = {}
    for one in view.effects:
        for line in one.lines if one.kind == "refund" else ():
            units, amount = found.get(line.line_id, (0, Decimal(0)))
            found[line.line_id] = (units + line.quantity, amount + amounts.gross([line]))
    return found


@pytest.mark.requirement("S1-25")
@pytest.mark.requirement("S1-34")
@given(world=worlds(), data=st.data())
def test_restocked_is_exactly_sellable(world: World, data: st.DataObject) -> None:
    """Only what was sent on one judge's word, before the other denied it, may be more: that is a case by then."""
    view = play(data, world)
    back, made = restocked(view), plan(view, world.policy, v.NOW)
    contradicted = {case.evidence["item"] for case in made.cases if case.kind == "restock_contradicted"}
    for item in view.lines:
        theirs, ours = (sellable(view, item, source) for source in ("platform", "warehouse"))
        there, expected = back.get(item.item_id, 0), agreed(view, item, world.policy.restock.confirmation)
        assert there == expected or (expected < there <= theirs and item.item_id in contradicted)
        assert there <= item.quantity
        assert there <= max(theirs, ours)


@given(world=worlds())
def test_units_two_judges_disagree_on_stay_out_of_stock(world: World) -> None:
    """What may go at once, once all was said: never a unit that our warehouse refused, whoever confirms."""
    view = everything(world)
    made = plan(view, world.policy, v.NOW)
    for item in view.lines:
        planned = [one for one in made.effects if one.kind == "restock" and one.item_id == item.item_id]
        goes = sum(one.quantity or 0 for one in planned if not one.holds)
        assert goes == agreed(view, item, world.policy.restock.confirmation)
        assert goes <= item.quantity - not_sellable(view, item, "warehouse", only_final=True)
        cases = [case for case in made.cases if case.fingerprint == f"verdicts_differ:{view.ref}:{item.item_id}"]
        held = [one for one in planned if [hold.code for hold in one.holds] == ["verdicts_differ"]]
        assert [case.evidence["units"] for case in cases] == [one.quantity for one in held]


@given(world=worlds(), data=st.data())
def test_after_an_accepted_dispute_no_unit_goes_by_itself(world: World, data: st.DataObject) -> None:
    """Accepted at any moment, in any order of facts: what is planned later waits until somebody counts again."""
    view = replace(play(data, world), waivers=(WaiverView(hold_code="verdicts_differ"),))
    planned = [one for one in plan(view, world.policy, v.NOW).effects if one.kind == "restock"]
    assert all("verdicts_differ" in [hold.code for hold in one.holds] for one in planned)


def agreed(view: ReturnView, item: LineView, confirmation: str) -> int:
    """Units that are to be in stock, from the verdicts of both judges."""
    theirs, ours = (sellable(view, item, source) for source in ("platform", "warehouse"))
    doubted = not_sellable(view, item, "platform", only_final=False)
    refused, doubted_here = (not_sellable(view, item, "warehouse", only_final=final) for final in (True, False))
    return {
        "platform": min(theirs, max(ours, theirs - max(0, refused - doubted))),
        "warehouse": ours,
        "either": max(ours, theirs - max(0, doubted_here - doubted)),
        "both": min(theirs, ours),
    }[confirmation]


def not_sellable(view: ReturnView, item: LineView, source: str, *, only_final: bool) -> int:
    judged = [one for one in view.verdicts if (one.item_id, one.source) == (item.item_id, source)]
    units = sum(one.quantity for one in judged if one.is_final or not only_final)
    return units - sellable(view, item, source)


def sellable(view: ReturnView, item: LineView, source: str) -> int:
    return sum(
        verdict.quantity
        for verdict in view.verdicts
        if (verdict.item_id, verdict.source, verdict.disposition, verdict.is_final)
        == (item.item_id, source, "sellable", True)
    )


@given(world=worlds(), data=st.data())
def test_the_plan_is_the_same_for_any_order_of_facts(world: World, data: st.DataObject) -> None:
    whole = everything(world)
    shuffled = replace(
        whole,
        payouts=tuple(data.draw(st.permutations(whole.payouts))),
        verdicts=tuple(data.draw(st.permutations(whole.verdicts))),
        lines=tuple(data.draw(st.permutations(whole.lines))),
    )
    first, second = plan(whole, world.policy, v.NOW), plan(shuffled, world.policy, v.NOW)
    assert money_and_stock(first) == money_and_stock(second)
    assert [case.fingerprint for case in first.cases] == [case.fingerprint for case in second.cases]
    assert plan(whole, world.policy, v.NOW) == first


def money_and_stock(made: Plan) -> list[PlannedEffect]:
    return [one for one in made.effects if one.kind in ("refund", "restock")]


@given(world=worlds())
def test_holds_always_carry_words_and_amounts_are_exact(world: World) -> None:
    made = plan(everything(world), world.policy, v.NOW)
    for one in made.effects:
        assert all(hold.code and len(hold.text) > 10 for hold in one.holds)
        if one.kind == "refund" and one.payload["lines"]:
            lines = [_refund_line(line) for line in one.payload["lines"]]
            assert amounts.gross(lines) == one.amount == Decimal(one.payload["amount"])
            assert money.is_exact(one.amount, currency=one.currency)
    assert all(case.cause for case in made.cases)
    assert not [case for case in made.cases if case.kind == "planning_failed"]


@given(
    currency=st.sampled_from(sorted(CURRENCIES)),
    total=st.integers(-(10**9), 10**9),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any),
)
def test_allocation_loses_no_minor_unit(currency: str, total: int, weights: list[int]) -> None:
    whole = money.from_minor(total, currency=currency)
    parts = money.allocate(whole, weights=[Decimal(weight) for weight in weights], currency=currency)
    assert sum(parts, Decimal(0)) == whole
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)
    exact = [Decimal(total) * weight / sum(weights) for weight in weights]
    off = [abs(money.to_minor(part, currency=currency) - share) for part, share in zip(parts, exact, strict=True)]
    assert max(off) < 1


@given(
    currency=st.sampled_from(sorted(CURRENCIES)),
    total=st.integers(0, 10**7),
    cuts=st.lists(st.integers(1, 5), min_size=1, max_size=8),
)
def test_units_cut_in_any_way_sum_to_the_line(currency: str, total: int, cuts: list[int]) -> None:
    line = v.order_line(quantity=sum(cuts), net=money.from_minor(total, currency=currency), taxes=())
    taken: list[RemoteRefundLine] = []
    for count in cuts:
        taken.append(amounts.unit_share(line, count=count, taken=taken, currency=currency))
    assert amounts.gross(taken) == line.net
