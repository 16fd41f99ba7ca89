"""Mount a WSGI app into a requests session, so that a simulator answers in process."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

from connectors.simulators.base import DELAY_KEY, ConnectionDroppedError, WSGIApp

_Timeout = float | tuple[float | None, float | None] | None


class WSGIAdapter(BaseAdapter):
    """A requests transport that calls `app` instead of the network.

    A dropped connection is a requests.ConnectionError, or a ReadTimeout where the fault says so; an answer slower
    than the read time-out of the call is a ReadTimeout too, after the app has done its work.
    """

    def __init__(self, app: WSGIApp) -> None:
        super().__init__()
        self._app = app

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: _Timeout = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Answer one prepared request from the app."""
        delays: list[float] = []
        environ = _environ(request) | {DELAY_KEY: delays}
        try:
            chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        except ConnectionDroppedError as dropped:
            error = requests.ReadTimeout if dropped.is_timeout else requests.ConnectionError
            raise error("the simulator dropped the connection", request=request) from dropped
        _check_read_timeout(sum(delays), timeout, request)
        return _response(
            request,
            status=status,
            headers={name: ", ".join(headers.getlist(name)) for name, _ in headers},
            body=b"".join(chunks),
        )

    def close(self) -> None:
        """Nothing to release: there is no connection."""


def mounted_session(app: WSGIApp, base_url: str) -> requests.Session:
    """A requests session that has every URL below `base_url` answered by `app` in process, and reaches nothing else."""
    session = requests.Session()
    session.trust_env = False  # no proxy of this machine stands between a caller and an app in its own process
    session.adapters.clear()
    session.mount(base_url, WSGIAdapter(app))
    return session


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    body = request.body or b""
    raw = body.encode() if isinstance(body, str) else bytes(body)
    headers = [
        (name, value if isinstance(value, str) else value.decode("latin-1")) for name, value in _headers(request)
    ]
    url = urlsplit(request.url or "")
    return EnvironBuilder(
        url.path or "/",
        base_url=f"{url.scheme}://{url.netloc}/",
        query_string=url.query,
        method=request.method or "GET",
        headers=headers,
        data=raw,
    ).get_environ()


def _headers(request: requests.PreparedRequest) -> list[tuple[str, str | bytes]]:
    return [(name, value) for name, value in request.headers.items() if name.lower() != "content-length"]


def _check_read_timeout(delay_s: float, timeout: _Timeout, request: requests.PreparedRequest) -> None:
    limit = timeout[1] if isinstance(timeout, tuple) else timeout
    if limit is not None and delay_s > limit:
        raise requests.ReadTimeout(f"no answer within {limit} s", request=request)


def _response(
    request: requests.PreparedRequest, *, status: str, headers: dict[str, str], body: bytes
) -> requests.Response:
    code, _, reason = status.partition(" ")
    response = requests.Response()
    response.status_code = int(code)
    response.reason = reason
    response.headers = CaseInsensitiveDict(headers)
    response.raw = HTTPResponse(body=BytesIO(body), headers=headers, status=int(code), preload_content=False)
    response.url = request.url or ""
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.request = request
    return response
