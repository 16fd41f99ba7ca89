"""Taking a replacement order back that has not left yet: cancelled, which puts its stock back (observed 4, 5)."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.ports import Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Sent
from connectors.woocommerce import client
from connectors.woocommerce.exchanges import WITHDRAWN
from connectors.woocommerce.links import order_url
from connectors.woocommerce.orders import TRASH, meta_of, reading_of
from connectors.woocommerce.reading import required_order
from returnsops import states

DEFAULT_SHIPPED_STATUSES: Final = ("completed",)
# Assumed, hence a setting: where the shop's own shipment tracking plugin keeps its numbers.
DEFAULT_SHIPPED_META: Final = ("_wc_shipment_tracking_items",)
_EMPTY: Final = ("", "[]", "a:0:{}")


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the replacement order is cancelled. Raises Rejected('order_not_found', 'not_our_order')."""
    order = _order(link, intent)
    order_id, status = str(order["id"]), str(order.get("status"))
    evidence = {"order": order_id, "status": status}
    if status == "cancelled":
        return Lookup(found=Found.COMPLETE, remote_id=order_id, evidence=evidence)
    if status == TRASH:
        text = f"Replacement order {order_id} is in the bin: its stock was not put back. Restore and cancel it there."
        return Lookup(found=Found.AMBIGUOUS, text=text, evidence=evidence)
    return Lookup(found=Found.ABSENT, evidence=evidence)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Cancel it. Raises Rejected('already_shipped') where the goods have left, OutcomeUnknown otherwise."""
    order = _order(link, intent)
    order_id = str(order["id"])
    shipped = _why_shipped(link.config.settings, order)
    if shipped:
        text = f"Replacement order {order_id} has left the warehouse: {shipped}. It cannot be cancelled any more."
        raise Rejected(text, code=states.ALREADY_SHIPPED, evidence={"order": order_id, "status": order.get("status")})
    prefix = reading_of(link.config.settings).meta_prefix
    body = {"status": "cancelled", "meta_data": [{"key": prefix + WITHDRAWN, "value": intent.remote_key}]}
    answer = client.write(link, "PUT", f"/orders/{order_id}", body=body)
    if not isinstance(answer, dict) or answer.get("status") != "cancelled":
        raise OutcomeUnknown(f"The shop answered, but replacement order {order_id} is not cancelled.")
    evidence = {"order": order_id, "status": "cancelled"}
    return Sent(remote_id=order_id, evidence=evidence, remote_url=order_url(link.config, order_id))


def _order(link: Link, intent: Intent) -> Json:
    """The order we placed, and no other. Raises Rejected."""
    order = required_order(link, str(intent.payload["order_id"]))
    key = meta_of(order).get(reading_of(link.config.settings).meta_prefix + "key", "")
    if key.partition("#")[0] != str(intent.payload["key"]).partition("#")[0]:
        text = f"Order {order['id']} does not carry the key of the replacement to withdraw; it is left alone."
        raise Rejected(text, code="not_our_order")
    return order


def _why_shipped(settings: Mapping[str, Any], order: Json) -> str:
    statuses = settings.get("shipped_statuses", DEFAULT_SHIPPED_STATUSES)
    if order.get("status") in statuses:
        return f"its status is {order['status']}"
    # A plugin's entry may be a list or a table, which meta_of leaves out.
    for entry in order.get("meta_data") or ():
        is_tracking = entry.get("key") in settings.get("shipped_meta", DEFAULT_SHIPPED_META)
        if is_tracking and entry.get("value") and str(entry["value"]) not in _EMPTY:
            return f"it carries {entry['key']}"
    return ""
