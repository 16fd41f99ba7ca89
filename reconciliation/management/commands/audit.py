"""``manage.py audit --since 180d``: what went wrong in the connected systems before us; nothing is sent (S1-37).

Exit code 0: everything was compared and nothing is wrong; 1: gaps were found; 2: wrong usage, or stopped before the
end (what was compared so far is printed and kept).
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.registry import utc_now
from reconciliation.audit import gaps, report, running
from reconciliation.models import Run
from reconciliation.since import moment_of
from returnsops.models import Route

BY: Final = "manage.py audit"
USAGE: Final = 2


class Command(BaseCommand):
    """Reads both systems over their own interfaces, compares, and keeps the result as a run for finance."""

    help = "Find past doubles, goods not restocked and refunds without record. Only reads; sends and stores nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """--since or --resume, --route, --json, --csv, --apart."""
        parser.add_argument("--since", metavar="T", help="how far back: 180d, 2026-05-01")
        parser.add_argument("--resume", action="store_true", help="go on with the last audit where it stopped")
        parser.add_argument("--route", help="only the shop of this route")
        parser.add_argument("--json", action="store_true", dest="is_json", help="print JSON")
        parser.add_argument("--csv", metavar="FILE", help="also write one row per gap into this file")
        parser.add_argument(
            "--apart",
            metavar="WORD",
            action="append",
            help="a refund without units whose reason holds this word is no refund of goods; may be given again"
            f" ({', '.join(running.APART_WORDS)})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Audit each shop, print, exit."""
        at = utc_now()
        if bool(options["since"]) is options["resume"]:
            raise CommandError("Say either --since 180d (or a date), or --resume.", returncode=USAGE)
        since = _since(options["since"], at=at) if options["since"] else None
        words = tuple(options["apart"] or running.APART_WORDS)
        target = _csv_target(options["csv"])
        audits = [self._begun(route, since=since, at=at, words=words) for route in _routes(options["route"])]
        runs = [running.perform(audit, now=utc_now) for audit in audits]
        if target is not None:
            with target.open("w", newline="", encoding="utf-8") as file:
                report.write_csv(runs, file)
        self.stdout.write(report.as_json(runs) if options["is_json"] else report.as_text(runs))
        _exit(runs)

    def _begun(self, route: Route, *, since: datetime | None, at: datetime, words: tuple[str, ...]) -> running.Audit:
        try:
            if since is None:
                return running.resume(route=route, at=at, apart_words=words, tell=self.stderr.write)
            return running.begin(route=route, since=since, at=at, by=BY, apart_words=words, tell=self.stderr.write)
        except running.AuditError as error:
            raise CommandError(str(error), returncode=USAGE) from None


def _exit(runs: Sequence[Run]) -> None:
    if any(run.state != "finished" for run in runs):
        raise SystemExit(USAGE)
    if any(run.gaps.filter(kind__in=gaps.GAP_KINDS).exists() for run in runs):
        raise SystemExit(1)


def _since(text: str, *, at: datetime) -> datetime:
    try:
        since = moment_of(text, at=at)
    except (ValueError, OverflowError) as error:
        raise CommandError(str(error), returncode=USAGE) from None
    if since >= at:
        raise CommandError(f"--since {text} is not in the past.", returncode=USAGE)
    return since


def _csv_target(path: str | None) -> Path | None:
    """Checked before hours of reading, not after."""
    if path is None:
        return None
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        raise CommandError(
            f"{path} cannot be written: it is a directory, or its directory does not exist.", returncode=USAGE
        )
    return target


def _routes(name: str | None) -> list[Route]:
    """The named route, or one route per shop, whatever its mode: an audit comes before going live."""
    rows = Route.objects.filter(commerce__isnull=False).select_related("commerce", "platform").order_by("pk")
    if name is not None:
        route = Route.objects.filter(name=name).select_related("commerce", "platform").first()
        if route is None:
            known = ", ".join(Route.objects.values_list("name", flat=True)) or "none yet; run apply_config"
            raise CommandError(f"There is no route {name!r}. Known: {known}.", returncode=USAGE)
        return [route]
    first_of_shop: dict[int | None, Route] = {}
    for route in rows:
        first_of_shop.setdefault(route.commerce_id, route)
    if not first_of_shop:
        raise CommandError("There is no route with a shop yet; run apply_config.", returncode=USAGE)
    return list(first_of_shop.values())
