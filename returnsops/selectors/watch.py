"""Which rows people watch: saved views of lists, what to inspect next, money that needs a person."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect, InboundEvent, Inspection, Refund, ReturnAuthorisation, ReturnLine
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
    """Goods that arrived and of which units are left to judge, longest waiting customer first (S5-31)."""
    found = ReturnAuthorisation.objects.all() if rows is None else rows
    arrived = Q(delivered_at__isnull=False) | Q(received_at__isnull=False) | Q(inspecting_at__isnull=False)
    waiting = found.filter(arrived, inspected_at__isnull=True, closed_at__isnull=True, end_status="")
    lines = ReturnLine.objects.filter(rma=OuterRef("pk"), is_withdrawn=False)
    unjudged = units_left().filter(rma=OuterRef("pk"))
    since = Coalesce(F("in_transit_at"), F("delivered_at"), F("received_at"), F("requested_at"), F("created_at"))
    left = waiting.filter(Exists(unjudged) | ~Exists(lines))
    return left.annotate(waiting_since=since).order_by("waiting_since", "pk")


def units_left() -> QuerySet[ReturnLine]:
    """Lines with units nobody judged for good, as ``left``: the warehouse where it judged any, else the platform.

    The same word counts for money (``planning.verdicts.in_force``). A platform's word alone leaves the units to the
    warehouse where the policy wants hers.
    """
    warehouse_wanted = Q(rma__policy__document__restock__confirmation__in=["warehouse", "both"])
    lines = ReturnLine.objects.filter(is_withdrawn=False).annotate(
        by_warehouse=_judged_by("warehouse"), by_wms=_judged_by("wms"), by_platform=_judged_by("platform")
    )
    judged = Case(
        When(by_warehouse__gt=0, then=F("by_warehouse")),
        When(by_wms__gt=0, then=F("by_wms")),
        When(warehouse_wanted, then=Value(0)),
        default=F("by_platform"),
    )
    return lines.annotate(left=F("quantity") - judged).filter(left__gt=0).order_by("pk")


def _judged_by(source: str) -> Coalesce:
    """Units of a line that one source judged for good."""
    rows = Inspection.objects.filter(line=OuterRef("pk"), source=source, is_superseded=False, is_final=True)
    total = rows.order_by().values("line").annotate(units=Sum("quantity")).values("units")
    return Coalesce(Subquery(total), 0)


@dataclass(frozen=True, kw_only=True)
class ToInspect:
    """One return on the warehouse's list, and why it stands where it does."""

    rma: ReturnAuthorisation
    items: str
    waiting_since: datetime
    why: str


def what_to_inspect_next(*, limit: int = 10) -> tuple[ToInspect, ...]:
    """The head of the list with the units left and the reason for the place, in words."""
    left = Prefetch("lines", queryset=units_left(), to_attr="lines_left")
    rows = to_inspect().select_related("connection").prefetch_related(left)
    rows = rows.annotate(is_waited_for=Exists(_value_in(_UNPAID)), is_paid=Exists(_value_in(_PAID)))
    rows = rows.annotate(is_paid_by_hand=Exists(_paid_by_hand()))
    return tuple(_to_inspect(rma) for rma in rows[:limit])


def _to_inspect(rma: ReturnAuthorisation) -> ToInspect:
    lines = rma.lines_left  # type: ignore[attr-defined]
    since: datetime = rma.waiting_since  # type: ignore[attr-defined]
    where = "goods are in" if rma.received_at else "carrier says delivered"
    promise = _promise(rma)
    return ToInspect(
        rma=rma,
        items=", ".join(f"{line.left} x {line.name or line.sku}" for line in lines) or "items not known yet",
        waiting_since=since,
        why="; ".join(part for part in (where, promise) if part),
    )


def _promise(rma: ReturnAuthorisation) -> str:
    """What of money hangs on the inspection; '' where none does, or the customer has it."""
    if rma.is_waited_for:  # type: ignore[attr-defined]
        return "customer waits for money"
    if rma.is_paid or rma.is_paid_by_hand:  # type: ignore[attr-defined]
        return "money was paid in advance" if rma.mode == "instant" else ""
    return "" if rma.resolution in ("exchange", "none") else "customer waits for money"


def _value_in(effect_states: Collection[str]) -> QuerySet[Effect]:
    """Money and credit of a return in one of these states."""
    return Effect.objects.filter(
        rma=OuterRef("pk"), kind__in=sorted(states.VALUE_KINDS), state__in=sorted(effect_states)
    )


def _paid_by_hand() -> QuerySet[Refund]:
    return Refund.objects.filter(rma=OuterRef("pk"), vanished_at__isnull=True, amount__gt=0)


def _open(rows: Returns) -> Returns:
    return rows.filter(closed_at__isnull=True, end_status="")


def _with_cases(rows: Returns) -> Returns:
    ids = ExceptionCase.objects.active().filter(subject_type=SUBJECT_RETURN).values_list("subject_id", flat=True)
    return rows.filter(pk__in=[int(value) for value in ids if value.isdigit()])


def _waiting_refund(rows: Returns) -> Returns:
    return rows.filter(Exists(_value_in(_UNPAID)))


def _on_the_way(rows: Returns) -> Returns:
    return _open(rows).filter(in_transit_at__isnull=False, received_at__isnull=True)


def _done(rows: Returns) -> Returns:
    return rows.filter(Q(closed_at__isnull=False) | ~Q(end_status=""))


_UNPAID = states.UNSENT | states.IN_FLIGHT | {states.REJECTED, states.FAILED}
_PAID = frozenset({states.DONE, states.CONFIRMED})
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
