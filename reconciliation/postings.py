"""Confirmed refunds and credits into postings: the difference between what is and what was posted, in an open month.

A posting is never changed. What turns out otherwise later (a payout that failed, a record without money that was
deleted, a credit that was voided) is posted with the opposite sign, in the month that is open then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, Sum

from connectors.finance_settings import FinanceSettings
from reconciliation import books_of_shop, months
from reconciliation.books import base_key
from reconciliation.models import Batch, Period, Posting
from returnsops import money, states
from returnsops.models import Connection, CreditRequest, Effect, Order, Refund, ReturnAuthorisation
from returnsops.planning.credited import void_key
from returnsops.planning.keys import business_key
from returnsops.services import audit

CHUNK: Final = 200
RETURNS_PLATFORM: Final = "returns platform"
BY_HAND: Final = "by hand"
STORE_CREDIT: Final = "store credit"
LOOK_BACK: Final = timedelta(days=120)  # what was posted earlier is looked at again only where its record is gone

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One thing that customers got, as it stands now. ``amount`` None: not confirmed, so nothing is said of it yet."""

    key: str
    kind: str
    currency: str
    amount: Decimal | None
    happened_at: datetime
    gateway: str = ""
    refund: Refund | None = None
    credit: CreditRequest | None = None
    order: Order | None = None
    rma: ReturnAuthorisation | None = None


@dataclass(frozen=True, kw_only=True)
class Posted:
    """What a run did: how many postings, and the sources that cannot be posted with the reason."""

    count: int
    impossible: tuple[tuple[Source, str], ...] = ()


def difference_minor(source: Source, *, posted_minor: int) -> int:
    """What is still to be posted. Raises MoneyError for an amount finer than its currency, or an unknown currency."""
    if source.amount is None:
        return 0
    return money.to_minor(source.amount, currency=source.currency) - posted_minor


def post_due(*, connection: Connection, at: datetime) -> Posted:
    """Post whatever was confirmed, or turned out otherwise, since the last run. Raises BooksError."""
    chosen = books_of_shop.settings_of(connection)
    begins_at = books_of_shop.begin_at(connection, chosen)
    if begins_at is None:
        return Posted(count=0)
    count = 0
    impossible: list[tuple[Source, str]] = []
    for sources in _chunks(_sources(connection, begins_at, at=at)):
        if not _is_any_due(sources):
            continue
        done, failed = _post(connection, chosen, sources, at=at)
        count += done
        impossible += failed
    return Posted(count=count, impossible=tuple(impossible))


def count_due(*, connection: Connection, at: datetime) -> int:
    """How many refunds and credits the next run would post. Raises BooksError."""
    begins_at = books_of_shop.begin_at(connection, books_of_shop.settings_of(connection))
    if begins_at is None:
        return 0
    count = 0
    for sources in _chunks(_sources(connection, begins_at, at=at)):
        posted = _posted_so_far(sources)
        count += sum(_is_due(source, posted.get(source.key, (0, 0))[0]) for source in sources)
    return count


def _is_any_due(sources: Sequence[Source]) -> bool:
    """A look without the lock."""
    posted = _posted_so_far(sources)
    return any(_is_due(source, posted.get(source.key, (0, 0))[0]) for source in sources)


def _is_due(source: Source, posted_minor: int) -> bool:
    try:
        return difference_minor(source, posted_minor=posted_minor) != 0
    except money.MoneyError:
        return True


@transaction.atomic
def _post(
    connection: Connection, chosen: FinanceSettings, sources: Sequence[Source], *, at: datetime
) -> tuple[int, list[tuple[Source, str]]]:
    books_of_shop.lock(connection)
    posted = _posted_so_far(sources)
    count, impossible = 0, []
    for source in sources:
        before_minor, number = posted.get(source.key, (0, 0))
        try:
            minor = difference_minor(source, posted_minor=before_minor)
        except money.MoneyError as error:
            impossible.append((source, str(error)))
            continue
        if minor:
            _add(connection, chosen, source, minor=minor, number=number + 1, at=at)
            count += 1
    return count, impossible


