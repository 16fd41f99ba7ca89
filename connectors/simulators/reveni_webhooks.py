"""How a simulated Reveni sends its messages: signed, retried by a schedule, and spoilt where a fault says so."""

import json
import re
import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from connectors.signing import sign
from connectors.simulators.webhooks import OutgoingWebhook, PendingWebhook, SentWebhook, WebhookSender

# Standard Webhooks, suggested schedule: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
RETRY_AFTER_S = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
HUGE_BYTES = 11 * 1024 * 1024
STALE_S = 3600
GONE = 410
STANDARD = {"kind": "standard_webhooks"}
REVENI_V1 = {"kind": "reveni_v1", "header": "X-REVENI-SIGNATURE"}


class DeliveryFaultKind(StrEnum):
    """What is wrong with one message; lost, late, doubled and reordered ones are faults of the FaultPlan."""

    BAD_SIGNATURE = "bad_signature"
    STALE_TIMESTAMP = "stale_timestamp"
    OLD_SECRET = "old_secret"  # noqa: S105 - the name of a fault: signed with the secret before the newest
    HUGE_BODY = "huge_body"
    BROKEN_JSON = "broken_json"
    MISSING_REASON = "missing_reason"
    UNKNOWN_STATUS = "unknown_status"
    DUPLICATE_NEW_ID = "duplicate_new_id"


@dataclass(frozen=True, kw_only=True)
class DeliveryFault:
    """One scripted fault of the next messages whose type matches ``topic_pattern`` (a regular expression)."""

    kind: DeliveryFaultKind | str
    topic_pattern: str = ""
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class _Message:
    topic: str
    event_id: str
    body: bytes
    fault: str = ""


@dataclass(kw_only=True)
class EventSender:
    """The messages of one platform account. ``secrets`` are newest first; ``url`` is where deliveries go, '' nowhere.

    ``signs_with_all``: during a rotation every live secret signs (the header is a list).
    """

    sender: WebhookSender
    secrets: list[str]
    is_a2: bool = False
    url: str = ""
    signs_with_all: bool = False
    scripted: list[DeliveryFault] = field(default_factory=list)
    is_stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def send(self, topic: str, event: dict[str, Any], *, new_id: Callable[[], str]) -> None:
        """Queue one event, as the next fault wants it."""
        if not self.url or self.is_stopped:
            return
        fault = self._take_fault(topic)
        spoilt = _spoil(event, fault)
        self._queue(_Message(topic=topic, event_id=event["id"], body=_body(spoilt, fault), fault=fault), attempt=0)
        if fault == DeliveryFaultKind.DUPLICATE_NEW_ID:
            again = {**deepcopy(event), "id": new_id()}
            self._queue(_Message(topic=topic, event_id=again["id"], body=_body(again, "")), attempt=0)

    def _take_fault(self, topic: str) -> str:
        with self._lock:
            for index, fault in enumerate(self.scripted):
                if re.search(fault.topic_pattern, topic):
                    left = fault.times - 1
                    self.scripted[index : index + 1] = [replace(fault, times=left)] if left else []
                    return DeliveryFaultKind(fault.kind).value
            return ""

    def _queue(self, message: _Message, *, attempt: int, due_at: datetime | None = None) -> None:
        self.sender.enqueue(
            PendingWebhook(
                topic=message.topic,
                build=lambda now: self._build(message, now),
                on_sent=lambda sent: self._after(message, sent, attempt),
                due_at=due_at,
            )
        )

    def _build(self, message: _Message, now: datetime) -> OutgoingWebhook | None:
        if self.is_stopped:
            return None
        at = now - timedelta(seconds=STALE_S) if message.fault == DeliveryFaultKind.STALE_TIMESTAMP else now
        headers = self._signature(message, at)
        return OutgoingWebhook(url=self.url, headers={"Content-Type": "application/json", **headers}, body=message.body)

    def _signature(self, message: _Message, at: datetime) -> dict[str, str]:
        verifier = REVENI_V1 if self.is_a2 else STANDARD
        secrets = self.secrets if self.signs_with_all and not self.is_a2 else self.secrets[:1]
        if message.fault == DeliveryFaultKind.OLD_SECRET:
            secrets = self.secrets[1:2] or self.secrets[:1]
        body = message.body + b"x" if message.fault == DeliveryFaultKind.BAD_SIGNATURE else message.body
        signed = [
            sign(verifier=verifier, secret=secret, body=body, at=at, message_id=message.event_id) for secret in secrets
        ]
        if not self.is_a2:
            signed[0]["webhook-signature"] = " ".join(one["webhook-signature"] for one in signed)
        return signed[0]

    def _after(self, message: _Message, sent: SentWebhook, attempt: int) -> None:
        """Any 2xx is success, 410 stops the sender for good, everything else is tried again by the schedule."""
        if sent.status == GONE:
            self.is_stopped = True
        elif (sent.status is None or not 200 <= sent.status < 300) and attempt < len(RETRY_AFTER_S):
            due_at = self.sender.clock.now() + timedelta(seconds=RETRY_AFTER_S[attempt])
            # Only the first attempt is spoilt: what was wrong with the signature is right the next time.
            honest = replace(message, fault="")
            self._queue(honest, attempt=attempt + 1, due_at=due_at)


def _spoil(event: dict[str, Any], fault: str) -> dict[str, Any]:
    spoilt = deepcopy(event)
    data = spoilt["data"]
    inner = data.get("return") or data.get("object") or {}
    if fault == DeliveryFaultKind.MISSING_REASON:
        for item in inner.get("items", []):
            item["reason_code"] = None
    elif fault == DeliveryFaultKind.UNKNOWN_STATUS:
        inner["status"] = "teleported"
        if "status" in data:
            data["status"] = "teleported"
    elif fault == DeliveryFaultKind.HUGE_BODY:
        spoilt["padding"] = "x" * HUGE_BYTES
    return spoilt


def _body(event: dict[str, Any], fault: str) -> bytes:
    body = json.dumps(event, ensure_ascii=False).encode()
    return body[: len(body) // 2] if fault == DeliveryFaultKind.BROKEN_JSON else body
