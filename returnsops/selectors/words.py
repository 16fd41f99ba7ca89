"""Amounts and states as people read them."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from returnsops import money, states
from returnsops.models import Effect

# State → words and tone; the tone picks the colour, the words alone carry the meaning.
EFFECT_WORDS = {
    states.HELD: ("waits", "warn"),
    states.READY: ("goes out next", "info"),
    states.AWAITING_APPROVAL: ("waits for a second person", "warn"),
    states.SENDING: ("is being sent", "info"),
    states.UNKNOWN: ("sent, outcome not known yet: being looked up", "bad"),
    states.DONE: ("acknowledged", "good"),
    states.CONFIRMED: ("done and seen there", "good"),
    states.REJECTED: ("refused by the other system", "bad"),
    states.FAILED: ("given up, needs a person", "bad"),
    states.EFFECT_CANCELLED: ("cancelled", "quiet"),
}
STOPPED_WORDS = "waits: sending is stopped"  # of what would go out next
KIND_WORDS = {
    states.REFUND: "Refund",
    states.EXCHANGE: "Replacement order",
    states.STORE_CREDIT: "Credit",
    states.RESTOCK: "Restock",
    states.WRITE_BACK: "Message to the returns platform",
    states.MIRROR: "Status",
    states.NOTE: "Order note",
    states.CANCEL_EXCHANGE: "Cancelling the replacement order",
    states.VOID_CREDIT: "Voiding the credit",
    states.TAKE_OUT: "Taking out of stock",
    states.SET_ASIDE: "Setting aside",
    states.OPEN_RETURN: "Return in the shop",
    states.EDIT_RETURN: "Changing the shop's return",
    states.TRACK_RETURN: "Tracking in the shop",
    states.CLOSE_RETURN: "Closing the shop's return",
}
# Kind → what of that kind there may be several of, as in "sending of refunds is stopped".
KIND_PLURALS = {
    states.REFUND: "refunds",
    states.EXCHANGE: "replacement orders",
    states.STORE_CREDIT: "store credit and gift cards",
    states.RESTOCK: "restocks",
    states.WRITE_BACK: "messages to the returns platform",
    states.MIRROR: "status fields",
    states.NOTE: "order notes",
    states.CANCEL_EXCHANGE: "cancellations of replacement orders",
    states.VOID_CREDIT: "withdrawals of credit",
    states.TAKE_OUT: "units taken out of stock again",
    states.SET_ASIDE: "units set aside, not for sale",
    states.OPEN_RETURN: "returns in the shop",
    states.EDIT_RETURN: "changes of returns in the shop",
    states.TRACK_RETURN: "tracking numbers in the shop",
    states.CLOSE_RETURN: "closings of returns in the shop",
}
MESSAGE_WORDS = {
    states.TELL_LINES: "confirmed lines and values",
    states.TELL_ALREADY_REFUNDED: "already refunded, do not pay",
    states.TELL_VERDICT: "our inspection",
    states.TELL_EXCHANGE_ORDER: "number of the replacement order",
}
EXECUTOR_WORDS = {
    "commerce_platform": "the shop pays",
    "returns_platform": "the returns platform paid, recorded only",
    "merchant": "paid outside, recorded only",
}
RETURN_TONES = {states.CLOSED: "good", states.INSPECTED: "good", **dict.fromkeys(states.RETURN_ENDED, "quiet")}


def amount(value: Decimal | None, currency: str) -> str:
    """An amount with its currency; 'unknown' where there is none."""
    if value is None:
        return "unknown"
    return money.display(value, currency=currency) if currency else f"{value.normalize():f}"


def total(rows: Iterable[tuple[Decimal | None, str]]) -> str:
    """Sums per currency, never across them."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for value, currency in rows:
        if value is not None:
            sums[currency] += value
    return " + ".join(amount(value, currency) for currency, value in sorted(sums.items())) or "no money"


def describe(effect: Effect) -> str:
    """One effect in a few words: 'Refund £30.00 (the shop pays)', 'Restock 2'."""
    kind = KIND_WORDS.get(effect.kind, effect.kind.replace("_", " ").capitalize())
    if effect.amount is not None:
        bonus = Decimal(effect.payload.get("bonus") or 0)
        if bonus:
            return f"{kind} {amount(effect.amount, effect.currency)} ({amount(bonus, effect.currency)} of it on top)"
        executor = EXECUTOR_WORDS.get(effect.payload.get("executed_by", ""), "")
        return f"{kind} {amount(effect.amount, effect.currency)}" + (f" ({executor})" if executor else "")
    if effect.kind in (states.EXCHANGE, states.CANCEL_EXCHANGE):
        return f"{kind} {effect.remote_id or effect.payload.get('order_id', '')}".strip()
    if effect.quantity is not None:
        return f"{kind} {effect.quantity}"
    return f"{kind} {_short(effect)}".strip()


def _short(effect: Effect) -> str:
    """What a note, a mirror or a message is about: the milestone of its token, the field, or what is told; else ''."""
    payload = effect.payload
    if effect.kind == states.WRITE_BACK:
        return f"({MESSAGE_WORDS.get(payload.get('message', ''), 'unknown')})"
    parts = str(payload.get("token", "")).strip("[]").split("/")[1:]
    if parts and parts[0]:
        return parts[0]
    return f"field {payload['field']}".replace("_", " ") if payload.get("field") else ""


def state_of(effect: Effect, *, now: datetime, is_stopped: bool) -> str:
    """The state in words, with the next try where there is one; ``is_stopped``: a switch or pause keeps it back."""
    words, _ = EFFECT_WORDS[effect.state]
    if effect.state == states.READY and is_stopped:
        return STOPPED_WORDS
    if effect.state == states.DONE and effect.kind in states.READ_BACK_KINDS:
        return "acknowledged, being verified"
    if effect.state == states.DONE:
        return "done"
    if effect.state == states.READY and effect.next_attempt_at and effect.next_attempt_at > now:
        return "will be tried again"
    if effect.state == states.CONFIRMED:
        return "done and seen in the shop"
    return words


def scope_in_words(scope: str) -> str:
    """What a stop switch stops: 'kind:refund' → 'sending of refunds'."""
    kind, _, name = scope.partition(":")
    if kind == "kind":
        return f"sending of {KIND_PLURALS.get(name, name)}"
    if kind == "all":
        return "all sending"
    return f"sending {'to connection' if kind == 'connection' else 'on route'} {name}"


def tone_of(effect: Effect, *, is_stopped: bool) -> str:
    """good, info, warn, bad or quiet."""
    return "warn" if effect.state == states.READY and is_stopped else EFFECT_WORDS[effect.state][1]


def plain(code: str) -> str:
    """A code as words: 'in_transit' → 'In transit'."""
    return code.replace("_", " ").capitalize()


def pretty(document: Any) -> str:
    """A JSON document as text."""
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
