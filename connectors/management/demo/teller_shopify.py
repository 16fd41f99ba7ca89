"""Stories in a Shopify shop: what happens there, with whichever returns platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from connectors.management.demo.market_shopify import ShopifyMarket, ShopifyReveniMarket
from connectors.management.demo.teller import Teller, Wanted
from connectors.management.demo.teller_reveni import ReveniTeller
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.graphql_faults import throttled
from connectors.simulators.shopify.order_writing import CartLine, Payment
from connectors.simulators.shopify.records import Order, OrderLine
from connectors.simulators.shopify.state import gid


@dataclass(kw_only=True)
class ShopifyTeller(Teller):
    """The shop's half; the platform's is its heirs'."""

    market: ShopifyMarket

    def order(
        self,
        *lines: tuple[str, int],
        days_before: float = 5,
        discount: Decimal = Decimal(0),
        is_sent: bool = True,
        **details: Any,
    ) -> Order:
        """A paid order that was sent. ``discount``: what a code takes off the first line; ``details`` are place's."""
        cart = [
            CartLine(
                variant=self.market.variants[code],
                quantity=count,
                code_discount=Decimal(0) if position else discount,
            )
            for position, (code, count) in enumerate(lines)
        ]
        at = self.market.shop.state.now() - timedelta(days=self.days_ago + days_before)
        place, customers = self.market.place, self.market.customers
        made = self.market.shop.place(
            cart,
            customer=customers[len(self.market.shop.state.orders) % len(customers)],
            tax_rate=(place.tax or Decimal(0)) / 100,
            tax_title="VAT" if place.is_tax_included else "Sales tax",
            is_fulfilled=is_sent,
            created_at=at,
            processed_at=at,
            **details,
        )
        return made

    def edit(self, order: Order, quantities: Sequence[int]) -> None:
        """Staff change the units of the lines in turn."""
        wanted = {line.id: count for line, count in zip(order.lines, quantities, strict=False)}
        self.market.shop.edit(order, quantities=wanted)

    def refund_by_hand(self, order: Order, amount: Decimal, *, reason: str) -> None:
        """Anna refunds in the shop's admin, one unit of the first line; the gateway pays."""
        self.market.shop.staff_refund(
            order, amount / order.rate, lines={order.lines[0].id: 1}, note=reason, staff=self.market.anna
        )
        self.expect_refund(order, amount, is_ours=False)

    # --- what the shop says of an order -------------------------------------------------------------------------

    def worth(self, order: Order, want: Wanted) -> Decimal:
        """What units of a line cost the customer, tax included, in what they paid in."""
        line = self.line_of(order, want)
        share = pricing.discounted_for(line, want.quantity)
        if not order.is_tax_included:
            share += pricing.line_tax(line).part(want.quantity, line.quantity)
        return share.presentment

    def currency_of(self, order: Order) -> str:
        """What the customer paid in."""
        return order.presentment_currency

    def product_id_of(self, order: Order, want: Wanted) -> int:
        """The variant."""
        return self.line_of(order, want).variant_id or 0

    def line_of(self, order: Order, want: Wanted) -> OrderLine:
        """The line that units come back of."""
        return order.lines[want.line]

    def two_tenders(self, amount: str) -> tuple[Payment, Payment]:
        """Two tenders: this much by gift card, the rest by card."""
        return Payment(gateway="gift_card", amount=Decimal(amount)), Payment()

    # --- trouble ------------------------------------------------------------------------------------------------

    def spoil_refund(self, order: Order, kind: FaultKind, **how: Any) -> None:
        """The shop's next refund goes wrong, of whatever order: one address answers for all."""
        self.spoil("RefundCreate", kind, **how)

    def spoil(self, operation: str, kind: FaultKind, **how: Any) -> None:
        """The next call of a document goes wrong."""
        self.market.shop.faults.script(Fault(kind=kind, method="POST", path_pattern=f"#{operation}$", **how))

    def throttle(self, operation: str) -> None:
        """The next call of a document is answered THROTTLED, inside a 200."""
        self.market.shop.faults.script(throttled(operation))


@dataclass(kw_only=True)
class ShopifyReveniTeller(ShopifyTeller, ReveniTeller):
    """With Reveni."""

    market: ShopifyReveniMarket

    def named(self, order: Order) -> Mapping[str, str]:
        """By its global id."""
        return {"order_id": gid("Order", order.id), "order_number": order.name, "email": order.email}

    def item(self, order: Order, want: Wanted) -> Mapping[str, Any]:
        """With the ids of line and variant."""
        line = self.line_of(order, want)
        return {
            "order_line_id": gid("LineItem", line.id),
            "sku": line.sku,
            "variant_id": gid("ProductVariant", line.variant_id or 0),
            "name": line.title,
            "quantity": want.quantity,
            "reason_code": want.reason,
            "unit_price": f"{self.worth(order, Wanted(line=want.line))}",
            "total": f"{self.worth(order, want)}",
        }

    def article(self, code: str) -> tuple[int, str, str]:
        """The variant."""
        variant = self.market.variants[code]
        return variant.id, variant.sku, gid("ProductVariant", variant.id)
