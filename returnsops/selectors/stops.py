"""What keeps an effect from being sent right now although nothing in its plan does: stop switches and pauses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.urls import reverse

from returnsops import states
from returnsops.models import Effect, Switch

from . import words

KNOWN: str = "returnsops:stop-switches"
CACHED_S = 20

InForce = Mapping[str, Switch]  # by scope


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Why it waits, in words, and the page where sending is resumed."""

    text: str
    label: str
    url: str


def in_force() -> InForce:
    """The stop switches as they stand."""
    return {row.scope: row for row in Switch.objects.order_by("stopped_at")}


def lately_in_force() -> InForce:
    """The same, at most 20 s old, for lists that ask for each row; as old as the banner above them."""
    known: InForce | None = cache.get(KNOWN)
    if known is None:
        known = in_force()
        cache.set(KNOWN, known, CACHED_S)
    return known


def of_effect(row: Effect, *, switches: InForce) -> tuple[Stop, ...]:
    """What keeps this effect back, switches before pauses; () for what has left us."""
    if row.state not in states.UNSENT:
        return ()
    route = row.route
    own = ("all", f"connection:{row.connection.name}", f"route:{route.name if route else ''}", f"kind:{row.kind}")
    found = [_of_switch(switches[scope]) for scope in own if scope in switches]
    for what, kind in ((row.connection, "connection"), (route, "route")):
        if what is not None and what.is_paused:
            text = f"waits because {kind} {what} is paused: {what.pause_reason}"
            page = reverse(f"admin:returnsops_{kind}_change", args=[what.pk])
            found.append(Stop(text=text, label=f"page of the {kind}", url=page))
    return tuple(found)


def state_of(row: Effect, *, switches: InForce, now: datetime) -> tuple[str, str]:
    """An effect's state in words and their tone, where sending is stopped as well."""
    is_stopped = bool(of_effect(row, switches=switches))
    return words.state_of(row, now=now, is_stopped=is_stopped), words.tone_of(row, is_stopped=is_stopped)


def _of_switch(row: Switch) -> Stop:
    text = f"waits because {words.scope_in_words(row.scope)} is stopped by {row.stopped_by}: {row.reason}"
    return Stop(text=text, label="stop switches", url=reverse("admin:returnsops_switch_changelist"))
