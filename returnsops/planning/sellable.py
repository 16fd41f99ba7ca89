"""How many units of an item are sellable, on the word the policy wants (S1-25, S4-14). Pure."""

from dataclasses import dataclass

from . import verdicts
from .policy import Policy
from .view import LineView, ReturnView


@dataclass(frozen=True, kw_only=True)
class Units:
    """Units of an item that are sellable now, those possible with the confirmation still missing, and its words."""

    target: int
    possible: int
    waits: str = ""


def units(view: ReturnView, policy: Policy, line: LineView) -> Units:
    """Units that are to be in stock in the end, sent ones included; never more than come back."""
    found = _confirmed(view, policy, line)
    return Units(
        target=min(found.target, line.quantity), possible=min(found.possible, line.quantity), waits=found.waits
    )


def _confirmed(view: ReturnView, policy: Policy, line: LineView) -> Units:
    platform, warehouse = verdicts.of_platform(view, line.item_id), verdicts.of_warehouse(view, line.item_id)
    theirs = verdicts.certain(verdicts.sellable(platform), platform, line)
    ours = verdicts.certain(verdicts.sellable(warehouse), warehouse, line)
    if verdicts.is_recounted(view, line.item_id):
        return Units(target=ours, possible=ours)
    mode = policy.restock.confirmation
    if mode == "platform":
        return Units(target=theirs, possible=theirs)
    if mode == "warehouse":
        return _pending(ours, theirs if not warehouse else ours, "the warehouse")
    if mode == "either":
        refused = verdicts.judged(warehouse) - ours
        best = max(ours, theirs - refused)
        return Units(target=best, possible=best)
    if mode == "both":
        possible = max(ours, theirs) if not (platform and warehouse) else min(ours, theirs)
        return _pending(min(ours, theirs), possible, "the warehouse" if not warehouse else "the returns platform")
    return _pending(0, max(ours, theirs), "the policy to say who")


def _pending(target: int, possible: int, who: str) -> Units:
    missing = possible - target
    if missing <= 0:
        return Units(target=target, possible=target)
    return Units(
        target=target,
        possible=possible,
        waits=f"waits for {who} to confirm {missing} sellable unit{'' if missing == 1 else 's'}",
    )
