"""A mapping is checked before it is saved; every complaint says where and what."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping_validation import mapping_problems, unfilled
from connectors.reveni.connector import default_mapping
from connectors.simulators.reveni import assumed_mapping

MISSING = object()


def changed(*place: str | int, to: Any) -> dict[str, Any]:
    document: Any = deepcopy(default_mapping())
    node = document
    for step in place[:-1]:
        node = node[step]
    if to is MISSING:
        del node[place[-1]]
    else:
        node[place[-1]] = to
    return dict(document)


def test_the_stored_mappings_are_valid() -> None:
    assert mapping_problems(default_mapping()) == ()
    assert mapping_problems(assumed_mapping()) == ()


def test_what_the_vendor_does_not_publish_is_listed_as_unfilled() -> None:
    assert set(unfilled(default_mapping())) == {
        "fields.return.mode",
        "fields.return.order.id",
        "fields.return.created_at",
        "fields.return.items.each",
        "fields.return.items.map.id",
        "fields.return.items.map.sku",
        "fields.return.items.map.quantity",
        "fields.return.items.map.reason_code",
    }
    assert unfilled(assumed_mapping()) == ()


@pytest.mark.parametrize(
    ("place", "to", "complaint"),
    [
        (("versoin",), 1, "mapping: unknown key 'versoin'; known are"),
        (("version",), "1", "version: must be a whole number from 1."),
        (("version",), MISSING, "version: must be a whole number from 1."),
        (("verifier", "kind"), "none", "verifier.kind: 'none' is not one of"),
        (("verifier",), "reveni_v1", "verifier: must be an object with a kind."),
        (("envelope",), MISSING, "envelope: must be an object with id and occurred_at."),
        (("envelope", "id"), MISSING, "envelope.id: is missing; say where the message holds it."),
        (("envelope", "account_id"), {"const": 3}, "envelope.account_id: const must be text"),
        (("envelope", "occurred_at", "as"), "epoch", "envelope.occurred_at.as: 'epoch' is not one of decimal,"),
        (("root",), "$..object", "root: '$..object' uses more than a mapping may."),
        (("rules",), [], "rules: must be a list of 1 to 100 rules."),
        (("rules", 0), "x", "rules[0]: must be an object with when and emit."),
        (("rules", 0, "when"), "x", "rules[0].when: must be a list of tests."),
        (("rules", 0, "when", 0), "x", "rules[0].when[0]: must be an object with path and a test."),
        (("rules", 0, "when", 0), {"path": "$.event"}, "rules[0].when[0]: needs one of changed, exists, in, not_in."),
        (("rules", 0, "when", 0, "in"), "x", "rules[0].when[0].in: must be a list of values."),
        (("rules", 1, "when", 1, "changed"), "yes", "rules[1].when[1].changed: must be true or false."),
        (("rules", 1, "when", 1, "norm"), "upper", "rules[1].when[1].norm: only 'snake' is known."),
        (("rules", 1, "when", 1), {"path": "$.x", "exists": True}, "rules[1]: emit_from 'status_events' needs exactly"),
        (("rules", 0, "emit"), ["return.teleported"], "rules[0].emit: 'return.teleported' is not an event type"),
        (("rules", 0, "emit"), MISSING, "rules[0]: needs exactly one of emit and emit_from."),
        (("rules", 1, "emit_from"), "rules", "rules[1].emit_from: must be 'status_events' or 'snapshot'."),
        (("status_events", "shipped"), "return.in_transit", "status_events.shipped: must be a list of event types."),
        (("status_events",), {}, "status_events: is missing although rules[1] uses it."),
        (("fields",), {}, "fields: must be an object with 1 to 300 targets."),
        (("fields", "return.colour"), "$.x", "fields.return.colour: is not a field of the contract."),
        (("fields", "return.order"), "$.x", "fields.return.order: is a group; name a field inside it."),
        (("fields", "return.items"), "$.x", "fields.return.items: is a list and needs exactly 'each'"),
        (("fields", "return.items", "map", "size"), "@.x", "fields.return.items.map.size: is not a field"),
        (("fields", "return.id"), "data.id", "fields.return.id: 'data.id' does not start with $ or @."),
        (("fields", "return.id"), [], "fields.return.id: the list of paths is empty."),
        (("fields", "return.id"), 5, "fields.return.id: must be a path, a list of paths, or an object"),
        (
            ("fields", "return.id"),
            {"path": "$.a", "const": 1},
            "fields.return.id: needs exactly one of path and const.",
        ),
        (("fields", "return.id"), {"path": 5}, "fields.return.id: must be a path such as $.data.id."),
        (("fields", "return.id"), "$[?@.a]", "fields.return.id: '$[?@.a]' uses more than a mapping may."),
        (("fields", "return.id"), {"path": "$.a", "eval": "1"}, "fields.return.id: unknown key 'eval'; known are"),
        (("values",), [], "values: must be an object of tables."),
        (("values", "disposition"), {"A": 1}, "values.disposition: must be a table of the vendor's word -> our word."),
        (("fallback", "unmapped_value"), "guess", "fallback.unmapped_value: must be one of exception, ignore."),
        (("fallback",), "none", "fallback: must be an object."),
    ],
)
def test_complaints_say_where_and_what(place: tuple[str | int, ...], to: Any, complaint: str) -> None:
    found = mapping_problems(changed(*place, to=to))

    assert [text for text in found if text.startswith(complaint)], found


@pytest.mark.parametrize("document", [None, [], "x", 3])
def test_a_mapping_is_an_object(document: Any) -> None:
    assert mapping_problems(document) == ("mapping: must be a JSON object.",)


@given(
    st.sampled_from(["verifier", "envelope", "root", "rules", "status_events", "fields", "values", "fallback"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["path", "const", "each", "map", "when", "emit", "in", "as", "kind", "id"]), inner
            )
        ),
        max_leaves=8,
    ),
)
def test_validation_never_raises(name: str, value: Any) -> None:
    assert isinstance(mapping_problems(changed(name, to=value)), tuple)
