"""orderEditCommit: the changes come onto the order, its stock follows, and everybody is told."""

from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.edit_figures import apply, is_changed
from connectors.simulators.shopify.edit_records import Edit
from connectors.simulators.shopify.edit_steps import opened
from connectors.simulators.shopify.order_writing import claim, reclaim
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.payloads import tell_edit, tell_order
from connectors.simulators.shopify.records import Order
from connectors.simulators.shopify.refusals import Refused
from connectors.simulators.shopify.state import ShopState


def commit(shop: ShopState, args: Args) -> dict[str, Any]:
    """The mutation; what is said of a notice depends on what the customer owes (recorded)."""
    edit = opened(shop, args)
    order = shop.orders[edit.order_id]
    if not is_changed(shop, edit):
        raise Refused(["id"], "There must be at least one change to be made.")
    messages = ["Order updated"]
    if order.closed_at is not None:
        order.closed_at = None
        messages.append("Order unarchived")
    _finish(shop, edit, order, args)
    if args.get("notifyCustomer"):
        is_owed = pricing.outstanding(shop, order).shop > 0
        messages.append("Invoice sent" if is_owed else "Notification sent")
    return {"order": order, "successMessages": messages}


def _finish(shop: ShopState, edit: Edit, order: Order, args: Args) -> None:
    del shop.edits[edit.id]
    changes = apply(shop, edit, order)
    for line in order.lines:
        if line.id in changes:
            reclaim(shop, line, changes[line.id], is_restocked=line.id in edit.restocked)
    for line in edit.lines.values():
        claim(shop, line)
    order.is_edited = True
    added = {line.id: line.quantity for line in edit.lines.values()}
    grown = {line_id: change for line_id, change in changes.items() if change > 0}
    removed = {line_id: -change for line_id, change in changes.items() if change < 0}
    tell_edit(
        shop, order, edit.id, added | grown, removed, note=args.get("staffNote") or "",
        is_notified=bool(args.get("notifyCustomer")),
    )  # fmt: skip
    tell_order(shop, order)
