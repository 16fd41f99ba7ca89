"""The pull API of a simulated Reveni (assumed, reveni.md C6), its token address, and its read-only page."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any, Protocol

from werkzeug.wrappers import Request, Response

from connectors.simulators.calls import CallLog
from connectors.simulators.pages import Table, render_page
from connectors.simulators.reveni_documents import snapshot_of
from connectors.simulators.reveni_write_back import HEADER, MerchantDesk, RefusedError

LIST_PATH = "/v1/returns"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
DEFAULT_LIMIT = 50
MOST_ROWS = 200


class Shown(Protocol):
    """What the API and the page read of the platform."""

    api_key: str
    calls: CallLog

    merchant_desk: MerchantDesk

    def whole_returns(self) -> list[dict[str, Any]]:
        """Copies of all returns with what hangs on them."""

    def whole_return(self, return_id: str) -> dict[str, Any] | None:
        """A copy of one return with what hangs on it."""

    def tables(self) -> Sequence[Table]:
        """The sections of the page."""


def make_app(shown: Shown) -> Callable[..., Iterable[bytes]]:
    """The WSGI app in front of a platform."""

    @Request.application
    def app(request: Request) -> Response:
        return _answer(shown, request)

    return app


def _answer(shown: Shown, request: Request) -> Response:
    if request.path == "/":
        return _page(shown)
    if request.path == TOKEN_PATH:
        return _token(shown, request)
    if not _is_authorised(shown, request):
        return _error(401, "unauthorized", "The credentials are missing or wrong.")
    if request.method != "GET":
        return _written(shown, request)
    if request.path == LIST_PATH:
        return _list(shown, request)
    if request.path.startswith(LIST_PATH + "/"):
        return _one(shown, request.path.removeprefix(LIST_PATH + "/"))
    return _error(404, "not_found", "There is nothing at this path.")


def _is_authorised(shown: Shown, request: Request) -> bool:
    """Bearer as documented [RM-A]; Basic and a header key for connections that are set up so."""
    given = [request.headers.get("X-API-Key", "")]
    if request.authorization is not None:
        given += [request.authorization.token or "", request.authorization.password or ""]
    return any(compare_digest(key.encode(), shown.api_key.encode()) for key in given if key)


def _token(shown: Shown, request: Request) -> Response:
    if request.form.get("grant_type") != "client_credentials" or not _is_authorised(shown, request):
        return _json({"error": "invalid_client"}, status=401)
    return _json({"access_token": shown.api_key, "token_type": "bearer", "expires_in": 3600})


def _written(shown: Shown, request: Request) -> Response:
    """What a merchant tells the platform (assumed)."""
    body = request.get_json(silent=True)
    in_body = str(body.get("key", "")) if isinstance(body, dict) else ""
    key = request.headers.get(HEADER, "") or in_body
    try:
        answer = shown.merchant_desk.take(request.method, request.path, body, key=key)
    except RefusedError as refusal:
        return _error(refusal.status, refusal.code, refusal.message)
    return _json(answer)


def _list(shown: Shown, request: Request) -> Response:
    try:
        since = _moment(request.args.get("updated_since", ""))
        limit = int(request.args.get("limit", str(DEFAULT_LIMIT)))
        after = _read_cursor(request.args.get("cursor", ""))
    except ValueError:
        return _error(400, "invalid_parameter", "updated_since, limit or cursor cannot be read.")
    if not 1 <= limit <= 200:
        return _error(400, "invalid_parameter", "limit must be 1 to 200.")
    rows = sorted((_place(row), row) for row in shown.whole_returns() if _moment(row["updated_at"]) >= since)
    rest = [(place, row) for place, row in rows if place > after]
    page = rest[:limit]
    following = _write_cursor(page[-1][0]) if len(rest) > limit else None
    return _json({"data": [snapshot_of(row) for _, row in page], "next_cursor": following})


def _one(shown: Shown, return_id: str) -> Response:
    found = shown.whole_return(return_id)
    return _json(found) if found else _error(404, "not_found", "There is no such return.")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _place(row: dict[str, Any]) -> tuple[str, str]:
    return _moment(row["updated_at"]).astimezone(UTC).isoformat(timespec="microseconds"), row["id"]


def _write_cursor(place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _read_cursor(text: str) -> tuple[str, str]:
    if not text:
        return ("", "")
    try:
        at, return_id = json.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, TypeError) as error:
        raise ValueError("not a cursor") from error
    return str(at), str(return_id)


def _json(document: Any, *, status: int = 200) -> Response:
    return Response(json.dumps(document), status=status, content_type="application/json")


def _error(status: int, code: str, message: str) -> Response:
    return _json({"error": {"code": code, "message": message}}, status=status)


def _page(shown: Shown) -> Response:
    calls = [(c.at.isoformat(), c.method, c.path, c.status or "", c.fault) for c in shown.calls.all()[-MOST_ROWS:]]
    tables = [*shown.tables(), Table(title="Calls", columns=("at", "method", "path", "status", "fault"), rows=calls)]
    intro = "A simulated returns platform. Its interface is assumed, not published by the vendor. This page only reads."
    return Response(render_page(title="Reveni simulator", intro=intro, tables=tables), content_type="text/html")
