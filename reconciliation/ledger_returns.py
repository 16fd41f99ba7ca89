"""What the returns of an order say, as books: the platform's refunds, units coming back, what was not understood."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Q

from connectors.problems import EVENT_CASES, SUBJECT_EVENT
from exceptions_queue.models import CaseState, ExceptionCase
from reconciliation.books import LedgerEffect, Payout, ReturnedUnits, Stage, UnreadEvent
from returnsops import states
from returnsops.models import Effect, InboundEvent, ReturnAuthorisation
from returnsops.planning import claims, order_money, refunds, verdicts
from returnsops.planning.holds import NOT_LIVE, PLATFORM_WRITES
from returnsops.planning.policy import Policy
from returnsops.planning.view import LineView, PayoutView, ReturnView

# The platform's refund has had the time to reach the shop.
OVERDUE_AFTER: Final = timedelta(hours=1)
# A message that says one of these may tell what came back and what became of it.
_ABOUT_GOODS: Final = re.compile(r"restock|stock|inspect|dispos|receiv|arriv|accept|reject", re.IGNORECASE)

Rows = Mapping[str, tuple[Effect, LedgerEffect]]  # by key


# --- the platform's refunds ------------------------------------------------------------------------------------------


def payouts_of(
    rma: ReturnAuthorisation, view: ReturnView, policy: Policy, rows: Rows, *, read_at: datetime
) -> Iterable[Payout]:
    """Refunds that the platform shows, where they and not the policy start ours; in shadow people do it."""
    if not view.is_live or not view.commerce or policy.initiator(view.resolution) == "policy_trigger":
        return
    is_covered = refunds.is_covered(view, policy)
    for payout in claims.payouts(view):
        if payout.amount:
            key = claims.payout_key(view, payout)
            yield _payout(rma, view, policy, payout, rows.get(key), is_covered=is_covered, read_at=read_at)


def _payout(
    rma: ReturnAuthorisation,
    view: ReturnView,
    policy: Policy,
    payout: PayoutView,
    found: tuple[Effect, LedgerEffect] | None,
    *,
    is_covered: bool,
    read_at: datetime,
) -> Payout:
    row, effect = found or (None, None)
    sent = effect.amount if effect is not None else None
    return Payout(
        return_id=rma.pk,
        refund_id=payout.refund_id,
        amount=payout.amount,
        currency=payout.currency,
        stage=_stage(rma, row, effect, payout),
        tolerance=policy.tolerance(payout.currency),
        is_overdue=payout.issued_at <= read_at - OVERDUE_AFTER,
        effect_id=row.pk if row is not None else None,
        effect_key=row.key if row is not None else "",
        sent=sent,
        is_accepted=sent is not None and (is_covered or not refunds.is_not_as_told(view, policy, payout, sent)),
        waits="; ".join(str(hold["text"]) for hold in row.holds)[:300] if row is not None else "",
    )


def _stage(rma: ReturnAuthorisation, row: Effect | None, effect: LedgerEffect | None, payout: PayoutView) -> Stage:
    """How far it came; by the money that a hold keeps back only what moved at the platform stands still."""
    if row is None or effect is None or row.state == states.EFFECT_CANCELLED:
        return "waiting" if rma.is_dirty else "missing"
    if effect.is_settled:
        return "served"
    if row.state in (states.REJECTED, states.FAILED):
        return "refused"
    if row.state != states.HELD:
        return "going"
    codes = {str(hold["code"]) for hold in row.holds}
    if NOT_LIVE in codes:
        return "waiting"
    has_moved = (row.payload.get("executed_by") or payout.executed_by) in ("returns_platform", "merchant")
    if has_moved and codes & states.PLANNER_CASES:
        return "held"
    return "platform_writes" if PLATFORM_WRITES in codes else "waiting"


def paying_of(rma: ReturnAuthorisation, view: ReturnView, policy: Policy) -> Iterable[tuple[int, str]]:
    """Refunds made outside that pay for this return."""
    return ((rma.pk, refund.refund_id) for refund in order_money.covering(view, policy))


# --- units coming back -----------------------------------------------------------------------------------------------


def returned_of(rma: ReturnAuthorisation, view: ReturnView) -> Iterable[ReturnedUnits]:
    """Units of order lines that this return brings back, whatever for; none of one that ended."""
    if view.status in states.RETURN_ENDED:
        return
    for line in view.lines:
        units = verdicts.units_payable(view, line)
        if line.order_line_id and units:
            yield ReturnedUnits(
                return_id=rma.pk,
                label=view.number,
                line_id=line.order_line_id,
                name=line.name or line.sku or f"item {line.item_id}",
                units=units,
                worth=_worth(line, units),
                currency=view.currency,
            )


def _worth(line: LineView, units: int) -> Decimal | None:
    return line.total * units / line.quantity if line.total is not None and line.quantity else None


# --- messages that could not be understood ---------------------------------------------------------------------------


def unread_of(rma: ReturnAuthorisation, view: ReturnView) -> Iterable[UnreadEvent]:
    """Messages about this return that wait for a mapping or a person; healed ones are understood."""
    if not view.is_live:
        return
    waiting = Q(state=states.EVENT_PARKED) | Q(state=states.EVENT_PROCESSED, rma__isnull=True)
    rows = InboundEvent.objects.filter(
        waiting, connection=rma.connection, subject_key=f"return:{rma.external_id}", source__in=["webhook", "poll"]
    )
    events = {str(event.pk): event for event in rows.only("pk", "topic")}
    if not events:
        return
    cases = ExceptionCase.objects.filter(
        kind_code__in=EVENT_CASES, subject_type=SUBJECT_EVENT, subject_id__in=list(events)
    ).exclude(state=CaseState.AUTO_RESOLVED)
    is_here = verdicts.has_passed(view, "received")
    for case in cases.order_by("pk"):
        event = events[case.subject_id]
        yield UnreadEvent(
            event_id=event.pk,
            return_id=rma.pk,
            topic=event.topic,
            why=case.cause[:300],
            is_about_goods=is_here or bool(_ABOUT_GOODS.search(f"{event.topic} {case.cause} {case.evidence}")),
        )
