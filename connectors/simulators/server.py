"""Serve a simulator on loopback: threaded, quiet, and really dropping the connection where a fault says so.

Like a vendor's own server it keeps a connection for the next request. werkzeug's server closes it after each, so a
client that keeps connections would never be seen to use one again.
"""

import socket
import ssl
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app
from werkzeug.wsgi import get_input_stream

from connectors.simulators.base import WSGIApp


class _Server(ThreadedWSGIServer):
    """Knows the connections it keeps, so that it can hang up on them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._kept: set[socket.socket] = set()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note a new connection, and answer on it from a thread of its own."""
        self._kept.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        self._kept.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that wait for a next request."""
        for kept in tuple(self._kept):
            with suppress(OSError):
                # Not SSLSocket.shutdown, which pulls the TLS state from under a thread that is reading.
                socket.socket.shutdown(kept, socket.SHUT_RDWR)


class _RequestHandler(WSGIRequestHandler):
    """No access log, kept connections, and one that a fault drops is closed at once and without an answer."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes: on a kept connection the second would wait for the caller's acknowledgement.
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request whole; what the app raises is the vendor's broken server, or a scripted drop."""
        try:
            environ = self.make_environ()
            # Read to the end first: what an app leaves unread would be taken for the next request.
            environ["wsgi.input"] = BytesIO(get_input_stream(environ).read())
            chunks, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
            self._answer(status, headers, body=b"".join(chunks))
        except ConnectionError as dropped:
            self.connection_dropped(dropped)
        except Exception:
            self.log("error", "Error on request:\n%s", traceback.format_exc())
            self.close_connection = True
            self._answer("500 INTERNAL SERVER ERROR", Headers(), body=b"")

    def _answer(self, status: str, headers: Headers, *, body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """The app raised ConnectionDroppedError, or the caller went away: close without an answer."""
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """No line for each answer; errors still get one."""


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A server that is up. `url` has no trailing slash."""

    url: str
    _server: _Server
    _thread: threading.Thread
    _stopping: threading.Event

    def stop(self) -> None:
        """Stop accepting, close the socket and the kept connections, and wait for the thread."""
        self._stopping.set()
        # The thread waits for a caller: one that says nothing wakes it, so that nobody waits for a poll to pass.
        with suppress(OSError):
            socket.create_connection((self._server.host, self._server.port), timeout=1).close()
        self._thread.join(timeout=10)
        self._server.hang_up()
        self._server.server_close()


def serve(app: WSGIApp, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> RunningServer:
    """Serve `app` from a background thread; port 0 takes a free one, `tls` serves https.

    Raises OSError where the port is taken.
    """
    # werkzeug ends the whole process where a port is taken, so the socket is bound here.
    with socket.create_server((host, port)) as bound:
        server = _Server(host, port, app, handler=_RequestHandler, ssl_context=tls, fd=bound.fileno())
        taken_port = bound.getsockname()[1]
    stopping = threading.Event()
    thread = threading.Thread(target=_answer_until, args=(server, stopping), daemon=True)
    thread.start()
    scheme = "http" if tls is None else "https"
    return RunningServer(url=f"{scheme}://{host}:{taken_port}", _server=server, _thread=thread, _stopping=stopping)


def _answer_until(server: _Server, stopping: threading.Event) -> None:
    while not stopping.is_set():
        server.handle_request()
