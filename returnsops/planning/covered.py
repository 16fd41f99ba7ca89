"""Claims valued on the final order, and what of them refunds made outside or proposed by people paid. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from returnsops.facts import RemoteRefundLine

from . import amounts, order_money, proposed
from .claims import Claim
from .given_up import shared
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
    pool = sum((_amount(refund) for refund in refunds), Decimal(0)) - _cover_used(view) - parts.proposed
    rest = []
    for one in worths:
        same = next((refund for refund in refunds if refund.amount == one.amount), None)
        if same is None or pool < _amount(same):
            rest.append(one)
        else:
            refunds.remove(same)
            pool -= _amount(same)
    return _reduced(rest, max(Decimal(0), pool), [line for refund in refunds for line in refund.lines])


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
