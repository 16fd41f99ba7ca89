"""Claims valued on the final order, and what of them refunds made outside already paid. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from returnsops.facts import RemoteRefundLine

from . import amounts, order_money
from .claims import Claim, payout_key, payouts
from .given_up import shared
from .policy import Policy
from .valuation import Valued, valued
from .view import ReturnView


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
    """The claims less what refunds made outside for this return paid: same amounts first, the rest in order."""
    refunds = list(shared(view, policy, worths).due)
    if not refunds:
        return list(worths)
    rest = []
    for one in worths:
        same = next((refund for refund in refunds if refund.amount == one.amount), None)
        if same is None:
            rest.append(one)
        else:
            refunds.remove(same)
    pool = sum((refund.amount for refund in refunds), Decimal(0)) - _cover_used(view)
    return _reduced(rest, max(Decimal(0), pool), [line for refund in refunds for line in refund.lines])


def _cover_used(view: ReturnView) -> Decimal:
    """What refunds made outside already took off refunds that are sent."""
    sent = {effect.key: effect for effect in view.effects if order_money.is_counted(effect)}
    used = Decimal(0)
    for payout in payouts(view):
        effect = sent.pop(payout_key(view, payout), None)
        if effect is not None and effect.amount is not None:
            used += max(Decimal(0), payout.amount - effect.amount)
    return used + sum((effect.covered for effect in sent.values()), Decimal(0))


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
