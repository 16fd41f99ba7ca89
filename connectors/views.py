"""The webhook door: verify over the raw bytes, insert one row, answer. Everything else happens later."""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db.models import F, Min, Sum
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.utils import timezone
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors import inbox, ports, tasks
from connectors.problems import open_signature_case
from connectors.registry import config_of, connector_for
from connectors.signing import verify
from returnsops.models import Connection
from returnsops.prepared import Prepared

log = logging.getLogger(__name__)

SECRET_OF_KIND = {"reveni_v1": "api_key"}  # Reveni signs with the API key itself
BURST: Final = 10  # refusals within an hour that make a case
BURST_WINDOW: Final = timedelta(hours=1)
SLOT: Final = timedelta(minutes=10)  # refusals are counted by it, so that the window rolls
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class AnyAnswer(BaseContentNegotiation):
    """We answer JSON whatever the sender says it accepts: a delivery is never lost over its Accept header."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """No parser is ever asked: the body is kept as it came."""
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first, which is JSON."""
        first = next(iter(renderers))
        return first, str(first.media_type)


class WebhookView(APIView):
    """``POST /webhooks/<connection>/``: 202 stored, 200 repeat or ping, 400, 401, 404, 411, 413, 503 (design 4)."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = ()
    throttle_classes = ()
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AnyAnswer
    schema = None

    def post(self, request: Request, connection_name: str) -> Response:
        """Store one delivery."""
        found = _NAMED.objects(name=connection_name)
        if not found:
            return _problem(404, f"There is no connection named {connection_name!r} here.")
        if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
            return _problem(411, "Send the body with a Content-Length, not in chunks.")
        try:
            body = _body(request._request)
        except UnreadablePostError:
            return _problem(400, "The body ended before its Content-Length; send the delivery again.")
        if body is None:
            return _problem(413, f"The body is larger than {settings.WEBHOOK_BODY_LIMIT_BYTES} bytes.")
        inbound = ports.Inbound(headers=_headers(request._request), body=body, received_at=timezone.now())
        return _receive(found[0], inbound)


_NAMED: Final = Prepared(lambda name: Connection.objects.filter(name=name))


def secret_name(verifier: Mapping[str, Any]) -> str:
    """Which secret of the connection its deliveries are signed with: the verifier's own, else webhook_secret."""
    return str(verifier.get("secret") or SECRET_OF_KIND.get(str(verifier.get("kind")), "webhook_secret"))


def _receive(connection: Connection, inbound: ports.Inbound) -> Response:
    try:
        config = config_of(connection, at=inbound.received_at)
    except ports.AuthFailed as error:
        return _unable(connection, error.text, at=inbound.received_at)
    reception = connector_for(connection.vendor).receive(inbound, config)
    if reception.kind == "ping":
        return Response({"status": "ok"}, status=200)
    verifier = connection.verifier or connector_for(connection.vendor).default_verifier
    name = secret_name(verifier)
    secrets = config.secrets.get(name, ())
    if not secrets:
        text = f"Connection {connection.name} has no secret {name!r}; set it with apply_config."
        return _unable(connection, text, at=inbound.received_at)
    verdict = verify(
        verifier=verifier,
        secrets=secrets,
        headers=inbound.headers,
        body=inbound.body,
        now=inbound.received_at,
    )
    if not verdict.is_genuine or reception.kind == "unsigned":
        count_refusal(connection=connection, reason=verdict.reason or "not signed", at=inbound.received_at)
        return _problem(401, "The signature is missing, wrong or too old.")
    return _store(connection, inbound, reception)


def _unable(connection: Connection, text: str, *, at: datetime) -> Response:
    """Our own fault, not the sender's: it may try again, and people hear of it like of a burst of bad signatures."""
    log.error("webhook of %s refused: %s", connection.name, text)
    count_refusal(connection=connection, reason=text, at=at)
    return _problem(503, "This connection cannot check signatures at the moment; send the delivery again later.")


def _store(connection: Connection, inbound: ports.Inbound, reception: ports.Reception) -> Response:
    recorded = inbox.record(
        connection=connection,
        source="webhook",
        topic=reception.topic,
        body=inbound.body,
        at=inbound.received_at,
        delivery_key=reception.delivery_key,
        hint_key=reception.hint_key,
        subject_key=reception.subject_key,
        content_type=inbound.headers.get("content-type", ""),
    )
    if recorded.is_duplicate:
        return Response({"status": "stored", "event": recorded.event.pk, "duplicate": True}, status=200)
    tasks.wake_inbox_soon()
    return Response({"status": "stored", "event": recorded.event.pk, "duplicate": False}, status=202)


def count_refusal(*, connection: Connection, reason: str, at: datetime) -> None:
    """Bad signatures are only counted; a burst of them within any hour opens a case.

    What a slot that began before the hour holds counts whole: never fewer than came, at most ten minutes' more.
    """
    mine = connection.refusals
    row, _ = mine.get_or_create(connection=connection, slot_at=at - (at - _EPOCH) % SLOT)
    mine.filter(pk=row.pk).update(count=F("count") + 1, last_reason=reason[:200])
    lately = mine.filter(slot_at__gt=at - BURST_WINDOW - SLOT).aggregate(count=Sum("count"), since=Min("slot_at"))
    if lately["count"] >= BURST:
        open_signature_case(connection=connection, reason=reason, at=at, **lately)


def _body(request: HttpRequest) -> bytes | None:
    """The raw body, or None if it is over the limit; a lying Content-Length does not help."""
    limit = settings.WEBHOOK_BODY_LIMIT_BYTES
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            return None
        body = request.body
    except (RequestDataTooBig, ValueError):
        return None
    return None if len(body) > limit else body


def _headers(request: HttpRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _problem(status: int, text: str) -> Response:
    return Response({"error": text}, status=status)
