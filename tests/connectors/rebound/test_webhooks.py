"""What a middleware sends takes the identities of what is read from V1, and its times order it (rebound.md C1, C2)."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.mapping_validation import mapping_problems, unfilled
from connectors.ports import ConnectionConfig, Inbound, Normalised, Payload
from connectors.rebound.connector import DEFAULT_RETURN_PATH, default_mapping, receive, settings_problems
from connectors.rebound.names import names_of
from connectors.rebound.normalise import normalise
from connectors.reveni.samples import sample_event
from returnsops import facts, states

AT = datetime(2026, 5, 10, 12, tzinfo=UTC)
ITEMS = [
    {"id": "x", "sku": "TEE", "quantity": 1, "resolution": "exchange"},
    {"id": "y", "sku": "MUG", "quantity": 3, "resolution": "refund"},
    {"id": "z", "sku": "TEE", "quantity": 1, "resolution": "refund"},
]


def event(kind: str, *, items: list[dict[str, Any]] | None = None, **blocks: Any) -> dict[str, Any]:
    made = sample_event(kind, return_id="880012", items=deepcopy(ITEMS if items is None else items), at=AT, revision=7)
    made["data"] |= blocks
    return made


def said(document: Any, *, mapping: dict[str, Any] | None = None, at: datetime = AT) -> Normalised:
    topic = document.get("type", "unnamed")
    payload = Payload(topic=topic, document=document, received_at=at, account="rb", mapping=mapping or {})
    return normalise(payload)


def verdict(item_id: str | None, disposition: str = "sellable", **more: Any) -> dict[str, Any]:
    named = {} if item_id is None else {"item_id": item_id}
    row = {"quantity": 1, "outcome": "accepted", "disposition": disposition, "disposition_final": True}
    return {**named, **row, **more}


def judged(made: Normalised) -> list[tuple[str, int, bool, list[str]]]:
    """Type, revision, whether it is all of its items, and the items, of each statement of verdicts."""
    assert made.problems == ()
    return [
        (type(fact).__name__, fact.revision, fact.is_all_of_items, [item.item_id for item in fact.items])
        for fact in made.facts
        if isinstance(fact, facts.ItemsInspected | facts.InspectionCompleted)
    ]


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ([("A", None), ("B", None), ("A", None)], ["7:A:1", "7:B:1", "7:A:2"]),
        ([("B", "b"), ("A", "7:A:2"), ("A", "9"), ("A", None)], ["7:B:1", "7:A:2", "7:A:1", "7:A:3"]),
        ([("A", "7:A:x"), ("A", "8:A:2"), (" A ", 4)], ["7:A:1", "7:A:2", "7:A:3"]),
    ],
)
def test_an_item_is_the_one_of_its_sku_in_that_place_or_keeps_the_name_it_has(
    items: list[tuple[str, Any]], names: list[str]
) -> None:
    rows = [{"sku": sku, "id": given} for sku, given in items]
    assert names_of(7, rows, sku="sku") == names


def test_items_exchange_and_parcel_are_called_as_they_are_when_read() -> None:
    made = said(
        event(
            "refund.issued",
            refund={
                **event("refund.issued")["data"]["refund"],
                "items": [{"item_id": "z", "amount": "1.00"}, {"item_id": "elsewhere", "amount": "1.00"}],
            },
        )
    )
    (seen, refund) = made.facts
    assert isinstance(seen, facts.ReturnSeen)
    assert [item.item_id for item in seen.snapshot.items] == ["880012:TEE:1", "880012:MUG:1", "880012:TEE:2"]
    assert isinstance(refund, facts.RefundIssued)
    assert [item.item_id for item in refund.items] == ["880012:TEE:2", "elsewhere"]
    parcel = said(event("return.in_transit", shipment={"id": "shp_9", "tracking_number": "EX1"})).facts[1]
    assert isinstance(parcel, facts.ParcelFact)
    assert parcel.parcel_id == "EX1"
    bare = said(event("return.in_transit", shipment={"id": "shp_9"})).facts[1]
    assert isinstance(bare, facts.ParcelFact)
    assert bare.parcel_id == "shp_9"


@pytest.mark.parametrize(
    ("exchange_id", "lines", "items", "expected"),
    [
        ("ex_1", [{"sku": "L", "quantity": 1, "replaces_item_id": "z"}], ITEMS, "880012:TEE:2"),
        ("ex_1", [{"sku": "L", "quantity": 1}], ITEMS, "880012:TEE:1"),
        ("ex_1", [{"sku": "L", "quantity": 1}], ITEMS[1:2], "880012:MUG:1"),
        ("880012:MUG:1", [{"sku": "L", "quantity": 1}], ITEMS, "880012:MUG:1"),
        ("ex_1", [{"sku": "L", "quantity": 1}], ITEMS[1:], None),
        ("ex_1", [{"sku": "L", "quantity": 1, "replaces_item_id": i} for i in "xz"], ITEMS, None),
    ],
)
@pytest.mark.parametrize("kind", ["exchange.requested", "exchange.cancelled"])
def test_an_exchange_is_known_by_the_one_item_it_replaces(
    kind: str, exchange_id: str, lines: list[Any], items: list[Any], expected: str | None
) -> None:
    made = said(event(kind, items=items, exchange={"id": exchange_id, "lines": lines}))
    named = [
        fact.exchange_id for fact in made.facts if isinstance(fact, facts.ExchangeRequested | facts.ExchangeCancelled)
    ]
    assert named == ([expected] if expected else [])
    texts = [(problem.case_kind, "which one item" in problem.text) for problem in made.problems]
    assert texts == ([] if expected else [(states.CASE_UNMAPPED_EVENT, True)])


def inspected(kind: str, *rows: dict[str, Any], **snapshot: Any) -> dict[str, Any]:
    made = event(kind)
    made["data"]["items"] = list(rows)
    made["data"]["return"] |= snapshot
    return made


def test_a_verdict_on_one_unit_is_all_of_it_and_those_on_several_units_stand_beside_what_is_read() -> None:
    rows = [verdict("x"), verdict("y"), verdict("z", "damaged"), verdict("elsewhere")]
    ones, several = ["880012:TEE:1", "880012:TEE:2"], ["880012:MUG:1", "elsewhere"]
    assert judged(said(inspected("return.item_inspected", *rows))) == [
        ("ItemsInspected", 0, True, ones),
        ("ItemsInspected", 7, False, several),
    ]
    assert judged(said(inspected("return.inspection_completed", *rows))) == [
        ("InspectionCompleted", 0, True, ones),
        ("InspectionCompleted", 7, True, several),
    ]
    assert judged(said(inspected("return.inspection_completed"))) == [("InspectionCompleted", 0, True, [])]


def test_nothing_is_later_than_the_moment_it_was_heard_and_no_revision_outranks_a_reading() -> None:
    made = said(inspected("return.item_inspected", verdict("x")), at=AT - timedelta(hours=1))
    assert {fact.occurred_at for fact in made.facts} == {AT - timedelta(hours=1)}
    (seen,) = [fact for fact in made.facts if isinstance(fact, facts.ReturnSeen)]
    assert (seen.revision, seen.snapshot.revision, seen.snapshot.updated_at) == (0, 0, AT - timedelta(hours=1))
    assert said(inspected("return.item_inspected", verdict("x"))).facts[1].occurred_at == AT


def test_a_verdict_that_names_no_item_is_about_the_only_one_of_its_sku() -> None:
    only = inspected("return.item_inspected", verdict(None, sku="MUG"))
    assert judged(said(only)) == [("ItemsInspected", 7, False, ["880012:MUG:1"])]
    for sku in ("TEE", "CAP"):
        assert "item_id" in said(inspected("return.item_inspected", verdict(None, sku=sku))).problems[0].text


@pytest.mark.parametrize(
    "changes",
    [
        {"data": None},
        {"data": {"return": None}},
        {"data": {"return": {"id": "7", "items": "all"}}},
        {"data": {"return": {"id": "7", "items": [1]}}},
        {"type": "exchange.requested", "data": {"exchange": 1}},
    ],
)
def test_what_is_no_event_of_the_contract_is_refused_in_words(changes: dict[str, Any]) -> None:
    made = said({**event("return.updated"), **changes})
    assert made.facts == ()
    assert [problem.case_kind for problem in made.problems] == [states.CASE_UNREADABLE_EVENT]


def test_an_exchange_without_its_block_is_refused_by_the_contract() -> None:
    assert "exchange" in said({**event("return.updated"), "type": "exchange.requested"}).problems[0].text


def test_two_items_of_one_id_and_blocks_of_another_shape_stay_for_the_contract_to_refuse() -> None:
    twice = event("return.updated", items=[ITEMS[0], ITEMS[0]])
    assert "appears twice" in said(twice).problems[0].text
    odd = event("refund.issued")
    odd["data"]["refund"]["items"] = [1]
    assert "must be an object" in said(odd).problems[0].text
    odd = inspected("return.item_inspected")
    odd["data"]["items"] = ["x"]
    assert "must be an object" in said(odd).problems[0].text


# --- in words of its own ------------------------------------------------------------------------------------------

FIELDS: dict[str, Any] = {
    "return.id": "$.rma",
    "return.order.number": "$.order",
    "return.created_at": "$.opened",
    "return.items": {"each": "$.lines", "map": {"sku": "@.sku", "quantity": "@.units"}},
}
ROWS = {
    "each": "$.lines",
    "map": {
        "sku": "@.sku",
        "quantity": "@.units",
        "outcome": {"const": "accepted"},
        "disposition": "@.grade",
        "disposition_final": {"const": True},
    },
}


def own(emit: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A stored mapping whose webhooks always emit this."""
    webhooks = {
        "version": 1,
        "envelope": {"id": "$.id", "occurred_at": "$.at"},
        "rules": [{"when": [], **emit}],
        "fields": {**FIELDS, **fields},
        "values": {"disposition": {"B": "sellable"}},
    }
    return {**default_mapping(), "webhooks": webhooks}


