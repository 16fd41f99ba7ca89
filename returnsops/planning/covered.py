"""Claims valued on the final order, and what of them refunds made outside or proposed by people paid. Pure.

What is due is paid for before what waits to be judged, which may never be due. Nothing covers another currency.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from returnsops import money, states
from returnsops.facts import RemoteRefundLine

from . import amounts, order_money, proposed
from .claims import COMMERCE, Claim
from .due_since import is_waiting
from .given_up import shared
from .holds import Finding, is_accepted, problem
from .policy import Policy
from .valuation import Valued, valued
from .view import EffectView, ReturnView, ShopRefundView

Refunds = Sequence[ShopRefundView | EffectView]

# Code of a decision, not of a hold: what people paid was for something else than this refund.
PAID_FOR_OTHER = "people_paid_for_other"
_KIND = states.CASE_PEOPLE_PAID_IN_DOUBT


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The claims less what refunds made outside pay, and then less what people paid."""

    before: tuple[Valued, ...]
    rest: tuple[Valued, ...]
    people: Decimal = Decimal(0)  # theirs, as far as no refund that is sent took it into account


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
    """The claims less what others paid for this return, outside or as proposed."""
    return list(counted(view, policy, worths).rest)


def counted(view: ReturnView, policy: Policy, worths: Sequence[Valued]) -> Counted:
    """The claims less what others paid: money in their own currency, the same amounts first, then in order."""
    parts = shared(view, policy, worths)
    before, pools = list(worths), {}
    for currency in sorted({refund.currency for refund in parts.due} | {refund.currency for refund in parts.people}):
        outside, people = _in(currency, parts.due), _in(currency, parts.people)
        used = _cover_used(view, currency)
        keys = {one.claim.key for one in worths if one.claim.currency == currency}
        before = _less(before, outside, _sum(outside) - used, keys)
        pools[currency] = max(Decimal(0), _sum(people) - max(Decimal(0), used - _sum(outside)))
    before = rest = [one for one in before if not _is_paid_in_other(view, one.claim)]
    for currency, pool in pools.items():
        own = [one.claim for one in rest if one.claim.currency == currency]
        keys = {claim.key for claim in own if not _is_for_other(view, claim)}
        rest = _less(rest, _in(currency, parts.people), pool, keys)
    rest = [replace(one, is_released=True) if _is_for_other(view, one.claim) else one for one in rest]
    return Counted(before=tuple(before), rest=tuple(rest), people=sum(pools.values(), Decimal(0)))


# --- what people paid, and perhaps for something else --------------------------------------------------------------


def doubts(view: ReturnView, worths: Sequence[Valued], found: Counted) -> dict[str, Finding]:
    """By its key each claim that became less by money of people which may be meant for something else.

    It is for this claim without a doubt where all that came back is asked for and judged, all of that money is counted,
    and we were to pay the claim: then nobody is asked. Money in another currency is always asked about.
    """
    left = {one.claim.key: one.amount or Decimal(0) for one in found.rest}
    off = {one.claim.key: one.amount - left.get(one.claim.key, Decimal(0)) for one in found.before if one.amount}
    is_all_counted = sum(off.values(), Decimal(0)) == found.people
    is_clear = is_all_counted and _is_all_asked_for(view, worths)
    questions = {}
    for one in found.before:
        claim, less = one.claim, off.get(one.claim.key)
        is_sure = is_clear and claim.executed_by == COMMERCE and not _is_beside_waiting(one, found.rest)
        if _in_other_currency(view, claim):
            questions[claim.key] = _uncompared(view, claim)
        elif less and not is_sure and not is_accepted(view, _KIND, _just_this(view, claim)):
            questions[claim.key] = _doubt(view, claim, less)
    return questions


def _is_beside_waiting(one: Valued, rest: Iterable[Valued]) -> bool:
    """Due, and its money may be for what is not judged yet."""
    return not is_waiting(one) and any(is_waiting(other) for other in rest)


def _doubt(view: ReturnView, claim: Claim, less: Decimal) -> Finding:
    shown = money.display(less, currency=claim.currency)
    paid = proposed.shown_total(view)
    is_ours = claim.executed_by == COMMERCE
    who = "" if is_ours else " The returns platform says that it pays this refund itself, or does not say who does."
    return problem(
        view,
        _KIND,
        f"people paid {paid} for this return, and {shown} of that are counted against refund {claim.subject}.{who} "
        "Say whether they were meant for it.",
        subject=_just_this(view, claim),
        evidence={
            "refund": claim.subject,
            "counted": amounts.text(less, currency=claim.currency),
            "currency": claim.currency,
            "paid": paid,
            "effect": claim.key,
        },
        money_at_risk=less,
        currency=claim.currency,
    )


