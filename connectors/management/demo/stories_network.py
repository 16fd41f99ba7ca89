"""Stories in which the network and the systems behave badly, and which end as if they had not."""

from collections.abc import Callable
from typing import Any, Final

from connectors.management.demo.teller import Asked, Story, Teller
from connectors.management.demo.teller_reveni import ReveniTeller
from connectors.management.demo.teller_woocommerce import WooTeller
from connectors.simulators.base import FaultKind, WebhookFaultKind
from connectors.simulators.reveni_webhooks import DeliveryFaultKind


def _due(t: Teller) -> Asked:
    """A return whose goods are in and judged; only the money is open."""
    asked = t.ask(t.order(("tee", 2)))
    t.arrived(asked)
    t.judge(asked)
    return asked


def _spoilt(kind: FaultKind, *, delay_s: float = 0, times: int = 1) -> Callable[[Teller], Story]:
    def story(t: Teller) -> Story:
        asked = _due(t)
        yield
        t.spoil_refund(asked.order, kind, delay_s=delay_s, times=times)
        t.pay(asked)
        yield

    return story


lost_answer_of_a_refund = _spoilt(FaultKind.LOST_ANSWER)
late_commit_of_a_refund = _spoilt(FaultKind.LATE_COMMIT, delay_s=2)
error_after_the_refund = _spoilt(FaultKind.SERVER_ERROR_AFTER_COMMIT)
throttled_refund = _spoilt(FaultKind.RATE_LIMITED, times=2)


def lost_answer_of_a_restock(t: WooTeller) -> Story:
    """The shop put the goods back and its answer never came."""
    asked = t.ask(t.order(("tee", 1)))
    t.arrived(asked)
    yield
    t.spoil_calls(asked.order, FaultKind.LOST_ANSWER)
    t.judge(asked)
    yield
    t.pay(asked)
    yield


def lost_answer_of_a_note(t: WooTeller) -> Story:
    """The shop wrote the note and its answer never came."""
    order = t.order(("tee", 1))
    t.spoil_calls(order, FaultKind.LOST_ANSWER, path="/notes$")
    asked = t.ask(order)
    t.arrived(asked)
    yield
    t.judge(asked)
    t.pay(asked)
    yield


def slow_shop(t: WooTeller) -> Story:
    """The shop takes its time."""
    asked = _due(t)
    yield
    t.spoil_calls(asked.order, FaultKind.SLOW, delay_s=1)
    t.pay(asked)
    yield


def _told_badly(
    kind: WebhookFaultKind | DeliveryFaultKind, *, times: int = 1, delay_s: float = 0
) -> Callable[[ReveniTeller], Story]:
    def story(t: ReveniTeller) -> Story:
        asked = t.ask(t.order(("socks", 2)))
        t.arrived(asked)
        t.judge(asked)
        yield
        how = {"delay_s": delay_s} if delay_s else {}
        t.spoil_webhook(kind, times=times, **how)
        t.pay(asked)
        yield

    return story


duplicate_events = _told_badly(WebhookFaultKind.DUPLICATE)
duplicate_with_a_new_id = _told_badly(DeliveryFaultKind.DUPLICATE_NEW_ID)
late_event = _told_badly(WebhookFaultKind.LATE, delay_s=4)
lost_event = _told_badly(WebhookFaultKind.DROP)
badly_signed_first = _told_badly(DeliveryFaultKind.BAD_SIGNATURE)


def reordered_events(t: ReveniTeller) -> Story:
    """The refund is told first, the authorisation last."""
    order = t.order(("dress", 1))
    t.spoil_webhook(WebhookFaultKind.REORDERED, times=4)
    asked = t.ask(order)
    t.arrived(asked)
    t.judge(asked)
    t.pay(asked)
    yield


NETWORK: Final[dict[str, Callable[[Any], Story]]] = {
    "lost_answer_of_a_refund": lost_answer_of_a_refund,
    "late_commit_of_a_refund": late_commit_of_a_refund,
    "error_after_the_refund": error_after_the_refund,
    "throttled_refund": throttled_refund,
    "lost_answer_of_a_restock": lost_answer_of_a_restock,
    "lost_answer_of_a_note": lost_answer_of_a_note,
    "slow_shop": slow_shop,
    "duplicate_events": duplicate_events,
    "duplicate_with_a_new_id": duplicate_with_a_new_id,
    "late_event": late_event,
    "lost_event": lost_event,
    "badly_signed_first": badly_signed_first,
    "reordered_events": reordered_events,
}