MESSAGE: dict[str, Any] = {
    "id": "m-1",
    "at": "2026-05-09T10:00:00Z",
    "rma": "880012",
    "order": "#1042",
    "opened": "2026-05-04T09:00:00Z",
    "lines": [{"sku": "TEE", "units": 1, "grade": "B"}],
}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("return.updated", []),
        ("return.received", ["ParcelReceived"]),
        ("return.cancelled", ["ReturnCancelled"]),
        ("return.item_inspected", ["ItemsInspected"]),
    ],
)
def test_a_message_in_its_own_words_is_read_through_the_mapping_of_the_webhooks(kind: str, expected: list[str]) -> None:
    made = said(MESSAGE, mapping=own({"emit": [kind]}, items=ROWS))
    assert made.problems == ()
    (seen, *told) = made.facts
    assert isinstance(seen, facts.ReturnSeen)
    (item,) = seen.snapshot.items
    assert (item.item_id, seen.snapshot.order_number, seen.snapshot.updated_at.day) == ("880012:TEE:1", "#1042", 9)
    assert [type(fact).__name__ for fact in told] == expected


def test_a_message_that_carries_the_whole_return_tells_what_is_in_it() -> None:
    whole = own({"emit_from": "snapshot"}, **{"return.updated_at": "$.at", "inspections": ROWS})
    made = said(MESSAGE, mapping=whole)
    assert judged(made) == [("ItemsInspected", 0, True, ["880012:TEE:1"])]
    assert made.facts[-1].occurred_at == datetime(2026, 5, 9, 10, tzinfo=UTC)
    untimed = said(MESSAGE, mapping=own({"emit_from": "snapshot"}))
    assert (untimed.facts, "updated_at" in untimed.problems[0].text) == ((), True)
    assert judged(said({**MESSAGE, "lines": [{"sku": "TEE", "units": 1}]}, mapping=whole)) == []


