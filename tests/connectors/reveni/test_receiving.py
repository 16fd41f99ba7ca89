"""What a delivery is, told from its headers and bytes."""

import json
from typing import Any

import pytest

from connectors.ports import ConnectionConfig, Inbound, Reception
from connectors.reveni.receiving import receive
from tests.connectors.reveni.documents import EXAMPLES, NOW


def received(body: bytes, *, dialect: str = "contract", headers: dict[str, str] | None = None) -> Reception:
    config = ConnectionConfig(name="r", vendor="reveni", base_url="http://127.0.0.1", settings={"dialect": dialect})
    return receive(Inbound(headers=headers or {}, body=body, received_at=NOW), config)


def encoded(document: Any) -> bytes:
    return json.dumps(document, default=str).encode()


def test_an_event_of_the_contract() -> None:
    reception = received(encoded(EXAMPLES["return.received"]), headers={"webhook-id": "evt_0012"})

    assert (reception.kind, reception.topic, reception.subject_key) == (
        "event",
        "return.received",
        "return:ret_1001",
    )
    assert reception.delivery_key.startswith("evt_0012:")
    assert reception.hint_key == ""


def test_a_message_of_the_vendors_dialect() -> None:
    body = encoded({"id": "m1", "event": "return.updated", "data": {"resource": "return", "resource_id": "ret1"}})
    reception = received(body, dialect="a2")

    assert (reception.topic, reception.subject_key) == ("a2.return.updated", "return:ret1")
    assert reception.delivery_key.startswith("m1:")


def test_another_resource_is_no_return() -> None:
    body = encoded({"id": "m1", "event": "order.updated", "data": {"resource": "order", "resource_id": "ret1"}})

    assert received(body, dialect="a2").subject_key == ""


def test_a_repeat_has_the_same_key_and_other_content_another() -> None:
    event = EXAMPLES["refund.issued"]
    changed = {**event, "timestamp": "2026-05-04T09:01:11Z"}

    assert received(encoded(event)) == received(encoded(event))
    assert received(encoded(event)).delivery_key != received(encoded(changed)).delivery_key


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe\x00", b"{", b"[" * 100_000, b"[]", b'"x"', b"NaN", b'{"a": NaN}', b"1" * 5000, b"null"],
)
def test_unreadable_bodies_are_events_too(body: bytes) -> None:
    reception = received(body)

    assert (reception.kind, reception.topic, reception.subject_key) == ("event", "unreadable", "")
    assert reception.delivery_key.startswith("sha256:")
    assert len(reception.delivery_key) == 71


@pytest.mark.parametrize(
    ("document", "topic", "subject"),
    [
        ({}, "unnamed", ""),
        ({"type": 5, "data": []}, "unnamed", ""),
        ({"type": "a\nb", "data": {"return": {"id": 7}}}, "unnamed", ""),
        ({"type": "x" * 500, "data": {"return": {"id": "y" * 500}}}, "x" * 80, ""),
        ({"type": "return.updated", "data": {"return": {"id": "a\0b"}}}, "return.updated", ""),
        ({"type": "return.updated", "data": {"return": []}}, "return.updated", ""),
    ],
)
def test_odd_documents_keep_harmless_names(document: Any, topic: str, subject: str) -> None:
    reception = received(encoded(document))

    assert (reception.topic, reception.subject_key) == (topic, subject)
    assert reception.delivery_key.startswith("sha256:")


def test_an_event_without_id_takes_the_headers() -> None:
    assert received(b"{}", headers={"webhook-id": "msg_1"}).delivery_key.startswith("msg_1:")


def test_keys_fit_their_column() -> None:
    event = {**EXAMPLES["return.closed"], "id": "x" * 128}

    assert len(received(encoded(event)).delivery_key) <= 200
