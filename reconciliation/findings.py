"""Differences into rows and cases: found, seen again, changed, accepted, healed. One open row per fingerprint."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from connectors.problems import EVENT_CASES, SUBJECT_EVENT
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from exceptions_queue.services.opening import stored_key
from reconciliation import causes
from reconciliation.books import Difference
from reconciliation.models import Finding, Run
from returnsops import matters, states
from returnsops.models import Order, ReturnAuthorisation
from returnsops.prepared import Prepared
from returnsops.services import audit, cases, locks

HEALED: Final = "A later comparison no longer finds the difference."
OURS: Final = frozenset(cause.case_kind for cause in causes.CAUSES.values())

# Cases of planner and pumps that ask people for the same thing: a finding refers to one of them, if it is open.
_OF_EFFECT: Final = tuple(
    kind
    for outcome in (states.CASE_REJECTED, states.CASE_ATTEMPTS_EXHAUSTED, states.CASE_AMBIGUOUS_OUTCOME)
    for kind in matters.OUTCOME_CASES[outcome].values()
)
_NOT_SEEN: Final = tuple(matters.OUTCOME_CASES[states.CASE_NOT_SEEN_AFTER_DONE].values())
_SAME_EFFECT: Final[Mapping[str, tuple[str, ...]]] = {
    causes.RECORD_MISSING: _NOT_SEEN,
    causes.RECORD_DELETED: _NOT_SEEN,
    causes.RESTOCK_MISSING: _NOT_SEEN,
    causes.RESTOCK_DELETED: _NOT_SEEN,
    causes.NOT_SETTLED_HERE: _OF_EFFECT,
    causes.RESTOCK_NOT_SETTLED: _OF_EFFECT,
    causes.REFUND_NOT_SHOWN: _OF_EFFECT,
    causes.MARK_NOT_WRITTEN: _OF_EFFECT,
    causes.LEVEL_NOT_UPDATED: (states.CASE_STOCK_CONCERN,),
}
_KEEPS_MONEY_BACK: Final = (
    states.CASE_EXECUTOR_UNKNOWN,
    states.CASE_AMOUNT_MISMATCH,
    states.CASE_CURRENCY_MISMATCH,
    states.CASE_WOULD_OVER_REFUND,
    states.CASE_REFUNDED_OUTSIDE,
    states.CASE_CREDIT_AND_REFUND,
    states.CASE_TOO_MANY_UNITS,
    states.CASE_LINE_NOT_ON_ORDER,
    states.CASE_REASON_UNMAPPED,
    states.CASE_ORDER_LOCKED,
    states.CASE_RISK_HOLD,
    states.CASE_PAID_AFTER_END,
)
_SAME_ORDER: Final[Mapping[str, tuple[str, ...]]] = {
    causes.MADE_OUTSIDE: (states.CASE_REFUNDED_OUTSIDE,),
    causes.OVER_REFUNDED: (states.CASE_OVER_REFUNDED,),
    causes.RECORDED_TWICE: (states.CASE_OVER_REFUNDED,),
    causes.MORE_THAN_SELLABLE: (states.CASE_RESTOCK_CONTRADICTED,),
    causes.NOT_RESTOCKED: (states.CASE_RESTOCK_IMPOSSIBLE, states.CASE_SKU_AMBIGUOUS, *_OF_EFFECT),
    causes.REFERENCE_UNKNOWN: (states.CASE_REFUNDED_OUTSIDE,),
    causes.REFUND_NOT_SHOWN: _KEEPS_MONEY_BACK,
    causes.PLATFORM_AMOUNT_DIFFERS: (states.CASE_AMOUNT_MISMATCH,),
    causes.RETURNED_TWICE: (states.CASE_TOO_MANY_UNITS,),
    causes.RESTOCK_UNMAPPED: (states.CASE_DISPOSITION_UNMAPPED,),
}
# Differences of one return: cases of its order's other returns are about something else.
_OF_ONE_RETURN: Final = frozenset(
    {
        causes.MORE_THAN_SELLABLE,
        causes.NOT_RESTOCKED,
        causes.REFUND_NOT_SHOWN,
        causes.PLATFORM_AMOUNT_DIFFERS,
        causes.RETURNED_TWICE,
        causes.RESTOCK_UNMAPPED,
    }
)


@transaction.atomic
def settle(
    *, run: Run, order: Order, found: Sequence[Difference], read_at: datetime, may_heal: bool, at: datetime
) -> None:
    """Make the open findings of one check and order equal to what was found; older readings change nothing newer."""
    locks.lock_order(order_id=order.pk)
    known = {row.fingerprint: row for row in _OPEN.objects(order_id=order.pk, check_code=run.check_code)}
    for difference in found:
        row = known.pop(fingerprint(run.check_code, order, difference), None)
        if row is None or row.last_seen_at <= read_at:
            _keep(run, order, difference, row, read_at=read_at, at=at)
    for row in known.values():
        if may_heal and row.last_seen_at <= read_at:
            _heal(row, at=at)


_OPEN: Final = Prepared(
    lambda order_id, check_code: Finding.objects.select_for_update(of=("self",)).filter(
        order=order_id, check_code=check_code, healed_at__isnull=True
    )
)


def fingerprint(check_code: str, order: Order, difference: Difference) -> str:
    """Identity of a difference: check, order in its shop, and what it is about; the cause may change."""
    return stored_key(f"{check_code}:{_name(order)}:{difference.subject}")


def _keep(
    run: Run, order: Order, difference: Difference, row: Finding | None, *, read_at: datetime, at: datetime
) -> None:
    before = row.case if row else None
    fields = _fields(order, difference)
    if row is None:
        row = Finding(
            route=run.route,
            check_code=run.check_code,
            fingerprint=fingerprint(run.check_code, order, difference),
            order=order,
            first_run=run,
            first_seen_at=read_at,
        )
    elif any(getattr(row, name) != fields[name] for name in ("cause", "here", "there")):
        row.accepted_by, row.accepted_at, row.accepted_why = "", None, ""
    for name, value in fields.items():
        setattr(row, name, value)
    row.last_run, row.last_seen_at = run, read_at
    if row.accepted_at is None:
        row.case = _known_case(order, difference) or _own_case(row, difference, at=at)
    row.save()
    if before is not None and before.pk != row.case_id:
        close_if_done(case=before, at=at)


def _fields(order: Order, difference: Difference) -> dict[str, Any]:
    return {
        "cause": difference.cause,
        "side": difference.side,
        "text": causes.words(difference, order=_label(order))[:500],
        "suggestion": causes.CAUSES[difference.cause].suggestion,
        "here": difference.here[:200],
        "there": difference.there[:200],
        "amount": difference.amount,
        "currency": difference.currency if difference.amount is not None else "",
        "quantity": difference.quantity,
        "evidence": dict(difference.evidence),
        "rma_id": difference.return_id,
        "effect_id": difference.effect_id,
        "refund_external_id": difference.refund_id,
    }


def _heal(row: Finding, *, at: datetime) -> None:
    row.healed_at = at
    row.save(update_fields=["healed_at"])
    if row.case is not None:
        close_if_done(case=row.case, at=at)


def close_if_done(*, case: ExceptionCase, at: datetime) -> None:
    """Close a case of ours by itself once no open finding asks for it any more; those of others are theirs."""
    if case.kind_code in OURS and not open_findings(case).exists():
        queue.auto_resolve(case=case, at=at, reason=HEALED)


def open_findings(case: ExceptionCase) -> Any:
    """What still asks for this case."""
    return Finding.objects.filter(case=case, healed_at__isnull=True, accepted_at__isnull=True)


@transaction.atomic
def accept(*, case: ExceptionCase, by: User | str, at: datetime, why: str) -> int:
    """A person accepts the differences of a case as they are; returns how many. A change takes it back."""
    rows = list(open_findings(case).select_for_update(of=("self",)).order_by("pk"))
    for row in rows:
        row.accepted_by, row.accepted_at, row.accepted_why = str(by), at, why[:500]
        row.save(update_fields=["accepted_by", "accepted_at", "accepted_why"])
        audit.record(act="difference_accepted", by=str(by), at=at, subject=row, text=row.text, why=why, rma=row.rma)
    return len(rows)


# --- cases -----------------------------------------------------------------------------------------------------------


def _known_case(order: Order, difference: Difference) -> ExceptionCase | None:
    """The open case of planner or pump that asks a person for the same thing already."""
    of_effect = _SAME_EFFECT.get(difference.cause, ())
    of_order = _SAME_ORDER.get(difference.cause, ())
    wanted = Q(pk__in=[])
    if of_effect and difference.effect_id is not None:
        wanted |= Q(kind_code__in=of_effect, subject_type="effect", subject_id=str(difference.effect_id))
    if of_order:
        wanted |= Q(kind_code__in=of_order) & (Q(group_key__in=_groups(order, difference)) | _about_effects(order))
    if difference.event_ids:
        about = [str(event_id) for event_id in difference.event_ids]
        wanted |= Q(kind_code__in=EVENT_CASES, subject_type=SUBJECT_EVENT, subject_id__in=about)
    return ExceptionCase.objects.active().filter(wanted).order_by("pk").first()


def _groups(order: Order, difference: Difference) -> list[str]:
    """The groups of the returns concerned: of the difference's own, or of all of the order."""
    returns: Iterable[ReturnAuthorisation] = order.returns.select_related("connection")
    is_of_one = difference.cause in _OF_ONE_RETURN
    return [stored_key(cases.group_of(rma)) for rma in returns if not is_of_one or rma.pk == difference.return_id]