def test_a_message_that_says_too_little_asks_for_the_return_to_be_read_where_the_mapping_says_so() -> None:
    mapping = own({"emit": ["return.updated"]})
    bare = {name: MESSAGE[name] for name in ("id", "at", "rma")}
    assert "read_return" not in said(bare, mapping=mapping).problems[0].detail
    mapping["webhooks"]["fallback"] = {"missing_items": "fetch"}
    assert said(bare, mapping=mapping).problems[0].detail["read_return"] == "880012"
    assert "read_return" not in said({"id": "m-1", "at": MESSAGE["at"]}, mapping=mapping).problems[0].detail
    assert said(MESSAGE, mapping=mapping).problems == ()


def test_a_message_that_means_nothing_is_said_to() -> None:
    made = said(MESSAGE, mapping=own({"emit": []}))
    assert (made.facts, made.problems, bool(made.ignored_because)) == ((), (), True)


def test_the_mapping_of_the_webhooks_is_checked_like_the_other() -> None:
    good = own({"emit": ["return.updated"]})
    assert mapping_problems(good) == ()
    for broken in (1, {**good["webhooks"], "webhooks": {}}):
        assert mapping_problems({**good, "webhooks": broken}) == (
            "webhooks: must be a mapping of its own, without another webhooks in it.",
        )
    del good["webhooks"]["rules"]
    (complaint,) = mapping_problems(good)
    assert complaint.startswith("webhooks.rules: ")
    made = said(MESSAGE, mapping=good)
    assert (made.facts, "of the webhooks cannot be used: rules" in made.problems[0].text) == ((), True)
    waiting = own({"emit": []}, **{"return.mode": "$.<unknown>"})
    assert unfilled(waiting) == ("webhooks.fields.return.mode",)


# --- at the door --------------------------------------------------------------------------------------------------


def delivered(body: bytes, **settings: Any) -> tuple[str, str]:
    config = ConnectionConfig(name="rb", vendor="rebound", base_url="https://x.example", settings=settings)
    told = receive(Inbound(headers={}, body=body, received_at=AT), config)
    return told.topic, told.subject_key


def test_a_delivery_is_filed_under_its_return_wherever_its_body_names_it() -> None:
    assert delivered(b'{"type": "return.updated", "data": {"return": {"id": "7"}}}') == ("return.updated", "return:7")
    own_words = b'{"event": "Graded", "rma": {"ref": "7"}}'
    assert delivered(own_words) == ("Graded", "")
    assert delivered(own_words, webhook_return_path="$.rma.ref") == ("Graded", "return:7")
    assert delivered(b'{"type": "pull.return"}') == ("unnamed", "")
    assert delivered(b"[]") == ("unreadable", "")


def test_a_path_that_cannot_be_read_is_refused_with_the_configuration() -> None:
    assert DEFAULT_RETURN_PATH == "$.data.return.id"
    assert list(settings_problems({}, base_url="")) == []
    (problem,) = settings_problems({"webhook_return_path": "rma.ref"}, base_url="")
    assert problem.startswith("settings.webhook_return_path: 'rma.ref' does not start with $")
