"""The webhook door: every answer it can give, and what it keeps."""

import json
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.http.request import UnreadablePostError
from django.test import Client
from django.utils import timezone

from connectors import tasks, views
from connectors.signing import sign
from connectors.woocommerce import webhooks
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, InboundEvent, WebhookRefusal
from returnsops.services.secrets import store_secret
from tests.factories import NOW, ConnectionFactory, ConnectionSecretFactory

pytestmark = pytest.mark.django_db

SECRET = "whsec_" + "QUJD" * 8
DOCUMENT = {"id": "evt_1", "type": "return.authorised", "data": {"return": {"id": "ret_1"}}}


@pytest.fixture
def platform() -> Connection:
    """A platform that signs."""
    made: Connection = ConnectionFactory(platform=True, name="reveni")
    store_secret(connection=made, name="webhook_secret", value=SECRET, by="test", at=NOW)
    return made


def _post(body: bytes, *, name: str = "reveni", secret: str = SECRET, **environ: Any) -> Any:
    headers = sign(
        verifier={"kind": "standard_webhooks"}, secret=secret, body=body, at=timezone.now(), message_id="evt_1"
    )
    return _raw(body, headers, name=name, **environ)


def _raw(body: bytes, headers: dict[str, str], *, name: str = "reveni", **environ: Any) -> Any:
    return Client(SERVER_NAME="localhost").generic(
        "POST", f"/webhooks/{name}/", body, "application/json", secure=True, headers=headers, **environ
    )


def _json(answer: Any) -> Any:
    return json.loads(answer.content)


BODY = json.dumps(DOCUMENT).encode()


def test_a_signed_delivery_is_stored_as_it_came_and_its_repeat_only_counted(platform: Connection) -> None:
    first, again = _post(BODY), _post(BODY)
    row = InboundEvent.objects.get()
    assert (first.status_code, _json(first)) == (202, {"status": "stored", "event": row.pk, "duplicate": False})
    assert (again.status_code, _json(again)) == (200, {"status": "stored", "event": row.pk, "duplicate": True})
    assert (bytes(row.body), row.topic, row.subject_key) == (BODY, "return.authorised", "return:ret_1")
    assert (row.source, row.content_type, row.duplicate_count) == ("webhook", "application/json", 1)


