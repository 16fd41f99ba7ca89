"""The whole plan of one return: every rule on its own, then what holds all of it (design section 2). Pure.

``plan`` asks no clock and no database. The same view gives the same plan, in the same order.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from returnsops import matters, money, states
from returnsops.log_redaction import fault_of

from . import (
    amounts,
    attention,
    credits,
    duties,
    exchanges,
    mirrors,
    mismatches,
    platform_writes,
    proposed,
    refunds,
    reversals,
    set_asides,
    shop_returns,
    stock,
    verdicts,
    write_backs,
)
from .gates import gates_of
from .holds import case_of, cases_of, holds_of, unreleased
from .keys import content_hash
from .model import Part, Plan, PlannedCase, PlannedEffect
from .policy import Policy
from .view import EffectView, ReturnView

APPROVAL_REFUSED = "approval_refused"  # error code of an effect whose approval a person refused

_MONEY_WORDS = {
    states.REFUND: "a refund",
    states.STORE_CREDIT: "a credit",
    states.VOID_CREDIT: "taking back a credit",
}

_WAITS = "waits for the approval of a second person."

Rule = Callable[[ReturnView, Policy, datetime], Part]

RULES: tuple[tuple[str, Rule], ...] = (
    ("refunds", refunds.plan_refunds),
    ("duties", duties.plan_duties),
    ("platform_writes", platform_writes.plan_platform_writes),
    ("exchanges", exchanges.plan_exchanges),
    ("credits", credits.plan_credits),
    ("stock", stock.plan_stock),
    ("set_asides", set_asides.plan_set_asides),
    ("write_backs", write_backs.plan_write_backs),
    ("reversals", reversals.plan_reversals),
    ("shop_returns", shop_returns.plan_shop_returns),
    ("mirrors", mirrors.plan_mirrors),
    ("attention", attention.plan_attention),
    ("mismatches", mismatches.plan_mismatches),
)


def plan(view: ReturnView, policy: Policy, now: datetime) -> Plan:
    """Which effects ought to exist because of this return, what holds each, and which cases people have to see."""
    view = replace(view, verdicts=verdicts.counted(view, policy))
    parts = [_contribution(name, rule, view, policy, now) for name, rule in RULES]
    gated = [_gated(view, effect, now) for part in parts for effect in part.effects]
    effects = tuple(effect for effect, _ in gated)
    cases = [case for part in parts for case in part.cases]
    cases.extend(case for _, found in gated for case in found)
    cases.extend(_approval_cases(view, effects))
    return Plan(
        effects=tuple(sorted(effects, key=lambda effect: (states.LANES[effect.kind], effect.key))),
        cases=_each_once(cases),
        next_look_at=_earliest(parts, effects, now),
    )


def _contribution(name: str, rule: Rule, view: ReturnView, policy: Policy, now: datetime) -> Part:
    """One rule's part; a rule that fails is a case and takes nothing else down with it."""
    try:
        return rule(view, policy, now)
    except Exception as error:
        cause = (
            f"The rule for {name} could not plan this return ({fault_of(error)}). "
            "Nothing of it is sent; everything else goes on. Report this with the return's number."
        )
        return Part(cases=(case_of(view, states.CASE_PLANNING_FAILED, cause, subject=name),))


def _gated(view: ReturnView, effect: PlannedEffect, now: datetime) -> tuple[PlannedEffect, tuple[PlannedCase, ...]]:
    """The effect with what holds everything of its kind in front of its own holds.

    Money whose hold a person released waits for a second one.
    """
    every = gates_of(view, effect, now)
    found = unreleased(view, every, effect.key)
    holds = tuple(dict.fromkeys((*holds_of(found), *effect.holds)))
    is_released = effect.kind in states.VALUE_KINDS and len(found) < len(every)
    gated = replace(effect, holds=holds, needs_approval=effect.needs_approval or is_released)
    return gated, cases_of(found)


