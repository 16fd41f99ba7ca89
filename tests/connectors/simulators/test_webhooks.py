"""The queue of outgoing webhooks and its faults."""

from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Any

from connectors.simulators.base import FaultPlan, SimulatedClock, WebhookFault
from connectors.simulators.webhooks import OutgoingWebhook, PendingWebhook, WebhookSender
from connectors.simulators.wsgi_transport import mounted_session
from tests.connectors.simulators.echo import START, Counter


def sender_to(receiver: Callable[..., Any]) -> tuple[WebhookSender, SimulatedClock]:
    clock = SimulatedClock(START)
    return WebhookSender(clock=clock, faults=FaultPlan(), session=mounted_session(receiver, "http://in.test")), clock


def pending(name: str, *, merge_key: str = "") -> PendingWebhook:
    def build(now: datetime) -> OutgoingWebhook:
        return OutgoingWebhook(url="http://in.test/hook", headers={}, body=name.encode())

    return PendingWebhook(topic=f"{name}.changed", build=build, merge_key=merge_key)


def deliver(*names: str, fault: WebhookFault) -> tuple[list[bytes], WebhookSender, SimulatedClock, Counter]:
    receiver = Counter()
    sender, clock = sender_to(receiver)
    sender.faults.script(fault)
    for name in names:
        sender.enqueue(pending(name))
    sender.deliver_pending()
    return list(receiver.bodies), sender, clock, receiver


def test_deliveries_go_out_in_order_and_are_kept() -> None:
    receiver = Counter()
    sender, _ = sender_to(receiver)
    for name in ("a", "b"):
        sender.enqueue(pending(name))
    assert [(attempt.topic, attempt.status, attempt.at) for attempt in sender.deliver_pending()] == [
        ("a.changed", 200, START),
        ("b.changed", 200, START),
    ]
    assert receiver.bodies == [b"a", b"b"]
    assert sender.pending() == []
    assert len(sender.sent) == 2


def test_the_same_merge_key_waits_once() -> None:
    receiver = Counter()
    sender, _ = sender_to(receiver)
    for name in ("a", "b"):
        sender.enqueue(pending(name, merge_key="1:7"))
    sender.deliver_pending()
    sender.enqueue(pending("c", merge_key="1:7"))
    sender.deliver_pending()
    assert receiver.bodies == [b"a", b"c"]


def test_a_duplicate_is_sent_twice() -> None:
    bodies, *_ = deliver("a", "b", fault=WebhookFault(kind="duplicate", topic_pattern="^a"))
    assert bodies == [b"a", b"a", b"b"]


def test_a_reordered_one_comes_last() -> None:
    bodies, *_ = deliver("a", "b", "c", fault=WebhookFault(kind="reordered", topic_pattern="^a"))
    assert bodies == [b"b", b"c", b"a"]


def test_a_dropped_one_never_comes() -> None:
    bodies, sender, _, _ = deliver("a", "b", fault=WebhookFault(kind="drop", topic_pattern="^a"))
    assert bodies == [b"b"]
    assert [waiting.topic for waiting in sender.dropped] == ["a.changed"]


def test_a_late_one_comes_after_its_delay() -> None:
    bodies, sender, clock, receiver = deliver("a", "b", fault=WebhookFault(kind="late", topic_pattern="^a", delay_s=60))
    assert bodies == [b"b"]
    clock.advance(60)
    sender.deliver_pending()
    assert receiver.bodies == [b"b", b"a"]


def test_a_late_one_without_delay_comes_when_it_is_released() -> None:
    bodies, sender, clock, receiver = deliver("a", fault=WebhookFault(kind="late"))
    clock.advance(10**6)
    sender.deliver_pending()
    assert receiver.bodies == bodies == []
    assert sender.release_late() == 1
    sender.deliver_pending()
    assert receiver.bodies == [b"a"]


def test_nobody_listening_is_an_attempt_without_status() -> None:
    def broken(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise AssertionError("never reached")

    sender, _ = sender_to(broken)
    sender.session = mounted_session(broken, "http://elsewhere.test")
    sender.session.adapters.clear()
    sender.enqueue(pending("a"))
    (attempt,) = sender.deliver_pending()
    assert (attempt.status, attempt.error) == (None, "InvalidSchema")


def test_the_background_thread_drains_the_queue() -> None:
    arrived = Event()

    def receiver(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        arrived.set()
        start_response("200 OK", [])
        return [b""]

    sender, _ = sender_to(receiver)
    sender.start(interval_s=0.01)
    try:
        sender.enqueue(pending("a"))
        assert arrived.wait(timeout=10)
    finally:
        sender.stop()
