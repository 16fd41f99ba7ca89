"""Goods instead of money (S4-18, S4-19): a replacement order, never turned into a refund. Pure."""

from datetime import datetime

from returnsops import states

from .holds import case_of
from .model import Part, PlannedCase
from .policy import Policy
from .view import ExchangeView, ReturnView


def plan_exchanges(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """A to-do for each replacement that is not settled yet."""
    exchanges = [_exchange(view, one) for one in view.exchanges if not (one.is_settled or one.is_cancelled)]
    return Part(cases=tuple(exchanges))


def _exchange(view: ReturnView, exchange: ExchangeView) -> PlannedCase:
    what = ", ".join(f"{line.quantity} x {line.sku}" for line in exchange.lines)
    return case_of(
        view,
        states.CASE_MANUAL_EXCHANGE,
        f"exchange {exchange.exchange_id} asks for {what or 'a replacement'}. Place the replacement order in the shop "
        "and record it here.",
        subject=exchange.exchange_id,
        evidence={
            "exchange": exchange.exchange_id,
            "lines": [{"sku": line.sku, "quantity": line.quantity} for line in exchange.lines],
            "order": exchange.commerce_order_id,
        },
    )
