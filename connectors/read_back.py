"""What a look-up of an order says about our money: seen or not, still fitting or not, explained or not."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from connectors import delivery_cases
from connectors.ports import Found, Lookup
from returnsops import money, states
from returnsops.facts import OrderSnapshot, RemoteRefund
from returnsops.models import Effect
from returnsops.services.proposals import remaining_for

NOT_THERE: Final = "Acknowledged, but not to be seen there."


def is_about(effect: Effect, lookup: Lookup) -> bool:
    """Whether what was found by our key is the effect's record; for money a person may have named another one."""
    return effect.kind not in states.MONEY_KINDS or lookup.remote_id in ("", effect.remote_id)


def is_seen(effect: Effect, lookup: Lookup) -> bool:
    """Whether the remote record of an acknowledged effect is there: by our key, or money by its id and amount."""
    if lookup.found is Found.COMPLETE and is_about(effect, lookup):
        return True
    return effect.kind in states.MONEY_KINDS and not _what_is_wrong(effect, lookup)


def why_not_seen(effect: Effect, lookup: Lookup) -> str:
    """What a read-back that did not see the record of an effect found instead, in words."""
    wrong = _what_is_wrong(effect, lookup) if effect.kind in states.MONEY_KINDS else ""
    return f"{wrong} {lookup.text}".strip() or NOT_THERE


def refunds_there(lookup: Lookup) -> dict[str, str]:
    """The refunds of the order as they were read, amount by id, to choose the right one from."""
    refunds = lookup.order.refunds if lookup.order is not None else ()
    return {one.refund_id: _amount(one.amount, one.currency) for one in refunds if not one.is_zero_money}


def _what_is_wrong(effect: Effect, lookup: Lookup) -> str:
    """Why the order's refund of the id that the effect has is not this effect; '' = it is, by its id and amount."""
    if lookup.order is None:
        return NOT_THERE
    record = next((one for one in lookup.order.refunds if one.refund_id == effect.remote_id), None)
    if record is None:
        ours = f" The one with our key is {lookup.remote_id!r}." if lookup.remote_id else ""
        return f"Refund {effect.remote_id!r} is not among the refunds of order {lookup.order.number}.{ours}"
    if record.key and effect.key not in (record.key, record.key.rpartition("#")[0]):
        return f"Refund {record.refund_id} carries the key of another effect ({record.key})."
    if record.amount != effect.amount:
        wanted = _amount(effect.amount or Decimal(0), effect.currency)
        is_over = f"is over {_amount(record.amount, record.currency)}"
        return f"Refund {record.refund_id} {is_over}, and {wanted} were to be paid."
    return ""


def _amount(amount: Decimal, currency: str) -> str:
    return money.display(amount, currency=currency)


def why_it_no_longer_fits(effect: Effect, order: OrderSnapshot) -> str:
    """Why a refund that a person proposed may not go to the order as it is now (already stored); '' = it may."""
    if order.is_gone or order.is_locked:
        return f"The order is not open for refunds any more: {order.lock_reason or order.status}."
    assert effect.order is not None  # propose_manual sets it
    effect.order.refresh_from_db()
    left = remaining_for(effect)
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
