"""Webhook bodies and polled hints as facts. Pure.

A delivery only says "look at this order again": bodies arrive late, twice and in any order, and a retry carries what
was true hours ago (shopify.md section 13). So every topic about an order gives one OrderMayHaveChanged.
"""

from collections.abc import Mapping
from typing import Any, Final

from connectors.ports import Normalised, Payload, Problem
from connectors.shopify.links import API_VERSION, gid, is_ending, is_gid, version_ends_on
from returnsops.facts import OrderMayHaveChanged
from returnsops.states import CASE_API_VERSION, CASE_API_VERSION_ENDING, CASE_UNMAPPED_EVENT, CASE_UNREADABLE_EVENT

Json = Any

POLLED_ORDER: Final = "poll.order"
POLLED_VERSION: Final = "poll.api_version"

# Where the body of a topic names its order: a path to its global or numeric id (section 13, body shapes).
_ORDER_PATHS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    POLLED_ORDER: (("id",),),
    "orders/create": (("admin_graphql_api_id",), ("id",)),
    "orders/updated": (("admin_graphql_api_id",), ("id",)),
    "orders/cancelled": (("admin_graphql_api_id",), ("id",)),
    "orders/paid": (("admin_graphql_api_id",), ("id",)),
    "orders/fulfilled": (("admin_graphql_api_id",), ("id",)),
    "orders/delete": (("admin_graphql_api_id",), ("id",)),
    "orders/edited": (("order_edit", "order_id"),),
    "refunds/create": (("order_id",),),
    "order_transactions/create": (("order_id",),),
    "returns/request": (("order", "admin_graphql_api_id"), ("order", "id")),
    "returns/approve": (("order", "admin_graphql_api_id"), ("order", "id")),
    "returns/decline": (("order", "admin_graphql_api_id"), ("order", "id")),
    "returns/cancel": (("order_id",),),
    "returns/close": (("order_id",),),
    "returns/reopen": (("order_id",),),
}
_WITHOUT_ORDER: Final[Mapping[str, str]] = {
    "returns/update": "It names only the return; orders/updated and polling bring its order.",
    "returns/process": "It names only the return; orders/updated and polling bring its order.",
    "app/uninstalled": "The next call is refused and pauses the connection.",
    "app/scopes_update": "check_connection compares the scopes.",
}
_NOT_OURS: Final = ("products/", "customers/", "inventory_levels/", "inventory_items/", "reverse_", "bulk_operations/")


def normalise(payload: Payload) -> Normalised:
    """At most one OrderMayHaveChanged; what cannot be understood is a Problem, what rightly means nothing says why."""
    if payload.topic in _ORDER_PATHS:
        return _hint(payload)
    if payload.topic == POLLED_VERSION:
        return _version(payload)
    if payload.topic in _WITHOUT_ORDER:
        return Normalised(ignored_because=_WITHOUT_ORDER[payload.topic])
    if payload.topic.startswith(_NOT_OURS):
        return Normalised(ignored_because="Products, customers and stock are read when an order needs them.")
    text = f"Shopify sent the topic {payload.topic[:80]!r}, which is not known here."
    return Normalised(problems=(Problem(case_kind=CASE_UNMAPPED_EVENT, text=text),))


def order_id_of(topic: str, document: Json) -> str:
    """The global id of the order a delivery is about, '' where its body does not say."""
    for path in _ORDER_PATHS.get(topic, ()):
        found = gid("Order", _at(document, path) or "")
        if is_gid(found, "Order"):
            return found
    return ""


def _version(payload: Payload) -> Normalised:
    """A case until a round finds that the version asked for answers, and that it does not end soon."""
    document = payload.document if isinstance(payload.document, Mapping) else {}
    asked, served = str(document.get("asked")), str(document.get("served"))
    now_asked = str(payload.settings.get("api_version") or API_VERSION)
    if now_asked not in (asked, served):
        return Normalised(ignored_because="Another version is asked for by now; the next round of polling says more.")
    if served != now_asked:
        text = f"Shopify answered with API version {served} where {asked} was asked for."
        problem = Problem(case_kind=CASE_API_VERSION, text=text, standing=f"{asked} {served}")
        return Normalised(problems=(problem,), is_whole=True)
    if is_ending(served, on=payload.received_at.date()):
        text = (
            f"API version {served} is supported until {version_ends_on(served)} at least. Then Shopify answers with a"
            " newer one, whose changes nobody has read."
        )
        problem = Problem(case_kind=CASE_API_VERSION_ENDING, text=text, standing=served)
        return Normalised(problems=(problem,), is_whole=True)
    return Normalised(is_whole=True)


def _at(document: Json, path: tuple[str, ...]) -> object:
    for step in path:
        document = document.get(step) if isinstance(document, Mapping) else None
    return document if isinstance(document, int | str) and not isinstance(document, bool) else None


def _hint(payload: Payload) -> Normalised:
    order_id = order_id_of(payload.topic, payload.document)
    if not order_id:
        text = f"A signed delivery of topic {payload.topic[:80]!r} does not say which order it is about."
        return Normalised(problems=(Problem(case_kind=CASE_UNREADABLE_EVENT, text=text),))
    return Normalised(facts=(OrderMayHaveChanged(occurred_at=payload.received_at, order_id=order_id),))
