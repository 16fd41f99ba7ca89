"""The stock ledger of the shop: quantities per state and location, moved by adjustment groups."""

from collections.abc import Sequence

from connectors.simulators.shopify.records import STATES, AdjustmentGroup, Change, Level
from connectors.simulators.shopify.state import ShopState, gid

IN_BUILDING = tuple(name for name in STATES if name != "incoming")


def level_of(shop: ShopState, item_id: int, location_id: int) -> Level | None:
    """The level of an item at a location, None where it is not stocked there."""
    level = shop.levels.get((item_id, location_id))
    return level if level is not None and level.is_active else None


def moved(level: Level, name: str, delta: int) -> Change:
    """A change of one quantity at a level."""
    return Change(name=name, delta=delta, item_id=level.item_id, location_id=level.location_id)


def stock_at(shop: ShopState, item_id: int, location_id: int, **quantities: int) -> Level:
    """Stock an item at a location, with these quantities by state."""
    level = Level(
        item_id=item_id,
        location_id=location_id,
        quantities=dict.fromkeys(STATES, 0) | quantities,
        updated_at=shop.now(),
    )
    shop.levels[item_id, location_id] = level
    return level


def record(
    shop: ShopState,
    changes: Sequence[Change],
    *,
    reason: str,
    reference_uri: str | None = None,
    staff_id: int | None = None,
) -> AdjustmentGroup:
    """Apply changes and keep them as one group; on_hand follows and stands in the group beside its cause."""
    now = shop.now()
    shown: list[Change] = list(changes)
    net: dict[tuple[int, int], int] = {}
    for change in changes:
        level = shop.levels[change.item_id, change.location_id]
        level.quantities[change.name] += change.delta
        level.changed_at[change.name] = level.updated_at = now
        if change.name in IN_BUILDING:
            place = (change.item_id, change.location_id)
            net[place] = net.get(place, 0) + change.delta
    shown += [
        Change(name="on_hand", delta=delta, item_id=item_id, location_id=location_id)
        for (item_id, location_id), delta in net.items()
        if delta
    ]
    group = AdjustmentGroup(
        id=shop.next_id("InventoryAdjustmentGroup"),
        created_at=now,
        reason=reason,
        reference_uri=reference_uri,
        changes=tuple(shown),
        staff_id=staff_id,
    )
    shop.groups[group.id] = group
    for place in {(c.item_id, c.location_id) for c in changes if c.name == "available"}:
        tell_level(shop, shop.levels[place])
    return group


def tell_level(shop: ShopState, level: Level) -> None:
    """Fire inventory_levels/update: only what is available is reported."""
    body = {
        "inventory_item_id": level.item_id,
        "location_id": level.location_id,
        "available": level.quantities["available"],
        "updated_at": shop.now().isoformat(),
        "admin_graphql_api_id": level_gid(level),
    }
    shop.emit("inventory_levels/update", body, "")


def level_gid(level: Level) -> str:
    """The id of a level names its item in the query part (recorded on 2026-04)."""
    return gid("InventoryLevel", f"{level.location_id}?inventory_item_id={level.item_id}")


def first_stocked(shop: ShopState, item_id: int) -> Level | None:
    """Where an item is sold from: the first active location that stocks it."""
    return next(
        (
            level
            for (item, location), level in shop.levels.items()
            if item == item_id and level.is_active and shop.locations[location].is_active
        ),
        None,
    )
