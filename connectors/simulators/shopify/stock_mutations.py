"""inventoryAdjust-, Move- and SetQuantities and inventoryActivate, with the checks recorded (shopify.md section 10)."""

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from connectors.simulators.shopify.inventory import level_of, moved, record, stock_at
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.records import Change, Level
from connectors.simulators.shopify.refusals import Refused, problem, refuse_all
from connectors.simulators.shopify.state import ShopState, number_of

MOVABLE = ("available", "damaged", "incoming", "quality_control", "reserved", "safety_stock")
REASONS = [
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
]
MOST_SET, MOST_MOVED = 1_000_000_000, 2_000_000_000
MOST_LEDGERS_PER_MOVE = 2
_Problems = list[dict[str, Any]]


def adjust_quantities(shop: ShopState, args: Args) -> dict[str, Any]:
    """inventoryAdjustQuantities."""
    given = args["input"]
    name, asked = given["name"], given["changes"]
    _need_compare(asked, "InventoryChangeInput")
    problems = _reason(given) + _name(name, ["input", "name"])
    problems += [
        entry for index, one in enumerate(asked) for entry in _ledger(name, one, ["input", "changes", str(index)])
    ]
    refuse_all(problems)
    if len({one.get("ledgerDocumentUri") for one in asked}) > 1:
        message = (
            "All changes must have the same ledger document URI or, in the case of adjusting available, "
            "no ledger document URI."
        )
        raise Refused(["input", "changes"], message, "MAX_ONE_LEDGER_DOCUMENT")
    places = _existing(shop, [(one, ["input", "changes", str(index)]) for index, one in enumerate(asked)])
    for index, (one, level) in enumerate(zip(asked, places, strict=True)):
        path = ["input", "changes", str(index)]
        _bounds(one["delta"], -MOST_MOVED, MOST_MOVED, [*path, "delta"])
        _compare(level.quantities[name], one.get("changeFromQuantity"), path)
    changes = [
        _change(name, one["delta"], level, one.get("ledgerDocumentUri"))
        for one, level in zip(asked, places, strict=True)
        if one["delta"]
    ]
    return _done(shop, changes, given)


def move_quantities(shop: ShopState, args: Args) -> dict[str, Any]:
    """inventoryMoveQuantities: between states of one location."""
    given = args["input"]
    asked = given["changes"]
    _need_compare([one[end] for one in asked for end in ("from", "to")], "InventoryMoveQuantityTerminalInput")
    problems = _reason(given)
    for index, one in enumerate(asked):
        for end in ("from", "to"):
            path = ["input", "changes", str(index), end]
            problems += _name(one[end]["name"], [*path, "name"]) or _ledger(one[end]["name"], one[end], path)
    refuse_all(problems)
    ends = [
        (one | one[end], ["input", "changes", str(index), end])
        for index, one in enumerate(asked)
        for end in ("from", "to")
    ]
    _check_move(asked)
    places = _existing(shop, ends, is_move=True)
    for index, one in enumerate(asked):
        _bounds(one["quantity"], 0, MOST_MOVED, ["input", "changes", str(index), "quantity"])
    for (one, path), level in zip(ends, places, strict=True):
        _compare(level.quantities[one["name"]], one.get("changeFromQuantity"), path)
    changes = [
        _change(one[end]["name"], sign * one["quantity"], places[2 * index + offset], one[end].get("ledgerDocumentUri"))
        for index, one in enumerate(asked)
        for offset, (end, sign) in enumerate((("from", -1), ("to", 1)))
        if one["quantity"]
    ]
    return _done(shop, changes, given)


