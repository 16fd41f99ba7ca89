"""Acts of people and warehouse systems about one return: recorded like any other message, applied, planned again."""

import json
import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from returnsops import facts, states
from returnsops.models import InboundEvent, ReturnAuthorisation

from .apply_facts import apply_facts
from .replan import replan

HUMAN_FACTS: dict[str, type[facts.ReturnFact]] = {
    kind.__name__: kind
    for kind in (
        facts.ReasonClassified,
        facts.HoldWaived,
        facts.RefundAttributed,
        facts.ExecutionDecided,
        facts.CreditWithdrawn,
        facts.InspectionUndone,
        facts.ItemsInspected,
        facts.ParcelReceived,
    )
}


@transaction.atomic
def act(
    *, rma: ReturnAuthorisation, fact: facts.ReturnFact, by: str, at: datetime, source: str = "human", key: str = ""
) -> InboundEvent:
    """Record, apply and plan in one transaction. ``key``: the teller's own, '' = one is made.

    Raises DecisionError where the decision does not fit; then nothing at all is stored.
    """
    event = InboundEvent.objects.create(
        connection=rma.connection,
        source=source,
        delivery_key=f"{source}:{key or uuid.uuid4()}",
        topic=type(fact).__name__,
        subject_key=f"return:{rma.external_id}",
        body=json.dumps(_document(fact), default=_text, sort_keys=True).encode(),
        content_type="application/json",
        state=states.EVENT_PROCESSED,
        received_at=at,
        processed_at=at,
        outcome="applied",
        rma=rma,
        by=by,
    )
    apply_facts(connection=rma.connection, new_facts=[fact], at=at)
    replan(rma_id=rma.pk, at=at)
    return event


def _document(fact: facts.ReturnFact) -> dict[str, Any]:
    return {"fact": type(fact).__name__, **asdict(fact)}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
