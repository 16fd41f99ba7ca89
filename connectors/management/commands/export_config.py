"""``manage.py export_config``: the present configuration as TOML on standard output."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from connectors.configuration_export import export


class Command(BaseCommand):
    """Secrets appear as env:NAME; stored ones are left out, and stay when the file is applied again."""

    help = "Print the configuration as a file that apply_config reads."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        self.stdout.write(export(at=timezone.now()), ending="")
