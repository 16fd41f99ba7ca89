"""The catalogue check: which articles have no SKU that names them alone, before a return of one comes (S4-20).

A round reads the catalogue page by page, one page a minute, so that refunds keep their share of the calls; a whole
round a day. What is wrong is one case per shop with a list behind it; it closes when a round finds nothing.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from connectors.budget import close_case_of
from connectors.listing import Article
from connectors.models import SyncCursor
from connectors.ports import VendorError
from connectors.reads import read_order, store_read
from connectors.registry import connector_for, link_for
from exceptions_queue import services as queue
from returnsops import states
from returnsops.facts import OrderChanged
from returnsops.models import CatalogueItem, Connection, Order, OrderLine

log = logging.getLogger(__name__)

STREAM: Final = "catalogue"
EVERY: Final = timedelta(days=1)
PAGE_WAIT: Final = timedelta(minutes=1)
FAILED_WAIT: Final = timedelta(minutes=15)
MOST_NAMED: Final = 20
MOST_PAGES: Final = 5000


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What a whole round found of one shop."""

    articles: int
    problems: int


def check_due(*, at: datetime) -> int:
    """Read one page of every connection whose time has come; returns how many pages."""
    pages = 0
    for connection in Connection.objects.filter(is_paused=False).order_by("pk"):
        if connector_for(connection.vendor).read_catalogue is not None and _claimed(connection, at=at):
            _read_one(connection, at=at)
            pages += 1
    return pages


def check_now(*, connection: Connection, at: datetime, sleep: Callable[[float], None] = time.sleep) -> Catalogue:
    """A whole round at once. Raises VendorError, and ValueError where the vendor's catalogue cannot be read."""
    read = connector_for(connection.vendor).read_catalogue
    if read is None:
        raise ValueError(f"{connection.vendor} has no catalogue that can be read.")
    link, cursor = link_for(connection), ""
    for _ in range(MOST_PAGES):
        page = read(link, cursor)
        right = keep(connection=connection, articles=page.articles, at=at)
        _read_orders_of(connection, right, at=at)
        cursor = page.cursor
        if not cursor:
            break
        if page.wait_s > 0:
            sleep(page.wait_s)
    finish(connection=connection, since=at, at=at)
    rows = CatalogueItem.objects.filter(connection=connection)
    return Catalogue(articles=rows.count(), problems=rows.exclude(problem="").count())


def begin_anew(*, connection: Connection, at: datetime) -> None:
    """Let the next round begin now, from the first page."""
    SyncCursor.objects.update_or_create(
        connection=connection, stream=STREAM, defaults={"cursor": "", "next_poll_at": at}
    )


def _claimed(connection: Connection, *, at: datetime) -> bool:
    SyncCursor.objects.get_or_create(connection=connection, stream=STREAM)
    due = Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=at)
    rows = SyncCursor.objects.filter(due, connection=connection, stream=STREAM)
    return rows.update(next_poll_at=at + PAGE_WAIT) == 1


def _read_one(connection: Connection, *, at: datetime) -> None:
    """One page; the cursor keeps the page to read next and when the round began."""
    read = connector_for(connection.vendor).read_catalogue
    assert read is not None  # check_due
    row = SyncCursor.objects.get(connection=connection, stream=STREAM)
    page_cursor, _, begun = row.cursor.partition("|")
    since = datetime.fromisoformat(begun) if begun else at
    try:
        page = read(link_for(connection), page_cursor)
    except VendorError as error:
        log.warning("the catalogue of %s could not be read: %s", connection.name, error.text)
        row.next_poll_at, row.error_text = at + FAILED_WAIT, error.text[:500]
        row.save(update_fields=["next_poll_at", "error_text"])
        return
    with transaction.atomic():
        right = keep(connection=connection, articles=page.articles, at=at)
        row.cursor = f"{page.cursor}|{since.isoformat()}" if page.cursor else ""
        row.error_text = ""
        if not page.cursor:
            finish(connection=connection, since=since, at=at)
            row.polled_at, row.next_poll_at = at, at + EVERY
        row.save(update_fields=["cursor", "error_text", "polled_at", "next_poll_at"])
    _read_orders_of(connection, right, at=at)


