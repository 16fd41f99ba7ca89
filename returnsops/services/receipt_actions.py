"""What the warehouse does about goods that are not what was announced: counts again, or gives them to whose they are.

Runners have the queue's signature (see ``case_actions``). What is counted again is the last word on the item, for money
and stock alike, whatever the policy wants confirmed by whom.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import Inspection, ReturnAuthorisation, ReturnLine
from returnsops.planning.verdicts import UNEXPECTED

from . import locks, warehouse
from .case_actions import Choices, Data, decide, rma_of, subject_of, waive

MOST_UNITS = 10_000


def recount(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """State what is really there of one item; announced units that are not named are missing.

    A form sent without a count of them says nothing: that none is there is said with a 0.
    """
    line = _line(case)
    if line is None:
        raise CaseError("The return does not name this item; have it corrected in the returns platform.")
    found = {name: _units(data.get(name)) for name in warehouse.PRESENT}
    other, sku = _units(data.get("other")), str(data.get("other_sku") or "").strip()[:128]
    if all(data.get(name) in (None, "") for name in warehouse.PRESENT):
        raise CaseError("Enter how many of the announced units are there; 0 if none of them is.")
    try:
        items = warehouse.recounted(
            line=line, found=found, other=other, other_sku=sku, by=str(by), at=at, why=reason[:300]
        )
    except warehouse.WarehouseError as error:
        raise CaseError(str(error)) from error
    decide(case, facts.ItemRecounted, by=by, at=at, why=reason, item_id=line.external_id, items=items)
    words = ", ".join(f"{item.quantity} {_word(item)}" for item in items)
    return f"Counted again: {words}."


def give_to_other_return(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Judge the goods for the return they belong to; for this one they are seen to."""
    rma, rows = rma_of(case), _others(case)
    target = _named(str(data["return"]).strip(), without=rma)
    for rma_id in sorted((rma.pk, target.pk)):
        locks.lock_return(rma_id=rma_id)
    line = _line_of_article(target, _sku_of(rows))
    verdict = warehouse.Verdict(
        item_id=line.external_id, quantity=_count(rows), disposition=data["disposition"], reason=reason
    )
    try:
        text = warehouse.confirm_inspection(
            rma=target, verdicts=(verdict,), decision_id=f"case:{case.pk}:{case.times_reopened}", by=str(by), at=at
        )
    except warehouse.WarehouseError as error:
        raise CaseError(str(error)) from error
    waive(case, subject_of(case), by=by, at=at, why=f"Goods of return {target.label}. {reason}"[:500])
    return f"Given to return {target.label}. {text}"


# --- what is offered ------------------------------------------------------------------------------------------------


def words_for_recount(case: ExceptionCase) -> str:
    """What is to be counted; '' where the return does not name the item."""
    line = _line(case)
    if line is None:
        return ""
    return f"{line} were announced. Enter how many are there, 0 if none; the others are missing, and are not paid."


def words_for_other_return(case: ExceptionCase) -> str:
    """What lies there; '' where nobody named the article, or the announced units are not counted yet."""
    rows = _others(case)
    if not rows or not _sku_of(rows):
        return ""
    return f"{_count(rows)} x SKU {_sku_of(rows)} count for the return you name, with your verdict."


def conditions(case: ExceptionCase) -> Choices:
    """What goods that are there can be."""
    return [(name, name.capitalize()) for name in warehouse.PRESENT]


# --- small parts ----------------------------------------------------------------------------------------------------


def _line(case: ExceptionCase) -> ReturnLine | None:
    found: ReturnLine | None = rma_of(case).lines.filter(external_id=subject_of(case), is_withdrawn=False).first()
    return found


def _others(case: ExceptionCase) -> list[Inspection]:
    """Goods that were not announced: of an item the return does not name, or set apart when the item was counted."""
    rows = rma_of(case).inspections.filter(item_external_id=subject_of(case), is_superseded=False, quantity__gt=0)
    return list(rows.filter(outcome=UNEXPECTED, is_recount=True) if _line(case) else rows)


def _sku_of(rows: Iterable[Inspection]) -> str:
    """The one article of these goods, '' where it is not named or there are several."""
    skus = {row.sku for row in rows}
    return skus.pop() if len(skus) == 1 else ""


def _count(rows: Iterable[Inspection]) -> int:
    """Units there: two sources that judge the same goods do not make them more."""
    judged: dict[str, int] = {}
    for row in rows:
        judged[row.source] = judged.get(row.source, 0) + row.quantity
    return max(judged.values(), default=0)


def _named(name: str, *, without: ReturnAuthorisation) -> ReturnAuthorisation:
    rows = ReturnAuthorisation.objects.exclude(pk=without.pk).exclude(status__in=sorted(states.RETURN_ENDED))
    found = rows.filter(Q(number=name) | Q(external_id=name) | Q(parcels__tracking_number=name)).distinct()[:2]
    if len(found) != 1:
        raise CaseError(f"{'Several returns have' if found else 'No other return has'} the number {name!r}.")
    return found[0]


def _line_of_article(rma: ReturnAuthorisation, sku: str) -> ReturnLine:
    lines = list(rma.lines.filter(sku=sku, is_withdrawn=False)[:2]) if sku else []
    if len(lines) != 1:
        raise CaseError(f"Return {rma.label} does not have exactly one item with SKU {sku or '(none)'}.")
    return lines[0]


def _units(value: Any) -> int:
    if value in (None, ""):
        return 0
    if value != int(value) or not 0 <= value <= MOST_UNITS:
        raise CaseError("Enter whole numbers of units.")
    return int(value)


def _word(item: facts.InspectedItem) -> str:
    return "not announced" if item.outcome == UNEXPECTED else item.disposition