def _just_this(view: ReturnView, claim: Claim) -> str:
    """What a person says is of this claim and of the money that people paid so far, not of what they pay later."""
    what = claim.key.removeprefix(f"{states.REFUND}:{view.ref}:")
    return f"{what}={proposed.shown_total(view)}"


def _uncompared(view: ReturnView, claim: Claim) -> Finding:
    paid = proposed.shown_total(view)
    asked = money.display(claim.amount, currency=claim.currency) if claim.amount is not None else claim.currency
    return problem(
        view,
        _KIND,
        f"people paid {paid} for this return, and refund {claim.subject} asks for {asked}. Currencies are not "
        "compared, so nothing is counted. Say whether that was meant for it, and all of it is paid.",
        subject=_in_currency(claim),
        evidence={"refund": claim.subject, "asked": asked, "paid": paid, "effect": claim.key},
        money_at_risk=claim.amount,
        currency=claim.currency,
    )


def _in_other_currency(view: ReturnView, claim: Claim) -> tuple[EffectView, ...]:
    """What people paid that cannot be compared with a claim, where nobody said that it is not for it."""
    others = tuple(one for one in proposed.paying(view) if one.currency != claim.currency)
    return () if _is_for_other(view, claim) else others


def _is_paid_in_other(view: ReturnView, claim: Claim) -> bool:
    return bool(_in_other_currency(view, claim)) and is_accepted(view, _KIND, _in_currency(claim))


def _in_currency(claim: Claim) -> str:
    return f"{claim.subject}={claim.currency}"


def _is_for_other(view: ReturnView, claim: Claim) -> bool:
    """Whether a person said that what people paid, and no more than that, was not for this claim."""
    paid = proposed.shown_total(view)
    said = [one.subject for one in view.waivers if one.hold_code == PAID_FOR_OTHER and one.effect_key == claim.key]
    return bool(paid) and paid in said


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


# --- money against claims ------------------------------------------------------------------------------------------


def _in(currency: str, refunds: Iterable[ShopRefundView | EffectView]) -> Refunds:
    return [refund for refund in refunds if refund.currency == currency]


def _amount(refund: ShopRefundView | EffectView) -> Decimal:
    assert refund.amount is not None  # every refund names one
    return refund.amount


def _sum(refunds: Iterable[ShopRefundView | EffectView]) -> Decimal:
    return sum(map(_amount, refunds), Decimal(0))


def _cover_used(view: ReturnView, currency: str) -> Decimal:
    """What refunds of others already took off refunds that are sent."""
    sent = (effect for effect in view.effects if order_money.is_counted(effect) and effect.currency == currency)
    return sum((effect.covered for effect in sent), Decimal(0))


def _less(worths: Sequence[Valued], refunds: Refunds, pool: Decimal, keys: Collection[str]) -> list[Valued]:
    """The claims less these refunds, of which ``pool`` is left; only those with these keys, what is due first."""
    after = {one.claim.key: one for one in worths if one.claim.key not in keys}
    open_ones, refunds, pool = _matched([one for one in worths if one.claim.key in keys], refunds, pool, _names)
    for is_later in (False, True):
        group = [one for one in open_ones if is_waiting(one) is is_later]
        group, refunds, pool = _matched(group, refunds, pool, lambda refund, one: True)
        for one in group:
            off = min(pool, one.amount or Decimal(0))
            pool -= off
            less = _reduced(one, off, refunds)
            after |= {one.claim.key: less} if less is not None else {}
    return [after[one.claim.key] for one in worths if one.claim.key in after]


def _matched(
    worths: Iterable[Valued], refunds: Refunds, pool: Decimal, is_meant: Callable[[Any, Valued], bool]
) -> tuple[list[Valued], Refunds, Decimal]:
    """Without the claims that one of the refunds is for by its amount; the refunds and the pool without those too."""
    rest, pool = [], max(Decimal(0), pool)
    for one in worths:
        same = next((refund for refund in refunds if refund.amount == one.amount and is_meant(refund, one)), None)
        if same is None or pool < _amount(same):
            rest.append(one)
        else:
            refunds = [refund for refund in refunds if refund is not same]
            pool -= _amount(same)
    return rest, refunds, pool


def _names(refund: ShopRefundView | EffectView, one: Valued) -> bool:
    """Whether the refund names units, and of this claim only."""
    named = {line.line_id for line in refund.lines if line.quantity}
    return bool(named) and named <= {line.line_id for line in one.lines}


def _reduced(one: Valued, off: Decimal, refunds: Refunds) -> Valued | None:
    """What is left of a claim, if anything; lines that the refunds name are not among it."""
    if not off or one.amount is None:
        return one
    if one.amount == off:
        return None
    left = amounts.less(one.lines, [line for refund in refunds for line in refund.lines])
    lines = amounts.scaled(left, one.amount - off, currency=one.claim.currency) if left else ()
    return replace(one, amount=one.amount - off, lines=lines, covered=one.covered + off)
