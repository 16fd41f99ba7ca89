"""Telling one return's story: what customers, carriers, warehouses and shop staff do, and what has to come of it.

Every act is an act in a simulated system, never a row of ours; every expectation is written down with the act that
causes it, in the figures of the shop. What a shop and what a platform does is said by the tellers of each vendor.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from connectors.management.demo.expectations import Book, ExpectedRefund, ExpectedReturn
from connectors.management.demo.markets import Market
from connectors.management.demo.places import PEOPLE, Person
from connectors.simulators.base import FaultKind

Story = Iterator[None]
"""A story is a generator; at each ``yield`` everything told so far is to come to rest first."""

AnyOrder: TypeAlias = Any
"""An order in the records of whichever shop it is; the tellers of each shop know theirs."""

ZERO = Decimal(0)
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
    order: AnyOrder
    wants: tuple[Wanted, ...]
    in_shop: ExpectedReturn | None = None

    @property
    def items(self) -> list[str]:
        """Ids of its items, in the order of ``wants``."""
        return [f"rit_{position}" for position in range(1, len(self.wants) + 1)]


@dataclass(kw_only=True)
class Teller(ABC):
    """One market, the book of expectations, and how many days ago the story is."""

    market: Market
    book: Book
    days_ago: float = 0.0

    # --- acts in the shop ---------------------------------------------------------------------------------------

    @abstractmethod
    def order(self, *lines: tuple[str, int], days_before: float = 5, **details: Any) -> AnyOrder:
        """A paid order of articles by catalogue code, placed some days before the story begins."""

    @abstractmethod
    def refund_by_hand(self, order: AnyOrder, amount: Decimal, *, reason: str) -> None:
        """Somebody refunds in the shop's admin."""

    @abstractmethod
    def spoil_refund(self, order: AnyOrder, kind: FaultKind, **how: Any) -> None:
        """The shop's next refund goes wrong."""

    @abstractmethod
    def worth(self, order: AnyOrder, want: Wanted) -> Decimal:
        """What units of a line cost the customer, tax included, by the shop's own figures."""

    @abstractmethod
    def currency_of(self, order: AnyOrder) -> str:
        """What the customer paid in."""

    @abstractmethod
    def product_id_of(self, order: AnyOrder, want: Wanted) -> int:
        """Whose stock the units of a line are."""

    # --- acts at the platform -----------------------------------------------------------------------------------

    @abstractmethod
    def ask(self, order: AnyOrder, *wants: Wanted, **details: Any) -> Asked:
        """The customer asks for a return of units of the order, and may send them."""

    @abstractmethod
    def arrived(self, asked: Asked, *, days_later: float = 2.0) -> None:
        """The parcel travels and comes in."""

    @abstractmethod
    def judge(self, asked: Asked, *dispositions: str, **verdict: Any) -> None:
        """The platform judges each item, sellable unless named; sellable units must go back into stock."""

    @abstractmethod
    def pay(self, asked: Asked, amount: Decimal | None = None, **how: Any) -> str:
        """A refund is decided: what the items are worth, unless an amount is given."""

    # --- what has to come of it ---------------------------------------------------------------------------------

    def later(self, days: float) -> None:
        """Let days of the story pass, up to the present."""
        self.days_ago = max(0.0, self.days_ago - days)

    def begun(self, order: AnyOrder, wants: Sequence[Wanted]) -> Asked:
        """One more return is told; its id is still to come."""
        self.book.returns += 1
        self.book.returns_by_market[self.code] += 1
        return Asked(id="", order=order, wants=tuple(wants))

    def expect_restock(self, asked: Asked, want: Wanted, *, units: int | None = None) -> None:
        """These units must be put back into stock, in one record."""
        count = want.quantity if units is None else units
        self.book.restocked[(self.code, self.product_id_of(asked.order, want))] += count
        self.book.restock_records[(self.code, asked.order.id)] += 1 if count > 0 else -1

    def expect_judged_as(self, asked: Asked, want: Wanted, disposition: str) -> None:
        """Sellable units go back into stock; others are set aside, where the shop has a state for them."""
        if disposition == "sellable":
            self.expect_restock(asked, want)
        elif state := self.market.states_aside.get(disposition):
            self.book.set_aside[(self.code, self.product_id_of(asked.order, want), state)] += want.quantity

    def no_restock(self, asked: Asked) -> None:
        """What was judged sellable is rightly held back: nothing must move."""
        for want in asked.wants:
            self.expect_restock(asked, want, units=-want.quantity)

    def expect_refund(self, order: AnyOrder, amount: Decimal, *, is_paid: bool = True, is_ours: bool = True) -> None:
        """A refund record of this amount must stand in the shop."""
        self.book.refunds.append(
            ExpectedRefund(
                market=self.code,
                order_id=order.id,
                amount=amount,
                currency=self.currency_of(order),
                is_paid=is_paid,
                is_ours=is_ours,
            )
        )

    def expect_opened(self, asked: Asked) -> None:
        """Where the shop keeps returns itself, one must be opened there with the units that are to come."""
        if self.market.keeps_returns:
            units = sum(want.quantity for want in asked.wants)
            asked.in_shop = ExpectedReturn(market=self.code, order_id=asked.order.id, units=units)
            self.book.shop_returns.append(asked.in_shop)

    def expect_judged(self, asked: Asked) -> None:
        """Its goods are judged."""
        if asked.in_shop is not None:
            asked.in_shop.is_judged = True

    def expect_settled(self, asked: Asked) -> None:
        """Its value goes back, or was given already."""
        if asked.in_shop is not None:
            asked.in_shop.is_settled = True

    def expect_withdrawn_return(self, asked: Asked) -> None:
        """Its goods never come."""
        if asked.in_shop is not None:
            asked.in_shop.is_withdrawn = True

    def expect_taken_out(self, asked: Asked, want: Wanted) -> None:
        """Units put back must leave the stock again; the record of the restock stays."""
        self.book.restocked[(self.code, self.product_id_of(asked.order, want))] -= want.quantity

    def expect_case(self, kind: str) -> None:
        """One open case of this kind must be there at the end."""
        self.book.cases[kind] += 1

    # --- small parts --------------------------------------------------------------------------------------------

    @property
    def code(self) -> str:
        """Of the market."""
        return self.market.place.code

    def money(self, amount: Decimal) -> Decimal:
        """In the digits of the market's currency."""
        return amount.quantize(Decimal(1).scaleb(-self.market.place.decimals), rounding=ROUND_HALF_UP)

    def set_clock(self) -> None:
        """The platform's clock is that of this story."""
        self.market.clock.behind = timedelta(days=self.days_ago)

    def next_person(self, orders: int) -> Person:
        """Customers take turns."""
        return PEOPLE[orders % len(PEOPLE)]
