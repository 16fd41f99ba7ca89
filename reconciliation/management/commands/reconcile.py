"""``manage.py reconcile [--route R] [--since T] [--check C] [--json]``: compare with the shops now.

Exit code 0: everything was read and nothing differs; 1: something differs, or could not be read; 2: wrong usage.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.registry import utc_now
from reconciliation import services, windows
from reconciliation.checks import CHECKS
from reconciliation.models import Finding, Run
from reconciliation.since import moment_of
from reconciliation.wording import plain_amount
from returnsops.models import Route

USAGE: Final = 2


class Command(BaseCommand):
    """Differences become findings and cases; those that are gone heal."""

    help = "Compare returns, refunds, stock and notes with the shops. Changes nothing there."

    def add_arguments(self, parser: CommandParser) -> None:
        """--route, --since, --check, --json."""
        parser.add_argument("--route", help="only this route")
        parser.add_argument("--since", metavar="T", help="orders touched since then: 2026-11-01, 30d, 12h (30d)")
        parser.add_argument("--check", help=f"only this check: {', '.join(services.ALL_CODES)}")
        parser.add_argument("--json", action="store_true", dest="is_json", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, print, exit."""
        at = utc_now()
        since = _since(options["since"], at=at)
        checks = _checks(options["check"])
        routes = _routes(options["route"])
        runs = [run for route in routes for run in _run(route, checks, since=since, at=at)]
        left = services.open_findings(routes=routes, checks=checks)
        self.stdout.write(_as_json(runs, left) if options["is_json"] else _as_text(runs, left))
        if left or any(run.state == "failed" for run in runs):
            raise SystemExit(1)


def _run(route: Route, checks: Sequence[str], *, since: datetime, at: datetime) -> tuple[Run, ...]:
    try:
        return services.reconcile(
            route=route, checks=checks, since=since, until=at, trigger="command", at=at, by="manage.py reconcile"
        )
    except services.ReconciliationError as error:
        raise CommandError(str(error), returncode=USAGE) from None


def _since(text: str | None, *, at: datetime) -> datetime:
    if not text:
        return at - windows.ROLLING
    try:
        return moment_of(text, at=at)
    except ValueError as error:
        raise CommandError(str(error), returncode=USAGE) from None


def _checks(code: str | None) -> tuple[str, ...]:
    if not code:
        return services.ALL_CODES
    if code not in services.ALL_CODES:
        text = f"There is no check {code!r}. Known: {', '.join(services.ALL_CODES)}."
        raise CommandError(text, returncode=USAGE)
    return (code,)


def _routes(name: str | None) -> list[Route]:
    """The named route, or all that are switched on."""
    if not name:
        return list(services.compared_routes())
    route = Route.objects.filter(name=name).select_related("commerce").first()
    if route is None:
        known = ", ".join(Route.objects.values_list("name", flat=True)) or "none yet; run apply_config"
        raise CommandError(f"There is no route {name!r}. Known: {known}.", returncode=USAGE)
    return [route]


def _as_json(runs: Sequence[Run], left: Sequence[Finding]) -> str:
    document = {"runs": [_run_document(run) for run in runs], "open_findings": [_finding_document(row) for row in left]}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _run_document(run: Run) -> dict[str, Any]:
    return {
        "run": run.pk,
        "route": run.route.name,
        "check": run.check_code,
        "state": run.state,
        "error": run.error_text,
        "since": run.since_at.isoformat(),
        "until": run.until_at.isoformat(),
        "orders": run.order_count,
        "matched": run.matched_count,
        "mismatched": run.mismatched_count,
        "only_here": run.only_here_count,
        "only_in_the_shop": run.only_there_count,
        "totals": run.totals,
        "not_comparable": run.not_comparable,
    }


def _finding_document(row: Finding) -> dict[str, Any]:
    return {
        "finding": row.pk,
        "route": row.route.name,
        "check": row.check_code,
        "cause": row.cause,
        "side": row.side,
        "order": row.order.external_id,
        "return": row.rma.external_id if row.rma else None,
        "refund": row.refund_external_id or None,
        "amount": plain_amount(row.amount, row.currency) if row.amount is not None else None,
        "currency": row.currency or None,
        "quantity": row.quantity,
        "here": row.here,
        "in_the_shop": row.there,
        "text": row.text,
        "suggestion": row.suggestion,
        "case": row.case_id,
        "case_kind": row.case.kind_code if row.case else None,
        "first_seen_at": row.first_seen_at.isoformat(),
    }


def _as_text(runs: Sequence[Run], left: Sequence[Finding]) -> str:
    titles = {check.code: check.title for check in CHECKS}
    lines: list[str] = []
    for run in runs:
        lines.append(f"{run.route.name}: {titles[run.check_code]}: {run.state}, {run.order_count} orders")
        lines.append(
            f"  matched {run.matched_count}, mismatched {run.mismatched_count}, only here {run.only_here_count}, "
            f"only in the shop {run.only_there_count}"
        )
        lines += [f"  {name}: {sums['here']} here, {sums['there']} in the shop" for name, sums in run.totals.items()]
        lines += [f"  not comparable: {count} x {why}" for why, count in sorted(run.not_comparable.items())]
        lines += [f"  {run.error_text}"] if run.error_text else []
    lines += [f"open: {row.text} {row.suggestion}" for row in left] or ["Nothing differs."]
    return "\n".join(lines if runs else ["No route is switched on; nothing was compared."])
