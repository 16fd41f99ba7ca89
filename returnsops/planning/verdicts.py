"""What the inspections in force say about units of one item, and which milestones a return has passed. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from returnsops import states

from .policy import Policy
from .view import LineView, ReturnView, VerdictView

UNEXPECTED = "unexpected"
MISSING = "missing"
REFUSED_OUTCOMES = frozenset({"rejected", MISSING, UNEXPECTED})
# A milestone is passed with its own time, a later one's, or a status as far on. Closed says nothing of the goods.
_STAGES = (
    ("authorised", "authorised_at", states.AUTHORISED),
    ("in_transit", "in_transit_at", states.IN_TRANSIT),
    ("delivered", "delivered_at", states.DELIVERED),
    ("received", "received_at", states.RECEIVED),
    ("inspected", "inspected_at", states.INSPECTED),
)
MILESTONES = tuple(name for name, _, _ in _STAGES)


def counted(view: ReturnView, policy: Policy) -> tuple[VerdictView, ...]:
    """The verdicts that count at all: the platform's, those of the warehouse's sources that the policy names, and what
    a person counted again to settle a contradiction.
    """
    sources = ("platform", *policy.restock.sources)
    return tuple(verdict for verdict in view.verdicts if verdict.is_recount or verdict.source in sources)


def of_platform(view: ReturnView, item_id: str) -> tuple[VerdictView, ...]:
    """The returns platform's verdicts on an item."""
    return by_source(view, item_id, "platform")


def of_warehouse(view: ReturnView, item_id: str) -> tuple[VerdictView, ...]:
    """The warehouse's verdicts on an item: our own bench where it judged, otherwise the warehouse system."""
    return by_source(view, item_id, "warehouse") or by_source(view, item_id, "wms")


def by_source(view: ReturnView, item_id: str, source: str) -> tuple[VerdictView, ...]:
    """One source's verdicts on an item. Goods of another article than announced are unexpected, whatever it says."""
    sku = next((line.sku for line in view.lines if line.item_id == item_id), "")
    found = (verdict for verdict in view.verdicts if verdict.item_id == item_id and verdict.source == source)
    return tuple(replace(one, outcome=UNEXPECTED) if _is_other_article(one, sku) else one for one in found)


def _is_other_article(verdict: VerdictView, sku: str) -> bool:
    """A verdict without a SKU speaks of the item as it was announced; how a SKU is spelled makes no other article."""
    return bool(verdict.sku and sku) and verdict.sku.strip().casefold() != sku.strip().casefold()


def is_recounted(view: ReturnView, item_id: str) -> bool:
    """Whether a person counted the item again: that is the last word on it, for money and stock alike."""
    return any(verdict.is_recount for verdict in of_warehouse(view, item_id))


def in_force(view: ReturnView, item_id: str) -> tuple[VerdictView, ...]:
    """The verdicts that count for money: the warehouse's where it judged, otherwise the platform's."""
    return of_warehouse(view, item_id) or of_platform(view, item_id)


def judged(verdicts: Iterable[VerdictView], *, only_final: bool = False) -> int:
    """Units somebody judged."""
    return sum(verdict.quantity for verdict in verdicts if verdict.is_final or not only_final)


def refused(verdicts: Iterable[VerdictView]) -> int:
    """Units judged that are not to be paid."""
    return sum(verdict.quantity for verdict in verdicts if verdict.outcome in REFUSED_OUTCOMES)


def surplus(verdicts: Iterable[VerdictView], line: LineView) -> int:
    """Units found beyond those that were announced, without those that the judge himself called unexpected.

    Verdicts that are not final may be of the same units as the final ones.
    """
    gone = {UNEXPECTED, MISSING}
    own = [verdict for verdict in verdicts if not gone & {verdict.outcome, verdict.disposition}]
    final = judged(own, only_final=True)
    return max(0, max(final, judged(own) - final) - line.quantity)


def accepted(verdicts: Iterable[VerdictView], *, only_final: bool) -> int:
    """Units judged that are to be paid."""
    return judged([verdict for verdict in verdicts if verdict.outcome not in REFUSED_OUTCOMES], only_final=only_final)


def sellable(verdicts: Iterable[VerdictView]) -> int:
    """Units said to be sellable for good (S1-25): accepted, final, and exactly this disposition."""
    return sum(verdict.quantity for verdict in verdicts if is_sellable(verdict))


def certain(units: int, verdicts: Iterable[VerdictView], line: LineView) -> int:
    """How many of these units are of the announced ones for certain: nobody knows which units are the surplus."""
    return min(line.quantity, max(0, units - surplus(verdicts, line)))


def is_sellable(verdict: VerdictView) -> bool:
    """Whether this verdict may move stock."""
    return verdict.is_final and verdict.disposition == states.SELLABLE and verdict.outcome not in REFUSED_OUTCOMES


def has_passed(view: ReturnView, milestone: str) -> bool:
    """Whether the return is at or past authorised, in_transit, delivered, received or inspected."""
    later = _STAGES[MILESTONES.index(milestone) :]
    progress = states.RETURN_PROGRESS[:-1]
    by_status = view.status in progress and progress.index(view.status) >= progress.index(later[0][2])
    by_verdict = milestone != "inspected" and bool(view.verdicts)
    return by_status or by_verdict or any(getattr(view, at) is not None for _, at, _ in later)


def units_due(view: ReturnView, line: LineView, trigger: str) -> int:
    """Units of an item whose money the trigger has released."""
    verdicts = in_force(view, line.item_id)
    if trigger in ("inspected", "disposition_final"):
        return certain(accepted(verdicts, only_final=trigger == "disposition_final"), verdicts, line)
    return units_payable(view, line) if has_passed(view, trigger) else 0


def units_payable(view: ReturnView, line: LineView) -> int:
    """Units of an item that may still be paid one day: all that nobody refused."""
    verdicts = in_force(view, line.item_id)
    left = max(0, line.quantity - refused(verdicts))
    return max(left, certain(accepted(verdicts, only_final=False), verdicts, line))


def waits_for(view: ReturnView, wanted: Sequence[tuple[LineView, int]], trigger: str) -> str:
    """What money for these units waits for, in words; '' when the trigger has come."""
    if trigger in ("inspected", "disposition_final"):
        return _waits_for_verdicts(view, wanted, trigger)
    words = {
        "authorised": "waits for the return to be authorised",
        "in_transit": "waits for the parcel to be on its way",
        "received": "waits for the parcel to arrive",
    }
    return "" if has_passed(view, trigger) else words[trigger]


def _waits_for_verdicts(view: ReturnView, wanted: Sequence[tuple[LineView, int]], trigger: str) -> str:
    only_final = trigger == "disposition_final"
    needed = sum(units for _, units in wanted)
    done = sum(min(units, judged(in_force(view, line.item_id), only_final=only_final)) for line, units in wanted)
    if done >= needed:
        return ""
    what = "the final disposition" if only_final else "inspection"
    return f"waits for {what} of {needed - done} of {needed} item{'' if needed == 1 else 's'}"
