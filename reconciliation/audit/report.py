"""An audit as people and programs read it: totals per kind and currency, then every gap."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TextIO

from reconciliation.audit import gaps
from reconciliation.models import AuditGap, Run
from reconciliation.wording import amount, plain_amount, units
from returnsops import money

MOST_NAMED: Final = 20  # of what could not be compared, in the text
COLUMNS: Final = (
    "kind",
    "cause",
    "order",
    "order_number",
    "return",
    "return_number",
    "refund",
    "amount",
    "currency",
    "amount_minor",
    "units",
    "happened_at",
    "author",
    "text",
    "likely_cause",
    "order_url",
    "return_url",
)


def totals_of(rows: Iterable[AuditGap]) -> dict[str, dict[str, Any]]:
    """Per kind: how many, amounts per currency (major and minor units), units of goods. Every kind is there."""
    found: dict[str, dict[str, Any]] = {kind: {"count": 0, "units": 0, "sums": {}} for kind in gaps.KINDS}
    for row in rows:
        total = found[row.kind]
        total["count"] += 1
        total["units"] += row.quantity or 0
        if row.amount is not None:
            total["sums"][row.currency] = total["sums"].get(row.currency, Decimal(0)) + row.amount
    return {kind: _shown_total(total) for kind, total in found.items()}


def _shown_total(total: Mapping[str, Any]) -> dict[str, Any]:
    sums = sorted(total["sums"].items())
    return {
        "count": total["count"],
        "amounts": {currency: plain_amount(value, currency) for currency, value in sums},
        "amounts_minor": {currency: minor_units(value, currency) for currency, value in sums},
        "units": total["units"],
    }


def minor_units(value: Decimal, currency: str) -> int | None:
    """Minor units of an amount; None for a currency or digits that have none."""
    try:
        return money.to_minor(value, currency=currency)
    except money.MoneyError:
        return None


def document_of(run: Run) -> dict[str, Any]:
    """The whole audit as JSON data."""
    rows = list(run.gaps.all())
    return {
        "run": run.pk,
        "route": run.route.name,
        "state": run.state,
        "error": run.error_text,
        "since": run.since_at.isoformat(),
        "until": run.until_at.isoformat(),
        "orders": run.order_count,
        "orders_without_gap": run.matched_count,
        "decided_and_refunded": {
            currency: {"decided": sums["here"], "refunded": sums["there"]} for currency, sums in run.totals.items()
        },
        "totals": totals_of(rows),
        "gaps": [gap_document(row) for row in rows if row.kind != gaps.OPEN_RETURN],
        "open_returns": [gap_document(row) for row in rows if row.kind == gaps.OPEN_RETURN],
        "set_apart": set_apart(run),
        "not_compared": not_compared(run),
    }


def gap_document(row: AuditGap) -> dict[str, Any]:
    """One gap as data; every key is there, None where it says nothing."""
    return {
        "kind": row.kind,
        "cause": row.cause,
        "order": row.order_external_id or None,
        "order_number": row.order_number or None,
        "return": row.return_external_id or None,
        "return_number": row.return_number or None,
        "refund": row.refund_external_id or None,
        "amount": plain_amount(row.amount, row.currency) if row.amount is not None else None,
        "currency": row.currency or None,
        "amount_minor": minor_units(row.amount, row.currency) if row.amount is not None else None,
        "units": row.quantity,
        "happened_at": row.happened_at.isoformat(),
        "author": row.author or None,
        "text": row.text,
        "likely_cause": gaps.CAUSES[row.cause].likely,
        "order_url": row.order_url or None,
        "return_url": row.return_url or None,
        "evidence": row.evidence,
    }


def set_apart(run: Run) -> list[dict[str, str]]:
    """Shop refunds that say themselves that they are no refund of goods."""
    rows = run.progress.get("apart", {})
    return [
        {"refund": refund_id, "order": order_id, "amount": value, "currency": currency, "why": why}
        for refund_id, (order_id, value, currency, why) in rows.items()
    ]


def not_compared(run: Run) -> list[dict[str, str]]:
    """What could not be compared, and why."""
    return [{"what": what, "why": why} for what, why in run.progress.get("uncompared", {}).items()]


def as_json(runs: Sequence[Run]) -> str:
    """All audits of one call."""
    return json.dumps({"audits": [document_of(run) for run in runs]}, indent=2, ensure_ascii=False)


def write_csv(runs: Sequence[Run], file: TextIO) -> None:
    """One row per gap and open return, for a spreadsheet; text that a spreadsheet would run is quoted with '."""
    writer = csv.writer(file)
    writer.writerow(("route", *COLUMNS))
    for run in runs:
        for row in run.gaps.all():
            document = gap_document(row)
            writer.writerow([run.route.name, *(_cell(document[name]) for name in COLUMNS)])


def _cell(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value


# --- for people -----------------------------------------------------------------------------------------------------


def as_text(runs: Sequence[Run]) -> str:
    """A table of totals and a line per gap, per audit."""
    return "\n".join(line for run in runs for line in _lines(run))


def _lines(run: Run) -> Iterable[str]:
    rows = list(run.gaps.all())
    yield f"Audit of {run.route} since {run.since_at:%d %b %Y}: {run.state}, {run.order_count} orders compared"
    if run.error_text:
        yield f"  {run.error_text}"
    for currency, sums in run.totals.items():
        yield f"  {currency}: {sums['here']} decided by the platform, {sums['there']} refunded in the shop"
    for kind, total in totals_of(rows).items():
        yield f"  {gaps.KINDS[kind]}: {_total_words(total)}"
    for kind, title in gaps.KINDS.items():
        found = [row for row in rows if row.kind == kind]
        if found:
            yield from ("", title)
            yield from (line for row in found for line in _gap_lines(row))
    yield from _apart_lines(run)
    yield from _uncompared_lines(run)
    yield "Nothing was sent, and no return or order was stored."


def _total_words(total: Mapping[str, Any]) -> str:
    if not total["count"]:
        return "none"
    sums = [f"{value} {currency}" for currency, value in total["amounts"].items()]
    goods = [units(total["units"])] if total["units"] else []
    return ", ".join([str(total["count"]), *sums, *goods])


def _gap_lines(row: AuditGap) -> Iterable[str]:
    order = f"order {row.order_number or row.order_external_id or 'not known'}"
    yield f"- {row.happened_at:%Y-%m-%d}, {order}: {gaps.CAUSES[row.cause].title}. {row.text}"
    yield f"  {gaps.CAUSES[row.cause].likely}"
    yield from (f"  {link}" for link in (row.order_url, row.return_url) if link)


def _apart_lines(run: Run) -> Iterable[str]:
    rows = set_apart(run)
    if rows:
        sums: dict[str, Decimal] = {}
        for row in rows:
            sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + Decimal(row["amount"])
        told = ", ".join(amount(value, currency) for currency, value in sorted(sums.items()))
        yield f"Set apart as shipping or goodwill by their own words: {len(rows)} shop refunds, {told}."


def _uncompared_lines(run: Run) -> Iterable[str]:
    rows = not_compared(run)
    if rows:
        yield "Not compared:"
        yield from (f"- {row['what']}: {row['why']}" for row in rows[:MOST_NAMED])
    if len(rows) > MOST_NAMED:
        yield f"- and {len(rows) - MOST_NAMED} more; --json lists all"
