"""What people do about refunds made outside: apply one of the ranked explanations, or take an answer back."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, Q

from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import facts
from returnsops.models import Refund, ReturnAuthorisation
from returnsops.planning.attribution import Explanation
from returnsops.services import acts
from returnsops.services.attribution import answers_of
from returnsops.services.decisions import DecisionError

RANKS = 3  # explanations with a button of their own


def ranked(rma: ReturnAuthorisation) -> list[tuple[str, Explanation]]:
    """Every explanation of every open refund as (refund id, explanation), the likeliest first."""
    found = [(answer.refund_id, one) for answer in answers_of(rma) for one in answer.explanations]
    return sorted(found, key=lambda pair: -pair[1].score)


def code_of(refund_id: str, explanation: Explanation) -> str:
    """What the button says back: the very explanation that was on the screen, not just its place."""
    return f"{refund_id}|{explanation.code}"


def words_of_rank(rank: int, case: ExceptionCase) -> str:
    """What applying this one would do; '' where there are not that many."""
    found = ranked(_rma_of(case))
    if len(found) < rank:
        return ""
    refund_id, one = found[rank - 1]
    meaning = "counts for that return, whose own refund shrinks by it" if one.return_ref else "counts for no return"
    return f"Refund {refund_id}: {one.words}. It {meaning}. Can be taken back on the return's page until money goes."


def choice_of_rank(rank: int, case: ExceptionCase) -> list[tuple[str, str]]:
    """The explanation of that rank as the only choice."""
    return [(code_of(refund_id, one), one.words) for refund_id, one in ranked(_rma_of(case))[rank - 1 : rank]]


def apply_explanation(
    *, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]
) -> str:
    """Attribute a refund as one explanation says. Raises CaseError where it no longer explains the refund."""
    if not data.get("is_sure"):
        raise CaseError("Tick the box once you have looked at the refund in the shop.")
    return apply_code(rma=_rma_of(case), code=str(data["explanation"]), by=str(by), at=at)


def apply_code(*, rma: ReturnAuthorisation, code: str, by: str, at: datetime) -> str:
    """The second look: the explanation is worked out anew and must be the one that was chosen."""
    found = next(((refund_id, one) for refund_id, one in ranked(rma) if code_of(refund_id, one) == code), None)
    if found is None:
        raise CaseError("The order, its refunds or its returns changed meanwhile; load the page again.")
    refund_id, one = found
    target = _return_of(rma, one.return_ref)
    fact = facts.RefundAttributed(
        return_id=target.external_id,
        occurred_at=at,
        by=by,
        why=f"Chosen from the explanations: {one.words}.",
        remote_refund_id=refund_id,
        is_for_return=bool(one.return_ref),
    )
    _acted(target, fact, by=by, at=at)
    return f"Refund {refund_id}: {one.words}."


def undo(*, rma: ReturnAuthorisation, refund_id: str, by: str, at: datetime, why: str) -> str:
    """Take back what was said of a refund, by a person or without one. Raises CaseError once money has gone since."""
    fact = facts.AttributionUndone(
        return_id=rma.external_id, occurred_at=at, by=by, why=why, remote_refund_id=refund_id
    )
    _acted(rma, fact, by=by, at=at)
    return f"What refund {refund_id} was for is a question again; only people answer it from now on."


def open_refunds(rma: ReturnAuthorisation) -> list[Refund]:
    """Refunds made outside that want an answer: nobody gave one, or the record was deleted since it was given."""
    if rma.order is None:
        return []
    unanswered = Q(rma__isnull=True, is_unrelated=False, vanished_at__isnull=True)
    deleted = Q(rma=rma, vanished_at__gt=F("attributed_at"))
    return list(rma.order.refunds.filter(unanswered | deleted, origin=Refund.EXTERNAL).exclude(amount=0))


def answered_refunds(rma: ReturnAuthorisation) -> list[Refund]:
    """Refunds made outside whose answer this return could take back."""
    if rma.order is None:
        return []
    rows = rma.order.refunds.filter(origin=Refund.EXTERNAL, vanished_at__isnull=True).exclude(amount=0)
    return list(rows.filter(Q(rma=rma) | Q(is_unrelated=True)))


def _return_of(rma: ReturnAuthorisation, ref: str) -> ReturnAuthorisation:
    if ref in ("", rma.ref) or rma.order is None:
        return rma
    return next(other for other in rma.order.returns.select_related("connection") if other.ref == ref)


def _acted(rma: ReturnAuthorisation, fact: facts.HumanFact, *, by: str, at: datetime) -> None:
    try:
        acts.act(rma=rma, fact=fact, by=by, at=at)
    except DecisionError as error:
        raise CaseError(str(error)) from error


def _rma_of(case: ExceptionCase) -> ReturnAuthorisation:
    rma = ReturnAuthorisation.objects.filter(pk=case.subject_id).first() if case.subject_type == "return" else None
    if rma is None:
        raise CaseError("This case is not about one return.")
    return rma


WORDS = {rank: partial(words_of_rank, rank) for rank in range(1, RANKS + 1)}
CHOICES = {rank: partial(choice_of_rank, rank) for rank in range(1, RANKS + 1)}
