"""Facts into rows: the one door. Applying only updates our rows; what follows from them is the plan's business."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from returnsops import facts, states
from returnsops.models import Connection, ReturnAuthorisation

from . import decisions, inspections, orders, payouts, returns

ApplyToReturn = Callable[[ReturnAuthorisation, Any, datetime], None]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What facts touched: returns to plan again, orders to read first."""

    rma_ids: tuple[int, ...] = ()
    order_ids: tuple[int, ...] = ()  # our rows
    orders_to_read: tuple[str, ...] = ()  # ids at the commerce connection


@transaction.atomic
def apply_facts(*, connection: Connection, new_facts: Iterable[facts.Fact], at: datetime) -> Applied:
    """Apply in the given order, all or nothing. ``connection`` is where they came from.

    Raises nothing for facts that are old, repeated or about returns not seen before; those are normal.
    """
    rma_ids: dict[int, None] = {}
    order_ids: dict[int, None] = {}
    hints: dict[str, None] = {}
    held: dict[str, ReturnAuthorisation] = {}  # locked and read already; facts about orders may change their rows
    for fact in new_facts:
        if not isinstance(fact, facts.ReturnFact):
            held.clear()
        match fact:
            case facts.OrderMayHaveChanged():
                hints[fact.order_id] = None
            case facts.OrderChanged():
                order_ids[orders.apply_order(connection=connection, snapshot=fact.snapshot, at=at).pk] = None
            case facts.OrderGone():
                gone = orders.mark_gone(connection=connection, order_id=fact.order_id, at=at)
                order_ids.update({gone.pk: None} if gone else {})
            case facts.ReturnFact():
                rma = held.get(fact.return_id) or returns.get_or_create_return(
                    connection=connection, return_id=fact.return_id, at=at
                )
                held[fact.return_id] = rma
                _apply_to_return(rma, fact, at=at)
                rma_ids[rma.pk] = None
    return Applied(rma_ids=tuple(rma_ids), order_ids=tuple(order_ids), orders_to_read=tuple(hints))


def _apply_to_return(rma: ReturnAuthorisation, fact: facts.ReturnFact, *, at: datetime) -> None:
    APPLY[type(fact)](rma, fact, at)
    rma.status = returns.derive_status(rma)
    rma.is_dirty = True
    rma.save()


def _snapshot(rma: ReturnAuthorisation, fact: facts.ReturnSeen, at: datetime) -> None:
    returns.apply_snapshot(rma=rma, fact=fact, at=at)


def _milestone(name: str) -> ApplyToReturn:
    def apply(rma: ReturnAuthorisation, fact: facts.ReturnFact, at: datetime) -> None:
        returns.reach(rma=rma, milestone=name, at=fact.occurred_at)

    return apply


def _declined(rma: ReturnAuthorisation, fact: facts.ReturnDeclined, at: datetime) -> None:
    reason = fact.reason_text or fact.reason_code
    returns.end(rma=rma, status=states.DECLINED, at=fact.occurred_at, reason=reason)


def _cancelled(rma: ReturnAuthorisation, fact: facts.ReturnCancelled, at: datetime) -> None:
    reason = fact.reason_text or fact.reason_code
    returns.end(rma=rma, status=states.CANCELLED, at=fact.occurred_at, reason=reason)


def _expired(rma: ReturnAuthorisation, fact: facts.ReturnExpired, at: datetime) -> None:
    returns.end(rma=rma, status=states.EXPIRED, at=fact.occurred_at, reason="")


def _parcel(rma: ReturnAuthorisation, fact: facts.ParcelFact, at: datetime) -> None:
    returns.apply_parcel(rma=rma, fact=fact)


def _deltas(rma: ReturnAuthorisation, fact: facts.ItemsInspected, at: datetime) -> None:
    inspections.apply_deltas(rma=rma, fact=fact)


def _completed(rma: ReturnAuthorisation, fact: facts.InspectionCompleted, at: datetime) -> None:
    inspections.apply_completed(rma=rma, fact=fact)


def _refund_issued(rma: ReturnAuthorisation, fact: facts.RefundIssued, at: datetime) -> None:
    payouts.apply_refund_issued(rma=rma, fact=fact, at=at)


def _refund_failed(rma: ReturnAuthorisation, fact: facts.RefundFailed, at: datetime) -> None:
    payouts.apply_refund_failed(rma=rma, fact=fact)


def _credit(rma: ReturnAuthorisation, fact: facts.CreditIssued, at: datetime) -> None:
    payouts.apply_credit(rma=rma, fact=fact, at=at)


def _exchange(rma: ReturnAuthorisation, fact: facts.ExchangeRequested, at: datetime) -> None:
    payouts.apply_exchange(rma=rma, fact=fact, at=at)


def _exchange_cancelled(rma: ReturnAuthorisation, fact: facts.ExchangeCancelled, at: datetime) -> None:
    payouts.apply_exchange_cancelled(rma=rma, fact=fact, at=at)


def _showed(rma: ReturnAuthorisation, fact: facts.PlatformShowed, at: datetime) -> None:
    """What was once there has been told: values are only added, so that the order of the facts does not matter."""
    fields = rma.platform_shows.setdefault(fact.message, {})
    fields[fact.field] = sorted({*fields.get(fact.field, []), *fact.values})


def _risk(rma: ReturnAuthorisation, fact: facts.ReturnFact, at: datetime) -> None:
    payouts.apply_risk(rma=rma, fact=fact)


def _decision(rma: ReturnAuthorisation, fact: facts.HumanFact, at: datetime) -> None:
    decisions.apply_decision(rma=rma, fact=fact, at=at)


APPLY: Mapping[type[facts.ReturnFact], ApplyToReturn] = {
    facts.ReturnSeen: _snapshot,
    facts.ReturnRequested: _milestone("requested_at"),
    facts.ReturnAuthorised: _milestone("authorised_at"),
    facts.ReturnClosed: _milestone("closed_at"),
    facts.ReturnDeclined: _declined,
    facts.ReturnCancelled: _cancelled,
    facts.ReturnExpired: _expired,
    facts.ParcelLabelled: _parcel,
    facts.ParcelInTransit: _parcel,
    facts.ParcelDelivered: _parcel,
    facts.ParcelReceived: _parcel,
    facts.ItemsInspected: _deltas,
    facts.InspectionCompleted: _completed,
    facts.RefundIssued: _refund_issued,
    facts.RefundFailed: _refund_failed,
    facts.ExchangeRequested: _exchange,
    facts.ExchangeCancelled: _exchange_cancelled,
    facts.CreditIssued: _credit,
    facts.PlatformShowed: _showed,
    facts.RiskHoldPlaced: _risk,
    facts.RiskHoldReleased: _risk,
    facts.RiskCharge: _risk,
    facts.ReasonClassified: _decision,
    facts.HoldWaived: _decision,
    facts.RefundAttributed: _decision,
    facts.AttributionUndone: _decision,
    facts.ExecutionDecided: _decision,
    facts.CreditWithdrawn: _decision,
    facts.InspectionUndone: _decision,
    facts.ItemRecounted: _decision,
    facts.ReplacementChosen: _decision,
}