def set_quantities(shop: ShopState, args: Args) -> dict[str, Any]:
    """inventorySetQuantities: absolute figures; on_hand is reached by changing what is available."""
    given = args["input"]
    name, asked = given["name"], given["quantities"]
    _need_compare(asked, "InventoryQuantityInput")
    problems = _reason(given)
    if name not in ("available", "on_hand"):
        message = "The quantity name must be either 'available' or 'on_hand'."
        problems.append(problem(["input", "name"], message, "INVALID_NAME"))
    refuse_all(problems + _duplicates(asked))
    for index, one in enumerate(asked):
        lowest = 0 if name == "on_hand" else -MOST_SET
        _bounds(one["quantity"], lowest, MOST_SET, ["input", "quantities", str(index), "quantity"])
    places = _existing(shop, [(one, ["input", "quantities", str(index)]) for index, one in enumerate(asked)])
    changes = []
    for index, (one, level) in enumerate(zip(asked, places, strict=True)):
        present = level.on_hand if name == "on_hand" else level.quantities["available"]
        _compare(present, one.get("changeFromQuantity"), ["input", "quantities", str(index)])
        if one["quantity"] != present:
            changes.append(_change("available", one["quantity"] - present, level, None))
    return _done(shop, changes, given)


def activate(shop: ShopState, args: Args) -> dict[str, Any]:
    """inventoryActivate: stock an item at a location, with what is said to be there; where it is stocked, as it is."""
    item_id, location_id = (
        number_of("InventoryItem", args["inventoryItemId"]),
        number_of("Location", args["locationId"]),
    )
    if shop.item(item_id) is None:
        raise Refused(["inventoryItemId"], "The specified inventory item could not be found.")
    location = shop.locations.get(location_id)
    if location is None or not location.is_active:
        raise Refused(["locationId"], "The specified location could not be found.")
    _check_opening(args, location.name)
    level = shop.levels.get((item_id, location_id))
    if level is not None and level.is_active:
        _refuse_opening(args, level)
    opening = args.get("available") or args.get("onHand") or 0
    if level is None:
        level = stock_at(shop, item_id, location_id)
    level.is_active = True
    if opening:
        record(shop, [moved(level, "available", opening)], reason="correction")
    return {"inventoryLevel": level}


_OPENINGS = {"available": "available", "onHand": "on_hand"}


def _check_opening(args: Args, place: str) -> None:
    """Words recorded for onHand; those for available are taken to be the same."""
    given = [name for name in _OPENINGS if args.get(name) is not None]
    start, why = f"The product couldn't be stocked at {place} because ", ""
    if len(given) > 1:
        why = "not allowed to set available and on_hand quantities at the same time."
    elif any(abs(args[name]) > MOST_SET for name in given):
        why = "the quantity needs to be between -1 billion and 1 billion."
    if why:
        refuse_all([problem([name], start + why) for name in given])


def _refuse_opening(args: Args, level: Level) -> None:
    for name, word in _OPENINGS.items():
        if args.get(name) is not None:
            message = f"Not allowed to set an {word} quantity when the item is already active at the location."
            raise Refused([name], message, payload={"inventoryLevel": level})


def _need_compare(entries: Sequence[Args], type_name: str) -> None:
    """Present since 2026-04, though null switches the check off (recorded)."""
    if any("changeFromQuantity" not in entry for entry in entries):
        message = f"{type_name} must include the following argument: changeFromQuantity."
        raise GraphQLError(message, extensions={"code": "INVALID_FIELD_ARGUMENTS"})


def _reason(given: Args) -> _Problems:
    if given["reason"] in REASONS:
        return []
    message = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
    return [problem(["input", "reason"], message, "INVALID_REASON")]


def _name(name: str, path: list[str]) -> _Problems:
    if name in MOVABLE:
        return []
    message = f"The specified quantity name is invalid. Valid values are: {', '.join(MOVABLE)}."
    return [problem(path, message, "INVALID_QUANTITY_NAME")]


def _ledger(name: str, given: Args, path: list[str]) -> _Problems:
    uri, path = given.get("ledgerDocumentUri"), [*path, "ledgerDocumentUri"]
    if name == "available":
        message = "A ledger document URI is not allowed when adjusting available."
        return [problem(path, message, "INVALID_AVAILABLE_DOCUMENT")] if uri else []
    if not uri:
        message = "A ledger document URI is required except when adjusting available."
        return [problem(path, message, "INVALID_QUANTITY_DOCUMENT")]
    if uri.startswith("gid://shopify/"):
        message = "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API."
        return [problem(path, message, "INTERNAL_LEDGER_DOCUMENT")]
    return []


