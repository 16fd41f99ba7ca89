"""Scripted and random faults of a simulated vendor.

A fault of a request is applied by `connectors.simulators.base.Simulator`, a fault of a webhook by
`connectors.simulators.webhooks.WebhookSender`. Both kinds are kept in one `FaultPlan`.
"""

import random
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar


class FaultKind(StrEnum):
    """What goes wrong with one request."""

    LOST_ANSWER = "lost_answer"  # the change is made, then the connection drops
    LOST_REQUEST = "lost_request"  # the connection drops before anything is done
    LATE_COMMIT = "late_commit"  # the caller gives up first, the change is made afterwards
    RATE_LIMITED = "rate_limited"  # 429 with Retry-After, nothing done
    SERVER_ERROR = "server_error"  # 5xx with an HTML body, nothing done
    SERVER_ERROR_AFTER_COMMIT = "server_error_after_commit"  # the change is made, the answer is a 5xx page
    SLOW = "slow"  # the answer takes delay_s


class WebhookFaultKind(StrEnum):
    """What goes wrong with one webhook."""

    DUPLICATE = "duplicate"  # sent twice
    REORDERED = "reordered"  # sent after everything else that waits
    LATE = "late"  # sent delay_s later; with 0 only after release_late()
    DROP = "drop"  # never sent


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One scripted fault. `path_pattern` is a regular expression searched in the path; `method` may be "*".

    It skips the first `after` matching requests and then hits `times` of them. `as_timeout` makes a dropped
    connection look like a read time-out to a caller in process. `delay_s` is the delay of SLOW and, for
    LATE_COMMIT, the time by the simulator's clock after which the change is made (0: only by `release()`).
    """

    kind: FaultKind | str
    method: str = "*"
    path_pattern: str = ""
    times: int = 1
    after: int = 0
    delay_s: float = 0
    status: int = 503
    retry_after_s: int = 1
    as_timeout: bool = False
    body: str = "<html><body><h1>Error</h1><p>The server cannot answer now.</p></body></html>"
    content_type: str = "text/html; charset=UTF-8"

    def matches(self, method: str, path: str) -> bool:
        """Does this fault concern the request?"""
        return self.method in ("*", method) and re.search(self.path_pattern, path) is not None


@dataclass(frozen=True, kw_only=True)
class WebhookFault:
    """One scripted fault of outgoing webhooks whose topic matches `topic_pattern` (a regular expression)."""

    kind: WebhookFaultKind | str
    topic_pattern: str = ""
    times: int = 1
    after: int = 0
    delay_s: float = 0


_AnyFault = TypeVar("_AnyFault", Fault, WebhookFault)


@dataclass(kw_only=True)
class _Random:
    """Probabilities per kind, drawn from a seeded generator so that a run can be repeated."""

    generator: random.Random
    probabilities: Mapping[str, float]
    template: Fault
    path_pattern: str

    def draw(self, method: str, path: str) -> Fault | None:
        if re.search(self.path_pattern, path) is None or self.template.method not in ("*", method):
            return None
        point = self.generator.random()
        for kind in sorted(self.probabilities):
            point -= self.probabilities[kind]
            if point < 0:
                return replace(self.template, kind=FaultKind(kind))
        return None


@dataclass(kw_only=True)
class FaultPlan:
    """The faults still to come, in order: the first that matches a request is used up by it."""

    scripted: list[Fault] = field(default_factory=list)
    webhooks: list[WebhookFault] = field(default_factory=list)
    _random: _Random | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def script(self, *faults: Fault | WebhookFault) -> None:
        """Append faults to the plan."""
        with self._lock:
            for fault in faults:
                if isinstance(fault, Fault):
                    self.scripted.append(replace(fault, kind=FaultKind(fault.kind)))
                else:
                    self.webhooks.append(replace(fault, kind=WebhookFaultKind(fault.kind)))

    def randomise(
        self, *, seed: int, probabilities: Mapping[str, float], template: Fault | None = None, path_pattern: str = ""
    ) -> None:
        """Besides the script, hit requests at random: `probabilities` maps a fault kind to its share (0 to 1)."""
        if sum(probabilities.values()) > 1:
            raise ValueError("the probabilities of all fault kinds together may not pass 1")
        shape = template or Fault(kind=FaultKind.SLOW)
        generator = random.Random(seed)  # noqa: S311 - repeatable faults, no secret
        self._random = _Random(
            generator=generator, probabilities=dict(probabilities), template=shape, path_pattern=path_pattern
        )

    def clear(self) -> None:
        """No more faults of any kind."""
        with self._lock:
            self.scripted.clear()
            self.webhooks.clear()
            self._random = None

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, used up by asking."""
        with self._lock:
            for index, fault in enumerate(self.scripted):
                if not fault.matches(method, path):
                    continue
                is_hit = fault.after == 0
                _count_down(self.scripted, index)
                return fault if is_hit else None
            return self._random.draw(method, path) if self._random else None

    def take_webhook(self, topic: str) -> WebhookFault | None:
        """The fault that hits this webhook, used up by asking."""
        with self._lock:
            for index, fault in enumerate(self.webhooks):
                if re.search(fault.topic_pattern, topic) is None:
                    continue
                is_hit = fault.after == 0
                _count_down(self.webhooks, index)
                return fault if is_hit else None
            return None


def _count_down(faults: list[_AnyFault], index: int) -> None:
    """One matching event has passed: skip it, or use the fault up."""
    fault = faults[index]
    if fault.after:
        faults[index] = replace(fault, after=fault.after - 1)
    elif fault.times > 1:
        faults[index] = replace(fault, times=fault.times - 1)
    else:
        del faults[index]
