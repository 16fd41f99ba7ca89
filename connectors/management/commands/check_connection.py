"""``manage.py check_connection NAME``: credentials, rights, webhooks, clock; says what to fix."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors import ports
from connectors.polled_only import is_polled_only
from connectors.registry import connector_for, link_for
from connectors.webhook_health import remember
from returnsops.models import Connection


class Command(BaseCommand):
    """Look, change nothing; with --repair-webhooks register what is missing and re-arm what is disabled."""

    help = "Check one connection against the real system."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME."""
        parser.add_argument("name")
        parser.add_argument(
            "--repair-webhooks", metavar="PUBLIC_URL", help="the address of this installation, like https://ops.example"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line per thing looked at; exit 1 if one is not well."""
        connection = Connection.objects.filter(name=options["name"]).first()
        if connection is None:
            known = ", ".join(Connection.objects.values_list("name", flat=True)) or "none yet; run apply_config"
            raise CommandError(f"There is no connection {options['name']!r}. Known: {known}.")
        if options["repair_webhooks"]:
            self._repair(connection, options["repair_webhooks"])
        self._check(connection)

    def _repair(self, connection: Connection, public_url: str) -> None:
        ensure = connector_for(connection.vendor).ensure_webhooks
        if ensure is None:
            raise CommandError(f"{connection.vendor} has no webhooks to register from here; set them up there.")
        if is_polled_only(connection.settings):
            raise CommandError(f"{connection.name} says webhooks = false; take that out of its settings first.")
        url = f"{public_url.rstrip('/')}/webhooks/{connection.name}/"
        try:
            hooks = ensure(link_for(connection), url)
        except ports.VendorError as error:
            raise CommandError(f"The webhooks could not be registered: {error.text}") from None
        remember(connection, url=url)
        for hook in hooks:
            self.stdout.write(f"webhook {hook.topic}: {'active' if hook.is_active else 'not active'}")

    def _check(self, connection: Connection) -> None:
        try:
            lines = connector_for(connection.vendor).check(link_for(connection))
        except ports.VendorError as error:
            raise CommandError(f"{connection.name} cannot be checked: {error.text}") from None
        for line in lines:
            self.stdout.write(f"{'ok  ' if line.is_ok else 'FAIL'} {line.name}: {line.text}")
            if not line.is_ok and line.fix:
                self.stdout.write(f"     {line.fix}")
        if not all(line.is_ok for line in lines):
            raise CommandError(f"{connection.name} is not ready; see the lines marked FAIL.")
