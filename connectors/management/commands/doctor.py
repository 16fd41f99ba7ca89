"""``manage.py doctor``: what is wrong with this installation, in plain words; exit 1 where something is."""

from typing import Any

from django.core.management.base import BaseCommand

from connectors.doctor import examine


class Command(BaseCommand):
    """Changes nothing. Calls vendors only to look at their webhooks, and only with --remote."""

    help = "Say what is wrong with this installation and what to do about it."
    requires_system_checks = []

    def add_arguments(self, parser: Any) -> None:
        """--remote."""
        parser.add_argument("--remote", action="store_true", help="also ask every shop whether its webhooks are on")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line per thing looked at."""
        lines = examine(is_remote=options["remote"])
        for line in lines:
            self.stdout.write(f"{'ok  ' if line.is_ok else 'FAIL'} {line.name}: {line.text}")
            if line.fix and not line.is_ok:
                self.stdout.write(f"     {line.fix}")
        if not all(line.is_ok for line in lines):
            raise SystemExit(1)
