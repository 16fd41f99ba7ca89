"""What the inspections in force say about units of one item, and which milestones a return has passed. Pure."""

from collections.abc import Iterable, Sequence

from returnsops import states

from .policy import Policy
from .view import LineView, ReturnView, VerdictView

REFUSED_OUTCOMES = frozenset({"rejected", "missing", "unexpected"})
# A milestone is passed with its own time, a later one's, or a status as far on. Closed says nothing of the goods.
_STAGES = (
    ("authorised", "authorised_at", states.AUTHORISED),
    ("in_transit", "in_transit_at", states.IN_TRANSIT),
    ("delivered", "delivered_at", states.DELIVERED),
    ("received", "received_at", states.RECEIVED),
    ("inspected", "inspected_at", states.INSPECTED),
)


def counted(view: ReturnView, policy: Policy) -> tuple[VerdictView, ...]:
    """The verdicts that count at all: the platform's, and those of the warehouse's sources that the policy names."""
    return tuple(
        verdict for verdict in view.verdicts if verdict.source == "platform" or verdict.source in policy.restock.sources
    )


def of_platform(view: ReturnView, item_id: str) -> tuple[VerdictView, ...]:
    """The returns platform's verdicts on an item."""
    return _of(view, item_id, "platform")


def of_warehouse(view: ReturnView, item_id: str) -> tuple[VerdictView, ...]:
    """The warehouse's verdicts on an item: our own bench where it judged, otherwise the warehouse system."""
    return _of(view, item_id, "warehouse") or _of(view, item_id, "wms")


def _of(view: ReturnView, item_id: str, source: str) -> tuple[VerdictView, ...]:
    return tuple(verdict for verdict in view.verdicts if verdict.item_id == item_id and verdict.source == source)


def in_force(view: ReturnView, item_id: str) -> tuple[VerdictView, ...]:
    """The verdicts that count for money: the warehouse's where it judged, otherwise the platform's."""
    return of_warehouse(view, item_id) or of_platform(view, item_id)


def judged(verdicts: Iterable[VerdictView], *, only_final: bool = False) -> int:
    """Units somebody judged."""
    return sum(verdict.quantity for verdict in verdicts if verdict.is_final or not only_final)


def refused(verdicts: Iterable[VerdictView]) -> int:
    """Units judged that are not to be paid."""
    return sum(verdict.quantity for verdict in verdicts if verdict.outcome in REFUSED_OUTCOMES)


def accepted(verdicts: Iterable[VerdictView], *, only_final: bool) -> int:
    """Units judged that are to be paid."""
    return judged([verdict for verdict in verdicts if verdict.outcome not in REFUSED_OUTCOMES], only_final=only_final)


def sellable(verdicts: Iterable[VerdictView]) -> int:
    """Units said to be sellable for good (S1-25): accepted, final, and exactly this disposition."""
    return sum(verdict.quantity for verdict in verdicts if is_sellable(verdict))


def is_sellable(verdict: VerdictView) -> bool:
    """Whether this verdict may move stock."""
    return verdict.is_final and verdict.disposition == states.SELLABLE and verdict.outcome not in REFUSED_OUTCOMES


def has_passed(view: ReturnView, milestone: str) -> bool:
    """Whether the return is at or past authorised, in_transit, delivered, received or inspected."""
    names = [name for name, _, _ in _STAGES]
    later = _STAGES[names.index(milestone) :]
    progress = states.RETURN_PROGRESS[:-1]
    by_status = view.status in progress and progress.index(view.status) >= progress.index(later[0][2])
    by_verdict = milestone != "inspected" and bool(view.verdicts)
    return by_status or by_verdict or any(getattr(view, at) is not None for _, at, _ in later)


def units_due(view: ReturnView, line: LineView, trigger: str) -> int:
    """Units of an item whose money the trigger has released."""
    verdicts = in_force(view, line.item_id)
    if trigger in ("inspected", "disposition_final"):
        return min(line.quantity, accepted(verdicts, only_final=trigger == "disposition_final"))
    return units_payable(view, line) if has_passed(view, trigger) else 0


def units_payable(view: ReturnView, line: LineView) -> int:
    """Units of an item that may still be paid one day: all that nobody refused."""
    return max(0, line.quantity - refused(in_force(view, line.item_id)))


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
