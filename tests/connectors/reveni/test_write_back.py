"""Telling the platform: each answer as its class, and what a look-up can say, over real HTTP."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connectors.http import make_caller, new_session
from connectors.ports import (
    AuthFailed,
    ConnectionConfig,
    Found,
    Intent,
    Link,
    Lookup,
    OutcomeUnknown,
    RateLimited,
    Rejected,
)
from connectors.reveni.write_back import look_up, send
from connectors.simulators.base import FaultPlan, Simulator
from connectors.simulators.clock import SystemClock
from connectors.simulators.server import serve

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
ABSENT = Lookup(found=Found.ABSENT)
TEMPLATE: dict[str, Any] = {
    "method": "POST",
    "path": "/v1/returns/{return_id}/external-refunds",
    "body": {"amount": "{amount}", "key": "{key}"},
    "success": [201],
}
SEEN = {"path": "$.external[*].reference", "field": "reference"}
INTENT = Intent(
    kind="write_back",
    key="write_back:reveni/ret_1:already_refunded:900",
    remote_key="write_back:reveni/ret_1:already_refunded:900#2",
    order_id="7",
    payload={"message": "already_refunded", "amount": "30.00", "reference": "900"},
    amount=None,
    currency="",
    planned_at=AT,
    first_attempt_at=None,
    earlier_remote_keys=("write_back:reveni/ret_1:already_refunded:900",),
    return_id="ret_1",
)


@dataclass
class Platform:
    """Answers with what it is told to answer, and keeps what came."""

    status: int = 201
    document: Any = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    def app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        body = request.get_json(silent=True)
        self.requests.append((request.method, request.path, dict(request.headers), body))
        status = 200 if request.method == "GET" and self.status == 201 else self.status
        headers = {"Retry-After": "7"} if status == 429 else {}
        return Response(_json(self.document), status=status, headers=headers, content_type="application/json")


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


@contextmanager
def linked(platform: Platform, **settings: Any) -> Iterator[Link]:
    """A link to a platform that is served on loopback."""
    simulator = Simulator(app=platform.app, clock=SystemClock(), faults=FaultPlan())
    server = serve(simulator)
    config = ConnectionConfig(
        name="reveni",
        vendor="reveni",
        base_url=server.url,
        settings={"write_back": {"already_refunded": TEMPLATE}, **settings},
        secrets={"api_key": ("k_1",)},
    )
    call = make_caller(session=new_session(), before_call=None, record=None, now=lambda: AT)
    try:
        yield Link(config=config, call=call, now=lambda: AT)
    finally:
        server.stop()


def test_the_call_is_what_the_template_says_with_our_credentials() -> None:
    platform = Platform()
    with linked(platform, return_url_template="https://portal.example/{id}") as link:
        made = send(link, INTENT, ABSENT)
    ((method, path, headers, body),) = platform.requests
    assert (method, path) == ("POST", "/v1/returns/ret_1/external-refunds")
    assert headers["Authorization"] == "Bearer k_1"
    assert "Idempotency-Key" not in headers
    assert body == {"amount": "30.00", "key": INTENT.remote_key}
    assert (made.remote_id, made.remote_url) == ("ret_1/already_refunded", "https://portal.example/ret_1")
    assert made.evidence == {"status": 201, "message": "already_refunded"}


def test_the_key_travels_in_the_header_the_template_names() -> None:
    platform = Platform()
    template = {**TEMPLATE, "idempotency_header": "Idempotency-Key"}
    with linked(platform, write_back={"already_refunded": template}) as link:
        send(link, INTENT, ABSENT)
    assert platform.requests[0][2]["Idempotency-Key"] == INTENT.remote_key


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, OutcomeUnknown),
        (302, Rejected),
        (400, Rejected),
        (401, AuthFailed),
        (403, AuthFailed),
        (404, Rejected),
        (408, OutcomeUnknown),
        (409, Rejected),
        (422, Rejected),
        (429, RateLimited),
        (500, OutcomeUnknown),
        (503, OutcomeUnknown),
    ],
)
def test_every_other_answer_is_its_class_of_error(status: int, error: type[Exception]) -> None:
    with linked(Platform(status=status)) as link, pytest.raises(error):
        send(link, INTENT, ABSENT)


def test_a_refusal_carries_the_platforms_own_code() -> None:
    platform = Platform(status=422, document={"error": {"code": "closed", "message": "x"}})
    with linked(platform) as link, pytest.raises(Rejected) as refused:
        send(link, INTENT, ABSENT)
    assert (refused.value.code, refused.value.evidence["status"]) == ("closed", 422)


def test_a_template_that_is_gone_or_cannot_carry_the_message_sends_nothing() -> None:
    platform = Platform()
    with linked(platform, write_back={}) as link, pytest.raises(Rejected) as gone:
        send(link, INTENT, ABSENT)
    assert gone.value.code == "no_template"
    with linked(platform) as link, pytest.raises(Rejected) as bad:
        send(link, replace(INTENT, return_id=".."), ABSENT)
    assert bad.value.code == "bad_template"
    assert platform.requests == []


def test_before_the_first_call_nothing_needs_to_be_looked_up() -> None:
    platform = Platform()
    with linked(platform) as link:
        assert look_up(link, INTENT).found is Found.ABSENT
    assert platform.requests == []


def test_a_call_that_left_and_cannot_be_seen_is_for_a_person_unless_one_key_is_done_once() -> None:
    left = replace(INTENT, first_attempt_at=AT)
    with linked(Platform()) as link:
        found = look_up(link, left)
    assert found.found is Found.AMBIGUOUS
    assert "Look at the return there" in found.text
    template = {**TEMPLATE, "idempotency_header": "Idempotency-Key"}
    with linked(Platform(), write_back={"already_refunded": template}) as link:
        assert look_up(link, left).found is Found.ABSENT


def test_the_platforms_return_says_whether_it_knows() -> None:
    left = replace(INTENT, first_attempt_at=AT)
    platform = Platform(document={"id": "ret_1", "external": [{"reference": "900"}]})
    with linked(platform, pull_api=True, write_back_seen={"already_refunded": SEEN}) as link:
        assert look_up(link, left).found is Found.COMPLETE
        platform.document = {"id": "ret_1", "external": [{"reference": "901"}]}
        assert look_up(link, left).found is Found.ABSENT
        platform.status = 404
        with pytest.raises(Rejected) as unknown:
            look_up(link, left)
    assert unknown.value.code == "return_not_found"
    assert [method for method, *_ in platform.requests] == ["GET", "GET", "GET"]


def test_a_platform_that_shows_our_key_is_believed_for_earlier_generations_too() -> None:
    seen = {"path": "$.keys[*]", "field": "key"}
    platform = Platform(document={"id": "ret_1", "keys": [INTENT.key]})
    with linked(platform, pull_api=True, write_back_seen={"already_refunded": seen}) as link:
        assert look_up(link, INTENT).found is Found.COMPLETE
        platform.document = {"id": "ret_1", "keys": [f"{INTENT.key}:2"]}
        assert look_up(link, INTENT).found is Found.ABSENT


def test_what_a_webhook_already_showed_needs_no_call() -> None:
    platform = Platform()
    left = replace(INTENT, first_attempt_at=AT, shown={"reference": ["900"]})
    with linked(platform) as link:
        assert look_up(link, left).found is Found.COMPLETE
        assert look_up(link, replace(left, shown={"reference": ["901"]})).found is Found.AMBIGUOUS
    assert platform.requests == []
