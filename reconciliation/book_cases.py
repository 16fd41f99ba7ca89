"""What of the books asks for a person, as cases of finance: lines without refund, refunds without line, drift."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import F, Q

from connectors.finance_settings import FinanceSettings
from exceptions_queue import services as queue
from exceptions_queue.services import CaseWanted
from reconciliation import books_of_shop, postings, settlements
from reconciliation.batches import drift_of
from reconciliation.line_matching import Matching
from reconciliation.models import Posting, SettlementLine
from reconciliation.postings import Posted, Source
from returnsops import money
from returnsops.models import Connection

CASE_LINE_WITHOUT_REFUND: Final = "settlement_line_unmatched"
CASE_LINE_DIFFERS: Final = "settlement_line_differs"
CASE_NOT_SETTLED: Final = "settlement_missing"
CASE_DRIFT: Final = "settlement_drift"
CASE_CANNOT_POST: Final = "settlement_cannot_post"
KINDS: Final = (CASE_LINE_WITHOUT_REFUND, CASE_LINE_DIFFERS, CASE_NOT_SETTLED, CASE_DRIFT, CASE_CANNOT_POST)
SUBJECT_LINE: Final = "settlement_line"
MOST_SHOWN: Final = 20


def refresh(*, connection: Connection, at: datetime) -> tuple[Posted, Matching]:
    """Post what is due, match what can be matched, and make the cases say what is left. Raises BooksError."""
    posted = postings.post_due(connection=connection, at=at)
    matching = settlements.match_open(connection=connection, at=at)
    wanted = wanted_cases(connection=connection, posted=posted, matching=matching, at=at)
    queue.sync_cases(group_key=group_of(connection), wanted=wanted, kinds=KINDS, at=at)
    return posted, matching


def group_of(connection: Connection) -> str:
    """The group of all cases of a shop's books."""
    return f"books:{connection.name}"


def wanted_cases(*, connection: Connection, posted: Posted, matching: Matching, at: datetime) -> tuple[CaseWanted, ...]:
    """Every case that ought to be open about the books of a shop."""
    chosen = books_of_shop.settings_of(connection)
    return (
        *_without_refund(connection, matching),
        *_differing(connection, chosen),
        *_not_settled(connection, chosen, at=at),
        *_drifting(connection, chosen),
        *(_impossible(connection, source, text) for source, text in posted.impossible),
    )


def _without_refund(connection: Connection, matching: Matching) -> Iterable[CaseWanted]:
    for line in settlements.open_lines(connection):
        fitting = matching.candidates.get(line.pk, ())
        many = f"{len(fitting)} refunds fit it; which one is a person's to say."
        yield CaseWanted(
            kind=CASE_LINE_WITHOUT_REFUND,
            fingerprint=f"{CASE_LINE_WITHOUT_REFUND}:{connection.name}:{line.gateway}:{line.external_id}",
            subject_type=SUBJECT_LINE,
            subject_id=str(line.pk),
            subject_label=f"{line.settlement}, row {line.row_number}",
            cause=f"{line.gateway} paid out {line.amount_words}. {many if fitting else 'No refund here fits it.'}",
            evidence={"line": line_evidence(line)},
            money_at_risk=money.from_minor(line.amount_minor, currency=line.currency),
            currency=line.currency,
            deep_link=f"/admin/reconciliation/settlementline/{line.pk}/change/",
        )


def line_evidence(line: SettlementLine) -> dict[str, str]:
    """What the gateway says."""
    return {
        "settled": line.settled_date.isoformat(),
        "amount": line.amount_words,
        "payment": line.reference or "not named",
        "refund": line.refund_reference or "not named",
        "order": line.order_number or "not named",
    }


def differing_lines(connection: Connection, chosen: FinanceSettings) -> list[SettlementLine]:
    """Matched lines off by more than rounding, which nobody accepted."""
    rows = SettlementLine.objects.filter(connection=connection, posting__isnull=False, decided_at__isnull=True)
    rows = rows.exclude(amount_minor=F("posting__amount_minor"))
    rows = rows.select_related("posting__batch__period", "settlement", "posting__rma")
    return [row for row in rows if abs(_difference(row)) > chosen.rounding_minor]


def _difference(row: SettlementLine) -> int:
    return row.amount_minor - row.posting.amount_minor if row.posting is not None else 0


def _differing(connection: Connection, chosen: FinanceSettings) -> Iterable[CaseWanted]:
    for line in differing_lines(connection, chosen):
        assert line.posting is not None  # the query says so
        difference = money.from_minor(abs(_difference(line)), currency=line.currency)
        refunded = money.display(line.posting.amount, currency=line.currency)
        yield CaseWanted(
            kind=CASE_LINE_DIFFERS,
            fingerprint=f"{CASE_LINE_DIFFERS}:{connection.name}:{line.gateway}:{line.external_id}",
            subject_type=SUBJECT_LINE,
            subject_id=str(line.pk),
            subject_label=f"{line.settlement}, row {line.row_number}",
            cause=f"{line.gateway} paid out {line.amount_words} for a refund of {refunded}.",
            evidence={"line": line_evidence(line), "refund": {"amount": refunded, "posting": line.posting.key}},
            money_at_risk=difference,
            currency=line.currency,
            deep_link=f"/admin/reconciliation/settlementline/{line.pk}/change/",
        )


