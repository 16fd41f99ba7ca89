"""Where the platform writes refunds into the shop itself (``refund.writer = "platform"``): adopted and verified. Pure.

Such a refund carries no key of ours, and a platform may tell us of no refund at all (ReBound's V1). It is known by what
it is: the very amount, or the very units, whose money is due for exactly one open return of the order. Nothing is sent.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from returnsops import money, states

from . import amounts, order_money, verdicts
from .attribution import Answer, Explanation
from .claims import claims_of
from .covered import in_turn, uncovered
from .due_since import HEARD_LATE, due_since, is_waiting
from .holds import case_of, waived_amounts
from .model import Part, PlannedCase
from .policy import Policy
from .valuation import Valued
from .view import ReturnView, ShopRefundView

_SURE = 200  # points: before whatever else explains the amount


def plan_platform_writes(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """The case of a refund that is in the shop with another amount, or that is late."""
    if policy.refund.writer != "platform":
        return Part()
    different = _difference(view, policy)
    if different is not None:
        return Part(cases=(different,))
    rest = [] if order_money.questions(view, policy) else unsettled(view, policy, _due(view, policy))
    return _late(view, policy, rest, now) if rest else Part()


def answered(view: ReturnView, policy: Policy, refund: ShopRefundView, answer: Answer) -> Answer:
    """The answer with this return's own refund recognised; as it was where another return could be meant as well."""
    view = replace(view, verdicts=verdicts.counted(view, policy))
    is_elsewhere = any(one.return_ref not in ("", view.ref) for one in answer.explanations)
    if answer.applied_to or is_elsewhere or not is_written(view, policy, refund):
        return answer
    words = f"what the returns platform was to write into the shop for return {view.number or view.ref}"
    one = Explanation(pieces=(), return_ref=view.ref, serves="full", score=_SURE, words=words)
    return replace(answer, explanations=(one, *answer.explanations), is_unique=True, applied_to=view.ref)


def is_written(view: ReturnView, policy: Policy, refund: ShopRefundView) -> bool:
    """Whether a refund of the shop is the one that the platform was to write: by its amount, or by its units."""
    due = _due(_without(view, [refund]), policy)
    since = due_since(view, policy, due)
    is_other = refund.attribution == "ours" or any(refund.currency != one.claim.currency for one in due)
    if not due or is_other or since is None or refund.refunded_at < since - HEARD_LATE:
        return False
    lines = {line.line_id for one in due for line in one.lines}
    if any(line.line_id not in lines for line in refund.lines):
        return False
    sums = {one.amount for one in due} | {_sum(due)}
    return refund.amount in sums or _units([refund]) == _units(due)


def unsettled(view: ReturnView, policy: Policy, worths: Sequence[Valued]) -> list[Valued]:
    """The claims without those whose units the platform paid with an amount that a person accepted."""
    paid = order_money.covering(view, policy)
    if policy.refund.writer != "platform" or not _is_accepted(view, paid):
        return list(worths)
    units = _units(paid)
    return [one for one in worths if not _asked(one) <= units]


def _asked(one: Valued) -> Counter[str]:
    """Units per order line that a claim is for, also those that what was refunded already took off its lines."""
    units = Counter[str]()
    for line, count in one.claim.wanted:
        units[line.order_line_id] += count or line.quantity
    return units


# --- what is due -----------------------------------------------------------------------------------------------------


def _due(view: ReturnView, policy: Policy) -> list[Valued]:
    """Money whose trigger has come, less what refunds made outside pay; none while something else is wrong with it."""
    is_ended = view.status in states.RETURN_ENDED or not view.commerce or view.order is None
    if policy.refund.writer != "platform" or is_ended:
        return []
    open_ones = uncovered(view, policy, in_turn(view, policy, claims_of(view, policy)))
    return [one for one in open_ones if one.amount is not None and not (is_waiting(one) or one.findings)]


# --- what is wrong ---------------------------------------------------------------------------------------------------


def _difference(view: ReturnView, policy: Policy) -> PlannedCase | None:
    """The platform wrote another amount than the final order gives, and nobody accepted that."""
    paid = order_money.covering(view, policy)
    due = _due(_without(view, paid), policy)
    if not paid or not due or _is_accepted(view, paid):
        return None
    theirs, ours, currency = _paid(paid), _sum(due), due[0].claim.currency
    is_complete = theirs > ours or _units(due) <= _units(paid)
    if not is_complete or abs(theirs - ours) <= policy.tolerance(currency):
        return None
    text = {name: money.display(figure, currency=currency) for name, figure in (("theirs", theirs), ("ours", ours))}
    return case_of(
        view,
        states.CASE_AMOUNT_MISMATCH,
        f"the returns platform refunded {text['theirs']} in the shop for this return, the order gives {text['ours']}. "
        "Nothing is sent by itself: settle the difference there, or accept the amount that was refunded.",
        evidence={
            "platform": amounts.text(theirs, currency=currency),
            "computed": amounts.text(ours, currency=currency),
            "refunds": [refund.refund_id for refund in paid],
            "currency": currency,
        },
        money_at_risk=abs(theirs - ours),
        currency=currency,
    )


def _late(view: ReturnView, policy: Policy, due: Sequence[Valued], now: datetime) -> Part:
    """The platform's refund is not in the shop though its time (refund.written_within_h) is over."""
    since = due_since(view, policy, due)
    if since is None:
        return Part()
    due_at = since + timedelta(hours=policy.refund.written_within_h)
    if now < due_at:
        return Part(look_at=(due_at,))
    amount, currency = _sum(due), due[0].claim.currency
    case = case_of(
        view,
        states.CASE_PLATFORM_REFUND_MISSING,
        f"the returns platform was to refund {money.display(amount, currency=currency)} in the shop within "
        f"{policy.refund.written_within_h} hours, and it is not there. Nothing is sent by itself: look there.",
        evidence={
            "amount": amounts.text(amount, currency=currency),
            "currency": currency,
            "due_since": since.isoformat(),
            "refunds": [one.claim.key for one in due],
        },
        money_at_risk=amount,
        currency=currency,
    )
    return Part(cases=(case,))


def _is_accepted(view: ReturnView, paid: Sequence[ShopRefundView]) -> bool:
    return _paid(paid) in waived_amounts(view, states.CASE_AMOUNT_MISMATCH, "")


def _without(view: ReturnView, refunds: Sequence[ShopRefundView]) -> ReturnView:
    gone = {refund.refund_id for refund in refunds}
    return replace(view, shop_refunds=tuple(one for one in view.shop_refunds if one.refund_id not in gone))


def _units(records: Iterable[Valued | ShopRefundView]) -> Counter[str]:
    units = Counter[str]()
    for line in (line for record in records for line in record.lines):
        units[line.line_id] += line.quantity
    return +units


def _sum(due: Iterable[Valued]) -> Decimal:
    return sum((one.amount for one in due if one.amount is not None), Decimal(0))


def _paid(refunds: Iterable[ShopRefundView]) -> Decimal:
    return sum((refund.amount for refund in refunds), Decimal(0))
