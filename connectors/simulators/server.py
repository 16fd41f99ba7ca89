"""Serve a simulator on loopback: threaded, quiet, and really dropping the connection where a fault says so."""

import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from connectors.simulators.base import WSGIApp


class _QuietRequestHandler(WSGIRequestHandler):
    """No access log, and a dropped connection is closed at once instead of waiting for a next request."""

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """The app raised ConnectionDroppedError, or the caller went away: close without an answer."""
        self.close_connection = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Only errors are worth a line."""
        if type == "error":
            super().log(type, message, *args)


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A server that is up. `url` has no trailing slash."""

    url: str
    _server: BaseWSGIServer
    _thread: threading.Thread
    _stopping: threading.Event

    def stop(self) -> None:
        """Stop accepting, close the socket, and wait for the thread."""
        self._stopping.set()
        # The thread waits for a caller: one that says nothing wakes it, so that nobody waits for a poll to pass.
        with suppress(OSError):
            socket.create_connection((self._server.host, self._server.port), timeout=1).close()
        self._thread.join(timeout=10)
        self._server.server_close()


def serve(app: WSGIApp, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> RunningServer:
    """Serve `app` from a background thread; port 0 takes a free one, `tls` serves https.

    Raises OSError where the port is taken.
    """
    # werkzeug ends the whole process where a port is taken, so the socket is bound here.
    with socket.create_server((host, port)) as bound:
        server = make_server(
            host,
            port,
            app,
            threaded=True,
            request_handler=_QuietRequestHandler,
            ssl_context=tls,
            fd=bound.fileno(),
        )
        taken_port = bound.getsockname()[1]
    stopping = threading.Event()
    thread = threading.Thread(target=_answer_until, args=(server, stopping), daemon=True)
    thread.start()
    scheme = "http" if tls is None else "https"
    return RunningServer(url=f"{scheme}://{host}:{taken_port}", _server=server, _thread=thread, _stopping=stopping)


def _answer_until(server: BaseWSGIServer, stopping: threading.Event) -> None:
    while not stopping.is_set():
        server.handle_request()
