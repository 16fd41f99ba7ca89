"""Bad input over HTTP: a clear answer or a case; nothing lost, nothing sent (issue 2, "Bad input")."""

import json
import socket
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from connectors.reveni.samples import sample_event
from connectors.signing import sign
from connectors.simulators.wsgi_transport import mounted_session
from connectors.views import BURST
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, ConnectionSecret, InboundEvent, ReturnAuthorisation, WebhookRefusal
from returnsops.services.cases import group_of
from returnsops.services.secrets import store_secret
from returnsops.wsgi import application
from tests.journeys.world import OPS_URL, World, post_raw, world

pytestmark = pytest.mark.django_db

AT_ONCE = """
[routes.policy.refund]
trigger = "authorised"
"""


@pytest.fixture
def w() -> Iterator[World]:
    """A live route with an order of two units."""
    with world(policy_tables=AT_ONCE) as made:
        yield made


def _signed(w: World, body: bytes, *, secret: str = "", age_s: float = 0) -> dict[str, str]:
    headers = sign(
        verifier={"kind": "standard_webhooks"},
        secret=secret or w.platform.webhook_secrets[0],
        body=body,
        at=w.now() - timedelta(seconds=age_s),
        message_id="evt_x",
    )
    return {**headers, "Content-Type": "application/json"}


def _send(w: World, document: Any, **signing: Any) -> requests.Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return post_raw(body, _signed(w, body, **signing))


def _refund(w: World, number: int = 1, **changes: Any) -> dict[str, Any]:
    """A good refund.issued for a fresh order of two units at 30.00, ready to be broken."""
    sku = f"TEE-{number}"
    order = w.order((w.product(sku), 2))
    item = {
        "id": "item_1",
        "sku": sku,
        "order_line_id": str(order.items[0].id),
        "quantity": 1,
        "reason_code": "too_small",
        "total": "30.00",
    }
    event = sample_event(
        "refund.issued",
        event_id=f"evt_{number}",
        return_id=f"ret_{number}",
        order_id=str(order.id),
        currency="EUR",
        items=[item],
        entity_id=f"rfd_{number}",
        amount="30.00",
        at=w.now(),
    )
    event["data"]["return"].update(mode="on_receipt", status="inspected", created_at=w.now().isoformat())
    refund = {"executed_by": "commerce_platform", "fees": "0.00", "shipping": "0.00"}
    event["data"]["refund"].update(refund)
    event["data"]["refund"]["items"] = [{"item_id": "item_1", "quantity": 1, "amount": "30.00"}]
    event["data"]["refund"].update(changes)
    return event


def _nothing_happened(w: World) -> None:
    w.settle()
    assert not InboundEvent.objects.filter(connection__name="reveni").exists()
    assert not ReturnAuthorisation.objects.exists()
    assert w.writes() == []


# --- at the door --------------------------------------------------------------------------------------------------


OTHER_SECRET = "whsec_" + "QUJD" * 8


def _counted() -> int:
    """Refusals, in however many rows: the clock may pass on to the next ten minutes meanwhile."""
    return sum(WebhookRefusal.objects.values_list("count", flat=True))


