"""The month-end pack: every posting of a month with all that finance looks up by hand otherwise, and sums that fit.

One row holds order, return, tender, references, amounts, tax, line of the statement and cases: nothing is left to join.
"""

import csv
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from exceptions_queue.models import ExceptionCase
from reconciliation import books_of_shop, periods
from reconciliation.batches import Totals
from reconciliation.models import Period, Posting, SettlementLine
from reconciliation.statement_rows import FORMULA_STARTS
from returnsops import money
from returnsops.models import Effect
from returnsops.services import audit

COLUMNS: Final = (
    "shop", "month", "posting", "kind", "late_for", "refunded_at", "posted_at", "order", "return", "shop_record",
    "refund_key", "tender", "payment_reference", "payout_reference", "currency", "amount", "tax", "statement",
    "statement_line", "settled_on", "settled_amount", "difference", "settled_elsewhere", "goods_received_at", "author",
    "reason", "cases",
)  # fmt: skip
AMOUNTS: Final = frozenset({"amount", "tax", "settled_amount", "difference"})
LINE_COLUMNS: Final = (
    "shop", "gateway", "statement", "row", "line", "settled_on", "currency", "amount", "payment_reference",
    "refund_reference", "order", "pays", "decided_by", "decided_why",
)  # fmt: skip
TOTAL_COLUMNS: Final = (
    "shop", "month", "currency", "postings", "posted", "with_a_line", "settled", "difference", "on_its_way",
    "elsewhere", "rounding",
)  # fmt: skip

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Pack:
    """One shop's month. ``is_sealed``: closed, and exactly as it was when it was closed."""

    period: Period
    rows: tuple[Row, ...]
    totals: tuple[Row, ...]
    lines: tuple[Row, ...]
    blockers: tuple[str, ...]
    is_sealed: bool


def pack_of(*, period: Period, at: datetime) -> Pack:
    """Read everything of a month. Changes nothing."""
    seen = periods.preview(period=period, at=at)
    postings = list(_postings(period))
    cases = _cases(postings)
    keys = _effects(postings)
    return Pack(
        period=period,
        rows=tuple(_row(posting, cases, keys) for posting in postings),
        totals=tuple(_total(period, currency, total) for currency, total in seen.totals.items()),
        lines=tuple(_line(line) for line in _lines(period)),
        blockers=tuple(blocker.text for blocker in seen.blockers),
        is_sealed=period.closed_at is not None and periods.is_seal_whole(period),
    )


def _postings(period: Period) -> Iterable[Posting]:
    rows = books_of_shop.postings_of(period.connection).filter(batch__period=period)
    return rows.select_related(
        "batch__period__connection", "refund", "credit", "order", "rma__connection", "line__settlement",
        "settled_elsewhere",
    ).prefetch_related("rma__platform_refunds").order_by("happened_at", "pk")  # fmt: skip


def _row(row: Posting, cases: Mapping[str, list[str]], keys: Mapping[int, str]) -> Row:
    zone = ZoneInfo(row.batch.period.connection.time_zone)
    line, refund, rma = getattr(row, "line", None), row.refund, row.rma
    elsewhere = getattr(row, "settled_elsewhere", None)
    return {
        "shop": row.batch.period.connection.name,
        "month": row.batch.period.name,
        "posting": row.key,
        "kind": row.get_kind_display(),
        "late_for": row.late_for,
        "refunded_at": _moment(row.happened_at, zone),
        "posted_at": _moment(row.posted_at, zone),
        "order": (row.order.number or row.order.external_id) if row.order is not None else "",
        "return": (rma.number or rma.external_id) if rma is not None else "",
        "shop_record": refund.external_id if refund is not None else "",
        "refund_key": keys.get(row.pk, ""),
        "tender": row.gateway,
        "payment_reference": row.order.payment_reference if row.order is not None else "",
        "payout_reference": _payouts(row),
        "currency": row.currency,
        "amount": _amount(row.amount_minor, row.currency),
        "tax": _tax(row),
        "statement": str(line.settlement) if line is not None else "",
        "statement_line": line.external_id if line is not None else "",
        "settled_on": line.settled_date.isoformat() if line is not None else "",
        "settled_amount": _amount(line.amount_minor, line.currency) if line is not None else "",
        "difference": _amount(line.amount_minor - row.amount_minor, row.currency) if line is not None else "",
        "settled_elsewhere": f"{elsewhere.by}: {elsewhere.why}" if elsewhere is not None else "",
        "goods_received_at": _moment(rma.received_at, zone) if rma is not None else "",
        "author": refund.author if refund is not None else "",
        "reason": row.why or (refund.reason if refund is not None else ""),
        "cases": " ".join(cases.get(_subject(row), [])),
    }


def _payouts(row: Posting) -> str:
    if row.rma is None or row.refund is None:
        return ""
    references = {payout.provider_reference for payout in row.rma.platform_refunds.all()} - {""}
    return " ".join(sorted(references))


def _tax(row: Posting) -> str:
    """Tax of the refund's lines; '' where the record names no lines, so that it is not known."""
    if row.refund is None or not row.refund.lines:
        return ""
    total = sum((Decimal(tax["amount"]) for line in row.refund.lines for tax in line.get("taxes", [])), Decimal(0))
    sign = -1 if row.amount_minor < 0 else 1
    return f"{sign * total:f}"


