"""Calls on a connection that is kept between them, as every real shop's server keeps it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.http import make_caller, new_session
from connectors.ports import Caller, OutcomeUnknown
from connectors.simulators.base import Fault
from connectors.simulators.server import serve
from tests.connectors.simulators.echo import counting_simulator


@pytest.fixture
def call() -> Iterator[Caller]:
    with new_session() as session:
        yield make_caller(session=session, before_call=None, record=None, now=lambda: datetime.now(UTC))


def test_the_next_call_uses_the_same_connection(call: Caller) -> None:
    simulator, counter, _ = counting_simulator()
    ports = []

    def noting(environ: dict[str, Any], start_response: Any) -> Any:
        ports.append(environ["REMOTE_PORT"])
        return counter(environ, start_response)

    simulator.app = noting
    server = serve(simulator)
    try:
        assert call("GET", f"{server.url}/orders").json == {"n": 1}
        assert call("POST", f"{server.url}/refunds", json={"a": 1}, is_write=True).json == {"n": 2}
    finally:
        server.stop()
    assert counter.bodies == [b"", b'{"a": 1}']
    assert len(ports) == 2
    assert len(set(ports)) == 1


def test_a_write_after_the_shop_closed_the_kept_connection_is_made_once(call: Caller) -> None:
    simulator, counter, _ = counting_simulator()
    server = serve(simulator)
    assert call("GET", f"{server.url}/orders").json == {"n": 1}
    server.stop()
    again = serve(simulator, port=urlsplit(server.url).port or 0)
    try:
        assert call("POST", f"{again.url}/refunds", json={}, is_write=True).json == {"n": 2}
    finally:
        again.stop()
    assert counter.bodies == [b"", b"{}"]


def test_a_lost_answer_on_a_kept_connection_is_unknown_and_not_sent_again(call: Caller) -> None:
    simulator, counter, _ = counting_simulator()
    server = serve(simulator)
    try:
        assert call("GET", f"{server.url}/orders").json == {"n": 1}
        simulator.faults.script(Fault(kind="lost_answer"))
        with pytest.raises(OutcomeUnknown, match="the connection was lost"):
            call("POST", f"{server.url}/refunds", json={}, is_write=True)
        assert counter.bodies == [b"", b"{}"]
        assert call("GET", f"{server.url}/orders").json == {"n": 3}
    finally:
        server.stop()
