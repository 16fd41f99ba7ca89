"""Facts that contradict what was sent: a restock of goods found damaged, money of a return that ended. Pure.

Units leave the stock again by an inverse effect where ``reversal.stock`` of the policy lets it go; a refund has no
inverse at all and is a case, whether its return ended or the verdict it rested on does not stand any more.
"""

from datetime import datetime
from decimal import Decimal

from returnsops import money, states
from returnsops.facts import OrderLineSnapshot

from . import items, order_money, sellable, verdicts
from .holds import IF_ACCEPTED, WAITS_FOR_RESTOCK, accepted_before, case_of, is_accepted_up_to, joined, seen_to
from .model import Hold, Part, PlannedCase, PlannedEffect
from .policy import Policy
from .view import EffectView, LineView, ReturnView

_VERDICTS = frozenset({"inspected", "disposition_final"})


def plan_reversals(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """What has to be undone: by an inverse effect where the policy lets one go, by a person elsewhere."""
    parts = [_of_item(view, policy, line) for line in sorted(view.lines, key=lambda line: line.item_id)]
    paid = [_paid_without_verdict(view, policy, line) for line in sorted(view.lines, key=lambda line: line.item_id)]
    return joined((*parts, Part(cases=(*_paid_after_end(view), *(case for case in paid if case is not None)))))


def _of_item(view: ReturnView, policy: Policy, line: LineView) -> Part:
    """Units on sale again that are not sellable by the verdicts in force."""
    back = order_money.put_back(view, line.item_id)
    by_people = seen_to(view, states.CASE_RESTOCK_CONTRADICTED, line.item_id)
    count = back - sellable.units(view, policy, line).target - by_people
    if count <= 0:
        return Part()
    bought = items.order_line(view, line)
    if policy.reversal.stock == "case" or bought is None or bought.is_sku_ambiguous:
        return Part(cases=(_contradicted(view, line, back=back, count=count),))
    effect = _take_out(view, policy, line, bought, count)
    stuck = _stuck(view, effect.key)
    why = f" The shop did not let us: {stuck.error_text}" if stuck is not None and stuck.error_text else ""
    cases = (_contradicted(view, line, back=back, count=count, why=why),) if stuck is not None else ()
    return Part(effects=(effect,), cases=cases)


def _take_out(view: ReturnView, policy: Policy, line: LineView, bought: OrderLineSnapshot, count: int) -> PlannedEffect:
    """The inverse of restocks: their units leave the sellable stock again."""
    target = order_money.taken_out(view, line.item_id) + count
    return PlannedEffect(
        kind=states.TAKE_OUT,
        key=items.free_key(view, f"reverse:{states.RESTOCK}", line.item_id, target),
        target="commerce",
        payload={
            "line_id": bought.line_id,
            "quantity": count,
            "product_id": bought.product_id,
            "variation_id": bought.variation_id,
            "location": view.locations.get(states.SELLABLE, ""),
            "rma_number": view.number,
        },
        serial_key=f"product:{bought.variation_id or bought.product_id}",
        item_id=line.item_id,
        quantity=count,
        holds=_moving(view, line),
        needs_approval=policy.reversal.stock == "approve",
    )


def _moving(view: ReturnView, line: LineView) -> tuple[Hold, ...]:
    """A restock that is under way is let finish first: what it did is not known yet."""
    return tuple(
        Hold(code=WAITS_FOR_RESTOCK, text="waits for the restock that is under way", waits_for=effect.key)
        for effect in view.effects
        if effect.kind == states.RESTOCK and effect.item_id == line.item_id and effect.state in states.IN_FLIGHT
    )


def _stuck(view: ReturnView, key: str) -> EffectView | None:
    """The effect, where the shop refused it for good, so that the units are still on sale."""
    found = (one for one in view.effects if one.key == key and one.state in {states.REJECTED, states.FAILED})
    return next(found, None)


def _contradicted(view: ReturnView, line: LineView, *, back: int, count: int, why: str = "") -> PlannedCase:
    before = seen_to(view, states.CASE_RESTOCK_CONTRADICTED, line.item_id)
    return case_of(
        view,
        states.CASE_RESTOCK_CONTRADICTED,
        f"{back} x {items.label(line)} were put back on sale, but by the verdicts in force {before + count} of them "
        f"are not sellable.{accepted_before(before)} Take {'the others' if before else 'them'} out of stock in the "
        f"shop by hand, and accept this with the reason.{why}",
        subject=line.item_id,
        evidence={
            "item": line.item_id,
            "restocked": back,
            "sellable": back - before - count,
            IF_ACCEPTED: before + count,
        },
        money_at_risk=line.total,
    )


def _paid_without_verdict(view: ReturnView, policy: Policy, line: LineView) -> PlannedCase | None:
    """Units we paid because they were judged, and whose verdict does not stand any more."""
    trigger = policy.trigger(view.resolution)
    is_by_verdict = policy.initiator(view.resolution) == "policy_trigger" and trigger in _VERDICTS
    paid = order_money.committed(view, states.REFUND, line.item_id)
    due = verdicts.units_due(view, line, trigger)
    is_known = paid - due <= seen_to(view, states.CASE_REFUND_CONTRADICTED, line.item_id)
    if not is_by_verdict or is_known or view.status in states.RETURN_ENDED:
        return None
    sent = [one for one in view.effects if one.kind == states.REFUND and one.item_id == line.item_id]
    amount = sum((one.amount or Decimal(0) for one in sent if order_money.is_counted(one)), Decimal(0))
    return case_of(
        view,
        states.CASE_REFUND_CONTRADICTED,
        f"{paid} x {items.label(line)} were refunded ({money.display(amount, currency=view.currency)}), but by the "
        f"verdicts in force {due} {'is' if due == 1 else 'are'} to be paid. A refund cannot be taken back by itself: "
        "find out which verdict is right, and settle with the customer what was paid too much.",
        subject=line.item_id,
        evidence={
            "item": line.item_id,
            "refunded": paid,
            "to be paid": due,
            "effects": [one.key for one in sent],
            IF_ACCEPTED: paid - due,
        },
        money_at_risk=amount,
    )


def _paid_after_end(view: ReturnView) -> tuple[PlannedCase, ...]:
    """Money of a declined, cancelled or expired return; expired instant ones are a case of their own."""
    is_instant_expired = view.mode == "instant" and view.status == states.EXPIRED
    if view.status not in states.RETURN_ENDED or is_instant_expired:
        return ()
    sent = [effect for effect in view.effects if effect.kind == states.REFUND and order_money.is_counted(effect)]
    told = [payout for payout in view.payouts if not payout.is_failed]
    in_shop = sum((effect.amount or Decimal(0) for effect in sent), Decimal(0))
    by_platform = sum((payout.amount for payout in told), Decimal(0))
    at_risk = max(in_shop, by_platform)
    if not (sent or told) or is_accepted_up_to(view, states.CASE_PAID_AFTER_END, at_risk):
        return ()
    return (
        case_of(
            view,
            states.CASE_PAID_AFTER_END,
            f"the return is {view.status}, but the returns platform decided "
            f"{money.display(by_platform, currency=view.currency)} and "
            f"{money.display(in_shop, currency=view.currency)} are written in the shop. A refund cannot be taken back "
            "by itself: agree with the customer or the platform, and accept this with the reason.",
            evidence={
                "payouts": [payout.refund_id for payout in told],
                "effects": [effect.key for effect in sent],
                "platform": str(by_platform),
                "shop": str(in_shop),
            },
            money_at_risk=at_risk,
        ),
    )
