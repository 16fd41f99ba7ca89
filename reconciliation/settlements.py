"""Lines of gateways' statements: stored once, matched to the refund each pays, decided by people where no rule can."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from connectors.finance_settings import StatementFormat
from reconciliation import books_of_shop
from reconciliation.books_of_shop import BooksError
from reconciliation.line_matching import Line, Matching, Payable, match
from reconciliation.models import Posting, SettledElsewhere, Settlement, SettlementLine
from reconciliation.statement_rows import StatementRow
from returnsops.models import Connection, PlatformRefund
from returnsops.services import audit

MOST_CHOICES: Final = 50


def format_of(connection: Connection, gateway: str) -> StatementFormat:
    """How a gateway's statement is read. Raises BooksError where nobody said."""
    found = books_of_shop.settings_of(connection).gateways.get(gateway)
    if found is None:
        text = f"The statement of {gateway} of {connection} has no format; docs/configuration.md says how to store one."
        raise BooksError(text)
    return found


def begin(
    *, connection: Connection, gateway: str, file_name: str, shape: Mapping[str, Any], by: str, at: datetime
) -> Settlement:
    """The row of a statement; its lines follow in the same transaction."""
    return Settlement.objects.create(
        connection=connection,
        gateway=gateway,
        file_name=file_name[:200],
        format=dict(shape),
        imported_at=at,
        imported_by=by,
    )


def add_line(*, settlement: Settlement, identity: str, row: StatementRow, row_number: int) -> SettlementLine:
    """Store one line. The caller has looked for its identity inside the books' lock."""
    return SettlementLine.objects.create(
        settlement=settlement,
        connection=settlement.connection,
        gateway=settlement.gateway,
        external_id=identity,
        row_number=row_number,
        amount_minor=row.amount_minor,
        currency=row.currency,
        settled_date=row.settled_on,
        reference=row.reference,
        refund_reference=row.refund_reference,
        order_number=row.order_number,
    )


def is_same(line: SettlementLine, row: StatementRow) -> bool:
    """Whether a stored line says what a row says."""
    stored = (line.amount_minor, line.currency, line.settled_date, line.reference)
    given = (row.amount_minor, row.currency, row.settled_on, row.reference)
    return stored == given and (line.refund_reference, line.order_number) == (row.refund_reference, row.order_number)


def finish(*, settlement: Settlement, line_count: int, left_out_count: int, by: str, at: datetime) -> None:
    """Note what came in."""
    settlement.line_count, settlement.left_out_count = line_count, left_out_count
    settlement.save(update_fields=["line_count", "left_out_count"])
    text = f"Statement {settlement} of {settlement.connection} imported: {line_count} new lines."
    audit.record(act="statement_imported", by=by, at=at, subject=settlement, text=text)


def drop_empty(settlement: Settlement) -> None:
    """A file that brought nothing new leaves nothing."""
    if not settlement.lines.exists():
        settlement.delete()


# --- matching --------------------------------------------------------------------------------------------------------


def open_lines(connection: Connection) -> QuerySet[SettlementLine]:
    """Lines that pay nothing yet and that nobody set aside."""
    rows = SettlementLine.objects.filter(connection=connection, posting__isnull=True, decided_at__isnull=True)
    return rows.select_related("settlement").order_by("settled_date", "pk")


def open_postings(connection: Connection) -> QuerySet[Posting]:
    """Refunds that no line pays yet."""
    rows = Posting.objects.filter(batch__period__connection=connection, amount_minor__gt=0, line__isnull=True)
    rows = rows.filter(kind__in=[Posting.REFUND, Posting.OUTSIDE])
    return rows.select_related("batch__period", "refund", "order", "rma").order_by("happened_at", "pk")


@transaction.atomic
def match_open(*, connection: Connection, at: datetime) -> Matching:
    """Match what can be matched without a guess; what is left has candidates for a person. Raises BooksError."""
    chosen = books_of_shop.settings_of(connection)
    books_of_shop.lock(connection)
    lines = {row.pk: row for row in open_lines(connection)}
    if not lines:
        return Matching(pairs=(), candidates={})
    payables = _payables(open_postings(connection).filter(_named_by(list(lines.values()))).distinct())
    found = match([_line(row) for row in lines.values()], payables, rounding_minor=chosen.rounding_minor)
    for pair in found.pairs:
        _pay(lines[pair.line_id], posting_id=pair.posting_id, by=pair.rule, at=at)
    return found


def _pay(line: SettlementLine, *, posting_id: int, by: str, at: datetime) -> None:
    line.posting_id, line.matched_by, line.matched_at = posting_id, by[:150], at
    line.decided_by, line.decided_at, line.decided_why = "", None, ""
    line.save(update_fields=["posting", "matched_by", "matched_at", "decided_by", "decided_at", "decided_why"])


def _line(row: SettlementLine) -> Line:
    return Line(
        line_id=row.pk,
        gateway=row.gateway,
        currency=row.currency,
        amount_minor=row.amount_minor,
        settled_on=row.settled_date,
        reference=row.reference,
        refund_reference=row.refund_reference,
        order_number=row.order_number,
    )


def _payables(found: Iterable[Posting]) -> list[Payable]:
    rows = list(found)
    payouts = _payout_references(rows)
    return [_payable(row, payouts.get(row.rma_id, frozenset())) for row in rows]


