"""One pump per connection: finds what is due, keeps the calls going, writes what comes of them (design section 5).

A lease row lets one pump at a time work on a connection. Threads of its pool only do HTTP; this thread alone reads
and writes rows, and takes the slots of the budget for them. Several pumps at once would still be right, since every
effect is claimed by itself; the lease saves the vendor's budget. A pump works in slices shorter than django-q2's
timeout, and looks again after it gave the lease back, so that what became due meanwhile is not left for the sweep.
"""

import logging
import uuid
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache, reduce
from operator import or_
from queue import SimpleQueue
from threading import Event
from typing import Any, Final

from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from connectors import budget, stops
from connectors.delivery import open_job, settle_surely
from connectors.jobs import Answered, Job, Runtime, lease_s, perform
from connectors.models import ConnectionBudget, PumpLease
from connectors.pace_settings import paced
from connectors.points import settle as settle_points
from connectors.points import take as take_points
from connectors.ports import Capabilities, VendorError
from connectors.purses import Points
from returnsops import states
from returnsops.models import Connection, Effect
from returnsops.prepared import Prepared, PreparedUpdate
from returnsops.services import effects

log = logging.getLogger(__name__)

SLICE_S: Final = 25.0
SLOT_WAIT_S: Final = 60.0  # how long a thread waits for this thread to take a slot; it never does in practice

_PURPOSE: Final = {states.READY: effects.SEND, states.UNKNOWN: effects.LOOK_UP, states.DONE: effects.CONFIRM}
_Due = tuple[int, str]  # an effect and what is due for it


@dataclass(frozen=True, kw_only=True)
class PumpResult:
    """What a run did; ``is_unfinished``: the slice ended before the work did, so wake the pump again."""

    worked: int = 0
    recovered: int = 0
    is_unfinished: bool = False
    next_due_at: datetime | None = None  # when the next effect of this connection is due; None: none waits for a time


@dataclass(frozen=True, kw_only=True)
class _Slice:
    connection: Connection
    capabilities: Capabilities
    runtime: Runtime
    ends_at: datetime
    passed_over: set[int] = field(default_factory=set)  # somebody else has them, or nothing could be asked

    @property
    def is_over(self) -> bool:
        return self.runtime.now() >= self.ends_at


def run(
    *,
    connection_id: int,
    runtime: Runtime | None = None,
    is_threaded: bool = True,
    slice_s: float = SLICE_S,
    nap_s: float = 0.0,
) -> PumpResult:
    """Work on one connection until nothing is due or the slice ends. Nothing where another pump has the lease.

    ``is_threaded=False`` makes the calls in this thread, one after the other (tests, ``drain``). What becomes due
    within ``nap_s`` and the slice is waited for, without the lease.
    """
    runtime = runtime or Runtime()
    connection = _CONNECTION.one(connection_id=connection_id)
    capabilities = paced(runtime.connector(connection.vendor).capabilities, connection.settings)
    part = _Slice(
        connection=connection,
        capabilities=capabilities,
        runtime=runtime,
        ends_at=runtime.now() + timedelta(seconds=slice_s),
    )
    worked = recovered = 0
    while not part.is_over:
        at = runtime.now()
        holder = take_lease(connection_id=connection_id, lease_for_s=slice_s + lease_s(capabilities), at=at)
        if not holder:
            break
        try:
            recovered += effects.recover_lapsed(connection_id=connection_id, at=at)
            done = _work_threaded(part) if is_threaded else _work_inline(part)
            worked += done
        finally:
            give_lease_back(connection_id=connection_id, holder=holder)
        # Again, now without the lease: a wake-up that came while we held it found the pump busy and went away.
        # What is due and could not be worked on (an open breaker) waits for its time, or for the sweep.
        if not (done and _has_due(part)) and not _napped(part, nap_s=nap_s):
            return PumpResult(worked=worked, recovered=recovered, next_due_at=_next_due_at(part))
    return PumpResult(worked=worked, recovered=recovered, is_unfinished=part.is_over)


