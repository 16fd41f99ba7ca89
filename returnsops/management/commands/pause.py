"""``pause``: stop sending for everything, a connection, a route or an effect kind. Reading goes on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from returnsops.services import switches


class Command(BaseCommand):
    """The stop button of the command line."""

    help = "Stop sending: pause all | connection:NAME | route:NAME | kind:KIND. Reading goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Scope, reason, by."""
        parser.add_argument("scope", help="all, connection:NAME, route:NAME or kind:KIND")
        parser.add_argument("--reason", required=True, help="why; it is shown to everybody")
        parser.add_argument("--by", default="command line", help="who")

    def handle(self, *args: Any, **options: Any) -> None:
        """Press it."""
        scope: str = options["scope"]
        was_stopped = switches.is_stopped(scope=scope)
        try:
            switches.stop(scope=scope, reason=options["reason"], by=options["by"], at=timezone.now())
        except switches.StopError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{scope}: {'was stopped already' if was_stopped else 'stopped'}.")
