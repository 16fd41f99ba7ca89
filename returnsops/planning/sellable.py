"""How many units of an item are sellable, on the word the policy wants (S1-25, S4-14). Pure.

Where our warehouse and the returns platform say the opposite of the same units, those stay out of stock under every
policy until the two agree or a person counts them again; which of the two decides else is the policy's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from returnsops import states

from . import verdicts
from .holds import is_accepted
from .policy import Policy
from .view import LineView, ReturnView, VerdictView

WAREHOUSE = "the warehouse"
PLATFORM = "the returns platform"


@dataclass(frozen=True, kw_only=True)
class Units:
    """Units of an item that are sellable now, those whose confirmation is still missing, and those that are disputed.

    ``waits`` says what is missing; ``said_by`` calls the disputed units sellable, and ``denied_by`` does not.
    """

    target: int
    waiting: int = 0
    disputed: int = 0
    waits: str = ""
    said_by: str = ""
    denied_by: str = ""

    @property
    def possible(self) -> int:
        """Units that may be in stock one day."""
        return self.target + self.waiting + self.disputed


@dataclass(frozen=True, kw_only=True)
class _Word:
    """What one judge says of an item: units sellable for good, not sellable for good, and anything but sellable."""

    judge: str
    sellable: int
    refused: int
    doubted: int

    def beyond(self, units: int) -> int:
        """How many of the units that the other one refuses this one does not doubt itself."""
        return max(0, units - self.doubted)


def units(view: ReturnView, policy: Policy, line: LineView) -> Units:
    """Units that are to be in stock in the end, sent ones included; never more than come back."""
    platform = _word(PLATFORM, verdicts.of_platform(view, line.item_id), line)
    warehouse = _word(WAREHOUSE, verdicts.of_warehouse(view, line.item_id), line)
    if verdicts.is_recounted(view, line.item_id):
        return Units(target=warehouse.sellable)
    mode = policy.restock.confirmation
    target = _confirmed(mode, platform, warehouse)
    more, less = (platform, warehouse) if platform.sellable > warehouse.sellable else (warehouse, platform)
    left = more.sellable - target
    disputed = min(left, more.beyond(less.refused))
    waiting = left - disputed
    return Units(
        target=target,
        waiting=waiting,
        disputed=0 if is_accepted(view, states.CASE_VERDICTS_DIFFER, line.item_id) else disputed,
        waits=_waits(mode, waiting, less),
        said_by=more.judge,
        denied_by=less.judge,
    )


def _word(judge: str, found: tuple[VerdictView, ...], line: LineView) -> _Word:
    return _Word(
        judge=judge,
        sellable=verdicts.certain(verdicts.sellable(found), found, line),
        refused=verdicts.judged(_refused(found)),
        doubted=verdicts.judged(found) - verdicts.sellable(found),
    )


def _refused(found: tuple[VerdictView, ...]) -> Iterable[VerdictView]:
    """The verdicts by which units are not for sale, whatever follows."""
    for one in found:
        if one.outcome in verdicts.REFUSED_OUTCOMES or (one.is_final and not verdicts.is_sellable(one)):
            yield one


def _confirmed(mode: str, platform: _Word, warehouse: _Word) -> int:
    """Units that may be in stock now, on the word the policy wants."""
    match mode:
        case "platform":
            undisputed = platform.sellable - platform.beyond(warehouse.refused)
            return min(platform.sellable, max(warehouse.sellable, undisputed))
        case "warehouse":
            return warehouse.sellable
        case "either":
            return max(warehouse.sellable, platform.sellable - platform.beyond(warehouse.doubted))
        case "both":
            return min(platform.sellable, warehouse.sellable)
    return 0


def _waits(mode: str, waiting: int, less: _Word) -> str:
    if not waiting:
        return ""
    who = less.judge if mode else "the policy to say who"
    why = ": by the policy of the route its word decides, not the warehouse's alone" if mode == "platform" else ""
    return f"waits for {who} to confirm {waiting} sellable unit{'' if waiting == 1 else 's'}{why}"