def _existing(shop: ShopState, entries: Sequence[tuple[Args, list[str]]], *, is_move: bool = False) -> list[Level]:
    """The levels that these entries name; raises Refused with every item and location that cannot be."""
    problems: _Problems = []
    levels: list[Level] = []
    for given, path in entries:
        item_id = number_of("InventoryItem", given["inventoryItemId"])
        location = shop.locations.get(number_of("Location", given["locationId"]))
        item_path = path[:-1] if is_move else path
        missing = problem(
            [*item_path, "inventoryItemId"],
            "The specified inventory item could not be found.",
            "INVALID_INVENTORY_ITEM",
        )
        if shop.item(item_id) is None and missing not in problems:
            problems.append(missing)
        if location is None or not location.is_active:
            message = "The specified location could not be found."
            problems.append(problem([*path, "locationId"], message, "INVALID_LOCATION"))
        elif shop.item(item_id) is not None:
            level = level_of(shop, item_id, location.id)
            if level is None:
                message = "The specified inventory item is not stocked at the location."
                problems.append(problem([*path, "locationId"], message, "ITEM_NOT_STOCKED_AT_LOCATION"))
            else:
                levels.append(level)
    refuse_all(problems)
    return levels


def _check_move(asked: Sequence[Args]) -> None:
    for index, one in enumerate(asked):
        path = ["input", "changes", str(index)]
        if one["from"]["locationId"] != one["to"]["locationId"]:
            message = "The quantities can't be moved between different locations."
            raise Refused(path, message, "DIFFERENT_LOCATIONS")
        if one["from"]["name"] == one["to"]["name"]:
            message = "The quantity names for each change can't be the same."  # assumed text
            raise Refused(path, message, "SAME_QUANTITY_NAME")
    ledgers = {one[end].get("ledgerDocumentUri") for one in asked for end in ("from", "to")} - {None}
    if len(ledgers) > MOST_LEDGERS_PER_MOVE:
        message = f"A maximum of {MOST_LEDGERS_PER_MOVE} ledger document URIs is allowed."  # assumed text
        raise Refused(["input", "changes"], message, "MAXIMUM_LEDGER_DOCUMENT_URIS")


def _bounds(value: int, lowest: int, highest: int, path: list[str]) -> None:
    if value > highest:
        raise Refused(path, f"The quantity can't be higher than {highest:,}.", "INVALID_QUANTITY_TOO_HIGH")
    if value < lowest and lowest == 0:
        raise Refused(path, "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE")
    if value < lowest:
        raise Refused(path, f"The quantity can't be lower than {lowest:,}.", "INVALID_QUANTITY_TOO_LOW")


def _compare(present: int, expected: int | None, path: list[str]) -> None:
    if expected is not None and expected != present:
        message = "The changeFromQuantity argument no longer matches the persisted quantity."  # assumed text
        raise Refused([*path, "changeFromQuantity"], message, "CHANGE_FROM_QUANTITY_STALE")


def _duplicates(asked: Sequence[Args]) -> _Problems:
    pairs = [(one["inventoryItemId"], one["locationId"]) for one in asked]
    message = "The combination of inventoryItemId and locationId must be unique."
    code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
    return [
        problem(["input", "quantities", str(index), "locationId"], message, code)
        for index, pair in enumerate(pairs)
        if pairs.count(pair) > 1
    ]


def _change(name: str, delta: int, level: Level, ledger: str | None) -> Change:
    return Change(name=name, delta=delta, item_id=level.item_id, location_id=level.location_id, ledger_uri=ledger)


def _done(shop: ShopState, changes: list[Change], given: Args) -> dict[str, Any]:
    if not changes:
        return {"inventoryAdjustmentGroup": None}
    group = record(shop, changes, reason=given["reason"], reference_uri=given.get("referenceDocumentUri"))
    return {"inventoryAdjustmentGroup": group}
