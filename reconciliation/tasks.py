"""What django-q2 calls each hour. Lost or doubled it costs a late or an empty run; what is due is in our rows."""

import logging
from typing import Final

from django.db import DatabaseError
from django_q.tasks import async_task

from connectors.registry import utc_now
from reconciliation import book_cases, books_of_shop, services, windows
from returnsops.models import Route

log = logging.getLogger(__name__)

SLICE_S: Final = 30.0  # of the cluster's time limit; what is left goes into the next slice
MOST_ORDERS: Final = 500


def reconcile_recent() -> int:
    """Compare what just changed, and what of the last 30 days was not compared for a day; how many orders."""
    return sum(_slice(route) for route in services.compared_routes())


def reconcile_route(route_id: int) -> int:
    """Go on with a route that one slice did not finish."""
    route = Route.objects.filter(pk=route_id).select_related("commerce").first()
    return _slice(route) if route is not None else 0


def keep_books() -> int:
    """Post what was confirmed and match what can be, shop by shop; how many postings. One shop never stops another."""
    count = 0
    for connection in books_of_shop.shops():
        try:
            posted, _ = book_cases.refresh(connection=connection, at=utc_now())
        except books_of_shop.BooksError as error:  # settings that cannot be used: the screens say so
            log.warning("the books of %s were not kept: %s", connection.name, error)
            continue
        count += posted.count
    return count


def _slice(route: Route) -> int:
    at = utc_now()
    orders = list(windows.due(route=route, at=at)[:MOST_ORDERS])
    try:
        runs = services.reconcile(
            route=route,
            since=at - windows.ROLLING,
            until=at,
            trigger="schedule",
            at=at,
            by="schedule",
            orders=orders,
            time_limit_s=SLICE_S,
        )
    except services.ReconciliationError as error:  # paused meanwhile
        log.info("route %s was not compared: %s", route.name, error)
        return 0
    compared = runs[0].order_count
    if runs[0].state == "finished" and (compared < len(orders) or len(orders) == MOST_ORDERS):
        _go_on(route)
    return compared


def _go_on(route: Route) -> None:
    try:
        async_task("reconciliation.tasks.reconcile_route", route.pk)
    except (DatabaseError, OSError):  # a busy database or a broker that is away; the next hour goes on
        log.warning("the rest of route %s waits for the next hour", route.name)
