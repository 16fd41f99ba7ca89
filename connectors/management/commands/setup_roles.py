"""``manage.py setup_roles``: the five groups with exactly their permissions. Idempotent."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from returnsops.roles import TEAMS, MissingPermissionError, sync_roles


class Command(BaseCommand):
    """Run it after an upgrade; people keep their groups."""

    help = "Create or correct the groups of the roles."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them."""
        try:
            sync_roles()
        except MissingPermissionError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"The roles are set: {', '.join(TEAMS.values())}.")
