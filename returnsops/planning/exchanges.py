"""Goods or credit instead of money (S4-18): placed by a person, and never turned into a refund. Pure."""

from datetime import datetime

from returnsops import money, states

from .holds import case_of
from .model import Part, PlannedCase
from .policy import Policy
from .view import CreditView, ExchangeView, ReturnView


def plan_exchanges(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """A to-do for each replacement and each credit that is not settled yet."""
    exchanges = [_exchange(view, one) for one in view.exchanges if not (one.is_settled or one.is_cancelled)]
    credits = [_credit(view, one) for one in view.credits if not one.is_settled]
    return Part(cases=(*exchanges, *credits))


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


def _credit(view: ReturnView, credit: CreditView) -> PlannedCase:
    kind = credit.kind.replace("_", " ")
    return case_of(
        view,
        states.CASE_MANUAL_CREDIT,
        f"{kind} {credit.credit_id} over {money.display(credit.amount, currency=credit.currency)} was granted instead "
        "of money. Issue it where the customer can spend it, or record that it was issued already.",
        subject=credit.credit_id,
        evidence={"credit": credit.credit_id, "kind": credit.kind, "executed_by": credit.executed_by},
        money_at_risk=credit.amount,
        currency=credit.currency,
    )
