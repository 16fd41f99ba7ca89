"""Connections that know their call: whether anything left, and an end that holds whatever the other side does.

``requests`` bounds single reads only. Here a watchdog shuts the socket down at the deadline, and a connection refuses
to send anything after it, so that ``settle_s`` can be reckoned from the moment an attempt began.
"""

import heapq
import itertools
import logging
import os
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
from urllib3.util.ssltransport import SSLTransport

log = logging.getLogger(__name__)

PAST_DEADLINE = "The call's deadline had passed before anything was sent."


@dataclass
class Flight:
    """One call under way; times are of the monotonic clock, in seconds."""

    deadline: float
    has_left: bool = False
    is_over: bool = False
    has_landed: bool = False
    _socket: socket.socket | SSLTransport | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def remaining_s(self) -> float:
        """Seconds until the deadline, at least a millisecond so that it can be used as a timeout."""
        return max(self.deadline - time.monotonic(), 0.001)

    def leaving(self, sock: socket.socket | SSLTransport | None) -> None:
        """Note that bytes are about to be written. Raises TimeoutError past the deadline."""
        with self._lock:
            if self.is_over or time.monotonic() >= self.deadline:
                raise TimeoutError(PAST_DEADLINE)
            self._socket = sock
            self.has_left = True

    def land(self) -> None:
        """The call is done: its connection is kept, perhaps for another call, and must not be cut any more."""
        with self._lock:
            self.has_landed = True
            self._socket = None

    def end(self) -> None:
        """Cut the connection, unless the call is done: whoever reads from it wakes up."""
        with self._lock:
            self.is_over = not self.has_landed
            if self._socket is not None:
                with suppress(OSError):
                    _cut(self._socket)


def _cut(sock: Any) -> None:
    # TLS within a proxy's TLS: what urllib3 wraps is cut. It knows no shutdown of its own.
    while isinstance(sock, SSLTransport):
        sock = sock.socket
    # Not SSLSocket.shutdown, which pulls the TLS state from under a thread that is reading.
    socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Watchdog:
    """One thread for all calls of a process: it ends each at its deadline. (One for each cost more than its call.)"""

    def __init__(self) -> None:
        self._watched: list[tuple[float, int, Flight]] = []
        self._numbers = itertools.count()
        self._sooner = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, under_way: Flight) -> None:
        """End this call at its deadline, unless it has landed by then."""
        with self._sooner:
            heapq.heappush(self._watched, (under_way.deadline, next(self._numbers), under_way))
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                thread.start()
                self._thread = thread  # only now: where no thread can be had, the next call tries again
            elif self._watched[0][2] is under_way:
                self._sooner.notify()

    def _run(self) -> None:
        while True:
            try:
                self._next_due().end()
            except Exception as error:  # one call that cannot be cut must not leave all others without an end
                log.error("a call could not be cut at its deadline: %s", type(error).__name__)

    def _next_due(self) -> Flight:
        """Wait for the earliest deadline; calls that landed meanwhile are forgotten, many at a time."""
        with self._sooner:
            while (wait_s := self._until_next_s()) is None or wait_s > 0:
                self._sooner.wait(wait_s)
                while self._watched and self._watched[0][2].has_landed:
                    heapq.heappop(self._watched)
            return heapq.heappop(self._watched)[2]

    def _until_next_s(self) -> float | None:
        return self._watched[0][0] - time.monotonic() if self._watched else None


_current: ContextVar[Flight | None] = ContextVar("connectors_flight", default=None)
_watchdog = _Watchdog()


def _new_watchdog() -> None:
    global _watchdog
    _watchdog = _Watchdog()


# A forked process has none of its parent's threads.
os.register_at_fork(after_in_child=_new_watchdog)


@contextmanager
def flight(*, total_s: float) -> Iterator[Flight]:
    """Watch the calls made inside the block: they end ``total_s`` seconds from now at the latest."""
    this = Flight(deadline=time.monotonic() + total_s)
    _watchdog.watch(this)
    token = _current.set(this)
    try:
        yield this
    finally:
        this.land()
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
