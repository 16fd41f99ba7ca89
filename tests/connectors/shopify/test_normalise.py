"""Deliveries and polled rows as hints; signatures and duplicates before them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.ports import Inbound, Payload, Reception
from connectors.shopify.normalise import POLLED_ORDER, POLLED_VERSION, normalise
from connectors.shopify.receiving import VERIFIER, receive
from returnsops import states
from returnsops.facts import OrderMayHaveChanged
from tests.connectors.shopify.scripted import NOW, config

ORDER = "gid://shopify/Order/1001"
DELETED: dict[str, Any] = {"id": 1001}


def normalised(topic: str, document: Any, *, received_at: datetime = NOW, **settings: Any) -> Any:
    return normalise(
        Payload(topic=topic, document=document, received_at=received_at, account="shop", settings=settings)
    )


def received(topic: str, document: Any, **headers: str) -> Reception:
    given = {"x-shopify-topic": topic, "x-shopify-hmac-sha256": "c2lnbmVk", "x-shopify-webhook-id": "w-1"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return receive(Inbound(headers=given, body=json.dumps(document).encode(), received_at=NOW), config())


@pytest.mark.parametrize(
    ("topic", "document"),
    [
        ("orders/updated", {"id": 1001, "admin_graphql_api_id": ORDER}),
        ("orders/delete", DELETED),
        ("orders/edited", {"order_edit": {"id": 801, "order_id": 1001}}),
        ("refunds/create", {"id": 501, "admin_graphql_api_id": "gid://shopify/Refund/501", "order_id": 1001}),
        ("order_transactions/create", {"id": 701, "order_id": 1001}),
        ("returns/approve", {"id": 61, "order": {"id": 1001, "admin_graphql_api_id": ORDER}}),
        ("returns/close", {"id": 61, "order_id": 1001, "status": "closed"}),
        (POLLED_ORDER, {"id": ORDER}),
    ],
)
def test_every_topic_about_an_order_says_look_at_it_again(topic: str, document: Any) -> None:
    assert normalised(topic, document).facts == (OrderMayHaveChanged(occurred_at=NOW, order_id=ORDER),)
    reception = received(topic, document)
    assert (reception.kind, reception.hint_key, reception.subject_key) == ("event", f"order:{ORDER}", f"order:{ORDER}")


@pytest.mark.parametrize("document", [{}, {"id": True}, {"id": None}, {"id": "x/1"}, [], None, {"id": {"id": 1}}])
def test_a_delivery_that_names_no_order_is_a_problem(document: Any) -> None:
    (problem,) = normalised("orders/updated", document).problems
    assert problem.case_kind == states.CASE_UNREADABLE_EVENT


def test_what_means_nothing_says_why_and_what_is_unknown_is_a_problem() -> None:
    for topic in ("returns/update", "returns/process", "app/uninstalled", "products/update", "inventory_levels/update"):
        assert normalised(topic, {}).ignored_because
    (problem,) = normalised("carts/exploded", {}).problems
    assert (problem.case_kind, "carts/exploded" in problem.text) == (states.CASE_UNMAPPED_EVENT, True)


def test_another_api_version_is_a_case_until_it_is_asked_for() -> None:
    said = {"asked": "2026-07", "served": "2026-10"}
    (problem,) = normalised(POLLED_VERSION, said).problems
    assert (problem.case_kind, "2026-10" in problem.text) == (states.CASE_API_VERSION, True)
    heard = normalised(POLLED_VERSION, said, api_version="2026-10")
    assert (heard.problems, heard.is_whole) == ((), True)
    late = normalised(POLLED_VERSION, said, api_version="2027-01")  # read before the setting was changed
    assert (late.problems, late.is_whole, bool(late.ignored_because)) == ((), False, True)


@pytest.mark.parametrize(
    ("version", "on", "is_told"),
    [
        ("2026-04", datetime(2027, 1, 30, tzinfo=UTC), False),
        ("2026-04", datetime(2027, 1, 31, tzinfo=UTC), True),
        ("2026-04", datetime(2027, 4, 2, tzinfo=UTC), True),
        ("unstable", datetime(2027, 4, 2, tzinfo=UTC), False),
    ],
)
def test_a_version_whose_year_is_nearly_over_is_told_with_the_date(version: str, on: datetime, is_told: bool) -> None:
    said = {"asked": version, "served": version}
    heard = normalised(POLLED_VERSION, said, received_at=on, api_version=version)
    kinds = [problem.case_kind for problem in heard.problems]
    assert (kinds, heard.is_whole) == ([states.CASE_API_VERSION_ENDING] if is_told else [], True)
    assert all("until 2027-04-01 at least" in problem.text for problem in heard.problems)


def test_a_delivery_is_one_by_its_event_its_topic_and_its_order() -> None:
    """A retry has the same webhook id; another subscription the same event id; another order is another delivery."""
    order = {"id": 1001}
    again = [
        received("orders/updated", order, x_shopify_webhook_id=hook, x_shopify_event_id="e-1")
        for hook in ("w-1", "w-2")
    ]
    assert {reception.delivery_key for reception in again} == {f"event:e-1:orders/updated:{ORDER}"}
    assert received("orders/paid", order, x_shopify_event_id="e-1").delivery_key != again[0].delivery_key
    assert received("orders/updated", {"id": 7}, x_shopify_event_id="e-1").delivery_key != again[0].delivery_key
    assert received("orders/updated", order).delivery_key == "webhook:w-1"


def test_what_has_no_signature_of_shopify_is_unsigned() -> None:
    bare = Inbound(headers={"x-shopify-topic": "orders/updated"}, body=b"{}", received_at=NOW)
    assert receive(bare, config()).kind == "unsigned"
    assert receive(Inbound(headers={}, body=b"", received_at=NOW), config()).kind == "unsigned"
    assert received("orders/updated", None).hint_key == ""
    assert VERIFIER["secret"] == "client_secret"
