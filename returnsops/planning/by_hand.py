"""Units that people put back into stock through the order, apart from our restocks. Pure.

Two things have to agree (woocommerce-observed.md section 9): what the order line still holds of the sale's stock, and
records of refunds or restocks, not ours, that name the line. A line that never took stock says nothing; neither does a
quantity that somebody edited.
"""

from returnsops.facts import OrderLineSnapshot

from . import items, order_money
from .view import LineView, ReturnView, put_back_by_others


def units(view: ReturnView, line: LineView) -> int:
    """Units of this item that count as put back by hand; items on the same order line share them in turn."""
    bought = items.order_line(view, line)
    if bought is None or view.is_released:  # what people did before the route went live is a question of its own
        return 0
    left = of_order_line(view, bought)
    mine = sorted((item for item in view.lines if item.order_line_id == bought.line_id), key=lambda item: item.item_id)
    for item in mine[:-1]:
        if item.item_id == line.item_id:
            return min(left, max(0, item.quantity - order_money.put_back(view, item.item_id)))
        left -= min(left, max(0, item.quantity - order_money.put_back(view, item.item_id)))
    return left


def of_order_line(view: ReturnView, bought: OrderLineSnapshot) -> int:
    """The same for a whole order line; what refunds for others and for no return name is theirs."""
    assert view.order is not None  # whose line it is
    elsewhere = {one.refund_id for one in view.shop_refunds if one.attribution in ("other_return", "unrelated")}
    mine = [refund for refund in view.order.refunds if refund.refund_id not in elsewhere]
    return put_back_by_others(bought, mine)


def is_shared(view: ReturnView, line: LineView) -> bool:
    """Whether another return of the order brings units of the same order line back."""
    return any(line.order_line_id == other.order_line_id for sibling in view.siblings for other in sibling.lines)
