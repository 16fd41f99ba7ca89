"""What holds everything of a return, or all its money and stock, whatever the rules planned. Pure."""

from datetime import datetime
from decimal import Decimal

from returnsops import states
from returnsops.money import display

from .holds import NOT_LIVE, ORDER_GONE, Finding, problem, waiting
from .model import PlannedEffect
from .view import ReturnView


def gates_of(view: ReturnView, effect: PlannedEffect, now: datetime) -> tuple[Finding, ...]:
    """What stands in the way of one effect because of its return or its order."""
    found = (
        _not_live(view),
        _risk(view, effect),
        _order(view, now) if view.order is None else _order_state(view, effect),
    )
    return tuple(finding for finding in found if finding is not None)


def _not_live(view: ReturnView) -> Finding | None:
    if view.is_live:
        return None
    return waiting(
        NOT_LIVE, "waits for its route: it is not live for this return. Set the route live, or release this return."
    )


def _risk(view: ReturnView, effect: PlannedEffect) -> Finding | None:
    """A fraud review freezes everything but mirrors."""
    if not view.is_on_risk_hold or effect.kind == states.MIRROR:
        return None
    return problem(
        view,
        states.CASE_RISK_HOLD,
        "waits for the end of the risk review the returns platform placed. Nothing is paid, restocked or noted before.",
        evidence={"risks": [{"id": risk.risk_id, "kind": risk.kind, "stage": risk.stage} for risk in view.risks]},
    )


def _order(view: ReturnView, now: datetime) -> Finding:
    until_at = view.order_wanted_until_at
    name = f"order {view.order_id}" if view.order_id else "its order"
    if until_at is None or now < until_at:
        return waiting(states.CASE_ORDER_NOT_FOUND, f"waits for {name} to be read from the shop", until_at=until_at)
    return problem(
        view,
        states.CASE_ORDER_NOT_FOUND,
        f"waits for {name}, which the shop does not have. Find the right order, or decline the return.",
        evidence={"order": view.order_id},
    )


def _order_state(view: ReturnView, effect: PlannedEffect) -> Finding | None:
    assert view.order is not None
    if view.order.is_gone:
        return problem(
            view,
            states.CASE_ORDER_LOCKED,
            f"order {view.order.number or view.order_id} is in the bin or gone from the shop. Restore it there.",
            code=ORDER_GONE,
            evidence={"order": view.order_id, "status": view.order.status},
        )
    if view.order.is_locked and effect.kind in states.WEIGHTY_KINDS:
        why = (view.order.lock_reason or f"its status is {view.order.status}").rstrip(".")
        left = view.order.total - sum((refund.amount for refund in view.shop_refunds), Decimal(0))
        return problem(
            view,
            states.CASE_ORDER_LOCKED,
            f"order {view.order.number or view.order_id} is locked: {why}. Unlock it in the shop, or release this.",
            evidence={
                "order": view.order_id,
                "status": view.order.status,
                "reason": view.order.lock_reason,
                "still refundable": display(left, currency=view.order.currency),
            },
        )
    return None
