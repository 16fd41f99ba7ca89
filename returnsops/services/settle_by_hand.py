"""Exchanges and credits that a person carried out in the shop: who, when, and under which reference."""

from datetime import datetime

from django.db import transaction

from exceptions_queue.errors import CaseError
from returnsops import states
from returnsops.models import ReturnAuthorisation
from returnsops.planning.keys import business_key

from . import audit
from .replan import replan


@transaction.atomic
def settle_exchange(
    *, rma: ReturnAuthorisation, exchange_id: str, order_reference: str, by: str, at: datetime, why: str = ""
) -> str:
    """Note the replacement order placed by hand. Raises CaseError if there is nothing to settle."""
    row = rma.exchanges.select_for_update().filter(external_id=exchange_id, settled_at__isnull=True).first()
    if row is None or not order_reference:
        raise CaseError("That replacement is settled already, or its order number is missing.")
    if row.cancelled_at is not None:
        raise CaseError("That exchange was cancelled, so no replacement may be noted for it; load the page again.")
    key = business_key(states.EXCHANGE, rma.ref, exchange_id)
    if rma.effects.filter(key=key, state__in=states.COMMITTED).exists():
        raise CaseError("Our own replacement order is placed already or on its way: look at its effect first.")
    row.commerce_order_id, row.settled_by, row.settled_at = order_reference, by, at
    row.save(update_fields=["commerce_order_id", "settled_by", "settled_at"])
    text = f"Replacement {exchange_id} ordered by hand: {order_reference}."
    audit.record(act="exchange_settled", by=by, at=at, subject=row, text=text, why=why, rma=rma)
    replan(rma_id=rma.pk, at=at)
    return text


@transaction.atomic
def settle_credit(
    *, rma: ReturnAuthorisation, credit_id: str, reference: str, by: str, at: datetime, why: str = ""
) -> str:
    """Note the credit issued by hand. Raises CaseError if there is nothing to settle."""
    row = rma.credits.select_for_update().filter(external_id=credit_id, settled_at__isnull=True).first()
    if row is None or not reference:
        raise CaseError("That credit is settled already, or its reference is missing.")
    key = business_key(states.STORE_CREDIT, rma.ref, row.kind, row.external_id)
    if rma.effects.filter(key=key, state__in=states.COMMITTED).exists():
        raise CaseError("That credit was issued in the shop by us, or is on its way there; look at the return's page.")
    row.settled_by, row.settled_at, row.settled_reference = by, at, reference
    row.save(update_fields=["settled_by", "settled_at", "settled_reference"])
    text = f"{row.kind.replace('_', ' ').capitalize()} {credit_id} issued by hand: {reference}."
    audit.record(act="credit_settled", by=by, at=at, subject=row, text=text, why=why, rma=rma)
    replan(rma_id=rma.pk, at=at)
    return text
