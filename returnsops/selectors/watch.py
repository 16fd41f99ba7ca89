"""Which rows people watch: saved views of lists, what to inspect next, money that needs a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect, InboundEvent, Refund, ReturnAuthorisation
from returnsops.services.cases import SUBJECT_RETURN

from . import words
from .going_live import waiting_for_release

Returns = QuerySet[ReturnAuthorisation]
LONG_HELD = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class View:
    """A saved view of a list: one tab."""

    code: str
    title: str


RETURN_VIEWS: tuple[View, ...] = (
    View(code="open", title="Open"),
    View(code="problems", title="With open cases"),
    View(code="waiting_refund", title="Customer waits for money"),
    View(code="inspect", title="To inspect"),
    View(code="on_the_way", title="On the way"),
    View(code="release", title="Waiting for release"),
    View(code="done", title="Closed"),
    View(code="all", title="All"),
)
EFFECT_VIEWS: tuple[View, ...] = (
    View(code="person", title="Refunds needing a person"),
    View(code="unknown", title="Outcome unknown"),
    View(code="stuck", title="Other failures"),
    View(code="held", title="Held"),
    View(code="moving", title="Moving"),
    View(code="all", title="All"),
)

SHADOW_VIEWS: tuple[View, ...] = (
    View(code="differ", title="Differ"),
    View(code="we_more", title="We would have done more"),
    View(code="people_more", title="People did more"),
    View(code="equal", title="Equal"),
    View(code="not_yet", title="Not done yet"),
    View(code="all", title="All"),
)
REFUND_VIEWS: tuple[View, ...] = (
    View(code="all", title="All"),
    View(code="question", title="Made outside, not attributed"),
    View(code="outside", title="All made outside"),
    View(code="gone", title="No longer in the shop"),
)


def refunds_in(code: str, rows: QuerySet[Refund]) -> QuerySet[Refund]:
    """The refunds with money of one saved view; an unknown code shows all."""
    condition = REFUND_CONDITIONS.get(code, Q())
    return rows.filter(condition).exclude(amount=0)


def returns_in(code: str, rows: Returns) -> Returns:
    """The returns of one saved view; an unknown code shows all."""
    chosen = RETURN_FILTERS.get(code)
    return rows if chosen is None else chosen(rows)


def effects_in(code: str, rows: QuerySet[Effect]) -> QuerySet[Effect]:
    """The effects of one saved view; an unknown code shows all."""
    condition = EFFECT_CONDITIONS.get(code)
    return rows if condition is None else rows.filter(condition)


def refunds_needing_a_person() -> QuerySet[Effect]:
    """Money that no machine moves any more: awaiting approval, rejected, failed."""
    return Effect.objects.filter(EFFECT_CONDITIONS["person"])


def refunds_needing_a_person_total() -> str:
    """Their sums per currency."""
    return words.total(refunds_needing_a_person().order_by().values_list("amount", "currency"))


def to_inspect(rows: Returns | None = None) -> Returns:
    """Goods that arrived and nobody judged, longest waiting customer first (S5-31)."""
    found = ReturnAuthorisation.objects.all() if rows is None else rows
    arrived = Q(delivered_at__isnull=False) | Q(received_at__isnull=False) | Q(inspecting_at__isnull=False)
    waiting = found.filter(arrived, inspected_at__isnull=True, closed_at__isnull=True, end_status="")
    since = Coalesce(F("in_transit_at"), F("delivered_at"), F("received_at"), F("requested_at"), F("created_at"))
    return waiting.annotate(waiting_since=since).order_by("waiting_since", "pk")


@dataclass(frozen=True, kw_only=True)
class ToInspect:
    """One return on the warehouse's list, and why it stands where it does."""

    rma: ReturnAuthorisation
    items: str
    waiting_since: datetime
    why: str


def what_to_inspect_next(*, limit: int = 10) -> tuple[ToInspect, ...]:
    """The head of the list with the items and the reason for the place, in words."""
    rows = to_inspect().select_related("connection").prefetch_related("lines", "parcels")[:limit]
    return tuple(_to_inspect(rma) for rma in rows)


def _to_inspect(rma: ReturnAuthorisation) -> ToInspect:
    lines = [line for line in rma.lines.all() if not line.is_withdrawn]
    since: datetime = rma.waiting_since  # type: ignore[attr-defined]
    where = "goods are in" if rma.received_at else "carrier says delivered"
    promise = "money was paid in advance" if rma.mode == "instant" else "customer waits for money"
    return ToInspect(
        rma=rma,
        items=", ".join(f"{line.quantity} x {line.name or line.sku}" for line in lines) or "items not known yet",
        waiting_since=since,
        why=f"{where}; {promise}",
    )


def _open(rows: Returns) -> Returns:
    return rows.filter(closed_at__isnull=True, end_status="")


def _with_cases(rows: Returns) -> Returns:
    ids = ExceptionCase.objects.active().filter(subject_type=SUBJECT_RETURN).values_list("subject_id", flat=True)
    return rows.filter(pk__in=[int(value) for value in ids if value.isdigit()])


def _waiting_refund(rows: Returns) -> Returns:
    unpaid = Effect.objects.filter(rma=OuterRef("pk"), kind__in=sorted(states.VALUE_KINDS), state__in=sorted(_UNPAID))
    return rows.filter(Exists(unpaid))


def _on_the_way(rows: Returns) -> Returns:
    return _open(rows).filter(in_transit_at__isnull=False, received_at__isnull=True)


def _done(rows: Returns) -> Returns:
    return rows.filter(Q(closed_at__isnull=False) | ~Q(end_status=""))


_UNPAID = states.UNSENT | states.IN_FLIGHT | {states.REJECTED, states.FAILED}
RETURN_FILTERS: Mapping[str, Callable[[Returns], Returns]] = {
    "open": _open,
    "problems": _with_cases,
    "waiting_refund": _waiting_refund,
    "inspect": to_inspect,
    "on_the_way": _on_the_way,
    "release": waiting_for_release,
    "done": _done,
}
REFUND_CONDITIONS: Mapping[str, Q] = {
    "question": Q(origin=Refund.EXTERNAL, rma__isnull=True, is_unrelated=False, vanished_at__isnull=True),
    "outside": Q(origin=Refund.EXTERNAL),
    "gone": Q(vanished_at__isnull=False),
}
EFFECT_CONDITIONS: Mapping[str, Q] = {
    "person": Q(kind__in=sorted(states.VALUE_KINDS), state__in=sorted(states.NEEDS_PERSON)),
    "unknown": Q(state=states.UNKNOWN),
    "stuck": Q(state__in=[states.REJECTED, states.FAILED]) & ~Q(kind__in=sorted(states.VALUE_KINDS)),
    "held": Q(state=states.HELD),
    "moving": Q(state__in=[states.READY, states.SENDING, states.DONE]),
}


def inbox_backlog(*, now: datetime) -> int:
    """Messages that are due and not processed yet, and parked ones."""
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now)
    waiting = Q(state=states.EVENT_RECEIVED) & due
    return InboundEvent.objects.filter(waiting | Q(state=states.EVENT_PARKED)).count()


def unknown_outcomes() -> int:
    """Effects that were sent and whose answer is not known."""
    return Effect.objects.filter(state=states.UNKNOWN).count()


def long_held(*, now: datetime) -> int:
    """Refunds that something has held for more than two days."""
    old = Q(state=states.HELD, kind__in=sorted(states.VALUE_KINDS), planned_at__lt=now - LONG_HELD)
    return Effect.objects.filter(old).count()