def _add(
    connection: Connection, chosen: FinanceSettings, source: Source, *, minor: int, number: int, at: datetime
) -> None:
    happened_at = source.happened_at if number == 1 else at  # a correction happens when it is found
    batch, late_for = batch_for(connection, chosen, happened_at=happened_at, currency=source.currency)
    Posting.objects.create(
        batch=batch,
        key=f"{source.key}:{number}",
        kind=source.kind,
        amount_minor=minor,
        refund=source.refund,
        credit=source.credit,
        order=source.order,
        rma=source.rma,
        gateway=source.gateway,
        happened_at=happened_at,
        posted_at=at,
        late_for=late_for,
    )


def batch_for(
    connection: Connection, chosen: FinanceSettings, *, happened_at: datetime, currency: str
) -> tuple[Batch, str]:
    """The open batch of a moment, and the closed month it belongs to ('' = it is in its own). Inside the lock."""
    zone = ZoneInfo(connection.time_zone)
    known = books_of_shop.months(connection)
    month = months.month_for(
        happened_at,
        known=known,
        closed_until=books_of_shop.closed_until(connection),
        zone=zone,
        starts_on=chosen.month_starts_on,
    )
    period, _ = Period.objects.get_or_create(
        connection=connection,
        name=month.name,
        defaults={"starts_at": month.starts_at, "ends_at": month.ends_at},
    )
    batch, _ = Batch.objects.get_or_create(period=period, currency=currency)
    if happened_at >= month.starts_at:
        return batch, ""
    own = next((other.name for other in known if other.holds(happened_at)), "")
    return batch, own or months.month_of(happened_at, zone=zone, starts_on=chosen.month_starts_on).name


@transaction.atomic
def post_rounding(
    *, connection: Connection, gateway: str, currency: str, minor: int, by: str, at: datetime, why: str
) -> Posting:
    """Book drift that finance accepts, so that the books agree with the gateway again. Raises BooksError."""
    if not minor:
        raise books_of_shop.BooksError("There is no drift to book any more; match again.")
    chosen = books_of_shop.settings_of(connection)
    books_of_shop.lock(connection)
    batch, _ = batch_for(connection, chosen, happened_at=at, currency=currency)
    prefix = f"rounding:{connection.pk}:{gateway}:{currency}"
    number = Posting.objects.filter(key__startswith=f"{prefix}:").count() + 1
    posting = Posting.objects.create(
        batch=batch,
        key=f"{prefix}:{number}",
        kind=Posting.ROUNDING,
        amount_minor=minor,
        gateway=gateway,
        happened_at=at,
        posted_at=at,
        why=why[:500],
    )
    text = f"Rounding drift of {minor} minor units of {currency} at {gateway} booked in {batch.period}."
    audit.record(act="rounding_booked", by=by, at=at, subject=posting, text=text, why=why)
    return posting


def _posted_so_far(sources: Sequence[Source]) -> dict[str, tuple[int, int]]:
    """Key of a source → minor units and number of its postings."""
    refunds = [source.refund.pk for source in sources if source.refund is not None]
    credits = [source.credit.pk for source in sources if source.credit is not None]
    found: dict[str, tuple[int, int]] = {}
    for field, ids in (("refund", refunds), ("credit", credits)):
        rows = Posting.objects.filter(**{f"{field}__in": ids}).order_by().values(field)
        for row in rows.annotate(minor=Sum("amount_minor"), number=Count("pk")):
            found[f"{field}:{row[field]}"] = (row["minor"], row["number"])
    return found


# --- what there is ---------------------------------------------------------------------------------------------------


def _sources(connection: Connection, begins_at: datetime, *, at: datetime) -> Iterable[Source]:
    yield from _refunds(connection, begins_at, at=at)
    yield from _credits(connection, begins_at)


