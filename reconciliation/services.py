"""Running checks: read the orders of a window from the shop, compare both books, keep runs, findings and cases.

Reading happens outside any transaction, through the commerce port. Nothing here changes the shop; the fix of a
difference goes the way of every effect.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from connectors import ports, reads
from connectors.registry import utc_now
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from reconciliation import causes, findings, windows
from reconciliation.books import Comparison, joined
from reconciliation.checks import CHECKS, Check, check_of
from reconciliation.ledger import book_of
from reconciliation.models import Finding, OrderLook, Run
from reconciliation.showing import NOTHING_SHOWN, Shown, shown_of
from reconciliation.wording import plain_amount
from returnsops import states
from returnsops.facts import OrderChanged, OrderGone
from returnsops.models import Connection, Order, Route
from returnsops.services.apply_facts import apply_facts
from returnsops.services.replan import replan_returns_of_orders

log = logging.getLogger(__name__)

ABANDONED_AFTER: Final = timedelta(hours=2)
ALL_CODES: Final = tuple(check.code for check in CHECKS)


class ReconciliationError(Exception):
    """A comparison that cannot be run; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One order that was read, with what each check says of it."""

    order: Order
    read_at: datetime
    results: dict[str, Comparison]


@dataclass(kw_only=True)
class Reading:
    """How far the reading of a run came. ``is_outage``: it stopped early, and nothing may heal."""

    compared: list[Compared] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    is_outage: bool = False


def run_check(
    *, check: str, route: Route, since: datetime, until: datetime, trigger: str, at: datetime, by: str
) -> Run:
    """Run one check over the orders of a window. Raises LookupError for an unknown check, ReconciliationError."""
    (run,) = reconcile(route=route, checks=(check,), since=since, until=until, trigger=trigger, at=at, by=by)
    return run


def reconcile(
    *,
    route: Route,
    since: datetime,
    until: datetime,
    trigger: str,
    at: datetime,
    by: str,
    checks: Sequence[str] = ALL_CODES,
    orders: Iterable[Order] | None = None,
    time_limit_s: float | None = None,
) -> tuple[Run, ...]:
    """Run checks over one reading of each order; one Run per check, in the order asked for.

    ``orders`` None: those of the window. With ``time_limit_s`` the reading ends in time and the rest is left for the
    next run. A read that fails makes the runs failed; after an outage nothing heals. Raises ReconciliationError where
    the route has no shop.
    """
    chosen = [check_of(code) for code in checks]
    commerce = commerce_of(route)
    if orders is None:
        orders = windows.in_window(route=route, since=since, until=until)
    runs = [_begin(check, route, since=since, until=until, trigger=trigger, at=at, by=by) for check in chosen]
    try:
        reading = _read_all(commerce, route, list(orders), chosen, time_limit_s=time_limit_s)
        for run in runs:
            _keep(run, reading)
        _note_looks(reading, is_whole=set(checks) == set(ALL_CODES))
    except Exception as error:
        _fail(runs, f"Our own program failed: {type(error).__name__}. Report this with the time of the run.")
        raise
    _note_failure(route, reading, trigger=trigger, at=at)
    return tuple(runs)


def check_order(*, order: Order, at: datetime, by: str) -> tuple[Run, ...]:
    """Run every check for one order now, asked for by a person. Raises ReconciliationError where it cannot be read."""
    route = route_of(order)
    runs = reconcile(route=route, since=at, until=at, trigger="person", at=at, by=by, orders=[order])
    failed = next((run for run in runs if run.state == "failed"), None)
    if failed is not None:
        raise ReconciliationError(failed.error_text)
    return runs


def commerce_of(route: Route) -> Connection:
    """The shop of a route. Raises ReconciliationError where there is none, or it is paused."""
    if route.commerce is None:
        raise ReconciliationError(f"Route {route.name} has no shop to compare with.")
    if route.commerce.is_paused:
        raise ReconciliationError(f"{route.commerce} is paused: {route.commerce.pause_reason} Resume it first.")
    return route.commerce


def route_of(order: Order) -> Route:
    """The route that an order is compared under. Raises ReconciliationError where none has its shop."""
    rma = (
        order.returns.filter(route__commerce=order.connection).select_related("route__commerce").order_by("pk").first()
    )
    if rma is not None and rma.route is not None:
        return rma.route
    routes = Route.objects.filter(commerce=order.connection).select_related("commerce").order_by("pk")
    route = routes.exclude(mode=states.ROUTE_OFF).first() or routes.first()
    if route is None:
        raise ReconciliationError(f"No route has the shop of {order}.")
    return route


def compared_routes() -> Iterable[Route]:
    """Routes that the schedule compares: switched on, with a shop that is not paused."""
    rows = Route.objects.filter(commerce__isnull=False, commerce__is_paused=False).exclude(mode=states.ROUTE_OFF)
    return rows.select_related("commerce").order_by("pk")


def open_findings(*, routes: Iterable[Route], checks: Sequence[str] = ALL_CODES) -> list[Finding]:
    """What is open and not accepted on these routes, oldest first."""
    rows = Finding.objects.filter(
        route__in=list(routes), check_code__in=checks, healed_at__isnull=True, accepted_at__isnull=True
    )
    return list(rows.select_related("order__connection", "rma", "case", "route").order_by("first_seen_at", "pk"))


# --- reading ---------------------------------------------------------------------------------------------------------


def _read_all(
    commerce: Connection, route: Route, orders: list[Order], checks: Sequence[Check], *, time_limit_s: float | None
) -> Reading:
    reading = Reading()
    ends = None if time_limit_s is None else time.monotonic() + time_limit_s
    for order in orders:
        if ends is not None and time.monotonic() >= ends:
            break
        read_at = utc_now()
        try:
            fact = reads.read_order(connection=commerce, order_id=order.external_id, at=read_at)
            is_there = isinstance(fact, OrderChanged)
            shown = shown_of(commerce=commerce, order=order, checks=checks) if is_there else NOTHING_SHOWN
        except ports.VendorError as error:
            reading.problems.append(f"{order}: {error.text}")
            if not isinstance(error, ports.Rejected):
                reading.is_outage = True
                break
            continue
        reading.compared.append(_compare(commerce, route, order, fact, shown, checks, read_at=read_at))
    return reading


def _compare(
    commerce: Connection,
    route: Route,
    order: Order,
    fact: OrderChanged | OrderGone,
    shown: Shown,
    checks: Sequence[Check],
    *,
    read_at: datetime,
) -> Compared:
    snapshot = fact.snapshot if isinstance(fact, OrderChanged) else None
    if snapshot is not None:
        reads.store_read(connection=commerce, snapshot=snapshot, at=read_at)
    else:
        _store_gone(commerce, order, read_at=read_at)
    with transaction.atomic():
        fresh = Order.objects.select_related("connection").get(pk=order.pk)
        book = book_of(order=fresh, route=route, snapshot=snapshot, read_at=read_at, shown=shown)
    results = {check.code: check.compare(orders=[book]) for check in checks}
    return Compared(order=fresh, read_at=read_at, results=results)


@transaction.atomic
def _store_gone(commerce: Connection, order: Order, *, read_at: datetime) -> None:
    gone = OrderGone(order_id=order.external_id, occurred_at=read_at)
    apply_facts(connection=commerce, new_facts=[gone], at=read_at)
    replan_returns_of_orders(order_ids=[order.pk], at=read_at)


# --- keeping ---------------------------------------------------------------------------------------------------------


def _begin(check: Check, route: Route, *, since: datetime, until: datetime, trigger: str, at: datetime, by: str) -> Run:
    abandoned = Run.objects.filter(route=route, check_code=check.code, state="running")
    _fail(list(abandoned.filter(started_at__lt=at - ABANDONED_AFTER)), "The process ended before the run did.")
    return Run.objects.create(
        check_code=check.code,
        route=route,
        trigger=trigger,
        started_by=by,
        since_at=since,
        until_at=until,
        started_at=at,
    )


def _keep(run: Run, reading: Reading) -> None:
    """Findings order by order, then the run's own end."""
    for compared in reading.compared:
        findings.settle(
            run=run,
            order=compared.order,
            found=compared.results[run.check_code].findings,
            read_at=compared.read_at,
            may_heal=not reading.is_outage,
            at=utc_now(),
        )
    whole = joined(compared.results[run.check_code] for compared in reading.compared)
    run.order_count = len(reading.compared)
    run.matched_count = whole.matched
    run.mismatched_count = whole.count("mismatched")
    run.only_here_count = whole.count("only_here")
    run.only_there_count = whole.count("only_there")
    run.totals = totals_document(whole)
    run.not_comparable = dict(whole.not_comparable)
    run.state = "failed" if reading.problems else "finished"
    run.error_text = " ".join(reading.problems)[:500]
    run.ended_at = utc_now()
    run.save()


