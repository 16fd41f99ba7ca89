"""Telling one return's story: what customers, carriers, warehouses and shop staff do, and what has to come of it.

Every act is an act in a simulated system, never a row of ours; every expectation is written down with the act that
causes it, in the figures of the shop.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.management.demo.expectations import Book, ExpectedCredit, ExpectedExchange, ExpectedRefund
from connectors.management.demo.markets import Market
from connectors.simulators.base import Fault, FaultKind, WebhookFault, WebhookFaultKind
from connectors.simulators.reveni import ReveniPlatform
from connectors.simulators.reveni_webhooks import DeliveryFault, DeliveryFaultKind
from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.pricing import ZERO, item_tax, quantised, totals_of
from connectors.simulators.woocommerce.records import Item, Order, Product
from returnsops import states

Story = Iterator[None]
"""A story is a generator; at each ``yield`` everything told so far is to come to rest first."""

BY_SHOP = "commerce_platform"
BY_PLATFORM = "returns_platform"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Units of one line of an order that are to come back."""

    line: int = 0
    quantity: int = 1
    reason: str | None = "too_small"


@dataclass(kw_only=True)
class Asked:
    """A return as its teller knows it."""

    id: str
    order: Order
    wants: tuple[Wanted, ...]

    @property
    def items(self) -> list[str]:
        """Ids of its items, in the order of ``wants``."""
        return [f"rit_{position}" for position in range(1, len(self.wants) + 1)]


