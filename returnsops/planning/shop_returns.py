"""The shop's own record of a return (S5-4): opened early, tracked, closed at the end, where a shop has such. Pure.

It follows where the platform changes what comes back, and moves neither money nor stock. ``shop_return.writer`` of the
policy says whether we write it, the returns platform does (then it is looked for), or nobody, which is the default:
not every shop has returns of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from returnsops import states

from . import by_hand, items, order_money, sellable, verdicts
from .claims import claims_of
from .covered import in_turn, uncovered
from .keys import business_key, content_hash
from .model import Part, PlannedEffect
from .policy import Policy
from .view import EffectView, LineView, ReturnView

_SETTLED = frozenset({states.DONE, states.CONFIRMED, states.FAILED, states.EFFECT_CANCELLED, states.REJECTED})


def plan_shop_returns(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """What is still to be written about this return into the shop's own returns."""
    if not view.commerce or policy.shop_return.writer == "nobody":
        return Part()
    opened = _opened(view)
    if opened is None:
        return Part(effects=tuple(_open(view, policy)))
    if policy.shop_return.writer == "platform":
        return Part()
    edits = [one for one in view.effects if one.kind == states.EDIT_RETURN and one.state in states.COMMITTED]
    planned = (
        *_edited(view, opened, edits),
        *_tracked(view, opened, edits),
        *_closed(view, policy, opened, edits),
    )
    return Part(effects=planned)


def units_hash(lines: Iterable[Mapping[str, Any]]) -> str:
    """Of the units per order line that a return of the shop is to hold, however they are listed."""
    units: dict[str, int] = {}
    for line in lines:
        units[str(line["line_id"])] = units.get(str(line["line_id"]), 0) + int(line["quantity"])
    return content_hash(dict(sorted(units.items())))


def _opened(view: ReturnView) -> EffectView | None:
    found = (one for one in view.effects if one.kind == states.OPEN_RETURN and one.state == states.DONE)
    return next(found, None)


def _open(view: ReturnView, policy: Policy) -> Iterable[PlannedEffect]:
    matched = [line for line in view.lines if items.order_line(view, line) is not None]
    is_begun = verdicts.has_passed(view, "authorised") or policy.shop_return.trigger == "requested"
    if not is_begun or view.status in states.RETURN_ENDED or (view.order is not None and not matched):
        return
    payload = {
        "lines": _lines(view),
        "rma_number": view.number,
        "requested_at": view.requested_at.isoformat() if view.requested_at else "",
        **({"adopt": True} if policy.shop_return.writer == "platform" else {}),
    }
    yield _effect(view, states.OPEN_RETURN, business_key(states.OPEN_RETURN, view.ref), payload)


def _lines(view: ReturnView) -> list[dict[str, Any]]:
    """What comes back, by line of the order; an item that is on none cannot be shown there."""
    matched = [line for line in view.lines if items.order_line(view, line) is not None]
    return [
        {
            "line_id": line.order_line_id,
            "quantity": line.quantity,
            "reason_code": line.reason_code or "",
            "name": items.label(line),
        }
        for line in sorted(matched, key=lambda line: line.item_id)
    ]


def _edited(view: ReturnView, opened: EffectView, edits: Sequence[EffectView]) -> Iterable[PlannedEffect]:
    """The return was changed in flight: what is there is to hold exactly the units that come back now."""
    newest = max(edits, key=_number, default=opened)
    lines, is_ended = _lines(view), view.status in states.RETURN_ENDED
    if not lines or is_ended or _is_sent(view, business_key(states.CLOSE_RETURN, view.ref)):
        return
    if newest.lines_hash != units_hash(lines):
        payload = {"remote_return_id": opened.remote_id, "lines": lines, "rma_number": view.number}
        yield _effect(
            view, states.EDIT_RETURN, business_key(states.EDIT_RETURN, view.ref, str(len(edits) + 1)), payload
        )


def _number(edit: EffectView) -> int:
    return int(edit.key.rpartition(":")[2])


def _tracked(view: ReturnView, opened: EffectView, edits: Sequence[EffectView]) -> Iterable[PlannedEffect]:
    """Each parcel once; once more after each edit, which may have opened a second return that lacks it."""
    done = sum(edit.state in (states.DONE, states.CONFIRMED) for edit in edits)
    for parcel in view.parcels:
        key = business_key(states.TRACK_RETURN, view.ref, parcel.tracking_number, *([str(done)] if done else []))
        if parcel.tracking_number and not _is_sent(view, key) and view.status not in states.RETURN_ENDED:
            payload: dict[str, Any] = {
                "remote_return_id": opened.remote_id,
                "tracking_number": parcel.tracking_number,
                "tracking_url": parcel.tracking_url,
            }
            payload |= {"is_edited": True} if done else {}
            yield _effect(view, states.TRACK_RETURN, key, payload)


def _closed(
    view: ReturnView, policy: Policy, opened: EffectView, edits: Sequence[EffectView]
) -> Iterable[PlannedEffect]:
    key = business_key(states.CLOSE_RETURN, view.ref)
    how = _how(view, policy)
    if how and not _is_sent(view, key):
        payload: dict[str, Any] = {"remote_return_id": opened.remote_id, "how": how, "rma_number": view.number}
        payload |= {"is_edited": True} if edits else {}
        yield _effect(view, states.CLOSE_RETURN, key, payload)


def _how(view: ReturnView, policy: Policy) -> str:
    """Cancelled where the goods never come; else processed once they are judged and all of it is through."""
    if view.status in states.RETURN_ENDED:
        return "cancel"
    weighty = [one for one in view.effects if one.kind in states.WEIGHTY_KINDS]
    is_through = all(one.state in _SETTLED for one in weighty)
    if not is_through or (view.status != states.CLOSED and not _is_judged(view)):
        return ""
    is_paid = any(one.kind in states.VALUE_KINDS | {states.EXCHANGE} for one in weighty)
    return "process" if view.status == states.CLOSED or is_paid or _is_paid_outside(view, policy) else ""


def _is_judged(view: ReturnView) -> bool:
    return view.status == states.INSPECTED


def _is_paid_outside(view: ReturnView, policy: Policy) -> bool:
    """Refunds by hand came before any of ours, leave nothing of what was decided, and no unit waits to go back."""
    claims = claims_of(view, policy) if order_money.covering(view, policy) else ()
    is_paid = bool(claims) and not uncovered(view, policy, in_turn(view, policy, claims))
    return is_paid and not any(_waits_for_stock(view, policy, line) for line in view.lines)


def _waits_for_stock(view: ReturnView, policy: Policy, line: LineView) -> bool:
    there = order_money.put_back(view, line.item_id) + by_hand.units(view, line)
    return sellable.units(view, policy, line).possible > there


def _is_sent(view: ReturnView, key: str) -> bool:
    return any(one.key == key and one.state in states.COMMITTED for one in view.effects)


def _effect(view: ReturnView, kind: str, key: str, payload: Mapping[str, Any]) -> PlannedEffect:
    serial = f"return:{view.order_id}"
    return PlannedEffect(kind=kind, key=key, target="commerce", payload=payload, serial_key=serial)
