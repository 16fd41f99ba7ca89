"""``manage.py send_sample TYPE``: one signed sample event to the running installation, or the curl that sends it."""

import json
import shlex
import uuid
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connectors.registry import connector_for
from connectors.reveni.samples import sample_event, sample_types
from connectors.signing import sign
from connectors.views import secret_name
from returnsops.models import Connection
from returnsops.services.secrets import read_secrets

TIMEOUT_S = 20


class Command(BaseCommand):
    """Signs as the connection's own platform would, with its newest secret."""

    help = "Send one signed sample event of the returns contract to a connection of this installation."

    def add_arguments(self, parser: CommandParser) -> None:
        """TYPE and what to change in the sample."""
        parser.add_argument("type", help=f"one of {', '.join(sample_types())}")
        parser.add_argument("--connection", default="", help="name of the connection (the only Reveni one)")
        parser.add_argument("--url", default="", help="where to send (this installation's webhook address)")
        parser.add_argument("--order", default="", help="id of an order in the shop")
        parser.add_argument("--return", dest="return_id", default="", help="id of the return")
        parser.add_argument("--curl", action="store_true", help="print the curl command instead of sending")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send it and say what the answer was."""
        connection = self._connection(options["connection"])
        body = self._body(options)
        headers = {"Content-Type": "application/json", **self._signed(connection, body)}
        url = options["url"] or f"{settings.PUBLIC_URL}/webhooks/{connection.name}/"
        if options["curl"]:
            self.stdout.write(as_curl(url, headers, body))
            return
        try:
            answer = requests.post(url, data=body, headers=headers, timeout=TIMEOUT_S)
        except requests.RequestException:
            raise CommandError(f"{url} does not answer. Start it with: make run (or name another with --url)") from None
        self.stdout.write(f"{answer.status_code} {answer.text[:500]}")
        if not answer.ok:
            raise CommandError(f"{url} refused the event.")

    def _connection(self, name: str) -> Connection:
        """The one named, else the only one that speaks the contract."""
        rows = Connection.objects.filter(vendor="reveni").order_by("name")
        fits = [row for row in rows if row.name == name or (not name and row.settings.get("dialect") != "a2")]
        if not fits:
            known = ", ".join(row.name for row in rows) or "none yet; run apply_config"
            raise CommandError(f"There is no such Reveni connection. Known: {known}.")
        if len(fits) > 1:
            raise CommandError(f"Name one with --connection: {', '.join(row.name for row in fits)}.")
        if fits[0].settings.get("dialect") == "a2":
            raise CommandError(f"{fits[0].name} speaks Reveni's own dialect; the samples are of the generic contract.")
        return fits[0]

    def _body(self, options: dict[str, Any]) -> bytes:
        try:
            event = sample_event(
                options["type"],
                event_id=f"evt_sample_{uuid.uuid4().hex[:12]}",
                return_id=options["return_id"],
                order_id=options["order"],
                at=timezone.now(),
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        return json.dumps(event).encode()

    def _signed(self, connection: Connection, body: bytes) -> dict[str, str]:
        verifier = connection.verifier or connector_for(connection.vendor).default_verifier
        name = secret_name(verifier)
        secrets = read_secrets(connection, at=timezone.now()).get(name, ())
        if not secrets:
            raise CommandError(f"Connection {connection.name} has no secret {name}; set one with apply_config.")
        message_id = json.loads(body)["id"]
        return sign(verifier=verifier, secret=secrets[0], body=body, at=timezone.now(), message_id=message_id)


def as_curl(url: str, headers: dict[str, str], body: bytes) -> str:
    """The same request as one shell command; its signature is good for five minutes."""
    parts = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    return " ".join(["curl -i", *parts, "--data-binary", shlex.quote(body.decode()), shlex.quote(url)])
