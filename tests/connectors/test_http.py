"""connectors/http.py against raw sockets on loopback: what left, when it ended, and what was kept of it."""

import json
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.deadline import DeadlineAdapter, flight
from connectors.http import CallRecord, make_caller, new_session, parse_json, retry_after_s
from connectors.ports import Caller, OutcomeUnknown, RateLimited, Rejected, Retryable
from connectors.redaction import REMOVED, redact

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Reply = Callable[[socket.socket], None]


class Wire:
    """A server on loopback that answers the n-th connection as told and keeps the bytes it was sent."""

    def __init__(self, *replies: Reply) -> None:
        self.seen: list[bytes] = []
        self._replies = list(replies)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes a waiting accept
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        for reply in self._replies:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with peer:
                self.seen.append(_read_request(peer))
                if self.seen[-1]:
                    reply(peer)


def _read_request(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = peer.recv(4096)
        if not chunk:
            return data
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += peer.recv(4096)
    return head + b"\r\n\r\n" + body


def answer(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> Reply:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
    return lambda peer: peer.sendall(head.encode() + body)


def hang_up(peer: socket.socket) -> None:
    """Lose the answer: the request was read, nothing is said."""


@pytest.fixture
def wires() -> Iterator[Callable[..., Wire]]:
    made: list[Wire] = []

    def make(*replies: Reply) -> Wire:
        made.append(Wire(*replies))
        return made[-1]

    yield make
    for wire in made:
        wire.close()


@pytest.fixture
def records() -> list[CallRecord]:
    return []


@pytest.fixture
def labels() -> list[str]:
    return []


@pytest.fixture
def call(records: list[CallRecord], labels: list[str]) -> Iterator[Caller]:
    with new_session() as session:
        yield make_caller(
            session=session, before_call=labels.append, record=records.append, now=lambda: NOW, max_body_bytes=1000
        )


def test_answer_with_decimals_and_lower_case_headers(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(answer(b'{"price": 20.652892666666666, "n": 1}', headers="X-WP-Total: 7\r\n"))

    got = call("GET", wire.url("/orders"), params={"page": "2"})

    assert (got.status, got.headers["x-wp-total"]) == (200, "7")
    assert got.json == {"price": Decimal("20.652892666666666"), "n": 1}
    assert wire.seen[0].startswith(b"GET /orders?page=2 HTTP/1.1\r\n")


def test_json_and_form_bodies_are_sent_as_they_are(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(answer(), answer())

    call("POST", wire.url(), json={"amount": "28.73", "api_refund": False, "text": "Größe"}, is_write=True)
    call("POST", wire.url(), form={"a": "1"}, is_write=True)

    head, _, body = wire.seen[0].partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in head
    assert json.loads(body) == {"amount": "28.73", "api_refund": False, "text": "Größe"}
    assert wire.seen[1].endswith(b"\r\n\r\na=1")


def test_a_decimal_in_a_body_is_our_mistake_and_nothing_is_sent(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires()
    with pytest.raises(TypeError):
        call("POST", wire.url(), json={"amount": Decimal("1.00")}, is_write=True)
    assert wire.seen == []


@pytest.mark.parametrize("body", [b"<html>maintenance</html>", b"", b'{"a": NaN}', b"[" * 100_000, b"\xff\xfe{"])
def test_what_is_not_json_is_none(body: bytes) -> None:
    assert parse_json(body) is None


def test_refused_connection_is_retryable_even_for_a_write(call: Caller, records: list[CallRecord]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(Retryable) as failure:
        call("POST", f"http://127.0.0.1:{port}/refunds", json={}, is_write=True)

    assert failure.value.text == "POST /refunds: no connection could be made; nothing was changed."
    assert (records[0].status, records[0].error) == (None, "Retryable")


def test_lost_answer_of_a_write_is_unknown_and_of_a_read_retryable(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(hang_up, hang_up)

    with pytest.raises(OutcomeUnknown) as unknown:
        call("POST", wire.url("/refunds"), json={}, is_write=True)
    with pytest.raises(Retryable):
        call("GET", wire.url("/refunds"))

    assert unknown.value.text == ("POST /refunds: the connection was lost; whether it was carried out is not known.")
    assert len(wire.seen) == 2, "each request was sent exactly once"


def test_body_cut_short_is_unknown_for_a_write(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(lambda peer: peer.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"))
    with pytest.raises(OutcomeUnknown):
        call("POST", wire.url(), json={}, is_write=True)


def _drip(first: bytes, drop: bytes, stop: threading.Event) -> Reply:
    def reply(peer: socket.socket) -> None:
        with suppress(OSError):  # the other side hangs up, as it should
            peer.sendall(first)
            while not stop.wait(0.02):
                peer.sendall(drop)

    return reply


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"1"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"1"),
        (b"", b""),
    ],
    ids=["headers", "body", "body without length", "silence"],
)
def test_the_deadline_is_total(call: Caller, wires: Callable[..., Wire], first: bytes, drop: bytes) -> None:
    stop = threading.Event()
    wire = wires(_drip(first, drop, stop))
    try:
        with pytest.raises(OutcomeUnknown) as failure:
            call("POST", wire.url("/refunds"), json={}, is_write=True, timeout_s=0.3)
    finally:
        stop.set()
    assert "no answer in time" in failure.value.text


def test_nothing_is_sent_after_the_deadline(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(answer())
    with pytest.raises(Retryable) as failure:
        call("POST", wire.url(), json={}, is_write=True, timeout_s=0.0)
    assert not isinstance(failure.value, OutcomeUnknown)
    wire.close()
    assert b"".join(wire.seen) == b""


def test_a_flight_lets_nothing_leave_once_it_ended() -> None:
    with flight(total_s=60) as this:
        this.end()
        with pytest.raises(TimeoutError):
            this.leaving(None)
    assert this.has_left is False


def test_too_large_an_answer(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(answer(b"x" * 1001), answer(b"x" * 1000), answer(b"x" * 1001))
    with pytest.raises(Retryable, match="larger than 1000 bytes"):
        call("GET", wire.url())
    assert len(call("GET", wire.url()).body) == 1000
    with pytest.raises(OutcomeUnknown):
        call("POST", wire.url(), json={}, is_write=True)


def test_a_read_follows_redirects_on_the_same_host(call: Caller, wires: Callable[..., Wire], labels: list[str]) -> None:
    wire = wires(answer(status="301 Moved", headers="Location: /orders/\r\n"), answer(b"[1]"))
    assert call("GET", wire.url("/orders"), params={"page": "1"}).json == [1]
    assert labels == ["GET /orders", "GET /orders/"]


def test_a_read_never_follows_to_another_host(call: Caller, wires: Callable[..., Wire]) -> None:
    other = wires(answer())
    wire = wires(answer(status="302 Found", headers=f"Location: {other.url('/steal')}\r\n"))
    assert call("GET", wire.url()).status == 302
    assert other.seen == []


def test_a_write_follows_no_redirect(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(answer(status="307 Temporary", headers="Location: /elsewhere\r\n"), answer())
    assert call("POST", wire.url(), json={}, is_write=True).status == 307
    assert len(wire.seen) == 1


def test_a_redirect_loop_ends(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(*[answer(status="302 Found", headers="Location: /again\r\n")] * 9)
    assert call("GET", wire.url()).status == 302
    assert len(wire.seen) == 4


def test_429_says_when_to_come_back(call: Caller, wires: Callable[..., Wire], records: list[CallRecord]) -> None:
    wire = wires(answer(status="429 Too Many", headers="Retry-After: 17\r\n"))
    with pytest.raises(RateLimited) as limited:
        call("POST", wire.url(), json={}, is_write=True)
    assert limited.value.after_s == 17.0
    assert (records[0].status, records[0].error) == (429, "RateLimited")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Fri, 20 Nov 2026 12:01:30 GMT", 90.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 1.0),
        ("0", 1.0),
        ("99999999999999", 3600.0),
        ("soon", 30.0),
        (None, 30.0),
    ],
)
def test_retry_after(value: str | None, seconds: float) -> None:
    assert retry_after_s(value, now=NOW) == seconds


def test_other_statuses_are_returned_with_their_body(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(answer(b'{"code": "x", "data": 500}', status="500 Internal Server Error"))
    got = call("POST", wire.url(), json={}, is_write=True)
    assert (got.status, got.json) == (500, {"code": "x", "data": 500})


def test_a_broken_address_is_rejected(call: Caller) -> None:
    with pytest.raises(Rejected) as rejected:
        call("GET", "shop.example/orders")
    assert rejected.value.code == "bad_request_url"


def test_before_call_may_refuse_and_then_nothing_is_sent(wires: Callable[..., Wire]) -> None:
    wire = wires(answer())

    def spent(label: str) -> None:
        raise RateLimited(f"{label}: budget spent.", after_s=5)

    with new_session() as session, pytest.raises(RateLimited):
        make_caller(session=session, before_call=spent, record=None, now=lambda: NOW)("GET", wire.url())
    wire.close()
    assert wire.seen == []


def test_neither_errors_nor_records_hold_secrets_or_customers(
    call: Caller, wires: Callable[..., Wire], records: list[CallRecord]
) -> None:
    wire = wires(hang_up, answer(b'{"code": "x", "message": "no ana@example.test"}', status="400 Bad"), answer(b"{}"))
    secret = {"consumer_secret": "cs_hidden", "search": "ana@example.test"}
    customer = {"billing": {"email": "ana@x.test"}}
    with pytest.raises(OutcomeUnknown) as failure:
        call("POST", wire.url("/orders"), params=secret, json=customer, is_write=True)
    call("GET", wire.url("/orders"), params=secret, headers={"Authorization": "Basic aGlkZGVu"})
    call("GET", wire.url("/orders"), params=secret)

    shown = "".join(traceback.format_exception(failure.value)) + str(failure.value.evidence) + repr(records)
    for word in ("cs_hidden", "ana@", "aGlkZGVu"):
        assert word not in shown
    assert records[0].request == {"billing": REMOVED}
    assert records[1].answer == {"code": "x", "message": f"no {REMOVED}"}
    assert records[2].answer is None, "the body of a good answer is not kept"
    assert records[0].url == wire.url("/orders")


def test_a_session_with_plain_transports_gets_watched_ones() -> None:
    import requests

    with requests.Session() as session:
        make_caller(session=session, before_call=None, record=None, now=lambda: NOW)
        assert isinstance(session.get_adapter("https://shop.example"), DeadlineAdapter)


def test_a_proxy_named_in_the_environment_is_called_in_place_of_the_shop(
    wires: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, here = wires(answer(b'{"by": "proxy"}')), wires(answer(b'{"by": "shop"}'))
    monkeypatch.setenv("http_proxy", proxy.url())
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with new_session() as session:
        call = make_caller(session=session, before_call=None, record=None, now=lambda: NOW)
        assert call("GET", "http://shop.example/orders").json == {"by": "proxy"}
        assert proxy.seen[0].startswith(b"GET http://shop.example/orders HTTP/1.1\r\n")
        assert call("GET", here.url("/orders")).json == {"by": "shop"}, "a host of no_proxy is called itself"


def test_no_password_of_the_machine_takes_the_place_of_a_token(
    wires: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login machine password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    wire = wires(answer())
    with new_session() as session:
        call = make_caller(session=session, before_call=None, record=None, now=lambda: NOW)
        call("GET", wire.url(), headers={"Authorization": "Bearer ours"})
    assert b"\r\nAuthorization: Bearer ours\r\n" in wire.seen[0]


def test_cookies_are_not_kept(call: Caller, wires: Callable[..., Wire]) -> None:
    wire = wires(answer(headers="Set-Cookie: a=b; Path=/\r\n"), answer())
    call("GET", wire.url())
    call("GET", wire.url())
    assert b"Cookie" not in wire.seen[1]


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ({"Authorization": "Bearer x", "Accept": "y"}, {"Authorization": REMOVED, "Accept": "y"}),
        ({"X-WC-Webhook-Signature": "abc"}, {"X-WC-Webhook-Signature": REMOVED}),
        ({"billing": {"city": "Madrid"}, "shipping_total": "5.00"}, {"billing": REMOVED, "shipping_total": "5.00"}),
        (
            {"meta_data": [{"key": "_returnsops_key", "value": "refund:a/b:1"}]},
            {"meta_data": [{"key": "_returnsops_key", "value": "refund:a/b:1"}]},
        ),
        ({"order_key": "wc_order_x", "name": "Ana"}, {"order_key": REMOVED, "name": REMOVED}),
        ({"phone": "", "amount": Decimal("1.50")}, {"phone": "", "amount": "1.50"}),
        ("see https://u:p@shop.test/pay?key=wc_1#x now", "see https://shop.test/pay now"),
        ("write to ana.ruiz@example.test please", f"write to {REMOVED} please"),
        (b"\x00\x01", "[2 bytes]"),
        ("x" * 501, "x" * 500 + "…"),
        (list(range(52)), [*range(50), "[2 more]"]),
    ],
)
def test_redact(value: object, safe: object) -> None:
    assert redact(value) == safe


def test_redact_cuts_deep_nests() -> None:
    deep: object = {"a": 1}
    for _ in range(10):
        deep = {"a": deep}
    assert "[1 fields]" in str(redact(deep))
