"""``replay``: rebuild one return from its recorded inbox and compare. Changes nothing, sends nothing."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connectors.replay import Replayed, ReplayError, find, replay


class Command(BaseCommand):
    """Exit code 1 where the records do not lead to what is stored."""

    help = "Rebuild one return from what was recorded and compare; exits 1 on a difference. Nothing is sent."

    def add_arguments(self, parser: CommandParser) -> None:
        """The return, and the form of the answer."""
        parser.add_argument("rma", help="its number, the platform's id, or connection/id")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay and say what differs."""
        try:
            outcome = replay(rma=find(options["rma"]), at=timezone.now())
        except ReplayError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(asdict(outcome), indent=2, default=str))
        else:
            self._tell(outcome)
        if outcome.differences:
            raise SystemExit(1)

    def _tell(self, outcome: Replayed) -> None:
        self.stdout.write(f"Return {outcome.ref}: {outcome.events} events replayed, {outcome.sent} effects had left.")
        for difference in outcome.differences:
            self.stdout.write(f"{difference.what}\n  stored:   {difference.stored}\n  replayed: {difference.replayed}")
        if not outcome.differences:
            self.stdout.write("Rows and planned effects are the same.")
