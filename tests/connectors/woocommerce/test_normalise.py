"""What webhooks and polled hints mean."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.ports import Normalised, Payload
from connectors.woocommerce.normalise import normalise
from returnsops.facts import OrderMayHaveChanged
from tests.connectors.woocommerce.recordings import webhooks_of

AT = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


def facts_of(topic: str, document: Any) -> Normalised:
    return normalise(Payload(topic=topic, document=document, received_at=AT, account="shop"))


@pytest.mark.parametrize(
    ("topic", "document", "order_id"),
    [
        ("order.created", {"id": 55, "status": "processing"}, "55"),
        ("order.updated", {"id": 55}, "55"),
        ("order.restored", {"id": 55}, "55"),
        ("order.deleted", {"id": 55}, "55"),
        ("action.woocommerce_order_refunded", {"action": "woocommerce_order_refunded", "arg": 51}, "51"),
        ("action.woocommerce_order_status_changed", {"action": "x", "arg": "51"}, "51"),
        ("poll.order", {"id": "7"}, "7"),
        ("poll.refund", {"id": "7", "refund_id": "9"}, "7"),
    ],
)
def test_look_at_this_order_again(topic: str, document: Any, order_id: str) -> None:
    assert facts_of(topic, document) == Normalised(facts=(OrderMayHaveChanged(occurred_at=AT, order_id=order_id),))


@pytest.mark.parametrize(
    "document",
    [{}, [], None, "55", {"id": None}, {"id": 0}, {"id": "abc"}, {"id": True}, {"id": {"id": 5}}, {"code": "error"}],
)
def test_an_order_topic_without_an_order_is_a_problem(document: Any) -> None:
    result = facts_of("order.updated", document)
    assert result.facts == ()
    assert [problem.case_kind for problem in result.problems] == ["unreadable_event"]


@pytest.mark.parametrize("topic", ["product.updated", "coupon.created", "action.woocommerce_refund_created"])
def test_what_rightly_means_nothing_says_why(topic: str) -> None:
    result = facts_of(topic, {"id": 1, "arg": 1})
    assert (result.facts, result.problems) == ((), ())
    assert result.ignored_because


def test_an_unknown_topic_is_a_case() -> None:
    assert [p.case_kind for p in facts_of("action.something_else", {"arg": 1}).problems] == ["unmapped_event"]


def test_all_recorded_deliveries() -> None:
    outcomes: dict[str, list[str]] = {}
    for name in (
        "received_trash_order",
        "received_two_orders_changed_before_the_queue_runs",
        "received_create_paid_order",
    ):
        for headers, body in webhooks_of(f"webhooks/{name}"):
            topic = headers["x-wc-webhook-topic"]
            facts = facts_of(topic, json.loads(body)).facts
            outcomes.setdefault(topic, []).extend(f.order_id for f in facts if isinstance(f, OrderMayHaveChanged))

    assert outcomes["order.deleted"] == ["55"]
    assert outcomes["order.updated"][:2] == ["55", "56"]
    assert outcomes["product.updated"] == []