_CONNECTION: Final = Prepared(lambda connection_id: Connection.objects.filter(pk=connection_id))


def _napped(part: _Slice, *, nap_s: float) -> bool:
    """Sleep until the next effect is due, where that is soon; False where there is nothing to wait for."""
    due_at = _next_due_at(part) if nap_s > 0 else None
    wait_s = (due_at - part.runtime.now()).total_seconds() if due_at else 0.0
    if due_at is None or wait_s > nap_s or due_at >= part.ends_at:
        return False
    part.runtime.sleep(wait_s)
    part.passed_over.clear()
    return True


# --- lease -------------------------------------------------------------------------------------------------------


def take_lease(*, connection_id: int, lease_for_s: float, at: datetime) -> str:
    """The token of the lease; '' where another pump holds it."""
    until = at + timedelta(seconds=lease_for_s)
    holder = uuid.uuid4().hex
    if _TAKE_LEASE.run(connection_id=connection_id, holder=holder, at=at, until=until):
        return holder
    if PumpLease.objects.filter(connection_id=connection_id).exists():
        return ""
    PumpLease.objects.get_or_create(connection_id=connection_id)  # its first pump; another may be making it as well
    return holder if _TAKE_LEASE.run(connection_id=connection_id, holder=holder, at=at, until=until) else ""


_TAKE_LEASE: Final = PreparedUpdate(
    lambda connection_id, holder, at, until: (
        PumpLease.objects.filter(
            Q(lease_until_at__isnull=True) | Q(lease_until_at__lte=at), connection_id=connection_id
        ),
        {"holder": holder, "lease_until_at": until},
    )
)


def give_lease_back(*, connection_id: int, holder: str) -> None:
    """Let the next pump in; nothing where the lease is another's by now."""
    _GIVE_LEASE_BACK.run(connection_id=connection_id, holder=holder)


_GIVE_LEASE_BACK: Final = PreparedUpdate(
    lambda connection_id, holder: (
        PumpLease.objects.filter(connection_id=connection_id, holder=holder),
        {"holder": "", "lease_until_at": None},
    )
)


# --- what is due -------------------------------------------------------------------------------------------------


def due_effects(*, connection: Connection, at: datetime) -> QuerySet[Effect]:
    """What may be worked on now, by lane, then by due time. A stop keeps back sends only; reading goes on."""
    return _due(stops.stopped_now(connection), connection_id=connection.pk, at=at)


def _due(stopped: stops.Stopped, *, connection_id: int, at: datetime) -> QuerySet[Effect]:
    effects_here = Effect.objects.filter(connection=connection_id, connection__is_paused=False)
    in_flight = Effect.objects.filter(
        connection=OuterRef("connection"), serial_key=OuterRef("serial_key"), state__in=sorted(states.IN_FLIGHT)
    )
    may_go = effects.due(purpose=effects.SEND, at=at) & stops.may_send(stopped)
    sends = may_go & (Q(serial_key="") | ~Exists(in_flight))
    reads = effects.due(purpose=effects.LOOK_UP, at=at) | effects.due(purpose=effects.CONFIRM, at=at)
    return effects_here.filter(sends | reads).order_by("lane", "next_attempt_at", "pk")


def _next_due(connection: Connection, *, at: datetime, limit: int, without: Collection[int] = ()) -> list[_Due]:
    """The first of ``due_effects``, with what is due for them."""
    fetched = 1 << (limit + len(without) - 1).bit_length()
    rows = _look(stops.stopped_now(connection), fetched).rows(connection_id=connection.pk, at=at)
    return [(pk, _PURPOSE[state]) for pk, state in rows if pk not in without][:limit]


@lru_cache(maxsize=100)
def _look(stopped: stops.Stopped, limit: int) -> Prepared[Effect]:
    return Prepared(lambda **now: _due(stopped, **now).values_list("pk", "state")[:limit])


