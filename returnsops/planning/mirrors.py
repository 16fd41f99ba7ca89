"""What people in the shop see of a return: a status kept up to date, and one note per milestone (S1-35, S4-24). Pure.

No text carries a time, so that the same state always gives the same text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from returnsops import money, states

from . import items, order_money, verdicts
from .keys import business_key
from .model import Part, PlannedEffect
from .policy import Policy
from .view import EffectView, LineView, ReturnView, ShopRefundView

_WORDS = {
    states.REQUESTED: "Return requested",
    states.AUTHORISED: "Return authorised, waiting for the goods",
    states.IN_TRANSIT: "Goods on their way back",
    states.DELIVERED: "Goods delivered, not in the warehouse's hands yet",
    states.RECEIVED: "Goods received, waiting for inspection",
    states.INSPECTING: "Goods being inspected",
    states.INSPECTED: "Goods inspected",
    states.CLOSED: "Return closed",
    states.DECLINED: "Return declined",
    states.CANCELLED: "Return cancelled",
    states.EXPIRED: "Return expired, goods never sent",
}
_ARRIVED = frozenset({states.DONE, states.CONFIRMED})


def plan_mirrors(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """The mirrors of this return, and the notes that are not written yet."""
    if not view.commerce:
        return Part()
    written = {effect.key for effect in view.effects if effect.state in states.COMMITTED}
    notes = [note for note in _notes(view, policy) if note.key not in written]
    return Part(effects=(*_mirrors(view, policy), *notes))


def _mirrors(view: ReturnView, policy: Policy) -> list[PlannedEffect]:
    values = {"status": _status(view, policy), "return": view.number or view.ref.rpartition("/")[2]}
    return [
        PlannedEffect(
            kind=states.MIRROR,
            key=business_key(states.MIRROR, view.ref, name),
            target="commerce",
            payload={"field": _field(view, name), "value": values[name], "rma_number": view.number},
        )
        for name in policy.mirrors
    ]


def _field(view: ReturnView, name: str) -> str:
    """Returns of one order must not overwrite each other: the second one writes ``status_2``."""
    return name if view.place_on_order == 1 else f"{name}_{view.place_on_order}"


def _status(view: ReturnView, policy: Policy) -> str:
    words = [_WORDS[view.status]]
    words.extend(f"refunded {shown}" for shown in _sums(_arrived(view, states.REFUND)))
    # Whether money of others has moved is not known for certain; that they made the refund is.
    who = "the returns platform" if policy.refund.writer == "platform" else "hand"
    words.extend(f"refund of {shown} made in the shop by {who}" for shown in _sums(order_money.covering(view, policy)))
    words.extend(_exchanged_words(view))
    if view.is_on_risk_hold:
        words.append("on hold for a risk review")
    return "; ".join(words)


def _sums(refunds: Sequence[EffectView | ShopRefundView]) -> Iterable[str]:
    """What they are together, once per currency."""
    for currency in sorted({one.currency for one in refunds}):
        total = sum((one.amount or Decimal(0) for one in refunds if one.currency == currency), Decimal(0))
        yield money.display(total, currency=currency)


def _exchanged_words(view: ReturnView) -> list[str]:
    taken_back = {effect.key for effect in _arrived(view, states.CANCEL_EXCHANGE)}
    return [
        f"replacement order {_number(effect)} {'cancelled' if f'reverse:{effect.key}:1' in taken_back else 'placed'}"
        for effect in _arrived(view, states.EXCHANGE)
    ]


def _arrived(view: ReturnView, kind: str) -> list[EffectView]:
    """What is there; money counts once it was seen to have moved, as a gateway may fail later (S1-12)."""
    there = {states.CONFIRMED} if kind in states.MONEY_KINDS else _ARRIVED
    found = [effect for effect in view.effects if effect.kind == kind and effect.state in there]
    return sorted(found, key=lambda effect: effect.key)


def _notes(view: ReturnView, policy: Policy) -> Iterable[PlannedEffect]:
    for milestone in policy.notes:
        if milestone == "refunded":
            yield from (_note(view, milestone, _refunded(view, one), one) for one in _arrived(view, states.REFUND))
        elif milestone == "restocked":
            yield from (_note(view, milestone, _restocked(view, one), one) for one in _arrived(view, states.RESTOCK))
        elif milestone == "exchanged":
            yield from (_note(view, milestone, _exchanged(view, one), one) for one in _arrived(view, states.EXCHANGE))
        elif milestone == "ended":
            if view.status in states.RETURN_ENDED:
                yield _note(view, milestone, f"{_WORDS[view.status]}.")
        elif verdicts.has_passed(view, milestone):
            yield _note(view, milestone, _passed(view, milestone))
    if policy.exchange.customer_note:
        yield from (_told(view, one) for one in _arrived(view, states.EXCHANGE))


def _note(view: ReturnView, milestone: str, words: str, effect: EffectView | None = None) -> PlannedEffect:
    """One note; refunds and restocks have one for each of them, named by the end of their key."""
    own = effect.key.removeprefix(business_key(effect.kind, view.ref) + ":") if effect else ""
    parts = (milestone, own) if own else (milestone,)
    name = view.number or view.ref.rpartition("/")[2]
    token = f"[{name}/{'/'.join(parts)}]"
    return PlannedEffect(
        kind=states.NOTE,
        key=business_key(states.NOTE, view.ref, *parts),
        target="commerce",
        payload={"token": token, "text": f"{words} {token}"},
        serial_key=f"note:{view.order_id}",  # where a shop has one note per order, two writers would lose a line
        item_id=effect.item_id if effect else "",
    )


def _told(view: ReturnView, effect: EffectView) -> PlannedEffect:
    """What the shop mails to the customer: only once the replacement order exists."""
    note = _note(view, "told", f"Your replacement is on its way to you as order {_number(effect)}.", effect)
    return replace(note, payload={**note.payload, "is_for_customer": True})


def _exchanged(view: ReturnView, effect: EffectView) -> str:
    return f"Return {view.number}: the replacement is order {_number(effect)}."


def _number(effect: EffectView) -> str:
    """How people find the order: some shops' ids are addresses that end in its number."""
    return effect.remote_id.rpartition("/")[2]


def _refunded(view: ReturnView, effect: EffectView) -> str:
    return f"Return {view.number}: refunded {money.display(effect.amount or Decimal(0), currency=effect.currency)}."


def _restocked(view: ReturnView, effect: EffectView) -> str:
    names = [items.label(line) for line in view.lines if line.item_id == effect.item_id]
    return f"Return {view.number}: {effect.quantity} x {names[0] if names else 'item'} put back in stock."


def _passed(view: ReturnView, milestone: str) -> str:
    words = {
        "authorised": f"Return {view.number} authorised: {_listed(view.lines)} expected back.",
        "in_transit": f"Return {view.number}: the goods are on their way back.",
        "received": f"Return {view.number}: the goods have arrived in the warehouse.",
        "inspected": f"Return {view.number}: the goods are inspected.",
    }
    return words[milestone]


def _listed(lines: Iterable[LineView]) -> str:
    return ", ".join(f"{line.quantity} x {items.label(line)}" for line in lines)
