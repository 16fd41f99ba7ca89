"""One valid event of every type, with what the sender wants to say."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.reveni.samples import sample_event, sample_types
from tests.connectors.reveni.documents import EXAMPLES, normalised

ITEMS: list[dict[str, Any]] = [
    {"id": "rit_9", "sku": "CAP", "quantity": 3, "order_line_id": "31", "total": "9.00"},
    {"id": "rit_8", "sku": "BAG", "quantity": 1, "order_line_id": "32", "total": "4.00"},
]


def test_there_is_a_sample_of_every_type() -> None:
    assert set(sample_types()) == set(EXAMPLES)


@pytest.mark.parametrize("type", sorted(EXAMPLES))
def test_samples_are_valid_as_they_are_and_changed(type: str) -> None:
    changed = sample_event(
        type,
        event_id="evt_x",
        return_id="ret_x",
        order_id="42",
        order_number="#42",
        currency="EUR",
        items=ITEMS,
        entity_id="ent_x",
        amount="9.00",
        revision=77,
        at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    result = normalised(changed)

    assert sample_event(type) == EXAMPLES[type] or normalised(sample_event(type)).problems == ()
    assert result.problems == ()
    assert (changed["id"], changed["data"]["return"]["id"], changed["data"]["return"]["number"]) == (
        "evt_x",
        "ret_x",
        "RMA ret_x",
    )
    assert changed["data"]["return"]["order"] == {"id": "42", "number": "#42", "channel": "web-uk"}
    assert result.facts[0].occurred_at == datetime(2026, 11, 1, tzinfo=UTC)


def test_the_parts_follow_the_items() -> None:
    refund = sample_event("refund.issued", items=ITEMS, amount="9.00", entity_id="rfd_x")["data"]["refund"]
    verdicts = sample_event("return.inspection_completed", items=ITEMS)["data"]["items"]

    assert (refund["id"], refund["amount"]) == ("rfd_x", "9.00")
    assert [row["item_id"] for row in refund["items"]] == ["rit_9"]
    assert [(row["item_id"], row["sku"], row["quantity"]) for row in verdicts] == [
        ("rit_9", "CAP", 3),
        ("rit_8", "BAG", 1),
    ]


def test_a_sample_is_never_shared() -> None:
    sample_event("return.closed")["data"]["return"]["id"] = "spoilt"

    assert sample_event("return.closed")["data"]["return"]["id"] == "ret_1001"


def test_an_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no event type 'return\.teleported'; known are return\.requested"):
        sample_event("return.teleported")
