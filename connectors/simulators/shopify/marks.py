"""Metafields, tags and notes: how others show a status on an order or customer (shopify.md section 12)."""

import hashlib
from typing import Any

from connectors.simulators.shopify.after_sales_records import Metafield, MetafieldDefinition
from connectors.simulators.shopify.paging import Args, Field, Fields, attribute, connection, global_id, moment
from connectors.simulators.shopify.payloads import tell_customer, tell_order
from connectors.simulators.shopify.records import Customer, Order
from connectors.simulators.shopify.refusals import Refused
from connectors.simulators.shopify.state import ShopState, gid, number_of

MOST_METAFIELDS = 25
LONGEST_NOTE = 5000
_OWNERS = {"Order": "ORDER", "Customer": "CUSTOMER", "ProductVariant": "PRODUCTVARIANT"}


def owner_record(shop: ShopState, owner: str) -> Any:
    """The record behind an owner's id, None where there is none."""
    tables: dict[str, dict[int, Any]] = {
        "Order": shop.orders,
        "Customer": shop.customers,
        "ProductVariant": shop.variants,
    }
    return next((table.get(number) for kind, table in tables.items() if (number := number_of(kind, owner))), None)


def find_metafield(shop: ShopState, owner: str, namespace: str, key: str) -> Metafield | None:
    """The metafield of an owner by its name."""
    return next((m for m in shop.metafields.values() if (m.owner, m.namespace, m.key) == (owner, namespace, key)), None)


def metafield_of(kind: str) -> Field:
    """The field `metafield` of records of this kind."""
    return lambda shop, record, args: find_metafield(
        shop, gid(kind, record.id), args.get("namespace") or "custom", args["key"]
    )


def metafields_of(kind: str) -> Field:
    """The field `metafields` of records of this kind."""

    def answer(shop: ShopState, record: Any, args: Args) -> dict[str, Any]:
        owner, namespace = gid(kind, record.id), args.get("namespace")
        found = [m for m in shop.metafields.values() if m.owner == owner and namespace in (None, m.namespace)]
        return connection(found, args)

    return answer


def digest_of(metafield: Metafield) -> str:
    """compareDigest: changes with the value."""
    return hashlib.sha256(f"{metafield.type}:{metafield.value}".encode()).hexdigest()


METAFIELD: Fields = {
    "id": global_id("Metafield"),
    "namespace": attribute("namespace"),
    "key": attribute("key"),
    "type": attribute("type"),
    "value": lambda shop, metafield, args: metafield.value,
    "compareDigest": lambda shop, metafield, args: digest_of(metafield),
    "updatedAt": moment("updated_at"),
}

DEFINITION: Fields = {"id": global_id("MetafieldDefinition")}


def metafields_set(shop: ShopState, args: Args) -> dict[str, Any]:
    """metafieldsSet: all or none."""
    given = args["metafields"]
    if len(given) > MOST_METAFIELDS:
        message = f"Exceeded the maximum metafields input limit of {MOST_METAFIELDS}."
        raise Refused(["metafields"], message, "LESS_THAN_OR_EQUAL_TO")
    for index, one in enumerate(given):
        _check_metafield(shop, index, one)
    written = [_write(shop, one) for one in given]
    for owner in dict.fromkeys(metafield.owner for metafield in written):
        _touch(shop, owner_record(shop, owner))
    return {"metafields": written}


def _check_metafield(shop: ShopState, index: int, given: Args) -> None:
    path = ["metafields", str(index)]
    if owner_record(shop, given["ownerId"]) is None:
        raise Refused([*path, "ownerId"], "Owner does not exist.", "INVALID")
    namespace = given.get("namespace") or "custom"
    present = find_metafield(shop, given["ownerId"], namespace, given["key"])
    if not given.get("type") and present is None and _definition(shop, given, namespace) is None:
        raise Refused([*path, "type"], "Type can't be blank", "BLANK")
    if "compareDigest" not in given or (present is not None and present.value == given["value"]):
        return
    if given["compareDigest"] != (None if present is None else digest_of(present)):
        message = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
        raise Refused(path, message, "STALE_OBJECT")


