"""One audit of a shop and its returns platforms: read, compare, keep a Run with its gaps; nothing else is written.

Reading happens outside transactions. No return, order, effect or message of ours comes into being, and nothing is sent:
the link that reads refuses to write. What was compared is kept page by page, so that an audit that was stopped goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from connectors import ports
from connectors.listing import CANNOT_LIST, OrdersPage
from connectors.registry import connector_for
from reconciliation.audit import orders, reading
from reconciliation.audit.books import Returned
from reconciliation.audit.gaps import Gap
from reconciliation.audit.matching import Index, contradicts, plain
from reconciliation.audit.money import Frame
from reconciliation.audit.orders import OrderFound
from reconciliation.audit.store import fail, finish, forget_order, keep_gaps, order_link, return_link, summed
from reconciliation.models import Run
from returnsops.facts import OrderSnapshot
from returnsops.models import Connection, Route

CHECK: Final = "audit"
GRACE: Final = timedelta(days=7)  # decided and not done for longer is a gap, not work under way
LOOK_BACK: Final = timedelta(days=90)  # returns from before the window may explain refunds in it
APART_WORDS: Final = ("goodwill", "courtesy", "compensation", "shipping", "delivery")
ABANDONED_AFTER: Final = timedelta(hours=2)
_ALL_READ: Final = "all"  # cursor of an audit whose orders of the window are all compared
Tell = Callable[[str], None]


class AuditError(Exception):
    """An audit that cannot begin; the text says why and what to do."""


@dataclass(kw_only=True)
class Audit:
    """An audit under way."""

    run: Run
    commerce: Connection
    platforms: tuple[Connection, ...]
    frame: Frame
    tell: Tell
    index: Index = field(default_factory=Index)
    is_blind: bool = False  # a platform's past cannot be read: the shop's own records only
    compared: dict[str, list[str]] = field(default_factory=dict)  # order id → currency, decided, refunded
    matched: set[str] = field(default_factory=set)
    uncompared: dict[str, str] = field(default_factory=dict)
    apart: dict[str, list[str]] = field(default_factory=dict)
    cursor: str = ""


def begin(*, route: Route, since: datetime, at: datetime, by: str, apart_words: Sequence[str], tell: Tell) -> Audit:
    """A new audit of the route's shop. Raises AuditError."""
    prepare(route)
    stale = Run.objects.filter(route=route, check_code=CHECK, state="running", started_at__lt=at - ABANDONED_AFTER)
    for run in stale:
        fail(run, "The process ended before the audit did.", at=at)
    run = Run.objects.create(
        check_code=CHECK, route=route, trigger="command", started_by=by, since_at=since, until_at=at, started_at=at
    )
    return _audit(run, apart_words=apart_words, tell=tell)


def resume(*, route: Route, at: datetime, apart_words: Sequence[str], tell: Tell) -> Audit:
    """The route's last audit, where it stopped. Raises AuditError where there is none that was stopped."""
    prepare(route)
    run = Run.objects.filter(route=route, check_code=CHECK).order_by("-started_at", "-pk").first()
    if run is None or run.state == "finished":
        raise AuditError(f"Route {route.name} has no audit that was stopped. Begin one with --since.")
    if run.state == "running" and run.started_at > at - ABANDONED_AFTER:
        text = f"The last audit of route {route.name} is under way, or its process ended without a word."
        raise AuditError(f"{text} It can be resumed {ABANDONED_AFTER.seconds // 3600} hours after it began.")
    same = Run.objects.filter(pk=run.pk, state=run.state, started_at=run.started_at)
    if not same.update(state="running", started_at=at, ended_at=None, error_text=""):
        raise AuditError(f"Somebody else has just resumed the audit of route {route.name}.")
    run.refresh_from_db()
    audit = _audit(run, apart_words=apart_words, tell=tell)
    known = run.progress
    audit.compared = dict(known.get("compared", {}))
    audit.matched = set(known.get("matched", ()))
    audit.uncompared = dict(known.get("uncompared", {}))
    audit.apart = dict(known.get("apart", {}))
    audit.cursor = str(known.get("cursor", ""))
    return audit


