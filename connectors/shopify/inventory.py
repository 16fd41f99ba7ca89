"""Stock of the shop: what a variant has at a location, changing it by a difference, and finding that change again.

Shopify lists no adjustments by a key of ours. Exactly once rests on ``@idempotent`` with the effect's own key, which
gives the first result for a repeat as long as the shop keeps keys (``idempotency_hours``, assumed a day); a lost answer
is asked for again within that time, and after it only a person can tell. An acknowledged adjustment is read back by id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from connectors.ports import Contradicted, Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected
from connectors.shopify import client, keyed
from connectors.shopify.links import is_gid
from connectors.shopify.places import AVAILABLE, Place
from returnsops.facts import OrderSnapshot

IMPOSSIBLE: Final = "restock_impossible"
HOURS_SETTING: Final = "idempotency_hours"
GROUP: Final = "InventoryAdjustmentGroup"
FIRST: Final = "first"  # step of a look-up: nothing of it was ever sent, so what is in the way is a clear refusal
KEPT_FOR_SURE: Final = 0.5  # of the time the shop is said to keep a key: clocks differ, and a try takes a while


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What a variant has at one location, by state."""

    item_id: str
    name: str
    location_name: str
    is_selling: bool = True  # the location fulfils online orders
    figure: int | None = None  # for sale online, all locations together
    quantities: Mapping[str, int] = field(default_factory=dict)


def stock_before(link: Link, intent: Intent, place: Place, lookup: Lookup) -> Stock:
    """The stock that is about to change, as ``stock_of``; of a repeat nobody can say by it whether the first one went.

    Raises Rejected before the first attempt, OutcomeUnknown before a repeat.
    """
    variant_id = str(intent.payload.get("variation_id") or "")
    try:
        return stock_of(link, variant_id=variant_id, place=place, name=f"Variant {variant_id or 'without id'}")
    except Rejected as refusal:
        if lookup.step == FIRST:
            raise
        raise OutcomeUnknown(refusal.text, evidence=refusal.evidence) from refusal


def stock_of(link: Link, *, variant_id: str, place: Place, name: str) -> Stock:
    """Raises Rejected('restock_impossible') saying why its stock cannot be changed there, and what to do."""
    data = client.execute(link, "VariantStock", {"id": variant_id, "locationId": place.location_id})
    variant, location = data.get("productVariant"), data.get("location")
    if not isinstance(variant, Mapping):
        raise impossible(f"{name} is not in the shop's catalogue any more, so its stock cannot be changed.")
    named, item = str(variant.get("displayName") or name), variant.get("inventoryItem") or {}
    if item.get("tracked") is not True:
        raise impossible(f"The shop does not track the stock of {named}. Switch tracking on there, then try again.")
    if not isinstance(location, Mapping):
        raise impossible(f"The shop has no location {place.location_id}. Correct location_map of the connection.")
    if location.get("isActive") is not True:
        text = f"Location {location.get('name')} is deactivated in the shop. Activate it, or map the stock elsewhere."
        raise impossible(text)
    level = item.get("inventoryLevel")
    if not isinstance(level, Mapping) or level.get("isActive") is not True:
        text = f"{named} is not stocked at location {location.get('name')}. Stock it there in the shop, then try again."
        raise impossible(text)
    quantities = {str(row["name"]): int(row["quantity"]) for row in level.get("quantities") or ()}
    where = str(location.get("name") or place.location_id)
    figure = variant.get("sellableOnlineQuantity")
    return Stock(
        item_id=str(item["id"]),
        name=named,
        location_name=where,
        is_selling=location.get("fulfillsOnlineOrders") is not False,
        figure=figure if isinstance(figure, int) else None,
        quantities=quantities,
    )


def adjust(link: Link, intent: Intent, stock: Stock, place: Place, *, delta: int, reason: str) -> str:
    """Change a state by a difference; the id of the adjustment. Raises Rejected and OutcomeUnknown."""
    change: dict[str, Any] = {
        "inventoryItemId": stock.item_id,
        "locationId": place.location_id,
        "delta": delta,
        "changeFromQuantity": None,  # a difference with a key needs no comparison; sales go on beside it
    }
    if place.state != AVAILABLE:
        change["ledgerDocumentUri"] = ledger_uri(intent)
    given = {"name": place.state, "reason": reason, "referenceDocumentUri": reference_uri(intent), "changes": [change]}
    payload = _written(link, "InventoryAdjust", "inventoryAdjustQuantities", intent, given)
    return _group_id(payload, place.state, delta)


def move(link: Link, intent: Intent, stock: Stock, source: Place, target: Place, *, quantity: int, reason: str) -> str:
    """Move units between states at one location; the id of the adjustment."""
    change = {
        "inventoryItemId": stock.item_id,
        "quantity": quantity,
        "from": _terminal(intent, source),
        "to": _terminal(intent, target),
    }
    given = {"reason": reason, "referenceDocumentUri": reference_uri(intent), "changes": [change]}
    payload = _written(link, "InventoryMove", "inventoryMoveQuantities", intent, given)
    return _group_id(payload, target.state, quantity)


