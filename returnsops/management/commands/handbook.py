"""``handbook``: the guide of a role, generated from the registered cases and the routes of this installation."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from returnsops import handbook


class Command(BaseCommand):
    """Prints by default; --write puts it into docs/operating."""

    help = "Guides of the roles: what each case means, how to fix it, and why refunds fire on this installation."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose guide, and where to."""
        parser.add_argument("--team", choices=sorted(handbook.FILES), help="one team only")
        parser.add_argument("--write", action="store_true", help="write the generated part of docs/operating")
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR / "docs" / "operating", help="where to")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or write."""
        for team in [options["team"]] if options["team"] else handbook.FILES:
            if options["write"]:
                self._write(team, options["folder"])
            else:
                self.stdout.write(handbook.render_guide(team))

    def _write(self, team: str, folder: Path) -> None:
        try:
            path = handbook.write_guide(team=team, folder=folder)
        except ValueError as error:
            raise CommandError(f"{folder / handbook.FILES[team]}: {error}") from None
        self.stdout.write(f"{path} is up to date.")
