"""What waits in front of each vendor, by lane: refunds first, marks last (S1-3)."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count

from returnsops import states
from returnsops.models import Connection, Effect

WAITING = (states.READY, states.UNKNOWN, states.SENDING)


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One kind of effect in front of one connection."""

    lane: int
    kind: str
    ready: int
    under_way: int
    unknown: int


def by_lane() -> Iterator[tuple[str, int, int]]:
    """Connection, lane and how many effects wait there."""
    rows = Effect.objects.filter(state__in=WAITING, connection__isnull=False)
    counted = rows.order_by("connection__name", "lane").values_list("connection__name", "lane")
    yield from counted.annotate(Count("pk"))


def queues_of(connection: Connection) -> list[Queue]:
    """What waits in front of one connection, in the order in which it goes."""
    rows = Effect.objects.filter(state__in=WAITING, connection=connection)
    counts: dict[tuple[int, str], dict[str, int]] = {}
    for lane, kind, state, count in rows.order_by().values_list("lane", "kind", "state").annotate(Count("pk")):
        counts.setdefault((lane, kind), {})[state] = count
    return [
        Queue(
            lane=lane,
            kind=kind,
            ready=found.get(states.READY, 0),
            under_way=found.get(states.SENDING, 0),
            unknown=found.get(states.UNKNOWN, 0),
        )
        for (lane, kind), found in sorted(counts.items())
    ]
