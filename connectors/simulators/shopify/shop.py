"""`ShopifyShop`: one simulated Shopify shop, to be served or mounted, with what tests and the demo do in it by hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

from connectors.simulators.base import CallLog, Clock, FaultPlan, Simulator
from connectors.simulators.shopify import (
    crediting,
    deliveries,
    edit_committing,
    edit_steps,
    inventory,
    order_cancelling,
    order_writing,
    pricing,
    refunding,
)
from connectors.simulators.shopify import return_mutations as returning
from connectors.simulators.shopify.after_sales_records import CreditAccount, GiftCard, ReasonDefinition, Return
from connectors.simulators.shopify.amounts import converted
from connectors.simulators.shopify.app import ORDERS, ShopifyApp
from connectors.simulators.shopify.bucket import Bucket
from connectors.simulators.shopify.graphql_faults import operation_path
from connectors.simulators.shopify.order_writing import CartLine, Payment
from connectors.simulators.shopify.payloads import tell_order, tell_transaction
from connectors.simulators.shopify.records import (
    Change,
    Customer,
    Fulfilment,
    Location,
    Order,
    Product,
    Refund,
    Staff,
    Transaction,
    Variant,
)
from connectors.simulators.shopify.state import ShopSettings, ShopState, gid
from connectors.simulators.shopify.suggesting import Wanted
from connectors.simulators.webhooks import WebhookSender

STATIC_TOKEN = "shpat_simulated"  # noqa: S105 - of a simulator
_REASONS = (
    ("too-small", "Too small"),
    ("too-large", "Too large"),
    ("defective", "Damaged or defective"),
    ("wrong-item", "Received the wrong item"),
    ("other-reason", "Other"),
)


def quarter_after(version: str) -> str:
    """The version that comes out three months after this one ("2026-10" → "2027-01")."""
    months = int(version[:4]) * 12 + int(version[5:]) - 1 + 3
    return f"{months // 12}-{months % 12 + 1:02}"


class ShopifyShop:
    """A shop. `app` is the WSGI app with faults and call log; `faults`, `calls`, `webhooks`, `bucket` are its parts."""

    def __init__(
        self, *, clock: Clock, settings: ShopSettings | None = None, session: requests.Session | None = None
    ) -> None:
        wanted = settings or ShopSettings()
        self.faults = FaultPlan()
        self.calls = CallLog()
        self.webhooks = WebhookSender(clock=clock, faults=self.faults, session=session or requests.Session())
        self.bucket = Bucket(clock=clock, size=wanted.bucket_size, restore_rate=wanted.restore_rate)
        self.state = ShopState(settings=wanted, clock=clock, sender=self.webhooks, bucket=self.bucket)
        self.state.access.tokens[STATIC_TOKEN] = None
        self.state.emit = lambda topic, body, event_id: deliveries.enqueue(self.state, topic, body, event_id)
        for handle, name in _REASONS:
            definition = ReasonDefinition(id=self.state.next_id("ReturnReasonDefinition"), handle=handle, name=name)
            self.state.definitions[definition.id] = definition
        app = ShopifyApp(shop=self.state, page_source=self.calls.all)
        self.app = Simulator(
            app=app,
            clock=clock,
            faults=self.faults,
            calls=self.calls,
            exempt_prefixes=(ORDERS,),
            named=operation_path,
        )

    @property
    def settings(self) -> ShopSettings:
        """The merchant's settings, changeable at any time."""
        return self.state.settings

    @property
    def throttled(self) -> int:
        """Calls the bucket refused."""
        return self.bucket.throttled

    def add_token(self, token: str = STATIC_TOKEN, *, ends_at: datetime | None = None) -> str:
        """A token of a custom app; without end it lives for ever."""
        self.state.access.tokens[token] = ends_at
        return token

    def revoke_tokens(self) -> None:
        """Every token given out ends now: the next call is answered 401."""
        self.state.access.tokens.clear()

    def remove_scope(self, scope: str) -> None:
        """Somebody takes a scope away from the app."""
        self.state.access.scopes.remove(scope)

    def refuse(self, status: int = 0) -> None:
        """The shop is frozen (402), forbidden (403) or locked (423); 0 opens it again."""
        self.state.access.refusal = status

    def retire_version(self, version: str) -> None:
        """A year has passed: this version and those before it are gone, and calls to them fall forward."""
        kept = [one for one in self.settings.supported_versions if one > version]
        self.settings.supported_versions = tuple(kept) or (quarter_after(version),)

    def add_location(self, name: str, **details: Any) -> Location:
        """A place that holds stock."""
        location = Location(id=self.state.next_id("Location"), name=name, **details)
        self.state.locations[location.id] = location
        return location

    def deactivate_location(self, location_id: int) -> None:
        """Somebody closes a location."""
        self.state.locations[location_id].is_active = False

    def add_product(
        self,
        title: str,
        *,
        sku: str,
        price: Decimal,
        variant: str = "Default Title",
        stock: Mapping[int, int] | None = None,
        is_tracked: bool = True,
        is_shipped: bool = True,
        barcode: str = "",
    ) -> Variant:
        """A product with one variant; `stock` is what is available by location id."""
        with self.state.lock:
            product = Product(id=self.state.next_id("Product"), title=title)
            self.state.products[product.id] = product
            return self.add_variant(
                product, sku=sku, price=price, title=variant, stock=stock, is_tracked=is_tracked,
                is_shipped=is_shipped, barcode=barcode,
            )  # fmt: skip

    def add_variant(
        self,
        product: Product,
        *,
        sku: str,
        price: Decimal,
        title: str,
        stock: Mapping[int, int] | None = None,
        **details: Any,
    ) -> Variant:
        """One more variant of a product; `details` are fields of Variant."""
        variant = Variant(
            id=self.state.next_id("ProductVariant"),
            item_id=self.state.next_id("InventoryItem"),
            product_id=product.id,
            title=title,
            sku=sku,
            price=price,
            **details,
        )
        self.state.variants[variant.id] = variant
        self.state.variant_of_item[variant.item_id] = variant.id
        for location_id, available in (stock or {}).items():
            inventory.stock_at(self.state, variant.item_id, location_id, available=available)
        return variant

    def delete_product(self, product_id: int) -> None:
        """Somebody deletes a product: its variants, items and stock are gone, lines keep their text."""
        with self.state.lock:
            for variant in [v for v in self.state.variants.values() if v.product_id == product_id]:
                del self.state.variants[variant.id], self.state.variant_of_item[variant.item_id]
                for place in [place for place in self.state.levels if place[0] == variant.item_id]:
                    del self.state.levels[place]
            del self.state.products[product_id]

    def add_customer(self, email: str = "ada@example.test", *, name: str = "Ada Example") -> Customer:
        """A customer."""
        now = self.state.now()
        customer = Customer(id=self.state.next_id("Customer"), email=email, name=name, created_at=now, updated_at=now)
        self.state.customers[customer.id] = customer
        return customer

    def add_staff(self, name: str, *, email: str) -> Staff:
        """Somebody who works in the shop's admin."""
        staff = Staff(id=self.state.next_id("StaffMember"), name=name, email=email)
        self.state.staff[staff.id] = staff
        return staff

    def set_gateway(self, gateway: str, outcome: str) -> None:
        """What becomes of refunds over a gateway: SUCCESS (the default), PENDING or FAILURE."""
        self.state.gateways[gateway] = outcome

    def place(
        self,
        lines: Sequence[CartLine],
        *,
        payments: Sequence[Payment] = (Payment(),),
        customer: Customer | None = None,
        shipping: Decimal | None = None,
        tax_rate: Decimal = Decimal("0.2"),
        tax_title: str = "VAT",
        tip: Decimal = Decimal(0),
        is_fulfilled: bool = False,
        location: Location | None = None,
        **fields: Any,
    ) -> Order:
        """A customer's order, paid and with its stock claimed; `fields` are fields of Order."""
        shop = self.state
        with shop.lock:
            order = order_writing.new_order(shop, **fields)
            if customer is not None:
                order.customer_id, order.email = customer.id, customer.email
            for cart in lines:
                order_writing.add_cart_line(shop, order, cart, tax_rate=tax_rate, tax_title=tax_title)
            if shipping is not None:
                order_writing.add_postage(
                    shop, order, shipping, title="Standard", tax_rate=tax_rate, tax_title=tax_title
                )
            order.tip = converted(tip, order.rate)
            for line in order.lines:
                order_writing.claim(shop, line)
            order_writing.pay(shop, order, payments)
            order_writing.finish(shop, order)
            if is_fulfilled:
                order_writing.fulfil(shop, order, location_id=None if location is None else location.id)
            return order

    def pay(self, order: Order, payment: Payment) -> Transaction:
        """A payment that comes later; without an amount it is the order's whole price."""
        with self.state.lock:
            taken = order_writing.pay(self.state, order, [payment])[0]
            tell_transaction(self.state, taken)
            tell_order(self.state, order)
            return taken

    def fulfil(self, order: Order, *, quantities: Mapping[int, int] | None = None, **details: Any) -> Fulfilment:
        """Send units by line id, or all that wait; `details`: location_id, tracking_number, tracking_company."""
        with self.state.lock:
            return order_writing.fulfil(self.state, order, quantities=quantities, **details)

    def edit(self, order: Order, *, quantities: Mapping[int, int] | None = None, add: Sequence[Variant] = ()) -> Order:
        """Staff edit an order: units by line id (0 removes the line, restocked), one unit of each variant to add."""
        shop = self.state
        with shop.lock:
            opened = edit_steps.begin(shop, {"id": gid("Order", order.id)})
            edit = {"id": opened["orderEditSession"]["id"]}
            for line_id, units in (quantities or {}).items():
                line = {"lineItemId": gid("CalculatedLineItem", line_id), "quantity": units, "restock": True}
                edit_steps.set_quantity(shop, edit | line)
            for variant in add:
                wanted = {"variantId": gid("ProductVariant", variant.id), "quantity": 1, "allowDuplicates": True}
                edit_steps.add_variant(shop, edit | wanted)
            edit_committing.commit(shop, edit)
            return order

    def staff_refund(
        self,
        order: Order,
        amount: Decimal,
        *,
        lines: Mapping[int, int] | None = None,
        restock_type: str = "NO_RESTOCK",
        shipping: Decimal = Decimal(0),
        duties: Mapping[int, Decimal] | None = None,
        note: str = "",
        staff: Staff | None = None,
        parent: Transaction | None = None,
    ) -> Refund:
        """Somebody refunds by hand in the admin: units by line id, duties by theirs, over one payment."""
        shop = self.state
        with shop.lock:
            wanted = [
                Wanted(line=line, quantity=(lines or {})[line.id], restock_type=restock_type)
                for line in order.lines
                if (lines or {}).get(line.id)
            ]
            plan = refunding.Plan(
                order=order, note=note, wanted=wanted, shipping=converted(shipping, order.rate),
                duties=[(number, converted(part, order.rate)) for number, part in (duties or {}).items()],
                staff_id=None if staff is None else staff.id,
            )  # fmt: skip
            if amount:
                source = parent or order_writing.sale_of(order)
                plan.paybacks.append(refunding.Payback(parent=source, amount=converted(amount, order.rate)))
            refunding.check_net_payment(order, plan)
            return refunding.make_refund(shop, plan)

    def settle(self, transaction: Transaction, status: str = "SUCCESS", *, error_code: str | None = None) -> None:
        """The gateway answers for a pending transaction: SUCCESS, or FAILURE with a code."""
        with self.state.lock:
            code = error_code or (None if status == "SUCCESS" else "GENERIC_ERROR")
            refunding.settle_transaction(self.state, transaction, status, code)

    def staff_adjust(
        self,
        variant: Variant,
        location: Location,
        *,
        delta: int,
        name: str = "available",
        reason: str = "correction",
        staff: Staff | None = None,
    ) -> None:
        """Somebody counts or restocks by hand in the admin."""
        with self.state.lock:
            change = Change(name=name, delta=delta, item_id=variant.item_id, location_id=location.id)
            inventory.record(self.state, [change], reason=reason, staff_id=None if staff is None else staff.id)

    def cancel(self, order: Order, *, reason: str = "CUSTOMER") -> None:
        """Staff cancel an order, without a refund: and put back what was not sent."""
        with self.state.lock:
            order_cancelling.cancel(self.state, order, reason=reason, is_restocked=True)

    def close_return(self, found: Return) -> None:
        """Staff close a return by hand."""
        with self.state.lock:
            returning.close(self.state, found)

    def stock_of(self, variant: Variant, location: Location, name: str = "available") -> int:
        """A quantity by its state; `on_hand` is the sum."""
        level = self.state.levels[variant.item_id, location.id]
        return level.on_hand if name == "on_hand" else level.quantities[name]

    def refunds_of(self, order: Order) -> list[Refund]:
        """The refund records of an order, oldest first."""
        return self.state.refunds_of(order.id)

    def refunded_total(self, order: Order) -> Decimal:
        """Money that really went back, in shop currency: more than once for one return is a double refund."""
        return pricing.refunded(order).shop

    def credit_of(self, customer: Customer, currency: str = "") -> Decimal:
        """Store credit a customer may spend."""
        account = crediting.account_of(self.state, customer.id, currency or self.settings.currency)
        return Decimal(0) if account is None else account.balance

    def credit_accounts(self) -> list[CreditAccount]:
        """Every store credit account with its movements."""
        return list(self.state.accounts.values())

    def gift_cards(self) -> list[GiftCard]:
        """Every gift card, with its code."""
        return list(self.state.gift_cards.values())

    def spend_credit(self, customer: Customer, amount: Decimal, *, currency: str = "") -> None:
        """A customer pays with store credit."""
        with self.state.lock:
            crediting.credit_customer(
                self.state, customer_id=customer.id, currency=currency or self.settings.currency,
                amount=-amount, event="ORDER_PAYMENT",
            )  # fmt: skip
