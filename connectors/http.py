"""HTTP to vendors: a total deadline, errors by class, and records that hold no secret and no customer data.

Exactly-once rests on the classes (design section 5): a write that cannot have left may be repeated, one that may have
left is looked up first. A vendor's own dialect (authentication, error bodies, paging) is in its ``client.py``.
"""

import json as json_module
import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidHeader, InvalidSchema, InvalidURL, MissingSchema
from requests.utils import get_environ_proxies

from connectors.deadline import DeadlineAdapter, Flight, flight
from connectors.ports import Answer, Caller, Json, OutcomeUnknown, RateLimited, Rejected, Retryable, VendorError
from connectors.redaction import redact as redact
from connectors.redaction import without_query

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_REDIRECTS = 3
CONNECT_TIMEOUT_S = 10.0
DEFAULT_RETRY_AFTER_S = 30.0
MAX_RETRY_AFTER_S = 3600.0
USER_AGENT = "returnsops"

NO_TLS = "no secure connection (TLS) could be made"

_CHUNK_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BAD_REQUEST = (InvalidURL, InvalidSchema, MissingSchema, InvalidHeader)
# OpenSSL's X509_V_ERR_… of the faults that have another remedy than "not trusted".
_CERTIFICATE_FAULTS = {
    10: "its certificate has expired",
    62: "its certificate is for another host name",
    64: "its certificate is for another host name",
}
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True, kw_only=True)
class CallRecord:
    """One HTTP exchange, redacted. ``error`` is the class of our error ('' = answered); times in milliseconds."""

    method: str
    url: str
    params: Mapping[str, Any]
    request: Json
    status: int | None
    answer: Json
    error: str
    is_write: bool
    started_at: datetime
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class _Request:
    method: str
    url: str
    params: Mapping[str, str] | None
    json: Json
    form: Mapping[str, str] | None
    headers: Mapping[str, str] | None
    auth: Any
    timeout_s: float
    is_write: bool

    @property
    def label(self) -> str:
        """The method and the path, for messages and budgets; never the query."""
        return f"{self.method} {urlsplit(self.url).path}"


class _TooLargeError(Exception):
    """The answer passed the body limit."""


