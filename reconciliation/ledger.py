"""Our rows of some orders as books, beside what the shop showed when they were read."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from reconciliation.books import JudgedItem, KnownRefund, LedgerEffect, OrderBook
from reconciliation.ledger_returns import paying_of, payouts_of, returned_of, unread_of
from reconciliation.ledger_shop import SETTLED, is_new, marks_of, restocked_of, stock_records_of
from reconciliation.showing import NOTHING_SHOWN, Shown
from returnsops import states
from returnsops.facts import OrderSnapshot
from returnsops.models import Effect, Order, Refund, ReturnAuthorisation, Route
from returnsops.planning import attention, by_hand, holds, order_money, sellable, verdicts
from returnsops.planning.policy import Policy, PolicyError, parse_policy
from returnsops.planning.view import LineView, ReturnView
from returnsops.services.views import CLOCK_SKEW, view_of

COMPARED_KINDS = states.MONEY_KINDS | states.STOCK_KINDS


def book_of(
    *,
    order: Order,
    route: Route,
    snapshot: OrderSnapshot | None,
    read_at: datetime,
    shown: Shown = NOTHING_SHOWN,
) -> OrderBook:
    """Both books of one order; ``read_at`` is when its reading began. Reads rows only.

    ``shown`` is what the shop showed beside the order.
    """
    returns = list(order.returns.select_related("connection", "route__commerce", "policy", "order"))
    views = [(rma, *seen) for rma in returns if (seen := _seen(rma)) is not None]
    rows = {row.key: (row, _effect(row, read_at=read_at)) for row in _effects(order)}
    effects = tuple(effect for _, effect in rows.values())
    on_order = {record.refund_id for record in snapshot.refunds} if snapshot is not None else set()
    stock_records, unshown = stock_records_of(order, shown.movements)
    return OrderBook(
        order_id=order.pk,
        name=f"{order.connection.name}/{order.external_id}",
        label=str(order),
        currency=order.currency,
        paid=order.total,
        snapshot=snapshot,
        effects=effects,
        refunds=_refunds(order, route, views, effects, shown=on_order),
        judged=tuple(item for rma, view, policy in views if not rma.is_dirty for item in _judged(rma, view, policy)),
        return_ids=tuple(rma.pk for rma in returns),
        is_over_refund_accepted=any(_is_excess_accepted(view) for _, view, _ in views),
        payouts=tuple(one for seen in views for one in payouts_of(*seen, rows, read_at=read_at)),
        paying=tuple(one for seen in views for one in paying_of(*seen)),
        returned=tuple(one for rma, view, _ in _in_turn(views) for one in returned_of(rma, view)),
        unread=tuple(one for rma, view, _ in views for one in unread_of(rma, view)),
        marks=tuple(marks_of(order, read_at=read_at)),
        restocked=tuple(restocked_of(order, effects, read_at=read_at)),
        read_at=read_at,
        shown_tokens=shown.tokens,
        shown_fields=snapshot.mirrored if shown.fields is None and snapshot is not None else shown.fields,
        levels=shown.levels,
        stock_records=stock_records,
        unshown=unshown,
    )


Seen = tuple[ReturnAuthorisation, ReturnView, Policy]


def _in_turn(views: Iterable[Seen]) -> list[Seen]:
    """The returns as they were begun."""
    return sorted(views, key=lambda seen: (seen[0].requested_at or seen[0].created_at, seen[0].pk))


def _seen(rma: ReturnAuthorisation) -> tuple[ReturnView, Policy] | None:
    """The return as the planner sees it; None where no policy says how."""
    if rma.route is None or rma.policy is None:
        return None
    try:
        policy = parse_policy(rma.policy.document)
    except PolicyError:
        return None
    return view_of(rma), policy


def _effects(order: Order) -> Iterable[Effect]:
    return Effect.objects.filter(connection=order.connection, order=order, kind__in=sorted(COMPARED_KINDS)).order_by(
        "pk"
    )


def _effect(row: Effect, *, read_at: datetime) -> LedgerEffect:
    is_late = is_new(row, read_at=read_at)
    return LedgerEffect(
        effect_id=row.pk,
        key=row.key,
        kind=row.kind,
        state=row.state,
        is_settled=row.state in SETTLED and not is_late,
        is_moving=is_late or row.state in states.IN_FLIGHT,
        amount=row.amount,
        currency=row.currency,
        quantity=row.quantity or 0,
        line_id=str(row.payload.get("line_id", "")),
        item_id=row.item_external_id,
        remote_id=row.remote_id,
        return_id=row.rma_id,
    )


# --- refunds and who explains them --------------------------------------------------------------------------


def _refunds(
    order: Order,
    route: Route,
    views: Sequence[tuple[ReturnAuthorisation, ReturnView, Policy]],
    effects: Sequence[LedgerEffect],
    *,
    shown: set[str],
) -> tuple[KnownRefund, ...]:
    asked = {refund.refund_id for _, view, policy in views for refund in order_money.questions(view, policy)}
    covered = {refund.refund_id for _, view, policy in views for refund in order_money.covering(view, policy)}
    since = _money_in_flight_since(order)

    def explanation(row: Refund) -> str:
        if row.origin == Refund.OURS:
            return "ours"
        if row.rma_id is not None:
            return "return"
        if row.is_unrelated:
            return "unrelated"
        if since is not None and row.refunded_at >= since - CLOCK_SKEW:
            return "in_flight"  # it may be the one whose answer we lost
        if views and row.vanished_at is None:
            return "" if row.external_id in asked - covered else "policy"
        is_before_us = route.live_from is not None and row.refunded_at < route.live_from
        return "before_us" if is_before_us and not views else ""

    return tuple(
        KnownRefund(
            refund_id=row.external_id,
            amount=row.amount,
            currency=row.currency,
            explanation=explanation(row),
            is_vanished=row.vanished_at is not None and row.external_id not in shown,
            is_gateway_paid=row.is_gateway_paid,
            author=row.author,
            reason=row.reason[:200],
            return_id=row.rma_id,
        )
        for row in order.refunds.all()
    )


def _money_in_flight_since(order: Order) -> datetime | None:
    rows = Effect.objects.filter(order=order, kind__in=sorted(states.MONEY_KINDS), state__in=sorted(states.IN_FLIGHT))
    return min((row.first_attempt_at for row in rows if row.first_attempt_at), default=None)


# --- goods --------------------------------------------------------------------------------------------------


def _judged(rma: ReturnAuthorisation, view: ReturnView, policy: Policy) -> Iterable[JudgedItem]:
    if not view.commerce:
        return
    for line in view.lines:
        if line.order_line_id:
            yield _item(rma, view, policy, line)


def _item(rma: ReturnAuthorisation, view: ReturnView, policy: Policy, line: LineView) -> JudgedItem:
    return JudgedItem(
        return_id=rma.pk,
        item_id=line.item_id,
        line_id=line.order_line_id,
        name=line.name or line.sku or f"item {line.item_id}",
        sellable=sellable.units(view, policy, line).target,
        by_hand=by_hand.units(view, line),
        is_excess_accepted=any(holds.seen_to(view, code, line.item_id) for code in _EXCESS),
        is_lack_accepted=holds.seen_to(view, states.CASE_RESTOCK_IMPOSSIBLE, line.item_id) > 0,
        unplaced=_unplaced(view, line),
        unjudged=max(0, line.quantity - verdicts.judged(verdicts.in_force(view, line.item_id))),
    )


def _unplaced(view: ReturnView, line: LineView) -> int:
    """Sellable units that wait because the disposition has no place on the route."""
    if states.SELLABLE in view.locations or not view.is_live:
        return 0
    waiting = [
        effect
        for effect in view.effects
        if effect.kind == states.RESTOCK and effect.item_id == line.item_id and effect.state == states.HELD
    ]
    return sum(effect.quantity or 0 for effect in waiting)


_EXCESS = (states.CASE_RESTOCK_CONTRADICTED, states.CASE_RESTOCKED_BY_HAND)


def _is_excess_accepted(view: ReturnView) -> bool:
    """Whether a person accepted already on the return's own case that so much too much is refunded."""
    return holds.is_accepted_up_to(view, states.CASE_OVER_REFUNDED, attention.over_refunded(view))
