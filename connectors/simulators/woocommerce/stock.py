"""Stock of the shop: sold on payment, put back by refunds with a quantity or by cancelling."""

from connectors.simulators.woocommerce.records import Item, Order, Product
from connectors.simulators.woocommerce.state import ShopState, meta_value

REDUCED = "_reduced_stock"
RESTOCKED = "_restock_refunded_items"


def product_of(shop: ShopState, item: Item) -> Product | None:
    """The product or variation an order line sold, None where it is gone."""
    return shop.products.get(item.variation_id or item.product_id)


def stock_holder(shop: ShopState, product: Product | None) -> Product | None:
    """Whose stock figure counts: the variation's own, else the parent's, None where nobody manages stock."""
    if product is None or product.is_stock_managed:
        return product
    parent = shop.products.get(product.parent_id)
    return parent if parent is not None and parent.is_stock_managed else None


def move_stock(shop: ShopState, product: Product, difference: int) -> tuple[int, int]:
    """Change a stock figure in one step and say so by product.updated; returns old and new quantity."""
    old = product.stock_quantity or 0
    product.stock_quantity = old + difference
    save_product(shop, product)
    return old, old + difference


def save_product(shop: ShopState, product: Product) -> None:
    """Save a product: its date moves and product.updated fires."""
    product.modified_at = shop.now()
    shop.emit("product.updated", product.id)


def reduce_for_order(shop: ShopState, order: Order) -> None:
    """Take the sold quantities out, once per order; nothing stops overselling (section 6)."""
    if order.is_stock_reduced:
        return
    order.is_stock_reduced = True
    changes = [change for item in order.of_kind("line") if (change := _reduce(shop, item))]
    if changes:
        shop.add_note(order, "Stock levels reduced: " + ", ".join(changes))


def _reduce(shop: ShopState, item: Item) -> str:
    product = product_of(shop, item)
    if product is not None:
        product.total_sales += item.quantity
    holder = stock_holder(shop, product)
    if holder is None or meta_value(item.meta, REDUCED) is not None:
        return ""
    old, new = move_stock(shop, holder, -item.quantity)
    shop.set_meta(item.meta, REDUCED, str(item.quantity))
    return f"{item.name} ({old}&rarr;{new})"


def restore_for_order(shop: ShopState, order: Order) -> None:
    """Put back what `_reduced_stock` still holds (cancelled or pending again)."""
    if not order.is_stock_reduced:
        return
    order.is_stock_reduced = False
    for item in order.of_kind("line"):
        held = int(meta_value(item.meta, REDUCED) or 0)
        holder = stock_holder(shop, product_of(shop, item))
        if held <= 0 or holder is None:
            continue
        old, new = move_stock(shop, holder, held)
        item.meta = [meta for meta in item.meta if meta.key != REDUCED]
        shop.add_note(order, f"Stock levels increased: {item.name} ({old}&rarr;{new})")


def restock_refunded(shop: ShopState, order: Order, quantities: dict[int, int]) -> None:
    """Put refunded quantities back by line id.

    Silently nothing for a line whose `_reduced_stock` is missing or exactly 0, or whose product manages no stock;
    the quantity is no cap: more than was sold goes back too (sections 4.7 and 9).
    """
    for item in order.of_kind("line"):
        quantity = quantities.get(item.id, 0)
        holder = stock_holder(shop, product_of(shop, item))
        held = int(meta_value(item.meta, REDUCED) or 0)
        if not quantity or not held or holder is None:
            continue
        old, new = move_stock(shop, holder, quantity)
        shop.set_meta(item.meta, REDUCED, str(held - quantity))
        shop.set_meta(item.meta, RESTOCKED, str(int(meta_value(item.meta, RESTOCKED) or 0) + quantity))
        shop.add_note(order, f"Item #{holder.id} stock increased from {old} to {new}.")