def test_only_what_is_new_wakes_a_worker(platform: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr(tasks, "wake_inbox_soon", lambda: woken.append("inbox"))
    for _ in range(3):
        _post(BODY)
    _post(BODY, secret="whsec_" + "WFla" * 8)
    assert woken == ["inbox"]


def test_a_connection_nobody_knows_is_404_and_nothing_is_counted(platform: Connection) -> None:
    answer = _post(BODY, name="nobody")
    assert (answer.status_code, _json(answer)) == (404, {"error": "There is no connection named 'nobody' here."})
    assert not WebhookRefusal.objects.exists()


def test_a_wrong_signature_is_401_and_counted(platform: Connection) -> None:
    answer = _post(BODY, secret="whsec_" + "WFla" * 8)
    assert (answer.status_code, _json(answer)) == (401, {"error": "The signature is missing, wrong or too old."})
    assert WebhookRefusal.objects.get().count == 1
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_any_other_method_is_405(platform: Connection, method: str) -> None:
    answer = Client(SERVER_NAME="localhost").generic(method, "/webhooks/reveni/", secure=True)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


def test_a_body_without_a_length_is_411(platform: Connection) -> None:
    answer = _post(BODY, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
    assert (answer.status_code, "Content-Length" in _json(answer)["error"]) == (411, True)
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("length", ["as it is", "a lie"])
def test_a_body_over_the_limit_is_413_without_reading_it_all(platform: Connection, length: str) -> None:
    body = BODY if length == "a lie" else b" " * (settings.WEBHOOK_BODY_LIMIT_BYTES + 1)
    said = {"CONTENT_LENGTH": str(settings.WEBHOOK_BODY_LIMIT_BYTES + 1)} if length == "a lie" else {}
    answer = _post(body, **said)
    assert answer.status_code == 413
    assert str(settings.WEBHOOK_BODY_LIMIT_BYTES) in _json(answer)["error"]
    assert not WebhookRefusal.objects.exists()


def test_a_body_that_breaks_off_is_400(platform: Connection) -> None:
    class Broken(BytesIO):
        def read(self, *_: Any) -> bytes:
            raise UnreadablePostError("the line went dead")

    environ: dict[str, Any] = {"wsgi.input": Broken()}
    answer = _post(BODY, **environ)
    assert (answer.status_code, "send the delivery again" in _json(answer)["error"]) == (400, True)
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("secret", ["none", "not readable"])
def test_without_a_secret_to_check_with_it_is_503_and_people_hear_of_it(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    made = ConnectionFactory(platform=True, name="reveni")
    if secret == "not readable":
        ConnectionSecretFactory(connection=made, name="webhook_secret", env_name="NOT_SET")
    answers = [_post(BODY) for _ in range(views.BURST)]
    assert {answer.status_code for answer in answers} == {503}
    assert "NOT_SET" not in answers[0].content.decode()
    assert ExceptionCase.objects.active().get().kind_code == states.CASE_BAD_SIGNATURES


def test_the_unsigned_ping_of_a_new_webhook_is_answered_and_forgotten() -> None:
    shop = ConnectionFactory(name="shop")
    store_secret(connection=shop, name="webhook_secret", value="s3cret", by="test", at=NOW)
    client = Client(SERVER_NAME="localhost")
    form = "application/x-www-form-urlencoded"
    ping = client.generic("POST", "/webhooks/shop/", b"webhook_id=7", form, secure=True)
    assert (ping.status_code, _json(ping)) == (200, {"status": "ok"})
    assert not InboundEvent.objects.exists()
    assert not WebhookRefusal.objects.exists()
    other = _raw(b'{"id": 7}', {}, name="shop")
    assert (other.status_code, WebhookRefusal.objects.get().count) == (401, 1)


def test_what_is_signed_right_and_is_no_delivery_of_the_vendor_is_refused() -> None:
    """A shop signs only what has a topic: without one it is somebody else's, or an answer that was cut."""
    shop = ConnectionFactory(name="shop")
    store_secret(connection=shop, name="webhook_secret", value="s3cret", by="test", at=NOW)
    signed = sign(verifier=webhooks.VERIFIER, secret="s3cret", body=b'{"id": 7}', at=timezone.now(), message_id="")
    known = _raw(b'{"id": 7}', signed | {"X-WC-Webhook-Topic": "order.updated"}, name="shop")
    assert (known.status_code, WebhookRefusal.objects.count()) == (202, 0)
    answer = _raw(b'{"id": 7}', signed, name="shop")
    assert (answer.status_code, InboundEvent.objects.count()) == (401, 1)
    assert WebhookRefusal.objects.get().last_reason == "not signed"


def _refused(platform: Connection, times: int, *, at: datetime) -> bool:
    """Count so many refusals; whether there is a case of them."""
    for number in range(times):
        views.count_refusal(connection=platform, reason=f"reason {number}", at=at)
    return ExceptionCase.objects.active().filter(kind_code=states.CASE_BAD_SIGNATURES).exists()


def test_refusals_are_one_row_in_ten_minutes_and_one_case_from_the_tenth_on(platform: Connection) -> None:
    begun = NOW.replace(minute=20)
    assert not _refused(platform, 9, at=begun)
    views.count_refusal(connection=ConnectionFactory(), reason="of another", at=begun)
    assert _refused(platform, 3, at=begun + timedelta(minutes=9, seconds=59))
    row = platform.refusals.get()
    assert (row.slot_at, row.count, row.last_reason) == (begun, 12, "reason 2")
    _refused(platform, 1, at=begun + timedelta(minutes=10))
    assert list(platform.refusals.values_list("slot_at", "count")) == [(begun + timedelta(minutes=10), 1), (begun, 12)]
    case = ExceptionCase.objects.active().get()
    assert case.evidence["refused"] == "13"
    assert f"were refused since {begun:%H:%M} UTC" in case.cause


@pytest.mark.parametrize(("minutes", "is_burst"), [(0, True), (49, True), (59, True), (69, False)])
def test_a_burst_is_of_any_hour_not_of_the_clocks(platform: Connection, minutes: int, is_burst: bool) -> None:
    """Nine before the full hour and one after it are ten."""
    first = NOW.replace(minute=52)
    assert not _refused(platform, 9, at=first)
    assert _refused(platform, 1, at=first + timedelta(minutes=minutes)) is is_burst


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "nonsense", "*/*"])
def test_the_answer_is_json_whatever_the_sender_accepts(platform: Connection, accept: str) -> None:
    answer = _post(BODY, HTTP_ACCEPT=accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (202, "application/json")
