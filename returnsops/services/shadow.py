"""Comparing a return that is not sent by us with what people did for it, whenever it is planned (design section 6)."""

from datetime import datetime

from returnsops import states
from returnsops.models import ReturnAuthorisation, ShadowComparison
from returnsops.planning import comparison
from returnsops.planning.plan import plan
from returnsops.planning.policy import PolicyError, parse_policy

from .views import is_live, view_of

WEIGHTY = states.MONEY_KINDS | states.STOCK_KINDS


def compare_in_shadow(*, rma: ReturnAuthorisation, at: datetime) -> ShadowComparison | None:
    """Store how the return compares now, in the caller's transaction; None where there is nothing to compare.

    Nothing of it may have been sent by us, and its order must be known.
    """
    if rma.order is None or rma.route is None or rma.policy is None or is_live(rma):
        return None
    if rma.effects.filter(kind__in=sorted(WEIGHTY), state__in=sorted(states.COMMITTED)).exists():
        return None
    try:
        policy = parse_policy(rma.policy.document)
    except PolicyError:
        return None
    view, next_begun_at = view_of(rma), _next_begun_at(rma)
    live = comparison.as_if_live(view, next_begun_at=next_begun_at, first_begun_at=_first_begun_at(rma))
    ours = comparison.expected(plan(live, policy, at), currency=rma.order.currency)
    theirs = comparison.happened(view, next_begun_at=next_begun_at, others_units=_units_of_others(rma))
    is_over = rma.closed_at is not None or rma.status in states.RETURN_ENDED
    verdict = comparison.compare(ours, theirs, tolerance=policy.tolerance(rma.order.currency), is_over=is_over)
    row, _ = ShadowComparison.objects.update_or_create(
        rma=rma,
        defaults={
            "route": rma.route,
            "money": verdict.money,
            "stock": verdict.stock,
            "currency": rma.order.currency,
            "our_amount": ours.money,
            "our_amount_waiting": ours.money_waiting,
            "their_amount": theirs.money,
            "our_units": ours.units,
            "our_units_waiting": ours.units_waiting,
            "their_units": theirs.units,
            "waits": "; ".join(ours.waits),
            "compared_at": at,
        },
    )
    return row


def _next_begun_at(rma: ReturnAuthorisation) -> datetime | None:
    """When the next return of the same order began: refunds from then on are counted for that one."""
    if rma.requested_at is None:
        return None
    later = ReturnAuthorisation.objects.filter(order=rma.order, requested_at__gt=rma.requested_at)
    return later.order_by("requested_at").values_list("requested_at", flat=True).first()


def _first_begun_at(rma: ReturnAuthorisation) -> datetime | None:
    """When the first return of the same order began."""
    known = ReturnAuthorisation.objects.filter(order=rma.order, requested_at__isnull=False)
    return known.order_by("requested_at").values_list("requested_at", flat=True).first()


def _units_of_others(rma: ReturnAuthorisation) -> int:
    """Units that went back on the same order lines for returns seen before this one."""
    lines = rma.lines.filter(is_withdrawn=False, order_line__isnull=False).values_list("order_line_id", flat=True)
    before = ReturnAuthorisation.objects.filter(order=rma.order, pk__lt=rma.pk, lines__order_line_id__in=list(lines))
    rows = ShadowComparison.objects.filter(rma__in=before.values("pk"))
    return sum(units or 0 for units in rows.values_list("their_units", flat=True))