def overdue(connection: Connection, chosen: FinanceSettings, *, at: datetime) -> list[Posting]:
    """Refunds that a gateway's statement should have named by now."""
    latest = at - timedelta(days=chosen.settle_days)
    rows = settlements.open_postings(connection).filter(
        happened_at__lte=latest, gateway__in=list(chosen.gateways), settled_elsewhere__isnull=True
    )
    taken_back = set(
        Posting.objects.filter(batch__period__connection=connection, amount_minor__lt=0, refund__isnull=False)
        .values_list("refund_id", flat=True)
    )  # fmt: skip
    return [row for row in rows if row.refund_id not in taken_back]


def _not_settled(connection: Connection, chosen: FinanceSettings, *, at: datetime) -> Iterable[CaseWanted]:
    groups: defaultdict[tuple[str, str, str], list[Posting]] = defaultdict(list)
    for row in overdue(connection, chosen, at=at):
        groups[row.batch.period.name, row.gateway, row.currency].append(row)
    for (month, gateway, currency), rows in groups.items():
        total = money.from_minor(sum(row.amount_minor for row in rows), currency=currency)
        shown = money.display(total, currency=currency)
        yield CaseWanted(
            kind=CASE_NOT_SETTLED,
            fingerprint=f"{CASE_NOT_SETTLED}:{connection.name}:{month}:{gateway}:{currency}",
            subject_type="books",
            subject_id=f"{connection.name}/{month}/{gateway}/{currency}",
            subject_label=f"{gateway}, {month}, {currency}",
            cause=f"{len(rows)} refunds of {month} ({shown} in all) are in no statement of {gateway} after "
            f"{chosen.settle_days} days.",
            evidence={"refunds": [_refund_evidence(row) for row in rows[:MOST_SHOWN]]},
            money_at_risk=total,
            currency=currency,
            deep_link=f"/admin/reconciliation/period/{rows[0].batch.period_id}/change/",
        )


def _refund_evidence(row: Posting) -> dict[str, str]:
    return {
        "order": str(row.order or ""),
        "refund": row.refund.external_id if row.refund is not None else "",
        "amount": money.display(row.amount, currency=row.currency),
        "refunded": f"{row.happened_at:%Y-%m-%d}",
    }


def drifts(connection: Connection, chosen: FinanceSettings) -> dict[tuple[str, str], int]:
    """Gateway and currency → minor units of rounding that nobody booked yet."""
    is_off = Q(line__isnull=False) & ~Q(line__amount_minor=F("amount_minor"))
    rows = books_of_shop.postings_of(connection).filter(is_off | Q(kind=Posting.ROUNDING))
    return drift_of(books_of_shop.entries(rows, chosen), rounding_minor=chosen.rounding_minor)


def _drifting(connection: Connection, chosen: FinanceSettings) -> Iterable[CaseWanted]:
    for (gateway, currency), minor in drifts(connection, chosen).items():
        if abs(minor) <= chosen.drift_tolerance_minor:
            continue
        amount = money.from_minor(abs(minor), currency=currency)
        way = "more" if minor > 0 else "less"
        yield CaseWanted(
            kind=CASE_DRIFT,
            fingerprint=f"{CASE_DRIFT}:{connection.name}:{gateway}:{currency}",
            subject_type="books",
            subject_id=f"{connection.name}//{gateway}/{currency}",
            subject_label=f"{gateway}, {currency}",
            cause=f"Line by line within rounding, {gateway} has paid out {money.display(amount, currency=currency)} "
            f"{way} in all than was refunded; {chosen.drift_tolerance_minor} minor units are tolerated.",
            evidence={"drift": {"minor_units": minor, "tolerated": chosen.drift_tolerance_minor}},
            money_at_risk=amount,
            currency=currency,
            deep_link="/admin/reconciliation/period/",
        )


def _impossible(connection: Connection, source: Source, text: str) -> CaseWanted:
    shown = money.display(source.amount or Decimal(0), currency=source.currency)
    return CaseWanted(
        kind=CASE_CANNOT_POST,
        fingerprint=f"{CASE_CANNOT_POST}:{connection.name}:{source.key}",
        subject_type="books",
        subject_id=f"{connection.name}/{source.key}",
        subject_label=str(source.order or source.key),
        cause=f"{shown} cannot be posted: {text}",
        evidence={"source": {"key": source.key, "amount": shown}},
        deep_link=f"/admin/returnsops/order/{source.order.pk}/change/" if source.order is not None else "",
    )


def names_of(subject_id: str) -> Sequence[str]:
    """The parts of a subject of the books: shop, month, gateway, currency."""
    return subject_id.split("/")
