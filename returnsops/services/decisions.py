"""Decisions of people as facts applied to rows; every one leaves who, when and why."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from returnsops import facts, money, states
from returnsops.models import CreditRequest, Effect, PlatformRefund, ReasonCode, Refund, ReturnAuthorisation, Waiver

from . import audit
from .exchange_keys import exchange_key
from .inspections import UNDONE, apply_recount, supersede_recounted


class DecisionError(Exception):
    """A decision that cannot be taken; the text says why and what to do."""


def apply_decision(*, rma: ReturnAuthorisation, fact: facts.HumanFact, at: datetime) -> None:
    """Store one decision and its history entry. Raises DecisionError where it does not fit the rows."""
    if not fact.by:
        raise DecisionError("A decision needs the person who took it.")
    DECISIONS[type(fact)](rma, fact, at)


def _classify(rma: ReturnAuthorisation, fact: facts.ReasonClassified, at: datetime) -> None:
    line = rma.lines.filter(external_id=fact.item_id).first()
    reason = ReasonCode.objects.filter(code=fact.reason_code, is_active=True).first()
    if line is None or reason is None:
        raise DecisionError(f"Item {fact.item_id} or active reason {fact.reason_code!r} does not exist.")
    line.reason, line.reason_by = reason, fact.by
    line.save(update_fields=["reason", "reason_by"])
    text = f"Reason of {line.sku} classified as {reason.code}."
    audit.record(act="reason_classified", by=fact.by, at=at, subject=line, text=text, why=fact.why, rma=rma)


def _waive(rma: ReturnAuthorisation, fact: facts.HoldWaived, at: datetime) -> None:
    if not fact.why:
        raise DecisionError("Releasing a hold needs a reason.")
    Waiver.objects.get_or_create(
        rma=rma,
        effect_key=fact.effect_key,
        hold_code=fact.hold_code,
        subject=fact.subject,
        defaults={"by": fact.by, "at": at, "why": fact.why},
    )
    audit.record(act="hold_waived", by=fact.by, at=at, subject=rma, text=_waived(fact), why=fact.why, rma=rma)


def _waived(fact: facts.HoldWaived) -> str:
    if fact.hold_code in states.CASES_DONE_THERE:
        what, _, about = fact.subject.partition("/")
        return f"Told the returns platform by hand: {what.replace('_', ' ')} ({about.partition('/')[0]})."
    if fact.hold_code == states.CASE_PLATFORM_REFUND_MISSING:
        return "Refund of ours given up: nothing more is paid for it here."
    return f"Hold {fact.hold_code} released{' for ' + fact.subject if fact.subject else ''}."


def _attribute(rma: ReturnAuthorisation, fact: facts.RefundAttributed, at: datetime) -> None:
    refund = Refund.objects.filter(order=rma.order, external_id=fact.remote_refund_id).first()
    if refund is None or refund.origin != Refund.EXTERNAL:
        raise DecisionError(f"Refund {fact.remote_refund_id} is not a refund made outside on this return's order.")
    if refund.rma_id not in (None, rma.pk):
        raise DecisionError(f"Refund {fact.remote_refund_id} already counts for return {refund.rma}.")
    refund.rma = rma if fact.is_for_return else None
    refund.is_unrelated = not fact.is_for_return
    refund.attributed_by, refund.attributed_at, refund.attributed_why = fact.by, at, fact.why[:500]
    refund.save()
    meaning = "counts for this return" if fact.is_for_return else "has nothing to do with returns"
    shown = money.display(refund.amount, currency=refund.currency)
    text = f"Refund {refund.external_id} of {shown} {meaning}."
    audit.record(act="refund_attributed", by=fact.by, at=at, subject=refund, text=text, why=fact.why, rma=rma)
    refund.order.returns.update(is_dirty=True)


def _undo_attribution(rma: ReturnAuthorisation, fact: facts.AttributionUndone, at: datetime) -> None:
    """The refund is a question again; who took the answer back stays on it, so that it is not answered by itself."""
    refund = Refund.objects.filter(order=rma.order, external_id=fact.remote_refund_id).first()
    is_answered = refund is not None and (refund.rma_id == rma.pk or refund.is_unrelated)
    if refund is None or refund.origin != Refund.EXTERNAL or not is_answered:
        raise DecisionError(f"Refund {fact.remote_refund_id} has no answer from this return to take back.")
    if not fact.why:
        raise DecisionError("Taking an answer back needs a reason.")
    later = Effect.objects.filter(order=rma.order, kind__in=states.VALUE_KINDS, state__in=states.COMMITTED)
    if later.filter(first_attempt_at__gte=refund.attributed_at).exists():
        raise DecisionError(
            "Money of this order has gone since that answer, so it cannot be taken back. Compare the refunds in the "
            "shop with what the customer should have, and settle the difference by hand."
        )
    refund.rma, refund.is_unrelated = None, False
    refund.attributed_by, refund.attributed_at, refund.attributed_why = fact.by, at, fact.why[:500]
    refund.save()
    text = f"What refund {refund.external_id} was for is a question again."
    audit.record(act="attribution_undone", by=fact.by, at=at, subject=refund, text=text, why=fact.why, rma=rma)
    refund.order.returns.update(is_dirty=True)


def _decide_executor(rma: ReturnAuthorisation, fact: facts.ExecutionDecided, at: datetime) -> None:
    """Refunds and credits are asked about in the same words; ids of the two kinds do not meet."""
    row: PlatformRefund | CreditRequest | None = rma.platform_refunds.filter(external_id=fact.refund_id).first()
    row = row or rma.credits.filter(external_id=fact.refund_id).first()
    if row is None or not fact.executed_by:
        raise DecisionError(f"Refund {fact.refund_id} of this return does not exist, or nobody was named to pay it.")
    row.executed_by, row.executed_by_decided_by = fact.executed_by, fact.by
    row.save(update_fields=["executed_by", "executed_by_decided_by"])
    what = "Refund" if isinstance(row, PlatformRefund) else row.kind.replace("_", " ").capitalize()
    text = f"{what} {row.external_id} is paid by: {fact.executed_by.replace('_', ' ')}."
    audit.record(act="executor_decided", by=fact.by, at=at, subject=row, text=text, why=fact.why, rma=rma)


def _withdraw_credit(rma: ReturnAuthorisation, fact: facts.CreditWithdrawn, at: datetime) -> None:
    row = rma.credits.filter(external_id=fact.credit_id, kind=fact.kind, withdrawn_at__isnull=True).first()
    if row is None:
        raise DecisionError(f"Credit {fact.credit_id} does not exist or was withdrawn already; reload the page.")
    if not fact.why:
        raise DecisionError("Taking a credit back needs a reason.")
    row.withdrawn_by, row.withdrawn_at, row.withdrawn_why = fact.by, at, fact.why[:500]
    row.save(update_fields=["withdrawn_by", "withdrawn_at", "withdrawn_why"])
    text = f"{row.kind.replace('_', ' ').capitalize()} {row.external_id} withdrawn."
    audit.record(act="credit_withdrawn", by=fact.by, at=at, subject=row, text=text, why=fact.why, rma=rma)
    if rma.order is not None:
        rma.order.returns.update(is_dirty=True)  # what it reserved is free again


def _undo_inspection(rma: ReturnAuthorisation, fact: facts.InspectionUndone, at: datetime) -> None:
    row = rma.inspections.filter(identity=fact.identity, source__in=("warehouse", "wms"), is_superseded=False).first()
    if row is None:
        raise DecisionError("Only a verdict of our own warehouse that still counts can be taken back; reload the page.")
    restocks = rma.effects.filter(kind=states.RESTOCK, item_external_id=row.item_external_id)
    is_on_sale = row.disposition == states.SELLABLE and restocks.filter(state__in=states.COMMITTED).exists()
    if is_on_sale and not fact.why:
        raise DecisionError(
            "These units are back on sale already or on their way there; give the reason, and they are taken out of"
            " stock again as the policy says."
        )
    row.is_superseded, row.statement = True, UNDONE
    row.save(update_fields=["is_superseded", "statement"])
    supersede_recounted(rma)
    text = f"Verdict taken back: {row.quantity} x {row.line or row.item_external_id}: {row.disposition}."
    audit.record(act="inspection_undone", by=fact.by, at=at, subject=row, text=text, why=fact.why, rma=rma)


def _recount(rma: ReturnAuthorisation, fact: facts.ItemRecounted, at: datetime) -> None:
    """All units that were to come back have to be accounted for, the missing ones included."""
    line = rma.lines.filter(external_id=fact.item_id, is_withdrawn=False).first()
    if line is None:
        raise DecisionError(f"Item {fact.item_id} is not part of this return any more; load the page again.")
    announced = sum(item.quantity for item in fact.items if item.outcome != "unexpected")
    if announced != line.quantity or any(item.item_id != fact.item_id for item in fact.items):
        raise DecisionError(f"{line}: {line.quantity} were to come back, so as many have to be accounted for.")
    apply_recount(rma=rma, fact=fact)
    found = ", ".join(f"{item.quantity} {_found(item)}" for item in fact.items)
    text = f"{line.name or line.sku} counted again, {line.quantity} announced: {found}."
    audit.record(act="item_recounted", by=fact.by, at=at, subject=line, text=text, why=fact.why, rma=rma)


def _found(item: facts.InspectedItem) -> str:
    return "not announced" if item.outcome == "unexpected" else item.disposition


def _choose_replacement(rma: ReturnAuthorisation, fact: facts.ReplacementChosen, at: datetime) -> None:
    row = rma.exchanges.select_for_update().filter(external_id=fact.exchange_id).first()
    if row is None or row.settled_at is not None or row.cancelled_at is not None:
        raise DecisionError(f"Exchange {fact.exchange_id} is settled or withdrawn already; load the page again.")
    key = exchange_key(rma, fact.exchange_id)
    if rma.effects.filter(key=key, state__in=states.COMMITTED).exists():
        raise DecisionError("The replacement order is placed already or on its way; correct it in the shop.")
    names = ("sku", "variant_id", "new_sku", "new_variant_id")
    row.choices = [*row.choices, {name: getattr(fact, name) for name in names}]
    row.save(update_fields=["choices"])
    before, now = fact.sku or fact.variant_id, fact.new_sku or fact.new_variant_id
    text = f"Exchange {fact.exchange_id}: {now} instead of {before}."
    audit.record(act="replacement_chosen", by=fact.by, at=at, subject=row, text=text, why=fact.why, rma=rma)


DECISIONS: Mapping[type[facts.HumanFact], Callable[[ReturnAuthorisation, Any, datetime], None]] = {
    facts.ReasonClassified: _classify,
    facts.HoldWaived: _waive,
    facts.RefundAttributed: _attribute,
    facts.AttributionUndone: _undo_attribution,
    facts.ExecutionDecided: _decide_executor,
    facts.CreditWithdrawn: _withdraw_credit,
    facts.InspectionUndone: _undo_inspection,
    facts.ItemRecounted: _recount,
    facts.ReplacementChosen: _choose_replacement,
}
