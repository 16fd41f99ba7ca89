"""``resume``: let a scope send again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from returnsops.services import switches


class Command(BaseCommand):
    """The way back from ``pause``, from wrong credentials and from a refund limit."""

    help = "Send again: resume all | connection:NAME | route:NAME | kind:KIND."

    def add_arguments(self, parser: CommandParser) -> None:
        """Scope, reason, by."""
        parser.add_argument("scope", help="all, connection:NAME, route:NAME or kind:KIND")
        parser.add_argument("--reason", default="Resumed from the command line.", help="why, for the history")
        parser.add_argument("--by", default="command line", help="who")

    def handle(self, *args: Any, **options: Any) -> None:
        """Release it."""
        try:
            was_stopped = switches.resume_scope(
                scope=options["scope"], reason=options["reason"], by=options["by"], at=timezone.now()
            )
        except switches.StopError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{options['scope']}: {'sends again' if was_stopped else 'was not stopped'}.")
