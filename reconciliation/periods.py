"""Closing a month: what blocks it, the proposal of one person, the closing by another, and the seal that stays.

A closed month is never opened again. What comes later goes into the next open month and says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, Sum

from connectors.finance_settings import FinanceSettings
from exceptions_queue.models import ExceptionCase
from reconciliation import batches, book_cases, books_of_shop, settlements
from reconciliation.batches import Totals
from reconciliation.books_of_shop import BooksError
from reconciliation.models import Batch, Period, Posting
from returnsops import money, states
from returnsops.models import Connection, Effect, Order, ReturnAuthorisation
from returnsops.services import audit

UNSURE: Final = states.IN_FLIGHT | {states.DONE}
MOST_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """One thing that keeps a month open: what, and where to solve it ('' = nowhere but in time)."""

    text: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A month as it would be closed now. ``seal`` names exactly these postings."""

    totals: Mapping[str, Totals]
    drift: Mapping[tuple[str, str], int]
    blockers: tuple[Blocker, ...]
    seal: str


def preview(*, period: Period, at: datetime) -> Preview:
    """Sums and blockers from the rows as they are. Changes nothing. Raises BooksError for unusable settings."""
    chosen = books_of_shop.settings_of(period.connection)
    rows = list(books_of_shop.postings_of(period.connection).filter(batch__period=period))
    entries = books_of_shop.entries(rows, chosen)
    return Preview(
        totals=batches.totals_of(entries),
        drift=batches.drift_of(entries, rounding_minor=chosen.rounding_minor),
        blockers=() if period.closed_at is not None else tuple(_blockers(period, chosen, at=at)),
        seal=_seal(rows),
    )


def _seal(rows: Iterable[Posting]) -> str:
    return batches.seal((row.key, row.currency, row.amount_minor) for row in rows)


def posted_sums(period: Period) -> dict[str, int]:
    """Minor units by currency: of a closed month as it was closed, else as posted until now."""
    if period.closed_at is not None:
        return {batch.currency: batch.posted_minor or 0 for batch in period.batches.all()}
    rows = period.batches.annotate(minor=Sum("postings__amount_minor")).order_by("currency")
    return {batch.currency: batch.minor or 0 for batch in rows}


def is_seal_whole(period: Period) -> bool:
    """Whether a closed month holds exactly what it held when it was closed."""
    for batch in period.batches.all():
        rows = Posting.objects.filter(batch=batch).select_related("batch")
        if batch.seal != _seal(rows):
            return False
    return True


# --- what blocks -----------------------------------------------------------------------------------------------------


def _blockers(period: Period, chosen: FinanceSettings, *, at: datetime) -> Iterable[Blocker]:
    if at < period.ends_at:
        zone = ZoneInfo(period.connection.time_zone)
        yield Blocker(text=f"The month runs until {period.ends_at.astimezone(zone):%d %b %Y %H:%M} in the shop's time.")
    earlier = Period.objects.filter(connection=period.connection, closed_at__isnull=True, ends_at__lte=period.starts_at)
    for other in earlier.order_by("starts_at")[:MOST_NAMED]:
        yield Blocker(text=f"{other} is still open; close it first.", url=_url("reconciliation/period", other.pk))
    yield from _unsure(period)
    yield from _lines(period, chosen)
    yield from _late_refunds(period, chosen, at=at)
    yield from _drift(period, chosen)
    yield from _open_cases(period)


def _unsure(period: Period) -> Iterable[Blocker]:
    """Money under way, or sent and not yet seen, that belongs to this month or an earlier one."""
    rows = Effect.objects.filter(
        connection=period.connection,
        kind__in=sorted(states.VALUE_KINDS),
        state__in=sorted(UNSURE),
        first_attempt_at__lt=period.ends_at,
    )
    for row in rows.select_related("rma", "order").order_by("pk"):
        what = money.display(row.amount, currency=row.currency) if row.amount is not None else row.kind
        text = f"{what} of {row.rma or row.order} is {row.get_state_display()}: not known for certain."
        yield Blocker(text=text, url=_url("returnsops/effect", row.pk))


def _lines(period: Period, chosen: FinanceSettings) -> Iterable[Blocker]:
    zone = ZoneInfo(period.connection.time_zone)
    until = period.ends_at.astimezone(zone).date()
    for line in settlements.open_lines(period.connection).filter(settled_date__lt=until):
        text = f"{line.gateway} paid out {line.amount_words} on {line.settled_date}, and no refund is matched."
        yield Blocker(text=text, url=_url("reconciliation/settlementline", line.pk))
    for line in book_cases.differing_lines(period.connection, chosen):
        if line.posting is not None and line.posting.batch.period_id == period.pk:
            text = f"{line.amount_words} paid out by {line.gateway} is not what was refunded."
            yield Blocker(text=text, url=_url("reconciliation/settlementline", line.pk))


def _late_refunds(period: Period, chosen: FinanceSettings, *, at: datetime) -> Iterable[Blocker]:
    for row in book_cases.overdue(period.connection, chosen, at=at):
        if row.batch.period_id == period.pk:
            text = f"{row} of {row.order} is in no statement of {row.gateway} after {chosen.settle_days} days."
            yield Blocker(text=text, url=_url("reconciliation/posting", row.pk))


def _drift(period: Period, chosen: FinanceSettings) -> Iterable[Blocker]:
    for (gateway, currency), minor in book_cases.drifts(period.connection, chosen).items():
        if abs(minor) > chosen.drift_tolerance_minor:
            text = f"Rounding drift of {minor} minor units of {currency} at {gateway} is above the tolerance."
            yield Blocker(text=text, url="/admin/exceptions_queue/exceptioncase/")


