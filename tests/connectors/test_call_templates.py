"""Call templates: what is refused when they are stored, and what they make of a message."""

import json
from typing import Any

import pytest

from connectors.call_templates import (
    CallTemplate,
    Seen,
    TemplateError,
    render_body,
    render_path,
    seen_of,
    shown_values,
    template_of,
    template_problems,
)

SAFE = "https://platform.example"
GOOD: dict[str, Any] = {
    "method": "POST",
    "path": "/v1/returns/{return_id}/refunds",
    "success": [200, 201],
    "idempotency_header": "Idempotency-Key",
    "body": {"amount": "{amount}", "flags": [True, 1, "{currency}"], "deep": {"note": "Order {order_number}: {note}"}},
}
MESSAGE = {"return_id": "ret_1", "amount": "30.00", "currency": "EUR", "order_number": "7", "note": 'a "b"', "key": "k"}


def problems(template: Any, *, message: str = "already_refunded", base_url: str = SAFE) -> list[str]:
    """What is wrong with one template."""
    return list(template_problems({"write_back": {message: template}}, base_url=base_url))


def seen_problems(seen: Any, *, message: str = "exchange_order") -> list[str]:
    """What is wrong with one place where something is seen."""
    return list(template_problems({"write_back_seen": {message: seen}}, base_url=SAFE))


def made(**changes: Any) -> CallTemplate:
    """The good template, changed."""
    found = template_of({"write_back": {"already_refunded": {**GOOD, **changes}}}, "already_refunded")
    assert found is not None
    return found


def test_nothing_stored_is_nothing_wrong_and_no_template() -> None:
    assert list(template_problems({}, base_url="http://platform.example")) == []
    assert template_of({}, "lines") is None
    assert seen_of({}, "lines") is None


def test_a_good_template_is_taken_with_its_defaults() -> None:
    assert problems(GOOD) == []
    assert problems({"method": "PUT", "path": "/r/{return_id}"}) == []
    short = template_of({"write_back": {"lines": {"method": "PUT", "path": "/r/{return_id}"}}}, "lines")
    assert short == CallTemplate(
        method="PUT", path="/r/{return_id}", body={}, success=frozenset({200, 201, 202, 204}), idempotency_header=""
    )


NO_NUMBER = "must be text, a whole number, true, false, a list or a table; write other numbers as text."
WHERE = "write_back.already_refunded"
KNOWN = "message, return_number, order_id, order_number, amount, currency, reference, refunded_at, note"
NO_ADDRESS = (
    f"{WHERE}.path: must begin with a slash and hold letters, digits, . _ ~ - / and placeholders only; no address."
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"method": "GET"}, f"{WHERE}.method: must be one of POST, PUT, PATCH."),
        ({"path": "https://evil.example/{return_id}"}, NO_ADDRESS),
        ({"path": "//evil.example/{return_id}"}, NO_ADDRESS),
        ({"path": "/a/../{return_id}"}, NO_ADDRESS),
        ({"path": "/{return_id}/.."}, NO_ADDRESS),
        ({"path": "/{return_id}?x=1"}, NO_ADDRESS),
        ({"path": 7, "body": {"id": "{return_id}"}}, NO_ADDRESS),
        ({"path": "/r/{rma}/{return_id}"}, f"{WHERE}.path: there is no {{rma}}; known are return_id, key, {KNOWN}."),
        ({"path": "/r/{return_id}}"}, f"{WHERE}.path: a brace does not belong to a placeholder like {{return_id}}."),
        ({"path": "/r"}, f"{WHERE}.path: neither path nor body names the return; put {{return_id}} into one of them."),
        ({"body": ["{amount}"]}, f"{WHERE}.body: must be a table."),
        (
            {"body": {"a": {"b": ["{total}"]}}},
            f"{WHERE}.body.a.b[1]: there is no {{total}}; known are return_id, key, {KNOWN}.",
        ),
        (
            {"body": {"a": 1.5}},
            f"{WHERE}.body.a: {NO_NUMBER}",
        ),
        (
            {"body": {"a": {"each": "items", "map": {}}}},
            f"{WHERE}.body.a.each: the message has no such list; known are none.",
        ),
        ({"success": []}, f"{WHERE}.success: must be a list of answers from 200 to 299."),
        ({"success": [404]}, f"{WHERE}.success: must be a list of answers from 200 to 299."),
        ({"success": 200}, f"{WHERE}.success: must be a list of answers from 200 to 299."),
        (
            {"idempotency_header": "Authorization"},
            f"{WHERE}.idempotency_header: must be the name of a header that is not ours to set, like Idempotency-Key.",
        ),
        (
            {"idempotency_header": "X Key"},
            f"{WHERE}.idempotency_header: must be the name of a header that is not ours to set, like Idempotency-Key.",
        ),
        ({"url": "x"}, f"{WHERE}.url: unknown; known are body, idempotency_header, method, path, success."),
    ],
)
def test_every_mistake_is_named_with_its_place(changes: dict[str, Any], expected: str) -> None:
    assert problems({**GOOD, **changes}) == [expected]


