"""The leaky bucket of query costs: real arithmetic by the simulator's clock (shopify.md section 3)."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.simulators.clock import Clock


@dataclass(kw_only=True)
class Bucket:
    """Points one app may spend on one shop. `throttled` counts calls that were refused."""

    clock: Clock
    size: int = 2000
    restore_rate: int = 100
    throttled: int = 0
    spent: int = 0
    _level: float = 0
    _at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, points: int) -> bool:
        """Reserve what a query may cost; False (and counted) where the bucket has less."""
        with self._lock:
            self._refill()
            if self._level < points:
                self.throttled += 1
                return False
            self._level -= points
            self.spent += points
            return True

    def give_back(self, points: int) -> None:
        """Return the difference between the requested and the actual cost."""
        with self._lock:
            self._level = min(self.size, self._level + points)
            self.spent -= points

    def drain(self, left: float = 0) -> None:
        """Leave only this much: another integration of the same app has spent the rest."""
        with self._lock:
            self._refill()
            self._level = left

    def status(self) -> dict[str, Any]:
        """The throttleStatus of an answer."""
        with self._lock:
            self._refill()
            return {
                "maximumAvailable": self.size,
                "currentlyAvailable": int(self._level),
                "restoreRate": self.restore_rate,
            }

    def _refill(self) -> None:
        now = self.clock.now()
        if self._at is None:
            self._level = self.size
        else:
            passed = max(0.0, (now - self._at).total_seconds())
            self._level = min(self.size, self._level + passed * self.restore_rate)
        self._at = now
