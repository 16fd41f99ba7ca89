"""What a look-up of an order says about our money: seen or not, still fitting or not, explained or not."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors import delivery_cases
from connectors.ports import Found, Lookup
from returnsops import money, states
from returnsops.facts import OrderSnapshot, RemoteRefund
from returnsops.models import Effect
from returnsops.services.approvals import remaining_of


def is_seen(effect: Effect, lookup: Lookup) -> bool:
    """Whether the remote record of an acknowledged effect is there: by our key, or money by its id and amount."""
    if lookup.found is Found.COMPLETE:
        return True
    if effect.kind not in states.MONEY_KINDS or lookup.order is None or not effect.remote_id:
        return False
    return any(
        refund.refund_id == effect.remote_id and refund.amount == effect.amount for refund in lookup.order.refunds
    )


def why_it_no_longer_fits(effect: Effect, order: OrderSnapshot) -> str:
    """Why a refund that a person proposed may not go to the order as it is now (already stored); '' = it may."""
    if order.is_gone or order.is_locked:
        return f"The order is not open for refunds any more: {order.lock_reason or order.status}."
    assert effect.order is not None  # propose_manual sets it
    effect.order.refresh_from_db()
    left = remaining_of(effect.order, without_effect_id=effect.pk)
    if effect.amount is not None and effect.amount > left:
        return f"The order changed: only {money.display(left, currency=order.currency)} of it is left to refund."
    return ""


def compare_refunded_sum(*, effect: Effect, order: OrderSnapshot, at: datetime) -> None:
    """Every refund in the shop is one of ours, once and with its amount, or known as made outside; else a case."""
    excess = unexplained(order=order, ledger=_ledger(effect))
    if excess["amount"] > 0:
        delivery_cases.open_over_refunded(effect=effect, excess=excess, at=at)
    else:
        delivery_cases.close_over_refunded(effect=effect, at=at)


def unexplained(*, order: OrderSnapshot, ledger: Mapping[str, tuple[Decimal, str, str]]) -> dict[str, Any]:
    """What the shop holds under our keys beyond the ledger (effect key → amount, remote id, state)."""
    found: dict[str, list[RemoteRefund]] = defaultdict(list)
    for refund in order.refunds:
        owner = _owner(refund, ledger)
        if owner:
            found[owner].append(refund)
    excess = Decimal(0)
    records: list[dict[str, str]] = []
    for key, refunds in found.items():
        amount, _, state = ledger[key]
        expected = amount if state in states.COMMITTED else Decimal(0)
        more = sum((refund.amount for refund in refunds), Decimal(0)) - expected
        if more > 0:
            excess += more
            records += [{"refund": one.refund_id, "amount": f"{one.amount:f}", "key": key} for one in refunds]
    return {"amount": excess, "records": records, "refunded": sum((r.amount for r in order.refunds), Decimal(0))}


def _owner(refund: RemoteRefund, ledger: Mapping[str, tuple[Decimal, str, str]]) -> str:
    """The key of the effect that a record belongs to; '' = made outside, or without money."""
    if refund.is_zero_money:
        return ""
    key = refund.key.rpartition("#")[0] or refund.key
    if key in ledger:
        return key
    return next((own for own, (_, remote_id, _) in ledger.items() if remote_id and remote_id == refund.refund_id), "")


def _ledger(effect: Effect) -> dict[str, tuple[Decimal, str, str]]:
    rows = Effect.objects.filter(
        connection=effect.connection_id, order=effect.order_id, kind__in=sorted(states.MONEY_KINDS)
    ).values_list("key", "amount", "remote_id", "state")
    return {key: (amount or Decimal(0), remote_id, state) for key, amount, remote_id, state in rows}
