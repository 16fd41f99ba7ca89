"""What every simulated vendor is made of: a clock, faults, a call log, webhooks, and a WSGI app around them.

A vendor's simulator is a plain WSGI app with its state; `Simulator` wraps it, applies the scripted faults and
records the calls. The same object is served over TCP by `connectors.simulators.server.serve`, or mounted into a
requests session by `connectors.simulators.wsgi_transport.WSGIAdapter`.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_input_stream

from connectors.simulators.calls import Call, CallLog, public_query, readable_body
from connectors.simulators.clock import Clock, SimulatedClock, SystemClock
from connectors.simulators.faults import Fault, FaultKind, FaultPlan, WebhookFault, WebhookFaultKind

__all__ = [
    "ARRIVED_KEY",
    "DELAY_KEY",
    "HELD_KEY",
    "Call",
    "CallLog",
    "Clock",
    "ConnectionDroppedError",
    "Fault",
    "FaultKind",
    "FaultPlan",
    "SimulatedClock",
    "Simulator",
    "SystemClock",
    "WSGIApp",
    "WebhookFault",
    "WebhookFaultKind",
    "send",
]

WSGIApp = Callable[..., Iterable[bytes]]

ARRIVED_KEY = "returnsops.simulator.arrived_at"
"""Environ key: when the request came in, which for a late commit is earlier than the clock."""

HELD_KEY = "returnsops.simulator.is_held"
"""Environ key: the request is a late commit, run after its caller gave up; its time stamp may be old by now."""

DELAY_KEY = "returnsops.simulator.delay_s"
"""Environ key: a list of the caller in process, to which a slow fault adds the seconds it held the answer back."""


class ConnectionDroppedError(ConnectionError):
    """Raised through the WSGI stack: the caller gets no answer. The server then closes the TCP connection."""

    def __init__(self, *, is_timeout: bool = False) -> None:
        super().__init__("connection dropped by a scripted fault")
        self.is_timeout = is_timeout


@dataclass(frozen=True, kw_only=True)
class _HeldRequest:
    """A request whose caller has given up and whose change is still to come; due_at None waits for release()."""

    environ: dict[str, Any]
    body: bytes
    due_at: datetime | None


def _by_path(path: str, body: bytes) -> str:
    return path


@dataclass(kw_only=True)
class Simulator:
    """A WSGI app that applies `faults` around the vendor's own `app` and records what came in.

    `exempt_paths`, and what begins with one of `exempt_prefixes`, are without faults and without record: the pages for
    people, which only read. `named` says what a request is
    called by faults: its path, or where one address serves everything what its body asks for.
    """

    app: WSGIApp
    clock: Clock
    faults: FaultPlan = field(default_factory=FaultPlan)
    calls: CallLog = field(default_factory=CallLog)
    exempt_paths: frozenset[str] = frozenset({"/", "/favicon.ico"})
    exempt_prefixes: tuple[str, ...] = ()
    named: Callable[[str, bytes], str] = _by_path
    _held: list[_HeldRequest] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request, or drop it as the fault plan says (raises ConnectionDroppedError)."""
        self.release_due()
        path = str(environ.get("PATH_INFO", "/"))
        if path in self.exempt_paths or path.startswith(self.exempt_prefixes):
            return self.app(environ, start_response)
        body = _take_body(environ)
        environ[ARRIVED_KEY] = self.clock.now()
        fault = self.faults.take(str(environ["REQUEST_METHOD"]), self.named(path, body))
        response = self._answer(environ, body, fault)
        self._record(environ, body, None if response is None else response.status_code, fault)
        if response is None:
            raise ConnectionDroppedError(
                is_timeout=fault is not None and (fault.as_timeout or fault.kind == FaultKind.LATE_COMMIT)
            )
        return send(response, start_response)

    def release(self) -> int:
        """Make every held late change now; returns how many there were."""
        return self._commit(lambda held: True)

    def release_due(self) -> int:
        """Make the late changes whose time has come by the clock; runs before every request too."""
        now = self.clock.now()
        return self._commit(lambda held: held.due_at is not None and held.due_at <= now)

    def _answer(self, environ: dict[str, Any], body: bytes, fault: Fault | None) -> Response | None:
        """The answer to send, None for a dropped connection."""
        if fault is None:
            return self._run(environ, body)
        if fault.kind == FaultKind.SLOW:
            self.clock.sleep(fault.delay_s)
            environ.get(DELAY_KEY, []).append(fault.delay_s)
            return self._run(environ, body)
        if fault.kind in (FaultKind.RATE_LIMITED, FaultKind.SERVER_ERROR):
            return _fault_page(fault)
        if fault.kind == FaultKind.LATE_COMMIT:
            self._hold(environ, body, fault)
        elif fault.kind in (FaultKind.LOST_ANSWER, FaultKind.SERVER_ERROR_AFTER_COMMIT):
            self._run(environ, body)
        return _fault_page(fault) if fault.kind == FaultKind.SERVER_ERROR_AFTER_COMMIT else None

    def _run(self, environ: dict[str, Any], body: bytes) -> Response:
        environ["wsgi.input"] = BytesIO(body)
        chunks, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        return Response(chunks, status=status, headers=headers)

    def _hold(self, environ: dict[str, Any], body: bytes, fault: Fault) -> None:
        due_at = self.clock.now() + timedelta(seconds=fault.delay_s) if fault.delay_s else None
        with self._lock:
            self._held.append(_HeldRequest(environ=dict(environ), body=body, due_at=due_at))

    def _commit(self, is_due: Callable[[_HeldRequest], bool]) -> int:
        with self._lock:
            due = [held for held in self._held if is_due(held)]
            self._held = [held for held in self._held if not is_due(held)]
        for held in due:
            self._run(held.environ | {HELD_KEY: True}, held.body)
        return len(due)

    def _record(self, environ: dict[str, Any], body: bytes, status: int | None, fault: Fault | None) -> None:
        query = parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
        self.calls.record(
            Call(
                method=str(environ["REQUEST_METHOD"]),
                path=str(environ.get("PATH_INFO", "/")),
                query=public_query(query),
                body=readable_body(body),
                status=status,
                at=environ[ARRIVED_KEY],
                fault=str(fault.kind) if fault else "",
            )
        )


def send(response: Response, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Send a response with its headers as they are: werkzeug would make a vendor's odd Location header proper."""
    body = response.get_data()
    headers = [header for header in response.headers.to_wsgi_list() if header[0].lower() != "content-length"]
    start_response(response.status, [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _take_body(environ: dict[str, Any]) -> bytes:
    return get_input_stream(environ).read()


def _fault_page(fault: Fault) -> Response:
    is_limited = fault.kind == FaultKind.RATE_LIMITED
    headers = {"Retry-After": str(fault.retry_after_s)} if is_limited else {}
    status = 429 if is_limited else fault.status
    return Response(fault.body, status=status, headers=headers, content_type=fault.content_type)
