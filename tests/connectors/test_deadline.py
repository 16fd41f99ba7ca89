"""connectors/deadline.py over TLS on loopback, and what it lets leave."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn
from unittest import mock

import pytest
from urllib3.util.ssltransport import SSLTransport

from connectors import deadline
from connectors.deadline import Flight, flight
from connectors.http import make_caller, new_session
from connectors.ports import OutcomeUnknown, Retryable
from tests.certificates import make_certificate, server_context


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "shop.pem")


class Shop:
    """A TLS server on loopback: answers the first request with JSON, never the second."""

    def __init__(self, certificate: Path) -> None:
        self.requests: list[bytes] = []
        self._context = server_context(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/orders"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                with peer, suppress(OSError), self._context.wrap_socket(peer, server_side=True) as secure:
                    self._answer(secure)

    def _answer(self, secure: ssl.SSLSocket) -> None:
        secure.settimeout(5)
        self.requests.append(secure.recv(4096))
        if len(self.requests) == 1:
            secure.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{"a":1}')
        else:
            while secure.recv(4096):  # says nothing until the other side hangs up
                pass


@pytest.fixture
def shop(certificate: Path) -> Iterator[Shop]:
    running = Shop(certificate)
    yield running
    running.close()


def test_the_deadline_holds_over_tls(shop: Shop, certificate: Path) -> None:
    with new_session() as session:
        session.trust_env = False  # a REQUESTS_CA_BUNDLE of the machine would win over the next line
        session.verify = str(certificate)
        call = make_caller(session=session, before_call=None, record=None, now=now)
        assert call("GET", shop.url).json == {"a": 1}
        with pytest.raises(OutcomeUnknown, match="no answer in time"):
            call("POST", shop.url, json={}, is_write=True, timeout_s=0.5)
    assert len(shop.requests) == 2


def test_a_certificate_that_is_not_trusted_lets_nothing_leave(shop: Shop) -> None:
    with new_session() as session:
        call = make_caller(session=session, before_call=None, record=None, now=now)
        with pytest.raises(Retryable, match=r"no secure connection \(TLS\)") as failure:
            call("POST", shop.url, json={"secret": 1}, is_write=True)
    assert failure.value.evidence["may_have_left"] is False
    shop.close()
    assert b"".join(shop.requests) == b""


def test_a_flight_that_has_landed_is_not_cut() -> None:
    left, right = socket.socketpair()
    with left, right:
        with flight(total_s=30) as this:
            this.leaving(left)
        assert this.has_left
        right.sendall(b"x")
        assert left.recv(1) == b"x"


def test_ending_a_flight_wakes_its_reader() -> None:
    left, right = socket.socketpair()
    with left, right:
        this = Flight(deadline=float("inf"))
        this.leaving(left)
        this.end()
        assert left.recv(1) == b""


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of one connection; who waits for ever gets a TimeoutError."""
    left, right = socket.socketpair()
    with left, right:
        left.settimeout(5)
        right.settimeout(5)
        yield left, right


def test_a_call_due_sooner_than_those_before_it_is_ended_first(wire: tuple[socket.socket, socket.socket]) -> None:
    other, other_end = socket.socketpair()
    with other, other_end, flight(total_s=30) as later, flight(total_s=0.05) as sooner:
        later.leaving(other)
        sooner.leaving(wire[0])
        assert wire[0].recv(1) == b""  # cut, although the thread waited for the later one
        assert (sooner.is_over, later.is_over) == (True, False)
        other_end.sendall(b"x")
        assert other.recv(1) == b"x"


def test_the_connection_of_a_call_that_has_landed_is_left_alone(wire: tuple[socket.socket, socket.socket]) -> None:
    other, other_end = socket.socketpair()
    with other, other_end:
        with flight(total_s=0.02) as landed:
            landed.leaving(other)
        with flight(total_s=0.05) as next_one:
            next_one.leaving(wire[0])
            assert wire[0].recv(1) == b""  # the watchdog has passed both deadlines
        assert not landed.is_over
        other_end.sendall(b"x")
        assert other.recv(1) == b"x"


def test_tls_within_the_tls_of_a_proxy_is_cut(wire: tuple[socket.socket, socket.socket]) -> None:
    tunnelled = SSLTransport.__new__(SSLTransport)  # as urllib3 makes it, without the handshakes
    tunnelled.socket = wire[0]
    with flight(total_s=0.02) as this:
        this.leaving(tunnelled)
        assert wire[0].recv(1) == b""


def test_a_call_that_cannot_be_cut_leaves_no_other_without_an_end(
    wire: tuple[socket.socket, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    with flight(total_s=0.01) as odd, flight(total_s=0.03) as this:
        odd.leaving(mock.Mock())
        this.leaving(wire[0])
        assert wire[0].recv(1) == b""
    assert "a call could not be cut at its deadline: TypeError" in caplog.text


def test_where_no_thread_can_be_had_the_next_call_tries_again(
    wire: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_watchdog", deadline._Watchdog())
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", mock.Mock(side_effect=RuntimeError("can't start new thread")))
        with pytest.raises(RuntimeError), flight(total_s=30):
            pass
    with flight(total_s=0.02) as this:
        this.leaving(wire[0])
        assert wire[0].recv(1) == b""


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # that is what is tried here
def test_a_forked_process_has_a_watchdog_of_its_own(wire: tuple[socket.socket, socket.socket]) -> None:
    with flight(total_s=30):
        pass  # this process has its thread now
    child = os.fork()
    if child == 0:
        _leave_with(wire[0])
    assert os.waitpid(child, 0)[1] == 0


def _leave_with(sock: socket.socket) -> NoReturn:
    """End this process: with 0 where the watchdog cut the connection."""
    with suppress(TimeoutError), flight(total_s=0.05) as this:
        this.leaving(sock)
        os._exit(0 if sock.recv(1) == b"" else 1)
    os._exit(2)
