"""Stories in a WooCommerce shop with Reveni."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from connectors.management.demo.market_woocommerce import WooMarket
from connectors.management.demo.teller import Wanted
from connectors.management.demo.teller_reveni import ReveniTeller
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.pricing import item_tax, quantised, totals_of
from connectors.simulators.woocommerce.records import Item, Order


@dataclass(kw_only=True)
class WooTeller(ReveniTeller):
    """The shop's half."""

    market: WooMarket

    def order(
        self,
        *lines: tuple[str, int],
        days_before: float = 5,
        gateway: str = "card",
        options: Sequence[CartLine] = (),
        **details: Any,
    ) -> Order:
        """A paid order of articles by catalogue code, placed some days before the story begins."""
        cart = [CartLine(product_id=self.market.products[code].id, quantity=count) for code, count in lines]
        person = self.next_person(len(self.market.shop.state.orders))
        customer = {"first_name": person.first, "last_name": person.last}
        return self.market.shop.place_order(
            [*cart, *options],
            payment_method=gateway,
            created_at=self.market.shop.state.now() - timedelta(days=self.days_ago + days_before),
            **{"email": person.email, "customer": customer, **details},
        )

    def refund_by_hand(self, order: Order, amount: Decimal, *, reason: str) -> None:
        """Somebody books a refund in the shop's admin; the gateway is not asked."""
        self.market.shop.staff_refund(order.id, amount, reason=reason)
        self.expect_refund(order, amount, is_paid=False, is_ours=False)

    # --- what the shop says of an order -------------------------------------------------------------------------

    def named(self, order: Order) -> Mapping[str, str]:
        """By its id."""
        return {"order_id": str(order.id), "email": order.billing.get("email", "")}

    def item(self, order: Order, want: Wanted) -> Mapping[str, Any]:
        """With the ids of line and variation."""
        line = self._line(order, want)
        product = self.market.shop.state.products[line.variation_id or line.product_id]
        parent = self.market.shop.state.products.get(line.product_id, product)
        return {
            "order_line_id": str(line.id),
            "sku": product.own_sku or parent.own_sku,
            "variant_id": str(line.variation_id or line.product_id),
            "name": line.name,
            "quantity": want.quantity,
            "reason_code": want.reason,
            "unit_price": f"{self.worth(order, Wanted(line=want.line))}",
            "total": f"{self.worth(order, want)}",
        }

    def article(self, code: str) -> tuple[int, str, str]:
        """A product's id is all there is."""
        product = self.market.products[code]
        return product.id, product.own_sku, str(product.id)

    def worth(self, order: Order, want: Wanted) -> Decimal:
        """What units of a line cost the customer, tax included, by the shop's own figures."""
        line = self._line(order, want)
        digits = self.market.place.decimals
        whole = quantised(line.total, digits) + item_tax(line, digits)
        return self.money(whole * want.quantity / line.quantity)

    def total(self, order: Order) -> Decimal:
        """What the order is worth as a whole."""
        return totals_of(order, self.market.place.decimals).total

    def worth_of(self, article: str) -> Decimal:
        """The catalogue price of an article."""
        price = self.market.products[article].regular_price
        assert price is not None
        return price

    def currency_of(self, order: Order) -> str:
        """The shop's own."""
        return self.market.place.currency

    def product_id_of(self, order: Order, want: Wanted) -> int:
        """Of the variation, where it is one."""
        bought = self._line(order, want)
        return bought.variation_id or bought.product_id

    def _line(self, order: Order, want: Wanted) -> Item:
        return order.of_kind("line")[want.line]

    # --- trouble ------------------------------------------------------------------------------------------------

    def spoil_refund(self, order: Order, kind: FaultKind, **how: Any) -> None:
        """The shop's next refund for this order goes wrong, or its next restock, which is one too."""
        self.spoil_calls(order, kind, **how)

    def spoil_calls(
        self, order: Order, kind: FaultKind, *, path: str = "/refunds$", method: str = "POST", **how: Any
    ) -> None:
        """The shop's next calls for this order go wrong."""
        pattern = rf"/orders/{order.id}{path}"
        self.market.shop.faults.script(Fault(kind=kind, method=method, path_pattern=pattern, **how))

    def spoil_shop(self, kind: FaultKind, *, path: str, method: str = "POST", **how: Any) -> None:
        """The shop's next call of this kind goes wrong, for whatever order."""
        self.market.shop.faults.script(Fault(kind=kind, method=method, path_pattern=path, **how))