def test_without_a_right_and_fresh_signature_nothing_is_stored(w: World) -> None:
    body = json.dumps(_refund(w)).encode()
    garbage = {"webhook-id": "evt_x", "webhook-timestamp": "now", "webhook-signature": "v1,xxxx"}
    refused: dict[str, dict[str, str]] = {
        "none": {},
        "garbage": garbage,
        "other scheme": {"Authorization": "Bearer secret"},
        "wrong secret": _signed(w, body, secret=OTHER_SECRET),
        "old": _signed(w, body, age_s=301.0),
        "from the future": _signed(w, body, age_s=-301.0),
        "of another body": _signed(w, body.replace(b"30.00", b"90.00")),
    }
    answers = {name: post_raw(body, headers) for name, headers in refused.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(refused, 401)
    assert answers["none"].json() == {"error": "The signature is missing, wrong or too old."}
    assert _counted() == len(refused)
    _nothing_happened(w)


def test_a_burst_of_refusals_is_one_case_of_operations(w: World) -> None:
    for _ in range(BURST - 1):
        post_raw(b"{}", {})
    assert w.open_cases() == []
    for _ in range(3):
        post_raw(b"{}", {})
    case = ExceptionCase.objects.active().get()
    assert (case.kind_code, case.owner_team) == (states.CASE_BAD_SIGNATURES, states.OPS)
    assert _counted() == BURST + 2
    _nothing_happened(w)


def test_both_secrets_of_a_rotation_are_accepted_and_a_retired_one_is_not(w: World) -> None:
    event = _refund(w)
    old, new = w.platform.webhook_secrets[0], "whsec_" + "TkVX" * 8
    platform = w.connection("reveni")
    store_secret(connection=platform, name="webhook_secret", value=new, by="test", at=w.now())
    for number, secret in enumerate((old, new)):
        assert _send(w, {**event, "id": f"evt_{number}"}, secret=secret).status_code == 202
    ConnectionSecret.objects.filter(connection=platform, name="webhook_secret").earliest("pk").delete()
    assert _send(w, {**event, "id": "evt_9"}, secret=old).status_code == 401


# How a platform may prove itself, the secret that was live before, and the one it is changed for.
VERIFIERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "standard_webhooks": ({}, "whsec_" + "T0xE" * 8, "whsec_" + "TkVX" * 8),
    "reveni_v1": ({}, "old key", "new key"),
    "hmac_sha256_base64": ({"header": "X-Signature"}, "old", "new"),
    "hmac_sha256_hex": ({"header": "X-Signature", "prefix": "sha256=", "timestamp_header": "X-Sent-At"}, "old", "new"),
    "bearer": ({}, "old token", "new token"),
    "basic": ({}, "reveni:old", "reveni:new"),
}


TIMED = ("standard_webhooks", "reveni_v1", "hmac_sha256_hex")


def _knock(door: Connection, body: bytes, secret: str, *, at: datetime) -> int:
    signed = sign(verifier=door.verifier, secret=secret, body=body, at=at, message_id="evt_x")
    return post_raw(body, signed).status_code


def test_each_verifier_takes_both_live_secrets_and_no_other_and_pays_once(w: World) -> None:
    door = Connection.objects.get(name="reveni")
    door.secrets.all().delete()
    for number, (kind, (options, old, new)) in enumerate(VERIFIERS.items(), start=1):
        door.verifier = {"kind": kind, "secret": f"secret_{number}", **options}
        door.save(update_fields=["verifier"])
        for value in (old, new):
            store_secret(connection=door, name=f"secret_{number}", value=value, by="test", at=w.now())
        body, known = json.dumps(_refund(w, number)).encode(), InboundEvent.objects.count()
        wrong = OTHER_SECRET if kind == "standard_webhooks" else new + "x"
        assert _knock(door, body, wrong, at=w.now()) == 401, kind
        if kind in TIMED:
            assert _knock(door, body, new, at=w.now() - timedelta(seconds=301)) == 401, kind
        assert InboundEvent.objects.count() == known, kind
        assert [_knock(door, body, secret, at=w.now()) for secret in (new, old)] == [202, 200], kind
    w.settle()
    assert [payout.amount for payout in w.shop.gateway_payouts] == [30] * len(VERIFIERS)
    assert w.open_cases() == []


@pytest.mark.parametrize("is_named", [True, False], ids=["variable not set", "no secret at all"])
def test_without_a_readable_secret_the_sender_is_told_to_come_back(w: World, is_named: bool) -> None:
    rows = ConnectionSecret.objects.filter(connection__name="reveni")
    if is_named:
        rows.update(ciphertext="", env_name="NOT_SET_ANYWHERE")
    else:
        rows.delete()
    event = _refund(w)
    answers = [_send(w, event) for _ in range(BURST)]
    assert {answer.status_code for answer in answers} == {503}
    assert "later" in answers[0].json()["error"]
    assert "NOT_SET_ANYWHERE" not in answers[0].text  # inside matters are for our people
    case = ExceptionCase.objects.active().get(kind_code=states.CASE_BAD_SIGNATURES)
    assert ("NOT_SET_ANYWHERE" if is_named else "'webhook_secret'") in case.cause
    _nothing_happened(w)


