"""Who may call, and how every refusal looks. Asked of the eligibility call, which needs no more for this."""

import json
from typing import Any

import pytest
from django.test import Client

from returnsops.api.access import fields_of
from tests import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v1/eligibility/"
GOOD = {"order_id": "1", "lines": [{"line_id": "1", "quantity": 1}]}


def post(body: Any, *, secret: str = "secret-of-portal", kind: str = "application/json", **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {secret}"} if secret else {}
    return Client().post(URL, data, content_type=kind, headers={**sent, **headers})


@pytest.fixture(autouse=True)
def portal() -> Any:
    return make.ApiTokenFactory(name="portal", scopes=["eligibility"])


def refused(response: Any, status: int, code: str) -> Any:
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    body = response.json()
    assert body["code"] == code
    assert body["error"]
    return body


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic eDp5", "Bearer \xe9", f"Bearer {'x' * 300}"]
)
def test_who_is_not_known_is_told_what_to_send(header: str) -> None:
    response = post(GOOD, secret="", **({"Authorization": header} if header else {}))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="returnsops"'
    assert set(response.json()) == {"error", "code"}


def test_a_session_of_the_staff_screens_is_no_caller(admin_client: Client) -> None:
    assert admin_client.post(URL, GOOD, content_type="application/json").status_code == 401


def test_a_revoked_token_and_a_missing_scope(portal: Any) -> None:
    make.ApiTokenFactory(name="wms", scopes=["inspections"])
    refused(post(GOOD, secret="secret-of-wms"), 403, "permission_denied")
    portal.revoked_at, portal.revoked_by = make.NOW, "ops"
    portal.save()
    refused(post(GOOD), 401, "authentication_failed")


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"NaN", b'{"lines": Infinity}', b"[" * 100_000, b"1" * 5000, b'"\xed\xa0\x80"']
)
def test_what_is_not_json(body: bytes) -> None:
    refused(post(body), 400, "parse_error")


def test_bodies_are_bounded(settings: Any) -> None:
    settings.API_BODY_LIMIT_BYTES = 100
    refused(post(b" " * 101), 413, "too_large")
    refused(post(b"{" + b" " * 98 + b"}"), 422, "invalid")


def test_only_json_and_only_post(portal: Any) -> None:
    refused(post(b"a=1", kind="application/x-www-form-urlencoded"), 415, "unsupported_media_type")
    for method in ("get", "put", "patch", "delete", "options"):
        response = getattr(Client(), method)(URL, headers={"Authorization": "Bearer secret-of-portal"})
        refused(response, 405, "method_not_allowed")


def test_the_answer_is_json_whatever_is_accepted() -> None:
    assert post({}, Accept="text/html")["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": "1"}, "lines"),
        ({"lines": [{"line_id": "1", "quantity": 1}] * 201}, "lines"),
        ({"lines": [{"line_id": "1"}]}, "lines[0].quantity"),
        ({"lines": [{"line_id": "1", "quantity": "1"}]}, "lines[0].quantity"),
        ({"lines": [{"line_id": "1", "quantity": True}]}, "lines[0].quantity"),
        ({"lines": [{"line_id": "1", "quantity": 1.0}]}, "lines[0].quantity"),
        ({"lines": [{"line_id": "1", "quantity": 0}]}, "lines[0].quantity"),
        ({"lines": [{"line_id": "1", "quantity": 10**30}]}, "lines[0].quantity"),
        ({"lines": [{"line_id": 1, "quantity": 1}]}, "lines[0].line_id"),
        ({"lines": [{"quantity": 1}]}, "lines[0]"),
        ({"lines": [{"line_id": "1", "quantity": 1}, {"sku": "a\u0000b", "quantity": 1}]}, "lines[1].sku"),
        ({"lines": [{"sku": "\ud800", "quantity": 1}]}, "lines[0].sku"),
        ({"lines": [None]}, "lines[0]"),
        ({"order_id": None}, "order_id"),
        ({"order_number": "1"}, "body"),
        ({"order_id": "9" * 65}, "order_id"),
        ({"resolution": "gift"}, "resolution"),
        ({"emial": "a@example.com"}, "emial"),
        ({"connection": "nowhere"}, "connection"),
    ],
)
def test_wrong_fields_are_named(changes: dict[str, Any], field: str) -> None:
    body = refused(post({**GOOD, **changes}), 422, "invalid")
    assert [entry["field"] for entry in body["fields"]] == [field]
    assert all(entry["error"] for entry in body["fields"])


def test_a_number_wants_an_address() -> None:
    body = refused(post({"order_number": "1", "lines": GOOD["lines"]}), 422, "invalid")
    assert body["fields"] == [{"field": "email", "error": "Wanted with order_number."}]


@pytest.mark.parametrize("body", [[], "text", 1, None, True])
def test_a_document_that_is_no_table(body: Any) -> None:
    assert refused(post(body), 422, "invalid")["fields"][0]["field"] == "body"


def test_errors_of_every_shape_become_a_flat_list() -> None:
    detail = {"a": {1: {"b": ["wrong"]}}, "non_field_errors": ["all wrong"], "c": [{}, {"d": ["bad"]}]}
    assert fields_of(detail) == [
        {"field": "a[1].b", "error": "wrong"},
        {"field": "body", "error": "all wrong"},
        {"field": "c[1].d", "error": "bad"},
    ]