def _approval_cases(view: ReturnView, effects: Iterable[PlannedEffect]) -> list[PlannedCase]:
    """A case for each amount that only waits for its second person, planned by rule or proposed by a person."""
    decided = {effect.key for effect in view.effects if effect.is_approved}
    # A refusal stands as long as the same is asked for (the merge of the plan leaves that effect cancelled too).
    refused = {(effect.key, effect.payload_hash) for effect in view.effects if effect.error_code == APPROVAL_REFUSED}
    found = [
        _approval_case(view, effect.key, effect)
        for effect in effects
        if effect.needs_approval and not effect.holds and effect.key not in decided
        if (effect.key, content_hash(dict(effect.payload))) not in refused
    ]
    found.extend(
        _approval_case(view, effect.key, effect)
        for effect in view.effects
        if effect.origin == states.ORIGIN_PERSON and effect.state == states.AWAITING_APPROVAL
    )
    return found


def _approval_case(view: ReturnView, key: str, effect: PlannedEffect | EffectView) -> PlannedCase:
    """Whose matter it is decides who is asked: finance, the warehouse, or customer service."""
    match matters.MATTERS[effect.kind]:
        case matters.OF_STOCK:
            return _stock_case(view, key, effect)
        case matters.OF_EXCHANGES:
            return _exchange_case(view, key, effect)
    amount = effect.amount or Decimal(0)
    before = proposed.already(view, but=key) if isinstance(effect, EffectView) else ""
    return case_of(
        view,
        states.CASE_NEEDS_APPROVAL,
        f"{_MONEY_WORDS[effect.kind]} of {money.display(amount, currency=effect.currency)} {_WAITS} {before}".strip(),
        subject=key if effect.kind == states.VOID_CREDIT else key.rpartition(":")[2],
        evidence={"effect": key, "amount": amounts.text(amount, currency=effect.currency), "currency": effect.currency},
        money_at_risk=effect.amount,
        currency=effect.currency,
    )


def _stock_case(view: ReturnView, key: str, effect: PlannedEffect | EffectView) -> PlannedCase:
    """Units to be taken out of stock again."""
    return case_of(
        view,
        states.CASE_NEEDS_STOCK_APPROVAL,
        f"taking {effect.quantity} x {effect.item_id} out of stock again {_WAITS}",
        subject=key.removeprefix(f"reverse:{states.RESTOCK}:{view.ref}:"),
        evidence={"effect": key},
    )


def _exchange_case(view: ReturnView, key: str, effect: PlannedEffect | EffectView) -> PlannedCase:
    """A replacement to be sent though nobody pays its difference, or to be cancelled after it was placed."""
    payload = effect.payload if isinstance(effect, PlannedEffect) else {}
    exchange = next((one for one in view.exchanges if one.exchange_id == payload.get("exchange_id")), None)
    owed = exchange.price_difference if exchange and effect.kind == states.EXCHANGE else Decimal(0)
    shown = money.display(owed, currency=view.currency) if view.currency else f"{owed.normalize():f}"
    is_beside = exchange is not None and proposed.is_given_as_well(view, exchange.exchange_id)
    costs = f" that costs {shown} more, which nobody pays," if owed or not is_beside else ""
    sending = f"sending a replacement{costs}{' beside money that people paid for the return' if is_beside else ''}"
    cancelling = f"cancelling the replacement order {payload.get('order_id', '')}".strip()
    return case_of(
        view,
        states.CASE_NEEDS_EXCHANGE_APPROVAL,
        f"{sending if effect.kind == states.EXCHANGE else cancelling} {_WAITS}",
        subject=key,
        evidence={"effect": key},
        money_at_risk=owed or None,
    )


def _each_once(cases: Iterable[PlannedCase]) -> tuple[PlannedCase, ...]:
    by_fingerprint = {case.fingerprint: case for case in reversed(list(cases))}
    return tuple(by_fingerprint[key] for key in sorted(by_fingerprint))


def _earliest(parts: Iterable[Part], effects: Iterable[PlannedEffect], now: datetime) -> datetime | None:
    moments = [at for part in parts for at in part.look_at]
    moments.extend(hold.until_at for effect in effects for hold in effect.holds if hold.until_at is not None)
    return min((at for at in moments if at > now), default=None)