def test_lists_of_items_are_checked_by_their_own_fields() -> None:
    rows = {"each": "items", "map": {"id": "{item_id}", "worth": "{total}", "return": "{return_id}"}}
    good = {"method": "PUT", "path": "/r/{return_id}", "body": {"rows": rows, "all": "{items}"}}
    assert problems(good, message="lines") == []
    (found,) = problems({**good, "body": {"rows": {**rows, "map": {"x": "{grade}"}}}}, message="lines")
    assert found.startswith("write_back.lines.body.rows.map.x: there is no {grade}; known are return_id, key, message")
    assert problems({**good, "body": {"rows": {**rows, "each": "lines"}}}, message="lines") == [
        "write_back.lines.body.rows.each: the message has no such list; known are items."
    ]
    assert problems({**good, "body": {"rows": "all of {items}"}}, message="lines") == [
        "write_back.lines.body.rows: {items} is a list and must stand alone."
    ]
    (in_path,) = problems({**good, "path": "/r/{return_id}/{items}"}, message="lines")
    assert in_path.startswith("write_back.lines.path: there is no {items}")


def test_unknown_messages_and_other_shapes_are_refused() -> None:
    known = "lines, already_refunded, verdict, exchange_order"
    assert problems(GOOD, message="refund") == [f"write_back.refund: there is no such message; known are {known}."]
    assert problems("POST") == ["write_back.already_refunded: must be a table."]
    assert list(template_problems({"write_back": []}, base_url=SAFE)) == [
        "write_back: must be a table with one table per message."
    ]


@pytest.mark.parametrize(
    ("base_url", "is_safe"),
    [
        ("https://platform.example", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://platform.example", False),
    ],
)
def test_nothing_is_sent_over_plain_http_to_another_machine(base_url: str, is_safe: bool) -> None:
    wanted = "write_back: base_url must begin with https:// before anything is sent there (http only on this machine)."
    assert problems(GOOD, base_url=base_url) == ([] if is_safe else [wanted])


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"path": "$.exchanges[*].order", "field": "exchange_order_id"}, []),
        ({"path": "$.keys[*]", "field": "key"}, []),
        (
            {"path": "@.exchanges", "field": "key"},
            ['path: must begin with $, the whole return, like "$.refunds[*].reference".'],
        ),
        ({"field": "key"}, ['path: must begin with $, the whole return, like "$.refunds[*].reference".']),
        (
            {"path": "$.x", "field": "items"},
            [
                "field: must be one of key, message, return_number, order_id, order_number, exchange_id, "
                "exchange_order_id."
            ],
        ),
        ({"path": "$.x", "field": "key", "equals": "1"}, ["equals: unknown; known are field, path."]),
    ],
)
def test_the_place_where_it_is_seen_is_checked(seen: dict[str, str], expected: list[str]) -> None:
    assert seen_problems(seen) == [f"write_back_seen.exchange_order.{text}" for text in expected]


def test_a_path_that_computes_is_refused() -> None:
    (found,) = seen_problems({"path": "$..order", "field": "key"})
    assert found.startswith("write_back_seen.exchange_order.path: '$..order'")


def test_values_are_rendered_as_data_and_cannot_change_the_form() -> None:
    body = render_body(made(), MESSAGE)
    assert json.loads(json.dumps(body)) == {
        "amount": "30.00",
        "flags": [True, 1, "EUR"],
        "deep": {"note": 'Order 7: a "b"'},
    }


def test_a_list_of_items_keeps_the_types_of_its_values() -> None:
    template = made(body={"rows": {"each": "items", "map": {"n": "{quantity}", "id": "{item_id}/{return_id}"}}})
    items = [{"item_id": "a", "quantity": 2}, {"item_id": "b", "quantity": 1}]
    assert render_body(template, {**MESSAGE, "items": items}) == {
        "rows": [{"n": 2, "id": "a/ret_1"}, {"n": 1, "id": "b/ret_1"}]
    }


def test_a_path_quotes_its_values_and_refuses_those_that_would_lead_elsewhere() -> None:
    assert render_path(made(), {**MESSAGE, "return_id": "a/b?c d"}) == "/v1/returns/a%2Fb%3Fc%20d/refunds"
    for value in ("", ".", ".."):
        with pytest.raises(TemplateError, match="cannot be part of an address"):
            render_path(made(), {**MESSAGE, "return_id": value})


def test_a_value_the_message_does_not_have_is_said() -> None:
    with pytest.raises(TemplateError, match="The message has no amount"):
        render_body(made(), {"return_id": "1"})


def test_what_is_shown_is_text_each_once_without_flags_and_blanks() -> None:
    document = {"rows": [{"id": "b"}, {"id": 7}, {"id": "b"}, {"id": None}, {"id": True}, {"id": ""}, {"id": ["x"]}]}
    assert shown_values(Seen(path="$.rows[*].id", field="key"), document) == ("7", "b")


def test_what_the_connection_says_wins_over_the_vendors_default() -> None:
    default = {"lines": Seen(path="$.a", field="key")}
    assert seen_of({}, "lines", default=default) == Seen(path="$.a", field="key")
    stored = {"write_back_seen": {"lines": {"path": "$.b", "field": "total"}}}
    assert seen_of(stored, "lines", default=default) == Seen(path="$.b", field="total")
