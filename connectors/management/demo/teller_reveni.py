"""A story as Reveni tells it, whichever shop stands behind."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.management.demo.expectations import ExpectedCredit, ExpectedExchange
from connectors.management.demo.markets import ReveniMarket
from connectors.management.demo.teller import BY_SHOP, ZERO, AnyOrder, Asked, Teller, Wanted
from connectors.simulators.base import WebhookFault, WebhookFaultKind
from connectors.simulators.reveni import ReveniPlatform
from connectors.simulators.reveni_webhooks import DeliveryFault, DeliveryFaultKind
from returnsops import states


@dataclass(kw_only=True)
class ReveniTeller(Teller):
    """The platform's half; the shop's half is its heirs'."""

    market: ReveniMarket

    # --- what a shop says of its orders -------------------------------------------------------------------------

    @abstractmethod
    def named(self, order: AnyOrder) -> Mapping[str, str]:
        """How the platform names the order, and who bought."""

    @abstractmethod
    def item(self, order: AnyOrder, want: Wanted) -> Mapping[str, Any]:
        """The units as the platform lists them."""

    @abstractmethod
    def article(self, code: str) -> tuple[int, str, str]:
        """Stock id, SKU and the id the platform knows of an article of the catalogue."""

    # --- the customer -------------------------------------------------------------------------------------------

    @property
    def platform(self) -> ReveniPlatform:
        """The returns platform, with its clock set to this story."""
        self.set_clock()
        return self.market.platform

    def ask(self, order: AnyOrder, *wants: Wanted, is_authorised: bool = True, **details: Any) -> Asked:
        """The customer asks for a return of units of the order; the platform authorises it."""
        asked = self.begun(order, wants or (Wanted(),))
        items = [{**self.item(order, want), **details.pop("item", {})} for want in asked.wants]
        given: dict[str, Any] = {**self.named(order), **details}
        asked.id = self.platform.create_return(items=items, currency=self.currency_of(order), **given)
        if is_authorised:
            self.platform.authorise(asked.id)
            self.expect_opened(asked)
        return asked

    def arrived(self, asked: Asked, *, days_later: float = 2.0) -> None:
        """The parcel travels and comes in."""
        self.platform.in_transit(asked.id)
        self.later(days_later / 2)
        self.platform.delivered(asked.id)
        self.later(days_later / 2)
        self.platform.receive(asked.id)

    # --- the verdict --------------------------------------------------------------------------------------------

    def judge(self, asked: Asked, *dispositions: str, is_complete: bool = True, **verdict: Any) -> None:
        """The platform judges each item, sellable unless named; sellable units must go back into stock."""
        names = dispositions or tuple("sellable" for _ in asked.wants)
        verdicts = [
            {"item_id": item, "quantity": want.quantity, "disposition": name, **verdict}
            for item, want, name in zip(asked.items, asked.wants, names, strict=False)
        ]
        act = self.platform.complete_inspection if is_complete else self.platform.inspect
        act(asked.id, verdicts)
        self.expect_judged(asked)
        for want, name in zip(asked.wants, names, strict=False):
            if verdict.get("outcome", "accepted") == "accepted":
                self.expect_judged_as(asked, want, name)

    # --- money --------------------------------------------------------------------------------------------------

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
        shares = [self.worth(asked.order, asked.wants[at]) for at in positions]
        decided = self.money(sum(shares, ZERO) if amount is None else amount)
        rows = [
            {"item_id": asked.items[at], "quantity": asked.wants[at].quantity, "amount": f"{share}"}
            for at, share in zip(positions, shares, strict=True)
        ]
        refund_id: str = self.platform.issue_refund(asked.id, amount=f"{decided}", items=rows, **how)
        if is_expected:
            self.expect_refund(asked.order, decided, is_paid=how.get("executed_by", BY_SHOP) == BY_SHOP)
            self.expect_settled(asked)
        return refund_id

    # --- goods and credit ---------------------------------------------------------------------------------------

    def swap(self, asked: Asked, *, article: str = "tee_l", is_placed: bool = True, **how: Any) -> str:
        """The customer wants another article of the same price; the exchange's id."""
        stock_id, sku, platform_id = self.article(article)
        line = {
            "replaces_item_id": asked.items[0],
            "sku": sku,
            "variant_id": platform_id,
            "quantity": 1,
            "unit_price": f"{self.worth(asked.order, Wanted())}",
        }
        exchange_id = self.platform.request_exchange(asked.id, lines=[line], **how)
        if is_placed:
            self.expect_exchange(asked, stock_id)
            self.expect_settled(asked)
        return exchange_id

    def expect_exchange(self, asked: Asked, product_id: int) -> None:
        """One unit of this article must be ordered for the customer, at no charge, and reserved."""
        self.book.exchanges.append(
            ExpectedExchange(market=self.code, order_id=asked.order.id, product_id=product_id, return_id=asked.id)
        )
        self.book.cases[states.CASE_PLATFORM_TO_DO] += 0 if self.market.place.is_told else 1

    def expect_withdrawn(self, asked: Asked) -> None:
        """The replacement of this return must be cancelled again."""
        (expected,) = [one for one in self.book.exchanges if one.return_id == asked.id]
        expected.is_withdrawn = True
        self.book.cases[states.CASE_PLATFORM_TO_DO] -= 0 if self.market.place.is_told else 1

    def credit(
        self, asked: Asked, *, bonus: str = "0.00", executed_by: str = BY_SHOP, is_gift_card: bool = False
    ) -> None:
        """The platform grants credit worth the first item; where the shop issues it, it must stand there once."""
        worth = self.worth(asked.order, asked.wants[0])
        self.platform.issue_credit(
            asked.id, amount=f"{worth}", bonus=bonus, executed_by=executed_by, is_gift_card=is_gift_card
        )
        self.expect_settled(asked)
        if executed_by == BY_SHOP:
            amount = worth + Decimal(bonus)
            self.book.credits.append(
                ExpectedCredit(market=self.code, order_id=asked.order.id, amount=amount, is_gift_card=is_gift_card)
            )

    # --- trouble ------------------------------------------------------------------------------------------------

    def spoil_webhook(self, kind: WebhookFaultKind | DeliveryFaultKind, **how: Any) -> None:
        """The platform's next message goes wrong."""
        if isinstance(kind, DeliveryFaultKind):
            self.platform.script(DeliveryFault(kind=kind, **how))
        else:
            self.platform.faults.script(WebhookFault(kind=kind, **how))