def _about_effects(order: Order) -> Q:
    ids = [str(pk) for pk in order.effects.values_list("pk", flat=True)]
    return Q(subject_type="effect", subject_id__in=ids)


def _own_case(row: Finding, difference: Difference, *, at: datetime) -> ExceptionCase:
    cause = causes.CAUSES[difference.cause]
    rma = row.rma
    order = row.order
    return queue.open_wanted(
        wanted=queue.CaseWanted(
            kind=cause.case_kind,
            fingerprint=f"{cause.case_kind}:{_name(order)}:{difference.subject}",
            subject_type=cases.SUBJECT_RETURN if rma else "order",
            subject_id=str(rma.pk if rma else order.pk),
            subject_label=f"{rma.label}, {_label(order)}" if rma else _label(order),
            title=cause.title,
            cause=f"{row.text} {cause.suggestion}",
            evidence=difference.evidence,
            money_at_risk=row.amount,
            currency=row.currency,
            waiting_since_at=cases.waiting_since(rma) if rma else None,
            deep_link=cases.link_of(rma) if rma else f"/admin/returnsops/order/{order.pk}/change/",
            group_key=cases.group_of(rma) if rma else f"order:{_name(order)}",
        ),
        at=at,
        is_repeat_counted=False,
    )


def _name(order: Order) -> str:
    return f"{order.connection.name}/{order.external_id}"


def _label(order: Order) -> str:
    return f"Order {order.number or order.external_id}"
