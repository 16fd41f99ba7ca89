"""What an order is with the changes of an edit on it: units, discounts, tax and postage (shopify.md section 5).

As recorded: a line keeps the units first ordered and the tax of them all, what was taken away is beside it; a fixed
discount is an amount off each unit. Assumed, as the recordings' store charged no tax: lines that an edit adds are taxed
at the rates that stand on the order, and a discount lowers the tax of its line with the price.
"""

import copy
from dataclasses import dataclass
from decimal import Decimal

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.amounts import Bag
from connectors.simulators.shopify.edit_records import Edit, StagedDiscount
from connectors.simulators.shopify.order_writing import tax_on
from connectors.simulators.shopify.records import Discount, Order, OrderLine, TaxLine
from connectors.simulators.shopify.state import ShopState


@dataclass(frozen=True, kw_only=True)
class Edited:
    """An open edit with its order as it is, and as it will be (`draft`, a copy)."""

    edit: Edit
    order: Order
    draft: Order

    def line(self, line_id: int) -> OrderLine:
        """A line as it will be."""
        return next(line for line in self.draft.lines if line.id == line_id)


def edited(shop: ShopState, edit: Edit) -> Edited:
    """The order with the changes on a copy of it."""
    order = shop.orders[edit.order_id]
    draft = copy.deepcopy(order)
    apply(shop, copy.deepcopy(edit), draft)
    return Edited(edit=edit, order=order, draft=draft)


def apply(shop: ShopState, edit: Edit, order: Order) -> dict[int, int]:
    """Put the changes on an order. Units more or fewer by line id, without lines that were added."""
    changes = {line_id: _set_units(shop, order, line_id, units) for line_id, units in edit.quantities.items()}
    order.lines += edit.lines.values()
    for staged in edit.discounts.values():
        _give(order, next(line for line in order.lines if line.id == staged.line_id), staged)
    kept = [line for line in order.shipping_lines if line.id not in edit.removed_postage]
    order.shipping_lines = [*kept, *edit.postage.values()]
    return {line_id: units for line_id, units in changes.items() if units}


def is_changed(shop: ShopState, edit: Edit) -> bool:
    """Would a commit change anything? Units that were set to what they are do not count."""
    order = shop.orders[edit.order_id]
    is_other = any(
        pricing.current_quantity(shop, order, line) != edit.quantities[line.id]
        for line in order.lines
        if line.id in edit.quantities
    )
    return is_other or bool(edit.lines or edit.discounts or edit.postage or edit.removed_postage)


def _set_units(shop: ShopState, order: Order, line_id: int, units: int) -> int:
    line = next(line for line in order.lines if line.id == line_id)
    change = units - pricing.current_quantity(shop, order, line)
    if change < 0:
        line.removed -= change
    else:
        _grow(line, change)
    return change


def _grow(line: OrderLine, units: int) -> None:
    """More of the same: taxes follow, discounts stay as they were."""
    for tax in line.tax_lines:
        tax.price = tax.price.part(line.quantity + units, line.quantity)
    line.quantity += units


def _give(order: Order, line: OrderLine, staged: StagedDiscount) -> None:
    line.discounts.append(Discount(kind="line", amount=taken_off(line, staged, line.quantity)))
    for tax in line.tax_lines:
        tax.price = tax_on(order, pricing.line_total(line), tax.rate)


def taken_off(line: OrderLine, staged: StagedDiscount, units: int) -> Bag:
    """What a discount takes off so many units of its line."""
    if staged.percent:
        return line.unit_price.times(units * staged.percent / 100)
    return staged.each.times(units)


def taxes_like(order: Order, amount: Bag) -> list[TaxLine]:
    """Tax on an amount at the rates that the order's first taxed line carries; none where none is taxed."""
    rates: list[tuple[str, Decimal]] = next(
        ([(tax.title, tax.rate) for tax in line.tax_lines] for line in order.lines if line.tax_lines), []
    )
    return [TaxLine(title=title, rate=rate, price=tax_on(order, amount, rate)) for title, rate in rates]
