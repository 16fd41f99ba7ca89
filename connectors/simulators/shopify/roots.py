"""The root fields: every query and mutation with its answer and the scope it needs."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.simulators.shopify import (
    bulk_operations,
    crediting,
    edit_committing,
    edit_postage,
    edit_steps,
    marks,
    order_cancelling,
    order_creating,
    refunding,
    return_mutations,
    return_processing,
    reverse_logistics,
    searching,
    stock_mutations,
    subscriptions,
)
from connectors.simulators.shopify.paging import Args, Field, connection
from connectors.simulators.shopify.returnable import returnable_fulfilments
from connectors.simulators.shopify.state import ShopState, number_of
from connectors.simulators.shopify.stock_fields import Item, inventory_properties

Mutation = Callable[[ShopState, Args], dict[str, Any]]


def _by_id(kind: str, table: Callable[[ShopState], Mapping[int, Any]], name: str = "id") -> Field:
    return lambda shop, root, args: table(shop).get(number_of(kind, args[name]))


def _all(table: Callable[[ShopState], Mapping[int, Any]]) -> Field:
    return lambda shop, root, args: connection(list(table(shop).values()), args)


def _found(search: Callable[[ShopState, str | None], list[Any]]) -> Field:
    return lambda shop, root, args: connection(search(shop, args.get("query")), args)


_SORTS: dict[str, Callable[[Any], Any]] = {
    "UPDATED_AT": lambda record: (record.updated_at.isoformat(), record.id),
    "CREATED_AT": lambda record: (record.created_at.isoformat(), record.id),
    "PROCESSED_AT": lambda record: (record.processed_at.isoformat(), record.id),
    "ID": lambda record: (record.id,),
    "ORDER_NUMBER": lambda record: (record.number,),
}


def _sorted(search: Callable[[ShopState, str | None], list[Any]]) -> Field:
    def answer(shop: ShopState, root: Any, args: Args) -> dict[str, Any]:
        place, is_reversed = _SORTS[args["sortKey"]], bool(args.get("reverse"))
        found = sorted(search(shop, args.get("query")), key=place, reverse=is_reversed)
        return connection(found, args, place=place, is_reversed=is_reversed)

    return answer


def _locations(shop: ShopState, root: Any, args: Args) -> dict[str, Any]:
    kept = [
        place
        for place in shop.locations.values()
        if (place.is_active or args.get("includeInactive")) and (not place.service_handle or args.get("includeLegacy"))
    ]
    return connection(sorted(kept, key=_by_name), args, place=_by_name)


def _by_name(place: Any) -> tuple[str, int]:
    return place.name, place.id


def _item(shop: ShopState, root: Any, args: Args) -> Item | None:
    variant = shop.item(number_of("InventoryItem", args["id"]))
    return None if variant is None else Item(variant)


def _items(shop: ShopState, root: Any, args: Args) -> dict[str, Any]:
    return connection([Item(variant) for variant in searching.found_variants(shop, args.get("query"))], args)


def _level(shop: ShopState, root: Any, args: Args) -> Any:
    location, _, item = str(args["id"]).partition("?inventory_item_id=")
    place = (int(item) if item.isdigit() else 0, number_of("InventoryLevel", location))
    return shop.levels.get(place)


def _location(shop: ShopState, root: Any, args: Args) -> Any:
    if args.get("id") is None:
        return next(iter(shop.locations.values()), None)
    return shop.locations.get(number_of("Location", args["id"]))


def node(shop: ShopState, given: str) -> Any:
    """The record of any kind behind a global id, None where there is none."""
    kind = given.removeprefix("gid://shopify/").partition("/")[0]
    field = _NODES.get(kind)
    return None if field is None else field(shop, None, {"id": given})


_NODES: dict[str, Field] = {
    "Order": _by_id("Order", lambda shop: shop.orders),
    "Refund": _by_id("Refund", lambda shop: shop.refunds),
    "Return": _by_id("Return", lambda shop: shop.returns),
    "Customer": _by_id("Customer", lambda shop: shop.customers),
    "ProductVariant": _by_id("ProductVariant", lambda shop: shop.variants),
    "Product": _by_id("Product", lambda shop: shop.products),
    "InventoryItem": _item,
    "InventoryLevel": _level,
    "InventoryAdjustmentGroup": _by_id("InventoryAdjustmentGroup", lambda shop: shop.groups),
    "Location": _location,
    "OrderTransaction": _by_id("OrderTransaction", lambda shop: shop.transactions),
    "FulfillmentLineItem": _by_id("FulfillmentLineItem", lambda shop: shop.fulfilment_lines),
    "ReverseFulfillmentOrder": _by_id("ReverseFulfillmentOrder", lambda shop: shop.reverse_orders),
    "ReverseDelivery": _by_id("ReverseDelivery", lambda shop: shop.reverse_deliveries),
    "StoreCreditAccount": _by_id("StoreCreditAccount", lambda shop: shop.accounts),
    "GiftCard": _by_id("GiftCard", lambda shop: shop.gift_cards),
    "BulkOperation": _by_id("BulkOperation", lambda shop: shop.bulks),
    "WebhookSubscription": _by_id("WebhookSubscription", lambda shop: shop.subscriptions),
}


def _publicised(shop: ShopState, root: Any, args: Args) -> list[dict[str, Any]]:
    return [{"handle": handle, "supported": True} for handle in shop.settings.supported_versions]


def _installation(shop: ShopState, root: Any, args: Args) -> dict[str, Any]:
    return {"id": "gid://shopify/AppInstallation/1", "accessScopes": [{"handle": s} for s in shop.access.scopes]}


QUERIES: dict[str, Field] = {
    "shop": lambda shop, root, args: shop.settings,
    "currentAppInstallation": _installation,
    "publicApiVersions": _publicised,
    "node": lambda shop, root, args: node(shop, args["id"]),
    "nodes": lambda shop, root, args: [node(shop, one) for one in args["ids"]],
    "order": _NODES["Order"],
    "orders": _sorted(searching.found_orders),
    "refund": _NODES["Refund"],
    "return": _NODES["Return"],
    "returnableFulfillments": returnable_fulfilments,
    "returnReasonDefinitions": _all(lambda shop: shop.definitions),
    "reverseFulfillmentOrder": _NODES["ReverseFulfillmentOrder"],
    "reverseDelivery": _NODES["ReverseDelivery"],
    "customer": _NODES["Customer"],
    "customers": _found(searching.found_by_email),
    "storeCreditAccount": _NODES["StoreCreditAccount"],
    "giftCard": _NODES["GiftCard"],
    "giftCards": _found(searching.found_gift_cards),
    "products": _all(lambda shop: shop.products),
    "product": _NODES["Product"],
    "productVariant": _NODES["ProductVariant"],
    "productVariants": _found(searching.found_variants),
    "inventoryItem": _item,
    "inventoryItems": _items,
    "inventoryLevel": _level,
    "inventoryProperties": inventory_properties,
    "location": _location,
    "locations": _locations,
    "webhookSubscriptions": _all(lambda shop: shop.subscriptions),
    "bulkOperation": _NODES["BulkOperation"],
    "bulkOperations": bulk_operations.operations,
}

MUTATIONS: dict[str, Mutation] = {
    "refundCreate": refunding.refund_create,
    "inventoryAdjustQuantities": stock_mutations.adjust_quantities,
    "inventoryMoveQuantities": stock_mutations.move_quantities,
    "inventorySetQuantities": stock_mutations.set_quantities,
    "inventoryActivate": stock_mutations.activate,
    "metafieldsSet": marks.metafields_set,
    "metafieldDefinitionCreate": marks.define_metafield,
    "tagsAdd": marks.tags_add,
    "tagsRemove": marks.tags_remove,
    "orderUpdate": marks.order_update,
    "storeCreditAccountCredit": crediting.store_credit,
    "giftCardCreate": crediting.gift_card_create,
    "giftCardDeactivate": crediting.gift_card_deactivate,
    "orderCancel": order_cancelling.order_cancel,
    "orderClose": order_cancelling.order_close,
    "orderCreate": order_creating.order_create,
    "orderEditBegin": edit_steps.begin,
    "orderEditSetQuantity": edit_steps.set_quantity,
    "orderEditAddVariant": edit_steps.add_variant,
    "orderEditAddCustomItem": edit_steps.add_custom_item,
    "orderEditAddLineItemDiscount": edit_steps.add_line_discount,
    "orderEditRemoveDiscount": edit_steps.remove_discount,
    "orderEditAddShippingLine": edit_postage.add_shipping_line,
    "orderEditUpdateShippingLine": edit_postage.update_shipping_line,
    "orderEditRemoveShippingLine": edit_postage.remove_shipping_line,
    "orderEditCommit": edit_committing.commit,
    "returnCreate": return_mutations.return_create,
    "returnRequest": return_mutations.return_request,
    "returnApproveRequest": return_mutations.return_approve,
    "returnDeclineRequest": return_mutations.return_decline,
    "returnCancel": return_mutations.return_cancel,
    "returnClose": return_mutations.return_close,
    "returnReopen": return_mutations.return_reopen,
    "removeFromReturn": return_mutations.remove_from_return,
    "returnProcess": return_processing.return_process,
    "reverseFulfillmentOrderDispose": reverse_logistics.dispose,
    "reverseDeliveryCreateWithShipping": reverse_logistics.delivery_create,
    "reverseDeliveryShippingUpdate": reverse_logistics.delivery_update,
    "webhookSubscriptionCreate": subscriptions.subscribe,
    "webhookSubscriptionDelete": subscriptions.unsubscribe,
    "bulkOperationRunQuery": bulk_operations.run_query,
    "bulkOperationCancel": bulk_operations.cancel,
}

KEYED = frozenset(
    {
        "refundCreate",
        "inventoryAdjustQuantities",
        "inventoryMoveQuantities",
        "inventorySetQuantities",
        "inventoryActivate",
    }
)
"""Mutations that are refused without @idempotent since 2026-04."""

SCOPES: dict[str, str] = {
    "order": "read_orders",
    "orders": "read_orders",
    "refund": "read_orders",
    "return": "read_returns",
    "returnableFulfillments": "read_returns",
    "returnReasonDefinitions": "read_returns",
    "customer": "read_customers",
    "customers": "read_customers",
    "giftCard": "read_gift_cards",
    "giftCards": "read_gift_cards",
    "storeCreditAccount": "read_store_credit_accounts",
    "products": "read_products",
    "product": "read_products",
    "productVariant": "read_products",
    "productVariants": "read_products",
    "inventoryItem": "read_inventory",
    "inventoryItems": "read_inventory",
    "inventoryLevel": "read_inventory",
    "location": "read_locations",
    "locations": "read_locations",
    "refundCreate": "write_orders",
    "orderCancel": "write_orders",
    "orderClose": "write_orders",
    "orderCreate": "write_orders",
    "orderEditBegin": "write_order_edits",
    "orderEditSetQuantity": "write_order_edits",
    "orderEditAddVariant": "write_order_edits",
    "orderEditAddCustomItem": "write_order_edits",
    "orderEditAddLineItemDiscount": "write_order_edits",
    "orderEditRemoveDiscount": "write_order_edits",
    "orderEditAddShippingLine": "write_order_edits",
    "orderEditUpdateShippingLine": "write_order_edits",
    "orderEditRemoveShippingLine": "write_order_edits",
    "orderEditCommit": "write_order_edits",
    "orderUpdate": "write_orders",
    "inventoryAdjustQuantities": "write_inventory",
    "inventoryMoveQuantities": "write_inventory",
    "inventorySetQuantities": "write_inventory",
    "inventoryActivate": "write_inventory",
    "storeCreditAccountCredit": "write_store_credit_account_transactions",
    "giftCardCreate": "write_gift_cards",
    "giftCardDeactivate": "write_gift_cards",
    "returnCreate": "write_returns",
    "returnRequest": "write_returns",
    "returnApproveRequest": "write_returns",
    "returnDeclineRequest": "write_returns",
    "returnCancel": "write_returns",
    "returnClose": "write_returns",
    "returnReopen": "write_returns",
    "removeFromReturn": "write_returns",
    "returnProcess": "write_returns",
    "reverseFulfillmentOrderDispose": "write_returns",
    "reverseDeliveryCreateWithShipping": "write_returns",
    "reverseDeliveryShippingUpdate": "write_returns",
}
"""The scope a root field needs (shopify.md section 16); roots that are not here need none."""
