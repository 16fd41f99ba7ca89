"""The cost arithmetic of Shopify's leaky bucket (shopify.md section 3). Pure.

A request must fit the bucket with what it *asks* for; what it did not use is given back when it is answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from connectors.purses import Points

# What a document is taken to ask for until an answer has said it: our dearest one, ten whole orders, is assumed at 672.
FIRST_GUESS: Final = 700.0
STANDARD: Final = Points(left=2000.0, restored_per_s=100.0, most=2000.0)  # a Standard shop nobody has called yet
SHORTEST_WAIT_S: Final = 0.1
UNKNOWN_WAIT_S: Final = 2.0  # throttled, and the answer does not say how full the bucket is
LONGEST_WAIT_S: Final = 60.0  # longer than the largest bucket takes to fill


@dataclass(frozen=True, kw_only=True)
class Cost:
    """``extensions.cost`` of one answer, in points; ``actual`` is None where nothing was executed."""

    requested: float
    actual: float | None
    most: float
    left: float
    restored_per_s: float


def cost_of(document: Any) -> Cost | None:
    """What an answer says of its cost, None where it says nothing that can be understood."""
    cost = _table(_table(document, "extensions"), "cost")
    status = _table(cost, "throttleStatus")
    requested, actual = _number(cost.get("requestedQueryCost")), _number(cost.get("actualQueryCost"))
    most, left = _number(status.get("maximumAvailable")), _number(status.get("currentlyAvailable"))
    restored = _number(status.get("restoreRate"))
    if requested is None or most is None or left is None or restored is None:
        return None
    return Cost(requested=requested, actual=actual, most=most, left=left, restored_per_s=restored)


def points_of(cost: Cost | None) -> Points | None:
    """What an answer says of the bucket, in vendor-neutral words."""
    return None if cost is None else Points(left=cost.left, restored_per_s=cost.restored_per_s, most=cost.most)


def wait_s(cost: Cost | None) -> float:
    """Seconds until a throttled request fits; within bounds, also where the restore rate is nonsense."""
    if cost is None or cost.restored_per_s <= 0:
        return UNKNOWN_WAIT_S
    needed_s = (cost.requested - cost.left) / cost.restored_per_s
    return min(max(needed_s, SHORTEST_WAIT_S), LONGEST_WAIT_S)


def _table(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value)
