"""What people must look at though it holds nothing: deadlines, charges, failed payouts, too much refunded. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal

from returnsops import money, states

from . import credited, items, order_money, verdicts
from .holds import case_of, cases_of, is_accepted, is_accepted_up_to, joined
from .model import Part, PlannedCase
from .policy import Policy
from .view import PayoutView, ReturnView, RiskView

_DECIDED = frozenset({states.INSPECTED, states.CLOSED}) | states.RETURN_ENDED


def plan_attention(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """Cases without an effect, and when time alone brings the next one."""
    return joined(
        (
            _order_missing(view, now),
            _items(view, policy),
            _risk(view),
            _decision_due(view, policy, now),
            _never_returned(view, policy, now),
            Part(cases=tuple(case for risk in view.risks for case in _charge(view, risk))),
            Part(cases=tuple(_failed(view, payout) for payout in view.payouts if _is_failure_open(view, payout))),
            _over_refunded(view),
        )
    )


def _order_missing(view: ReturnView, now: datetime) -> Part:
    """Also without any effect, a return whose order never came is a case."""
    until_at = view.order_wanted_until_at
    if view.order is not None or until_at is None:
        return Part()
    if now < until_at:
        return Part(look_at=(until_at,))
    return Part(cases=(order_missing_case(view),))


def order_missing_case(view: ReturnView) -> PlannedCase:
    """The case of a return without an order."""
    name = f"order {view.order_id}" if view.order_id else "its order"
    return case_of(
        view,
        states.CASE_ORDER_NOT_FOUND,
        f"the return waits for {name}, which the shop does not have. Find the right order, or decline the return.",
        evidence={"order": view.order_id},
    )


def _items(view: ReturnView, policy: Policy) -> Part:
    """What is wrong with an item is worth knowing before any money or stock waits for it."""
    if view.status in states.RETURN_ENDED:
        return Part()
    found = [finding for line in view.lines for finding in items.findings(view, policy, line)]
    return Part(cases=cases_of(found))


def _risk(view: ReturnView) -> Part:
    """A risk review is finance's to know of, whatever it holds."""
    if not view.is_on_risk_hold:
        return Part()
    text = "the returns platform placed a risk review. Nothing is paid, restocked or noted before it is released there."
    evidence = {"risks": [{"id": risk.risk_id, "kind": risk.kind, "stage": risk.stage} for risk in view.risks]}
    return Part(cases=(case_of(view, states.CASE_RISK_HOLD, text, evidence=evidence),))


