"""Reveni's own dialect: what verified paths give, what stays a question, and the assumed object of the simulator."""

from copy import deepcopy
from typing import Any

import pytest

from connectors.mapping_validation import mapping_problems
from connectors.reveni.connector import default_mapping
from connectors.simulators.reveni import assumed_mapping
from returnsops import facts, states
from tests.connectors.reveni.documents import EXAMPLES, normalised

# The body of the vendor's security page (reference part A2).
PUBLISHED: dict[str, Any] = {
    "id": "evt1",
    "event": "return.updated",
    "created": 1777889730,
    "data": {
        "amount": "76.4800",
        "status": "received",
        "currency": "EUR",
        "resource": "return",
        "resource_id": "ret1",
        "object": {},
    },
}


def message(word: str = "received", event: str = "return.updated", **inside: Any) -> dict[str, Any]:
    document = deepcopy(PUBLISHED)
    document["event"] = event
    document["data"]["status"] = word
    document["data"]["object"] = inside
    return document


def filled_mapping() -> dict[str, Any]:
    """The default mapping after somebody filled in what the vendor does not publish."""
    mapping = default_mapping()
    mapping["fields"] |= {
        "return.mode": "@.mode",
        "return.order.id": "@.order",
        "return.created_at": {"const": "2026-05-01T00:00:00Z"},
        "return.items": {
            "each": "@.lines[*]",
            "map": {"id": "@.id", "sku": "@.sku", "quantity": {"path": "@.qty", "as": "int"}, "reason_code": "@.why"},
        },
    }
    assert mapping_problems(mapping) == ()
    return mapping


INSIDE: dict[str, Any] = {
    "mode": "instant",
    "order": 5550001,
    "lines": [{"id": "l1", "sku": "TEE", "qty": "2", "why": None}],
}


def dialect(document: Any, *, mapping: dict[str, Any] | None = None, previous: Any = None) -> Any:
    return normalised(document, topic="a2.return.updated", mapping=mapping or filled_mapping(), previous=previous)


def kinds(result: Any) -> list[str]:
    return [type(fact).__name__ for fact in result.facts]


def test_verified_paths_alone_end_in_a_case_and_never_in_a_guess() -> None:
    result = dialect(PUBLISHED, mapping=default_mapping())

    assert result.facts == ()
    (problem,) = result.problems
    assert problem.case_kind == states.CASE_UNMAPPED_EVENT
    assert problem.text == (
        "The mapping does not yet give a whole event: $.data.return: missing: mode, order, items, created_at."
    )
    assert problem.detail["read_return"] == "ret1"


@pytest.mark.parametrize(
    ("status", "names"),
    [
        ("in_progress", ["ReturnSeen", "ReturnAuthorised"]),
        ("shipped", ["ReturnSeen", "ParcelInTransit"]),
        ("received", ["ReturnSeen", "ParcelReceived"]),
        ("for_review", ["ReturnSeen", "ParcelReceived"]),
        ("For review", ["ReturnSeen", "ParcelReceived"]),
        ("accepted", ["ReturnSeen", "InspectionCompleted"]),
        ("rejected", ["ReturnSeen", "InspectionCompleted", "RiskCharge"]),
        ("cancelled", ["ReturnSeen", "ReturnCancelled"]),
        ("expired", ["ReturnSeen", "ReturnExpired"]),
        ("on_hold", ["ReturnSeen", "RiskHoldPlaced"]),
        ("completed", ["ReturnSeen", "ReturnClosed"]),
    ],
)
def test_what_each_published_status_means(status: str, names: list[str]) -> None:
    result = dialect(message(status, **INSIDE))

    assert kinds(result) == names
    assert result.problems == ()


@pytest.mark.parametrize("status", ["pending", "incomplete", "teleported"])
def test_statuses_of_unknown_meaning_are_a_case(status: str) -> None:
    result = dialect(message(status, **INSIDE))

    assert result.facts == ()
    assert result.problems[0].case_kind == states.CASE_UNMAPPED_EVENT
    assert f"no entry for the status '{status}'" in result.problems[0].text


def test_partly_accepted_never_says_which_items() -> None:
    result = dialect(message("partly_accepted", **INSIDE))

    assert result.facts == ()
    assert "missing: items" in result.problems[0].text


def test_accepted_is_not_sellable() -> None:
    completed = dialect(message("accepted", **INSIDE)).facts[1]

    assert [(item.outcome, item.disposition, item.is_final, item.quantity) for item in completed.items] == [
        ("accepted", "unknown", False, 2)
    ]


def test_rejected_after_instant_is_the_platforms_to_cover() -> None:
    _, completed, charge = dialect(message("rejected", **INSIDE)).facts

    assert completed.items[0].outcome == "rejected"
    assert (charge.risk_id, charge.kind, charge.liable, charge.stage, charge.amount) == (
        "rejected:ret1",
        "rejected_after_instant",
        "returns_platform",
        "charged",
        None,
    )
    assert kinds(dialect(message("rejected", **{**INSIDE, "mode": "on_receipt"}))) == [
        "ReturnSeen",
        "InspectionCompleted",
    ]


