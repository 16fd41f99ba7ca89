"""``manage.py apply_config FILE.toml``: connections, routes and mappings from a file; the same file twice is one."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connectors.configuration import ConfigurationError, read
from connectors.configuration_apply import apply
from returnsops.services.routes import RouteError


class Command(BaseCommand):
    """Check the whole file first, then apply it in one transaction."""

    help = "Apply a configuration file (TOML). Nothing is changed if anything in it is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        """FILE."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", default="apply_config", help="who applies it, for the history")
        parser.add_argument("--check", action="store_true", help="only check the file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what changed."""
        try:
            document = read(options["file"].read_text(encoding="utf-8"))
            if options["check"]:
                self.stdout.write("The file can be applied.")
                return
            changes = apply(document, by=options["by"], at=timezone.now())
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from None
        except ConfigurationError as error:
            raise CommandError(f"Nothing was changed:\n{error}") from None
        except RouteError as error:
            raise CommandError(f"Nothing was changed: {error}") from None
        self.stdout.write("\n".join(f"saved: {change}" for change in changes) or "Nothing to change.")
