"""What people can do about a difference: compare again, accept it, say what a refund made outside was for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from connectors.registry import utc_now
from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from reconciliation import findings, services, windows
from reconciliation.models import Finding
from returnsops import facts, money
from returnsops.models import Order, Refund, ReturnAuthorisation, Route
from returnsops.services import acts, approvals, audit, locks
from returnsops.services.decisions import DecisionError
from returnsops.services.effect_rows import EffectError

Data = Mapping[str, Any]


def look_again(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Read the order and run every check for it; the case closes by itself where the difference is gone."""
    _check(case, at=at, by=by)
    left = findings.open_findings(case).count()
    return f"Compared again: {left} still differ." if left else "Compared again: both agree now."


def is_gone(case: ExceptionCase) -> bool:
    """The queue's re-check: read again, and ask whether anything still differs."""
    _check(case, at=utc_now(), by="system")
    return not findings.open_findings(case).exists()


def accept(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Accept the difference as it is."""
    count = findings.accept(case=case, by=by, at=at, why=reason)
    if not count:
        raise CaseError("Nothing differs here any more; compare again.")
    return "Accepted as it is; it comes back if it changes."


def count_for_return(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The refund pays for a return: that return is planned again, and only the difference is refunded."""
    refund = _refund_of(case)
    rma = ReturnAuthorisation.objects.filter(pk=data["rma"], order=refund.order).first()
    if rma is None:
        raise CaseError("That return is not on this order; load the page again.")
    _attribute(rma, refund, by=by, at=at, why=reason, is_for_return=True)
    _check_if_possible(refund.order, at=at, by=by)
    return f"Refund {refund.external_id} counts for return {rma.label}."


def say_unrelated(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The refund has nothing to do with returns."""
    refund = _refund_of(case)
    rma = refund.order.returns.order_by("pk").first()
    if rma is not None:
        _attribute(rma, refund, by=by, at=at, why=reason, is_for_return=False)
    else:
        mark_unrelated(refund=refund, by=by, at=at, why=reason)
    _check_if_possible(refund.order, at=at, by=by)
    return f"Refund {refund.external_id} has nothing to do with returns."


def write_again(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Let the note or field of the case be written on the order once more; it is looked up before."""
    effects = [row.effect_id for row in findings.open_findings(case) if row.effect_id is not None]
    if not effects:
        raise CaseError("Nothing is missing on the order any more; compare again.")
    try:
        for effect_id in effects:
            approvals.write_again(effect_id=effect_id, by=by, at=at)
    except EffectError as error:
        raise CaseError(str(error)) from None
    return "It is on its way to the order; the next comparison closes the case."


@transaction.atomic
def mark_unrelated(*, refund: Refund, by: User | str, at: datetime, why: str) -> None:
    """The same for an order without returns. Raises CaseError where somebody said otherwise meanwhile."""
    locks.lock_order(order_id=refund.order_id)
    row = Refund.objects.select_for_update(of=("self",)).get(pk=refund.pk)
    if row.origin != Refund.EXTERNAL or row.rma_id is not None:
        raise CaseError("This refund belongs to a return already; load the page again.")
    row.is_unrelated = True
    row.attributed_by, row.attributed_at, row.attributed_why = str(by), at, why[:500]
    row.save(update_fields=["is_unrelated", "attributed_by", "attributed_at", "attributed_why"])
    shown = money.display(row.amount, currency=row.currency)
    text = f"Refund {row.external_id} of {shown} has nothing to do with returns."
    audit.record(act="refund_attributed", by=str(by), at=at, subject=row, text=text, why=why)


def run_route_again(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Try a failed run again."""
    route = Route.objects.filter(pk=case.subject_id).select_related("commerce").first()
    if route is None:
        raise CaseError("The route is gone.")
    try:
        runs = run_now(route=route, at=at, by=str(by))
    except services.ReconciliationError as error:
        raise CaseError(str(error)) from None
    failed = next((run for run in runs if run.state == "failed"), None)
    if failed is not None:
        raise CaseError(f"It failed again: {failed.error_text}")
    return f"Compared {runs[0].order_count} orders."


RUN_NOW_LIMIT_S = 30.0


def run_now(*, route: Route, at: datetime, by: str) -> tuple[Any, ...]:
    """Compare what is due on a route now, as far as 30 seconds reach. Raises ReconciliationError."""
    services.commerce_of(route)
    return services.reconcile(
        route=route,
        since=at - windows.ROLLING,
        until=at,
        trigger="person",
        at=at,
        by=by,
        orders=windows.due(route=route, at=at),
        time_limit_s=RUN_NOW_LIMIT_S,
    )


def returns_of_order(case: ExceptionCase) -> list[tuple[str, str]]:
    """Returns that a refund made outside may pay for."""
    order = _order_of(case)
    return [(str(rma.pk), f"{rma.label} ({rma.get_status_display()})") for rma in order.returns.all()]


# --- small parts -----------------------------------------------------------------------------------------------------


def _check_if_possible(order: Order, *, at: datetime, by: User | str) -> None:
    """Compare again after a decision; where the shop cannot be read now, the next run does it."""
    try:
        services.check_order(order=order, at=at, by=str(by))
    except services.ReconciliationError:
        return


def _check(case: ExceptionCase, *, at: datetime, by: User | str) -> None:
    try:
        services.check_order(order=_order_of(case), at=at, by=str(by))
    except services.ReconciliationError as error:
        raise CaseError(f"It could not be compared: {error}") from None


def _order_of(case: ExceptionCase) -> Order:
    row = Finding.objects.filter(case=case).select_related("order__connection").order_by("-pk").first()
    if row is None:
        raise CaseError("No finding belongs to this case.")
    return row.order


def _refund_of(case: ExceptionCase) -> Refund:
    row = findings.open_findings(case).exclude(refund_external_id="").order_by("-pk").first()
    refund = row and Refund.objects.filter(order=row.order, external_id=row.refund_external_id).first()
    if refund is None:
        raise CaseError("The refund of this case is explained already, or gone; compare again.")
    return refund


def _attribute(
    rma: ReturnAuthorisation, refund: Refund, *, by: User | str, at: datetime, why: str, is_for_return: bool
) -> None:
    fact = facts.RefundAttributed(
        return_id=rma.external_id,
        occurred_at=at,
        by=str(by),
        why=why,
        remote_refund_id=refund.external_id,
        is_for_return=is_for_return,
    )
    try:
        acts.act(rma=rma, fact=fact, by=str(by), at=at)
    except DecisionError as error:
        raise CaseError(str(error)) from error
