"""A whole story through the stored inbox: pushed, pulled, or both in any mixture, it leaves the same rows."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from connectors import inbox
from connectors.ports import ConnectionConfig, Inbound
from connectors.reveni.polling import polled_item
from connectors.reveni.receiving import receive
from connectors.simulators.reveni import assumed_mapping
from returnsops import states
from returnsops.models import Connection, InboundEvent, MappingVersion, ReturnAuthorisation
from tests.connectors.returns_contract.test_snapshots import PULLED, PUSHED, START
from tests.connectors.reveni.documents import EXAMPLES

pytestmark = pytest.mark.django_db

AT = START + timedelta(hours=1)


def platform(**settings: Any) -> Connection:
    return Connection.objects.create(
        name="reveni-demo", vendor="reveni", base_url="http://127.0.0.1:1", settings=settings
    )


def push(connection: Connection, event: Any) -> InboundEvent:
    body = json.dumps(event, default=str).encode()
    config = ConnectionConfig(
        name=connection.name, vendor="reveni", base_url=connection.base_url, settings=connection.settings
    )
    reception = receive(Inbound(headers={}, body=body, received_at=AT), config)
    return inbox.record(
        connection=connection,
        source="webhook",
        topic=reception.topic,
        body=body,
        at=AT,
        delivery_key=reception.delivery_key,
        subject_key=reception.subject_key,
    ).event


def pull(connection: Connection, document: Any) -> InboundEvent:
    item = polled_item(document)
    return inbox.record(
        connection=connection,
        source="poll",
        topic=item.topic,
        body=json.dumps(item.body, default=str).encode(),
        at=AT,
        delivery_key=item.delivery_key,
        subject_key=item.subject_key,
    ).event


def process() -> None:
    while inbox.process_due(at=AT):
        pass
    assert not InboundEvent.objects.exclude(state__in=[states.EVENT_PROCESSED, states.EVENT_IGNORED]).exists()


def outcome() -> dict[str, Any]:
    """What the back office believes of the one return."""
    rma = ReturnAuthorisation.objects.get()
    in_force = rma.inspections.filter(is_superseded=False)
    return {
        "status": rma.status,
        "lines": sorted(rma.lines.values_list("external_id", "sku", "quantity")),
        "refunds": sorted(rma.platform_refunds.values_list("external_id", "amount", "currency", "executed_by")),
        "credits": sorted(rma.credits.values_list("external_id", "kind", "amount")),
        "exchanges": sorted(rma.exchanges.values_list("external_id", flat=True)),
        "risks": [(risk["risk_id"], risk["stage"]) for risk in rma.risks],
        "verdicts": sorted(in_force.values_list("item_external_id", "disposition", "quantity")),
        "parcels": sorted(rma.parcels.values_list("tracking_number", flat=True)),
    }


EXPECTED = {
    "status": "closed",
    "lines": [("rit_1", "TEE", 2), ("rit_2", "MUG", 1)],
    "credits": [("crd_ret_1001_1", "store_credit", 5), ("gft_ret_1001_1", "gift_card", 6)],
    "exchanges": ["exc_ret_1001_1"],
    "refunds": [("rfd_ret_1001_1", 20, "EUR", "commerce_platform")],
    "risks": [("rsk_ret_1001_1", "charged")],
    "verdicts": [("rit_1", "damaged", 1), ("rit_1", "sellable", 1)],
    "parcels": ["EXRET_1001GB"],
}


def test_pushed_in_order() -> None:
    connection = platform()
    for event in PUSHED:
        push(connection, event)
    process()

    assert outcome() == EXPECTED


@pytest.mark.parametrize("seed", range(6))
def test_pushed_and_pulled_in_any_order_and_twice(seed: int) -> None:
    connection = platform()
    shuffled = [(push, event) for event in PUSHED] + [(pull, document) for document in PULLED]
    shuffled += [(push, {**event, "id": f"{event['id']}-again"}) for event in PUSHED]
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a repeatable order, no secret
    for act, document in shuffled:
        act(connection, document)
    process()

    assert outcome() == EXPECTED


def test_pulled_once_at_the_end() -> None:
    pull(platform(), PULLED[-1])
    process()

    assert outcome() == EXPECTED


def test_the_vendors_dialect_with_the_assumed_object() -> None:
    connection = platform(dialect="a2")
    MappingVersion.objects.create(
        connection=connection, version=1, document=assumed_mapping(), created_at=AT, created_by="test"
    )
    for number, document in enumerate(PULLED):
        data = {
            "amount": "38.0000",
            "status": "in_progress",
            "currency": "EUR",
            "resource": "return",
            "resource_id": document["id"],
            "object": document,
        }
        push(connection, {"id": f"m{number}", "event": "return.updated", "created": 1777889730, "data": data})
    process()

    assert outcome() == EXPECTED


@pytest.mark.parametrize("type", sorted(EXAMPLES))
def test_each_example_alone_is_processed_without_a_problem(type: str) -> None:
    event = push(platform(), EXAMPLES[type])
    process()

    event.refresh_from_db()
    assert event.state == states.EVENT_PROCESSED
    assert event.outcome.startswith("ReturnSeen")
    assert ReturnAuthorisation.objects.get().external_id == "ret_1001"


def test_the_longest_texts_that_pass_fit_their_columns() -> None:
    event = json.loads(json.dumps(EXAMPLES["return.in_transit"], default=str))
    snapshot, shipment = event["data"]["return"], event["data"]["shipment"]
    snapshot |= {"number": "n" * 128, "id": "i" * 128}
    snapshot["order"] = {"id": "o" * 128, "number": "o" * 128, "channel": "c" * 120}
    snapshot["customer"] = {"id": "c" * 128, "email": "e" * 254}
    snapshot["items"][0] |= {"name": "n" * 9000, "reason_code": "r" * 120, "reason_text": "t" * 9000, "id": "i" * 128}
    shipment |= {
        "id": "s" * 128,
        "carrier": "c" * 120,
        "tracking_number": "t" * 200,
        "tracking_url": "https://" + "u" * 492,
    }
    stored = push(platform(), event)
    process()

    stored.refresh_from_db()
    assert stored.outcome == "ReturnSeen, ParcelInTransit"
