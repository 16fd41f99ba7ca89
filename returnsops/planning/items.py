"""What is wrong with an item of a return in itself, for money and stock alike. Pure."""

from collections.abc import Collection

from returnsops import states
from returnsops.facts import OrderLineSnapshot

from . import amounts
from .holds import Finding, problem
from .keys import business_key
from .order_money import is_counted, lines_of_others
from .policy import Policy
from .view import LineView, ReturnView


def label(line: LineView) -> str:
    """How people call the item."""
    return line.name or line.sku or line.item_id


def order_line(view: ReturnView, line: LineView) -> OrderLineSnapshot | None:
    """The line of the final order this item came from, None where there is none."""
    if view.order is None or not line.order_line_id:
        return None
    found = [item for item in view.order.lines if item.line_id == line.order_line_id and item.kind == "item"]
    return found[0] if found else None


def findings(view: ReturnView, policy: Policy, line: LineView) -> tuple[Finding, ...]:
    """What keeps money and stock of an item back; nothing can be said of lines before the order was read."""
    found = [_reason(view, line)]
    if view.order is not None:
        bought = order_line(view, line)
        found.append(_not_on_order(view, line) if bought is None else _too_many(view, policy, line, bought))
    return tuple(finding for finding in found if finding is not None)


def ambiguous(view: ReturnView, line: LineView) -> Finding | None:
    """Another variant's stock must never grow (S4-20)."""
    bought = order_line(view, line)
    if bought is None:
        return None
    if bought.is_sku_ambiguous:
        text = f"SKU {bought.sku or 'none'} of {label(line)} does not name one variant of the product"
        fix = "Give the variation a SKU of its own in the shop."
    elif line.sku and bought.sku and line.sku != bought.sku:
        text = f"{label(line)} came back as SKU {line.sku}, but the order sold SKU {bought.sku}"
        fix = "Check which goods came back, and put them in stock by hand."
    else:
        return None
    return problem(
        view,
        states.CASE_SKU_AMBIGUOUS,
        f"{text}, so that its stock cannot be raised for certain. {fix}",
        subject=line.item_id,
        evidence={
            "item": line.item_id,
            "sku": line.sku,
            "order_sku": bought.sku,
            "product": bought.product_id,
            "variation": bought.variation_id,
        },
    )


def free_key(view: ReturnView, kind: str, item_id: str, target: int, *, taken: Collection[str] = ()) -> str:
    """Key of the effect that brings an item to ``target`` units: cumulative, and never that of a counted effect.

    An earlier part that failed after a later one was sent leaves a gap below; its own key fills it. ``taken`` are the
    keys that this plan has given away already.
    """
    used = {*taken, *(effect.key for effect in view.effects if is_counted(effect))}
    keys = (business_key(kind, view.ref, item_id, str(units)) for units in range(target, 0, -1))
    return next(key for key in keys if key not in used)


def _reason(view: ReturnView, line: LineView) -> Finding | None:
    if line.reason_code is not None:
        return None
    given = f"the platform's reason {line.reason_source!r} is not mapped" if line.reason_source else "it gives none"
    return problem(
        view,
        states.CASE_REASON_UNMAPPED,
        f"waits for a reason for {label(line)}: {given}. Classify the reason, or map it for all returns.",
        subject=line.item_id,
        evidence={"item": line.item_id, "reason": line.reason_source},
    )


def _not_on_order(view: ReturnView, line: LineView) -> Finding:
    return problem(
        view,
        states.CASE_LINE_NOT_ON_ORDER,
        f"{label(line)} (SKU {line.sku or 'none'}) is not on order {view.order_id} as it is now. "
        "Correct the item in the returns platform, or refund by hand with a second person.",
        subject=line.item_id,
        evidence={"item": line.item_id, "sku": line.sku, "order_line": line.order_line_id},
        money_at_risk=line.total,
    )


def _too_many(view: ReturnView, policy: Policy, line: LineView, bought: OrderLineSnapshot) -> Finding | None:
    back = sum(other.quantity for other in view.lines if other.order_line_id == bought.line_id)
    elsewhere = amounts.units_taken(bought.line_id, lines_of_others(view, policy))
    if back <= bought.quantity - elsewhere:
        return None
    return problem(
        view,
        states.CASE_TOO_MANY_UNITS,
        f"{back} x {label(line)} are to come back, but {bought.quantity} were bought and {elsewhere} of them are "
        "refunded already. Correct the quantity in the returns platform.",
        subject=line.item_id,
        evidence={"item": line.item_id, "returned": back, "bought": bought.quantity, "elsewhere": elsewhere},
        money_at_risk=line.total,
    )
