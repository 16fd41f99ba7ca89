"""Stored mappings: how a message becomes events, and that nothing is guessed."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping import Mapped, apply_mapping
from connectors.mapping_validation import mapping_problems

MAPPING: dict[str, Any] = {
    "version": 3,
    "envelope": {"id": ["$.uid", "$.id"], "occurred_at": {"path": "$.at", "as": "epoch_s"}},
    "root": "$.body",
    "rules": [
        {"when": [{"path": "$.kind", "in": ["made"]}], "emit": ["return.requested", "return.authorised"]},
        {
            "when": [{"path": "$.kind", "in": ["moved"]}, {"path": "$.body.state", "changed": True, "norm": "snake"}],
            "emit_from": "status_events",
        },
        {"when": [{"path": "$.kind", "in": ["moved"]}], "emit": []},
        {
            "when": [{"path": "$.kind", "in": ["paid"]}, {"path": "$.body.refund", "exists": True}],
            "emit": ["refund.issued"],
        },
        {"when": [{"path": "$.kind", "in": ["judged"]}], "emit": ["return.item_inspected"]},
        {"when": [{"path": "$.kind", "not_in": ["noise", "made", "moved", "paid", "judged"]}], "emit_from": "snapshot"},
    ],
    "status_events": {
        "on_the_way": ["return.in_transit"],
        "frozen": ["risk.hold_placed"],
        "ended": [],
    },
    "fields": {
        "return.id": "@.rid",
        "return.currency": {"path": "@.cur", "as": "upper"},
        "return.mode": {"const": "on_receipt"},
        "return.order.id": ["@.order.id", "@.order_no"],
        "return.totals.refund": {"path": "@.total", "as": "minor_units"},
        "return.items": {
            "each": "@.lines[*]",
            "map": {"id": "@.n", "sku": "@.code", "quantity": {"path": "@.qty", "default": 1}, "reason_code": "@.why"},
        },
        "refund.id": "@.refund.id",
        "refund.amount": "@.refund.sum",
        "refund.currency": "@.cur",
        "refund.method": "@.refund.how",
        "refund.executed_by": "@.refund.who",
        "items": {"each": "@.verdicts", "map": {"item_id": "@.n", "disposition": {"path": "@.word", "norm": "snake"}}},
        "refunds": {
            "each": "@.money[*]",
            "map": {"id": "@.id", "items": {"each": "@.parts[*]", "map": {"amount": "@"}}},
        },
    },
    "values": {
        "reason_code": {"P": "too_small"},
        "disposition": {"good_as_new": "sellable"},
        "refund.method": {"SEPA": "bank_transfer"},
        "executed_by": {},
    },
    "fallback": {"unknown_status": "exception", "unmapped_value": "exception"},
}


def message(kind: str, **body: Any) -> dict[str, Any]:
    whole = {"rid": 77, "cur": "eur", "total": 7648, "order_no": "A-1", "lines": [], **body}
    return {"id": "e1", "kind": kind, "at": 1777889730, "body": whole}


def mapped(document: Any, previous: Any = None, **changes: Any) -> Mapped:
    return apply_mapping({**MAPPING, **changes}, document=document, previous=previous, account="shop-a")


def test_the_mapping_of_these_tests_is_valid() -> None:
    assert mapping_problems(MAPPING) == ()


def test_a_rule_may_emit_several_events_each_with_its_own_id() -> None:
    result = mapped(message("made", lines=[{"n": 1, "code": "TEE", "qty": 2, "why": "P"}, {"n": 2, "code": "MUG"}]))

    first, second = result.events
    assert (first["type"], first["id"]) == ("return.requested", "e1:return.requested")
    assert (second["type"], second["id"]) == ("return.authorised", "e1:return.authorised")
    assert first["timestamp"] == "2026-05-04T10:15:30+00:00"
    assert first["account"] == {"id": "shop-a"}
    assert first["data"] == {
        "return": {
            "id": "77",
            "currency": "EUR",
            "mode": "on_receipt",
            "order": {"id": "A-1"},
            "totals": {"refund": "76.48"},
            "items": [
                {"id": "1", "sku": "TEE", "quantity": 2, "reason_code": "too_small"},
                {"id": "2", "sku": "MUG", "quantity": 1},
            ],
        }
    }
    assert result.problems == ()


def test_the_first_path_that_is_not_null_wins() -> None:
    event = mapped(message("made", order={"id": "B-2"})).events[0]

    assert event["data"]["return"]["order"] == {"id": "B-2"}


def test_only_a_changed_status_tells_something() -> None:
    moved = message("moved", state="On-the way")

    assert [event["type"] for event in mapped(moved).events] == ["return.in_transit"]
    assert [event["type"] for event in mapped(moved, message("moved", state="frozen")).events] == [
        "risk.hold_released",
        "return.in_transit",
    ]
    assert mapped(moved, message("moved", state="ON THE WAY")).ignored_because
    assert mapped(moved, message("moved", state="ON THE WAY")).problems == ()


def test_an_unknown_status_is_a_problem_unless_it_may_be_ignored() -> None:
    moved = message("moved", state="teleported")

    (problem,) = mapped(moved).problems
    assert problem.case_kind == "unmapped_event"
    assert problem.text == "status_events: the table has no entry for the status 'teleported'; add what it means."
    assert mapped(moved).events == ()
    ignored = mapped(moved, fallback={"unknown_status": "ignore"})
    assert (ignored.problems, ignored.events) == ((), ())
    assert "teleported" in ignored.ignored_because


def test_a_status_that_means_nothing_is_ignored() -> None:
    assert "ended" in mapped(message("moved", state="ended")).ignored_because


def test_no_rule_fits() -> None:
    (problem,) = mapped(message("noise")).problems

    assert problem.text == "No rule of mapping version 3 fits this event; add one to rules."
    assert problem.detail["seen"]["$.kind"] == "['noise']"


def test_an_unmapped_word_never_moves_money() -> None:
    paid = message("paid", refund={"id": "r1", "sum": "5.00", "how": "CASH", "who": "returns_platform"})

    result = mapped(paid)
    assert result.events[0]["data"]["refund"] == {"id": "r1", "amount": "5.00", "currency": "eur"}
    assert [problem.text for problem in result.problems] == [
        "values.refund.method: the table has no entry for 'CASH'; add what it means.",
        "values.executed_by: the table has no entry for 'returns_platform'; add what it means.",
    ]
    assert mapped(paid, fallback={"unmapped_value": "ignore"}).events == result.events
    assert mapped(paid, fallback={"unmapped_value": "ignore"}).problems == ()


def test_an_unmapped_disposition_is_unknown_and_an_unmapped_reason_stays() -> None:
    judged = message(
        "judged",
        lines=[{"n": 1, "code": "T", "why": "odd"}],
        verdicts=[{"n": 1, "word": "Good as new"}, {"n": 2, "word": "sellable"}],
    )

    result = mapped(judged)
    assert result.events[0]["data"]["items"] == [
        {"item_id": "1", "disposition": "sellable"},
        {"item_id": "2", "disposition": "unknown"},
    ]
    assert result.events[0]["data"]["return"]["items"][0]["reason_code"] == "odd"
    assert [problem.detail["where"] for problem in result.problems] == ["values.disposition"]


def test_a_value_of_the_wrong_kind_is_named_with_its_place() -> None:
    result = mapped(message("made", total="a lot", lines=[{"n": [1], "code": "T"}]))

    assert [problem.text for problem in result.problems] == [
        "fields.return.totals.refund: 'a lot' is not a number",
        "fields.return.items.id: expected text, got list",
    ]


def test_a_snapshot_rule_gives_the_whole_return_with_nested_lists() -> None:
    result = mapped(message("full", money=[{"id": "r1", "parts": ["1.00", "2.00"]}, {"id": "r2"}]))

    assert result.events == ()
    assert result.snapshot["id"] == "77"
    assert result.snapshot["refunds"] == [
        {"id": "r1", "items": [{"amount": "1.00"}, {"amount": "2.00"}]},
        {"id": "r2", "items": []},
    ]


def test_foreign_text_stays_text() -> None:
    hostile = "<script>alert(1)</script>=HYPERLINK('x')"
    event = mapped(message("made", lines=[{"n": 1, "code": hostile}])).events[0]

    assert event["data"]["return"]["items"][0]["sku"] == hostile


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "kind", "at", "body", "state", "lines", "cur", "refund", "money", "parts"]),
                inner,
            )
        ),
    ),
    st.sampled_from(["made", "moved", "paid", "judged", "full"]),
)
def test_no_message_raises(body: Any, kind: str) -> None:
    document = {"id": "e", "kind": kind, "at": 1, "body": body}
    before = deepcopy(document)

    result = mapped(document, {"body": body})

    assert document == before
    assert isinstance(result.problems, tuple)


def test_a_list_without_end_is_refused() -> None:
    result = mapped(message("made", lines=[{"n": 1, "code": "T"}] * 1001))

    assert "items" not in result.events[0]["data"]["return"]
    assert [problem.text for problem in result.problems] == ["fields.return.items: more than 1000 elements."]
