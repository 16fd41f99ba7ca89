"""`WooShop`: one simulated WooCommerce shop, to be served or mounted, with what tests and the demo do in it by hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

from connectors.simulators.base import CallLog, Clock, FaultPlan, Simulator
from connectors.simulators.webhooks import WebhookSender
from connectors.simulators.woocommerce import catalogue, coupons_of_shop, deliveries, order_endpoints, screens, stock
from connectors.simulators.woocommerce import order_writing as writing
from connectors.simulators.woocommerce.app import WooApp
from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.pricing import refunded_sum, taxes_of
from connectors.simulators.woocommerce.records import (
    ApiKey,
    Coupon,
    Gateway,
    Item,
    Order,
    Payout,
    Product,
    Refund,
    TaxRate,
)
from connectors.simulators.woocommerce.refund_writing import RefundLine, RefundRequest, create_refund, delete_refund
from connectors.simulators.woocommerce.state import ShopSettings, ShopState, meta_value

_BUILT_IN_GATEWAYS = (("bacs", "Bank transfer"), ("cheque", "Check payments"), ("cod", "Cash on delivery"))
_CUSTOMER = {
    "first_name": "Ana",
    "last_name": "Ruiz",
    "address_1": "Calle Mayor 1",
    "city": "Madrid",
    "postcode": "28013",
    "country": "ES",
}


class WooShop:
    """A shop. `app` is the WSGI app with faults and call log; `faults`, `calls` and `webhooks` are its parts."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: ShopSettings | None = None,
        session: requests.Session | None = None,
        auth_clock: Clock | None = None,
    ) -> None:
        self.faults = FaultPlan()
        self.calls = CallLog()
        self.webhooks = WebhookSender(clock=clock, faults=self.faults, session=session or requests.Session())
        self.state = ShopState(settings=settings or ShopSettings(), clock=clock, sender=self.webhooks)
        if auth_clock is not None:
            self.state.auth_clock = auth_clock
        self.state.emit = lambda topic, resource_id: deliveries.enqueue(self.state, topic, resource_id)
        for gateway_id, title in _BUILT_IN_GATEWAYS:
            self.add_gateway(gateway_id, title=title, is_refund_supported=False)
        woo = WooApp(shop=self.state, page_source=self.calls.all)
        self.app = Simulator(
            app=woo, clock=clock, faults=self.faults, calls=self.calls, exempt_prefixes=(screens.FOLDER,)
        )

    @property
    def settings(self) -> ShopSettings:
        """The merchant's settings, changeable at any time."""
        return self.state.settings

    @property
    def gateway_payouts(self) -> list[Payout]:
        """Every payment a gateway made to a customer: two for one return are a double payout."""
        return self.state.payouts

    def add_key(self, consumer_key: str, consumer_secret: str, *, permissions: str = "read_write") -> ApiKey:
        """Give out REST credentials."""
        key = ApiKey(consumer_key=consumer_key, consumer_secret=consumer_secret, permissions=permissions)
        self.state.keys.append(key)
        return key

    def add_gateway(self, id: str, *, title: str = "", is_refund_supported: bool = True, failure: str = "") -> Gateway:
        """Install a payment gateway, or replace its double; `failure` as in records.Gateway."""
        gateway = Gateway(id=id, title=title or id, is_refund_supported=is_refund_supported, failure=failure)
        self.state.gateways[id] = gateway
        return gateway

    def add_tax_rate(
        self, rate: Decimal, *, name: str, country: str = "", tax_class: str = "", is_for_shipping: bool = True
    ) -> TaxRate:
        """A tax rate in percent; without country it counts everywhere."""
        with self.state.lock:
            return catalogue.new_tax_rate(
                self.state,
                country=country,
                rate=rate,
                name=name,
                tax_class=tax_class,
                is_for_shipping=is_for_shipping,
            )

    def add_product(self, name: str, price: Decimal | None, **details: Any) -> Product:
        """A product; `details`: sku, stock_quantity (None: not managed), tax_class, type, attributes, is_virtual."""
        with self.state.lock:
            return catalogue.new_product(self.state, name=name, price=price, **details)

    def add_variation(
        self,
        parent: Product,
        price: Decimal,
        *,
        options: Mapping[str, str],
        sku: str = "",
        stock_quantity: int | None = None,
    ) -> Product:
        """A variation; without own SKU it shows its parent's."""
        attributes = [{"name": name, "option": option} for name, option in options.items()]
        with self.state.lock:
            return catalogue.new_variation(
                self.state, parent, sku=sku, price=price, stock_quantity=stock_quantity, attributes=attributes
            )

    def add_coupon(self, code: str, amount: Decimal, *, discount_type: str = "percent") -> Coupon:
        """A coupon: percent or fixed_cart."""
        with self.state.lock:
            return coupons_of_shop.new_coupon(self.state, code=code, discount_type=discount_type, amount=amount)

    def place_order(
        self,
        lines: Sequence[CartLine],
        *,
        coupons: Sequence[Coupon] = (),
        shipping: Decimal | None = None,
        fees: Mapping[str, Decimal] | None = None,
        currency: str = "",
        is_paid: bool = True,
        payment_method: str = "bacs",
        email: str = "ana@example.test",
        customer: Mapping[str, str] | None = None,
        created_at: datetime | None = None,
        **fields: Any,
    ) -> Order:
        """A customer's order, with totals and taxes as WooCommerce computes them; `fields` are fields of Order.

        Raises WooError for a coupon that has lapsed, is used up, or is another customer's.
        """
        shop, person = self.state, {**_CUSTOMER, "email": email, **(customer or {})}
        gateway = shop.gateways.get(payment_method)
        with shop.lock:
            for coupon in coupons:
                coupons_of_shop.check_usable(shop, coupon, str(person["email"]))
            order = writing.new_order(
                shop,
                currency=currency,
                billing=writing.address(person, has_email=True),
                shipping=writing.address(person, has_email=False),
                payment_method=payment_method,
                payment_method_title=gateway.title if gateway else "",
                **{"created_via": "checkout", **fields},
            )
            order.created_at = created_at or order.created_at
            order_endpoints.fill_order(shop, order, list(lines), list(coupons))
            if shipping is not None:
                writing.add_shipping(shop, order, shipping, title="Flat rate", method_id="flat_rate")
            for name, total in (fees or {}).items():
                writing.add_fee(shop, order, name, total)
            order_endpoints.finish_order(shop, order, list(coupons), status="pending", is_paid=is_paid)
            return order

    def edit_order(
        self, order_id: int, *, quantities: Mapping[int, int] | None = None, add: Sequence[CartLine] = ()
    ) -> Order:
        """Staff edit an order: quantity by line id (0 removes it), lines to add; stock and totals follow."""
        shop = self.state
        with shop.lock:
            order = shop.orders[order_id]
            for line_id, quantity in (quantities or {}).items():
                self._set_quantity(order, line_id, quantity)
            for line in add:
                item = writing.add_line(shop, order, line)
                if order.is_stock_reduced:
                    self._move_reduced(item, item.quantity)
            writing.number_tax_lines(shop, order)
            shop.touch(order)
            return order

    def staff_refund(
        self,
        order_id: int,
        amount: Decimal,
        *,
        lines: Sequence[RefundLine] = (),
        reason: str = "",
        is_restocked: bool = False,
        is_gateway_called: bool = False,
    ) -> Refund:
        """Someone refunds by hand in the shop's admin. Raises WooError where the shop would refuse."""
        request = RefundRequest(
            amount=amount,
            lines=tuple(lines),
            reason=reason,
            is_restocked=is_restocked,
            is_gateway_called=is_gateway_called,
        )
        return create_refund(self.state, self.state.orders[order_id], request)

    def delete_refund(self, refund_id: int) -> None:
        """Someone deletes a refund record: no webhook, no date moves."""
        with self.state.lock:
            delete_refund(self.state, self.state.refunds[refund_id])

    def set_status(self, order_id: int, status: str) -> Order:
        """Someone changes the status by hand."""
        with self.state.lock:
            order = self.state.orders[order_id]
            self.state.touch(order)
            writing.change_status(self.state, order, status)
            return order

    def trash(self, order_id: int) -> None:
        """Someone moves the order to the trash."""
        with self.state.lock:
            order_endpoints.trash_order(self.state, self.state.orders[order_id])

    def delete_product(self, product_id: int) -> None:
        """Someone deletes a product for good."""
        with self.state.lock:
            catalogue.remove_product(self.state, self.state.products[product_id])

    def fail_payout_later(self, refund_id: int) -> None:
        """The bank sends a payout back after the gateway had reported success; WooCommerce does not notice."""
        for payout in self.state.payouts:
            if payout.refund_id == refund_id:
                payout.has_failed_later = True

    def stock_of(self, product_id: int, variation_id: int = 0) -> int | None:
        """The stock figure that counts, None where nobody manages stock."""
        holder = stock.stock_holder(self.state, self.state.products[variation_id or product_id])
        return holder.stock_quantity if holder is not None and holder.is_stock_managed else None

    def refunds_of(self, order_id: int) -> list[Refund]:
        """The refund records of an order, newest first."""
        return self.state.refunds_of(order_id)

    def refunded_total(self, order_id: int) -> Decimal:
        """What the refund records of an order give back together."""
        return refunded_sum(self.state.refunds_of(order_id))

    def _set_quantity(self, order: Order, line_id: int, quantity: int) -> None:
        item = next(item for item in order.of_kind("line") if item.id == line_id)
        factor = Decimal(quantity) / item.quantity
        if order.is_stock_reduced:
            self._move_reduced(item, quantity - item.quantity)
        item.subtotal, item.total, item.quantity = item.subtotal * factor, item.total * factor, quantity
        item.taxes = taxes_of(item.total, item.subtotal, writing.rates_for(self.state, order, item.tax_class))
        if quantity == 0:
            order.items.remove(item)

    def _move_reduced(self, item: Item, difference: int) -> None:
        holder = stock.stock_holder(self.state, stock.product_of(self.state, item))
        if holder is None or not holder.is_stock_managed:
            return
        stock.move_stock(self.state, holder, -difference)
        held = int(meta_value(item.meta, stock.REDUCED) or 0)
        self.state.set_meta(item.meta, stock.REDUCED, str(held + difference))