def prepare(route: Route) -> tuple[Connection, tuple[Connection, ...]]:
    """The shop and every platform whose returns belong to it. Raises AuditError."""
    commerce = route.commerce
    if commerce is None:
        raise AuditError(f"Route {route.name} has no shop to look into.")
    siblings = Route.objects.filter(commerce=commerce).select_related("platform").order_by("pk")
    platforms = tuple({other.platform_id: other.platform for other in siblings}.values())
    for connection in (commerce, *platforms):
        if connection.is_paused:
            text = f"{connection} is paused: {connection.pause_reason} See to it, then resume it with"
            raise AuditError(f"{text} manage.py resume or on its page.")
    connector = connector_for(commerce.vendor)
    if connector.list_orders is None or connector.read_order is None:
        raise AuditError(f"The past of a shop of the kind {connector.title} cannot be read yet.")
    return commerce, platforms


def perform(audit: Audit, *, now: Callable[[], datetime]) -> Run:
    """Read and compare to the end. What stops it makes the run failed, with everything compared so far kept."""
    try:
        _read_returns(audit)
        _read_orders(audit)
        _read_remaining(audit)
    except ports.VendorError as error:
        fail(audit.run, f"Stopped: {error.text} What was compared so far is kept; go on with --resume.", at=now())
        return _summed(audit)
    except KeyboardInterrupt:
        fail(audit.run, "Stopped by a person. What was compared so far is kept; go on with --resume.", at=now())
        return _summed(audit)
    except Exception as error:
        fail(audit.run, f"Our own program failed: {type(error).__name__}. Report this with the time.", at=now())
        raise
    finish(audit.run, at=now())
    run = _summed(audit)
    run.progress = {"uncompared": audit.uncompared, "apart": audit.apart}  # the rest was only for going on
    run.save(update_fields=["progress"])
    return run


def _audit(run: Run, *, apart_words: Sequence[str], tell: Tell) -> Audit:
    commerce, platforms = prepare(run.route)
    frame = Frame(since=run.since_at, overdue_before=run.until_at - GRACE, apart_words=tuple(apart_words))
    return Audit(run=run, commerce=commerce, platforms=platforms, frame=frame, tell=tell)


# --- returns --------------------------------------------------------------------------------------------------------


def _read_returns(audit: Audit) -> None:
    for platform in audit.platforms:
        try:
            _read_platform(audit, platform)
        except ports.Rejected as refusal:
            if refusal.code != CANNOT_LIST:
                raise
            audit.is_blind = True
            audit.uncompared[f"every return of {platform.name}"] = refusal.text
    if audit.is_blind:
        why = "only the shop's own records are looked at: the same refund twice, more refunded than paid, more units"
        audit.uncompared["both systems with each other"] = f"{why} restocked than sold. Nothing else can be found."
        audit.tell("Only the shop's side is looked at: returns of the past cannot be read.")


def _read_platform(audit: Audit, platform: Connection) -> None:
    if connector_for(platform.vendor).list_returns is None:
        raise ports.Rejected(f"Past returns of {platform.name} cannot be read.", code=CANNOT_LIST)
    routes = tuple(Route.objects.filter(platform=platform).order_by("pk"))
    for page in reading.past_returns(platform, since=audit.frame.since - LOOK_BACK):
        for found in page.returns:
            _take(audit, routes, found)
        audit.uncompared.update({part.subject: part.why for part in page.uncompared})
        audit.tell(f"{platform.name}: {audit.index.count} returns read")


def _take(audit: Audit, routes: Sequence[Route], found: Returned) -> None:
    """Only what goes to this shop, chosen as an incoming return is: by channel, else the only route for all."""
    named = [route for route in routes if found.channel and found.channel in route.channels]
    fits = named or [route for route in routes if not route.channels]
    if len(fits) != 1:
        why = f"its channel of sale {found.channel or '(none)'!r} leads to {len(fits)} routes"
        audit.uncompared[f"the shop of return {found.label} of {found.platform}"] = why
        audit.index.add(found)  # it may still explain refunds of its order, if that is here
        audit.matched.add(_key(found))  # but is not missed if it is not
    elif fits[0].commerce_id == audit.commerce.pk:
        audit.index.add(found)


