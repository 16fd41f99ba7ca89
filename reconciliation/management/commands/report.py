"""``manage.py report month-end --period 2026-10 [--connection C] [--json | --csv DIR]``: reports for people.

Exit code 0: written; 1: the month still has something that keeps it from being closed; 2: wrong usage.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.registry import utc_now
from reconciliation import book_cases, books_of_shop, month_end
from reconciliation.models import Period
from reconciliation.month_end import Pack

USAGE: Final = 2
MONTH_END: Final = "month-end"
NAMES: Final = (MONTH_END,)


class Command(BaseCommand):
    """One report by its name."""

    help = "Write a report: month-end gives every refund of a month with its references, and sums that fit."

    def add_arguments(self, parser: CommandParser) -> None:
        """The name, --period, --connection, --json, --csv."""
        parser.add_argument("name", choices=NAMES)
        parser.add_argument("--period", required=True, metavar="MONTH", help="the month by its name: 2026-10")
        parser.add_argument("--connection", metavar="NAME", help="only the books of this shop")
        parser.add_argument("--json", action="store_true", dest="is_json", help="print everything as JSON")
        parser.add_argument("--csv", metavar="DIR", help="write refunds.csv, totals.csv and statement_lines.csv here")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring the books up to date, read them, write, exit."""
        target = _directory(options["csv"])
        at = utc_now()
        try:
            for connection in books_of_shop.shops():
                book_cases.refresh(connection=connection, at=at)
            packs = [month_end.pack_of(period=period, at=at) for period in _periods(options)]
        except books_of_shop.BooksError as error:
            raise CommandError(str(error), returncode=USAGE) from None
        if target is not None:
            for name, text in month_end.files_of(packs).items():
                (target / name).write_text(text, encoding="utf-8", newline="")
        self.stdout.write(month_end.as_json(packs) if options["is_json"] else _as_text(packs))
        if any(pack.blockers for pack in packs):
            raise SystemExit(1)


def _directory(path: str | None) -> Path | None:
    if path is None:
        return None
    target = Path(path)
    if not target.is_dir():
        raise CommandError(f"{path} is no directory; make it first.", returncode=USAGE)
    return target


def _periods(options: dict[str, Any]) -> list[Period]:
    rows = Period.objects.filter(name=options["period"]).select_related("connection", "proposed_by", "closed_by")
    if options["connection"]:
        rows = rows.filter(connection__name=options["connection"])
    found = list(rows.order_by("connection__name"))
    if not found:
        known = ", ".join(str(row) for row in Period.objects.select_related("connection")[:12]) or "none yet"
        raise CommandError(f"Nothing is posted in {options['period']}. Known: {known}.", returncode=USAGE)
    return found


def _as_text(packs: Sequence[Pack]) -> str:
    lines: list[str] = []
    for pack in packs:
        seal = ", as it was closed" if pack.is_sealed else ""
        lines.append(f"{pack.period}: {pack.period.state}{seal}, {len(pack.rows)} postings")
        for row in pack.totals:
            parts = [f"{name.replace('_', ' ')} {row[name]}" for name in month_end.TOTAL_COLUMNS[4:]]
            lines.append(f"  {row['currency']}: {', '.join(parts)}")
        lines += [f"  keeps it open: {text}" for text in pack.blockers]
    return "\n".join(lines)
