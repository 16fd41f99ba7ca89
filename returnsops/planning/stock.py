"""Restocks: exactly the units said to be sellable for good, on the word the policy wants (S1-25, S4-14). Pure."""

from collections.abc import Sequence
from datetime import datetime

from returnsops import states
from returnsops.facts import OrderLineSnapshot

from . import asides, by_hand, items, order_money, sellable, verdicts
from .holds import (
    EVERY_UNIT,
    IF_ACCEPTED,
    WAITS_FOR_CONFIRMATION,
    Finding,
    accepted_before,
    case_of,
    cases_of,
    holds_of,
    is_accepted,
    problem,
    seen_to,
    unreleased,
    waiting,
)
from .model import Part, PlannedCase, PlannedEffect
from .policy import PLACED, Policy
from .view import LineView, ReturnView


def plan_stock(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """The restocks still to be made per item, and the cases of goods that are missing or have no place."""
    if not view.commerce:
        return Part()
    effects: list[PlannedEffect] = []
    cases: list[PlannedCase] = []
    for line in sorted(view.lines, key=lambda line: line.item_id):
        planned, found = _of_item(view, policy, line, tuple(effects))
        effects.extend(planned)
        cases.extend((*cases_of(found), *_missing(view, line), *_unplaced(view, line), *_excess(view, policy, line)))
    return Part(effects=tuple(effects), cases=tuple(cases))


def _of_item(
    view: ReturnView, policy: Policy, line: LineView, before: tuple[PlannedEffect, ...]
) -> tuple[list[PlannedEffect], tuple[Finding, ...]]:
    units = sellable.units(view, policy, line)
    there = by_hand.units(view, line)
    by_people = _placed_by_people(view, line) + (0 if _is_unclear_whose(view, line, there) else there)
    committed = order_money.put_back(view, line.item_id) + by_people
    steps = _steps(view, line, units, committed)
    found = (*items.findings(view, policy, line), *_of_goods(view, line)) if steps else ()
    if steps and _is_unclear_whose(view, line, there):
        found = (*found, _whose(view, line, there, count=sum(count for _, count, _ in steps)))
    effects: list[PlannedEffect] = []
    for target, count, own in steps:
        possible = _impossible(view, line, count, (*before, *effects))
        in_the_way = asides.in_the_way(view, line, count)
        key = _key(view, line, target, effects)
        effects.append(_effect(view, line, key, count, (*found, *possible, *own, *in_the_way)))
        found = (*found, *possible)
    return effects, (*found, *(one for _, _, own in steps for one in own))


def _steps(
    view: ReturnView, line: LineView, units: sellable.Units, committed: int
) -> list[tuple[int, int, tuple[Finding, ...]]]:
    """Units still to go: those that may, those that wait for a word, those that two judges disagree on.

    Each as the units that are in stock with them, how many they are themselves, and what holds only them.
    """
    waits = (waiting(WAITS_FOR_CONFIRMATION, units.waits),) if units.waits else ()
    levels: tuple[tuple[int, tuple[Finding, ...]], ...] = (
        (units.target, ()),
        (units.target + units.waiting, waits),
        (units.possible, _disputed(view, line, units)),
    )
    if _was_seen_to(view, line):
        levels = ((units.possible, (_count_first(view, line, units.possible - committed),)),)
    steps = []
    reached = committed
    for level, own in levels:
        if level > reached:
            steps.append((level, level - reached, own))
            reached = level
    return steps


def _key(view: ReturnView, line: LineView, target: int, before: Sequence[PlannedEffect]) -> str:
    """Keys count every unit ever put back, so that one taken out and found sellable after all has a key of its own."""
    ever = target + order_money.taken_out(view, line.item_id)
    return items.free_key(view, states.RESTOCK, line.item_id, ever, taken=[effect.key for effect in before])


def _effect(view: ReturnView, line: LineView, key: str, count: int, found: tuple[Finding, ...]) -> PlannedEffect:
    bought = items.order_line(view, line)
    return PlannedEffect(
        kind=states.RESTOCK,
        key=key,
        target="commerce",
        payload={
            "line_id": line.order_line_id,
            "quantity": count,
            "disposition": states.SELLABLE,
            "location": view.locations.get(states.SELLABLE, ""),
            "product_id": bought.product_id if bought else "",
            "variation_id": bought.variation_id if bought else "",
            "rma_number": view.number,
        },
        serial_key=f"order:{view.order_id}",
        item_id=line.item_id,
        quantity=count,
        holds=holds_of(unreleased(view, found, key)),
    )


# --- what stands in the way ----------------------------------------------------------------------------------------


def _disputed(view: ReturnView, line: LineView, units: sellable.Units) -> tuple[Finding, ...]:
    """Units one judge calls sellable and the other does not; damaged goods must not be sold by accident."""
    if not units.disputed:
        return ()
    return (
        problem(
            view,
            states.CASE_VERDICTS_DIFFER,
            f"{units.disputed} x {items.label(line)}: sellable by "
            f"{units.said_by}, and not by {units.denied_by}. They stay out of stock: look at the goods and count them "
            "again, which is the last word.",
            subject=line.item_id,
            evidence={
                "item": line.item_id,
                "units": units.disputed,
                "sellable_by": units.said_by,
                "not_sellable_by": units.denied_by,
            },
        ),
    )


def _was_seen_to(view: ReturnView, line: LineView) -> bool:
    """Whether a person accepted a dispute of the item, as its case once allowed, and nobody counted it again since.

    The acceptance did not say which units were seen to, so that none of them goes by itself if the judges agree later.
    """
    is_counted = verdicts.is_recounted(view, line.item_id)
    return not is_counted and is_accepted(view, states.CASE_VERDICTS_DIFFER, line.item_id)


def _count_first(view: ReturnView, line: LineView, count: int) -> Finding:
    return problem(
        view,
        states.CASE_VERDICTS_DIFFER,
        f"{count} x {items.label(line)} would go back into stock now, but a person accepted earlier that the verdicts "
        "on them differed, and may have put them in stock by hand. If so, take them out there first. Then count "
        "again, which is the last word.",
        subject=line.item_id,
        evidence={"item": line.item_id, "units": count},
    )


def _of_goods(view: ReturnView, line: LineView) -> tuple[Finding, ...]:
    found = (items.ambiguous(view, line), _no_place(view, line, states.SELLABLE))
    return tuple(finding for finding in found if finding is not None)


def _no_place(view: ReturnView, line: LineView, disposition: str) -> Finding | None:
    if disposition in view.locations:
        return None
    return problem(
        view,
        states.CASE_DISPOSITION_UNMAPPED,
        f"{disposition.replace('_', ' ')} goods have no place on this route. Map the disposition to a location.",
        subject=line.item_id,
        evidence={"item": line.item_id, "disposition": disposition},
    )


def _impossible(view: ReturnView, line: LineView, count: int, before: tuple[PlannedEffect, ...]) -> tuple[Finding, ...]:
    """The shop only gives back stock that the order line took (woocommerce-observed section 9)."""
    bought = items.order_line(view, line)
    if bought is None:
        return ()
    seen = _placed_by_people(view, line)
    if view.is_released and count <= (there := _back_by_hand(view, bought) - seen):
        return (_put_back_before(view, line, count, there),)
    planned = sum(effect.quantity or 0 for effect in before if effect.payload["line_id"] == bought.line_id)
    free = max(0, (bought.reduced_stock or 0) - planned)
    if count <= free:
        return ()
    return (
        problem(
            view,
            states.CASE_RESTOCK_IMPOSSIBLE,
            f"{count} x {items.label(line)} cannot be put back {_why_impossible(bought, free)}",
            subject=line.item_id,
            evidence={
                "item": line.item_id,
                "units": count,
                "taken_from_stock": bought.reduced_stock,
                IF_ACCEPTED: seen + count,
            },
        ),
    )


def _placed_by_people(view: ReturnView, line: LineView) -> int:
    """Units that we could not put back, and that people say they did: never put back by us, even where we could now."""
    return seen_to(view, states.CASE_RESTOCK_IMPOSSIBLE, line.item_id)


def _why_impossible(bought: OrderLineSnapshot, free: int) -> str:
    if not bought.product_id and bought.reduced_stock is None:
        why = "into stock: the shop's catalogue does not have the product of its order line, which was deleted there."
        return f"{why} Decide where the goods go, correct the books by hand and record that here."
    return (
        f"through the order: its line still holds {free} taken from stock. Check the product's stock management, put "
        "the units in stock by hand and record that here."
    )


def _back_by_hand(view: ReturnView, bought: OrderLineSnapshot) -> int:
    """Units of an order line that are back in stock, and that no restock of ours on the order explains."""
    if bought.reduced_stock is None:
        return 0
    ours = [*view.effects, *view.sibling_effects]
    restocked = sum(
        effect.quantity or 0 for effect in ours if effect.kind == states.RESTOCK and effect.state in states.COMMITTED
    )
    return bought.quantity - bought.reduced_stock - restocked


def _put_back_before(view: ReturnView, line: LineView, count: int, there: int) -> Finding:
    """A return begun before its route went live: people did by hand what is planned now."""
    return problem(
        view,
        states.CASE_RESTOCK_IMPOSSIBLE,
        f"{there} x {items.label(line)} are back in stock already, and not by us: this return began before its route "
        "went live. Record here that they were put back by hand; if they were not, put them in stock by hand first.",
        subject=line.item_id,
        evidence={
            "item": line.item_id,
            "units": count,
            "back_in_stock": there,
            IF_ACCEPTED: _placed_by_people(view, line) + count,
        },
    )


# --- put back by hand -----------------------------------------------------------------------------------------------


def _is_unclear_whose(view: ReturnView, line: LineView, there: int) -> bool:
    """Units put back by hand of a line that two returns bring back: nobody can tell whose they were."""
    is_answered = there <= seen_to(view, states.CASE_RESTOCKED_BY_HAND, line.item_id)
    return not is_answered and by_hand.is_shared(view, line)


def _whose(view: ReturnView, line: LineView, there: int, *, count: int) -> Finding:
    """``count`` units of this return wait; those beyond the ones put back by hand follow by themselves afterwards."""
    return problem(
        view,
        states.CASE_RESTOCKED_BY_HAND,
        f"{there} x {items.label(line)} were put back into stock by hand in the shop, and more than one return brings "
        "units of that line back. Accept the case if they were of this return; if they were not, raise the stock of "
        f"the product itself by {min(there, count)} for this return, not through the order, and accept then.",
        subject=line.item_id,
        evidence={"item": line.item_id, "by_hand": there, IF_ACCEPTED: there},
    )


def _excess(view: ReturnView, policy: Policy, line: LineView) -> tuple[PlannedCase, ...]:
    """More put back by hand than the verdicts call sellable; a case once all units of the item are judged."""
    placed = _placed_by_people(view, line)
    there = by_hand.units(view, line) + (0 if placed == EVERY_UNIT else placed)
    if not there or by_hand.is_shared(view, line):
        return ()
    judged = verdicts.judged(verdicts.in_force(view, line.item_id))
    ours = order_money.put_back(view, line.item_id)
    found = sellable.units(view, policy, line)
    most = found.possible - found.disputed
    seen = seen_to(view, states.CASE_RESTOCKED_BY_HAND, line.item_id)
    excess = there + ours - most
    if judged < line.quantity or excess <= seen:
        return ()
    return (
        case_of(
            view,
            states.CASE_RESTOCKED_BY_HAND,
            f"{there} x {items.label(line)} were put back into stock by hand in the shop and {ours} by returnsops, but "
            f"only {most} of {line.quantity} are sellable.{accepted_before(seen)} Take the others out of the shop's "
            "stock.",
            subject=line.item_id,
            evidence={"item": line.item_id, "by_hand": there, "by_us": ours, "sellable": most, IF_ACCEPTED: excess},
        ),
    )


# --- cases of goods --------------------------------------------------------------------------------------------------


def _missing(view: ReturnView, line: LineView) -> tuple[PlannedCase, ...]:
    units = sum(
        verdict.quantity
        for verdict in verdicts.in_force(view, line.item_id)
        if "missing" in (verdict.outcome, verdict.disposition)
    )
    if not units or is_accepted(view, states.CASE_GOODS_MISSING, line.item_id):
        return ()
    return (
        case_of(
            view,
            states.CASE_GOODS_MISSING,
            f"{units} of {line.quantity} x {items.label(line)} were not in the parcel.",
            subject=line.item_id,
            evidence={"item": line.item_id, "missing": units, "expected": line.quantity},
            money_at_risk=line.total,
        ),
    )


def _unplaced(view: ReturnView, line: LineView) -> tuple[PlannedCase, ...]:
    """A case where final goods other than sellable ones have no place, or nobody knows what they are (S1-21)."""
    dispositions = sorted(
        {
            verdict.disposition
            for verdict in verdicts.in_force(view, line.item_id)
            if verdict.is_final and verdict.outcome not in verdicts.REFUSED_OUTCOMES
        }
    )
    wanting = [name for name in dispositions if name in (*PLACED, "unknown") and name != states.SELLABLE]
    return cases_of(finding for name in wanting if (finding := _no_place(view, line, name)) is not None)
