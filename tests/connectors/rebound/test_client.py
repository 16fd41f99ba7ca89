"""V1 over HTTP: form fields, errors inside HTTP 200 and their classes, and that refusals are never repeated."""

from dataclasses import replace

import pytest
import requests

from connectors import ports
from connectors.rebound import client
from connectors.rebound.connector import CONNECTOR
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.rebound import BAD_KEYS_TO_BLOCK
from tests.connectors.rebound.serving import running

DAYS = {"date_from": "2026/05/01", "date_to": "2026/05/08"}


def test_ids_come_from_the_search_and_none_is_no_failure() -> None:
    with running() as r:
        assert client.search(r.link, **DAYS) == ()
        return_id = r.create()
        assert client.search(r.link, **DAYS) == (return_id,)


def test_every_call_is_a_post_with_form_fields_and_a_get_is_refused() -> None:
    with running() as r:
        r.create()
        client.search(r.link, **DAYS)
        (call,) = r.account.calls.all()
        assert (call.method, call.path) == ("POST", "/returns/search/json")
        answer = requests.get(f"{r.link.config.base_url}/returns/search/json", timeout=5)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_wrong_key_is_one_refusal_and_many_block_the_address() -> None:
    with running() as r:
        for _ in range(BAD_KEYS_TO_BLOCK):
            with pytest.raises(ports.AuthFailed, match="access_denied"):
                client.search(r.with_key("wrong"), **DAYS)
        with pytest.raises(ports.AuthFailed, match="blocked there"):
            client.search(r.link, **DAYS)


@pytest.mark.parametrize("settings", [{"login": ""}, {"login": "somebody"}])
def test_a_missing_or_wrong_login_is_a_matter_of_credentials(settings: dict[str, str]) -> None:
    with running() as r, pytest.raises(ports.AuthFailed):
        client.search(r.with_settings(**settings), **DAYS)


def test_an_unknown_call_and_a_wrong_request_are_refusals_with_their_code() -> None:
    with running() as r:
        with pytest.raises(ports.Rejected) as refusal:
            client.ask(r.link, "/orders/get/json", {})
        assert refusal.value.code == "unknown_call"
        with pytest.raises(ports.Rejected) as refusal:
            client.ask(r.link, client.GET_RETURN, {"return": {}})
        assert refusal.value.code == "request_wrong"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, '{"error": {"code": "internal", "message": ["x"]}}', ports.Retryable),
        (500, '{"error": {"code": "access_denied", "message": ["x"]}}', ports.AuthFailed),
        (503, "<html>", ports.Retryable),
        (401, "<html>", ports.AuthFailed),
        (404, "<html>", ports.Rejected),
        (200, "<html>", ports.Retryable),
        (200, '{"neither": 1}', ports.Rejected),
        (200, '{"success": {"id": {"a": 1}}}', ports.Rejected),
    ],
)
def test_each_answer_has_its_class(status: int, body: str, error: type[ports.VendorError]) -> None:
    with running() as r:
        r.account.faults.script(
            Fault(kind=FaultKind.SERVER_ERROR, status=status, body=body, content_type="application/json")
        )
        with pytest.raises(error):
            client.search(r.link, **DAYS)


def test_the_check_says_what_is_wrong_with_one_call() -> None:
    with running() as r:
        assert [(line.name, line.is_ok) for line in CONNECTOR.check(r.link)][1:] == [
            ("credentials", True),
            ("API", True),
        ]
        r.account.calls.clear()
        lines = CONNECTOR.check(r.with_key("wrong"))
        assert (lines[1].name, lines[1].is_ok) == ("credentials", False)
        assert len(r.account.calls.all()) == 1


def test_the_check_names_an_address_that_does_not_answer_as_it_should() -> None:
    with running() as r:
        r.account.faults.script(Fault(kind=FaultKind.SERVER_ERROR))
        line = CONNECTOR.check(r.link)[-1]
        assert (line.name, line.is_ok) == ("API", False)


def test_credentials_travel_over_https_or_to_this_machine_only() -> None:
    with running() as r:
        link = replace(r.link, config=replace(r.link.config, base_url="http://rebound.example"))
        with pytest.raises(ports.AuthFailed, match="https only"):
            client.search(link, **DAYS)


def test_a_delivery_is_received_as_an_event_of_the_contract() -> None:
    with running() as r:
        body = b'{"id": "e1", "type": "return.received", "data": {"return": {"id": "880012"}}}'
        inbound = ports.Inbound(headers={}, body=body, received_at=r.clock.now())
        reception = CONNECTOR.receive(inbound, r.link.config)
        assert (reception.topic, reception.subject_key) == ("return.received", "return:880012")
        assert reception.delivery_key.startswith("e1:")
