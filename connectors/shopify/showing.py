"""What the shop shows of us beside an order: our notes and metafields, shelf figures, and our restocks (checks.md)."""

from collections.abc import Mapping, Sequence

from connectors.ports import Json, Link, MarksShown, Rejected
from connectors.shopify import client
from connectors.shopify.inventory import GROUP, group_of
from connectors.shopify.links import is_gid
from connectors.shopify.marks import namespace_of
from connectors.shopify.places import AVAILABLE
from connectors.shopify.refund_records import moment, nodes
from returnsops.facts import ArticleId, StockLevel, StockMovement


def read_marks(link: Link, order_id: str, tokens: Sequence[str]) -> MarksShown:
    """Which of these tokens the order's note holds, and all metafields of ours. Raises Rejected('order_not_found')."""
    order = client.execute(link, "OrderShown", {"id": order_id, "namespace": namespace_of(link)}).get("order")
    if not isinstance(order, Mapping):
        raise Rejected(f"The shop has no order with the id {order_id[:60]!r}.", code="order_not_found")
    note = str(order.get("note") or "")
    return MarksShown(
        tokens=frozenset(token for token in tokens if token in note),
        fields={str(field["key"]): str(field["value"]) for field in nodes(order.get("metafields"))},
    )


def read_levels(link: Link, articles: Sequence[ArticleId]) -> Mapping[ArticleId, StockLevel]:
    """What is for sale online of each variant, all locations together; None where it is gone or not tracked."""
    return {article: _level(link, article[1]) for article in dict.fromkeys(articles)}


def _level(link: Link, variant_id: str) -> StockLevel:
    known = is_gid(variant_id, "ProductVariant")
    variant: Json = client.execute(link, "VariantLevels", {"id": variant_id}).get("productVariant") if known else None
    item = (variant or {}).get("inventoryItem") or {}
    if item.get("tracked") is not True:
        return StockLevel(quantity=None)
    rows = (row for level in nodes(item.get("inventoryLevels")) for row in level.get("quantities") or ())
    moments = [moment(row.get("updatedAt")) for row in rows]
    changed_at = max((at for at in moments if at is not None), default=None)
    return StockLevel(quantity=int(variant.get("sellableOnlineQuantity") or 0), changed_at=changed_at)


def read_movements(link: Link, movement_ids: Sequence[str]) -> Mapping[str, StockMovement | None]:
    """What each adjustment did to available stock, None where the shop has none of that id.

    An id that a person wrote down when adopting cannot be asked for, and is left out.
    """
    return {one: _movement(link, one) for one in dict.fromkeys(movement_ids) if is_gid(one, GROUP)}


def _movement(link: Link, movement_id: str) -> StockMovement | None:
    group = group_of(link, movement_id)
    if group is None:
        return None
    changes = [row for row in group.get("changes") or () if row.get("name") == AVAILABLE]
    variants = {str(node["id"]) for row in changes for node in nodes((row.get("item") or {}).get("variants"))}
    return StockMovement(
        movement_id=movement_id,
        article=variants.pop() if len(variants) == 1 else "",
        units=sum(int(row["delta"]) for row in changes),
        moved_at=moment(group.get("createdAt")),
    )
