"""The server on loopback: real answers, really dropped connections, clean end."""

import socket
from urllib.parse import urlsplit

import pytest
import requests

from connectors.simulators.base import Fault
from connectors.simulators.server import serve
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
