"""Stories in a Shopify shop with ReBound, which tells nothing by itself: what happened is found by the next polling."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from connectors.management.demo.market_shopify import ShopifyReboundMarket
from connectors.management.demo.teller import Asked, Wanted
from connectors.management.demo.teller_shopify import ShopifyTeller
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.rebound import ReboundAccount
from connectors.simulators.shopify.records import Order

# The merchant's words for our codes (market_shopify.WORDS says what they mean); what is not here is said as it is.
REASONS: Final = {"too_small": "Too small", "faulty": "Damaged"}
DISPOSITIONS: Final = {
    "sellable": "GRADE A",
    "damaged": "BIN",
    "quarantine": "LOOK AGAIN",
    "missing": "NOT IN PARCEL",
}


@dataclass(kw_only=True)
class ShopifyReboundTeller(ShopifyTeller):
    """The platform's half. Money is no act of ReBound's: ``pay`` says what our own policy must send."""

    market: ShopifyReboundMarket

    @property
    def account(self) -> ReboundAccount:
        """The account, with its clock set to this story."""
        self.set_clock()
        return self.market.account

    def ask(self, order: Order, *wants: Wanted, **details: Any) -> Asked:
        """The customer fills in the portal and may send the goods; ``details`` are the account's."""
        asked = self.begun(order, wants or (Wanted(),))
        items = [self._item(order, want) for want in asked.wants]
        asked.id = self.account.create_return(order_reference=order.name, items=items, email=order.email, **details)
        self.expect_opened(asked)
        return asked

    def arrived(self, asked: Asked, *, days_later: float = 2.0) -> None:
        """The parcel enters the network and comes to the hub."""
        self.account.track(asked.id, "Entered Our Network")
        self.later(days_later)
        self.account.track(asked.id, "Arrived at Our Hub", city="Hubtown")

    def judge(self, asked: Asked, *dispositions: str, **verdict: Any) -> None:
        """The hub's final disposition of each item, sellable unless named."""
        names = dispositions or tuple("sellable" for _ in asked.wants)
        self.account.dispose(asked.id, *(DISPOSITIONS.get(name, name) for name in names))
        self.expect_judged(asked)
        for want, name in zip(asked.wants, names, strict=False):
            self.expect_judged_as(asked, want, name)

    def pay(
        self,
        asked: Asked,
        amount: Decimal | None = None,
        *,
        is_expected: bool = True,
        items: Sequence[int] = (),
        **how: Any,
    ) -> str:
        """Our policy's refunds: one for each item of its own, of its worth; nothing is said to anybody."""
        for at in items or range(len(asked.wants)):
            worth = self.worth(asked.order, asked.wants[at]) if amount is None else amount
            if is_expected:
                self.expect_refund(asked.order, worth)
                self.expect_settled(asked)
        return ""

    def fail_inside_200(self, path: str, *, times: int = 1) -> None:
        """The account's next answers are errors with HTTP 200, as V1 gives them."""
        body = json.dumps({"error": {"code": "internal", "message": ["Error: internal"]}})
        self.market.account.faults.script(
            Fault(
                kind=FaultKind.SERVER_ERROR,
                path_pattern=path,
                times=times,
                status=200,
                body=body,
                content_type="application/json",
            )
        )

    def _item(self, order: Order, want: Wanted) -> dict[str, Any]:
        line = self.line_of(order, want)
        said = REASONS.get(want.reason or "", want.reason)
        answer = {"action": "return", "reason": said, "wish": "Refund", "additional": {"title": None, "value": None}}
        return {
            "sku_code": line.sku,
            "sku_desc": line.title,
            "quantity": str(want.quantity),
            "price": f"{self.worth(order, Wanted(line=want.line)):.2f}",
            "reason": [answer],
        }
