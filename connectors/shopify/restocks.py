"""Restock: units said to be sellable for good become available at the location of their disposition (S1-9, S1-21).

A difference on ``available`` with our key and the return as its reference; or, where the connection says that goods lie
in quality control when they come in (``restock_from``), a move from there. How it is found again is in inventory.py.
"""

from typing import Final

from connectors.ports import Intent, Link, Lookup, Rejected, Sent
from connectors.shopify import inventory
from connectors.shopify.links import order_url
from connectors.shopify.places import AVAILABLE, Place, place_of
from connectors.shopify.reading import required_order, snapshot_of
from returnsops.states import STOCK_BEFORE

FROM_SETTING: Final = "restock_from"
REASON: Final = "restock"


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the units are back. Raises Rejected('order_not_found')."""
    order = None if intent.remote_id else snapshot_of(link, required_order(link, intent.order_id))
    return inventory.look_up(link, intent, _place(link, intent), delta=_quantity(intent), order=order)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Put them back. Raises Rejected('restock_impossible', 'location_unmapped') saying what stands in the way."""
    place, quantity = _place(link, intent), _quantity(intent)
    stock = inventory.stock_before(link, intent, place, lookup)
    source = source_of(link, place)
    if source is None:
        group_id = inventory.adjust(link, intent, stock, place, delta=quantity, reason=REASON)
    else:
        if lookup.step == inventory.FIRST:
            _check_source(stock, source, quantity)
        group_id = inventory.move(link, intent, stock, source, place, quantity=quantity, reason=REASON)
    evidence = {
        "adjustment": group_id,
        "quantity": quantity,
        "location": stock.location_name,
        "available_before": stock.quantities.get(AVAILABLE),
        STOCK_BEFORE: stock.figure if lookup.step == inventory.FIRST else None,  # of a repeat it may hold the units
        "from": source.state if source else "outside",
    }
    return Sent(remote_id=group_id, evidence=evidence, remote_url=order_url(link.config, intent.order_id))


def _place(link: Link, intent: Intent) -> Place:
    """Raises Rejected where the place of sellable goods is not for sale: they would never be seen on the shelf."""
    place = place_of(link.config.settings, str(intent.payload.get("location") or ""))
    if place.state != AVAILABLE:
        text = f"Sellable goods are mapped to the state {place.state}, which is not for sale. Correct location_map."
        raise Rejected(text, code=inventory.IMPOSSIBLE)
    return place


def source_of(link: Link, place: Place) -> Place | None:
    """The state of that location in which goods lie when they come in; None: they are not in stock yet."""
    state = str(link.config.settings.get(FROM_SETTING) or "")
    return Place(location_id=place.location_id, state=state) if state else None


def _check_source(stock: inventory.Stock, source: Place, quantity: int) -> None:
    there = stock.quantities.get(source.state, 0)
    if there < quantity:
        raise inventory.impossible(
            f"Only {there} of {quantity} x {stock.name} are in {source.state} at {stock.location_name}. Book what came"
            " in there first, or switch restock_from off."
        )


def _quantity(intent: Intent) -> int:
    return int(intent.payload["quantity"])