def _refunds(connection: Connection, begins_at: datetime, *, at: datetime) -> Iterable[Source]:
    is_new = ~Exists(Posting.objects.filter(refund=OuterRef("pk")))
    wanted = Q(is_new) | Q(vanished_at__isnull=False) | Q(refunded_at__gte=at - LOOK_BACK)
    rows = Refund.objects.filter(wanted, order__connection=connection, refunded_at__gte=begins_at, amount__gt=0)
    rows = rows.select_related("order", "rma").order_by("refunded_at", "pk")
    for chunk in _chunks(rows.iterator(chunk_size=CHUNK)):
        effects = _effects_by_key(connection, chunk)
        yield from (refund_source(row, effects.get(base_key(row.key))) for row in chunk)


def _effects_by_key(connection: Connection, rows: Sequence[Refund]) -> dict[str, Effect]:
    keys = {base_key(row.key) for row in rows if row.key}
    found = Effect.objects.filter(connection=connection, key__in=keys).select_related("rma")
    return {effect.key: effect for effect in found}


def refund_source(row: Refund, effect: Effect | None) -> Source:
    """One refund record in the shop. Ours counts once it was read back; one made outside once it was read."""
    is_ours = row.origin == Refund.OURS
    return Source(
        key=f"refund:{row.pk}",
        kind=Posting.REFUND if is_ours else Posting.OUTSIDE,
        currency=row.currency,
        amount=_amount_of(row, effect),
        happened_at=row.refunded_at,
        gateway=_tender(row, effect),
        refund=row,
        order=row.order,
        rma=effect.rma if effect is not None else row.rma,
    )


def _amount_of(row: Refund, effect: Effect | None) -> Decimal | None:
    if row.origin == Refund.OURS and effect is not None and effect.state == states.FAILED:
        return Decimal(0)  # the gateway took it back
    if row.vanished_at is not None and not row.is_gateway_paid:
        return Decimal(0)  # no money stood behind that record; where a gateway paid, deleting it brings nothing back
    is_confirmed = row.origin == Refund.EXTERNAL or (effect is not None and effect.state == states.CONFIRMED)
    return row.amount if is_confirmed else None


def _tender(row: Refund, effect: Effect | None) -> str:
    if row.is_gateway_paid:
        return row.order.payment_method
    is_platforms = effect is not None and effect.payload.get("executed_by") == "returns_platform"
    return RETURNS_PLATFORM if is_platforms else BY_HAND


def _credits(connection: Connection, begins_at: datetime) -> Iterable[Source]:
    rows = CreditRequest.objects.filter(rma__order__connection=connection, issued_at__gte=begins_at)
    rows = rows.select_related("rma__order", "rma__connection").order_by("issued_at", "pk")
    for chunk in _chunks(rows.iterator(chunk_size=CHUNK)):
        keys = [key for row in chunk for key in _credit_keys(row)]
        effects = {effect.key: effect for effect in Effect.objects.filter(connection=connection, key__in=keys)}
        yield from (_credit_source(row, effects) for row in chunk)


def _credit_keys(row: CreditRequest) -> tuple[str, str]:
    key = credit_key(row)
    return key, void_key(key)


def credit_key(row: CreditRequest) -> str:
    """The key of the effect that issues a credit."""
    return business_key(states.STORE_CREDIT, row.rma.ref, row.kind, row.external_id)


def _credit_source(row: CreditRequest, effects: dict[str, Effect]) -> Source:
    key, undo = _credit_keys(row)
    issued, voided = effects.get(key), effects.get(undo)
    is_issued = row.settled_at is not None or (issued is not None and issued.state == states.CONFIRMED)
    is_void = voided is not None and voided.state == states.CONFIRMED
    when = row.settled_at or (issued.done_at if issued is not None else None) or row.issued_at
    amount = issued.amount if issued is not None and issued.amount is not None else row.amount + row.bonus
    return Source(
        key=f"credit:{row.pk}",
        kind=Posting.CREDIT,
        currency=row.currency,
        amount=Decimal(0) if is_void else amount if is_issued else None,
        happened_at=when,
        gateway=STORE_CREDIT,
        credit=row,
        order=row.rma.order,
        rma=row.rma,
    )


def _chunks(rows: Iterable[Row]) -> Iterable[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
