"""The budget of vendors that count points instead of calls, as their client sees it. Data and protocol only."""

from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, kw_only=True)
class Points:
    """The budget of a vendor that counts points: how many are left, come back each second, and fit at most."""

    left: float
    restored_per_s: float
    most: float


class Purse(Protocol):
    """Where a vendor's client takes the points of a call from (connectors/points.py)."""

    def take(self, points: float) -> None:
        """Wait until so many points are there. Raises RateLimited where that takes too long; nothing was sent then."""

    def settle(self, points: float, told: Points | None) -> None:
        """The call that took them is over; ``told`` is what its answer says of the budget."""


class _FullPurse:
    """Never empty, for vendors that count calls and for tests."""

    def take(self, points: float) -> None:
        """There is always enough."""

    def settle(self, points: float, told: Points | None) -> None:
        """Nothing is counted."""


FULL_PURSE: Final[Purse] = _FullPurse()
