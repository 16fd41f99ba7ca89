"""Goods instead of money (S4-18, S4-19): one replacement order for each exchange, never turned into a refund. Pure.

The goods that come back are no part of it: receipt, inspection and restock go their own way. A replacement that is
cheaper moves no money either; the platform decides that refund, and a case says so where it ends without deciding.
"""

from datetime import datetime, timedelta

from returnsops import money, states

from . import exchange_ends, items, proposed, verdicts
from .holds import WAITS_FOR_TRIGGER, Finding, case_of, cases_of, holds_of, is_accepted, joined, problem, unreleased
from .holds import waiting as waits
from .keys import content_hash
from .model import Part, PlannedCase, PlannedEffect
from .policy import Policy
from .view import EffectView, ExchangeView, LineView, ReturnView

WAITS_FOR_PLATFORM = "waits_for_platform_order"
_MILESTONES = ("authorised", "in_transit", "received", "inspected")


def plan_exchanges(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """The replacement orders still to be placed, those to be taken back, and what of them a person has to decide."""
    return joined(_of_one(view, policy, one, now) for one in view.exchanges)


def _of_one(view: ReturnView, policy: Policy, exchange: ExchangeView, now: datetime) -> Part:
    key = exchange_ends.key_of(view, exchange.exchange_id)
    known = next((effect for effect in view.effects if effect.key == key), None)
    if known is not None and known.state in states.COMMITTED:
        return exchange_ends.after_sending(view, policy, exchange, known)
    if exchange.is_settled:
        return exchange_ends.after_settling(view, exchange)
    if exchange_ends.is_withdrawn(view, exchange) or view.status == states.EXPIRED:
        return Part()
    if policy.exchange.writer == "person" or not view.commerce:
        return Part(cases=(_by_hand(view, exchange),))
    if is_accepted(view, states.CASE_EXCHANGE_UNAVAILABLE, exchange.exchange_id):
        return Part(cases=_handed_over(view, exchange))
    if not exchange.commerce_order_id and not _is_clear(exchange):
        return Part(cases=(_by_hand(view, exchange, why=" The platform does not say which goods."),))
    return _to_place(view, policy, exchange, key, known, now)


def _to_place(
    view: ReturnView, policy: Policy, exchange: ExchangeView, key: str, known: EffectView | None, now: datetime
) -> Part:
    found = unreleased(view, _findings(view, policy, exchange), key)
    effect = PlannedEffect(
        kind=states.EXCHANGE,
        key=key,
        target="commerce",
        payload=_payload(view, policy, exchange),
        serial_key=_serial_key(exchange),
        quantity=sum(line.quantity for line in exchange.lines),
        holds=holds_of(found),
        needs_approval=_is_given_away(view, policy, exchange) or _is_given_as_well(view, exchange),
    )
    late, look_at = _never_named(view, policy, exchange, now)
    return Part(
        effects=(effect,),
        cases=(*cases_of(found), *_unavailable(view, exchange, effect, known), *late),
        look_at=look_at,
    )


def _payload(view: ReturnView, policy: Policy, exchange: ExchangeView) -> dict[str, object]:
    payload: dict[str, object] = {
        "exchange_id": exchange.exchange_id,
        "lines": exchange_ends.lines_wanted(exchange),
        "rma_number": view.number,
    }
    if not exchange.commerce_order_id:
        payload |= proposed.approved_beside(view, exchange.exchange_id)
    if _is_given_away(view, policy, exchange):
        payload["given_up"] = _difference(exchange)  # approved is just this
    # An order the platform says it placed is only looked for, whoever was to place it: never a second one.
    adopted = exchange.commerce_order_id
    return payload | ({"adopt": adopted} if adopted or policy.exchange.writer == "platform" else {})


def _is_clear(exchange: ExchangeView) -> bool:
    return bool(exchange.lines) and all((line.sku or line.variant_id) and line.quantity > 0 for line in exchange.lines)


def _serial_key(exchange: ExchangeView) -> str:
    """One at a time for one product: two replacements must not both take the last piece."""
    names = sorted(line.variant_id or line.sku for line in exchange.lines)
    return f"goods:{names[0]}"[:200] if names else ""


# --- what it waits for -----------------------------------------------------------------------------------------------


def _findings(view: ReturnView, policy: Policy, exchange: ExchangeView) -> tuple[Finding, ...]:
    if exchange.commerce_order_id:
        return ()  # it exists; what is left is to see it
    if policy.exchange.writer == "platform":
        return (waits(WAITS_FOR_PLATFORM, "waits for the returns platform to place the replacement order"),)
    trigger = _trigger(policy, exchange)
    wanted = [(line, line.quantity) for line in _replaced(view, exchange)]
    words = verdicts.waits_for(view, wanted, trigger) if wanted else _waits_for_milestone(view, trigger)
    found = [waits(WAITS_FOR_TRIGGER, words)] if words else []
    beside = proposed.beside(view, f"exchange {exchange.exchange_id}", exchange.exchange_id)
    return (*found, *_refused(view, exchange, trigger), *_owed(view, policy, exchange), *beside)


def _trigger(policy: Policy, exchange: ExchangeView) -> str:
    return policy.exchange.release_instant if exchange.is_instant else policy.exchange.release


def _replaced(view: ReturnView, exchange: ExchangeView) -> list[LineView]:
    """The items the replacement stands for: those it names, else those to be exchanged, else all."""
    named = {line.replaces_item_id for line in exchange.lines if line.replaces_item_id}
    chosen = [line for line in view.lines if line.item_id in named]
    return chosen or [line for line in view.lines if line.resolution == "exchange"] or list(view.lines)


def _waits_for_milestone(view: ReturnView, trigger: str) -> str:
    """A return without items: nothing can be judged, so the return itself has to have come so far."""
    milestone = trigger if trigger in _MILESTONES else "inspected"
    return "" if verdicts.has_passed(view, milestone) else f"waits for the return to be {milestone.replace('_', ' ')}"


def _refused(view: ReturnView, exchange: ExchangeView, trigger: str) -> tuple[Finding, ...]:
    """Goods that were judged and refused are not replaced without a word."""
    if trigger not in ("inspected", "disposition_final"):
        return ()
    refused = [line for line in _replaced(view, exchange) if verdicts.units_payable(view, line) < line.quantity]
    if not refused or is_accepted(view, states.CASE_EXCHANGE_UNDECIDED, exchange.exchange_id):
        return ()
    names = ", ".join(items.label(line) for line in refused)
    return (
        problem(
            view,
            states.CASE_EXCHANGE_UNDECIDED,
            f"{names}: the inspection refused it, and it is to be exchanged. Accept this to send the replacement all "
            "the same, or withdraw the exchange in the returns platform.",
            subject=exchange.exchange_id,
            evidence={"exchange": exchange.exchange_id, "refused items": [line.item_id for line in refused]},
        ),
    )


def _owed(view: ReturnView, policy: Policy, exchange: ExchangeView) -> tuple[Finding, ...]:
    """The shopper owes a difference; paid or accepted is exactly this amount."""
    owed, subject = exchange.price_difference, _difference(exchange)
    is_settled = is_accepted(view, exchange_ends.EXCHANGE_PAID, subject) or _is_given_away(view, policy, exchange)
    if owed <= 0 or policy.exchange.price_up != "case" or is_settled:
        return ()
    shown = money.display(owed, currency=view.currency) if view.currency else f"{owed.normalize():f}"
    return (
        problem(
            view,
            states.CASE_EXCHANGE_PRICE,
            f"waits for the shopper's payment: the replacement costs {shown} more. Record the payment's reference, or "
            "accept the difference with the reason; a second person then approves that.",
            subject=subject,
            evidence={"exchange": exchange.exchange_id, "owed": shown},
            money_at_risk=owed,
        ),
    )


def _is_given_away(view: ReturnView, policy: Policy, exchange: ExchangeView) -> bool:
    """A person accepted that nobody pays the difference: a second one has to agree."""
    subject = _difference(exchange)
    is_open = exchange.price_difference > 0 and policy.exchange.price_up == "case" and not exchange.commerce_order_id
    is_paid = is_accepted(view, exchange_ends.EXCHANGE_PAID, subject)
    return is_open and not is_paid and is_accepted(view, states.CASE_EXCHANGE_PRICE, subject)


def _is_given_as_well(view: ReturnView, exchange: ExchangeView) -> bool:
    """Beside money of people; an order that exists is only looked for."""
    return not exchange.commerce_order_id and proposed.is_given_as_well(view, exchange.exchange_id)


def _difference(exchange: ExchangeView) -> str:
    return f"{exchange.exchange_id}={exchange.price_difference.normalize():f}"


# --- cases of people -------------------------------------------------------------------------------------------------


def _by_hand(view: ReturnView, exchange: ExchangeView, *, why: str = "") -> PlannedCase:
    named = ", ".join(f"{line.quantity} x {line.sku or line.variant_id}" for line in exchange.lines)
    wanted = named or "goods it does not name"
    return case_of(
        view,
        states.CASE_MANUAL_EXCHANGE,
        f"exchange {exchange.exchange_id} asks for {wanted}. Place the replacement order, or record its number.{why}"
        f"{proposed.warning(view)}",
        subject=exchange.exchange_id,
        evidence={
            "exchange": exchange.exchange_id,
            "wanted": [{"sku": line.sku, "quantity": line.quantity} for line in exchange.lines],
            "order": exchange.commerce_order_id,
        },
    )


def _handed_over(view: ReturnView, exchange: ExchangeView) -> tuple[PlannedCase, ...]:
    """The shopper is to get something else instead; ends when the platform withdraws the exchange.

    Somebody may have accepted before that refused goods are replaced all the same: that is no answer to this.
    """
    subject = f"{exchange.exchange_id}/instead"
    if is_accepted(view, states.CASE_EXCHANGE_UNDECIDED, subject):
        return ()
    return (
        case_of(
            view,
            states.CASE_EXCHANGE_UNDECIDED,
            f"exchange {exchange.exchange_id} cannot be sent and is to be refunded instead. Change it to a refund in "
            "the returns platform; the platform's refund then goes its usual way.",
            subject=subject,
            evidence={"exchange": exchange.exchange_id, "wanted": exchange_ends.lines_wanted(exchange)},
        ),
    )


def _unavailable(
    view: ReturnView, exchange: ExchangeView, effect: PlannedEffect, known: EffectView | None
) -> tuple[PlannedCase, ...]:
    """The shop's refusal of exactly this, until something else is asked for."""
    is_refused = known is not None and known.state == states.REJECTED and known.error_code in states.UNAVAILABLE
    if known is None or not is_refused or known.payload_hash != content_hash(dict(effect.payload)):
        return ()
    return (
        case_of(
            view,
            states.CASE_EXCHANGE_UNAVAILABLE,
            f"exchange {exchange.exchange_id} was not placed: {known.error_text}",
            subject=exchange.exchange_id,
            evidence={
                "exchange": exchange.exchange_id,
                "why": known.error_code,
                "answer": known.error_text,
                "wanted": exchange_ends.lines_wanted(exchange),
            },
        ),
    )


def _never_named(
    view: ReturnView, policy: Policy, exchange: ExchangeView, now: datetime
) -> tuple[tuple[PlannedCase, ...], tuple[datetime, ...]]:
    """The platform places the order itself, and the time it should take (order_wanted_h) is over."""
    trigger = _trigger(policy, exchange)
    milestone = trigger if trigger in _MILESTONES else "inspected"
    since = getattr(view, f"{milestone}_at")
    if policy.exchange.writer != "platform" or exchange.commerce_order_id or since is None:
        return (), ()
    due_at = since + timedelta(hours=policy.order_wanted_h)
    if now < due_at or is_accepted(view, states.CASE_EXCHANGE_UNDECIDED, exchange.exchange_id):
        return (), (due_at,)
    text = (
        f"the returns platform was to place the replacement of exchange {exchange.exchange_id} and named no order in "
        f"{policy.order_wanted_h} hours. Look there, and record the order's number or accept this."
    )
    evidence = {"exchange": exchange.exchange_id}
    case = case_of(view, states.CASE_EXCHANGE_UNDECIDED, text, subject=exchange.exchange_id, evidence=evidence)
    return (case,), ()
