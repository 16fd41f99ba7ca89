"""View → plan → effects table. Touches only effects of origin plan, and never one that may have left."""

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db import OperationalError, transaction
from django.db.models import Q

from exceptions_queue.models import ExceptionCase
from returnsops import money, states
from returnsops.log_redaction import fault_of
from returnsops.models import Connection, Effect, ReturnAuthorisation
from returnsops.planning.keys import content_hash
from returnsops.planning.model import Plan, PlannedCase, PlannedEffect
from returnsops.planning.plan import APPROVAL_REFUSED, plan
from returnsops.planning.policy import PolicyError, parse_policy
from returnsops.prepared import Prepared

from . import audit, cases, wakeups
from .attribution import attribute_outside
from .locks import FOR_PLANNING, lock_return
from .row_values import values_of
from .shadow import compare_in_shadow
from .views import view_of

log = logging.getLogger(__name__)

BATCH = 200
SLICE_S = 20.0  # well below django-q2's timeout
NOT_PLANNED = "It could not be planned, so nothing is sent for it yet: see its case."
WHOLE = ":whole"  # ends the fingerprint of a plan that failed as a whole, not in one of its rules


def mark_dirty(*, rma_ids: Iterable[int] = (), order_ids: Iterable[int] = ()) -> None:
    """Ask for a new plan of these returns and of all returns of these orders, in the caller's transaction."""
    wanted = Q(pk__in=list(rma_ids)) | Q(order_id__in=list(order_ids))
    ReturnAuthorisation.objects.filter(wanted).update(is_dirty=True)


def replan_due(*, at: datetime, limit: int = BATCH, slice_s: float = SLICE_S) -> int:
    """Plan every return that is dirty or whose time has come; returns how many. One transaction each.

    A return that cannot be planned stays dirty for the next time and keeps no other from being planned. After
    ``slice_s`` the rest is left to the next time: other work waits in the same queue. ``limit``: how many are looked
    up at once.
    """
    ends, count = time.monotonic() + slice_s, 0
    for rma_id in _in_turn(at=at, limit=limit):
        if time.monotonic() > ends:
            break
        count += plan_if_possible(rma_id=rma_id, at=at)
    return count


def _in_turn(*, at: datetime, limit: int) -> Iterator[int]:
    """What is due, oldest first. Those that failed before come last, the one not tried for longest first: however
    many there are, they take the slice from no other, and each has its turn.
    """
    failed, again, ids = _failed_before(), set[int](), [0]
    while ids:
        ids = [rma_id for (rma_id,) in _due_after(limit).rows(at=at, after_id=ids[-1])]
        again.update(failed.keys() & ids)
        yield from (rma_id for rma_id in ids if rma_id not in failed)
        if len(ids) < limit:
            break
    yield from (rma_id for rma_id in failed if rma_id in again)


@cache
def _due_after(limit: int) -> Prepared[ReturnAuthorisation]:
    return Prepared(
        lambda at, after_id: (
            ReturnAuthorisation.objects.filter(Q(is_dirty=True) | Q(next_look_at__lte=at), pk__gt=after_id)
            .order_by("pk")
            .values_list("pk")[:limit]
        )
    )


def _failed_before() -> dict[int, None]:
    """Returns with the case that they could not be planned at all, by when that was last seen."""
    return {int(rma_id): None for (rma_id,) in _FAILED.rows()}


_FAILED: Final = Prepared(
    lambda: (
        ExceptionCase.objects.active()
        .filter(kind_code=states.CASE_PLANNING_FAILED, fingerprint__endswith=WHOLE)
        .order_by("last_seen_at", "pk")
        .values_list("subject_id")
    )
)


def replan_returns_of_orders(*, order_ids: Iterable[int], at: datetime) -> None:
    """Plan the dirty returns of these orders, in the caller's transaction. One that cannot be planned keeps no other
    waiting: it stays dirty with a case of its own, and what it would have sent is not planned anew till it is mended.
    """
    dirty = ReturnAuthorisation.objects.filter(order_id__in=list(order_ids), is_dirty=True)
    for rma_id in list(dirty.order_by("pk").values_list("pk", flat=True)):
        plan_or_open_case(rma_id=rma_id, at=at)


