"""What a warehouse system found that the return does not name: other items, or more units than were to come. Pure."""

from datetime import datetime

from returnsops import states

from . import items
from .holds import case_of, is_accepted
from .model import Part, PlannedCase
from .policy import Policy
from .view import ReturnView


def plan_mismatches(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """One case per item; what was found too much moves neither stock nor money, whoever accepts the case."""
    judged: dict[str, int] = {}
    for verdict in view.verdicts:
        if verdict.source == "wms":
            judged[verdict.item_id] = judged.get(verdict.item_id, 0) + verdict.quantity
    found = (_case(view, item_id, judged[item_id]) for item_id in sorted(judged))
    return Part(cases=tuple(case for case in found if case is not None))


def _case(view: ReturnView, item_id: str, units: int) -> PlannedCase | None:
    line = next((line for line in view.lines if line.item_id == item_id), None)
    expected = 0 if line is None else line.quantity
    if units <= expected or is_accepted(view, states.CASE_INSPECTION_MISMATCH, item_id):
        return None
    what = f"an item {item_id!r}, which the return does not name" if line is None else items.label(line)
    text = f"the warehouse system judged {units} x {what}; {expected} were to come back. Count again."
    evidence = {"item": item_id, "judged": units, "expected": expected}
    return case_of(view, states.CASE_INSPECTION_MISMATCH, text, subject=item_id, evidence=evidence)
