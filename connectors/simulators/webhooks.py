"""The outgoing webhooks of a simulated vendor: a queue, drained by a call in tests or by a thread in the demo."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import requests

from connectors.simulators.clock import Clock
from connectors.simulators.faults import FaultPlan, WebhookFault, WebhookFaultKind

_CALL_TIMEOUT_S = 10


@dataclass(frozen=True, kw_only=True)
class OutgoingWebhook:
    """One HTTP POST to make: complete, with its signature."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class SentWebhook:
    """One delivery that was tried. `status` is None when nothing answered; `error` then names the exception class."""

    topic: str
    webhook: OutgoingWebhook
    status: int | None
    at: datetime
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class PendingWebhook:
    """One delivery that waits. `build` makes the request when it is sent (None: nothing to send any more).

    Two pending webhooks with the same non-empty `merge_key` are one. `on_sent` hears of each attempt.
    """

    topic: str
    build: Callable[[datetime], OutgoingWebhook | None]
    merge_key: str = ""
    on_sent: Callable[[SentWebhook], None] | None = None
    due_at: datetime | None = None
    is_held: bool = False
    is_last: bool = False


@dataclass(kw_only=True)
class WebhookSender:
    """The queue of one vendor. `session` is the injected transport: mount a WSGIAdapter for a receiver in process."""

    clock: Clock
    faults: FaultPlan
    session: requests.Session = field(default_factory=requests.Session)
    sent: list[SentWebhook] = field(default_factory=list)
    dropped: list[PendingWebhook] = field(default_factory=list)
    _queue: list[PendingWebhook] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _delivery_lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = None

    def enqueue(self, pending: PendingWebhook) -> None:
        """Queue one delivery, subject to the webhook faults of the plan."""
        with self._lock:
            if pending.merge_key and any(waiting.merge_key == pending.merge_key for waiting in self._queue):
                return
            self._place(pending, self.faults.take_webhook(pending.topic))

    def requeue(self, pending: PendingWebhook) -> None:
        """Queue a retry: the faults of the plan have had their say at the first attempt."""
        with self._lock:
            self._queue.append(pending)

    def send_now(self, pending: PendingWebhook) -> SentWebhook | None:
        """Deliver at once, past the queue and its faults (a creation ping)."""
        return self._send(pending)

    def deliver_pending(self, *, limit: int | None = None) -> list[SentWebhook]:
        """Send everything that waits and is due, in queue order; deliveries queued meanwhile wait for the next call."""
        with self._delivery_lock:
            attempts = [self._send(pending) for pending in self._take_due(limit)]
        return [attempt for attempt in attempts if attempt is not None]

    def pending(self) -> list[PendingWebhook]:
        """What still waits, held ones included."""
        with self._lock:
            return list(self._queue)

    def release_late(self) -> int:
        """Let every held or late delivery be due now; returns how many there were."""
        with self._lock:
            late = [waiting for waiting in self._queue if waiting.is_held or waiting.due_at is not None]
            self._queue = [replace(waiting, is_held=False, due_at=None) for waiting in self._queue]
            return len(late)

    def start(self, *, interval_s: float = 0.2) -> None:
        """Drain the queue from a background thread until `stop()` (demo mode)."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(interval_s,), daemon=True, name="simulator-webhooks")
        self._thread.start()

    def stop(self) -> None:
        """End the background thread, if there is one, and wait for it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=_CALL_TIMEOUT_S * 2)
            self._thread = None

    def _run(self, interval_s: float) -> None:
        while not self._stop.wait(interval_s):
            self.deliver_pending()

    def _place(self, pending: PendingWebhook, fault: WebhookFault | None) -> None:
        kind = fault.kind if fault else None
        if kind == WebhookFaultKind.DROP:
            self.dropped.append(pending)
        elif kind == WebhookFaultKind.DUPLICATE:
            self._queue += [pending, replace(pending, merge_key="")]
        elif kind == WebhookFaultKind.LATE and fault is not None:
            due_at = self.clock.now() + timedelta(seconds=fault.delay_s) if fault.delay_s else None
            self._queue.append(replace(pending, due_at=due_at, is_held=due_at is None))
        elif kind == WebhookFaultKind.REORDERED:
            # Stays behind whatever is queued later: its place is fixed when the queue is drained.
            self._queue.append(replace(pending, is_last=True))
        else:
            self._queue.append(pending)

    def _take_due(self, limit: int | None) -> list[PendingWebhook]:
        now = self.clock.now()
        with self._lock:
            in_order = [waiting for waiting in self._queue if _is_due(waiting, now) and not waiting.is_last]
            last = [waiting for waiting in self._queue if waiting.is_last]
            due = (in_order + last)[:limit]
            self._queue = [waiting for waiting in self._queue if not any(waiting is taken for taken in due)]
            return due

    def _send(self, pending: PendingWebhook) -> SentWebhook | None:
        webhook = pending.build(self.clock.now())
        if webhook is None:
            return None
        status, error = self._post(webhook)
        attempt = SentWebhook(topic=pending.topic, webhook=webhook, status=status, at=self.clock.now(), error=error)
        self.sent.append(attempt)
        if pending.on_sent is not None:
            pending.on_sent(attempt)
        return attempt

    def _post(self, webhook: OutgoingWebhook) -> tuple[int | None, str]:
        try:
            answer = self.session.post(
                webhook.url,
                data=webhook.body,
                headers=dict(webhook.headers),
                timeout=_CALL_TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return None, type(error).__name__
        return answer.status_code, ""


def _is_due(pending: PendingWebhook, now: datetime) -> bool:
    return not pending.is_held and (pending.due_at is None or pending.due_at <= now)