def _waiting(*, at: datetime) -> QuerySet[Effect, tuple[int, str]]:
    lapsed = Q(state=states.SENDING, lease_until_at__lte=at)
    by_their_row = [effects.due(purpose=purpose, at=at) for purpose in _PURPOSE.values()]
    waiting = Effect.objects.filter(reduce(or_, by_their_row, lapsed)).order_by()
    return waiting.values_list("connection_id", "state").distinct()


_LOOK_EVERYWHERE: Final = Prepared(_waiting)


def connections_with_work(*, at: datetime) -> list[int]:
    """Connections whose pump would find something: due effects, or claims whose worker died."""
    found: dict[int, set[str]] = {}
    for connection_id, state in _LOOK_EVERYWHERE.rows(at=at):
        found.setdefault(connection_id, set()).add(state)
    return [pk for pk in sorted(found) if _has_work(_CONNECTION.one(connection_id=pk), found[pk], at=at)]


def _has_work(connection: Connection, waiting: set[str], *, at: datetime) -> bool:
    return states.SENDING in waiting or bool(_next_due(connection, at=at, limit=1))


def _to_come(*, connection_id: int, at: datetime) -> QuerySet[Effect, tuple[Any, ...]]:
    rows = Effect.objects.filter(connection=connection_id)
    tries = Q(state__in=[states.READY, states.UNKNOWN], next_attempt_at__gt=at)
    looks = Q(state=states.DONE, kind__in=sorted(states.READ_BACK_KINDS), confirm_after_at__gt=at)
    claims = Q(state=states.SENDING, lease_until_at__gt=at)
    firsts = {
        "try_at": Min("next_attempt_at", filter=tries),
        "look_at": Min("confirm_after_at", filter=looks),
        "lapse_at": Min("lease_until_at", filter=claims),
    }
    return rows.filter(tries | looks | claims).order_by().values_list("connection_id").annotate(**firsts)


_LOOK_AHEAD: Final = Prepared(_to_come)


def _next_due_at(part: _Slice) -> datetime | None:
    """When something of this connection comes due that is not due yet, as far as its rows say."""
    at, connection_id = part.runtime.now(), part.connection.pk
    times = [due_at for _, *firsts in _LOOK_AHEAD.rows(connection_id=connection_id, at=at) for due_at in firsts]
    times.append(budget.waits_until(connection_id=connection_id, at=at))
    return min((due_at for due_at in times if due_at is not None), default=None)


def _due_now(part: _Slice, *, limit: int) -> list[_Due]:
    return _next_due(part.connection, at=part.runtime.now(), limit=limit, without=part.passed_over)


def _has_due(part: _Slice) -> bool:
    if not _due_now(part, limit=1):
        return False
    return not budget.is_blocked(budget.budget_of(connection_id=part.connection.pk), at=part.runtime.now())


def _next_jobs(part: _Slice, *, active: int) -> list[Job]:
    """Claim as many effects as there is room for; behind an open breaker only one, the probe."""
    room = part.capabilities.concurrency - active
    if room <= 0 or part.is_over:
        return []
    due = _due_now(part, limit=room)
    if not due:
        return []
    health = budget.budget_of(connection_id=part.connection.pk)
    if budget.is_blocked(health, at=part.runtime.now()):
        return []
    is_probing = budget.is_open(health)
    if is_probing and (active or not budget.may_probe(health, at=part.runtime.now())):
        return []
    if is_probing:
        due = due[:1]
    jobs = [_opened(part, effect_id, purpose) for effect_id, purpose in due]
    taken = [job for job in jobs if job is not None]
    # Where none of them was to be had, the next ones are asked for, until there are no more.
    return taken or ([] if is_probing else _next_jobs(part, active=active))


def _opened(part: _Slice, effect_id: int, purpose: str) -> Job | None:
    job = open_job(effect_id=effect_id, purpose=purpose, runtime=part.runtime)
    if job is None:
        part.passed_over.add(effect_id)
    return job


# --- working -----------------------------------------------------------------------------------------------------


