"""Connections that know their call: whether anything left, and an end that holds whatever the other side does.

``requests`` bounds single reads only. Here a timer shuts the socket down at the deadline, and a connection refuses to
send anything after it, so that ``settle_s`` can be reckoned from the moment an attempt began.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

PAST_DEADLINE = "The call's deadline had passed before anything was sent."


@dataclass
class Flight:
    """One call under way; times are of the monotonic clock, in seconds."""

    deadline: float
    has_left: bool = False
    is_over: bool = False
    _socket: socket.socket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def remaining_s(self) -> float:
        """Seconds until the deadline, at least a millisecond so that it can be used as a timeout."""
        return max(self.deadline - time.monotonic(), 0.001)

    def leaving(self, sock: socket.socket | None) -> None:
        """Note that bytes are about to be written. Raises TimeoutError past the deadline."""
        with self._lock:
            if self.is_over or time.monotonic() >= self.deadline:
                raise TimeoutError(PAST_DEADLINE)
            self._socket = sock
            self.has_left = True

    def end(self) -> None:
        """Cut the connection: whoever reads from it wakes up."""
        with self._lock:
            self.is_over = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not SSLSocket.shutdown, which pulls the TLS state from under a thread that is reading.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_current: ContextVar[Flight | None] = ContextVar("connectors_flight", default=None)


@contextmanager
def flight(*, total_s: float) -> Iterator[Flight]:
    """Watch the calls made inside the block: they end ``total_s`` seconds from now at the latest."""
    this = Flight(deadline=time.monotonic() + total_s)
    timer = threading.Timer(total_s, this.end)
    timer.daemon = True
    token = _current.set(this)
    timer.start()
    try:
        yield this
    finally:
        timer.cancel()
        _current.reset(token)


class _WatchedHTTPConnection(HTTPConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _note_leaving(self.sock)
        super().send(data)


class _WatchedHTTPSConnection(HTTPSConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _note_leaving(self.sock)
        super().send(data)


def _note_leaving(sock: socket.socket | None) -> None:
    this = _current.get()
    if this is not None:
        this.leaving(sock)


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class DeadlineAdapter(HTTPAdapter):
    """The transport of ``requests`` with watched connections; it never retries by itself."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Let the pool make watched connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """Let the pools of a company proxy make watched connections too."""
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}
        return manager