def plan_if_possible(*, rma_id: int, at: datetime) -> bool:
    """Plan one return, whose marks are kept where that fails for whatever reason; whether it was planned."""
    try:
        return plan_or_open_case(rma_id=rma_id, at=at)
    except OperationalError as error:
        log.error("return %s waits for the database: %s", rma_id, fault_of(error))
        return False


def plan_or_open_case(*, rma_id: int, at: datetime) -> bool:
    """Plan one return, or mark it and open its case: whether it was planned. What a person or a vendor just told is
    kept either way. Raises OperationalError: a database that is away or busy is no fault of the return.
    """
    try:
        replan(rma_id=rma_id, at=at)
    except OperationalError:
        raise
    except Exception as error:
        log.error("return %s could not be planned: %s", rma_id, fault_of(error))
        _open_failure(rma_id, error, at=at)
        return False
    return True


@transaction.atomic
def _open_failure(rma_id: int, error: Exception, *, at: datetime) -> None:
    """The case of a return that cannot be planned at all; the next plan that succeeds closes it."""
    rma = ReturnAuthorisation.objects.get(pk=rma_id)
    mark_dirty(rma_ids=[rma_id])
    kind = states.CASE_PLANNING_FAILED
    cause = (
        f"This return could not be planned ({fault_of(error)}). Nothing new is sent for it, other returns go on, and "
        "it is tried again every minute. Report this with the return's number."
    )
    cases.open_for_return(rma=rma, kind=kind, fingerprint=f"{kind}:{rma.ref}{WHOLE}", cause=cause, at=at)


@transaction.atomic
def replan(*, rma_id: int, at: datetime) -> Plan:
    """Plan one return again and merge the plan into its effects and cases.

    Before that, refunds made outside that explain themselves are attributed, in the same transaction.
    """
    rma = lock_return(rma_id=rma_id, related=FOR_PLANNING)
    if attribute_outside(rma=rma, at=at):
        rma = lock_return(rma_id=rma_id, related=FOR_PLANNING)  # what was attributed may have changed it
    return _replan_locked(rma, at=at)


@transaction.atomic
def replan_as_recorded(*, rma_id: int, at: datetime) -> Plan:
    """The same from what is recorded alone: nothing new is said about refunds made outside. Replay uses it."""
    return _replan_locked(lock_return(rma_id=rma_id, related=FOR_PLANNING), at=at)


def _replan_locked(rma: ReturnAuthorisation, *, at: datetime) -> Plan:
    wanted = _plan_of(rma, at=at)
    _merge(rma, wanted.effects, at=at)
    cases.sync_planned(rma=rma, wanted=wanted.cases, at=at)
    compare_in_shadow(rma=rma, at=at)
    rma.is_dirty = False
    rma.planned_at = at
    rma.next_look_at = wanted.next_look_at
    rma.save(update_fields=["is_dirty", "planned_at", "next_look_at"])
    return wanted


def _plan_of(rma: ReturnAuthorisation, *, at: datetime) -> Plan:
    if rma.route is None or rma.policy is None:
        return Plan(cases=(_no_route(rma),))
    try:
        policy = parse_policy(rma.policy.document)
    except PolicyError as error:
        return Plan(cases=(_no_route(rma, text=str(error)),))
    return plan(view_of(rma), policy, at)


def _no_route(rma: ReturnAuthorisation, *, text: str = "") -> PlannedCase:
    cause = text or (
        f"No route, or no policy, ties {rma.connection.name} and channel {rma.channel or '(none)'} to a shop. "
        "Add the route with apply_config; the return goes on by itself then."
    )
    return PlannedCase(kind=states.CASE_NO_ROUTE, fingerprint=f"{states.CASE_NO_ROUTE}:{rma.ref}", cause=cause)


