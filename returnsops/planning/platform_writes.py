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
from .given_up import Shared, shared, units_of
from .holds import case_of, is_accepted, joined, waived_amounts
from .model import Part, PlannedCase
from .policy import Policy
from .valuation import Valued
from .view import ReturnView, ShopRefundView

_SURE = 200  # points: before whatever else explains the amount


def plan_platform_writes(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """The case of a refund that is in the shop with another amount, that is late, or that was given up before."""
    if policy.refund.writer != "platform":
        return Part()
    given_up = Part(cases=tuple(_all_the_same(view, _shared(view, policy).given_up)))
    different = _difference(view, policy)
    if different is not None:
        return joined((given_up, Part(cases=(different,))))
    rest = [] if order_money.questions(view, policy) else unsettled(view, policy, _due(view, policy))
    return joined((given_up, _late(view, policy, rest, now) if rest else Part()))


def answered(view: ReturnView, policy: Policy, refund: ShopRefundView, answer: Answer) -> Answer:
    """The answer with this return's own refund recognised; as it was where something else may be meant as well."""
    view = replace(view, verdicts=verdicts.counted(view, policy))
    is_elsewhere = any(one.return_ref not in ("", view.ref) for one in answer.explanations)
    is_unclear = is_elsewhere or _may_be_given_up(view, refund)
    if answer.applied_to or is_unclear or not is_written(view, policy, refund):
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
    paid = _shared(view, policy).due
    if policy.refund.writer != "platform" or not _is_accepted(view, paid):
        return list(worths)
    units = _units(paid)
    return [one for one in worths if not units_of([one]) <= units]


def is_of_given_up(view: ReturnView, policy: Policy, refund: ShopRefundView) -> bool:
    """Whether a refund of the shop pays for what was given up, of which finance has a case."""
    return any(one.refund_id == refund.refund_id for one in _shared(view, policy).given_up)


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
    paid = _shared(view, policy).due
    due = _due(_without(view, order_money.covering(view, policy)), policy)
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


def _all_the_same(view: ReturnView, refunds: Iterable[ShopRefundView]) -> Iterable[PlannedCase]:
    """The platform paid in the shop what a person said is not paid there."""
    for refund in refunds:
        if is_accepted(view, states.CASE_PAID_THOUGH_GIVEN_UP, refund.refund_id):
            continue
        yield case_of(
            view,
            states.CASE_PAID_THOUGH_GIVEN_UP,
            f"{money.display(refund.amount, currency=refund.currency)} of refund {refund.refund_id} pay for what was "
            "given up here. They stand for nothing else of this return. Find out whether the customer was paid twice.",
            subject=refund.refund_id,
            evidence={
                "refund": refund.refund_id,
                "amount": amounts.text(refund.amount, currency=refund.currency),
                "currency": refund.currency,
                "given up": [effect.key for effect in order_money.given_up(view)],
            },
            money_at_risk=refund.amount,
            currency=refund.currency,
        )


def _may_be_given_up(view: ReturnView, refund: ShopRefundView) -> bool:
    """An amount without units that is also that of a refund given up: what it pays for, a person has to say."""
    names_units = any(line.quantity for line in refund.lines)
    return not names_units and any(effect.amount == refund.amount for effect in order_money.given_up(view))


def _shared(view: ReturnView, policy: Policy) -> Shared:
    is_asked = bool(order_money.given_up(view))
    return shared(view, policy, in_turn(view, policy, claims_of(view, policy)) if is_asked else ())


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
