"""Bad input: what is refused, as which kind of case, and that the text says where and what."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.returns_contract.contract import event_problem, parse_time, schema
from returnsops import states
from tests.connectors.reveni.documents import EXAMPLES, GONE, normalised, spoilt

RETURN = ("data", "return")
ITEM = ("data", "return", "items", 0)
REFUND = ("data", "refund")
UNREADABLE = states.CASE_UNREADABLE_EVENT
UNMAPPED = states.CASE_UNMAPPED_EVENT


def test_every_example_fits() -> None:
    for event in EXAMPLES.values():
        assert event_problem(event) is None


def deep(levels: int) -> Any:
    node: Any = "bottom"
    for _ in range(levels):
        node = [node]
    return node


@pytest.mark.parametrize(
    ("type", "place", "to", "kind", "text"),
    [
        # the envelope
        (
            "return.updated",
            ("type",),
            "return.teleported",
            UNMAPPED,
            "$.type: 'return.teleported' is not one of the 24",
        ),
        ("return.updated", ("type",), GONE, UNREADABLE, "$: missing: type"),
        ("return.updated", ("type",), ["x"], UNMAPPED, "$.type: list is not one of return.requested"),
        ("return.updated", ("id",), "", UNREADABLE, "$.id: must not be empty"),
        ("return.updated", ("id",), "x" * 129, UNREADABLE, "$.id: is longer than 128 characters"),
        ("return.updated", ("id",), 7, UNREADABLE, "$.id: must be text, not int"),
        ("return.updated", ("schema_version",), "2", UNREADABLE, "$.schema_version: must be '1', not '2'"),
        ("return.updated", ("timestamp",), "2026-05-12", UNREADABLE, "$.timestamp: '2026-05-12' is not a date-time"),
        ("return.updated", ("timestamp",), "2026-05-12T10:07:00", UNREADABLE, "is not a date-time with a time zone"),
        ("return.updated", ("timestamp",), "0001-01-01T00:00:00+23:59", UNREADABLE, "$.timestamp:"),
        ("return.updated", ("timestamp",), "9999-12-31T23:59:59-23:59", UNREADABLE, "$.timestamp:"),
        ("return.updated", ("data",), None, UNREADABLE, "$.data: must be an object, not NoneType"),
        ("return.in_transit", ("data", "shipment"), GONE, UNREADABLE, "$.data: missing: shipment"),
        ("refund.issued", REFUND, "21.50", UNREADABLE, "$.data.refund: must be an object, not '21.50'"),
        # the return
        ("return.updated", (*RETURN, "order"), GONE, UNREADABLE, "$.data.return: missing: order"),
        (
            "return.updated",
            (*RETURN, "status"),
            "teleported",
            UNMAPPED,
            "$.data.return.status: 'teleported' is not one",
        ),
        ("return.updated", (*RETURN, "revision"), 0, UNREADABLE, "$.data.return.revision: must be at least 1"),
        ("return.updated", (*RETURN, "revision"), "3", UNREADABLE, "revision: must be a whole number, not '3'"),
        ("return.updated", (*RETURN, "revision"), True, UNREADABLE, "revision: must be a whole number, not bool"),
        ("return.updated", (*RETURN, "revision"), 2**63, UNREADABLE, "$.data.return.revision: is too large"),
        ("return.updated", (*RETURN, "currency"), "gbp", UNREADABLE, "currency: 'gbp' does not have the agreed form"),
        ("return.updated", (*RETURN, "currency"), "QQQ", UNREADABLE, "'QQQ' is not an ISO 4217 currency code"),
        ("return.updated", (*RETURN, "items"), [], UNREADABLE, "$.data.return.items: must not be empty"),
        ("return.updated", (*RETURN, "items"), {}, UNREADABLE, "$.data.return.items: must be a list, not dict"),
        ("return.updated", (*RETURN, "totals", "refund"), "9" * 12, UNREADABLE, "totals.refund: 999999999999 is too"),
        ("return.updated", (*RETURN, "number"), "x" * 129, UNREADABLE, "$.data.return.number: is longer than 128"),
        ("return.updated", (*RETURN, "number"), 5, UNREADABLE, "$.data.return.number: must be"),
        ("return.updated", (*RETURN, "customer", "email"), "x" * 255, UNREADABLE, "customer.email: is longer than 254"),
        # its items
        ("return.updated", (*ITEM, "sku"), GONE, UNREADABLE, "$.data.return.items[0]: missing: sku"),
        ("return.updated", (*ITEM, "quantity"), 0, UNREADABLE, "items[0].quantity: must be at least 1"),
        ("return.updated", (*ITEM, "quantity"), -1, UNREADABLE, "items[0].quantity: must be at least 1"),
        ("return.updated", (*ITEM, "quantity"), 10_001, UNREADABLE, "items[0].quantity: 10001 is not a sane quantity"),
        ("return.updated", (*ITEM, "quantity"), "1", UNREADABLE, "quantity: must be a whole number, not '1'"),
        ("return.updated", (*ITEM, "total"), 30, UNREADABLE, "items[0].total: must be text, not int"),
        ("return.updated", (*ITEM, "total"), "-1.00", UNREADABLE, "items[0].total: -1.00 is negative"),
        ("return.updated", (*ITEM, "total"), "1e9", UNREADABLE, "'1e9' does not have the agreed form"),
        ("return.updated", (*ITEM, "unit_price"), "1000000000", UNREADABLE, "unit_price: 1000000000 is too large"),
        ("return.updated", (*ITEM, "name"), "a\0b", UNREADABLE, "$.data.return.items[0].name: holds a character"),
        ("return.updated", (*ITEM, "name"), "a\ud800b", UNREADABLE, "$.data.return.items[0].name: holds a character"),
        ("return.updated", (*ITEM, "reason_code"), "x" * 121, UNREADABLE, "reason_code: is longer than 120 characters"),
        (
            "return.updated",
            (*ITEM, "id"),
            "rit_2",
            UNREADABLE,
            "$.data.return.items: the item id 'rit_2' appears twice",
        ),
        # money
        ("refund.issued", (*REFUND, "amount"), "-21.50", UNREADABLE, "$.data.refund.amount: -21.50 is negative"),
        ("refund.issued", (*REFUND, "amount"), "0.00", UNREADABLE, "$.data.refund.amount: 0.00 is not more than zero"),
        (
            "refund.issued",
            (*REFUND, "amount"),
            "1000000000.00",
            UNREADABLE,
            "refund.amount: 1000000000.00 is too large",
        ),
        ("refund.issued", (*REFUND, "amount"), "9" * 400, UNREADABLE, "$.data.refund.amount: 999"),
        ("refund.issued", (*REFUND, "amount"), "21.505", UNREADABLE, "21.505 has more digits than GBP allows"),
        ("refund.issued", (*REFUND, "amount"), 21, UNREADABLE, "$.data.refund.amount: must be text, not int"),
        ("refund.issued", (*REFUND, "amount"), GONE, UNREADABLE, "$.data.refund: missing: amount"),
        ("refund.issued", (*REFUND, "currency"), "pounds", UNREADABLE, "'pounds' is not an ISO 4217 currency code"),
        (
            "refund.issued",
            (*REFUND, "executed_by"),
            "somebody",
            UNMAPPED,
            "$.data.refund.executed_by: 'somebody' is not",
        ),
        ("refund.issued", (*REFUND, "items", 0, "amount"), "-1", UNREADABLE, "refund.items[0].amount: -1 is negative"),
        ("refund.issued", (*REFUND, "items", 0, "quantity"), -2, UNREADABLE, "items[0].quantity: -2 is not a sane"),
        (
            "credit.issued",
            ("data", "credit", "amount"),
            "0",
            UNREADABLE,
            "$.data.credit.amount: 0 is not more than zero",
        ),
        (
            "risk.charge_failed",
            ("data", "risk", "currency"),
            "???",
            UNREADABLE,
            "$.data.risk.currency: '???' is not an",
        ),
        # verdicts
        (
            "return.item_inspected",
            ("data", "items", 0, "disposition"),
            "eaten",
            UNMAPPED,
            "$.data.items[0].disposition: 'eaten' is not one of sellable",
        ),
        ("return.item_inspected", ("data", "items", 0, "quantity"), 10**6, UNREADABLE, "is not a sane quantity"),
        ("return.item_inspected", ("data", "items"), {}, UNREADABLE, "$.data.items: must be a list, not dict"),
    ],
)
def test_what_does_not_fit_is_a_case_that_says_where(
    type: str, place: tuple[str | int, ...], to: Any, kind: str, text: str
) -> None:
    result = normalised(spoilt(type, *place, to=to))

    assert result.facts == ()
    (problem,) = result.problems
    assert problem.case_kind == kind
    assert text in problem.text


@pytest.mark.parametrize("document", [None, [], "text", 5, True])
def test_a_body_that_is_no_object_is_unreadable(document: Any) -> None:
    (problem,) = normalised(document).problems

    assert problem.case_kind == UNREADABLE
    assert problem.text.startswith("The body is not a JSON object.")


def test_extra_fields_are_welcome_however_deep() -> None:
    assert normalised(spoilt("return.updated", "data", "return", "extra", to=deep(500))).problems == ()


def test_too_many_entries_are_refused() -> None:
    line = EXAMPLES["refund.issued"]["data"]["refund"]["items"][0]
    (problem,) = normalised(spoilt("refund.issued", "data", "refund", "items", to=[line] * 1001)).problems

    assert "has 1001 entries; 1000 are allowed" in problem.text


def test_customer_text_is_never_dumped_into_the_problem() -> None:
    (problem,) = normalised(
        spoilt("return.updated", "data", "return", "items", 0, to="pat@example.com " * 500)
    ).problems

    assert len(problem.text) < 400


def test_several_mistakes_are_named_together() -> None:
    event = spoilt("refund.issued", "data", "refund", "amount", to="x")
    event["data"]["return"]["revision"] = 0
    event["timestamp"] = "now"
    event["data"]["return"]["items"][0]["quantity"] = 0
    (problem,) = normalised(event).problems

    assert len(problem.detail["errors"]) == 4
    assert "(and 1 more)" in problem.text


def test_the_stored_schema_is_the_contract_and_says_it_is_assumed() -> None:
    assert schema()["title"].startswith("Assumed returns-platform event")
    assert "executed_by" in schema()["$defs"]["refund"]["required"]


def test_times_are_utc_and_of_this_century() -> None:
    assert parse_time("2026-05-04T11:00:00+02:00").isoformat() == "2026-05-04T09:00:00+00:00"
    with pytest.raises(ValueError, match="the year 1999 cannot be right"):
        parse_time("1999-05-04T11:00:00Z")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
places = st.sampled_from(
    [
        (type, place)
        for type, event in EXAMPLES.items()
        for place in [
            ("id",),
            ("timestamp",),
            ("data",),
            *(("data", block) for block in event["data"]),
            *(("data", "return", name) for name in event["data"]["return"]),
            *(("data", "return", "items", 0, name) for name in event["data"]["return"]["items"][0]),
            *(
                ("data", block, name)
                for block, content in event["data"].items()
                if isinstance(content, dict)
                for name in content
            ),
        ]
    ]
)


@given(places, values)
def test_no_content_raises_and_none_is_silent(where: tuple[str, tuple[str | int, ...]], value: Any) -> None:
    type, place = where
    result = normalised(spoilt(type, *place, to=value))

    assert bool(result.facts) != bool(result.problems)
    json.dumps([dict(problem.detail) for problem in result.problems])


def test_an_event_is_an_object() -> None:
    problem = event_problem(["no", "event"])

    assert problem is not None
    assert problem.text == "The event does not fit the contract: $: must be an object."
