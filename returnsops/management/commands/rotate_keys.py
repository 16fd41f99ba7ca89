"""``rotate_keys``: encrypt stored secrets anew under the first of FIELD_ENCRYPTION_KEYS."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from returnsops.services.secrets import rotate_keys


class Command(BaseCommand):
    """After it, keys behind the first may be removed."""

    help = "Encrypt all stored secrets under the first key of FIELD_ENCRYPTION_KEYS; then older keys may go."

    def add_arguments(self, parser: CommandParser) -> None:
        """By."""
        parser.add_argument("--by", default="command line", help="who, for the history")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, all or nothing."""
        try:
            count = rotate_keys(by=options["by"], at=timezone.now())
        except InvalidToken:
            raise CommandError(
                "A stored secret was encrypted with a key that is not in FIELD_ENCRYPTION_KEYS. Nothing was changed: "
                "add that key behind the others, or store the secret again with apply_config."
            ) from None
        self.stdout.write(f"{count} secrets are encrypted under the first key; keys behind it are no longer needed.")