def _work_inline(part: _Slice) -> int:
    before_call = part.runtime.before_call or budget.before_call(
        connection_id=part.connection.pk,
        capabilities=part.capabilities,
        now=part.runtime.now,
        sleep=part.runtime.sleep,
    )
    one_by_one = replace(
        part,
        capabilities=replace(part.capabilities, concurrency=1),
        runtime=replace(part.runtime, before_call=before_call),
    )
    worked = 0
    while jobs := _next_jobs(one_by_one, active=0):
        job: Job | None = jobs[0]
        while job is not None:
            job = _settled(part, job, perform(job))
        worked += 1
    return worked


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A thread wants something of the rows: this thread does it and says how long to wait, or why not."""

    act: Callable[[], float]
    answered: Event = field(default_factory=Event)
    said: list[float | VendorError] = field(default_factory=list)


def _work_threaded(part: _Slice) -> int:
    news: SimpleQueue[Any] = SimpleQueue()
    desk = _Desk(news=news, part=part)
    purse = desk if part.capabilities.points is not None else None
    asking = replace(part, runtime=replace(part.runtime, before_call=desk.take_slot, purse=purse))
    worked = active = 0
    with ThreadPoolExecutor(max_workers=part.capabilities.concurrency) as pool:
        while True:
            for job in _next_jobs(asking, active=active):
                active += 1
                pool.submit(_perform_into, news, job)
            if not active:
                return worked
            what = news.get()
            if isinstance(what, _Asked):
                _answer(what)
                continue
            job, answer = what
            following = _settled(asking, job, answer)
            if following is not None:
                pool.submit(_perform_into, news, following)
                continue
            active -= 1
            worked += 1
            part.passed_over.clear()  # its serial key is free again


def _perform_into(news: "SimpleQueue[Any]", job: Job) -> None:
    news.put((job, perform(job)))


def _settled(part: _Slice, job: Job, answer: Answered) -> Job | None:
    try:
        return settle_surely(job, answer, runtime=part.runtime)
    except Exception:  # the effect keeps its claim until the lease ends and is looked up then; the others go on
        log.exception("effect %s could not be settled", job.claim.effect_id)
        part.passed_over.add(job.claim.effect_id)
        return None


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """What threads of the pool ask the pump's own thread for: slots and points."""

    news: "SimpleQueue[Any]"
    part: _Slice
    seen: list[ConnectionBudget] = field(default_factory=list)

    def take_slot(self, label: str) -> None:
        """The slot of one call; waits for it. Raises BudgetSpent."""
        calls, row = self.part.capabilities.calls_per_minute, self.part.connection.pk
        now = self.part.runtime.now
        self._ask(lambda: budget.take(connection_id=row, calls_per_minute=calls, at=now(), seen=self.seen))

    def take(self, points: float) -> None:
        """The points of one call; waits for them. Raises BudgetSpent."""
        self._ask(lambda: take_points(points=points, at=self.part.runtime.now(), **self._purse()))

    def settle(self, points: float, told: Points | None) -> None:
        """A call is over; nobody waits for this."""
        at = self.part.runtime.now()

        def act() -> float:
            settle_points(points=points, told=told, at=at, **self._purse())
            return 0.0

        self.news.put(_Asked(act=act))

    def _purse(self) -> dict[str, Any]:
        return {"connection_id": self.part.connection.pk, "assumed": self.part.capabilities.points}

    def _ask(self, act: Callable[[], float]) -> None:
        asked = _Asked(act=act)
        self.news.put(asked)
        if not asked.answered.wait(SLOT_WAIT_S):
            raise budget.BudgetSpent("No slot could be taken in time.", after_s=SLOT_WAIT_S)
        said = asked.said[0]
        if isinstance(said, VendorError):
            raise said
        if said > 0:
            self.part.runtime.sleep(said)


def _answer(asked: _Asked) -> None:
    try:
        asked.said.append(asked.act())
    except VendorError as error:
        asked.said.append(error)
    finally:
        asked.answered.set()