def _open_cases(period: Period) -> Iterable[Blocker]:
    """Cases of finance about this shop from before the month ended, and refunds that could not be booked at all."""
    is_early = Q(owner_team=states.FIN, first_opened_at__lt=period.ends_at)
    is_unbooked = Q(kind_code=book_cases.CASE_CANNOT_POST)
    told_above = set(book_cases.KINDS) - {book_cases.CASE_CANNOT_POST}
    rows = ExceptionCase.objects.active().filter(is_early | is_unbooked).exclude(kind_code__in=told_above)
    for case in rows.order_by("pk"):
        if _is_about(case, period.connection):
            yield Blocker(
                text=f"Open case: {case.title} ({case.subject_label})",
                url=_url("exceptions_queue/exceptioncase", case.pk),
            )


def _is_about(case: ExceptionCase, connection: Connection) -> bool:
    """Whether a case is about this shop. One that names nothing we know counts for every shop: it is nobody else's."""
    if case.group_key.startswith("books:"):
        return case.group_key == book_cases.group_of(connection)
    models = {"return": ReturnAuthorisation, "order": Order, "effect": Effect}
    model = models.get(case.subject_type)
    if model is None or not case.subject_id.isdecimal():
        return True
    shop = "route__commerce" if model is ReturnAuthorisation else "connection"
    found = model.objects.filter(pk=int(case.subject_id)).values_list(shop, flat=True).first()  # type: ignore[attr-defined]
    return found in (connection.pk, None)


def _url(screen: str, pk: int) -> str:
    return f"/admin/{screen}/{pk}/change/"


# --- the acts --------------------------------------------------------------------------------------------------------


def propose(*, period: Period, by: User, at: datetime, why: str) -> Period:
    """One person asks another to close a month. Raises BooksError naming what blocks it."""
    book_cases.refresh(connection=period.connection, at=at)
    return _propose(period=period, by=by, at=at, why=why)


@transaction.atomic
def _propose(*, period: Period, by: User, at: datetime, why: str) -> Period:
    row = _locked(period)
    if row.proposed_at is not None:
        raise BooksError(f"{row.proposed_by} proposed it already; a second person closes it, or takes that back.")
    if not why.strip():
        raise BooksError("Say what you checked, in a few words; it is kept in the history.")
    _require_free(row, at=at)
    row.proposed_by, row.proposed_at, row.proposed_why = by, at, why.strip()[:500]
    row.save(update_fields=["proposed_by", "proposed_at", "proposed_why"])
    audit.record(act="month_proposed", by=str(by), at=at, subject=row, text=f"Closing of {row} proposed.", why=why)
    return row


@transaction.atomic
def withdraw(*, period: Period, by: User, at: datetime, why: str) -> Period:
    """Take a proposal back, by whoever may close. Raises BooksError."""
    row = _locked(period)
    if row.proposed_at is None:
        raise BooksError("Nobody has proposed to close it.")
    row.proposed_by, row.proposed_at, row.proposed_why = None, None, ""
    row.save(update_fields=["proposed_by", "proposed_at", "proposed_why"])
    audit.record(
        act="month_withdrawn", by=str(by), at=at, subject=row, text=f"Proposal to close {row} withdrawn.", why=why
    )
    return row


def close(*, period: Period, by: User, at: datetime, seen: str) -> Period:
    """A second person closes a month with exactly the postings they saw (``seen``: the seal of the preview).

    Raises BooksError for the proposer, for what blocks it by now, and where something was posted since.
    """
    book_cases.refresh(connection=period.connection, at=at)
    return _close(period=period, by=by, at=at, seen=seen)


@transaction.atomic
def _close(*, period: Period, by: User, at: datetime, seen: str) -> Period:
    row = _locked(period)
    if row.proposed_by is None:
        raise BooksError("Nobody has proposed to close it; propose it, and let a second person close it.")
    if row.proposed_by_id == by.pk:
        raise BooksError("You proposed it yourself; a second person has to close it.")
    _require_free(row, at=at)
    now = preview(period=row, at=at)
    if now.seal != seen:
        raise BooksError("Something was posted since you opened the page; look at the sums and close it again.")
    for batch in row.batches.all():
        _seal_batch(batch, now.totals.get(batch.currency, Totals()))
    row.closed_by, row.closed_at = by, at
    row.save(update_fields=["closed_by", "closed_at"])
    sums = {currency: total.posted_minor for currency, total in now.totals.items()}
    audit.record(
        act="month_closed",
        by=str(by),
        at=at,
        subject=row,
        text=f"{row} closed.",
        why=row.proposed_why,
        detail={"proposed_by": str(row.proposed_by), "posted_minor": sums, "seal": now.seal},
    )
    return row


def _seal_batch(batch: Batch, totals: Totals) -> None:
    batch.posting_count, batch.posted_minor = totals.count, totals.posted_minor
    batch.settled_minor, batch.coming_minor = totals.settled_minor, totals.coming_minor
    batch.elsewhere_minor = totals.elsewhere_minor + totals.rounding_minor
    batch.seal = _seal(Posting.objects.filter(batch=batch).select_related("batch"))
    batch.save()


def _locked(period: Period) -> Period:
    """Inside the books' lock. Raises BooksError for a closed month."""
    books_of_shop.lock(period.connection)
    row = Period.objects.select_related("connection", "proposed_by").get(pk=period.pk)
    if row.closed_at is not None:
        raise BooksError(f"{row} is closed and stays closed; what is to be corrected goes into the next month.")
    return row


def _require_free(row: Period, *, at: datetime) -> None:
    found = list(_blockers(row, books_of_shop.settings_of(row.connection), at=at))
    if found:
        more = f" And {len(found) - MOST_NAMED} more." if len(found) > MOST_NAMED else ""
        raise BooksError(" ".join(blocker.text for blocker in found[:MOST_NAMED]) + more)
