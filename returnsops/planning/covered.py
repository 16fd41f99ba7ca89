"""Claims valued on the final order, and what of them refunds made outside or proposed by people paid. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from returnsops import money, states
from returnsops.facts import RemoteRefundLine

from . import amounts, order_money, proposed
from .claims import COMMERCE, Claim
from .given_up import Shared, shared
from .holds import case_of, is_accepted
from .model import PlannedCase
from .policy import Policy
from .valuation import Valued, valued
from .view import EffectView, ReturnView, ShopRefundView


def in_turn(view: ReturnView, policy: Policy, claims: Iterable[Claim]) -> list[Valued]:
    """Each claim valued after all that is taken already and the claims before it."""
    worths: list[Valued] = []
    planned: list[RemoteRefundLine] = []
    for claim in claims:
        one = valued(view, policy, claim, [*order_money.taken_lines(view, policy, key=claim.key), *planned])
        worths.append(one)
        planned.extend(() if order_money.is_seen(view, claim.key) else one.lines)
    return worths


def uncovered(view: ReturnView, policy: Policy, worths: Sequence[Valued]) -> list[Valued]:
    """The claims less what others paid for this return, outside or as proposed: same amounts first, then in order."""
    parts = shared(view, policy, worths)
    refunds: list[ShopRefundView | EffectView] = [*parts.due, *proposed.paying(view)]
    if not refunds:
        return list(worths)
    pool = _pool(view, parts)
    rest = []
    for one in worths:
        same = next((refund for refund in refunds if refund.amount == one.amount), None)
        if same is None or pool < _amount(same):
            rest.append(one)
        else:
            refunds.remove(same)
            pool -= _amount(same)
    return _reduced(rest, max(Decimal(0), pool), [line for refund in refunds for line in refund.lines])


def in_doubt(
    view: ReturnView, policy: Policy, worths: Sequence[Valued], rest: Sequence[Valued]
) -> tuple[PlannedCase, ...]:
    """A case for each claim that became less (``rest``) by money of people which may be meant for something else.

    It is for this claim without a doubt where all that came back is asked for, all of that money is counted, and we
    were to pay the claim: then nobody is asked.
    """
    if not proposed.paying(view):
        return ()
    left = {one.claim.key: one.amount or Decimal(0) for one in rest}
    off = {one.claim.key: one.amount - left.get(one.claim.key, Decimal(0)) for one in worths if one.amount is not None}
    is_all_counted = sum(off.values(), Decimal(0)) == _pool(view, shared(view, policy, worths))
    return tuple(_doubts(view, worths, off, is_clear=is_all_counted and _is_all_asked_for(view, worths)))


def _doubts(
    view: ReturnView, worths: Iterable[Valued], off: dict[str, Decimal], *, is_clear: bool
) -> Iterator[PlannedCase]:
    kind = states.CASE_PEOPLE_PAID_IN_DOUBT
    for claim in (one.claim for one in worths):
        counted = off.get(claim.key, Decimal(0))
        is_ours = claim.executed_by == COMMERCE
        if not counted or (is_clear and is_ours) or is_accepted(view, kind, claim.subject):
            continue
        shown = money.display(counted, currency=claim.currency)
        paid = ", ".join(money.display(_amount(one), currency=one.currency) for one in proposed.paying(view))
        who = "" if is_ours else " The returns platform says that it pays this refund itself, or does not say who does."
        yield case_of(
            view,
            kind,
            f"people paid {paid} for this return, and {shown} of that are counted against refund {claim.subject}.{who} "
            "Say whether they were meant for it.",
            subject=claim.subject,
            evidence={"refund": claim.subject, "counted": f"{counted:f}", "currency": claim.currency, "paid": paid},
            money_at_risk=counted,
            currency=claim.currency,
        )


def _is_all_asked_for(view: ReturnView, worths: Iterable[Valued]) -> bool:
    """Whether every unit to be refunded is in a claim, was served by an effect of the plan, or was given up."""
    asked = sum(units or line.quantity for one in worths for line, units in one.claim.wanted)
    served = (*filter(_is_own, view.effects), *order_money.given_up(view))
    return asked + sum(effect.quantity or 0 for effect in served) >= sum(
        line.quantity for line in view.lines if line.resolution == "refund"
    )


def _is_own(effect: EffectView) -> bool:
    is_planned = effect.kind == states.REFUND and effect.origin == states.ORIGIN_PLAN
    return is_planned and order_money.is_counted(effect)


def _pool(view: ReturnView, parts: Shared) -> Decimal:
    """What others paid and no refund of ours took into account yet."""
    refunds: tuple[ShopRefundView | EffectView, ...] = (*parts.due, *proposed.paying(view))
    return sum((_amount(refund) for refund in refunds), Decimal(0)) - _cover_used(view) - parts.proposed


def _amount(refund: ShopRefundView | EffectView) -> Decimal:
    assert refund.amount is not None  # every refund names one
    return refund.amount


def _cover_used(view: ReturnView) -> Decimal:
    """What refunds of others already took off refunds that are sent."""
    return sum((effect.covered for effect in view.effects if order_money.is_counted(effect)), Decimal(0))


def _reduced(worths: Iterable[Valued], pool: Decimal, paid: Sequence[RemoteRefundLine]) -> list[Valued]:
    """Each claim less the pool in turn; ``paid`` are lines that what fills the pool names."""
    rest = []
    for one in worths:
        if one.amount is None or pool == 0:
            rest.append(one)
            continue
        off = min(pool, one.amount)
        pool -= off
        if one.amount > off:
            left = amounts.less(one.lines, paid)
            lines = amounts.scaled(left, one.amount - off, currency=one.claim.currency) if left else ()
            rest.append(replace(one, amount=one.amount - off, lines=lines, covered=off))
    return rest