def test_a_body_over_the_limit_is_refused_though_signed(w: World) -> None:
    for size in (10 * 1024 * 1024 + 1, settings.WEBHOOK_BODY_LIMIT_BYTES + 1):
        answer = _send(w, b" " * size)
        assert answer.status_code == 413
        assert str(settings.WEBHOOK_BODY_LIMIT_BYTES) in answer.json()["error"]
    _nothing_happened(w)


def test_a_body_at_the_limit_is_taken(w: World) -> None:
    body = json.dumps(_refund(w)).encode()
    padded = body + b" " * (settings.WEBHOOK_BODY_LIMIT_BYTES - len(body))
    assert _send(w, padded).status_code == 202


LENGTHS = {"Transfer-Encoding: chunked": 411, "Content-Length: 10": 401, "Content-Length: 99999999": 413}


@pytest.mark.django_db(transaction=True)
def test_a_length_that_lies_to_the_running_server_stores_nothing(w: World, live_server: LiveServer) -> None:
    body = json.dumps(_refund(w)).encode()
    where = urlsplit(f"{live_server.url}/webhooks/reveni/")
    head = {**_signed(w, body), "Host": where.netloc, "Connection": "close"}
    for length, wanted in LENGTHS.items():
        sent = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n" if "chunked" in length else body
        lines = [f"POST {where.path} HTTP/1.1", length, *(f"{name}: {value}" for name, value in head.items())]
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=10) as wire:
            wire.sendall("\r\n".join([*lines, "", ""]).encode() + sent)
            assert int(wire.recv(64).split()[1]) == wanted, length
    _nothing_happened(w)


def test_only_post_to_a_connection_that_exists_is_a_delivery(w: World) -> None:
    session = mounted_session(application, OPS_URL)
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = session.request(method, f"{OPS_URL}/webhooks/reveni/", timeout=10)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")
    for name in ("nobody", "REVENI", "reveni2"):
        answer = post_raw(b"{}", {}, connection=name)
        assert answer.status_code == 404
        assert name in answer.json()["error"]
    _nothing_happened(w)


