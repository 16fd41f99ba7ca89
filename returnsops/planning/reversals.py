"""Facts that contradict what was sent: a restock of goods found damaged, money of a return that ended. Pure.

Where the shop has no safe inverse (a refund has none at all, WooCommerce none for stock either), it is a case.
"""

from datetime import datetime
from decimal import Decimal

from returnsops import money, states

from . import items, order_money, sellable
from .holds import case_of, is_accepted
from .model import Part, PlannedCase
from .policy import Policy
from .view import LineView, ReturnView


def plan_reversals(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """What has to be undone."""
    cases = [case for line in view.lines for case in _contradicted(view, policy, line)]
    return Part(cases=(*cases, *_paid_after_end(view)))


def _contradicted(view: ReturnView, policy: Policy, line: LineView) -> tuple[PlannedCase, ...]:
    back = order_money.committed(view, states.RESTOCK, line.item_id)
    units = back - sellable.units(view, policy, line).target
    if units <= 0 or is_accepted(view, states.CASE_RESTOCK_CONTRADICTED, line.item_id):
        return ()
    return (
        case_of(
            view,
            states.CASE_RESTOCK_CONTRADICTED,
            f"{back} x {items.label(line)} were put back on sale, but by the verdicts in force {units} of them are not "
            "sellable. Take them out of stock in the shop by hand, and accept this with the reason.",
            subject=line.item_id,
            evidence={"item": line.item_id, "restocked": back, "sellable": back - units},
            money_at_risk=line.total,
        ),
    )


def _paid_after_end(view: ReturnView) -> tuple[PlannedCase, ...]:
    """Money of a declined, cancelled or expired return; expired instant ones are a case of their own."""
    is_instant_expired = view.mode == "instant" and view.status == states.EXPIRED
    if view.status not in states.RETURN_ENDED or is_instant_expired:
        return ()
    sent = [effect for effect in view.effects if effect.kind == states.REFUND and order_money.is_counted(effect)]
    told = [payout for payout in view.payouts if not payout.is_failed]
    if not (sent or told) or is_accepted(view, states.CASE_PAID_AFTER_END):
        return ()
    in_shop = sum((effect.amount or Decimal(0) for effect in sent), Decimal(0))
    by_platform = sum((payout.amount for payout in told), Decimal(0))
    return (
        case_of(
            view,
            states.CASE_PAID_AFTER_END,
            f"the return is {view.status}, but the returns platform decided "
            f"{money.display(by_platform, currency=view.currency)} and "
            f"{money.display(in_shop, currency=view.currency)} are written in the shop. A refund cannot be taken back "
            "by itself: agree with the customer or the platform, and accept this with the reason.",
            evidence={
                "payouts": [payout.refund_id for payout in told],
                "effects": [effect.key for effect in sent],
                "platform": str(by_platform),
                "shop": str(in_shop),
            },
            money_at_risk=max(in_shop, by_platform),
        ),
    )