def _merge(rma: ReturnAuthorisation, wanted: tuple[PlannedEffect, ...], *, at: datetime) -> None:
    keys = [effect.key for effect in wanted]
    # Locked: a pump may be claiming one of them right now, and what is sending is never cancelled.
    rows = _OF_RETURN.objects(rma_id=rma.pk)
    known = {row.key: row for row in rows if row.key in keys or row.state in _STILL_OURS}
    for effect in wanted:
        row = known.get(effect.key)
        if row is None:
            known[effect.key] = _created(rma, effect, at=at)
        elif row.origin == states.ORIGIN_PLAN:
            _merge_one(row, effect, rma=rma, at=at)
    planned = [row for row in known.values() if row.origin == states.ORIGIN_PLAN]
    _cancel([row for row in planned if row.key not in keys], rma=rma, at=at)
    # What a person proposed waited for this plan too: no pump claims anything of a return that is still to be planned.
    for connection_id in sorted({row.connection_id for row in known.values() if row.state == states.READY}):
        wakeups.wake_pump(connection_id)


_STILL_OURS: Final = states.UNSENT | {states.REJECTED}
_OF_RETURN: Final = Prepared(lambda rma_id: Effect.objects.select_for_update(of=("self",)).filter(rma=rma_id))


def _created(rma: ReturnAuthorisation, effect: PlannedEffect, *, at: datetime) -> Effect:
    row = Effect(
        rma=rma,
        order=rma.order,
        route=rma.route,
        connection=_connection(rma, effect),
        kind=effect.kind,
        key=effect.key,
        lane=states.LANES[effect.kind],
        origin=states.ORIGIN_PLAN,
        planned_at=at,
    )
    _take_content(row, effect, rma=rma)
    row.state = _wanted_state(row, effect)
    row.next_attempt_at = at
    row.save()
    _note(row, rma=rma, at=at, act="effect_planned", text=f"Planned: {describe(row)}.")
    return row


def _merge_one(row: Effect, effect: PlannedEffect, *, rma: ReturnAuthorisation, at: datetime) -> None:
    if _is_refused(row, effect):
        return
    if row.state in states.UNSENT or row.state == states.EFFECT_CANCELLED:
        _update_unsent(row, effect, rma=rma, at=at)
    elif row.state == states.REJECTED and row.payload_hash != content_hash(dict(effect.payload)):
        row.generation += 1
        row.attempt_count = 0
        row.first_attempt_at = row.last_attempt_at = None
        _update_unsent(row, effect, rma=rma, at=at)
    elif row.kind == states.MIRROR and row.state in {states.DONE, states.CONFIRMED}:
        _update_mirror(row, effect, rma=rma, at=at)
    elif row.kind == states.MIRROR and row.state in states.IN_FLIGHT:
        _want_meanwhile(row, effect, rma=rma)


def _is_refused(row: Effect, effect: PlannedEffect) -> bool:
    """A person refused this very payload; only another one is asked about again."""
    is_refused = row.state == states.EFFECT_CANCELLED and row.error_code == APPROVAL_REFUSED
    return is_refused and row.payload_hash == content_hash(dict(effect.payload))


def _update_unsent(row: Effect, effect: PlannedEffect, *, rma: ReturnAuthorisation, at: datetime) -> None:
    before, stored = (row.state, row.payload_hash), values_of(row)
    _take_content(row, effect, rma=rma)
    row.state = _wanted_state(row, effect)
    if before[0] not in states.UNSENT:
        row.error_class = row.error_code = row.error_text = ""
    if before[0] not in states.UNSENT or row.next_attempt_at is None:
        row.next_attempt_at = at
    if values_of(row) != stored:
        row.save()
    if before != (row.state, row.payload_hash):
        text = f"{describe(row)}: {row.get_state_display()}{_reason(row)}."
        _note(row, rma=rma, at=at, act="effect_replanned", text=text)