class _VendorSession(requests.Session):
    """Takes a company's proxy and authorities from the environment, as it was when the process began.

    ``requests`` would look anew at each call, and lay a password of a ~/.netrc over a connection's own token.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._has_proxies = bool(getproxies())

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """What ``requests`` sends a call with: proxies only where the environment names one for this host."""
        named = get_environ_proxies(url) if self._has_proxies else {}
        return super().merge_environment_settings(url, named | dict(proxies or {}), stream, verify, cert)


def new_session() -> requests.Session:
    """A session that keeps connections, refuses cookies, and ends calls at their deadline."""
    session = _VendorSession()
    session.headers["User-Agent"] = USER_AGENT
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    _watch(session)
    return session


def make_caller(
    *,
    session: requests.Session,
    before_call: Callable[[str], None] | None,
    record: Callable[[CallRecord], None] | None,
    now: Callable[[], datetime],
    max_body_bytes: int = MAX_BODY_BYTES,
) -> Caller:
    """HTTP for one connection, as ports.Caller asks for it.

    ``before_call`` gets "GET /path" before each request (redirects too) and may raise RateLimited to keep the
    connection's budget; ``record`` gets a redacted CallRecord after each, failed ones included. Plain transports of
    ``session`` are replaced by watched ones; a transport of another kind (a double in process) is left as it is.
    """
    _watch(session)

    def call(
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Json = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
        timeout_s: float = 30.0,
        is_write: bool = False,
    ) -> Answer:
        what = {"params": params, "json": json, "form": form, "headers": headers, "auth": auth}
        request = _Request(method=method.upper(), url=url, timeout_s=timeout_s, is_write=is_write, **what)
        with flight(total_s=timeout_s) as under_way:
            return _follow(request, exchange=lambda one: exchange(one, under_way))

    def exchange(request: _Request, under_way: Flight) -> Answer:
        if before_call is not None:
            before_call(request.label)
        started_at, started = now(), time.monotonic()
        answer: Answer | None = None
        error = ""
        try:
            answer = _send(session, request, under_way, max_body_bytes=max_body_bytes)
            _refuse_throttled(answer, request, now=now())
        except VendorError as failure:
            error = type(failure).__name__
            raise
        finally:
            if record is not None:
                duration_ms = round((time.monotonic() - started) * 1000)
                record(_record(request, answer, error=error, started_at=started_at, duration_ms=duration_ms))
        return answer

    return call


def retry_after_s(value: str | None, *, now: datetime) -> float:
    """Seconds a Retry-After header asks for (seconds or an HTTP date), between 1 and an hour; 30 if unreadable."""
    text = (value or "").strip()
    wanted = float(text[:9]) if text.isascii() and text.isdigit() else _seconds_until(text, now=now)
    return min(max(wanted, 1.0), MAX_RETRY_AFTER_S)


def parse_json(body: bytes) -> Json:
    """The parsed document with Decimals for numbers with a point; None where the body is not JSON."""
    try:
        return json_module.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _watch(session: requests.Session) -> None:
    for prefix, adapter in list(session.adapters.items()):
        if type(adapter) is HTTPAdapter:
            session.mount(prefix, DeadlineAdapter())


def _follow(request: _Request, *, exchange: Callable[[_Request], Answer]) -> Answer:
    """Reads follow redirects within their own scheme, host and port; writes follow none."""
    answer = exchange(request)
    for _ in range(MAX_REDIRECTS):
        target = _redirect_target(request, answer)
        if target is None:
            break
        request = _replaced(request, url=target)
        answer = exchange(request)
    return answer


def _redirect_target(request: _Request, answer: Answer) -> str | None:
    location = answer.headers.get("location", "")
    if answer.status not in _REDIRECTS or not location or request.is_write or request.method != "GET":
        return None
    target = urljoin(request.url, location)
    return target if urlsplit(target)[:2] == urlsplit(request.url)[:2] else None


def _replaced(request: _Request, *, url: str) -> _Request:
    return _Request(
        method=request.method,
        url=url,
        params=None,  # the target names its own query
        json=None,
        form=None,
        headers=request.headers,
        auth=request.auth,
        timeout_s=request.timeout_s,
        is_write=False,
    )


def _send(session: requests.Session, request: _Request, under_way: Flight, *, max_body_bytes: int) -> Answer:
    try:
        # Without our transport nobody can say whether the request left, so it counts as gone.
        under_way.has_left = not isinstance(session.get_adapter(request.url), DeadlineAdapter)
        with _respond(session, request, under_way) as response:
            body = _read_body(response, under_way, max_body_bytes=max_body_bytes)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(status=response.status_code, headers=headers, body=body, json=parse_json(body))
    except _BAD_REQUEST as failure:
        text = f"{request.label}: the address or a header of the request is not valid; check the connection's base_url."
        raise Rejected(text, code="bad_request_url", evidence={"reason": type(failure).__name__}) from None
    except _TooLargeError:
        _fail(request, under_way, f"the answer is larger than {max_body_bytes} bytes")
    except _FAILURES as failure:
        _fail(request, under_way, _reason(failure, under_way))


def _respond(session: requests.Session, request: _Request, under_way: Flight) -> requests.Response:
    headers = dict(request.headers or {})
    data: Any = dict(request.form) if request.form is not None else None
    if request.json is not None:
        # Serialised here: a Decimal or float among the fields is a mistake of ours, never to be rounded silently.
        data = json_module.dumps(request.json, ensure_ascii=False, allow_nan=False).encode()
        headers.setdefault("Content-Type", "application/json")
    remaining_s = under_way.remaining_s()
    return session.request(
        request.method,
        request.url,
        params=dict(request.params or {}),
        data=data,
        headers=headers,
        auth=request.auth,
        timeout=(min(remaining_s, CONNECT_TIMEOUT_S), remaining_s),
        allow_redirects=False,
        stream=True,
    )


def _read_body(response: requests.Response, under_way: Flight, *, max_body_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(_CHUNK_BYTES):
        size += len(chunk)
        if size > max_body_bytes:
            raise _TooLargeError
        if time.monotonic() >= under_way.deadline:
            raise TimeoutError
        chunks.append(chunk)
    if under_way.is_over:  # a cut connection can look like the end of a body without a length
        raise TimeoutError
    return b"".join(chunks)


def _fail(request: _Request, under_way: Flight, reason: str) -> NoReturn:
    """Nothing left, or only a read: again. A write that may have left: look up."""
    evidence = {"request": request.label, "reason": reason, "may_have_left": under_way.has_left}
    if request.is_write and under_way.has_left:
        text = f"{request.label}: {reason}; whether it was carried out is not known."
        raise OutcomeUnknown(text, evidence=evidence) from None
    raise Retryable(f"{request.label}: {reason}; nothing was changed.", evidence=evidence) from None


def _reason(failure: Exception, under_way: Flight) -> str:
    """In our own words: the texts of the libraries quote the URL with its query."""
    if under_way.is_over or time.monotonic() >= under_way.deadline or isinstance(failure, requests.Timeout):
        return "no answer in time"
    if isinstance(failure, requests.exceptions.SSLError):
        return NO_TLS + _certificate_fault(failure)
    return "the connection was lost" if under_way.has_left else "no connection could be made"


def _certificate_fault(failure: Exception) -> str:
    """What is wrong with the certificate, after a comma; '' where it is something else."""
    cause: object = failure
    while isinstance(cause, BaseException) and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = getattr(cause, "reason", None) or next(iter(cause.args), None)
    if not isinstance(cause, ssl.SSLCertVerificationError):
        return ""
    return f", {_CERTIFICATE_FAULTS.get(cause.verify_code, 'its certificate is not trusted on this machine')}"


def _refuse_throttled(answer: Answer, request: _Request, *, now: datetime) -> None:
    if answer.status == 429:
        after_s = retry_after_s(answer.headers.get("retry-after"), now=now)
        text = f"{request.label}: too many calls (HTTP 429); next try in {after_s:.0f} s."
        raise RateLimited(text, after_s=after_s, evidence={"status": 429, "after_s": after_s})


def _seconds_until(text: str, *, now: datetime) -> float:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return DEFAULT_RETRY_AFTER_S
    return (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON.")


def _record(
    request: _Request, answer: Answer | None, *, error: str, started_at: datetime, duration_ms: int
) -> CallRecord:
    is_refusal = answer is not None and answer.status >= 400
    return CallRecord(
        method=request.method,
        url=without_query(request.url),
        params=redact(dict(request.params or {})),
        request=redact(request.json if request.json is not None else dict(request.form or {})),
        status=None if answer is None else answer.status,
        # Bodies of good answers are the customer's order: only refusals say something worth keeping.
        answer=redact(answer.json) if is_refusal and answer is not None else None,
        error=error,
        is_write=request.is_write,
        started_at=started_at,
        duration_ms=duration_ms,
    )
