"""Making and changing orders: what a checkout, the REST API and a person in the shop's admin have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.simulators.woocommerce import coupons_of_shop, stock
from connectors.simulators.woocommerce.pricing import (
    ZERO,
    net_of,
    quantised,
    split_by_value,
    tax_by_rate,
    taxes_of,
    totals_of,
)
from connectors.simulators.woocommerce.records import Coupon, CouponLine, Item, Meta, Order, Product, TaxRate
from connectors.simulators.woocommerce.state import ShopState

PAID_STATUSES = ("processing", "completed")
PAYABLE_STATUSES = ("pending", "on-hold", "failed", "cancelled")
ADDRESS_FIELDS = [
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "state",
    "postcode",
    "country",
    "email",
    "phone",
]


@dataclass(frozen=True, kw_only=True)
class CartLine:
    """One line to buy. Without `total` the catalogue price counts; `discount` comes off it, net of tax."""

    product_id: int = 0
    variation_id: int = 0
    quantity: int = 1
    subtotal: Decimal | None = None
    total: Decimal | None = None
    discount: Decimal = ZERO
    name: str = ""


def new_order(shop: ShopState, **fields: Any) -> Order:
    """An empty order in the shop's tables; `fields` are fields of Order."""
    order_id = shop.next_id("post")
    order = Order(
        id=order_id,
        currency=fields.pop("currency", "") or shop.settings.currency,
        order_key=f"wc_order_{order_id:013d}",
        created_at=shop.now(),
        modified_at=shop.now(),
        is_tax_included=shop.settings.is_tax_included,
        status=fields.pop("status", "pending"),
        **fields,
    )
    shop.orders[order_id] = order
    return order


def address(given: Mapping[str, Any], *, has_email: bool) -> dict[str, str]:
    """A complete address; shipping addresses carry no e-mail."""
    names = [name for name in ADDRESS_FIELDS if has_email or name != "email"]
    return {name: str(given.get(name, "")) for name in names}


def rates_for(shop: ShopState, order: Order, tax_class: str) -> list[TaxRate]:
    """The rates of a tax class at the order's address, which is the shop's own where none is given."""
    country = order.shipping.get("country") or order.billing.get("country") or shop.settings.base_country
    wanted = "" if tax_class == "standard" else tax_class
    return [r for r in shop.tax_rates.values() if r.tax_class == wanted and r.country in ("", country)]


def add_line(shop: ShopState, order: Order, line: CartLine, *, coupon_discount: Decimal = ZERO) -> Item:
    """Append a line. An unknown product makes a nameless line worth nothing (section 6)."""
    product = shop.products.get(line.variation_id or line.product_id)
    tax_class = product.tax_class if product else ""
    rates = rates_for(shop, order, tax_class)
    list_price = _list_price(shop, product, line.quantity)
    to_net = (lambda gross: net_of(gross, rates)) if order.is_tax_included else (lambda gross: gross)
    subtotal = line.subtotal if line.subtotal is not None else to_net(list_price)
    total = line.total if line.total is not None else to_net(list_price - coupon_discount) - line.discount
    item = Item(
        id=shop.next_id("item"),
        kind="line",
        name=line.name or (_line_name(shop, product) if product else ""),
        product_id=(product.parent_id or product.id) if product else 0,
        variation_id=product.id if product and product.parent_id else 0,
        quantity=line.quantity,
        tax_class=tax_class,
        subtotal=subtotal,
        total=total,
        taxes=taxes_of(total, subtotal, rates),
        meta=_attribute_meta(shop, product),
    )
    order.items.append(item)
    return item


def line_discounts(shop: ShopState, coupon: Coupon, lines: Sequence[CartLine]) -> list[Decimal]:
    """What a coupon takes off each line, in the terms of the catalogue price."""
    prices = [
        _list_price(shop, shop.products.get(line.variation_id or line.product_id), line.quantity) for line in lines
    ]
    if coupon.discount_type == "percent":
        return [quantised(price * coupon.amount / 100, shop.decimals) for price in prices]
    return split_by_value(coupon.amount, prices, shop.decimals)