def totals_document(whole: Comparison) -> dict[str, dict[str, str]]:
    """Sums as text, to the minor unit, by currency or 'units'."""
    return {
        name: {"here": plain_amount(total.here, name), "there": plain_amount(total.there, name)}
        for name, total in sorted(whole.totals.items())
    }


def _fail(runs: Iterable[Run], text: str) -> None:
    for run in runs:
        Run.objects.filter(pk=run.pk, state="running").update(state="failed", error_text=text, ended_at=utc_now())


def _note_looks(reading: Reading, *, is_whole: bool) -> None:
    if not is_whole:
        return
    for compared in reading.compared:
        OrderLook.objects.update_or_create(order=compared.order, defaults={"looked_at": compared.read_at})


def _note_failure(route: Route, reading: Reading, *, trigger: str, at: datetime) -> None:
    """One failed run is tried again by the next; two in a row by schedule are a case until one succeeds."""
    fingerprint = f"{causes.CASE_RUN_FAILED}:{route.name}"
    if not reading.problems:
        open_ones = ExceptionCase.objects.active().filter(kind_code=causes.CASE_RUN_FAILED, fingerprint=fingerprint)
        for case in open_ones if reading.compared else ():
            queue.auto_resolve(case=case, at=at, reason="A later run read everything.")
        return
    log.warning("reconciliation of route %s: %s", route.name, reading.problems[0])
    before = Run.objects.filter(route=route, trigger="schedule", started_at__lt=at).order_by("-started_at").first()
    if trigger == "schedule" and before is not None and before.state == "failed":
        queue.open_case(
            kind=causes.CASE_RUN_FAILED,
            fingerprint=fingerprint,
            subject_type="route",
            subject_id=str(route.pk),
            subject_label=str(route),
            cause=reading.problems[0],
            evidence={"problems": reading.problems[:50]},
            deep_link=f"/admin/returnsops/route/{route.pk}/change/",
            group_key=f"route:{route.name}",
            at=at,
        )
