"""What all our API views share: callers by token, JSON within bounds, and errors in one plain shape.

An error is ``{"error": sentence, "code": word}``, with ``"fields": [{"field", "error"}]`` where fields are wrong.
"""

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final, NoReturn

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.http.request import UnreadablePostError
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from returnsops.models import ApiToken
from returnsops.services import throttles
from returnsops.services.api_tokens import token_of

MINUTE_S: Final = 60
MAX_SECRET: Final = 200


class ApiError(Exception):
    """An answer that is not 2xx; ``extra`` goes into the body beside the sentence and the code."""

    def __init__(
        self, status: int, code: str, text: str, *, after_s: int | None = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.after_s = status, code, text, after_s
        self.extra = dict(extra or {})


class TooLarge(exceptions.APIException):
    """The body passes the limit."""

    status_code = 413
    default_code = "too_large"


class BearerToken(BaseAuthentication):
    """``Authorization: Bearer <secret>`` of a live API token; sessions of the staff screens do not count here."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiToken] | None:
        """The caller's token as ``request.auth``; None where none was sent. Raises AuthenticationFailed."""
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if not kind:
            return None
        if kind.lower() != "bearer" or not secret.isascii() or not 0 < len(secret) <= MAX_SECRET:
            raise exceptions.AuthenticationFailed("Send the token as Authorization: Bearer <token>.")
        token = token_of(secret=secret, at=timezone.now())
        if token is None:
            raise exceptions.AuthenticationFailed("The token is not known or was revoked.")
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="returnsops"'


class HasScope(BasePermission):
    """The token must have the view's scope."""

    message = "This token does not have the scope for this call; ask for one that has."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the caller may use this view at all."""
        return isinstance(request.auth, ApiToken) and getattr(view, "scope", None) in request.auth.scopes


class PerToken(BaseThrottle):
    """Calls of one token a minute, counted in the database."""

    after_s = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the call."""
        if not isinstance(request.auth, ApiToken):
            return True
        key, limit = f"token:{request.auth.pk}", settings.API_CALLS_PER_MINUTE
        self.after_s = throttles.take(key=key, limit=limit, window_s=MINUTE_S, at=timezone.now())
        return self.after_s == 0

    def wait(self) -> float:
        """Seconds until the next try."""
        return self.after_s


class BoundedJson(BaseParser):
    """JSON of bounded size and depth."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The document. Raises TooLarge and ParseError."""
        limit = settings.API_BODY_LIMIT_BYTES
        try:
            body = stream.read(limit + 1)
        except UnreadablePostError:
            raise exceptions.ParseError("The body ended before its Content-Length; send it again.") from None
        if len(body) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        try:
            return json.loads(body.decode(), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise exceptions.ParseError("The body is not valid JSON in UTF-8.") from None


class AlwaysJson(DefaultContentNegotiation):
    """JSON whatever the Accept header says; the parser is chosen by Content-Type as usual."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first, which is JSON."""
        first = next(iter(renderers))
        return first, str(first.media_type)


class ApiView(APIView):
    """Base of the calls under ``/api/v1/``; ``scope`` names what a token must have."""

    scope = ""
    authentication_classes = (BearerToken,)
    permission_classes = (HasScope,)
    throttle_classes = (PerToken,)
    parser_classes = (BoundedJson,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AlwaysJson
    metadata_class = None

    def handle_exception(self, exc: Exception) -> Response:
        """Errors in our one shape; a fault of ours is left to Django."""
        if isinstance(exc, ApiError):
            return _error(exc.status, exc.code, exc.text, extra=exc.extra, after_s=exc.after_s)
        if isinstance(exc, exceptions.ValidationError):
            return _error(422, "invalid", "Some fields are wrong.", extra={"fields": fields_of(exc.detail)})
        if isinstance(exc, Http404):
            return _error(404, "not_found", "There is no such thing here.")
        response = super().handle_exception(exc)
        assert isinstance(exc, exceptions.APIException)  # anything else was raised again by the line before
        after_s = getattr(exc, "wait", None)
        if isinstance(exc, exceptions.Throttled):
            return _error(429, "throttled", f"Too many calls; try again in {after_s} s.", after_s=int(after_s or 1))
        plain = _error(response.status_code, _code_of(exc), str(exc.detail))
        if "WWW-Authenticate" in response.headers:
            plain["WWW-Authenticate"] = response.headers["WWW-Authenticate"]
        return plain


def caller(request: Request) -> ApiToken:
    """The token of an authenticated request."""
    assert isinstance(request.auth, ApiToken)  # HasScope let it in
    return request.auth


def fields_of(detail: Any, path: str = "") -> list[dict[str, str]]:
    """Serializer errors as a flat list: where, and what is wrong there."""
    return [{"field": where or "body", "error": text} for where, text in _flat(detail, path)]


def _flat(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            at = path if name == "non_field_errors" else _joined(path, name)
            yield from _flat(inner, at)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from _flat(inner, f"{path}[{index}]" if isinstance(inner, Mapping) else path)
    else:
        yield path, str(detail)


def _joined(path: str, name: object) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else str(name)


def _code_of(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else str(error.default_code)


def _error(
    status: int, code: str, text: str, *, extra: Mapping[str, Any] | None = None, after_s: int | None = None
) -> Response:
    headers = {} if after_s is None else {"Retry-After": str(max(1, after_s))}
    return Response({"error": text, "code": code, **(extra or {})}, status=status, headers=headers)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON.")
