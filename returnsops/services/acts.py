"""Acts of people and warehouse systems about one return: recorded like any other message, applied, planned again."""

from datetime import datetime

from django.db import transaction

from returnsops import facts
from returnsops.models import InboundEvent, ReturnAuthorisation

from .apply_facts import apply_facts
from .recorded import record_act
from .replan import plan_or_open_case

HUMAN_FACTS: dict[str, type[facts.ReturnFact]] = {
    kind.__name__: kind
    for kind in (
        facts.ReasonClassified,
        facts.HoldWaived,
        facts.RefundAttributed,
        facts.AttributionUndone,
        facts.ExecutionDecided,
        facts.CreditWithdrawn,
        facts.InspectionUndone,
        facts.ItemRecounted,
        facts.ReplacementChosen,
        facts.ItemsInspected,
        facts.ParcelReceived,
    )
}


@transaction.atomic
def act(
    *, rma: ReturnAuthorisation, fact: facts.ReturnFact, by: str, at: datetime, source: str = "human", key: str = ""
) -> InboundEvent:
    """Record, apply and plan in one transaction. ``key``: the teller's own, '' = one is made.

    What was told is kept where the return cannot be planned: that has a case, and is tried again.

    Raises DecisionError where the decision does not fit; then nothing at all is stored.
    """
    event = record_act(rma=rma, fact=fact, by=by, at=at, source=source, key=key)
    apply_facts(connection=rma.connection, new_facts=[fact], at=at)
    plan_or_open_case(rma_id=rma.pk, at=at)
    return event