def test_what_the_sender_accepts_never_costs_a_delivery(w: World) -> None:
    event = _refund(w)
    for number, accept in enumerate(("application/xml", "text/html", "nonsense")):
        body = json.dumps({**event, "id": f"evt_{number}"}).encode()
        answer = post_raw(body, _signed(w, body) | {"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (202, "application/json")


def test_a_paused_connection_still_records_and_sends_nothing(w: World) -> None:
    Connection.objects.update(is_paused=True, pause_reason="test")
    assert _send(w, _refund(w)).status_code == 202
    for _ in range(3):
        w.work()
    assert ReturnAuthorisation.objects.get().platform_refunds.get().amount == 30
    assert w.refund_posts() == 0
    Connection.objects.update(is_paused=False, pause_reason="")
    w.settle()
    assert w.effect("ret_1", states.REFUND).state == states.CONFIRMED


# --- signed, and yet bad ------------------------------------------------------------------------------------------


UNREADABLE = [b"{broken", b"[]", b'"text"', b"null", b'{"id": NaN}', b"[" * 50_000]


def test_what_cannot_be_read_is_kept_and_a_case(w: World) -> None:
    assert [_send(w, body).status_code for body in UNREADABLE] == [202] * len(UNREADABLE)
    # The signature of the other scheme is over bytes that are no text at all.
    verifier = {"kind": "hmac_sha256_hex", "header": "X-Sig"}
    Connection.objects.filter(name="reveni").update(verifier=verifier)
    noise = b"\xff\xfe\x00"
    headers = sign(verifier=verifier, secret=w.platform.webhook_secrets[0], body=noise, at=w.now())
    assert post_raw(noise, headers).status_code == 202

    w.settle()
    kept = InboundEvent.objects.filter(connection__name="reveni").order_by("pk")
    assert [bytes(row.body) for row in kept] == [*UNREADABLE, noise]
    assert w.open_cases() == [states.CASE_UNREADABLE_EVENT] * len(kept)
    assert {case.subject_id for case in ExceptionCase.objects.active()} == {str(row.pk) for row in kept}
    assert not ReturnAuthorisation.objects.exists()
    assert w.writes() == []


def _broken(event: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    event = deepcopy(event)
    node: Any = event
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        node = node[part]
    node[last] = value
    return event


IMPOSSIBLE: list[tuple[str, Any, str]] = [
    ("type", "refund.exploded", states.CASE_UNMAPPED_EVENT),
    ("type", 7, states.CASE_UNMAPPED_EVENT),
    ("timestamp", "yesterday", states.CASE_UNREADABLE_EVENT),
    ("data", [], states.CASE_UNREADABLE_EVENT),
    ("data.return.id", None, states.CASE_UNREADABLE_EVENT),
    ("data.return.revision", "3", states.CASE_UNREADABLE_EVENT),
    ("data.return.revision", 10**30, states.CASE_UNREADABLE_EVENT),
    ("data.return.currency", "XXQ", states.CASE_UNREADABLE_EVENT),
    ("data.return.items", {}, states.CASE_UNREADABLE_EVENT),
    ("data.return.items.0.quantity", "1", states.CASE_UNREADABLE_EVENT),
    ("data.return.items.0.quantity", -1, states.CASE_UNREADABLE_EVENT),
    ("data.return.items.0.quantity", 10**9, states.CASE_UNREADABLE_EVENT),
    ("data.refund.amount", 30.0, states.CASE_UNREADABLE_EVENT),
    ("data.refund.amount", "-30.00", states.CASE_UNREADABLE_EVENT),
    ("data.refund.amount", "0.00", states.CASE_UNREADABLE_EVENT),
    ("data.refund.amount", "1e9", states.CASE_UNREADABLE_EVENT),
    ("data.refund.amount", "99999999999999999999.00", states.CASE_UNREADABLE_EVENT),
    ("data.refund.amount", "30.001", states.CASE_UNREADABLE_EVENT),
    ("data.refund.items.0.amount", "-1.00", states.CASE_UNREADABLE_EVENT),
    ("data.refund.id", "", states.CASE_UNREADABLE_EVENT),
    ("data.return.number", "RMA\x00", states.CASE_UNREADABLE_EVENT),
]


def test_a_field_that_cannot_be_right_is_a_case_that_names_it(w: World) -> None:
    good = _refund(w)
    sent: dict[str, tuple[str, str]] = {}
    for number, (path, value, kind) in enumerate(IMPOSSIBLE):
        answer = _send(w, {**_broken(good, path, value), "id": f"evt_{number}"})
        assert answer.status_code == 202
        sent[str(answer.json()["event"])] = (path, kind)
    w.settle()
    cases = {case.subject_id: case for case in ExceptionCase.objects.active()}
    assert {subject: case.kind_code for subject, case in cases.items()} == {
        subject: kind for subject, (_, kind) in sent.items()
    }
    for subject, (path, _) in sent.items():
        assert any(name in cases[subject].cause for name in path.split(".")[-2:]), path
    assert not ReturnAuthorisation.objects.exists()
    assert w.writes() == []


CONTRADICTED: list[tuple[str, Any, str]] = [
    ("data.refund.currency", "USD", states.CASE_CURRENCY_MISMATCH),
    ("data.refund.amount", "61.00", states.CASE_WOULD_OVER_REFUND),
    ("data.refund.amount", "999999999.00", states.CASE_WOULD_OVER_REFUND),
    ("data.return.items.0.quantity", 3, states.CASE_TOO_MANY_UNITS),
    ("data.return.items.0.order_line_id", "424242", states.CASE_LINE_NOT_ON_ORDER),
    ("data.return.items.0.reason_code", "<b>new</b>", states.CASE_REASON_UNMAPPED),
    ("data.refund.executed_by", None, states.CASE_EXECUTOR_UNKNOWN),
]


def test_what_the_order_contradicts_is_held_with_a_case_and_pays_nobody(w: World) -> None:
    for number, (path, value, _) in enumerate(CONTRADICTED):
        event = _broken(_refund(w, number), path, value)
        if value is None:
            del event["data"]["refund"]["executed_by"]
        assert _send(w, event).status_code == 202
    w.settle()
    for number, (path, _, kind) in enumerate(CONTRADICTED):
        rma = w.rma(f"ret_{number}")
        cases = ExceptionCase.objects.active().filter(group_key=group_of(rma))
        assert kind in cases.values_list("kind_code", flat=True), path
        assert w.effect(rma.external_id, states.REFUND).state == states.HELD, path
    assert w.refund_posts() == 0


def test_a_reused_event_id_with_other_content_is_another_delivery_and_the_higher_revision_counts(w: World) -> None:
    event = _refund(w)
    changed = _broken(_broken(event, "data.refund.amount", "25.00"), "data.return.revision", 99)
    changed["data"]["refund"]["items"][0]["amount"] = "25.00"
    assert [_send(w, one).status_code for one in (event, event, changed)] == [202, 200, 202]
    w.settle()
    effect = w.effect("ret_1", states.REFUND)
    # 25.00 counts, which is not what the unit cost; neither amount goes out before a person has looked.
    assert (effect.payload["amount"], effect.state) == ("25.00", states.HELD)
    assert states.CASE_AMOUNT_MISMATCH in w.open_cases()
    assert w.refund_posts() == 0


def test_a_refund_changed_after_it_was_sent_is_a_case_and_nothing_more_is_sent(w: World) -> None:
    event = _refund(w)
    _send(w, event)
    w.settle()
    assert w.refund_posts() == 1
    changed = _broken(_broken(event, "data.refund.amount", "25.00"), "data.return.revision", 99)
    older = _broken(_broken(event, "data.refund.amount", "20.00"), "data.return.revision", 1)
    _send(w, older)
    w.settle()
    assert states.CASE_REVISION_CONFLICT not in w.open_cases()  # what was sent is what counts
    _send(w, changed)
    w.settle()
    assert states.CASE_REVISION_CONFLICT in w.open_cases()
    assert w.refund_posts() == 1


def test_a_refund_id_under_a_second_return_is_never_paid_again(w: World) -> None:
    first = _refund(w)
    second = {**_broken(first, "data.return.id", "ret_2"), "id": "evt_2"}
    for event in (first, second):
        _send(w, event)
        w.settle()
    assert w.refund_posts() == 1
    assert states.CASE_REVISION_CONFLICT in w.open_cases()
    assert w.effects("ret_2", states.REFUND) == []


# --- text stays text ----------------------------------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script>"
FORMULA = "=cmd|' /C calc'!A0"


def test_customer_text_stays_text_on_every_screen(w: World) -> None:
    event = _refund(w)
    event["data"]["return"]["items"][0] |= {"name": HOSTILE, "reason_text": FORMULA, "reason_code": HOSTILE}
    event["data"]["return"]["number"] = FORMULA
    _send(w, event)
    w.settle()
    rma = ReturnAuthorisation.objects.get()
    assert (rma.number, rma.lines.get().name) == (FORMULA, HOSTILE)
    admin = Client(SERVER_NAME="localhost")
    for team in ("CX", "FIN", "OPS"):
        admin.force_login(w.users[team])
        stored = InboundEvent.objects.get(connection__name="reveni").pk
        pages = [f"returnauthorisation/{rma.pk}/change/", "returnauthorisation/"]
        for page in (*pages, *([f"inboundevent/{stored}/change/"] if team == "OPS" else [])):
            answer = admin.get(f"/admin/returnsops/{page}", follow=True, secure=True)
            assert answer.status_code == 200
            assert HOSTILE.encode() not in answer.content
