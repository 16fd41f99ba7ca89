"""Webhook bodies and polled hints as facts. Pure.

A delivery is only "look at this order again": its body is built when the shop's queue runs, may be newer or older than
the event, and arrives in any order (observed 7). So every topic about an order gives one OrderMayHaveChanged, also a
deletion: the reading decides what became of the order.
"""

from typing import Any, Final

from connectors.ports import Normalised, Payload, Problem
from returnsops.facts import OrderMayHaveChanged
from returnsops.states import CASE_UNMAPPED_EVENT, CASE_UNREADABLE_EVENT

Json = Any

POLLED_ORDER: Final = "poll.order"
POLLED_REFUND: Final = "poll.refund"
REFUND_CREATED: Final = "action.woocommerce_refund_created"

# Custom topics whose ``arg`` is an order id (observed 7).
_ORDER_ACTIONS: Final = frozenset({"action.woocommerce_order_refunded", "action.woocommerce_order_status_changed"})
_NOT_OURS: Final = ("product.", "coupon.", "customer.")


def normalise(payload: Payload) -> Normalised:
    """At most one OrderMayHaveChanged; what cannot be understood is a Problem, what rightly means nothing says why."""
    if _is_about_an_order(payload.topic):
        return _hint(payload)
    if payload.topic == REFUND_CREATED:
        because = "It names only the refund; order.updated and the polling of refunds bring its order."
        return Normalised(ignored_because=because)
    if payload.topic.startswith(_NOT_OURS):
        return Normalised(ignored_because="Products, coupons and customers are read when an order needs them.")
    text = f"WooCommerce sent the topic {payload.topic[:80]!r}, which is not known here."
    return Normalised(problems=(Problem(case_kind=CASE_UNMAPPED_EVENT, text=text),))


def order_id_of(topic: str, document: Json) -> str:
    """The order a delivery is about, '' where its body does not say."""
    if not isinstance(document, dict) or not _is_about_an_order(topic):
        return ""
    value = document.get("arg") if topic in _ORDER_ACTIONS else document.get("id")
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value)
    return text if text.isascii() and text.isdigit() and text.strip("0") else ""


def _is_about_an_order(topic: str) -> bool:
    return topic.startswith("order.") or topic in _ORDER_ACTIONS or topic in (POLLED_ORDER, POLLED_REFUND)


def _hint(payload: Payload) -> Normalised:
    order_id = order_id_of(payload.topic, payload.document)
    if not order_id:
        text = f"A signed delivery of topic {payload.topic[:80]!r} does not say which order it is about."
        return Normalised(problems=(Problem(case_kind=CASE_UNREADABLE_EVENT, text=text),))
    return Normalised(facts=(OrderMayHaveChanged(occurred_at=payload.received_at, order_id=order_id),))
