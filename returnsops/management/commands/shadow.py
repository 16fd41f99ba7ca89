"""``shadow [--route R] [--json]``: how routes in shadow agree with what people did. Reads only."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from returnsops.models import Route, ShadowComparison
from returnsops.planning.amounts import text
from returnsops.selectors import shadow

USAGE = 2


class Command(BaseCommand):
    """Figures per route, and the returns that differ."""

    help = "Compare what we would have sent with what people did, per route and return. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """--route, --json."""
        parser.add_argument("--route", help="only this route")
        parser.add_argument("--json", action="store_true", dest="is_json", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        found = [(route, shadow.figures(route), _differing(route)) for route in _routes(options["route"])]
        if options["is_json"]:
            documents = [_document(*one) for one in found]
            self.stdout.write(json.dumps({"routes": documents}, indent=2, ensure_ascii=False))
            return
        for route, figures, rows in found:
            self.stdout.write(_text(route, figures, rows))


def _routes(name: str | None) -> list[Route]:
    """The named route, or all."""
    if not name:
        return list(Route.objects.all())
    route = Route.objects.filter(name=name).first()
    if route is None:
        known = ", ".join(Route.objects.values_list("name", flat=True)) or "none yet; run apply_config"
        raise CommandError(f"There is no route {name!r}. Known: {known}.", returncode=USAGE)
    return [route]


def _differing(route: Route) -> list[ShadowComparison]:
    rows = ShadowComparison.objects.filter(route=route).select_related("rma")
    return list(shadow.rows_in("differ", rows))


def _document(route: Route, figures: shadow.Figures, rows: list[ShadowComparison]) -> dict[str, Any]:
    return {
        "route": route.name,
        "mode": route.mode,
        "returns": figures.returns,
        "money": _agreement(figures.money),
        "stock": _agreement(figures.stock),
        "sums": {
            one.currency: {
                "ours": text(one.ours, currency=one.currency),
                "people": text(one.theirs, currency=one.currency),
                "difference": text(one.difference, currency=one.currency),
            }
            for one in figures.sums
        },
        "differ": [_row(row) for row in rows],
    }


def _agreement(of: shadow.Agreement) -> dict[str, Any]:
    rate = None if of.rate_percent is None else str(of.rate_percent)
    return {
        "agreement_percent": rate,
        "equal": of.equal,
        "we_more": of.we_more,
        "people_more": of.people_more,
        "not_yet": of.not_yet,
    }


def _row(row: ShadowComparison) -> dict[str, Any]:
    return {
        "return": row.rma.external_id,
        "money": row.money,
        "stock": row.stock,
        "currency": row.currency,
        "ours": text(row.our_amount, currency=row.currency),
        "ours_waiting": text(row.our_amount_waiting, currency=row.currency),
        "people": text(row.their_amount, currency=row.currency),
        "our_units": row.our_units,
        "people_units": row.their_units,
        "waits": row.waits,
    }


def _text(route: Route, figures: shadow.Figures, rows: list[ShadowComparison]) -> str:
    lines = [
        f"{route.name} ({route.mode}): {figures.returns} returns",
        f"  money agrees: {figures.money.in_words}; not refunded by people yet: {figures.money.not_yet}",
        *(f"  money in {one.currency}: {one.in_words}" for one in figures.sums),
        f"  stock agrees: {figures.stock.in_words}; not put back by people yet: {figures.stock.not_yet}",
        *(f"  differs: {_line(row)}" for row in rows),
    ]
    return "\n".join(lines)


def _line(row: ShadowComparison) -> str:
    units = "" if row.their_units is None else f"; units: we {row.our_units}, people {row.their_units}"
    ours, theirs = (text(value, currency=row.currency) for value in (row.our_amount, row.their_amount))
    return f"{row.rma.label}: we {ours}, people {theirs} {row.currency}{units}"
