"""What a return shows of that which we may have told its platform: pushed, pulled, and in the vendor's dialect."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.ports import Payload
from connectors.returns_contract.receiving import TOPIC_PULLED
from connectors.reveni.normalise import normalise
from connectors.reveni.shown import shown_facts, whole_of
from connectors.simulators import reveni_documents as documents
from connectors.simulators.reveni import assumed_mapping
from returnsops.facts import PlatformShowed

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
SEEN = {"write_back_seen": {"already_refunded": {"path": "$.external_refunds[*].reference", "field": "reference"}}}


def returned(**extra: Any) -> dict[str, Any]:
    """A return with an exchange whose order somebody entered there."""
    document = documents.new_return(
        return_id="ret_1",
        number="RMA-1",
        order_id="7",
        order_number="7",
        items=[{"sku": "TEE"}],
        currency="EUR",
        mode="on_receipt",
        resolution="exchange",
        email="shopper@example.com",
        channel="",
        now=AT,
    )
    exchange = {"id": "exc_1", "instant": False, "lines": [], "commerce_order_id": "4711", "status": "requested"}
    return {**document, "exchanges": [exchange], **extra}


def showed(payload: Payload) -> list[tuple[str, str, tuple[str, ...]]]:
    """Message, field and values of the facts of that kind."""
    found = [fact for fact in normalise(payload).facts if isinstance(fact, PlatformShowed)]
    assert {(fact.return_id, fact.occurred_at) for fact in found} <= {("ret_1", AT)}
    return [(fact.message, fact.field, fact.values) for fact in found]


def payload(topic: str, document: Any, **changes: Any) -> Payload:
    """A stored body of the connection."""
    return Payload(topic=topic, document=document, received_at=AT, account="reveni", **changes)


def test_a_pulled_return_shows_all_of_it() -> None:
    document = returned(external_refunds=[{"reference": "900"}, {"reference": "901"}])
    assert showed(payload(TOPIC_PULLED, document, settings=SEEN)) == [
        ("already_refunded", "reference", ("900", "901")),
        ("exchange_order", "exchange_order_id", ("4711",)),
    ]
    assert showed(payload(TOPIC_PULLED, returned(exchanges=[]))) == []


def test_a_pushed_event_shows_the_entry_it_is_about() -> None:
    document = returned()
    block = {"exchange": {name: value for name, value in document["exchanges"][0].items() if name != "status"}}
    event = documents.contract_event(
        event_id="evt_1", type="exchange.requested", document=document, block=block, account_id="store_12", now=AT
    )
    assert showed(payload("exchange.requested", event)) == [("exchange_order", "exchange_order_id", ("4711",))]


def test_a_message_in_the_vendors_dialect_shows_what_its_mapping_carries() -> None:
    event = documents.a2_event(event_id="evt_1", document=returned(), is_first=True, has_object=True, now=AT)
    found = showed(payload("a2.return.created", event, mapping=assumed_mapping()))
    assert found == [("exchange_order", "exchange_order_id", ("4711",))]


@pytest.mark.parametrize("document", [None, [], {"data": None}, {"data": {"return": 1}}])
def test_a_body_without_a_return_shows_nothing(document: Any) -> None:
    assert whole_of(document) == {}
    assert list(shown_facts(whole_of(document), settings={}, at=AT)) == []


def test_a_body_that_gives_no_fact_shows_nothing_either() -> None:
    assert normalise(payload("return.updated", {"id": "x"}, settings=SEEN)).facts == ()
