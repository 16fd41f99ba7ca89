"""Store credit and gift cards instead of money (S4-18): issued once, told the customer, taken back while unspent. Pure.

Whether we issue them is a setting of the policy; where a person does, each is a to-do. None ever becomes a refund.
"""

from datetime import datetime
from decimal import Decimal

from returnsops import money, states

from . import amounts, credited, items, order_money, proposed, verdicts
from .holds import (
    WAITS_FOR_CREDIT,
    WAITS_FOR_TRIGGER,
    Finding,
    case_of,
    cases_of,
    fingerprint,
    holds_of,
    is_accepted,
    joined,
    problem,
    unreleased,
    waiting,
    waived_amounts,
)
from .keys import business_key
from .late import outside_window
from .model import Hold, Part, PlannedCase, PlannedEffect
from .policy import Policy
from .view import CreditView, EffectView, LineView, ReturnView

_ARRIVED = frozenset({states.DONE, states.CONFIRMED})


def plan_credits(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """What is left to do for each credit: issue it, tell the customer, take it back, or a to-do for a person."""
    return joined(_credit(view, policy, one) for one in view.credits)


def _credit(view: ReturnView, policy: Policy, credit: CreditView) -> Part:
    issued = credited.issued(view, credit)
    if credit.is_withdrawn or (issued is not None and credited.is_taken_back(view, credit)):
        return _taken_back(view, policy, credit, issued)
    if issued is not None:
        return Part(effects=_told(view, policy, credit, issued), cases=_changed(view, policy, credit, issued))
    if credit.is_settled or credited.is_taken_back(view, credit):
        return Part()
    if policy.credit.writer == "us" and view.commerce:
        return _wanted(view, policy, credit)
    is_platforms = policy.credit.writer == "platform" and credit.executed_by == credited.PLATFORM
    return Part() if is_platforms else Part(cases=(_manual(view, credit),))


def _manual(view: ReturnView, credit: CreditView, *, why: str = "") -> PlannedCase:
    kind = credit.kind.replace("_", " ")
    return case_of(
        view,
        states.CASE_MANUAL_CREDIT,
        f"{kind} {credit.credit_id} over {money.display(credit.amount, currency=credit.currency)} was granted instead "
        f"of money{why}. Issue it where the customer can spend it, or record that it was issued already."
        f"{proposed.warning(view)}",
        subject=credit.credit_id,
        evidence={"credit": credit.credit_id, "kind": credit.kind, "executed_by": credit.executed_by},
        money_at_risk=credit.amount,
        currency=credit.currency,
    )


# --- issuing -------------------------------------------------------------------------------------------------------


def _wanted(view: ReturnView, policy: Policy, credit: CreditView) -> Part:
    """The coupon to be made; what the platform issued itself is recorded and nothing is sent."""
    executed_by = credit.executed_by or policy.refund.default_executed_by
    if executed_by == credited.PLATFORM:
        return Part()
    if not money.is_exact(credit.amount + credit.bonus, currency=credit.currency):
        return Part(cases=(_manual(view, credit, why=", with more digits than the currency has"),))
    key = credited.key_of(view, credit)
    every = _hindrances(view, policy, credit, executed_by)
    found = unreleased(view, every, key)
    total = credit.amount + credit.bonus
    effect = PlannedEffect(
        kind=states.STORE_CREDIT,
        key=key,
        target="commerce",
        payload=_payload(view, policy, credit),
        serial_key=f"order:{view.order_id}",
        amount=total,
        currency=credit.currency,
        holds=holds_of(found),
        needs_approval=(
            len(found) < len(every)
            or proposed.is_given_as_well(view, credit.credit_id)
            or policy.is_over_threshold(total, currency=credit.currency)
        ),
    )
    return Part(effects=(effect,), cases=cases_of(found))


def _payload(view: ReturnView, policy: Policy, credit: CreditView) -> dict[str, object]:
    return {
        "amount": amounts.text(credit.amount + credit.bonus, currency=credit.currency),
        "bonus": amounts.text(credit.bonus, currency=credit.currency),
        "currency": credit.currency,
        "credit": credit.credit_id,
        "credit_kind": credit.kind,
        "valid_days": policy.credit.valid_days,
        "reason": f"Return {view.number or view.ref}",
        "rma_number": view.number,
        **proposed.approved_beside(view, credit.credit_id),
    }


def _hindrances(view: ReturnView, policy: Policy, credit: CreditView, executed_by: str) -> tuple[Finding, ...]:
    lines = _lines(view, credit)
    waits = verdicts.waits_for(view, [(line, line.quantity) for line in lines], policy.trigger(credit.kind))
    found = [
        *(finding for line in lines for finding in items.findings(view, policy, line)),
        None if executed_by else _executor(view, credit),
        waiting(WAITS_FOR_TRIGGER, waits) if waits else None,
        outside_window(view, policy),
        _question(view, policy),
        _foreign(view, credit) or _too_much(view, policy, credit),
        credited.paid_as_well(view, policy),
        *proposed.beside(view, f"credit {credit.credit_id}", credit.credit_id),
    ]
    return tuple(finding for finding in found if finding is not None)


def _lines(view: ReturnView, credit: CreditView) -> list[LineView]:
    """The items it is for; the platform does not name them, so those that ask for it, else all."""
    return [line for line in view.lines if line.resolution == credit.kind] or list(view.lines)


def _executor(view: ReturnView, credit: CreditView) -> Finding:
    return problem(
        view,
        states.CASE_EXECUTOR_UNKNOWN,
        f"the returns platform did not say who issues {credit.kind.replace('_', ' ')} {credit.credit_id}. "
        "Say whether it was issued already or the shop has to issue it.",
        subject=credit.credit_id,
        evidence={"credit": credit.credit_id, "amount": f"{credit.amount:f}", "currency": credit.currency},
        money_at_risk=credit.amount,
        currency=credit.currency,
    )


def _question(view: ReturnView, policy: Policy) -> Finding | None:
    """A refund made outside that nobody attributed may have been for these goods; its case is the refunds' (S1-23)."""
    if not order_money.questions(view, policy):
        return None
    text = "waits for finance to say what a refund made outside was for"
    case = fingerprint(view, states.CASE_REFUNDED_OUTSIDE)
    return Finding(hold=Hold(code=states.CASE_REFUNDED_OUTSIDE, text=text, waits_for=case))


def _foreign(view: ReturnView, credit: CreditView) -> Finding | None:
    if view.order is None or credit.currency == view.order.currency:
        return None
    return problem(
        view,
        states.CASE_CURRENCY_MISMATCH,
        f"the credit is in {credit.currency}, the order in {view.order.currency}. It is not converted: have it "
        "corrected in the returns platform, or withdraw it and issue another by hand.",
        subject=credit.credit_id,
        evidence={"credit": credit.currency, "order": view.order.currency, "amount": f"{credit.amount:f}"},
        money_at_risk=credit.amount,
        currency=credit.currency,
    )


def _too_much(view: ReturnView, policy: Policy, credit: CreditView) -> Finding | None:
    """Never more credit than was paid and is not refunded; what is given on top counts nothing."""
    if view.order is None:
        return None
    left = order_money.left(view, policy, paid=view.order.total, key=credited.key_of(view, credit))
    asked = _asked(view, policy)
    free = left.free - asked
    if credit.amount <= free:
        return None
    figures = {
        "paid": left.paid,
        "refunded": left.refunded,
        "on its way": left.on_its_way,
        "given as credit": left.credited,
        "reserved": left.reserved + asked,
        "left": max(Decimal(0), free),
        "asked": credit.amount,
    }
    words = ", ".join(f"{name} {money.display(one, currency=credit.currency)}" for name, one in figures.items())
    return problem(
        view,
        states.CASE_WOULD_OVER_CREDIT,
        f"more would be given back than was paid: {words}.",
        subject=credit.credit_id,
        evidence={name: amounts.text(one, currency=credit.currency) for name, one in figures.items()},
        money_at_risk=credit.amount - figures["left"],
        currency=credit.currency,
    )


def _asked(view: ReturnView, policy: Policy) -> Decimal:
    """What the platform wants refunded for this return and is not sent yet."""
    if policy.initiator(view.resolution) == "policy_trigger":
        return Decimal(0)  # those refunds are held by the credit instead
    sent = {effect.key for effect in view.effects if order_money.is_counted(effect)}
    told = [payout for payout in view.payouts if not payout.is_failed]
    covered = sum((refund.amount for refund in order_money.covering(view, policy)), Decimal(0))
    covered += sum((effect.amount or Decimal(0) for effect in proposed.paying(view)), Decimal(0))
    wanted = sum(
        (one.amount for one in told if business_key(states.REFUND, view.ref, one.refund_id) not in sent), Decimal(0)
    )
    return max(Decimal(0), wanted - covered)


# --- after it was issued -------------------------------------------------------------------------------------------


def _told(view: ReturnView, policy: Policy, credit: CreditView, issued: EffectView) -> tuple[PlannedEffect, ...]:
    """The note that brings the customer the code, once the credit is there; the code itself is in no plan."""
    key = business_key(states.NOTE, view.ref, "credit", credit.kind, credit.credit_id)
    is_written = any(effect.key == key and effect.state in states.COMMITTED for effect in view.effects)
    if not policy.credit.customer_note or issued.state not in _ARRIVED or is_written:
        return ()
    name = view.number or view.ref.rpartition("/")[2]
    token = f"[{name}/credit/{credit.credit_id}]"
    shown = money.display(issued.amount or Decimal(0), currency=issued.currency)
    text = policy.credit.customer_note.replace("{amount}", shown)
    payload = {"token": token, "text": f"{text} {token}", "remote_credit_id": issued.remote_id}
    serial = f"note:{view.order_id}"
    return (PlannedEffect(kind=states.NOTE, key=key, target="commerce", payload=payload, serial_key=serial),)


def _changed(view: ReturnView, policy: Policy, credit: CreditView, issued: EffectView) -> tuple[PlannedCase, ...]:
    """A case where the platform now says another amount than was issued; nothing more is issued by itself."""
    now, sent = credit.amount + credit.bonus, issued.amount or Decimal(0)
    accepted = waived_amounts(view, states.CASE_AMOUNT_MISMATCH, issued.key)
    if (now == sent and credit.currency == issued.currency) or sent in accepted:
        return ()
    return (
        case_of(
            view,
            states.CASE_AMOUNT_MISMATCH,
            f"credit {credit.credit_id} was issued over {money.display(sent, currency=issued.currency)}, and the "
            f"returns platform now says {money.display(now, currency=credit.currency)}. Nothing more is issued by "
            "itself: settle the difference, or accept the amount that was issued.",
            subject=credit.credit_id,
            evidence={
                "issued": money.display(sent, currency=issued.currency),
                "platform": money.display(now, currency=credit.currency),
            },
            money_at_risk=abs(now - sent),
            currency=issued.currency,
        ),
    )


# --- taking it back ------------------------------------------------------------------------------------------------


def _taken_back(view: ReturnView, policy: Policy, credit: CreditView, issued: EffectView | None) -> Part:
    """What makes an issued credit worthless: the policy says whether a person does it or we do."""
    if is_accepted(view, states.CASE_CREDIT_TO_VOID, credit.credit_id):
        return Part()
    if issued is None:
        return Part(cases=(_to_void(view, credit),)) if credited.is_outside(credit) else Part()
    if policy.reversal.credit == "case":
        return Part(cases=(_to_void(view, credit),))
    key = credited.void_key(issued.key)
    before = next((effect for effect in view.effects if effect.key == key), None)
    if before is not None and before.state in states.COMMITTED:
        return Part()
    is_spent = before is not None and before.state == states.REJECTED and before.error_code == "credit_spent"
    if is_spent and is_accepted(view, states.CASE_CREDIT_SPENT, credit.credit_id):
        return Part()
    cases = (_spent(view, credit, issued),) if is_spent else ()
    return Part(effects=(_void(view, policy, issued, key),), cases=cases)


def _void(view: ReturnView, policy: Policy, issued: EffectView, key: str) -> PlannedEffect:
    is_moving = issued.state in states.IN_FLIGHT
    text = "waits for the credit that is being issued right now"
    keys = [issued.key, *(f"{issued.key}#{number}" for number in range(2, issued.generation + 1))]
    return PlannedEffect(
        kind=states.VOID_CREDIT,
        key=key,
        target="commerce",
        payload={"remote_credit_id": issued.remote_id, "credit_keys": keys},
        serial_key=f"order:{view.order_id}",
        amount=issued.amount,
        currency=issued.currency,
        holds=(Hold(code=WAITS_FOR_CREDIT, text=text, waits_for=issued.key),) if is_moving else (),
        needs_approval=policy.reversal.credit == "approve",
    )


def _to_void(view: ReturnView, credit: CreditView) -> PlannedCase:
    return _case_of_credit(
        view,
        states.CASE_CREDIT_TO_VOID,
        credit,
        "is not to be given after all, but was issued. See that it can no longer be spent, and accept this with the "
        "reason.",
    )


def _spent(view: ReturnView, credit: CreditView, issued: EffectView) -> PlannedCase:
    return _case_of_credit(
        view,
        states.CASE_CREDIT_SPENT,
        credit,
        f"was to be taken back (record {issued.remote_id}), but the customer spent it already. Agree with the customer "
        "or bear it, and accept this with the reason.",
    )


def _case_of_credit(view: ReturnView, kind: str, credit: CreditView, text: str) -> PlannedCase:
    shown = money.display(credit.amount + credit.bonus, currency=credit.currency)
    return case_of(
        view,
        kind,
        f"{credit.kind.replace('_', ' ')} {credit.credit_id} of {shown} {text}",
        subject=credit.credit_id,
        evidence={"credit": credit.credit_id, "kind": credit.kind, "executed_by": credit.executed_by},
        money_at_risk=credit.amount + credit.bonus,
        currency=credit.currency,
    )