# --- orders ---------------------------------------------------------------------------------------------------------


def _read_orders(audit: Audit) -> None:
    if audit.cursor == _ALL_READ:
        return
    for page in reading.past_orders(audit.commerce, since=audit.frame.since, cursor=audit.cursor):
        more = [_mentioned(audit, order_id) for order_id in page.mentioned if order_id not in audit.compared]
        _keep_page(audit, page, [order for order in more if order is not None])
        audit.tell(f"{audit.commerce.name}: {len(audit.compared)} orders compared")


def _mentioned(audit: Audit, order_id: str) -> OrderSnapshot | None:
    order = reading.one_order(audit.commerce, order_id=order_id, number="")
    return None if order is None or order.is_gone else order


@transaction.atomic
def _keep_page(audit: Audit, page: OrdersPage, more: Sequence[OrderSnapshot]) -> None:
    audit.uncompared.update(dict.fromkeys(page.unreadable, "the order cannot be read"))
    for order in (*page.orders, *more):
        if order.order_id not in audit.compared:
            _compare(audit, order, audit.index.of(order))
    audit.cursor = page.cursor or _ALL_READ
    _save(audit)


def _read_remaining(audit: Audit) -> None:
    """Orders of returns that did not change in the window themselves, and returns whose order is nowhere."""
    for found in audit.index.all():
        if audit.is_blind or found.updated_at < audit.frame.since or _key(found) in audit.matched:
            continue
        number = plain(found.order_number)
        order = reading.one_order(audit.commerce, order_id=found.order_id, number=number)
        with transaction.atomic():
            if order is None or order.is_gone:
                gap = orders.missing(found, order, audit.frame)
                keep_gaps(audit.run, [gap] if gap else [], link=_links(audit))
                audit.matched.add(_key(found))
            else:
                audit.index.assign(order.order_id, found)
                _compare(audit, order, audit.index.of(order))
            _save(audit)


def _compare(audit: Audit, order: OrderSnapshot, returns: Sequence[Returned]) -> None:
    odd = [found for found in returns if contradicts(order, found)]
    audit.matched.update(_key(found) for found in returns)
    if odd:
        why = f"return {odd[0].label} names it by this id, but with number {odd[0].order_number}"
        audit.uncompared[f"order {order.number} (id {order.order_id})"] = why
        found = OrderFound()
    elif audit.is_blind:
        found = orders.shop_side(order, audit.frame)
    else:
        found = orders.compare(order, returns, audit.frame)
    if order.order_id in audit.compared:
        forget_order(audit.run, order.order_id)
    audit.compared[order.order_id] = [order.currency, str(found.decided), str(found.refunded)]
    audit.apart.update({a.refund_id: [a.order_id, str(a.amount), a.currency, a.why] for a in found.apart})
    audit.uncompared.update({part.subject: part.why for part in found.uncompared})
    keep_gaps(audit.run, found.gaps, link=_links(audit))


def _key(found: Returned) -> str:
    return f"{found.platform}/{found.return_id}"


def _links(audit: Audit) -> Callable[[Gap], tuple[str, str]]:
    platforms = {platform.name: platform for platform in audit.platforms}

    def links(gap: Gap) -> tuple[str, str]:
        return order_link(audit.commerce, gap.order_id), return_link(platforms.get(gap.platform), gap.return_id)

    return links


# --- how far it came ------------------------------------------------------------------------------------------------


def _save(audit: Audit) -> None:
    audit.run.progress = {
        "cursor": audit.cursor,
        "compared": audit.compared,
        "matched": sorted(audit.matched),
        "uncompared": audit.uncompared,
        "apart": audit.apart,
    }
    audit.run.save(update_fields=["progress"])


def _summed(audit: Audit) -> Run:
    _save(audit)
    return summed(audit.run, compared=audit.compared)
