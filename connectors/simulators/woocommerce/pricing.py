"""Prices, discounts, taxes and totals as WooCommerce computes them (per-line rounding, tax per rate unrounded)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from connectors.simulators.woocommerce.records import Item, ItemTax, Order, Refund, TaxRate

INTERNAL_DECIMALS = 6
"""WooCommerce keeps line amounts with six decimals (recording get_order_dp_6)."""

ZERO = Decimal(0)


def quantised(amount: Decimal, decimals: int) -> Decimal:
    """Rounded half up to this many decimals."""
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def taxes_of(total: Decimal, subtotal: Decimal | None, rates: Sequence[TaxRate]) -> dict[int, ItemTax]:
    """Unrounded tax per rate id."""
    return {
        rate.id: ItemTax(total=_share(total, rate), subtotal=None if subtotal is None else _share(subtotal, rate))
        for rate in rates
    }


def net_of(gross: Decimal, rates: Sequence[TaxRate]) -> Decimal:
    """A price that includes these taxes, without them, with the internal precision."""
    factor = 1 + sum((rate.rate for rate in rates), ZERO) / 100
    return quantised(gross / factor, INTERNAL_DECIMALS)


def _share(amount: Decimal, rate: TaxRate) -> Decimal:
    return quantised(amount * rate.rate / 100, INTERNAL_DECIMALS)


def split_by_value(total: Decimal, values: Sequence[Decimal], decimals: int) -> list[Decimal]:
    """Share a fixed discount over lines by their value; the last line takes what rounding leaves."""
    whole = sum(values, ZERO)
    capped = min(total, whole)
    shares = [quantised(capped * value / whole, decimals) if whole else ZERO for value in values]
    if shares:
        shares[-1] += capped - sum(shares, ZERO)
    return shares


def item_tax(item: Item, decimals: int) -> Decimal:
    """The tax of one item: the sum over its rates, rounded once."""
    return quantised(sum((tax.total for tax in item.taxes.values()), ZERO), decimals)


def item_subtotal_tax(item: Item, decimals: int) -> Decimal:
    """The tax before discounts of one item, rounded once."""
    return quantised(sum((tax.subtotal or ZERO for tax in item.taxes.values()), ZERO), decimals)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The totals of an order, rounded to the shop's decimals."""

    discount: Decimal
    discount_tax: Decimal
    shipping: Decimal
    shipping_tax: Decimal
    cart_tax: Decimal
    total_tax: Decimal
    total: Decimal


def totals_of(order: Order, decimals: int) -> Totals:
    """Totals from the items, as calculate_totals() of WooCommerce."""
    lines = order.of_kind("line")
    shipping = order.of_kind("shipping")
    net = sum((quantised(item.total, decimals) for item in order.items), ZERO)
    shipping_tax = sum((item_tax(item, decimals) for item in shipping), ZERO)
    cart_tax = sum((item_tax(item, decimals) for item in order.items if item.kind != "shipping"), ZERO)
    lost_tax = sum(((tax.subtotal or ZERO) - tax.total for line in lines for tax in line.taxes.values()), ZERO)
    return Totals(
        discount=quantised(sum((line.subtotal - line.total for line in lines), ZERO), decimals),
        discount_tax=quantised(lost_tax, decimals),
        shipping=quantised(sum((item.total for item in shipping), ZERO), decimals),
        shipping_tax=shipping_tax,
        cart_tax=cart_tax,
        total_tax=cart_tax + shipping_tax,
        total=net + cart_tax + shipping_tax,
    )


def tax_by_rate(items: Iterable[Item], decimals: int) -> dict[int, tuple[Decimal, Decimal]]:
    """Per rate id: tax of lines and fees, tax of shipping, each rounded per item."""
    found: dict[int, tuple[Decimal, Decimal]] = {}
    for item in items:
        for rate_id, tax in item.taxes.items():
            cart, shipping = found.get(rate_id, (ZERO, ZERO))
            amount = quantised(tax.total, decimals)
            found[rate_id] = (cart, shipping + amount) if item.kind == "shipping" else (cart + amount, shipping)
    return found


def refunded_sum(refunds: Iterable[Refund]) -> Decimal:
    """What these refunds give back together; a refund without amount counts nothing."""
    return sum((refund.amount or ZERO for refund in refunds), ZERO)
