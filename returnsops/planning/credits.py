"""Store credit and gift cards instead of money (S4-18): never turned into a refund. Pure."""

from datetime import datetime

from returnsops import money, states

from .holds import case_of
from .model import Part, PlannedCase
from .policy import Policy
from .view import CreditView, ReturnView


def plan_credits(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """A to-do for each credit that is not settled yet."""
    return Part(cases=tuple(_credit(view, one) for one in view.credits if not one.is_settled))


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
