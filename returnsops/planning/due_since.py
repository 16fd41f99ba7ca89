"""Since when money is due: the last verdict, milestone or decision of the platform that it waited for. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from . import verdicts
from .claims import COMMERCE
from .policy import Policy
from .valuation import Valued
from .view import ReturnView

# A verdict is heard at the next reading, and the platform's refund may stand in the shop before that.
HEARD_LATE = timedelta(hours=1)


def due_since(view: ReturnView, policy: Policy, due: Iterable[Valued]) -> datetime | None:
    """Since when all of this is due; None where nothing of it tells."""
    moments = [at for one in due for at in _moments(view, policy, one)]
    return max(moments, default=None)


def is_waiting(one: Valued) -> bool:
    """Whether the trigger of this claim has not come yet; it counts for money that the shop moves."""
    return bool(one.claim.waits) and one.claim.executed_by == COMMERCE


def _moments(view: ReturnView, policy: Policy, one: Valued) -> list[datetime]:
    told = [payout.issued_at for payout in view.payouts if payout.refund_id == one.claim.subject]
    if one.claim.executed_by != COMMERCE:
        return told
    trigger = policy.trigger(view.resolution)
    named = {line.item_id for line, _ in one.claim.wanted}
    if trigger in ("inspected", "disposition_final"):
        found = (verdict for item_id in named for verdict in verdicts.in_force(view, item_id))
        return [*told, *(verdict.inspected_at for verdict in found)]
    later = verdicts.MILESTONES[verdicts.MILESTONES.index(trigger) :]
    passed = [at for at in (getattr(view, f"{name}_at") for name in later) if at is not None]
    return [*told, *passed[:1]]
