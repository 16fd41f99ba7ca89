"""Units taken out of the sellable stock again: the inverse of a restock, a negative difference with its own key."""

from connectors.ports import Intent, Link, Lookup, Rejected, Sent, VendorError
from connectors.shopify import inventory
from connectors.shopify.links import order_url
from connectors.shopify.places import AVAILABLE, Place, place_of
from returnsops.states import SOLD_MEANWHILE

REASON = "correction"


def look_up(link: Link, intent: Intent) -> Lookup:
    """What is known of this move."""
    return inventory.look_up(link, intent, _place(link, intent), delta=-int(intent.payload["quantity"]))


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Lower what is available. Raises Rejected where the units were sold meanwhile or the stock cannot be changed."""
    place, quantity = _place(link, intent), int(intent.payload["quantity"])
    variant_id = str(intent.payload.get("variation_id") or "")
    stock = inventory.stock_before(link, intent, place, lookup)
    before = stock.quantities.get(AVAILABLE, 0)
    if before < quantity and lookup.step == inventory.FIRST:
        text = (
            f"Only {max(0, before)} of the {quantity} units to be taken out are available at {stock.location_name}: the"
            " rest was sold meanwhile. Stop that parcel or call the customer, and correct the stock by hand."
        )
        raise Rejected(text, code=SOLD_MEANWHILE, evidence={"stock": before, "quantity": quantity})
    group_id = inventory.adjust(link, intent, stock, place, delta=-quantity, reason=REASON)
    return Sent(
        remote_id=group_id,
        evidence={"adjustment": group_id, "quantity": quantity, "available_before": before},
        remote_url=order_url(link.config, intent.order_id),
        stock_concern=_concern(link, variant_id, place),
    )


def _place(link: Link, intent: Intent) -> Place:
    return place_of(link.config.settings, str(intent.payload.get("location") or ""))


def _concern(link: Link, variant_id: str, place: Place) -> str:
    """A sale in the same moment can leave less than nothing; '' where all is well or it cannot be read now."""
    try:
        after = inventory.stock_of(link, variant_id=variant_id, place=place, name=variant_id)
    except VendorError:
        return ""
    left = after.quantities.get(AVAILABLE, 0)
    return f"{after.name} stands at {left} at {after.location_name}: more was sold than is there." if left < 0 else ""
