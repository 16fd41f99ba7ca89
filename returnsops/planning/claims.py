"""Who asks for which money: the platform's refunds, or units whose trigger has come; one initiator each. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from returnsops import money, states

from . import items, order_money, verdicts
from .holds import Finding, problem, waived_amounts
from .keys import business_key
from .policy import Policy
from .view import EffectView, LineView, PayoutView, ReturnView

COMMERCE = "commerce_platform"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One wish for money; ``amount`` None means what its units are worth, units 0 mean all that are left."""

    key: str
    subject: str  # refund id or item id, for cases
    wanted: tuple[tuple[LineView, int], ...]
    amount: Decimal | None
    currency: str
    executed_by: str
    waits: str = ""  # words of the trigger; counts for money we move
    shipping: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    item_id: str = ""
    quantity: int | None = None
    reference: str = ""
    unknown_items: tuple[str, ...] = ()


def claims_of(view: ReturnView, policy: Policy) -> tuple[Claim, ...]:
    """The claims not served by an effect yet, nor given up, in the order in which they take from the order."""
    if policy.initiator(view.resolution) == "policy_trigger":
        return _from_trigger(view, policy)
    used = {effect.key for effect in view.effects if order_money.is_counted(effect)}
    used |= {effect.key for effect in order_money.given_up(view)}
    claims = (_of_payout(view, policy, payout) for payout in payouts(view))
    return tuple(claim for claim in claims if claim.key not in used)


def payouts(view: ReturnView) -> tuple[PayoutView, ...]:
    """The platform's refunds that did not fail, oldest first."""
    return tuple(
        sorted(
            (payout for payout in view.payouts if not payout.is_failed),
            key=lambda payout: (payout.issued_at, payout.refund_id),
        )
    )


def payout_key(view: ReturnView, payout: PayoutView) -> str:
    """Key of the effect that serves a platform refund."""
    return business_key(states.REFUND, view.ref, payout.refund_id)


def _of_payout(view: ReturnView, policy: Policy, payout: PayoutView) -> Claim:
    lines = {line.item_id: line for line in view.lines}
    named = [(item.item_id, item.quantity) for item in payout.items]
    if not named:
        named = [(line.item_id, 0) for line in view.lines if line.resolution == "refund"]
    wanted = tuple((lines[item_id], units) for item_id, units in named if item_id in lines)
    return Claim(
        key=payout_key(view, payout),
        subject=payout.refund_id,
        wanted=wanted,
        amount=payout.amount,
        currency=payout.currency,
        executed_by=payout.executed_by or policy.refund.default_executed_by,
        waits=_waits(view, policy, wanted),
        shipping=payout.shipping,
        fees=payout.fees,
        item_id=wanted[0][0].item_id if len(wanted) == 1 else "",
        quantity=sum(units for _, units in wanted) or None,
        reference=payout.provider_reference,
        unknown_items=tuple(item_id for item_id, _ in named if item_id not in lines),
    )


def _waits(view: ReturnView, policy: Policy, wanted: tuple[tuple[LineView, int], ...]) -> str:
    counted = [(line, units or line.quantity) for line, units in wanted]
    return verdicts.waits_for(view, counted, policy.trigger(view.resolution))


def _from_trigger(view: ReturnView, policy: Policy) -> tuple[Claim, ...]:
    lines = sorted((line for line in view.lines if line.resolution == "refund"), key=lambda line: line.item_id)
    due = [claim for line in lines for claim in _due(view, policy, line)]
    return (*due, *(claim for line in lines for claim in _pending(view, policy, line)))


def _due(view: ReturnView, policy: Policy, line: LineView) -> Iterable[Claim]:
    target = verdicts.units_due(view, line, policy.trigger(view.resolution))
    count = target - _served(view, line)
    if count > 0:
        yield _of_units(view, line, target=target, count=count)


def _pending(view: ReturnView, policy: Policy, line: LineView) -> Iterable[Claim]:
    trigger = policy.trigger(view.resolution)
    due = verdicts.units_due(view, line, trigger)
    target = verdicts.units_payable(view, line)
    count = target - max(due, _served(view, line))
    if count > 0:
        waits = verdicts.waits_for(view, [(line, line.quantity)], trigger) or "waits for its units to be accepted"
        yield _of_units(view, line, target=target, count=count, waits=waits)


def _served(view: ReturnView, line: LineView) -> int:
    """Units of an item that effects of ours pay for, or that a person said are not paid here."""
    ended = sum(effect.quantity or 0 for effect in order_money.given_up(view) if effect.item_id == line.item_id)
    return order_money.committed(view, states.REFUND, line.item_id) + ended


def _of_units(view: ReturnView, line: LineView, *, target: int, count: int, waits: str = "") -> Claim:
    return Claim(
        key=items.free_key(view, states.REFUND, line.item_id, target),
        subject=line.item_id,
        wanted=((line, count),),
        amount=None,
        currency=view.order.currency if view.order else view.currency,
        executed_by=COMMERCE,
        waits=waits,
        item_id=line.item_id,
        quantity=count,
    )


def compared(view: ReturnView, policy: Policy, planned: Decimal) -> tuple[Finding, ...]:
    """Where the policy starts refunds: what the platform says of money is compared, never executed.

    ``planned`` is the worth of all claims; what is sent already, or was given up, is added here.
    """
    told = payouts(view)
    if policy.initiator(view.resolution) != "policy_trigger" or not told:
        return ()
    moved = [_paid_by_other(view, payout) for payout in told if payout.executed_by in ("returns_platform", "merchant")]
    if moved:
        return tuple(moved)
    sent = [one for one in view.effects if _is_by_rule(one) and order_money.is_counted(one)]
    ours = planned + sum((one.amount or Decimal(0)) + one.covered for one in (*sent, *order_money.given_up(view)))
    theirs = sum((payout.amount for payout in told), Decimal(0))
    currency = told[0].currency
    is_accepted = ours in waived_amounts(view, states.CASE_AMOUNT_MISMATCH, "")
    if is_accepted or abs(ours - theirs) <= policy.tolerance(currency):
        return ()
    return (
        problem(
            view,
            states.CASE_AMOUNT_MISMATCH,
            f"the platform decided {money.display(theirs, currency=currency)}, the order gives "
            f"{money.display(ours, currency=currency)} for the units to be refunded. Accept the order's amount, or "
            "correct the return in the returns platform.",
            evidence={"platform": f"{theirs:f}", "computed": f"{ours:f}", "currency": currency},
            money_at_risk=abs(ours - theirs),
            currency=currency,
        ),
    )


def _is_by_rule(effect: EffectView) -> bool:
    """What people proposed pays for the same units, or comes on top of them."""
    return effect.kind == states.REFUND and effect.origin == states.ORIGIN_PLAN


def _paid_by_other(view: ReturnView, payout: PayoutView) -> Finding:
    return problem(
        view,
        states.CASE_EXECUTOR_UNKNOWN,
        f"the policy of this route starts refunds, but the returns platform says that refund {payout.refund_id} was "
        f"paid by {payout.executed_by.replace('_', ' ')}. Say who pays, so that nobody pays twice.",
        subject=payout.refund_id,
        evidence={"refund": payout.refund_id, "executed_by": payout.executed_by, "amount": f"{payout.amount:f}"},
        money_at_risk=payout.amount,
        currency=payout.currency,
    )