def _effects(rows: Sequence[Posting]) -> dict[int, str]:
    """Posting → the key under which we made the refund, and whether that effect exists."""
    known = set(
        Effect.objects.filter(key__in=[row.refund.key for row in rows if row.refund is not None and row.refund.key])
        .values_list("key", flat=True)
    )  # fmt: skip
    return {row.pk: row.refund.key for row in rows if row.refund is not None and row.refund.key in known}


def _subject(row: Posting) -> str:
    return f"return:{row.rma_id}" if row.rma_id is not None else f"order:{row.order_id}"


def _cases(rows: Sequence[Posting]) -> dict[str, list[str]]:
    """Subject → links of its cases, open or not."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.rma_id is not None or row.order_id is not None:
            kind, _, pk = _subject(row).partition(":")
            wanted[kind].add(pk)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for kind, ids in wanted.items():
        for case in ExceptionCase.objects.filter(subject_type=kind, subject_id__in=ids).order_by("pk"):
            found[f"{kind}:{case.subject_id}"].append(f"/admin/exceptions_queue/exceptioncase/{case.pk}/change/")
    return dict(found)


def _total(period: Period, currency: str, total: Totals) -> Row:
    sums = {
        "posted": total.posted_minor,
        "with_a_line": total.lined_minor,
        "settled": total.settled_minor,
        "difference": total.difference_minor,
        "on_its_way": total.coming_minor,
        "elsewhere": total.elsewhere_minor,
        "rounding": total.rounding_minor,
    }
    named = {name: _amount(minor, currency) for name, minor in sums.items()}
    return {
        "shop": period.connection.name,
        "month": period.name,
        "currency": currency,
        "postings": str(total.count),
        **named,
    }


def _lines(period: Period) -> Iterable[SettlementLine]:
    """Lines settled within the month, whichever month their refund is posted in."""
    zone = ZoneInfo(period.connection.time_zone)
    first, end = (moment.astimezone(zone).date() for moment in (period.starts_at, period.ends_at))
    rows = SettlementLine.objects.filter(
        connection=period.connection, settled_date__gte=first, settled_date__lt=end
    )  # fmt: skip
    return rows.select_related("settlement", "connection", "posting").order_by("settled_date", "pk")


def _line(line: SettlementLine) -> Row:
    return {
        "shop": line.connection.name,
        "gateway": line.gateway,
        "statement": str(line.settlement),
        "row": str(line.row_number),
        "line": line.external_id,
        "settled_on": line.settled_date.isoformat(),
        "currency": line.currency,
        "amount": _amount(line.amount_minor, line.currency),
        "payment_reference": line.reference,
        "refund_reference": line.refund_reference,
        "order": line.order_number,
        "pays": line.posting.key if line.posting is not None else "",
        "decided_by": line.decided_by,
        "decided_why": line.decided_why,
    }


def _amount(minor: int, currency: str) -> str:
    return f"{money.from_minor(minor, currency=currency):f}"


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds") if at is not None else ""


# --- as files --------------------------------------------------------------------------------------------------------


def files_of(packs: Sequence[Pack]) -> dict[str, str]:
    """Name → CSV text of the refunds, the totals and the statement lines of some packs."""
    return {
        "refunds.csv": _csv(COLUMNS, (row for pack in packs for row in pack.rows)),
        "totals.csv": _csv(TOTAL_COLUMNS, (row for pack in packs for row in pack.totals)),
        "statement_lines.csv": _csv(LINE_COLUMNS, (row for pack in packs for row in pack.lines)),
    }


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows({name: _safe(name, row[name]) for name in columns} for row in rows)
    return out.getvalue()


def _safe(name: str, value: str) -> str:
    """Amounts are ours and may be negative; no other text may begin like a formula of a spreadsheet."""
    is_number = name in AMOUNTS or name in TOTAL_COLUMNS[3:]
    return f"'{value}" if value.startswith(FORMULA_STARTS) and not is_number else value


def zip_of(pack: Pack, *, by: str, at: datetime) -> bytes:
    """The files of one month for a download, which is noted: who took it, and when."""
    text = f"Month-end pack of {pack.period} downloaded: {len(pack.rows)} postings."
    audit.record(act="month_exported", by=by, at=at, subject=pack.period, text=text)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files_of([pack]).items():
            archive.writestr(name, content)
    return out.getvalue()


def document_of(pack: Pack) -> dict[str, Any]:
    """The same as JSON."""
    period = pack.period
    return {
        "shop": period.connection.name,
        "month": period.name,
        "from": period.starts_at.isoformat(),
        "until": period.ends_at.isoformat(),
        "state": period.state,
        "proposed_by": str(period.proposed_by or ""),
        "closed_by": str(period.closed_by or ""),
        "closed_at": period.closed_at.isoformat() if period.closed_at is not None else None,
        "is_sealed": pack.is_sealed,
        "blockers": list(pack.blockers),
        "totals": [dict(row) for row in pack.totals],
        "refunds": [dict(row) for row in pack.rows],
        "statement_lines": [dict(row) for row in pack.lines],
    }


def as_json(packs: Sequence[Pack]) -> str:
    """Every pack as one document."""
    return json.dumps({"months": [document_of(pack) for pack in packs]}, indent=2, ensure_ascii=False)
