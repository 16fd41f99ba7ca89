"""Units that are not for sale, entered at the place of their disposition in the shop (S1-9, S1-34). Pure.

Only the dispositions that ``restock.set_aside`` names, and only by final verdicts; all others stay out of the shop's
stock. A verdict that changes takes the units out of that place again: target minus what is there, as everywhere.
"""

from collections.abc import Iterable
from datetime import datetime

from returnsops import states
from returnsops.facts import OrderLineSnapshot

from . import asides, items
from .asides import OUT
from .holds import Finding, cases_of, holds_of, joined, unreleased
from .keys import business_key
from .model import Part, PlannedEffect
from .order_money import is_counted
from .policy import Policy
from .view import LineView, ReturnView


def plan_set_asides(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """What is still to be entered or taken out, per item and disposition."""
    if not view.commerce:
        return Part()
    wanted = policy.restock.set_aside
    return joined(_of_item(view, policy, line, wanted) for line in sorted(view.lines, key=lambda line: line.item_id))


def _of_item(view: ReturnView, policy: Policy, line: LineView, wanted: Iterable[str]) -> Part:
    bought = items.order_line(view, line)
    # A disposition nobody enters any more keeps what was entered of it until a verdict says otherwise.
    known = [name for name in states.DISPOSITIONS if name in wanted or asides.there(view, line, name)]
    changes = {name: asides.target(view, line, name) - asides.there(view, line, name) for name in known}
    if bought is None or not any(changes.values()):
        return Part()
    unclear = items.ambiguous(view, line)
    found = (*items.findings(view, policy, line), *((unclear,) if unclear else ()))
    effects = [
        _effect(view, line, bought, name, change, found)
        for name, change in changes.items()
        if change and name in view.locations
    ]
    return Part(effects=tuple(effects), cases=cases_of(found))


def _effect(
    view: ReturnView,
    line: LineView,
    bought: OrderLineSnapshot,
    disposition: str,
    change: int,
    found: tuple[Finding, ...],
) -> PlannedEffect:
    kind = states.SET_ASIDE if change > 0 else OUT
    in_the_way = asides.in_the_way(view, line, change) if change > 0 else ()
    key = _free_key(view, kind, line, disposition, asides.counted(view, kind, line, disposition) + abs(change))
    return PlannedEffect(
        kind=states.SET_ASIDE,
        key=key,
        target="commerce",
        payload={
            "line_id": line.order_line_id,
            "quantity": abs(change),
            "disposition": disposition,
            "location": view.locations[disposition],
            "product_id": bought.product_id,
            "variation_id": bought.variation_id,
            "rma_number": view.number,
            **({"is_out": True} if change < 0 else {}),
        },
        serial_key=f"product:{bought.variation_id or bought.product_id}",
        item_id=line.item_id,
        quantity=abs(change),
        holds=holds_of(unreleased(view, (*found, *in_the_way), key)),
    )


def _free_key(view: ReturnView, kind: str, line: LineView, disposition: str, target: int) -> str:
    """Cumulative, and never that of a counted effect (as ``items.free_key``)."""
    used = {effect.key for effect in view.effects if is_counted(effect)}
    keys = (business_key(kind, view.ref, line.item_id, disposition, str(units)) for units in range(target, 0, -1))
    return next(key for key in keys if key not in used)