@dataclass(kw_only=True)
class Teller:
    """One market, the book of expectations, and how many days ago the story is."""

    market: Market
    book: Book
    days_ago: float = 0.0
    told: list[Asked] = field(default_factory=list)

    # --- the customer -----------------------------------------------------------------------------------------

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
        person = PEOPLE[len(self.market.shop.state.orders) % len(PEOPLE)]
        return self.market.shop.place_order(
            [*cart, *options],
            payment_method=gateway,
            created_at=self.market.shop.state.now() - timedelta(days=self.days_ago + days_before),
            **{**person, **details},
        )

    def ask(self, order: Order, *wants: Wanted, is_authorised: bool = True, **details: Any) -> Asked:
        """The customer asks for a return of units of the order; the platform authorises it."""
        wanted = wants or (Wanted(),)
        asked = Asked(id="", order=order, wants=wanted)
        items = [{**self._item(order, want), **details.pop("item", {})} for want in wanted]
        asked.id = self._platform.create_return(
            order_id=str(order.id),
            items=items,
            currency=self.market.place.currency,
            email=order.billing.get("email", ""),
            **details,
        )
        self.book.returns += 1
        self.told.append(asked)
        if is_authorised:
            self._platform.authorise(asked.id)
        return asked

    def arrived(self, asked: Asked, *, days_later: float = 2.0) -> None:
        """The parcel travels and comes in."""
        self._platform.in_transit(asked.id)
        self.later(days_later / 2)
        self._platform.delivered(asked.id)
        self.later(days_later / 2)
        self._platform.receive(asked.id)

    def later(self, days: float) -> None:
        """Let days of the story pass, up to the present."""
        self.days_ago = max(0.0, self.days_ago - days)

    # --- the verdict ------------------------------------------------------------------------------------------

    def judge(self, asked: Asked, *dispositions: str, is_complete: bool = True, **verdict: Any) -> None:
        """The platform judges each item, sellable unless named; sellable units must go back into stock."""
        names = dispositions or tuple("sellable" for _ in asked.wants)
        verdicts = [
            {"item_id": item, "quantity": want.quantity, "disposition": name, **verdict}
            for item, want, name in zip(asked.items, asked.wants, names, strict=False)
        ]
        act = self._platform.complete_inspection if is_complete else self._platform.inspect
        act(asked.id, verdicts)
        for want, name in zip(asked.wants, names, strict=False):
            if name == "sellable" and verdict.get("outcome", "accepted") == "accepted":
                self.expect_restock(asked, want)

    def expect_restock(self, asked: Asked, want: Wanted, *, units: int | None = None) -> None:
        """These units must be put back into stock, in one record."""
        bought = self._line(asked.order, want)
        product_id = bought.variation_id or bought.product_id
        count = want.quantity if units is None else units
        self.book.restocked[(self.market.place.code, product_id)] += count
        self.book.restock_records[(self.market.place.code, asked.order.id)] += 1 if count > 0 else -1

    def no_restock(self, asked: Asked) -> None:
        """What was judged sellable is rightly held back: nothing must move."""
        for want in asked.wants:
            self.expect_restock(asked, want, units=-want.quantity)

    # --- money ------------------------------------------------------------------------------------------------

    def pay(
        self,
        asked: Asked,
        amount: Decimal | None = None,
        *,
        is_expected: bool = True,
        items: Sequence[int] = (),
        **how: Any,
    ) -> str:
        """The platform decides a refund: what the items are worth, unless an amount is given."""
        positions = list(items) or list(range(len(asked.wants)))
        worth = sum((self.worth(asked.order, asked.wants[at]) for at in positions), ZERO)
        decided = self.money(worth if amount is None else amount)
        named = [{"item_id": asked.items[at], "quantity": asked.wants[at].quantity} for at in positions]
        shares = [self.worth(asked.order, asked.wants[at]) for at in positions]
        rows = [{**row, "amount": f"{share}"} for row, share in zip(named, shares, strict=True)]
        refund_id: str = self._platform.issue_refund(asked.id, amount=f"{decided}", items=rows, **how)
        if is_expected:
            self.expect_refund(asked.order, decided, is_paid=how.get("executed_by", BY_SHOP) == BY_SHOP)
        return refund_id

    def expect_refund(self, order: Order, amount: Decimal, *, is_paid: bool = True, is_ours: bool = True) -> None:
        """A refund record of this amount must stand in the shop."""
        self.book.refunds.append(
            ExpectedRefund(
                market=self.market.place.code, order_id=order.id, amount=amount, is_paid=is_paid, is_ours=is_ours
            )
        )

    def refund_by_hand(self, order: Order, amount: Decimal, *, reason: str) -> None:
        """Somebody refunds in the shop's admin."""
        self.market.shop.staff_refund(order.id, amount, reason=reason)
        self.expect_refund(order, amount, is_paid=False, is_ours=False)

    def worth(self, order: Order, want: Wanted) -> Decimal:
        """What units of a line cost the customer, tax included, by the shop's own figures."""
        line = self._line(order, want)
        digits = self.market.place.decimals
        whole = quantised(line.total, digits) + item_tax(line, digits)
        return self.money(whole * want.quantity / line.quantity)

    def total(self, order: Order) -> Decimal:
        """What the order is worth as a whole."""
        return totals_of(order, self.market.place.decimals).total

    def money(self, amount: Decimal) -> Decimal:
        """In the digits of the market's currency."""
        return amount.quantize(Decimal(1).scaleb(-self.market.place.decimals), rounding=ROUND_HALF_UP)

    # --- goods and credit ---------------------------------------------------------------------------------------

    def expect_exchange(self, asked: Asked, product: Product) -> None:
        """One unit of this product must be ordered for the customer, at no charge, and reserved."""
        self.book.exchanges.append(
            ExpectedExchange(
                market=self.market.place.code, order_id=asked.order.id, product_id=product.id, return_id=asked.id
            )
        )
        self.book.cases[states.CASE_PLATFORM_TO_DO] += 0 if self.market.place.is_told else 1

    def expect_withdrawn(self, asked: Asked) -> None:
        """The replacement of this return must be cancelled again."""
        (expected,) = [one for one in self.book.exchanges if one.return_id == asked.id]
        expected.is_withdrawn = True
        self.book.cases[states.CASE_PLATFORM_TO_DO] -= 0 if self.market.place.is_told else 1

    def credit(self, asked: Asked, *, bonus: str = "0.00", executed_by: str = BY_SHOP, **how: Any) -> None:
        """The platform grants credit worth the first item; where the shop issues it, as one coupon."""
        worth = self.worth(asked.order, asked.wants[0])
        self._platform.issue_credit(asked.id, amount=f"{worth}", bonus=bonus, executed_by=executed_by, **how)
        if executed_by == BY_SHOP:
            amount = worth + Decimal(bonus)
            self.book.credits.append(
                ExpectedCredit(market=self.market.place.code, order_id=asked.order.id, amount=amount)
            )

    def worth_of(self, article: str) -> Decimal:
        """The catalogue price of an article."""
        price = self.market.products[article].regular_price
        assert price is not None
        return price

    def expect_taken_out(self, asked: Asked, want: Wanted) -> None:
        """Units put back must leave the stock again; the record of the restock stays."""
        bought = self._line(asked.order, want)
        product_id = bought.variation_id or bought.product_id
        self.book.restocked[(self.market.place.code, product_id)] -= want.quantity

    # --- trouble ----------------------------------------------------------------------------------------------

    def expect_case(self, kind: str) -> None:
        """One open case of this kind must be there at the end."""
        self.book.cases[kind] += 1

    def spoil_calls(
        self, order: Order, kind: FaultKind, *, path: str = "/refunds$", method: str = "POST", **how: Any
    ) -> None:
        """The shop's next calls for this order go wrong."""
        pattern = rf"/orders/{order.id}{path}"
        self.market.shop.faults.script(Fault(kind=kind, method=method, path_pattern=pattern, **how))

    def spoil_shop(self, kind: FaultKind, *, path: str, method: str = "POST", **how: Any) -> None:
        """The shop's next call of this kind goes wrong, for whatever order."""
        self.market.shop.faults.script(Fault(kind=kind, method=method, path_pattern=path, **how))

    def spoil_webhook(self, kind: WebhookFaultKind | DeliveryFaultKind, **how: Any) -> None:
        """The platform's next message goes wrong."""
        if isinstance(kind, DeliveryFaultKind):
            self._platform.script(DeliveryFault(kind=kind, **how))
        else:
            self._platform.faults.script(WebhookFault(kind=kind, **how))

    # --- inside -----------------------------------------------------------------------------------------------

    @property
    def platform(self) -> ReveniPlatform:
        """The returns platform, with its clock set to this story."""
        return self._platform

    @property
    def _platform(self) -> ReveniPlatform:
        self.market.clock.behind = timedelta(days=self.days_ago)
        return self.market.platform

    def _line(self, order: Order, want: Wanted) -> Item:
        return order.of_kind("line")[want.line]

    def _item(self, order: Order, want: Wanted) -> Mapping[str, Any]:
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


PEOPLE = tuple(
    {"email": f"{first.lower()}@example.test", "customer": {"first_name": first, "last_name": last}}
    for first, last in (
        ("Ana", "Ruiz"),
        ("Kenji", "Mori"),
        ("Noor", "Saleh"),
        ("Marta", "Vidal"),
        ("Jonas", "Weber"),
        ("Yuki", "Tanaka"),
        ("Lea", "Martin"),
        ("Omar", "Haddad"),
    )
)
