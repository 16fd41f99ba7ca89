"""Goods that are not what the return announces: fewer units, more units, other articles, whoever judged them. Pure.

What is too much or another article moves neither stock nor money, whoever accepts the case (``verdicts.certain``). A
case closes by itself when what was found and what was announced agree again, or a person counted the item again.
"""

from collections.abc import Iterable
from datetime import datetime

from returnsops import states

from . import items, verdicts
from .holds import case_of, is_accepted, joined
from .model import Part, PlannedCase
from .policy import Policy
from .view import LineView, ReturnView, VerdictView

_JUDGES = {"platform": "the returns platform", "warehouse": "our warehouse", "wms": "the warehouse system"}


def plan_mismatches(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """At most two cases per item: units nobody spoke of, and goods that were not announced."""
    parts = [Part(cases=(*_fewer(view, line), *_not_announced(view, line))) for line in view.lines]
    return joined((*parts, Part(cases=tuple(_unknown_items(view)))))


def _fewer(view: ReturnView, line: LineView) -> Iterable[PlannedCase]:
    """The inspection is said to be complete, and of some units nobody said anything, not even that they are missing.

    A platform that calls a return inspected and gives no verdict at all leaves the judging to the warehouse.
    """
    is_recounted = verdicts.is_recounted(view, line.item_id)
    is_complete = is_recounted or (view.inspected_at is not None and any(verdict.quantity for verdict in view.verdicts))
    if not is_complete or view.status in states.RETURN_ENDED:
        return
    ours = verdicts.judged(verdicts.of_warehouse(view, line.item_id))
    theirs = 0 if is_recounted else verdicts.judged(verdicts.of_platform(view, line.item_id))
    known = max(ours, theirs)
    if known >= line.quantity or is_accepted(view, states.CASE_FEWER_UNITS, line.item_id):
        return
    yield case_of(
        view,
        states.CASE_FEWER_UNITS,
        f"{known} of {line.quantity} x {items.label(line)} were judged, and the inspection is said to be complete. "
        f"Nobody said what became of the other {line.quantity - known}. Count again.",
        subject=line.item_id,
        evidence={"item": line.item_id, "judged": known, "expected": line.quantity},
        money_at_risk=line.total,
    )


def _not_announced(view: ReturnView, line: LineView) -> Iterable[PlannedCase]:
    """More units than announced, or goods that are not the announced ones: by each judge, as each moves something."""
    judges = ["warehouse"] if verdicts.is_recounted(view, line.item_id) else list(_JUDGES)
    found = {judge: verdicts.by_source(view, line.item_id, judge) for judge in judges}
    told = [text for judge in judges if (text := _told(found[judge], line, _JUDGES[judge]))]
    if not told or is_accepted(view, states.CASE_INSPECTION_MISMATCH, line.item_id):
        return
    yield case_of(
        view,
        states.CASE_INSPECTION_MISMATCH,
        f"{line.quantity} x {items.label(line)} {'was' if line.quantity == 1 else 'were'} to come back, but "
        f"{', and '.join(told)}. Count again, and look whose goods these are.",
        subject=line.item_id,
        evidence={
            "item": line.item_id,
            "judged": max(verdicts.judged(one) for one in found.values()),
            "expected": line.quantity,
            "skus": ", ".join(_skus(verdict for one in found.values() for verdict in one)),
        },
    )


def _told(found: tuple[VerdictView, ...], line: LineView, judge: str) -> str:
    """What one judge says too much; '' where he says nothing of the kind."""
    other = [verdict for verdict in found if verdict.outcome == verdicts.UNEXPECTED]
    too_many = verdicts.surplus(found, line)
    said = [f"{line.quantity + too_many} of them"] if too_many else []
    if other:
        said.append(f"{verdicts.judged(other)} not announced{_named(other)}")
    return f"{judge} found {' and '.join(said)}" if said else ""


def _unknown_items(view: ReturnView) -> Iterable[PlannedCase]:
    """Verdicts on items that the return does not name, or not any more: kept and shown, and nothing follows."""
    known = {line.item_id for line in view.lines}
    there = [
        one for one in view.verdicts if one.item_id not in known and one.quantity and one.outcome != verdicts.MISSING
    ]
    for item_id in sorted({verdict.item_id for verdict in there}):
        if is_accepted(view, states.CASE_INSPECTION_MISMATCH, item_id):
            continue
        mine = [verdict for verdict in there if verdict.item_id == item_id]
        units = max(verdicts.judged(one for one in mine if one.source == judge) for judge in _JUDGES)
        judges = " and ".join(name for judge, name in _JUDGES.items() if any(one.source == judge for one in mine))
        yield case_of(
            view,
            states.CASE_INSPECTION_MISMATCH,
            f"{judges} judged {units} x an item {item_id!r}{_named(mine)}, which the "
            "return does not name. Look whose goods these are.",
            subject=item_id,
            evidence={"item": item_id, "judged": units, "expected": 0, "skus": ", ".join(_skus(mine))},
        )


def _named(found: Iterable[VerdictView]) -> str:
    skus = _skus(found)
    return f" (SKU {', '.join(skus)})" if skus else ""


def _skus(found: Iterable[VerdictView]) -> list[str]:
    return sorted({verdict.sku for verdict in found if verdict.sku})
