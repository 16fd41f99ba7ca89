"""What refunds made outside pay for: money that is due, or what a person said is not paid here. Pure.

A platform may write a refund after it was given up. That pays for nothing which is due, and must not stand for it: it
is told apart by the units that it names, by the amount where it names none. In doubt money that is due stays due, so
that a person hears of it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from returnsops.facts import RemoteRefundLine

from . import amounts, order_money, proposed
from .due_since import HEARD_LATE, due_since, is_waiting
from .policy import Policy
from .valuation import Valued
from .view import EffectView, ReturnView, ShopRefundView


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Refunds made outside by what they pay for, each with the part of its amount that does."""

    due: tuple[ShopRefundView, ...]
    people: tuple[EffectView, ...] = ()  # what people paid as proposed, likewise
    given_up: tuple[ShopRefundView, ...] = ()


def shared(view: ReturnView, policy: Policy, worths: Sequence[Valued]) -> Shared:
    """The refunds that cover this return; ``worths`` are all its claims, before anything was taken off them."""
    covering = order_money.covering(view, policy)
    ended = order_money.given_up(view)
    if not ended:
        return Shared(due=covering, people=proposed.paying(view))
    named = _named(view, ended)
    people = _people(view, ended, named)
    by_people = _sum(proposed.paying(view)) - _sum(people)
    was_paid = sum((effect.covered for effect in ended), Decimal(0))  # when the rest was given up
    known = max(Decimal(0), was_paid - by_people)
    used = Counter[str]()
    due, late = [], []
    for refund in sorted(covering, key=lambda one: (one.refunded_at, one.refund_id)):
        open_ones = _due_at(view, policy, worths, refund)
        names_units = any(line.quantity for line in refund.lines)
        if names_units:
            kept = _kept(refund, named, units_of(open_ones) - used)
            used.update({line.line_id: line.quantity for line in kept.lines})
        else:
            kept = _unnamed(refund, ended, open_ones, known)
        apart = refund.amount - kept.amount
        off = min(known, apart)
        known -= off
        due.extend([kept] if kept.amount else [])
        is_late = apart > off and (names_units or refund.amount in _sums(ended))
        late.extend([replace(refund, amount=apart - off)] if is_late else [])
    return Shared(due=tuple(due), people=people, given_up=tuple(late))


def units_of(worths: Iterable[Valued]) -> Counter[str]:
    """Units per order line that claims are for, also those that what was refunded already took off their lines."""
    units = Counter[str]()
    for line, count in (wanted for one in worths for wanted in one.claim.wanted):
        units[line.order_line_id] += count or line.quantity
    return units


def _due_at(view: ReturnView, policy: Policy, worths: Iterable[Valued], refund: ShopRefundView) -> list[Valued]:
    """The claims whose money was due when the refund was written: only those can be meant."""
    times = ((one, due_since(view, policy, [one])) for one in worths if not is_waiting(one))
    return [one for one, at in times if at is not None and refund.refunded_at >= at - HEARD_LATE]


def _named(view: ReturnView, ended: Sequence[EffectView]) -> frozenset[str]:
    """Order lines of which units were given up."""
    items = {effect.item_id for effect in ended}
    own = {line.order_line_id for line in view.lines if line.item_id in items}
    return frozenset(own | {line.line_id for effect in ended for line in effect.lines if line.quantity})


def _people(view: ReturnView, ended: Sequence[EffectView], named: Collection[str]) -> tuple[EffectView, ...]:
    """What people paid as proposed, less what they gave up here, but where it names other units alone."""
    most = _sum(ended) + sum((effect.covered for effect in ended), Decimal(0))
    rest = []
    for one in proposed.paying(view):
        is_for_it = one.currency == ended[0].currency and _may_name(one.lines, named)
        off = min(most, one.amount or Decimal(0)) if is_for_it else Decimal(0)
        most -= off
        rest.append(replace(one, amount=(one.amount or Decimal(0)) - off))
    return tuple(one for one in rest if one.amount)


def _sum(effects: Iterable[EffectView]) -> Decimal:
    return sum((effect.amount or Decimal(0) for effect in effects), Decimal(0))


def _may_name(lines: Iterable[RemoteRefundLine], named: Collection[str]) -> bool:
    units = {line.line_id for line in lines if line.quantity}
    return not units or not units.isdisjoint(named)


def _kept(refund: ShopRefundView, named: Collection[str], due: Counter[str]) -> ShopRefundView:
    """The refund without lines of which units were given up and none were due; it may be without money then."""
    apart = [line for line in refund.lines if line.quantity and line.line_id in named and not due[line.line_id]]
    rest = tuple(line for line in refund.lines if line not in apart)
    if not apart:
        return refund
    if not any(line.quantity for line in rest):
        return replace(refund, amount=Decimal(0), lines=())
    return replace(refund, amount=max(Decimal(0), refund.amount - amounts.gross(apart)), lines=rest)


def _unnamed(
    refund: ShopRefundView, ended: Sequence[EffectView], due: Sequence[Valued], known: Decimal
) -> ShopRefundView:
    """An amount without units: of what is due if it is just that, else of what was given up, or of what was known."""
    wanted = [one.amount for one in due if one.amount is not None]
    if refund.amount in {*wanted, sum(wanted, Decimal(0))}:
        return refund
    if refund.amount in _sums(ended):
        return replace(refund, amount=Decimal(0))
    return replace(refund, amount=refund.amount - min(known, refund.amount))


def _sums(ended: Iterable[EffectView]) -> set[Decimal]:
    each = [effect.amount for effect in ended if effect.amount is not None]
    return {*each, sum(each, Decimal(0))}