def reference_uri(intent: Intent) -> str:
    """Why the stock changed, as the shop's inventory history shows it."""
    return (
        f"gid://returnsops/Return/{quote(str(intent.payload.get('rma_number') or intent.return_id or 'none'), safe='')}"
    )


def ledger_uri(intent: Intent) -> str:
    """Which movement it was: our key of it."""
    return f"gid://returnsops/StockMovement/{keyed.key_of(intent.remote_key)}"


def impossible(text: str) -> Rejected:
    """A refusal that names what the warehouse has to do."""
    return Rejected(text, code=IMPOSSIBLE)


# --- finding it again ------------------------------------------------------------------------------------------------


def look_up(link: Link, intent: Intent, place: Place, *, delta: int, order: OrderSnapshot | None = None) -> Lookup:
    """What is known of an adjustment: by its id once acknowledged, else whether a repeat with its key is safe."""
    if intent.remote_id:
        return _read_back(link, intent, place, delta=delta)
    if intent.first_attempt_at is None:
        return Lookup(found=Found.ABSENT, step=FIRST, order=order)
    if link.now() - intent.first_attempt_at < kept_for(link):
        return Lookup(found=Found.ABSENT, is_repeatable=True, order=order)
    text = (
        f"An adjustment of {delta:+d} was sent and its answer was lost, longer ago than the shop surely keeps our key."
        f" Look at the product's inventory history for {reference_uri(intent)}: adopt it with the word you find there,"
        " or say that it did not happen."
    )
    return Lookup(found=Found.AMBIGUOUS, text=text, evidence={"reference": reference_uri(intent)}, order=order)


def kept_for(link: Link) -> timedelta:
    """How long a repeat with the same key is certain to change nothing twice."""
    hours = link.config.settings.get(HOURS_SETTING)
    known = hours if isinstance(hours, int) and hours > 0 else keyed.DEFAULT_HOURS
    return timedelta(hours=known * KEPT_FOR_SURE)


def _read_back(link: Link, intent: Intent, place: Place, *, delta: int) -> Lookup:
    if not is_gid(intent.remote_id, GROUP):
        evidence = {"said": "a person found it in the inventory history"}
        return Lookup(found=Found.COMPLETE, remote_id=intent.remote_id, evidence=evidence)
    group = group_of(link, intent.remote_id)
    if group is None:
        return Lookup(found=Found.ABSENT, text=f"The shop does not show adjustment {intent.remote_id} any more.")
    evidence = {"adjustment": intent.remote_id, "reference": str(group.get("referenceDocumentUri") or "")}
    if delta_in(group, place) != delta:
        text = f"Adjustment {intent.remote_id} changed {delta_in(group, place):+d} there, planned was {delta:+d}."
        return Lookup(found=Found.AMBIGUOUS, text=text, evidence=evidence)
    return Lookup(found=Found.COMPLETE, remote_id=intent.remote_id, evidence=evidence)


def group_of(link: Link, group_id: str) -> Mapping[str, Any] | None:
    """An adjustment with its changes, None where the shop has none of that id."""
    group: Json = client.execute(link, "AdjustmentById", {"id": group_id}).get("node")
    return group if isinstance(group, Mapping) else None


def delta_in(group: Json, place: Place) -> int:
    """By how much an adjustment changed a state at a place."""
    rows = [row for row in group.get("changes") or () if isinstance(row, Mapping) and row.get("name") == place.state]
    return sum(int(row["delta"]) for row in rows if (row.get("location") or {}).get("id") == place.location_id)


# --- small parts -----------------------------------------------------------------------------------------------------


def _written(link: Link, name: str, root: str, intent: Intent, given: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return keyed.write(link, name, root, intent, {"input": dict(given)})
    except Rejected as refusal:
        if refusal.code == "ITEM_NOT_STOCKED_AT_LOCATION":
            raise Rejected(refusal.text, code=IMPOSSIBLE, evidence=refusal.evidence) from None
        raise
    except Contradicted as word:
        where = f" Look for {reference_uri(intent)} in the product's inventory history, at every location."
        raise Contradicted(word.text + where, evidence=word.evidence) from None


def _group_id(payload: Mapping[str, Any], state: str, delta: int) -> str:
    group = payload.get("inventoryAdjustmentGroup")
    if not isinstance(group, Mapping) or not group.get("id"):
        raise OutcomeUnknown("The shop answered, but names no adjustment of its stock.")
    changes = [row for row in group.get("changes") or () if row.get("name") == state and int(row["delta"]) == delta]
    if not changes:
        raise OutcomeUnknown("The shop answered with another change of its stock than was asked for.")
    return str(group["id"])


def _terminal(intent: Intent, place: Place) -> dict[str, Any]:
    end: dict[str, Any] = {"locationId": place.location_id, "name": place.state, "changeFromQuantity": None}
    return end if place.state == AVAILABLE else {**end, "ledgerDocumentUri": ledger_uri(intent)}
