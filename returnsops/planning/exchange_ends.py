"""What follows once a replacement order is placed: what changed since, what is withdrawn, what is left. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any

from returnsops import money, states

from .holds import Finding, case_of, cases_of, holds_of, is_accepted, problem, unreleased
from .keys import business_key, content_hash
from .model import Part, PlannedCase, PlannedEffect
from .policy import Policy
from .view import EffectView, ExchangeView, ReturnView

# Codes of decisions, not of holds: a person dealt with a withdrawn exchange by hand, or leaves the order as it is; the
# shopper paid the difference.
EXCHANGE_KEPT = "exchange_kept"
EXCHANGE_PAID = "exchange_paid"
_ARRIVED = frozenset({states.DONE, states.CONFIRMED})


def lines_wanted(exchange: ExchangeView) -> list[dict[str, Any]]:
    """What is to be sent, as the payload names it."""
    return [{"sku": line.sku, "variant_id": line.variant_id, "quantity": line.quantity} for line in exchange.lines]


def is_withdrawn(view: ReturnView, exchange: ExchangeView) -> bool:
    """Whether it is no longer wanted: withdrawn itself, or its return declined or cancelled.

    An expired return is not: the shopper may keep the replacement and be charged (reveni.md, instant exchanges).
    """
    return exchange.is_cancelled or view.status in (states.DECLINED, states.CANCELLED)


def inverse_key(key: str) -> str:
    """Key of the effect that takes a replacement order back."""
    return f"reverse:{key}:1"


def key_in_force(ref: str, exchange_id: str, effects: Mapping[str, str]) -> str:
    """Key of the replacement order an exchange has or is to get; ``effects`` are states by key.

    One that was taken back in the shop keeps its key for ever: wished again, the next order has one of its own.
    """
    first = business_key(states.EXCHANGE, ref, exchange_id)
    keys = (first if number == 1 else f"{first}:{number}" for number in count(1))
    return next(key for key in keys if effects.get(inverse_key(key)) not in _ARRIVED)


def key_of(view: ReturnView, exchange_id: str) -> str:
    """The same, in a view."""
    return key_in_force(view.ref, exchange_id, {effect.key: effect.state for effect in view.effects})


def after_sending(view: ReturnView, policy: Policy, exchange: ExchangeView, sent: EffectView) -> Part:
    """A replacement order that exists, or may: never planned again."""
    is_platforms = policy.exchange.writer == "platform"
    if is_withdrawn(view, exchange):
        return Part() if is_platforms or sent.state not in _ARRIVED else _withdrawn(view, policy, exchange, sent)
    return Part(
        cases=(
            *_again(view, exchange, sent.remote_id),
            *_changed(view, exchange, sent, is_platforms),
            *_money_left(view, exchange, sent),
        )
    )


def after_settling(view: ReturnView, exchange: ExchangeView) -> Part:
    """Placed by hand; a withdrawal afterwards is work of a person too."""
    if not is_withdrawn(view, exchange):
        return Part(cases=_again(view, exchange, exchange.commerce_order_id))
    if is_accepted(view, EXCHANGE_KEPT, exchange.exchange_id):
        return Part()
    text = (
        f"exchange {exchange.exchange_id} was withdrawn, but its replacement order {exchange.commerce_order_id} was "
        "placed by hand. Cancel it in the shop if it has not left, and record that here."
    )
    evidence = {"exchange": exchange.exchange_id, "order": exchange.commerce_order_id}
    case = case_of(view, states.CASE_EXCHANGE_WITHDRAWN, text, subject=exchange.exchange_id, evidence=evidence)
    return Part(cases=(case,))


def _again(view: ReturnView, exchange: ExchangeView, order_id: str) -> tuple[PlannedCase, ...]:
    """Wished again after a person had dealt with the withdrawal: only people know what became of that order."""
    subject = f"{exchange.exchange_id}/again"
    was_kept = exchange.is_renewed and is_accepted(view, EXCHANGE_KEPT, exchange.exchange_id)
    if not was_kept or is_accepted(view, states.CASE_EXCHANGE_UNDECIDED, subject):
        return ()
    text = (
        f"exchange {exchange.exchange_id} is wished again after its withdrawal was dealt with by hand. See whether its "
        f"replacement order {order_id} still goes out; place another by hand if it does not, and accept this."
    )
    evidence = {"exchange": exchange.exchange_id, "order": order_id}
    return (case_of(view, states.CASE_EXCHANGE_UNDECIDED, text, subject=subject, evidence=evidence),)


# --- withdrawn -------------------------------------------------------------------------------------------------------


def _withdrawn(view: ReturnView, policy: Policy, exchange: ExchangeView, sent: EffectView) -> Part:
    key = inverse_key(sent.key)
    known = next((effect for effect in view.effects if effect.key == key), None)
    is_over = known is not None and known.state in states.COMMITTED
    if is_over or is_accepted(view, EXCHANGE_KEPT, exchange.exchange_id):
        return Part()
    mode = policy.reversal.exchange
    found = unreleased(view, (_asks(view, exchange, sent),) if mode == "case" else (), key)
    effect = PlannedEffect(
        kind=states.CANCEL_EXCHANGE,
        key=key,
        target="commerce",
        payload={"order_id": sent.remote_id, "key": sent.key, "exchange_id": exchange.exchange_id},
        serial_key=f"order:{sent.remote_id}",
        holds=holds_of(found),
        needs_approval=mode == "approve",
    )
    is_gone = known is not None and known.state == states.REJECTED and known.error_code == states.ALREADY_SHIPPED
    shipped = (_shipped(view, exchange, sent),) if is_gone else ()
    return Part(effects=(effect,), cases=(*cases_of(found), *shipped))


def _asks(view: ReturnView, exchange: ExchangeView, sent: EffectView) -> Finding:
    return problem(
        view,
        states.CASE_EXCHANGE_WITHDRAWN,
        f"waits for a decision: exchange {exchange.exchange_id} was withdrawn, but its replacement order "
        f"{sent.remote_id} is placed. Cancel it in the shop, or keep it.",
        subject=exchange.exchange_id,
        evidence={"exchange": exchange.exchange_id, "order": sent.remote_id},
    )


def _shipped(view: ReturnView, exchange: ExchangeView, sent: EffectView) -> PlannedCase:
    return case_of(
        view,
        states.CASE_EXCHANGE_SHIPPED,
        f"exchange {exchange.exchange_id} was withdrawn, but replacement order {sent.remote_id} has left the "
        "warehouse. Stop the parcel with the carrier, or agree with the shopper that it comes back.",
        subject=exchange.exchange_id,
        evidence={"exchange": exchange.exchange_id, "order": sent.remote_id},
    )


# --- changed, or left open -------------------------------------------------------------------------------------------


def _changed(view: ReturnView, exchange: ExchangeView, sent: EffectView, is_platforms: bool) -> tuple[PlannedCase, ...]:
    """What the platform says now is not what was sent."""
    named, ours = exchange.commerce_order_id, sent.remote_id
    reasons = []
    if not is_platforms and exchange.lines and sent.lines_hash != content_hash(lines_wanted(exchange)):
        reasons.append("it asks for other goods now")
    if named and ours and named != ours:
        reasons.append(f"the platform names order {named} as its replacement")
    # Accepted is what it says now: what it says another time is to be corrected by hand as well.
    subject = f"{exchange.exchange_id}/{content_hash([named, lines_wanted(exchange)])[:12]}"
    is_known = any(is_accepted(view, states.CASE_EXCHANGE_CHANGED, one) for one in (subject, exchange.exchange_id))
    if not reasons or is_known:
        return ()
    return (
        case_of(
            view,
            states.CASE_EXCHANGE_CHANGED,
            f"replacement order {ours or '(on its way)'} of exchange {exchange.exchange_id} was placed, and since then "
            f"{' and '.join(reasons)}. Nothing more is placed by itself: correct the order in the shop by hand.",
            subject=subject,
            evidence={"exchange": exchange.exchange_id, "order": ours, "named": named, "now": lines_wanted(exchange)},
        ),
    )


def _money_left(view: ReturnView, exchange: ExchangeView, sent: EffectView) -> tuple[PlannedCase, ...]:
    """A cheaper replacement, and the platform closed the return without deciding anything over the difference."""
    subject = f"{exchange.exchange_id}/difference"
    is_decided = any(not payout.is_failed for payout in view.payouts) or bool(view.credits)
    if exchange.price_difference >= 0 or view.status != states.CLOSED or is_decided or sent.state not in _ARRIVED:
        return ()
    if is_accepted(view, states.CASE_EXCHANGE_UNDECIDED, subject):
        return ()
    left = abs(exchange.price_difference)
    shown = money.display(left, currency=view.currency) if view.currency else f"{left.normalize():f}"
    return (
        case_of(
            view,
            states.CASE_EXCHANGE_UNDECIDED,
            f"the replacement of exchange {exchange.exchange_id} costs {shown} less, and the platform closed the "
            "return without deciding a refund. Have it decide there, or accept that nothing is paid.",
            subject=subject,
            evidence={"exchange": exchange.exchange_id, "difference": shown},
            money_at_risk=Decimal(left),
        ),
    )
