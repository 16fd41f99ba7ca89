"""Amounts that people accept for a return: never more than its order can give. Raises CaseError in plain words."""

from decimal import Decimal

from exceptions_queue.errors import CaseError
from returnsops import money
from returnsops.models import ReturnAuthorisation
from returnsops.planning import accepted_amounts
from returnsops.planning.policy import parse_policy

from .views import view_of


def require_acceptable(*, rma: ReturnAuthorisation, amount: Decimal, subject: str = "") -> None:
    """Refuse an amount above what can still be refunded; ``subject`` is the refund, item or credit it is about."""
    if rma.order is None or rma.policy is None:
        return  # nothing is known to compare with, and nothing is sent before it is
    most = accepted_amounts.most(view_of(rma), parse_policy(rma.policy.document), subject=subject)
    if most is None or amount <= most:
        return
    shown, asked = (money.display(one, currency=rma.order.currency) for one in (most, amount))
    if most <= 0:
        raise CaseError(f"{asked} cannot be accepted: nothing more can be refunded on this order.")
    raise CaseError(f"{asked} is more than can still be refunded on this order. Accept {shown} or less.")