def add_coupon_line(shop: ShopState, order: Order, coupon: Coupon) -> None:
    """Record that the order used this coupon."""
    info = f'[{coupon.id},"{coupon.code}","{coupon.discount_type}",{coupon.amount.normalize():f}]'
    order.coupons.append(
        CouponLine(
            id=shop.next_id("item"),
            coupon_id=coupon.id,
            code=coupon.code,
            discount_type=coupon.discount_type,
            nominal_amount=coupon.amount,
            meta=[Meta(id=shop.next_id("meta"), key="coupon_info", value=info)],
        )
    )


def add_shipping(shop: ShopState, order: Order, total: Decimal, *, title: str, method_id: str) -> Item:
    """Append a shipping line; only rates that apply to shipping tax it."""
    rates = [rate for rate in rates_for(shop, order, "") if rate.is_for_shipping]
    item = Item(
        id=shop.next_id("item"),
        kind="shipping",
        name=title,
        method_id=method_id,
        total=total,
        subtotal=total,
        taxes=taxes_of(total, None, rates),
    )
    order.items.append(item)
    return item


def add_fee(shop: ShopState, order: Order, name: str, total: Decimal, *, is_taxable: bool = True) -> Item:
    """Append a fee."""
    item = Item(
        id=shop.next_id("item"),
        kind="fee",
        name=name,
        total=total,
        subtotal=total,
        tax_status="taxable" if is_taxable else "none",
        taxes=taxes_of(total, None, rates_for(shop, order, "")) if is_taxable else {},
    )
    order.items.append(item)
    return item


def number_tax_lines(shop: ShopState, order: Order) -> None:
    """Give every rate in use the id of its tax line."""
    for rate_id in tax_by_rate(order.items, shop.decimals):
        if rate_id not in order.tax_line_ids:
            order.tax_line_ids[rate_id] = shop.next_id("item")


def change_status(shop: ShopState, order: Order, status: str, *, is_new: bool = False) -> bool:
    """Move an order to a status with what follows from it: dates, stock, webhook. Returns whether it changed."""
    if order.status == status and not is_new:
        return False
    order.status = status
    coupons_of_shop.count_use(shop, order)
    if status in PAID_STATUSES and order.paid_at is None:
        order.paid_at = shop.now()
    if status == "completed":
        order.completed_at = shop.now()
    if status in (*PAID_STATUSES, "on-hold"):
        stock.reduce_for_order(shop, order)
    if status == "processing" and not is_new:
        shop.add_note(order, 'Email "New order" sent.')
        shop.add_note(order, 'Email "Processing order" sent.')
    if status in ("cancelled", "pending"):
        stock.restore_for_order(shop, order)
    if not is_new:
        shop.emit("action.woocommerce_order_status_changed", order.id)
    return True


def complete_payment(shop: ShopState, order: Order) -> None:
    """set_paid: processing, or completed where nothing has to be shipped; only from a status that waits for money."""
    if order.status not in PAYABLE_STATUSES:
        return
    order.paid_at = order.paid_at or shop.now()
    shop.add_note(order, "Payment complete.")
    change_status(shop, order, "processing" if needs_processing(shop, order) else "completed")


def needs_processing(shop: ShopState, order: Order) -> bool:
    """Does anything have to be shipped? A line without product counts as nothing."""
    products = [stock.product_of(shop, item) for item in order.of_kind("line")]
    return any(product is not None and not product.is_virtual for product in products)


def needs_payment(shop: ShopState, order: Order) -> bool:
    """Does the order still wait for money?"""
    return order.status in ("pending", "failed") and totals_of(order, shop.decimals).total > 0


def _list_price(shop: ShopState, product: Product | None, quantity: int) -> Decimal:
    if product is None:
        return ZERO
    return catalogue_price(shop, product) * quantity


def catalogue_price(shop: ShopState, product: Product) -> Decimal:
    """The price of one piece; of a variable product that of its cheapest variation, as WooCommerce shows it."""
    if product.regular_price is not None:
        return product.regular_price
    children = [shop.products[child].regular_price for child in product.variation_ids if child in shop.products]
    return min((price for price in children if price is not None), default=ZERO)


def _line_name(shop: ShopState, product: Product) -> str:
    parent = shop.products.get(product.parent_id)
    return f"{parent.name} - {product.name}" if parent else product.name


def _attribute_meta(shop: ShopState, product: Product | None) -> list[Meta]:
    if product is None or not product.parent_id:
        return []
    return [
        Meta(id=shop.next_id("meta"), key=attribute["slug"], value=attribute["option"], display_key=attribute["name"])
        for attribute in product.attributes
    ]