def _definition(shop: ShopState, given: Args, namespace: str) -> MetafieldDefinition | None:
    kind = str(given["ownerId"]).removeprefix("gid://shopify/").partition("/")[0]
    return next(
        (
            d
            for d in shop.metafield_definitions.values()
            if (d.owner_type, d.namespace, d.key) == (_OWNERS.get(kind), namespace, given["key"])
        ),
        None,
    )


def _write(shop: ShopState, given: Args) -> Metafield:
    namespace = given.get("namespace") or "custom"
    present = find_metafield(shop, given["ownerId"], namespace, given["key"])
    definition = _definition(shop, given, namespace)
    if present is None:
        kind = given.get("type") or (definition.type if definition else "")
        present = Metafield(
            id=shop.next_id("Metafield"),
            owner=given["ownerId"],
            namespace=namespace,
            key=given["key"],
            type=kind,
            value="",
            updated_at=shop.now(),
        )
        shop.metafields[present.id] = present
    present.value, present.updated_at = given["value"], shop.now()
    return present


def define_metafield(shop: ShopState, args: Args) -> dict[str, Any]:
    """metafieldDefinitionCreate."""
    given = args["definition"]
    namespace = given.get("namespace") or "custom"
    for known in shop.metafield_definitions.values():
        if (known.owner_type, known.namespace, known.key) == (given["ownerType"], namespace, given["key"]):
            message = f"Key is in use for {given['ownerType'].capitalize()} metafields on the '{namespace}' namespace."
            raise Refused(["definition", "key"], message, "TAKEN")
    definition = MetafieldDefinition(
        id=shop.next_id("MetafieldDefinition"),
        owner_type=given["ownerType"],
        namespace=namespace,
        key=given["key"],
        name=given["name"],
        type=given["type"],
        is_pinned=bool(given.get("pin")),
    )
    shop.metafield_definitions[definition.id] = definition
    return {"createdDefinition": definition}


def tags_add(shop: ShopState, args: Args) -> dict[str, Any]:
    """tagsAdd: what is there stays."""
    record = _tagged(shop, args["id"])
    record.tags += [tag for tag in dict.fromkeys(args["tags"]) if tag not in record.tags]
    _touch(shop, record)
    return {"node": record}


def tags_remove(shop: ShopState, args: Args) -> dict[str, Any]:
    """tagsRemove: what is not there is no error."""
    record = _tagged(shop, args["id"])
    record.tags[:] = [tag for tag in record.tags if tag not in args["tags"]]
    _touch(shop, record)
    return {"node": record}


def _tagged(shop: ShopState, owner: str) -> Any:
    record = owner_record(shop, owner)
    if not hasattr(record, "tags"):
        raise Refused(["id"], "id is invalid")
    return record


def order_update(shop: ShopState, args: Args) -> dict[str, Any]:
    """orderUpdate: note and tags are overwritten whole."""
    given = args["input"]
    order = shop.orders.get(number_of("Order", given["id"]))
    if order is None:
        raise Refused(["id"], "Order does not exist")
    if set(given) == {"id"}:
        raise Refused(None, "No valid update parameters have been provided", payload={"order": order})
    if len(given.get("note") or "") > LONGEST_NOTE:
        message = f"Note is too long (maximum is {LONGEST_NOTE} characters)"
        raise Refused(["note"], message, payload={"order": order})
    if "note" in given:
        order.note = given["note"]
    if "tags" in given:
        order.tags = list(given["tags"] or [])
    order.email = given.get("email") or order.email
    order.po_number = given.get("poNumber") or order.po_number
    if "customAttributes" in given:
        order.attributes = [(one["key"], one["value"]) for one in given["customAttributes"] or []]
    tell_order(shop, order)
    return {"order": order}


def _touch(shop: ShopState, record: Any) -> None:
    if isinstance(record, Order):
        tell_order(shop, record)
    elif isinstance(record, Customer):
        tell_customer(shop, record)
