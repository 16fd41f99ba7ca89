"""Refunds made outside that explain themselves: attributed without a person, and recorded like a person's word.

Only where the strict rules of ``planning.attribution`` leave one explanation. What a person said, or took back, stands.
"""

from datetime import datetime
from typing import Final

from returnsops import facts, states
from returnsops.models import Refund, ReturnAuthorisation
from returnsops.planning import outside
from returnsops.planning.attribution import Answer, Explanation
from returnsops.planning.policy import PolicyError, parse_policy
from returnsops.prepared import Prepared

from .apply_facts import apply_facts
from .recorded import record_act
from .views import view_of

BY: Final = "returnsops"
MOST_AT_ONCE: Final = 20  # refunds of one return; each is looked at anew after the one before


def attribute_outside(*, rma: ReturnAuthorisation, at: datetime) -> int:
    """Attribute what explains itself, oldest first, in the caller's transaction and under its locks; how many.

    One at a time: what the first explains is no longer open for the second.
    """
    for count in range(MOST_AT_ONCE):
        found = _next(rma) if _has_questions(rma) else None
        if found is None:
            return count
        answer, explanation = found
        fact = facts.RefundAttributed(
            return_id=rma.external_id,
            occurred_at=at,
            by=BY,
            why=f"The only explanation: {explanation.words}.",
            remote_refund_id=answer.refund_id,
            is_for_return=bool(answer.applied_to),
        )
        record_act(rma=rma, fact=fact, by=BY, at=at)
        apply_facts(connection=rma.connection, new_facts=[fact], at=at)
    return MOST_AT_ONCE


def _next(rma: ReturnAuthorisation) -> tuple[Answer, Explanation] | None:
    """The first refund that is surely for this return, or surely for none."""
    undecided = _questions(rma)
    for answer in answers_of(rma):
        if answer.refund_id in undecided and answer.applied_to in ("", rma.ref):
            return answer, next(one for one in answer.explanations if one.is_strict)
    return None


def answers_of(rma: ReturnAuthorisation) -> tuple[Answer, ...]:
    """What each open refund made outside may have been for, as seen from this return now."""
    if rma.policy is None:
        return ()
    try:
        policy = parse_policy(rma.policy.document)
    except PolicyError:
        return ()
    return outside.answers(view_of(rma), policy)


def _has_questions(rma: ReturnAuthorisation) -> bool:
    return rma.status not in states.RETURN_ENDED and bool(_questions(rma))


def _questions(rma: ReturnAuthorisation) -> set[str]:
    """Refunds on the return's order that nobody ever said anything about, by the shop's id."""
    return {refund_id for (refund_id,) in _UNSAID.rows(order_id=rma.order_id)} if rma.order_id else set()


_UNSAID: Final = Prepared(
    lambda order_id: (
        Refund.objects.filter(order=order_id, origin=Refund.EXTERNAL, attributed_by="", vanished_at__isnull=True)
        .exclude(amount=0)
        .values_list("external_id")
    )
)
