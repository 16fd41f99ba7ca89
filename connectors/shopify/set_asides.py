"""Goods that are not for sale at their place in the shop: a state of a location, or one that sells nothing online.

A difference with our key, the return as its reference and, for a state, the movement as its ledger document; or, where
goods lie in another state when they come in (``restock_from``), a move from there (shopify.md section 10). How it is
found again is in inventory.py. What a later verdict takes away again is the same with the sign turned.
"""

from typing import Final

from connectors.ports import Intent, Link, Lookup, Sent
from connectors.shopify import inventory
from connectors.shopify.links import order_url
from connectors.shopify.places import AVAILABLE, Place, place_of
from connectors.shopify.restocks import source_of

REASONS: Final = {"damaged": "damaged", "quality_control": "quality_control", "safety_stock": "safety_stock"}
OTHER_REASON: Final = "other"


def look_up(link: Link, intent: Intent) -> Lookup:
    """What is known of this change of the place."""
    return inventory.look_up(link, intent, _place(link, intent), delta=_delta(intent))


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Enter them, or take them out. Raises Rejected('restock_impossible', 'location_unmapped') with what to do."""
    place, delta = _place(link, intent), _delta(intent)
    stock = inventory.stock_before(link, intent, place, lookup)
    _check(link, place, stock, delta, is_first=lookup.step == inventory.FIRST)
    source, reason = source_of(link, place), REASONS.get(place.state, OTHER_REASON)
    if source is None:
        group_id = inventory.adjust(link, intent, stock, place, delta=delta, reason=reason)
    else:
        ends = (source, place) if delta > 0 else (place, source)
        group_id = inventory.move(link, intent, stock, *ends, quantity=abs(delta), reason=reason)
    evidence = {"adjustment": group_id, "units": delta, "location": stock.location_name, "state": place.state}
    return Sent(remote_id=group_id, evidence=evidence, remote_url=order_url(link.config, intent.order_id))


def _check(link: Link, place: Place, stock: inventory.Stock, delta: int, *, is_first: bool) -> None:
    """Raises Rejected where the units would be on the storefront, or are not there to be moved."""
    if place.state == AVAILABLE and stock.is_selling:
        raise inventory.impossible(
            f"Location {stock.location_name} sells online, so that goods set aside there would be for sale. Map the "
            "disposition to a state such as damaged, or to a location that fulfils no online orders."
        )
    source = source_of(link, place)
    if source == place:
        text = f"Goods that come in lie in {place.state} already (restock_from). Leave it out of restock.set_aside."
        raise inventory.impossible(text)
    taken_from = place if delta < 0 else source
    there = stock.quantities.get(taken_from.state, 0) if taken_from else abs(delta)
    if is_first and there < abs(delta):
        assert taken_from is not None  # or nothing is taken from anywhere
        raise inventory.impossible(
            f"Only {there} of {abs(delta)} x {stock.name} are in {taken_from.state} at {stock.location_name}. Correct "
            "the stock there by hand, then try again."
        )


def _place(link: Link, intent: Intent) -> Place:
    return place_of(link.config.settings, str(intent.payload.get("location") or ""))


def _delta(intent: Intent) -> int:
    quantity = int(intent.payload["quantity"])
    return -quantity if intent.payload.get("is_out") is True else quantity
