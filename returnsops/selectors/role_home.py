"""What a person sees first: figures that link to their lists, and the head of the warehouse's list."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.core.cache import cache
from django.urls import reverse

from exceptions_queue.models import ExceptionCase
from exceptions_queue.permissions import VIEW, WORK, teams_of
from returnsops.models import Connection, ReturnAuthorisation, Route, Switch

from . import stops, watch, words

CACHED_S = 20
Person = User | AnonymousUser


@dataclass(frozen=True, kw_only=True)
class Card:
    """One figure; ``tone`` is bad where somebody has to act, else quiet."""

    title: str
    value: int
    hint: str
    url: str
    tone: str = "quiet"


def cards_for(user: Person, *, now: datetime) -> tuple[Card, ...]:
    """The figures this person may see, at most 20 s old."""
    key = f"returnsops:home:{user.pk}"
    known: tuple[Card, ...] | None = cache.get(key)
    if known is None:
        known = tuple(card for permission, make in CARDS if user.has_perm(permission) for card in make(user, now))
        cache.set(key, known, CACHED_S)
    return known


def badge(name: str, count: Callable[[], int]) -> int:
    """A count for the side bar, at most 20 s old; it is on every page."""
    key = f"returnsops:badge:{name}"
    known: int | None = cache.get(key)
    if known is None:
        known = count()
        cache.set(key, known, CACHED_S)
    return known


def stops_in_force() -> tuple[str, ...]:
    """What keeps sending stopped right now, in words, for the banner on every page."""
    key = "returnsops:stops"
    known: tuple[str, ...] | None = cache.get(key)
    if known is None:
        known = (*_switches(), *_paused())
        cache.set(key, known, CACHED_S)
    return known


def forget_stops() -> None:
    """Show a stop or resume at once to whoever did it."""
    cache.delete_many(("returnsops:stops", stops.KNOWN))


def _switches() -> list[str]:
    rows = Switch.objects.order_by("stopped_at")
    return [f"{_scope(row.scope)} is stopped by {row.stopped_by}: {row.reason}" for row in rows]


def _scope(scope: str) -> str:
    text = words.scope_in_words(scope)
    return text[:1].upper() + text[1:]


def _paused() -> list[str]:
    routes = Route.objects.filter(is_paused=True)
    connections = Connection.objects.filter(is_paused=True)
    return [
        *(f"Route {row} is paused: {row.pause_reason}" for row in routes),
        *(f"Connection {row} is paused: {row.pause_reason}" for row in connections),
    ]


def _case_cards(user: Person, now: datetime) -> list[Card]:
    cases = ExceptionCase.objects
    team = cases.open().filter(owner_team__in=teams_of(user))
    mine = cases.open().filter(assigned_to_id=user.pk).count()
    late = cases.breaching(now).filter(owner_team__in=teams_of(user)).count()
    url = reverse("admin:exceptions_queue_exceptioncase_changelist")
    return [
        Card(title="My open cases", value=mine, hint="assigned to me", url=f"{url}?view=mine"),
        Card(title="Unassigned", value=team.filter(assigned_to=None).count(), hint="open cases of my team",
             url=f"{url}?view=unassigned"),
        Card(title="Late", value=late, hint="cases of my team past their deadline", url=f"{url}?view=breaching",
             tone=_bad_if(late)),
    ]  # fmt: skip


def _all_cases(user: Person, now: datetime) -> list[Card]:
    if user.has_perm(WORK):
        return []
    count = ExceptionCase.objects.open().count()
    url = reverse("admin:exceptions_queue_exceptioncase_changelist")
    return [Card(title="Open cases", value=count, hint="all teams", url=f"{url}?view=all")]


def _money_cards(user: Person, now: datetime) -> list[Card]:
    if not (user.has_perm("returnsops.propose_refund") or user.has_perm("returnsops.requeue_effect")):
        return []
    count = watch.refunds_needing_a_person().count()
    url = reverse("admin:returnsops_effect_changelist")
    held = watch.long_held(now=now)
    return [
        Card(title="Refunds needing a person", value=count, hint=watch.refunds_needing_a_person_total(),
             url=f"{url}?view=person", tone=_bad_if(count)),
        Card(title="Refunds held for over two days", value=held, hint="something waits for somebody",
             url=f"{url}?view=held", tone=_bad_if(held)),
    ]  # fmt: skip


def _return_cards(user: Person, now: datetime) -> list[Card]:
    rows = ReturnAuthorisation.objects.all()
    url = reverse("admin:returnsops_returnauthorisation_changelist")
    waiting = watch.returns_in("waiting_refund", rows).count()
    return [
        Card(title="Open returns", value=watch.returns_in("open", rows).count(), hint="not closed yet",
             url=f"{url}?view=open"),
        Card(title="Customers waiting for money", value=waiting, hint="a refund is not done yet",
             url=f"{url}?view=waiting_refund"),
    ]  # fmt: skip


def _warehouse_cards(user: Person, now: datetime) -> list[Card]:
    url = reverse("admin:returnsops_returnauthorisation_changelist")
    arrived = watch.to_inspect().count()
    coming = watch.returns_in("on_the_way", ReturnAuthorisation.objects.all()).count()
    return [
        Card(title="Waiting for inspection", value=arrived, hint="goods that arrived", url=f"{url}?view=inspect"),
        Card(title="On the way", value=coming, hint="parcels with the carrier", url=f"{url}?view=on_the_way"),
    ]


def _operations_cards(user: Person, now: datetime) -> list[Card]:
    effects = reverse("admin:returnsops_effect_changelist")
    events = reverse("admin:returnsops_inboundevent_changelist")
    connections = reverse("admin:returnsops_connection_changelist")
    unknown, backlog = watch.unknown_outcomes(), watch.inbox_backlog(now=now)
    down = Connection.objects.filter(is_paused=True).count()
    return [
        Card(title="Outcome unknown", value=unknown, hint="sent, being looked up", url=f"{effects}?view=unknown",
             tone=_bad_if(unknown)),
        Card(title="Inbox backlog", value=backlog, hint="messages not processed", url=f"{events}?view=backlog",
             tone=_bad_if(backlog > 100)),
        Card(title="Connections paused", value=down, hint="no calls to that system", url=connections,
             tone=_bad_if(down)),
    ]  # fmt: skip


def _bad_if(condition: object) -> str:
    return "bad" if condition else "quiet"


CARDS: tuple[tuple[str, Callable[[Person, datetime], list[Card]]], ...] = (
    (WORK, _case_cards),
    (VIEW, _all_cases),
    ("returnsops.view_effect", _money_cards),
    ("returnsops.confirm_inspection", _warehouse_cards),
    ("returnsops.view_returnauthorisation", _return_cards),
    ("returnsops.view_inboundevent", _operations_cards),
)