def _read_orders_of(connection: Connection, articles: Iterable[Article], *, at: datetime) -> None:
    """Orders whose returns wait for an article's SKU are read again, so that they go on; outside transactions.

    Chosen by what is still stored wrong of them: one that a crash or a lost answer left out is read a round later.
    """
    named = {(article.product_id, article.variation_id) for article in articles}
    lines = OrderLine.objects.filter(
        order__connection=connection,
        order__returns__isnull=False,
        is_sku_ambiguous=True,
        product_external_id__in=sorted({product_id for product_id, _ in named}),
    )
    orders = {
        line.order
        for line in lines.select_related("order")
        if (line.product_external_id, line.variation_external_id) in named
    }
    for order in sorted(orders, key=lambda order: -order.pk)[:MOST_NAMED]:
        _read_again(order, at=at)


def _read_again(order: Order, *, at: datetime) -> None:
    try:
        fact = read_order(connection=order.connection, order_id=order.external_id, at=at)
    except VendorError as error:  # the next round does it
        log.warning("order %s could not be read again: %s", order.pk, error.text)
        return
    if isinstance(fact, OrderChanged):
        store_read(connection=order.connection, snapshot=fact.snapshot, at=at)


@transaction.atomic
def keep(*, connection: Connection, articles: Iterable[Article], at: datetime) -> tuple[Article, ...]:
    """Store articles as they were seen; gives those whose SKU is right."""
    return tuple([article for article in articles if _store(connection, article, at=at) == ""])


def _store(connection: Connection, article: Article, *, at: datetime) -> str:
    """Store one; what is wrong with its SKU, '' = nothing."""
    identity: dict[str, Any] = {
        "connection": connection,
        "product_external_id": article.product_id,
        "variation_external_id": article.variation_id,
    }
    problem = _problem(article)
    seen = {"sku": article.sku[:128], "name": article.name[:500], "problem": problem, "seen_at": at}
    CatalogueItem.objects.update_or_create(**identity, defaults={**seen, "is_stock_managed": article.is_stock_managed})
    return problem


@transaction.atomic
def finish(*, connection: Connection, since: datetime, at: datetime) -> None:
    """After the last page: forget what is gone, find SKUs that two articles share, and say what is wrong."""
    rows = CatalogueItem.objects.filter(connection=connection)
    rows.filter(seen_at__lt=since).delete()
    own = rows.exclude(sku="").exclude(problem=CatalogueItem.INHERITED)
    shared = own.values("sku").annotate(times=Count("pk")).filter(times__gt=1).values_list("sku", flat=True)
    own.filter(problem="", sku__in=list(shared)).update(problem=CatalogueItem.SHARED)
    _say(connection, rows.exclude(problem=""), at=at)


def _problem(article: Article) -> str:
    if not article.sku:
        return CatalogueItem.MISSING
    return CatalogueItem.INHERITED if article.is_sku_inherited else CatalogueItem.NONE


def _say(connection: Connection, wrong: QuerySet[CatalogueItem], *, at: datetime) -> None:
    kind = states.CASE_SKU_INTEGRITY
    count = wrong.count()
    if not count:
        close_case_of(kind=kind, name=connection.name, at=at, reason="Every article has a SKU of its own.")
        return
    queue.open_case(
        kind=kind,
        fingerprint=f"{kind}:{connection.name}",
        subject_type="connection",
        subject_id=str(connection.pk),
        subject_label=str(connection),
        cause=f"{count} article{'' if count == 1 else 's'} of {connection} cannot be told by the SKU. A return of one"
        " is not put back into stock by itself.",
        evidence={
            "articles": [
                {
                    "article": str(row),
                    "shown SKU": row.sku or "none",
                    "product": row.product_external_id,
                    "variation": row.variation_external_id or "-",
                    "what is wrong": row.get_problem_display(),
                }
                for row in wrong[:MOST_NAMED]
            ],
            "more": max(0, count - MOST_NAMED),
        },
        deep_link=f"/admin/returnsops/catalogueitem/?connection__id__exact={connection.pk}&view=wrong",
        group_key=f"connection:{connection.name}",
        at=at,
    )
