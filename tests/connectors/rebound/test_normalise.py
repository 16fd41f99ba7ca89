"""A V1 return as facts: the documented example, tables, what is unclear, dates in every form (rebound.md C2, C3)."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.mapping_validation import mapping_problems
from connectors.ports import Normalised, Payload
from connectors.rebound.connector import default_mapping
from connectors.rebound.moments import moment_of
from connectors.rebound.normalise import normalise
from connectors.reveni.samples import sample_event, sample_types
from returnsops import facts, states

READ_AT = datetime(2026, 5, 10, 12, tzinfo=UTC)
EARLIER = READ_AT - timedelta(minutes=15)
# rebound.md C3, as it is after polling.
EXAMPLE: dict[str, Any] = {
    "id": "880012",
    "display_id": "RB-880012",
    "external_id": "",
    "order_reference": "#1042",
    "date_added": "2026-05-04 09:00:00",
    "email": "Pat@Example.com",
    "country": "GB",
    "carrier": "examplepost",
    "tracking": "EX123456789GB",
    "tracking_last_update": "2026-05-09 08:30:00",
    "current_tracking_status": "Arrived at Our Hub",
    "verification_entity": None,
    "item": [
        {
            "sku_code": "MUG-RED",
            "sku_desc": "Mug red",
            "quantity": "2",
            "price": "12.00",
            "final_disposition": None,
            "reason": [
                {
                    "action": "return",
                    "reason": "Damaged",
                    "wish": "Refund",
                    "additional": {"title": None, "value": None},
                }
            ],
        }
    ],
}


def _mapping(**values: dict[str, str]) -> dict[str, Any]:
    mapping = default_mapping()
    mapping["values"] = {**mapping["values"], **values}
    return mapping


MAPPED = _mapping(resolution={"Refund": "refund", "Swap": "exchange"}, disposition={"A": "sellable", "Bin": "damaged"})


def _said(
    changes: dict[str, Any] | None = None,
    *,
    items: list[dict[str, Any]] | None = None,
    tracking: list[Any] | None = None,
    mapping: dict[str, Any] | None = None,
    previous: dict[str, Any] | None = None,
    previous_at: datetime | None = None,
) -> Normalised:
    document = {**deepcopy(EXAMPLE), **(changes or {})}
    if items is not None:
        document["item"] = [{**deepcopy(EXAMPLE["item"][0]), **item} for item in items]
    body = {"return": document, "tracking": tracking or []}
    return normalise(
        Payload(
            topic="pull.return",
            document=body,
            received_at=READ_AT,
            account="rb",
            mapping=mapping or MAPPED,
            previous=previous,
            previous_at=previous_at,
        )
    )


def _snapshot(said: Normalised) -> facts.ReturnSnapshot:
    (seen,) = [fact for fact in said.facts if isinstance(fact, facts.ReturnSeen)]
    return seen.snapshot


def _types(said: Normalised) -> list[str]:
    return [type(fact).__name__ for fact in said.facts if not isinstance(fact, facts.ReturnSeen)]


def test_the_default_mapping_is_valid_and_its_value_tables_are_empty() -> None:
    assert mapping_problems(default_mapping()) == ()
    assert default_mapping()["values"] == {"resolution": {}, "disposition": {}}


def test_the_documented_example() -> None:
    said = _said()
    assert said.problems == ()
    snapshot = _snapshot(said)
    assert (snapshot.return_id, snapshot.number, snapshot.mode) == ("880012", "RB-880012", "on_receipt")
    assert (snapshot.order_id, snapshot.order_number, snapshot.currency) == ("", "#1042", "")
    assert snapshot.customer_email == "pat@example.com"
    assert snapshot.created_at == datetime(2026, 5, 4, 9, tzinfo=UTC)
    (item,) = snapshot.items
    assert (item.item_id, item.sku, item.quantity, item.unit_price) == ("880012:MUG-RED:1", "MUG-RED", 2, Decimal(12))
    assert (item.reason_code, item.resolution, snapshot.resolution) == ("Damaged", "refund", "refund")
    delivered, received = said.facts[1:]
    assert isinstance(delivered, facts.ParcelDelivered)
    assert isinstance(received, facts.ParcelReceived)
    assert received.occurred_at == datetime(2026, 5, 9, 8, 30, tzinfo=UTC)
    assert (received.parcel_id, received.carrier) == ("EX123456789GB", "examplepost")


def test_with_empty_tables_nothing_is_wanted_and_a_person_is_asked() -> None:
    said = _said(items=[{"quantity": "1", "final_disposition": "A"}], mapping=default_mapping())
    assert (_snapshot(said).items[0].resolution, _snapshot(said).resolution) == ("none", "none")
    assert _types(said) == ["ParcelDelivered", "ParcelReceived"]
    assert {problem.case_kind for problem in said.problems} == {states.CASE_UNMAPPED_EVENT}
    assert [problem.detail["where"] for problem in said.problems] == ["values.resolution", "values.disposition"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("return order created", ["ReturnAuthorised"]),
        ("ENTERED OUR NETWORK", ["ParcelInTransit"]),
        ("arrived-at-our-hub", ["ParcelDelivered", "ParcelReceived"]),
        ("Delivered", ["ParcelDelivered"]),
    ],
)
def test_the_milestones_are_matched_whatever_their_case(word: str, expected: list[str]) -> None:
    said = _said({"current_tracking_status": word})
    assert (_types(said), said.problems) == (expected, ())


def test_an_unknown_word_is_kept_and_asked_about_once() -> None:
    way = [{"dt": "2026-05-05 10:00:00", "status": "Held by customs"}, {"dt": "", "status": "held by Customs"}]
    said = _said({"current_tracking_status": "Held by customs"}, tracking=[{"tracking_code": "X", "track": way}])
    (problem,) = said.problems
    assert problem.case_kind == states.CASE_UNMAPPED_EVENT
    assert "unknown tracking status" in problem.text
    assert _types(said) == ["ReturnAuthorised"]
    mapping = {**MAPPED, "status_events": {**MAPPED["status_events"], "Held by Customs": ["return.updated"]}}
    assert _said({"current_tracking_status": "held by customs"}, mapping=mapping).problems == ()
    ignoring = {**MAPPED, "fallback": {"unknown_status": "ignore"}}
    assert _said({"current_tracking_status": "Held by customs"}, mapping=ignoring).problems == ()


def test_each_parcels_way_tells_its_own_times() -> None:
    way = [
        {"dt": "2026-05-05 10:00:00", "status": "Entered Our Network", "location": {"city": "Leeds"}},
        {"dt": "2026/05/09", "status": "Arrived at Our Hub", "location": {"city": "Hubtown"}},
    ]
    said = _said(tracking=[{"tracking_code": "P2", "carrier_name": "vanline", "track": way}])
    moved = [fact for fact in said.facts if isinstance(fact, facts.ParcelFact)]
    assert [(type(fact).__name__, fact.parcel_id, fact.carrier, fact.occurred_at.day) for fact in moved] == [
        ("ParcelInTransit", "P2", "vanline", 5),
        ("ParcelDelivered", "P2", "vanline", 9),
        ("ParcelReceived", "P2", "vanline", 9),
    ]


def test_a_return_of_which_no_parcel_tells_anything_may_be_sent_back() -> None:
    said = _said({"current_tracking_status": None})
    (authorised,) = said.facts[1:]
    assert isinstance(authorised, facts.ReturnAuthorised)
    assert authorised.occurred_at == datetime(2026, 5, 4, 9, tzinfo=UTC)


def test_a_disposition_of_every_item_is_one_judgement_of_the_whole() -> None:
    said = _said(items=[{"quantity": "1", "final_disposition": "A"}, {"quantity": "1", "final_disposition": "Bin"}])
    (judged,) = [fact for fact in said.facts if isinstance(fact, facts.InspectionCompleted)]
    assert [(one.item_id, one.quantity, one.disposition, one.is_final, one.outcome) for one in judged.items] == [
        ("880012:MUG-RED:1", 1, "sellable", True, "accepted"),
        ("880012:MUG-RED:2", 1, "damaged", True, "accepted"),
    ]


def _judged(said: Normalised) -> list[tuple[str, int, str]]:
    """Each item of the one statement of verdicts: its position, units, disposition."""
    (judged,) = [fact for fact in said.facts if isinstance(fact, facts.InspectionCompleted)]
    assert judged.occurred_at == READ_AT
    return [(one.item_id.rpartition(":")[2], one.quantity, one.disposition) for one in judged.items]


@pytest.mark.parametrize(("word", "problems"), [(None, []), ("??", ["values.disposition"])])
def test_a_disposition_of_some_items_is_stated_with_the_others_undecided(word: str | None, problems: list[str]) -> None:
    said = _said(items=[{"quantity": "1", "final_disposition": "A"}, {"quantity": "1", "final_disposition": word}])
    assert _judged(said) == [("1", 1, "sellable"), ("2", 0, "unknown")]
    assert [problem.detail["where"] for problem in said.problems] == problems


def test_a_disposition_taken_back_is_stated_and_silence_from_the_first_says_nothing() -> None:
    judged, silent = {"quantity": "1", "final_disposition": "A"}, {"quantity": "1"}
    before = {"return": {**deepcopy(EXAMPLE), "item": [{**deepcopy(EXAMPLE["item"][0]), **judged}]}}
    assert _judged(_said(items=[silent], previous=before)) == [("1", 0, "unknown")]
    still = {"return": {**before["return"], "item": [{**deepcopy(EXAMPLE["item"][0]), **silent}]}}
    for previous in (None, still):
        assert "InspectionCompleted" not in _types(_said(items=[silent], previous=previous))


def test_goods_sent_back_to_the_shopper_are_not_accepted() -> None:
    mapping = _mapping(resolution={"Refund": "refund"}, disposition={"Back": "return_to_customer"})
    said = _said(items=[{"quantity": "1", "final_disposition": "Back"}], mapping=mapping)
    (judged,) = [fact for fact in said.facts if isinstance(fact, facts.InspectionCompleted)]
    assert judged.items[0].outcome == "rejected"


def test_several_units_with_one_disposition_are_the_warehouses_to_split() -> None:
    said = _said(items=[{"quantity": "2", "final_disposition": "A"}, {"quantity": "1", "final_disposition": "A"}])
    (problem,) = said.problems
    assert problem.case_kind == states.CASE_CONFIRM_SPLIT
    assert problem.detail == {
        "item": "880012:MUG-RED:1",
        "sku": "MUG-RED",
        "quantity": "2",
        "disposition": "A",
    }
    assert _judged(said) == [("2", 1, "sellable"), ("1", 0, "unknown")]


@pytest.mark.parametrize(
    ("before", "is_asked"),
    [({"final_disposition": "A"}, False), ({"final_disposition": "Bin"}, True), ({"final_disposition": None}, True)],
)
def test_a_split_is_asked_for_once(before: dict[str, Any], is_asked: bool) -> None:
    items = [{"quantity": "2", "final_disposition": "A"}]
    previous = {"return": {**EXAMPLE, "item": [{**EXAMPLE["item"][0], "quantity": "2", **before}]}}
    problems = _said({"current_tracking_status": "Delivered"}, items=items, previous=previous).problems
    assert [problem.case_kind for problem in problems] == ([states.CASE_CONFIRM_SPLIT] if is_asked else [])


def _answers(*answers: dict[str, Any]) -> Normalised:
    return _said(items=[{"reason": list(answers)}])


def test_no_reason_is_none_and_several_are_one_that_nobody_has_mapped() -> None:
    assert _snapshot(_answers({"wish": "Refund"})).items[0].reason_code is None
    several = _answers({"reason": "Damaged", "wish": "Refund"}, {"reason": "Late", "wish": "Refund"})
    assert _snapshot(several).items[0].reason_code == "Damaged / Late"
    same = _answers({"reason": "Damaged", "wish": "Refund"}, {"reason": "Damaged", "wish": "Refund"})
    assert _snapshot(same).items[0].reason_code == "Damaged"


def test_the_action_says_what_is_wanted_only_where_there_is_no_wish() -> None:
    assert _snapshot(_answers({"action": "Refund"})).items[0].resolution == "refund"
    assert _snapshot(_answers({"action": "Swap", "wish": "Refund"})).items[0].resolution == "refund"
    both = _answers({"action": "Refund", "wish": "Refund"}, {"action": "Refund", "wish": "Swap"})
    assert _snapshot(both).items[0].resolution == "none"
    (problem,) = both.problems
    assert "several answers for wish: Refund, Swap" in problem.text
    (silent,) = _answers({"reason": "Damaged"}).problems
    assert "does not say what the shopper wants" in silent.text


def test_items_that_want_different_things_make_a_mixed_return() -> None:
    said = _said(items=[{}, {"reason": [{"reason": "Damaged", "wish": "Swap"}]}])
    assert _snapshot(said).resolution == "mixed"


@pytest.mark.parametrize(
    "changes",
    [{"item": []}, {"item": None}, {"date_added": "soon"}, {"order_reference": None}, {"id": None}],
)
def test_a_return_with_holes_gives_no_fact_and_names_them(changes: dict[str, Any]) -> None:
    said = _said(changes)
    assert said.facts == ()
    assert said.problems
    assert {problem.case_kind for problem in said.problems} <= {states.CASE_UNMAPPED_EVENT, "unreadable_event"}


def test_what_is_no_return_is_unreadable() -> None:
    for topic, document in (("unreadable", {}), ("pull.return", []), ("pull.return", {"return": 1})):
        said = normalise(Payload(topic=topic, document=document, received_at=READ_AT, account="rb", mapping=MAPPED))
        assert [problem.case_kind for problem in said.problems] == [states.CASE_UNREADABLE_EVENT]


def test_a_broken_mapping_moves_nothing() -> None:
    said = _said(mapping={"version": 1})
    assert said.facts == ()
    assert "cannot be used" in said.problems[0].text


def test_a_mapping_that_does_not_read_whole_returns_says_so() -> None:
    said = _said(mapping={**MAPPED, "rules": [{"when": [], "emit": []}]})
    assert said.facts == ()
    assert 'must say "emit_from": "snapshot"' in said.problems[-1].text


@pytest.mark.parametrize("kind", sample_types())
def test_events_of_the_generic_contract_are_understood_too(kind: str) -> None:
    said = normalise(Payload(topic=kind, document=sample_event(kind), received_at=READ_AT, account="rb"))
    assert said.problems == ()
    assert said.facts


def test_an_event_of_the_contract_must_still_name_order_and_currency() -> None:
    event = sample_event("return.received")
    del event["data"]["return"]["currency"]
    said = normalise(Payload(topic="return.received", document=event, received_at=READ_AT, account="rb"))
    assert said.facts == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-04 09:00:00", datetime(2026, 5, 4, 9, tzinfo=UTC)),
        ("2026-05-04T09:00:00+02:00", datetime(2026, 5, 4, 7, tzinfo=UTC)),
        ("2026/05/04", datetime(2026, 5, 4, tzinfo=UTC)),
        ("2026/05/04 09:05", datetime(2026, 5, 4, 9, 5, tzinfo=UTC)),
        ("05/04/2026 09:00:00", datetime(2026, 5, 4, 9, tzinfo=UTC)),
        ("1777885200", datetime(2026, 5, 4, 9, tzinfo=UTC)),
        (1777885200, datetime(2026, 5, 4, 9, tzinfo=UTC)),
        ("04.05.2026", None),
        ("", None),
        (None, None),
        (True, None),
    ],
)
def test_dates_in_every_form(text: Any, expected: datetime | None) -> None:
    assert moment_of(text) == expected


# --- exchanges -------------------------------------------------------------------------------------------------------

NAMED = {
    "each": "$.item",
    "map": {
        "id": "@.item_id",
        "lines": {"each": "@.reason", "map": {"sku": {"path": "@.additional.value", "as": "strip"}}},
    },
}


def _swap(value: str | None) -> dict[str, Any]:
    answer = {"action": "return", "reason": "Damaged", "wish": "Swap", "additional": {"title": "Size", "value": value}}
    return {"quantity": "1", "reason": [answer]}


CASES: list[tuple[dict[str, Any], str | None, list[str]]] = [
    (MAPPED, "MUG-BLUE", []),
    ({**MAPPED, "fields": {**MAPPED["fields"], "exchanges": NAMED}}, " MUG-BLUE ", ["MUG-BLUE"]),
    ({**MAPPED, "fields": {**MAPPED["fields"], "exchanges": NAMED}}, None, []),
]


def test_a_wish_for_an_exchange_asks_for_one_and_names_the_article_only_where_the_mapping_says_how() -> None:
    assert mapping_problems(CASES[1][0]) == ()
    for mapping, value, expected in CASES:
        said = _said(items=[_swap(value), {"quantity": "1"}], mapping=mapping)
        (asked,) = [fact for fact in said.facts if isinstance(fact, facts.ExchangeRequested)]
        assert (asked.exchange_id, [line.sku for line in asked.lines]) == ("880012:MUG-RED:1", expected)
        assert {(line.quantity, line.replaces_item_id) for line in asked.lines} <= {(1, "880012:MUG-RED:1")}
        assert (said.problems, asked.occurred_at) == ((), READ_AT)


@pytest.mark.parametrize(
    ("was", "previous_at", "expected"),
    [
        ("", None, (False, datetime(1970, 1, 1, tzinfo=UTC))),
        ("MUG-BLUE", EARLIER, (True, EARLIER + timedelta.resolution)),
        ("MUG-PINK", EARLIER, (False, EARLIER + timedelta.resolution)),
        ("", EARLIER, (False, EARLIER + timedelta.resolution)),
    ],
)
def test_a_wish_that_is_read_was_made_since_the_reading_before_and_is_new_only_if_that_showed_another(
    was: str, previous_at: datetime | None, expected: tuple[bool, datetime]
) -> None:
    shown = {**deepcopy(EXAMPLE), "item": [{**deepcopy(EXAMPLE["item"][0]), **(_swap(was) if was else {})}]}
    said = _said(
        items=[_swap("MUG-BLUE")],
        mapping=CASES[1][0],
        previous=None if previous_at is None else {"return": shown},
        previous_at=previous_at,
    )
    (asked,) = [fact for fact in said.facts if isinstance(fact, facts.ExchangeRequested)]
    assert (asked.is_repeat, asked.made_after) == expected
    assert (asked.is_wish, asked.occurred_at) == (True, READ_AT)


def test_a_wish_taken_back_withdraws_the_exchange_and_a_return_read_first_withdraws_none() -> None:
    before = {"return": {**deepcopy(EXAMPLE), "item": [{**deepcopy(EXAMPLE["item"][0]), **_swap(None)}]}}
    said = _said(items=[{"quantity": "1"}], previous=before)
    (gone,) = [fact for fact in said.facts if isinstance(fact, facts.ExchangeCancelled)]
    assert gone.exchange_id == "880012:MUG-RED:1"
    assert not [fact for fact in said.facts if isinstance(fact, facts.ExchangeRequested)]
    assert not [fact for fact in _said(items=[{"quantity": "1"}]).facts if isinstance(fact, facts.ExchangeCancelled)]
