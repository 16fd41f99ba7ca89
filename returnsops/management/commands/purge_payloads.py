"""``purge_payloads``: take customer data out of old stored messages and of returns that are long over."""

import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from returnsops.services.purging import purge_payloads


class Command(BaseCommand):
    """Safe to repeat; run it daily."""

    help = "Remove names, addresses, e-mails and free texts from old messages and closed returns; ids and money stay."

    def add_arguments(self, parser: CommandParser) -> None:
        """Age, dry run, by."""
        parser.add_argument(
            "--older-than", required=True, metavar="AGE", help="age of messages, since when returns are over, as 180d"
        )
        parser.add_argument("--dry-run", action="store_true", help="count only")
        parser.add_argument("--by", default="command line", help="who, for the history")

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge, and say how much."""
        at = timezone.now()
        before = at - timedelta(days=_days(options["older_than"]))
        done = purge_payloads(before=before, by=options["by"], at=at, is_dry_run=options["dry_run"])
        verb = "hold customer data (dry run: nothing was changed)" if options["dry_run"] else "lost their customer data"
        since = f"{before:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"{done.looked_at} messages before {since}: {done.changed} {verb}.")
        self.stdout.write(f"Returns over before {since}: {done.returns} {verb}.")
        self.stdout.write(f"Cases of these returns closed before {since}: {done.cases} {verb}.")


def _days(age: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,4})d", age)
    if found is None:
        raise CommandError(f"--older-than {age!r}: give whole days, such as 180d.")
    return int(found.group(1))
