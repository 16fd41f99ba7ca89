"""What keeps effects from being sent though they are ready: switches, pauses, routes, the refund limit (section 5).

Reading goes on: look-ups and read-backs of what was sent are not stopped. Only a paused connection (wrong
credentials) makes no call at all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from exceptions_queue import services as queue
from returnsops import money, states
from returnsops.models import Connection, Effect, Route, Switch
from returnsops.planning.policy import PolicyError, RefundLimit, parse_policy
from returnsops.prepared import Prepared
from returnsops.services import audit, switches
from returnsops.services.views import begun_since

ALL: Final = "all"
LIMIT_WINDOW: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What may not be sent of one connection: all of it, or kinds of effects and routes by name."""

    all: bool = False
    kinds: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()


def stopped_now(connection: Connection) -> Stopped:
    """What people stopped, as it stands."""
    return _stopped(name=connection.name, is_paused=connection.is_paused)


def _stopped(*, name: str, is_paused: bool) -> Stopped:
    scopes = {scope for (scope,) in _SCOPES.rows()}
    if is_paused or {ALL, f"connection:{name}"} & scopes:
        return Stopped(all=True)
    kinds, routes = (
        tuple(sorted(scope.removeprefix(of) for scope in scopes if scope.startswith(of))) for of in ("kind:", "route:")
    )
    return Stopped(kinds=kinds, routes=routes)


_SCOPES: Final = Prepared(lambda: Switch.objects.values_list("scope"))


def may_send(stopped: Stopped) -> Q:
    """Which effects of a connection no stop holds back, as a filter."""
    if stopped.all:
        return Q(pk__in=[])
    on_live_route = Q(route__mode=states.ROUTE_LIVE, route__is_paused=False) & ~Q(route__name__in=stopped.routes)
    return ~Q(kind__in=stopped.kinds) & (Q(route__isnull=True) | on_live_route & _is_released())


def _is_released() -> Q:
    """Of a return begun since its route is live, or released by a person.

    The plan holds the others back too; this is for the time between a switch of the route and the next plan. What a
    person proposed and another approved was decided for this very return.
    """
    of_nobodys_plan = Q(rma__isnull=True) | Q(origin=states.ORIGIN_PERSON)
    return of_nobodys_plan | Q(rma__released_at__isnull=False) | begun_since(F("route__live_from"), of="rma__")


def reason_to_stop(*, effect_id: int) -> str:
    """Why this effect may not leave right now, in words; '' = it may. Asked once more just before the call."""
    ((kind, name, is_paused),) = _OF_EFFECT.rows(effect_id=effect_id)
    stopped = _stopped(name=name, is_paused=is_paused)
    if not stopped.all and _sendable(stopped).rows(effect_id=effect_id):
        return ""
    if not Effect.objects.filter(_is_released(), pk=effect_id).exists():
        return "The return began before its route went live; a person has to release it first."
    return f"Sending is stopped for {name}, its route or {kind}; see the stop switches."


_OF_EFFECT: Final = Prepared(
    lambda effect_id: Effect.objects.filter(pk=effect_id).values_list(
        "kind", "connection__name", "connection__is_paused"
    )
)


@lru_cache(maxsize=100)
def _sendable(stopped: Stopped) -> Prepared[Effect]:
    return Prepared(lambda effect_id: Effect.objects.filter(may_send(stopped), pk=effect_id).values_list("pk"))


def news_to_plan(*, effect_id: int) -> str:
    """What was told of the effect's return since its last plan, in words; '' = nothing. It may forbid the effect."""
    if not _UNPLANNED.rows(effect_id=effect_id):
        return ""
    return "Something new was told of the return meanwhile; it is planned first."


_UNPLANNED: Final = Prepared(
    lambda effect_id: Effect.objects.filter(pk=effect_id, rma__is_dirty=True).values_list("pk")
)


def refund_limit_reached(*, effect_id: int, at: datetime) -> str:
    """How this effect of a ``VALUE_KINDS`` kind would pass its route's limit, which pauses the route; '' = not."""
    effect = _WITH_POLICY.one(effect_id=effect_id)
    route = effect.route
    if route is None or route.policy is None:
        return ""
    try:
        limit = parse_policy(route.policy.document).refund.limit_per_hour
        text = _passed(limit, effect, _sent_lately(route, without=effect_id, at=at))
    except PolicyError as error:  # a limit that nobody can read stops rather than lets through
        text = f"The policy of this route cannot be read; correct it, then resume the route. {error}"
    if text:
        pause_route(route=route, reason=text, at=at)
    return text


_WITH_POLICY: Final = Prepared(lambda effect_id: Effect.objects.select_related("route__policy").filter(pk=effect_id))


@transaction.atomic
def pause_route(*, route: Route, reason: str, at: datetime) -> None:
    """Stop sending on a route and open the case that says how to go on."""
    if Route.objects.filter(pk=route.pk, is_paused=False).update(is_paused=True, pause_reason=reason[:300]):
        audit.record(act="route_paused", by=audit.SYSTEM, at=at, subject=route, text=reason)
    kind = states.CASE_REFUND_LIMIT
    queue.open_case(
        kind=kind,
        fingerprint=f"{kind}:{route.name}",
        subject_type="route",
        subject_id=str(route.pk),
        subject_label=str(route),
        cause=reason,
        deep_link=f"/admin/returnsops/route/{route.pk}/change/",
        group_key=f"route:{route.name}",
        at=at,
    )


def _sent_lately(route: Route, *, without: int, at: datetime) -> list[tuple[Decimal, str]]:
    """Refunds begun within the hour; those somebody looked at when resuming the route count no more."""
    since = max(at - LIMIT_WINDOW, switches.last_resumed_at(route) or at - LIMIT_WINDOW)
    rows = _BEGUN.rows(route_id=route.pk, since=since, without_id=without)
    return [(amount or Decimal(0), currency) for amount, currency in rows]


_BEGUN: Final = Prepared(
    lambda route_id, since, without_id: (
        Effect.objects.filter(
            route=route_id,
            kind__in=sorted(states.VALUE_KINDS),
            state__in=sorted(states.COMMITTED),
            first_attempt_at__gt=since,
        )
        .exclude(pk=without_id)
        .values_list("amount", "currency")
    )
)


def _passed(limit: RefundLimit, effect: Effect, sent: list[tuple[Decimal, str]]) -> str:
    if limit.count is not None and len(sent) + 1 > limit.count:
        return f"More than {limit.count} refunds and credits within an hour; look at them, then resume the route."
    most = limit.money.get(effect.currency)
    total = sum((amount for amount, currency in sent if currency == effect.currency), effect.amount or Decimal(0))
    if most is not None and total > most:
        what = f"{money.display(most, currency=effect.currency)} of refunds and credits"
        return f"More than {what} within an hour; look at them, then resume the route."
    return ""