def test_the_snapshot_has_no_revision_and_is_ordered_by_its_time() -> None:
    seen = dialect(message("received", **INSIDE)).facts[0]

    assert (seen.revision, seen.snapshot.revision) == (0, 0)
    assert seen.snapshot.updated_at.isoformat() == "2026-05-04T10:15:30+00:00"
    assert seen.snapshot.order_id == "5550001"
    assert seen.snapshot.status == "received"
    assert str(seen.snapshot.totals["refund"]) == "76.4800"


def test_created_is_requested_at_that_moment() -> None:
    mapping = filled_mapping()
    del mapping["fields"]["return.created_at"]
    seen, requested = dialect(message("incomplete", event="return.created", **INSIDE), mapping=mapping).facts

    assert isinstance(requested, facts.ReturnRequested)
    assert seen.snapshot.created_at.isoformat() == "2026-05-04T10:15:30+00:00"


def test_the_next_other_status_ends_a_hold() -> None:
    held = message("on_hold", **INSIDE)
    result = dialect(message("received", **INSIDE), previous=held)

    assert kinds(result) == ["ReturnSeen", "RiskHoldReleased", "ParcelReceived"]
    assert result.problems == ()
    placed = dialect(held).facts[1]
    assert placed.risk_id == result.facts[1].risk_id == "hold:ret1"


def test_an_update_without_a_new_status_means_nothing() -> None:
    result = dialect(message("received", **INSIDE), previous=message("Received"))

    assert (result.facts, result.problems) == ((), ())
    assert result.ignored_because


def test_an_unknown_event_name_is_a_case() -> None:
    result = dialect(message("received", event="refund.teleported", **INSIDE))

    assert result.problems[0].case_kind == states.CASE_UNMAPPED_EVENT
    assert result.problems[0].text == "No rule of mapping version 1 fits this event; add one to rules."


def test_a_broken_mapping_is_said_and_nothing_is_read() -> None:
    result = dialect(PUBLISHED, mapping={"version": 1})

    assert result.facts == ()
    assert result.problems[0].text.startswith("The stored mapping of this connection cannot be used: ")


def test_a_mapping_never_touches_events_of_the_contract() -> None:
    assert (
        normalised(EXAMPLES["return.closed"], mapping=default_mapping()).facts
        == normalised(EXAMPLES["return.closed"]).facts
    )


def test_unreadable_bodies_stay_unreadable() -> None:
    result = normalised({"any": "thing"}, topic="unreadable")

    assert result.problems[0].case_kind == states.CASE_UNREADABLE_EVENT


def test_the_assumed_object_tells_only_what_is_new() -> None:
    first = message("received", **_object(revision=3, refunds=[]))
    second = message("received", **_object(revision=4, refunds=[_refund("r1")]))
    mapping = assumed_mapping()

    assert kinds(dialect(second, mapping=mapping, previous=first)) == ["ReturnSeen", "RefundIssued"]
    assert kinds(dialect(second, mapping=mapping)) == ["ReturnSeen", "ParcelReceived", "RefundIssued"]
    assert kinds(dialect(second, mapping=mapping, previous=second)) == ["ReturnSeen"]


def _object(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(EXAMPLES["return.received"]["data"]["return"]), **changes}


def _refund(refund_id: str) -> dict[str, Any]:
    return {**deepcopy(EXAMPLES["refund.issued"]["data"]["refund"]), "id": refund_id}


def test_verdicts_that_the_mapping_gives_are_used_as_they_are() -> None:
    mapping = filled_mapping()
    mapping["fields"]["items"] = {
        "each": "@.verdicts[*]",
        "map": {
            "item_id": "@.line",
            "quantity": "@.qty",
            "outcome": {"const": "accepted"},
            "disposition": "@.word",
            "disposition_final": {"const": True},
        },
    }
    mapping["values"]["disposition"] = {"A-stock": "sellable"}
    verdicts = [{"line": "l1", "qty": 1, "word": "A-stock"}, {"line": "l1", "qty": 1, "word": "B-stock"}]

    result = dialect(message("partly_accepted", **INSIDE, verdicts=verdicts), mapping=mapping)

    assert [(item.disposition, item.is_final) for item in result.facts[1].items] == [
        ("sellable", True),
        ("unknown", False),
    ]
    assert [problem.text for problem in result.problems] == [
        "values.disposition: the table has no entry for 'B-stock'; add what it means."
    ]


def test_the_pull_api_is_asked_only_where_the_mapping_says_so() -> None:
    mapping = default_mapping()
    mapping["fallback"]["missing_items"] = "exception"

    assert "read_return" not in dialect(PUBLISHED, mapping=mapping).problems[0].detail
