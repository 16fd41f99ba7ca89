"""The server on loopback: real answers, really dropped connections, clean end."""

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from werkzeug.wrappers import Response

from connectors.simulators.base import Fault
from connectors.simulators.server import RunningServer, serve
from tests.connectors.simulators.echo import counting_simulator


def test_it_serves_and_stops() -> None:
    simulator, _, _ = counting_simulator()
    server = serve(simulator)
    assert requests.get(f"{server.url}/things", timeout=5).json() == {"n": 1}
    server.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/things", timeout=5)


@pytest.mark.parametrize(("kind", "changes_made"), [("lost_answer", 1), ("lost_request", 0), ("late_commit", 0)])
def test_a_dropped_connection_ends_without_a_single_byte(kind: str, changes_made: int) -> None:
    simulator, counter, _ = counting_simulator()
    simulator.faults.script(Fault(kind=kind))
    server = serve(simulator)
    try:
        with socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port), timeout=5) as raw:
            raw.sendall(b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
            assert raw.recv(1024) == b""
        assert len(counter.bodies) == changes_made
        assert requests.post(f"{server.url}/things", data=b"y", timeout=5).status_code == 200
    finally:
        server.stop()


def test_a_taken_port_is_refused() -> None:
    simulator, _, _ = counting_simulator()
    server = serve(simulator)
    try:
        with pytest.raises(OSError, match="in use"):
            serve(simulator, port=int(urlsplit(server.url).port or 0))
    finally:
        server.stop()


def test_a_connection_is_kept_for_the_next_request() -> None:
    simulator, counter, _ = counting_simulator()
    server = serve(simulator)
    try:
        with _connected(server) as raw:
            for body in (b"first", b"second"):
                raw.sendall(b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                assert _read_answer(raw).startswith(b"HTTP/1.1 200 ")
        assert counter.bodies == [b"first", b"second"]
    finally:
        server.stop()


def test_stopping_hangs_up_on_a_kept_connection() -> None:
    simulator, _, _ = counting_simulator()
    server = serve(simulator)
    with _connected(server) as raw:
        raw.sendall(b"GET /things HTTP/1.1\r\nHost: x\r\n\r\n")
        assert _read_answer(raw).endswith(b'{"n":1}')
        server.stop()
        assert raw.recv(1024) == b""


def test_what_an_app_leaves_unread_is_not_taken_for_the_next_request() -> None:
    server = serve(Response("no", status=404))
    try:
        with _connected(server) as raw:
            raw.sendall(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGET \r\n0\r\n\r\n")
            assert _read_answer(raw).startswith(b"HTTP/1.1 404 ")
            raw.sendall(b"HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n")
            assert _read_answer(raw, has_body=False).startswith(b"HTTP/1.1 404 ")
            raw.sendall(b"GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert _read_answer(raw).endswith(b"no")
            assert raw.recv(1024) == b""
    finally:
        server.stop()


def test_a_broken_app_answers_500_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    def broken(environ: Any, start_response: Any) -> Any:
        raise ValueError("out of order")

    server = serve(broken)
    try:
        assert requests.get(f"{server.url}/things", timeout=5).status_code == 500
    finally:
        server.stop()
    assert "ValueError: out of order" in caplog.text


def _connected(server: RunningServer) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=5)


def _read_answer(raw: socket.socket, *, has_body: bool = True) -> bytes:
    """One answer: its head, and as much as its Content-Length says."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += raw.recv(1) or pytest.fail(f"The server hung up after {head!r}.")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return head + raw.recv(length if has_body else 0, socket.MSG_WAITALL)
