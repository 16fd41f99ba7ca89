"""The books of one shop: its finance settings, from when they run, its lock, and its postings as entries."""

from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Min, QuerySet

from connectors import finance_settings
from connectors.finance_settings import FinanceSettings, FinanceSettingsError
from exceptions_queue.errors import CaseError
from reconciliation.batches import Entry
from reconciliation.models import Period, Posting
from reconciliation.months import Month
from returnsops.models import Connection, Route


class BooksError(CaseError):
    """An act on the books that is not possible; the text says why and what to do."""


def settings_of(connection: Connection) -> FinanceSettings:
    """What finance set for a shop. Raises BooksError where the stored table cannot be used."""
    try:
        return finance_settings.parse(connection.settings.get(finance_settings.FINANCE.name, {}))
    except FinanceSettingsError as error:
        raise BooksError(f"The finance settings of {connection} cannot be used: {error}") from None


def begin_at(connection: Connection, chosen: FinanceSettings) -> datetime | None:
    """From when refunds are booked: the day set, else when the first route of the shop went live; None: not yet."""
    if chosen.begins is not None:
        return datetime.combine(chosen.begins, time(), tzinfo=ZoneInfo(connection.time_zone))
    first: datetime | None = Route.objects.filter(commerce=connection).aggregate(at=Min("live_from"))["at"]
    return first


def shops() -> Iterable[Connection]:
    """Shops whose books run: those of a route."""
    return Connection.objects.filter(routes_as_commerce__isnull=False).distinct().order_by("pk")


def lock(connection: Connection) -> Connection:
    """Nobody else posts into, or closes, the books of this shop for the rest of the transaction.

    ``no_key``: rows that refer to the connection, such as incoming messages, are still written meanwhile.
    """
    return Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)


def months(connection: Connection) -> list[Month]:
    """Months that exist already, oldest first."""
    rows = Period.objects.filter(connection=connection).order_by("starts_at")
    return [Month(name=row.name, starts_at=row.starts_at, ends_at=row.ends_at) for row in rows]


def closed_until(connection: Connection) -> datetime | None:
    """The end of the last closed month."""
    row = Period.objects.filter(connection=connection, closed_at__isnull=False).order_by("-ends_at").first()
    return row.ends_at if row is not None else None


def postings_of(connection: Connection) -> QuerySet[Posting]:
    """Every posting of a shop with what an entry needs."""
    rows = Posting.objects.filter(batch__period__connection=connection)
    return rows.select_related("batch__period", "line", "settled_elsewhere").order_by("pk")


def entries(rows: Iterable[Posting], chosen: FinanceSettings) -> list[Entry]:
    """Postings beside their lines. A line is expected of gateways whose statements are imported."""
    return [_entry(row, chosen) for row in rows]


def is_expected(row: Posting, chosen: FinanceSettings) -> bool:
    """Whether a statement should name this posting one day."""
    is_said_otherwise = hasattr(row, "settled_elsewhere")
    is_paid_out = row.kind in (Posting.REFUND, Posting.OUTSIDE) and row.amount_minor > 0
    return is_paid_out and row.gateway in chosen.gateways and not is_said_otherwise


def _entry(row: Posting, chosen: FinanceSettings) -> Entry:
    line = getattr(row, "line", None)
    return Entry(
        key=row.key,
        currency=row.batch.currency,
        amount_minor=row.amount_minor,
        gateway=line.gateway if line is not None else row.gateway,
        settled_minor=line.amount_minor if line is not None else None,
        is_expected=is_expected(row, chosen),
        is_rounding=row.kind == Posting.ROUNDING,
    )