def _decision_due(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """Instant returns are covered by the platform only if the merchant decides in time (reveni.md A3)."""
    start = view.requested_at or view.authorised_at
    if view.mode != "instant" or start is None or view.status in _DECIDED:
        return Part()
    warn_at = start + timedelta(days=policy.decision_warn_day)
    due_at = start + timedelta(days=policy.decision_days)
    if now < warn_at:
        return Part(look_at=(warn_at,))
    if is_accepted(view, states.CASE_DECISION_DUE):
        return Part()
    is_late = now >= due_at
    cause = (
        f"the returns platform waits for accept or reject {'since' if is_late else 'until'} {due_at:%d %B %Y}, day "
        f"{policy.decision_days} of this instant return. {'It may be too late for its cover: d' if is_late else 'D'}"
        "ecide there now."
    )
    case = case_of(
        view, states.CASE_DECISION_DUE, cause, evidence={"due": due_at.isoformat()}, money_at_risk=_paid(view)
    )
    return Part(cases=(case,), look_at=() if is_late else (due_at,))


def _never_returned(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """Paid at once, and the goods never came."""
    start = view.authorised_at or view.requested_at
    is_out = view.status in (states.DECLINED, states.CANCELLED, states.CLOSED)
    if view.mode != "instant" or is_out or verdicts.has_passed(view, "delivered") or not _has_something(view):
        return Part()
    if view.status != states.EXPIRED:
        if start is None:
            return Part()
        limit_at = start + timedelta(days=policy.instant_return_days)
        if now < limit_at:
            return Part(look_at=(limit_at,))
    if is_accepted(view, states.CASE_INSTANT_NEVER_RETURNED):
        return Part()
    return Part(
        cases=(
            case_of(
                view,
                states.CASE_INSTANT_NEVER_RETURNED,
                "the customer has the money or the replacement, and the goods never came back. See that the returns "
                "platform covers or recovers it; nothing is booked by itself.",
                evidence={"status": view.status, "refunds": [payout.refund_id for payout in view.payouts]},
                money_at_risk=_paid(view),
            ),
        )
    )


def _has_something(view: ReturnView) -> bool:
    """Whether the customer has money, credit or a replacement for the goods: else nobody paid in advance."""
    sent = {effect.kind for effect in view.effects if effect.state in states.COMMITTED}
    has_money = states.REFUND in sent or any(refund.attribution == "this_return" for refund in view.shop_refunds)
    has_credit = any(credited.is_outside(credit) and not credit.is_withdrawn for credit in view.credits)
    is_ours = any(
        kind in sent and states.INVERSE_OF[kind] not in sent for kind in (states.STORE_CREDIT, states.EXCHANGE)
    )
    has_goods = any(
        (exchange.is_settled or exchange.commerce_order_id) and not exchange.is_cancelled for exchange in view.exchanges
    )
    return _paid(view) > 0 or has_money or has_credit or is_ours or has_goods


def _paid(view: ReturnView) -> Decimal:
    return sum((payout.amount for payout in view.payouts if not payout.is_failed), Decimal(0))


def _charge(view: ReturnView, risk: RiskView) -> tuple[PlannedCase, ...]:
    """Charges for goods that never came: made (for finance to know), failed or undone."""
    words = {"charged": "was made", "failed": "failed", "reversed": "was undone"}
    subject = f"{risk.risk_id}/{risk.stage}"  # that it was made is accepted, and not that it fails or is undone later
    is_known = any(is_accepted(view, states.CASE_CHARGE_PROBLEM, one) for one in (subject, risk.risk_id))
    if risk.stage not in words or is_known:
        return ()
    amount = money.display(risk.amount, currency=risk.currency) if risk.amount is not None and risk.currency else ""
    return (
        case_of(
            view,
            states.CASE_CHARGE_PROBLEM,
            f"the charge{f' of {amount}' if amount else ''} for goods that did not come back "
            f"({risk.kind.replace('_', ' ')}) {words[risk.stage]}; liable: {risk.liable or 'unknown'}. "
            "Nothing is booked by itself.",
            subject=subject,
            evidence={"risk": risk.risk_id, "stage": risk.stage, "liable": risk.liable},
            money_at_risk=risk.amount,
            currency=risk.currency,
        ),
    )


def _is_failure_open(view: ReturnView, payout: PayoutView) -> bool:
    subjects = (_subject(payout), payout.refund_id)
    is_known = any(is_accepted(view, states.CASE_PLATFORM_REFUND_FAILED, subject) for subject in subjects)
    return payout.is_failed and not is_known


def _subject(payout: PayoutView) -> str:
    """One try of a refund: where the platform issues it anew and that fails too, the customer waits again."""
    return f"{payout.refund_id}/{payout.issued_at.isoformat()}"


def _failed(view: ReturnView, payout: PayoutView) -> PlannedCase:
    """The platform's money did not arrive; worse where the shop already says it did."""
    written = [
        effect.key
        for effect in view.effects
        if order_money.is_counted(effect) and effect.kind == states.REFUND and effect.key.endswith(payout.refund_id)
    ]
    cause = (
        f"refund {payout.refund_id} of {money.display(payout.amount, currency=payout.currency)} did not reach the "
        f"customer: {payout.failure_text or 'the returns platform gives no reason'}."
    )
    if written:
        cause += " It is already written in the shop as refunded."
    return case_of(
        view,
        states.CASE_PLATFORM_REFUND_FAILED,
        f"{cause} Agree another way to pay with the customer.",
        subject=_subject(payout),
        evidence={"refund": payout.refund_id, "failure": payout.failure_text, "written": written},
        money_at_risk=payout.amount,
        currency=payout.currency,
    )


def over_refunded(view: ReturnView) -> Decimal:
    """How much more stands refunded in the shop than was paid."""
    return Decimal(0) if view.order is None else order_money.refunded_in_shop(view) - view.order.total


def _over_refunded(view: ReturnView) -> Part:
    """More stands refunded in the shop than was paid: it does not stop that by itself (woocommerce-observed 4.5)."""
    excess = over_refunded(view)
    if view.order is None or excess <= 0 or is_accepted_up_to(view, states.CASE_OVER_REFUNDED, excess):
        return Part()
    currency = view.order.currency
    refunded = order_money.refunded_in_shop(view)
    paid = money.display(view.order.total, currency=currency)
    case = case_of(
        view,
        states.CASE_OVER_REFUNDED,
        f"{money.display(refunded, currency=currency)} are refunded of {paid} paid, "
        f"{money.display(excess, currency=currency)} too much. See which refund is wrong.",
        evidence={"refunds": [one.refund_id for one in view.shop_refunds], "excess": str(excess)},
        money_at_risk=excess,
        currency=currency,
    )
    return Part(cases=(case,))
