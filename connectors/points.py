"""The points of a connection whose vendor counts them, as a row, so that they hold over all processes (S1-3, S5-22).

A call asks for so many points and must find them there; what it did not use is given back when it is answered, and the
answer tells how many are left. ``points_left`` follows what the vendor has: the last report less what our calls under
way asked for, plus what came back since. So a call that finds enough here, and a little more, finds enough there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.budget import MAX_WAIT_S, BudgetSpent, budget_of, change
from connectors.models import ConnectionBudget
from connectors.purses import Points, Purse

# A process that died in a call never settled: after so long without any call nothing can be under way any more.
FORGET_S: Final = 180.0
# Kept back, as seconds of coming back: a full bucket gains nothing while a call is on its way to it.
SLACK_S: Final = 1.0
_RACES: Final = 50


@dataclass(frozen=True, kw_only=True)
class Level:
    """What the row says now: points certainly there (below nothing where callers wait) and asked for by calls."""

    left: float
    under_way: float
    most: float
    restored_per_s: float

    def wait_s(self, points: float) -> float:
        """Seconds until so many points are there, with some to spare; all of them where that is more than ever fits."""
        wanted = min(points + SLACK_S * self.restored_per_s, self.most)
        return max(0.0, (wanted - self.left) / self.restored_per_s)


def level_of(row: ConnectionBudget, *, assumed: Points, at: datetime) -> Level:
    """The row's points at a moment; ``assumed`` is what holds until the vendor has said anything."""
    if row.points_at is None or row.points_left is None or not row.points_most or not row.points_per_s:
        return Level(left=assumed.left, under_way=0.0, most=assumed.most, restored_per_s=assumed.restored_per_s)
    passed_s = max(0.0, (at - row.points_at).total_seconds())
    under_way = row.points_under_way if passed_s < FORGET_S else 0.0
    left = min(row.points_most, row.points_left + passed_s * row.points_per_s)
    return Level(left=left, under_way=under_way, most=row.points_most, restored_per_s=row.points_per_s)


def known_level(row: ConnectionBudget, *, at: datetime) -> Level | None:
    """The same for people; None where the vendor has not told any points."""
    told = Points(left=row.points_left or 0.0, restored_per_s=row.points_per_s or 0.0, most=row.points_most or 0.0)
    return level_of(row, assumed=told, at=at) if row.points_at is not None else None


def take(*, connection_id: int, points: float, assumed: Points, at: datetime, max_wait_s: float = MAX_WAIT_S) -> float:
    """Take points for one call; returns the seconds to wait before it.

    Raises BudgetSpent, without taking any, where the wait would pass ``max_wait_s``.
    """
    for _ in range(_RACES):
        row = budget_of(connection_id=connection_id)
        now = level_of(row, assumed=assumed, at=at)
        wanted, wait_s = min(points, now.most), now.wait_s(points)
        if wait_s > max_wait_s:
            raise BudgetSpent("The points of this connection are used up for now.", after_s=wait_s)
        if change(row, **_stored(now, left=now.left - wanted, under_way=now.under_way + wanted, at=at)):
            return wait_s
    raise BudgetSpent("Many callers want this connection at once.", after_s=1.0)


def settle(*, connection_id: int, points: float, told: Points | None, assumed: Points, at: datetime) -> None:
    """A call that took points is over; ``told`` is what the vendor's answer says of its budget, None = nothing."""
    for _ in range(_RACES):
        row = budget_of(connection_id=connection_id)
        now = level_of(row, assumed=assumed, at=at)
        under_way = max(0.0, now.under_way - min(points, now.most))
        if told is None or told.restored_per_s <= 0 or told.most <= 0:
            fields = _stored(now, left=now.left, under_way=under_way, at=at)
        else:
            said = Level(left=0.0, under_way=0.0, most=told.most, restored_per_s=told.restored_per_s)
            fields = _stored(said, left=min(told.left, told.most) - under_way, under_way=under_way, at=at)
        if change(row, **fields):
            return


@dataclass(frozen=True, kw_only=True)
class RowPurse:
    """The purse of a link: takes from the connection's row and waits by itself."""

    connection_id: int
    assumed: Points
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    max_wait_s: float = MAX_WAIT_S

    def take(self, points: float) -> None:
        """Wait until the points are there. Raises BudgetSpent where that takes too long."""
        wait_s = take(
            connection_id=self.connection_id,
            points=points,
            assumed=self.assumed,
            at=self.now(),
            max_wait_s=self.max_wait_s,
        )
        if wait_s > 0:
            self.sleep(wait_s)

    def settle(self, points: float, told: Points | None) -> None:
        """The call is over."""
        settle(connection_id=self.connection_id, points=points, told=told, assumed=self.assumed, at=self.now())


def purse_of(
    *,
    connection_id: int,
    assumed: Points,
    now: Callable[[], datetime],
    sleep: Callable[[float], None] = time.sleep,
    max_wait_s: float = MAX_WAIT_S,
) -> Purse:
    """The purse of a connection, for use outside the pump's pool threads."""
    return RowPurse(connection_id=connection_id, assumed=assumed, now=now, sleep=sleep, max_wait_s=max_wait_s)


def _stored(level: Level, *, left: float, under_way: float, at: datetime) -> dict[str, object]:
    return {
        "points_left": left,
        "points_under_way": under_way,
        "points_most": level.most,
        "points_per_s": level.restored_per_s,
        "points_at": at,
    }
