"""Refunds that people propose, and what of an order can still be refunded (S4-9).

Errors are EffectError with a sentence for the person.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Sum

from returnsops import money, states
from returnsops.models import Effect, Order, ReturnAuthorisation, Route
from returnsops.planning.keys import business_key, content_hash

from . import audit, credit_sums, locks
from .effect_rows import EffectError, given_reason, label

EXECUTORS: Final = ("commerce_platform", "returns_platform", "merchant")


@transaction.atomic
def propose_manual(
    *,
    order: Order,
    request_id: str,
    amount: Decimal,
    reason: str,
    why: str,
    by: User,
    at: datetime,
    rma: ReturnAuthorisation | None = None,
    route: Route | None = None,
    lines: tuple[Mapping[str, Any], ...] = (),
    executed_by: str = "commerce_platform",
    reference: str = "",
    paid_on: date | None = None,
    ground: str = "",
) -> Effect:
    """A refund a person wants: goodwill, a lost parcel, a gateway that refuses, or one paid outside.

    It counts against the return's own refund unless its ``ground`` is goodwill (``planning.proposed``).
    It waits for a second person. ``request_id`` is the form's own id, so that a form sent twice is one proposal.
    Paid outside: ``executed_by`` "merchant" with reference and date, recorded in the shop, no money moved by it.
    Raises EffectError for an amount that is not positive, has too many digits, or exceeds what is left of the order.
    """
    locks.lock_order(order_id=order.pk)
    order = Order.objects.select_related("connection").get(pk=order.pk)
    key = business_key(states.REFUND, "manual", order.connection.name, order.external_id, request_id)
    known = Effect.objects.filter(key=key).first()
    if known is not None:
        return known
    given_reason(why)
    _check_payment(executed_by=executed_by, reference=reference, paid_on=paid_on)
    served = rma if ground != states.GROUND_GOODWILL else None
    _check_amount(amount, left=remaining_of(order, served=served), currency=order.currency)
    shown = f"{reference} of {paid_on.isoformat()}" if paid_on else reference
    payload = {
        "amount": format(amount, "f"),
        "currency": order.currency,
        "executed_by": executed_by,
        "lines": [dict(line) for line in lines],
        "reason": f"{reason} ({shown})" if shown else reason,  # people see it in the shop
        "rma_number": rma.label if rma else "",
        "reference": shown,
        "ground": ground,
    }
    effect = _proposed(order=order, rma=rma, route=route, key=key, amount=amount, payload=payload, by=by, at=at)
    effect.proposed_why = given_reason(why)
    effect.save()
    text = f"{label(effect)} proposed: {reason}"
    audit.record(act="refund_proposed", by=by.get_username(), at=at, subject=effect, rma=rma, text=text, why=why)
    order.returns.update(is_dirty=True)  # the amount is reserved: other refunds of the order have to know
    return effect


def _proposed(
    *,
    order: Order,
    rma: ReturnAuthorisation | None,
    route: Route | None,
    key: str,
    amount: Decimal,
    payload: Mapping[str, Any],
    by: User,
    at: datetime,
) -> Effect:
    """The row of a proposal, not saved yet."""
    return Effect(
        rma=rma,
        order=order,
        route=route or (rma.route if rma else None),
        connection=order.connection,
        kind=states.REFUND,
        key=key,
        serial_key=f"order:{order.external_id}",  # one write at a time per remote order
        lane=states.LANES[states.REFUND],
        origin=states.ORIGIN_PERSON,
        amount=amount,
        currency=order.currency,
        payload=dict(payload),
        payload_hash=content_hash(dict(payload)),
        basis_hash=order.fingerprint,
        policy=rma.policy if rma else None,
        state=states.AWAITING_APPROVAL,
        planned_at=at,
        proposed_by=by,
    )


def remaining_of(
    order: Order, *, without_effect_id: int | None = None, served: ReturnAuthorisation | None = None
) -> Decimal:
    """What is left to refund: paid, less what stands in the shop, is planned or under way, or was given as credit.

    ``served``: seen by a refund that pays for this return, for which the return's own unsent ones wait: they take
    nothing of it.
    """
    in_shop = order.refunds.filter(vanished_at__isnull=True)
    seen_keys = set(in_shop.exclude(key="").values_list("key", flat=True))
    live = order.effects.filter(kind__in=states.MONEY_KINDS, state__in=states.COMMITTED | states.UNSENT)
    if served is not None:
        live = live.exclude(rma=served, origin=states.ORIGIN_PLAN, state__in=states.UNSENT)
    others = [row for row in live if row.pk != without_effect_id and not _is_seen(row, seen_keys)]
    reserved = sum((row.amount or Decimal(0) for row in others), Decimal(0))
    refunded = in_shop.aggregate(total=Sum("amount"))["total"] or Decimal(0)
    return order.total - refunded - reserved - credit_sums.credited(order)


def remaining_for(effect: Effect) -> Decimal:
    """What of its order a refund that a person proposed may still take, itself not counted."""
    assert effect.order is not None  # propose_manual sets it
    return remaining_of(effect.order, without_effect_id=effect.pk, served=effect.rma if _serves(effect) else None)


def is_other_on_its_way(effect: Effect) -> bool:
    """Whether anything else is being given for the return that this proposal pays for, or its outcome is not known."""
    if not _serves(effect):
        return False
    kinds = (states.REFUND, states.STORE_CREDIT, states.EXCHANGE)
    moving = Effect.objects.filter(rma=effect.rma, kind__in=kinds, state__in=states.IN_FLIGHT)
    return moving.exclude(pk=effect.pk).exists()


def ground_of(effect: Effect) -> str:
    """What a person proposed a refund for; '' = not said. Earlier versions kept it in the refund's text only."""
    if "ground" in effect.payload:
        return str(effect.payload["ground"])
    is_goodwill = f": {states.GROUND_GOODWILL}" in effect.payload.get("reason", "")
    return states.GROUND_GOODWILL if is_goodwill else ""


def _serves(effect: Effect) -> bool:
    """Whether a person proposed it for a return itself, not on top (as ``planning.proposed`` counts it)."""
    is_proposal = effect.kind == states.REFUND and effect.origin == states.ORIGIN_PERSON and effect.rma_id is not None
    return is_proposal and ground_of(effect) != states.GROUND_GOODWILL


def _is_seen(effect: Effect, seen_keys: set[str]) -> bool:
    remote_keys = {effect.key} | {f"{effect.key}#{number}" for number in range(2, effect.generation + 1)}
    return bool(remote_keys & seen_keys)


def _check_payment(*, executed_by: str, reference: str, paid_on: date | None) -> None:
    if executed_by not in EXECUTORS:
        raise EffectError(f"Say who pays: one of {', '.join(EXECUTORS)}.")
    if executed_by == "merchant" and (not reference.strip() or paid_on is None):
        raise EffectError("For a refund paid outside, give its reference and the date it was paid.")


def _check_amount(amount: Decimal, *, left: Decimal, currency: str) -> None:
    if amount <= 0 or not money.is_exact(amount, currency=currency):
        raise EffectError(f"Give a positive amount in {currency} without more digits than the currency has.")
    if amount > left:
        shown = money.display(max(left, Decimal(0)), currency=currency)
        raise EffectError(f"Only {shown} of this order is left to refund, counting what is planned and under way.")
