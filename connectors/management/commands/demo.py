"""``manage.py demo``: a running back office with simulated shops and a played day of returns; ``--once``: its proof."""

import json
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.management.demo import home


class Command(BaseCommand):
    """Runs in an environment, folder and database of its own; refuses to start where DEBUG is off."""

    help = "Run the demo: simulated shops and platforms, users of every role, a played day of returns."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """--once, --port, --fresh."""
        parser.add_argument("--once", action="store_true", help="play the day, verify, print JSON, exit 0 or 1")
        parser.add_argument("--port", type=int, default=8000, help="port of the web server (8000)")
        parser.add_argument("--fresh", action="store_true", help="new keys and passwords too; data are always new")

    def handle(self, *args: Any, **options: Any) -> None:
        """Enter the demo's environment, then play."""
        if not settings.DEBUG:
            raise CommandError(
                "The demo prints passwords, so it only runs with DEBUG on and on this machine. Use: make demo"
            )
        try:
            if not home.is_inside():
                self._enter(options)
            elif options["once"]:
                self._once(options["port"])
            else:
                self._live(options["port"])
        except home.PortTakenError as error:
            raise CommandError(str(error)) from None

    def _enter(self, options: dict[str, Any]) -> None:
        """Become the same command in the demo's own environment: no .env, no real database, no real credentials."""
        if options["fresh"]:
            home.forget()
        is_once = options["once"]
        port = home.free_port() if is_once else home.require_port(options["port"])
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", "--port", str(port)]
        sys.stdout.flush()
        os.execve(  # noqa: S606 - this very command again
            sys.executable,
            [*command, "--once"] if is_once else command,
            home.environment(port=port, is_once=is_once),
        )

    def _once(self, port: int) -> None:
        from connectors.management.demo.once import play_once

        verdict = play_once(port=port, say=self._say)
        self.stdout.write(json.dumps(verdict.summary, indent=2))
        if verdict.problems:
            raise SystemExit(1)

    def _live(self, port: int) -> None:
        from connectors.management.demo.live import run_live
        from connectors.management.demo.processes import ProcessEndedError

        try:
            run_live(port=port, say=self._say)
        except ProcessEndedError as error:
            raise CommandError(str(error)) from None

    def _say(self, text: str) -> None:
        self.stderr.write(text, ending="\n")
