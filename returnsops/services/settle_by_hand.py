"""Exchanges and credits that a person carried out in the shop: who, when, and under which reference.

Ours goes first: while our own order or credit is sent, or may have left, nothing is noted as done by hand. One that
has not left is given up in the same transaction, under the lock that a pump needs to take it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from exceptions_queue.errors import CaseError
from returnsops import states
from returnsops.models import CreditRequest, Effect, ExchangeRequest, ReturnAuthorisation
from returnsops.planning.keys import business_key

from . import audit, locks
from .effect_rows import RELEASED, label, move
from .exchange_keys import exchange_key
from .replan import plan_or_open_case

_GIVEN_UP = states.UNSENT | {states.REJECTED, states.FAILED}


def open_exchanges(rma: ReturnAuthorisation) -> list[ExchangeRequest]:
    """Replacements that may still be ordered by hand: none of ours was sent, or may have left, for them."""
    rows = rma.exchanges.filter(settled_at__isnull=True, cancelled_at__isnull=True)
    left = _keys_that_left(rma)
    return [row for row in rows if exchange_key(rma, row.external_id) not in left]


def open_credits(rma: ReturnAuthorisation) -> list[CreditRequest]:
    """Credits that may still be issued by hand: none of ours was sent, or may have left, for them."""
    left = _keys_that_left(rma)
    return [row for row in rma.credits.filter(settled_at__isnull=True) if _credit_key(rma, row) not in left]


@transaction.atomic
def settle_exchange(
    *, rma: ReturnAuthorisation, exchange_id: str, order_reference: str, by: str, at: datetime, why: str = ""
) -> str:
    """Note the replacement order placed by hand. Raises CaseError if there is nothing to settle."""
    rma = locks.lock_return(rma_id=rma.pk)
    row = rma.exchanges.select_for_update().filter(external_id=exchange_id, settled_at__isnull=True).first()
    if row is None or not order_reference:
        raise CaseError("That replacement is settled already, or its order number is missing.")
    if row.cancelled_at is not None:
        raise CaseError("That exchange was cancelled, so no replacement may be noted for it; load the page again.")
    _give_up_ours(
        exchange_key(rma, exchange_id),
        refusal="Our own replacement order is placed already or on its way: look at its effect first.",
        by=by,
        at=at,
    )
    row.commerce_order_id, row.settled_by, row.settled_at = order_reference, by, at
    row.save(update_fields=["commerce_order_id", "settled_by", "settled_at"])
    text = f"Replacement {exchange_id} ordered by hand: {order_reference}."
    audit.record(act="exchange_settled", by=by, at=at, subject=row, text=text, why=why, rma=rma)
    plan_or_open_case(rma_id=rma.pk, at=at)
    return text


@transaction.atomic
def settle_credit(
    *, rma: ReturnAuthorisation, credit_id: str, reference: str, by: str, at: datetime, why: str = ""
) -> str:
    """Note the credit issued by hand. Raises CaseError if there is nothing to settle."""
    rma = locks.lock_return(rma_id=rma.pk)
    row = rma.credits.select_for_update().filter(external_id=credit_id, settled_at__isnull=True).first()
    if row is None or not reference:
        raise CaseError("That credit is settled already, or its reference is missing.")
    _give_up_ours(
        _credit_key(rma, row),
        refusal="That credit was issued in the shop by us, or is on its way there; look at the return's page.",
        by=by,
        at=at,
    )
    row.settled_by, row.settled_at, row.settled_reference = by, at, reference
    row.save(update_fields=["settled_by", "settled_at", "settled_reference"])
    text = f"{row.kind.replace('_', ' ').capitalize()} {credit_id} issued by hand: {reference}."
    audit.record(act="credit_settled", by=by, at=at, subject=row, text=text, why=why, rma=rma)
    plan_or_open_case(rma_id=rma.pk, at=at)
    return text


def _give_up_ours(key: str, *, refusal: str, by: str, at: datetime) -> None:
    """Cancel our own effect, whose row stays locked until this is committed. Raises CaseError where it left."""
    ours = Effect.objects.select_for_update(of=("self",)).select_related("rma").filter(key=key).first()
    if ours is None or ours.state == states.EFFECT_CANCELLED:
        return
    fields = {"holds": [], "next_attempt_at": None, **RELEASED}
    if not move(Q(pk=ours.pk), _GIVEN_UP, states.EFFECT_CANCELLED, **fields):
        raise CaseError(refusal)
    text = f"{label(ours)}: given up, it is done by hand."
    audit.record(act="effect_cancelled", by=by, at=at, subject=ours, rma=ours.rma, text=text)


def _keys_that_left(rma: ReturnAuthorisation) -> set[str]:
    kinds = (states.EXCHANGE, states.STORE_CREDIT)
    return set(rma.effects.filter(kind__in=kinds, state__in=states.COMMITTED).values_list("key", flat=True))


def _credit_key(rma: ReturnAuthorisation, row: CreditRequest) -> str:
    return business_key(states.STORE_CREDIT, rma.ref, row.kind, row.external_id)
