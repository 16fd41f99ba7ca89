"""Acts about one return as messages of the inbox, so that they are replayed like everything else that was told."""

import json
import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Any

from returnsops import facts, states
from returnsops.models import InboundEvent, ReturnAuthorisation


def record_act(
    *, rma: ReturnAuthorisation, fact: facts.ReturnFact, by: str, at: datetime, source: str = "human", key: str = ""
) -> InboundEvent:
    """One processed message that states the fact; the caller applies it in the same transaction.

    ``key``: the teller's own, '' = one is made.
    """
    return InboundEvent.objects.create(
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


def _document(fact: facts.ReturnFact) -> dict[str, Any]:
    return {"fact": type(fact).__name__, **asdict(fact)}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