def _payout_references(rows: Sequence[Posting]) -> dict[int | None, frozenset[str]]:
    """The platform's own reference of a payout, where a return has exactly one."""
    found: dict[int | None, set[str]] = {}
    ids = {row.rma_id for row in rows if row.rma_id is not None}
    told = PlatformRefund.objects.filter(rma_id__in=ids).exclude(provider_reference="")
    for rma_id, reference in told.values_list("rma_id", "provider_reference"):
        found.setdefault(rma_id, set()).add(reference)
    return {rma_id: frozenset(names) for rma_id, names in found.items() if len(names) == 1}


def _payable(row: Posting, payouts: frozenset[str]) -> Payable:
    order, refund = row.order, row.refund
    names = {order.number, order.external_id} - {""} if order is not None else set()
    return Payable(
        posting_id=row.pk,
        currency=row.currency,
        amount_minor=row.amount_minor,
        happened_at=row.happened_at,
        refund_references=payouts | ({refund.external_id} if refund is not None else set()),
        payment_reference=order.payment_reference if order is not None else "",
        order_numbers=frozenset(names),
    )


def choices_for(line: SettlementLine) -> list[Posting]:
    """Refunds a person may say this line pays: of its currency, the same order or payment first, then by amount."""
    rows = open_postings(line.connection).filter(batch__currency=line.currency, settled_elsewhere__isnull=True)
    same = rows.filter(_named_by([line]))
    alike = rows.filter(amount_minor=line.amount_minor)
    found = {row.pk: row for part in (same, alike, rows.order_by("-happened_at")) for row in part[:MOST_CHOICES]}
    return list(found.values())[:MOST_CHOICES]


def _named_by(lines: Sequence[SettlementLine]) -> Q:
    """Refunds that something in these lines names."""
    refunds, payments, orders = (
        {getattr(line, name) for line in lines} - {""} for name in ("refund_reference", "reference", "order_number")
    )
    return (
        Q(refund__external_id__in=refunds)
        | Q(rma__platform_refunds__provider_reference__in=refunds)
        | Q(order__payment_reference__in=payments)
        | Q(order__number__in=orders)
        | Q(order__external_id__in=orders)
    )


# --- what people say -------------------------------------------------------------------------------------------------


@transaction.atomic
def pays(*, line_id: int, posting_id: int, by: str, at: datetime, why: str) -> SettlementLine:
    """A person says which refund a line pays. Raises BooksError for one that another line pays, or another currency."""
    line = _locked(line_id)
    posting = open_postings(line.connection).filter(pk=posting_id).first()
    if posting is None:
        raise BooksError("Another line pays that refund already, or it is gone; load the page again.")
    if posting.currency != line.currency:
        raise BooksError(f"The line is in {line.currency}, the refund in {posting.currency}; choose another refund.")
    before = line.posting
    _pay(line, posting_id=posting.pk, by=by, at=at)
    was = f" instead of refund {before.key}" if before is not None else ""
    text = f"{str(line).capitalize()} pays {posting} ({posting.key}){was}."
    audit.record(act="line_matched", by=by, at=at, subject=line, text=text, why=why, rma=posting.rma)
    return line


@transaction.atomic
def set_aside(*, line_id: int, by: str, at: datetime, why: str) -> SettlementLine:
    """A line is no refund of this shop's books: it stays on record and asks no more. Raises BooksError."""
    line = _locked(line_id)
    if line.posting_id is not None:
        raise BooksError("This line pays a refund meanwhile; load the page again.")
    return _decide(line, act="line_set_aside", by=by, at=at, why=why, text="is set aside: no refund of these books.")


@transaction.atomic
def accept_difference(*, line_id: int, by: str, at: datetime, why: str) -> SettlementLine:
    """The gateway paid out more or less than was refunded, and that is right. Raises BooksError."""
    line = _locked(line_id)
    if line.posting is None:
        raise BooksError("This line pays no refund; say first which one.")
    return _decide(line, act="line_difference_accepted", by=by, at=at, why=why, text="differs, accepted as it is.")


def _decide(line: SettlementLine, *, act: str, by: str, at: datetime, why: str, text: str) -> SettlementLine:
    if not why.strip():
        raise BooksError("Say why, in a few words; it is kept in the history.")
    line.decided_by, line.decided_at, line.decided_why = by, at, why[:500]
    line.save(update_fields=["decided_by", "decided_at", "decided_why"])
    audit.record(act=act, by=by, at=at, subject=line, text=f"{str(line).capitalize()} {text}", why=why)
    return line


def _locked(line_id: int) -> SettlementLine:
    line = SettlementLine.objects.select_related("connection", "settlement", "posting__batch").get(pk=line_id)
    books_of_shop.lock(line.connection)
    line.refresh_from_db()
    return line


@transaction.atomic
def settle_elsewhere(*, posting_ids: Sequence[int], by: str, at: datetime, why: str) -> int:
    """No statement will name these refunds: they were settled otherwise. How many were new. Raises BooksError."""
    if not why.strip():
        raise BooksError("Say why, in a few words; it is kept in the history.")
    count = 0
    for posting in Posting.objects.filter(pk__in=posting_ids, line__isnull=True).select_related("rma", "batch"):
        _, is_new = SettledElsewhere.objects.get_or_create(posting=posting, defaults={"by": by, "at": at, "why": why})
        if is_new:
            text = f"{posting} ({posting.key}) was settled outside the gateway's statement."
            audit.record(act="settled_elsewhere", by=by, at=at, subject=posting, text=text, why=why, rma=posting.rma)
            count += 1
    return count