def _update_mirror(row: Effect, effect: PlannedEffect, *, rma: ReturnAuthorisation, at: datetime) -> None:
    """Only the newest content is sent: a mirror goes out again when what is wanted differs from what was sent."""
    if content_hash(dict(effect.payload)) == row.sent_hash:
        return
    _take_content(row, effect, rma=rma)
    row.state = _wanted_state(row, effect)
    if row.state != states.READY:
        row.state = states.DONE
    row.attempt_count = 0
    row.next_attempt_at = at
    row.save()


def _want_meanwhile(row: Effect, effect: PlannedEffect, *, rma: ReturnAuthorisation) -> None:
    """What is on its way stays what it is; as it differs from what is wanted now, it goes out once more after that."""
    if content_hash(dict(effect.payload)) != row.payload_hash:
        _take_content(row, effect, rma=rma)
        row.save()


def _take_content(row: Effect, effect: PlannedEffect, *, rma: ReturnAuthorisation) -> None:
    """Copy what is wanted; other content is a new revision, which voids an approval."""
    hashed = content_hash(dict(effect.payload))
    if row.payload_hash and row.payload_hash != hashed:
        row.payload_revision += 1
        row.approved_by = row.approved_at = row.approved_revision = None
    row.payload = dict(effect.payload)
    row.payload_hash = hashed
    row.serial_key = effect.serial_key
    row.item_external_id = effect.item_id
    row.quantity = effect.quantity
    row.amount = effect.amount
    row.currency = effect.currency
    row.deadline_at = effect.deadline_at
    row.holds = [hold.as_json() for hold in effect.holds]
    row.order = rma.order
    row.basis_hash = rma.order.fingerprint if rma.order else ""
    row.policy = rma.policy


def _wanted_state(row: Effect, effect: PlannedEffect) -> str:
    if effect.holds:
        return states.HELD
    if effect.needs_approval and not row.is_approved:
        return states.AWAITING_APPROVAL
    return states.READY


def _cancel(rows: Iterable[Effect], *, rma: ReturnAuthorisation, at: datetime) -> None:
    """What no plan wants any more."""
    for row in rows:
        row.state = states.EFFECT_CANCELLED
        row.holds = []
        row.save(update_fields=["state", "holds"])
        _note(row, rma=rma, at=at, act="effect_cancelled", text=f"No longer wanted: {describe(row)}.")


def _connection(rma: ReturnAuthorisation, effect: PlannedEffect) -> Connection:
    if effect.target == "platform":
        return rma.connection
    route = rma.route
    found = getattr(route, effect.target) if route else None
    if not isinstance(found, Connection):
        raise LookupError(f"Route {route} has no {effect.target} connection for {effect.key}.")
    return found


def describe(row: Effect) -> str:
    """One effect in a few words, as the timeline and the lists show it."""
    kind = row.kind.replace("_", " ")
    if row.amount is not None:
        return f"{kind} of {money.display(row.amount, currency=row.currency)}"
    if row.kind in (states.EXCHANGE, states.CANCEL_EXCHANGE):
        return f"{kind} {row.payload.get('exchange_id', '')}".strip()
    if row.quantity is not None:
        return f"{kind} of {row.quantity}"
    told = str(row.payload.get("message", "")).replace("_", " ")
    return f"{kind} {row.payload.get('token') or row.payload.get('field') or told}".strip()


def _reason(row: Effect) -> str:
    texts = [hold["text"] for hold in row.holds]
    return f" ({'; '.join(texts)})" if texts else ""


def _note(row: Effect, *, rma: ReturnAuthorisation, at: datetime, act: str, text: str) -> None:
    if row.kind == states.MIRROR:
        return  # a field kept up to date says nothing that its tries do not say
    detail: dict[str, Any] = {"key": row.key, "state": row.state, "revision": row.payload_revision}
    audit.record(act=act, by=audit.SYSTEM, at=at, subject=row, text=text, rma=rma, detail=detail)
