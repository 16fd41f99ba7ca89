"""The most that a person may accept for a return, so that the order still has it. Pure."""

from decimal import Decimal

from returnsops import states

from . import order_money
from .claims import payout_key
from .policy import Policy
from .view import EffectView, ReturnView


def most(view: ReturnView, policy: Policy, *, subject: str) -> Decimal | None:
    """In the order's currency; None where the order sets no limit.

    For a refund of the platform that is still to be sent, what is left of the order. Else an amount may be accepted
    that stands for all of the return, sent or not: what is left and what it had already. A credit may carry a bonus.
    """
    if view.order is None or any(credit.credit_id == subject for credit in view.credits):
        return None
    counted = {one.key: one.amount or Decimal(0) for one in view.effects if _is_counted_refund(one)}
    told = next((payout_key(view, payout) for payout in view.payouts if payout.refund_id == subject), "")
    left = order_money.left(view, policy, paid=view.order.total, key=told).certain
    if told and told not in counted:
        return max(left, Decimal(0))
    had = sum((amount for key, amount in counted.items() if key != told), Decimal(0))
    had += sum((refund.amount for refund in order_money.covering(view, policy)), Decimal(0))
    return max(left + had, Decimal(0))


def _is_counted_refund(effect: EffectView) -> bool:
    return effect.kind == states.REFUND and order_money.is_counted(effect)
