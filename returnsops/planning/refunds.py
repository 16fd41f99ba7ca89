"""Refunds: from the platform's decision or from the policy's trigger, never from both (design sections 6 and 7). Pure.

Every wish for money is a claim. Claims are valued on the final order one after the other, what refunds made outside or
proposed by people already paid is taken off, and what is left becomes an effect with everything that stands in its way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from returnsops import money, states

from . import amounts, credited, items, order_money, outside, platform_writes, proposed
from .claims import COMMERCE, Claim, claims_of, compared, payout_key, payouts
from .covered import counted, doubts, in_turn
from .holds import (
    PLATFORM_WRITES,
    POLICY_INCOMPLETE,
    WAITS_FOR_TRIGGER,
    Finding,
    case_of,
    cases_of,
    holds_of,
    problem,
    unreleased,
    waiting,
    waived_amounts,
)
from .late import outside_window
from .model import Part, PlannedCase, PlannedEffect
from .policy import Policy
from .valuation import Valued
from .view import PayoutView, ReturnView


def plan_refunds(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """The refunds that ought to be written into the shop, and the cases money alone gives rise to.

    Refunds already sent are not planned again. An ended return gets no new money (what was sent is a reversal's case).
    """
    if not view.commerce or view.status in states.RETURN_ENDED:
        return Part()
    worths = in_turn(view, policy, claims_of(view, policy))
    planned = sum((one.amount for one in worths if one.amount is not None), Decimal(0))
    shared = (*outside.findings(view, policy), *compared(view, policy, planned), *_undecided(view, policy))
    after = counted(view, policy, worths)
    asked = doubts(view, worths, after)
    effects, found = _settled(view, policy, platform_writes.unsettled(view, policy, after.rest), shared, asked)
    cases = (*cases_of((*shared, *found, *asked.values())), *_changed(view, policy), *_late(view, policy))
    return Part(effects=effects, cases=cases)


# --- from claim to effect ------------------------------------------------------------------------------------------


def _settled(
    view: ReturnView, policy: Policy, worths: Iterable[Valued], shared: Sequence[Finding], asked: Mapping[str, Finding]
) -> tuple[tuple[PlannedEffect, ...], tuple[Finding, ...]]:
    """The effects of claims that have an amount, and everything found on the way.

    ``asked``: questions by the key of the claim that waits for them, if it is money that we move.
    """
    effects: list[PlannedEffect] = []
    every: list[Finding] = []
    before = Decimal(0)
    for one in worths:
        capped, over = _within_paid(view, policy, one, before)
        hindrances = _of_money(view, policy, one.claim)
        found = (*capped.findings, *unreleased(view, hindrances, one.claim.key), *over)
        every.extend(found)
        if capped.amount is None:
            continue
        is_released = capped.is_released or len(found) < len(capped.findings) + len(hindrances) + len(over)
        doubt = [asked[one.claim.key]] if one.claim.key in asked and one.claim.executed_by == COMMERCE else []
        effects.append(_effect(view, policy, capped, (*shared, *found, *doubt), is_released=is_released))
        is_blocked = any(finding.hold.code in _NEVER_GOES for finding in found)
        before += Decimal(0) if is_blocked or order_money.is_seen(view, one.claim.key) else capped.amount
    return tuple(effects), tuple(every)


# Held for good until a person changes the facts: such money reserves nothing.
_NEVER_GOES = frozenset({states.CASE_WOULD_OVER_REFUND, states.CASE_CURRENCY_MISMATCH})


def _effect(
    view: ReturnView, policy: Policy, one: Valued, found: Sequence[Finding], *, is_released: bool
) -> PlannedEffect:
    """The effect; money we move above the threshold, and all money a person released, wants a second person."""
    assert one.amount is not None
    claim = one.claim
    is_large = policy.is_over_threshold(one.amount, currency=claim.currency)
    return PlannedEffect(
        kind=states.REFUND,
        key=claim.key,
        target="commerce",
        payload=_payload(view, one),
        serial_key=f"order:{view.order_id}",
        item_id=claim.item_id,
        quantity=claim.quantity,
        amount=one.amount,
        currency=claim.currency,
        holds=holds_of(found),
        needs_approval=is_released or (claim.executed_by == COMMERCE and is_large),
    )


def _payload(view: ReturnView, one: Valued) -> dict[str, Any]:
    assert one.amount is not None
    claim = one.claim
    what = ", ".join(f"{units or line.quantity} x {items.label(line)}" for line, units in claim.wanted)
    is_countable = view.order is not None and view.order.currency == claim.currency
    return {
        "amount": amounts.text(one.amount, currency=claim.currency) if is_countable else f"{one.amount:f}",
        "currency": claim.currency,
        "executed_by": claim.executed_by,
        "lines": amounts.lines_document(one.lines, currency=claim.currency) if is_countable else [],
        "reason": f"Return {view.number or view.ref}: {what}" if what else f"Return {view.number or view.ref}",
        "rma_number": view.number,
        "reference": claim.reference,
        **({"covered": amounts.text(one.covered, currency=claim.currency)} if one.covered else {}),
    }


def _of_money(view: ReturnView, policy: Policy, claim: Claim) -> tuple[Finding, ...]:
    """What keeps this claim's money back besides its amount."""
    found = [_executor(view, claim)]
    if claim.executed_by == COMMERCE:
        found.append(waiting(WAITS_FOR_TRIGGER, claim.waits) if claim.waits else None)
        found.append(outside_window(view, policy))
    found.append(credited.paid_as_well(view, policy))
    found.extend(proposed.findings(view))
    if policy.refund.writer == "platform":
        text = "waits for the returns platform, which writes refunds into the shop itself; it is adopted when seen"
        found.append(waiting(PLATFORM_WRITES, text))
    return tuple(finding for finding in found if finding is not None)


def _executor(view: ReturnView, claim: Claim) -> Finding | None:
    if claim.executed_by:
        return None
    return problem(
        view,
        states.CASE_EXECUTOR_UNKNOWN,
        f"the returns platform did not say who moves the money of refund {claim.subject}. "
        "Say whether it was paid already or the shop has to pay it.",
        subject=claim.subject,
        evidence={"refund": claim.subject, "amount": f"{claim.amount:f}", "currency": claim.currency},
        money_at_risk=claim.amount,
        currency=claim.currency,
    )


def _undecided(view: ReturnView, policy: Policy) -> tuple[Finding, ...]:
    if policy.initiator(view.resolution) and policy.refund.writer:
        return ()
    text = (
        "waits for its policy, which does not say who starts or writes refunds. Complete refund.initiator and writer."
    )
    return (waiting(POLICY_INCOMPLETE, text),)


def _within_paid(view: ReturnView, policy: Policy, one: Valued, before: Decimal) -> tuple[Valued, tuple[Finding, ...]]:
    """Never more than was paid: a person may accept what is left, or release what others only reserved.

    ``before`` is what earlier claims of this plan take.
    """
    if view.order is None or one.amount is None or one.claim.currency != view.order.currency:
        return one, ()
    waited_for = {proposal.key for proposal in proposed.undecided(view)}
    left = order_money.left(view, policy, paid=view.order.total, key=one.claim.key, waited_for=waited_for)
    if one.amount <= left.free - before:
        return one, ()
    for amount in waived_amounts(view, states.CASE_WOULD_OVER_REFUND, one.claim.key):
        is_exact = money.is_exact(amount, currency=one.claim.currency)
        if is_exact and amount <= min(one.amount, left.certain - before):
            lines = amounts.scaled(one.lines, amount, currency=one.claim.currency)
            return replace(one, amount=amount, lines=lines, is_released=True), ()
    return one, (_over_refund(view, one, left, before),)


def _over_refund(view: ReturnView, one: Valued, left: order_money.Left, before: Decimal) -> Finding:
    assert one.amount is not None
    currency = one.claim.currency
    figures = {
        "paid": left.paid,
        "refunded": left.refunded,
        "on its way": left.on_its_way,
        **({"given as credit": left.credited} if left.credited else {}),
        "reserved": left.reserved + before,
        "left": max(Decimal(0), left.free - before),
        "asked": one.amount,
    }
    words = ", ".join(f"{name} {money.display(amount, currency=currency)}" for name, amount in figures.items())
    return problem(
        view,
        states.CASE_WOULD_OVER_REFUND,
        f"more would be refunded than was paid: {words}.",
        subject=one.claim.subject,
        evidence={name: amounts.text(amount, currency=currency) for name, amount in figures.items()},
        money_at_risk=one.amount - figures["left"],
        currency=currency,
    )


# --- the return window ---------------------------------------------------------------------------------------------


def _late(view: ReturnView, policy: Policy) -> tuple[PlannedCase, ...]:
    """The case of a late return, also where no money of ours is held by it."""
    is_waived_anywhere = any(waiver.hold_code == states.CASE_OUTSIDE_WINDOW for waiver in view.waivers)
    finding = None if is_waived_anywhere else outside_window(view, policy)
    return cases_of([finding] if finding else [])


# --- what was sent and is told differently now ---------------------------------------------------------------------


def _changed(view: ReturnView, policy: Policy) -> tuple[PlannedCase, ...]:
    """A case for each platform refund whose amount is no longer what was sent for it."""
    if policy.initiator(view.resolution) == "policy_trigger" or is_covered(view, policy):
        return ()
    sent = {effect.key: effect.amount for effect in view.effects if order_money.is_counted(effect)}
    return tuple(
        _changed_case(view, payout, amount)
        for payout in payouts(view)
        if (amount := sent.get(payout_key(view, payout))) is not None and is_not_as_told(view, policy, payout, amount)
    )


def is_covered(view: ReturnView, policy: Policy) -> bool:
    """Whether others paid for some of this return, so that what was sent for it is less than was told."""
    return bool(order_money.covering(view, policy) or proposed.paying(view))


def is_not_as_told(view: ReturnView, policy: Policy, payout: PayoutView, sent: Decimal) -> bool:
    """Whether what was sent for a platform refund is not what it says now, and nobody accepted that."""
    key = payout_key(view, payout)
    accepted = {
        amount
        for code in (states.CASE_AMOUNT_MISMATCH, states.CASE_WOULD_OVER_REFUND)
        for amount in waived_amounts(view, code, key)
    }
    return sent not in accepted and abs(payout.amount - sent) > policy.tolerance(payout.currency)


def _changed_case(view: ReturnView, payout: PayoutView, sent: Decimal) -> PlannedCase:
    theirs, ours = (money.display(amount, currency=payout.currency) for amount in (payout.amount, sent))
    return case_of(
        view,
        states.CASE_AMOUNT_MISMATCH,
        f"refund {payout.refund_id} was sent as {ours}, and the returns platform now says {theirs}. "
        "Nothing more is sent by itself: settle the difference, or accept the amount that was sent.",
        subject=payout.refund_id,
        evidence={"sent": f"{sent:f}", "platform": f"{payout.amount:f}", "currency": payout.currency},
        money_at_risk=abs(payout.amount - sent),
        currency=payout.currency,
    )
