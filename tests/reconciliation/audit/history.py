"""The past of a shop and its platform, played in both simulators with nobody in between, and what is wrong in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

from connectors.simulators.woocommerce.records import Order, Product, Refund
from connectors.simulators.woocommerce.refund_writing import RefundLine
from reconciliation.audit import gaps, reading
from returnsops.models import Connection
from tests.journeys.world import World, world

PRICES = {"EUR": Decimal("30.00"), "JPY": Decimal("3000"), "KWD": Decimal("30.125")}
STEPS = {"EUR": Decimal("4.95"), "JPY": Decimal("495"), "KWD": Decimal("4.955")}
DECIMALS = {"EUR": 2, "JPY": 0, "KWD": 3}
NOBODY = "WordPress user 1"

Expected = tuple[str, str, str, Decimal | None, int | None]  # cause, order, return, amount, units


@dataclass(kw_only=True)
class History:
    """Acts in both systems, an hour apart, and the list of what an audit has to find."""

    w: World
    currency: str = "EUR"
    planted: list[Expected] = field(default_factory=list)
    healthy: int = 0
    numbers: int = 0

    @property
    def price(self) -> Decimal:
        """Of one unit."""
        return PRICES[self.currency]

    @property
    def step(self) -> Decimal:
        """Shipping, goodwill, and differences."""
        return STEPS[self.currency]

    def expect(
        self,
        cause: str,
        order: Order | None = None,
        return_id: str = "",
        *,
        amount: Decimal | None = None,
        units: int | None = None,
    ) -> None:
        """The audit has to find just this."""
        self.planted.append((cause, str(order.id) if order else "", return_id, amount, units))

    def kind(self, kind: str) -> list[Expected]:
        """What was planted of one kind."""
        return [row for row in self.planted if gaps.CAUSES[row[0]].kind == kind]

    # --- the shop -------------------------------------------------------------------------------------------------

    def product(self) -> Product:
        """An article of its own per order, so that no return can be mistaken for another's."""
        self.numbers += 1
        return self.w.product(f"SKU-{self.numbers}", price=str(self.price), stock=100)

    def order(self, units: int = 2, *, lines: int = 1, shipping: bool = False) -> Order:
        """Paid by card, units of each line."""
        self.w.shift(3600)
        cart = [(self.product(), units) for _ in range(lines)]
        return self.w.order(*cart, currency=self.currency, shipping=self.step if shipping else None)

    def refund(
        self,
        order: Order,
        amount: Decimal,
        *,
        units: int = 0,
        line: int = 0,
        shipping: Decimal | None = None,
        restock: bool = False,
        gateway: bool = False,
        reason: str = "",
    ) -> Refund:
        """By hand; with units it names the line, with ``shipping`` the shipping line."""
        self.w.shift(600)
        lines = []
        if units:
            goods = amount - (shipping or 0)
            lines.append(RefundLine(item_id=order.of_kind("line")[line].id, quantity=units, total=goods))
        if shipping is not None:
            lines.append(RefundLine(item_id=order.of_kind("shipping")[0].id, total=shipping))
        return self.w.shop.staff_refund(
            order.id, amount, lines=lines, is_restocked=restock, is_gateway_called=gateway, reason=reason
        )

    def restock(self, order: Order, units: int = 1, *, line: int = 0) -> Refund:
        """A record without money that puts goods back."""
        return self.refund(order, Decimal(0), units=units, line=line, restock=True)

    # --- the platform ---------------------------------------------------------------------------------------------

    def ask(self, order: Order | None, units: int = 1, *, lines: Sequence[int] = (0,), **details: Any) -> str:
        """A return that our own application never hears of."""
        self.w.shift(600)
        items = []
        for number in lines:
            bought = order.of_kind("line")[number] if order else None
            items.append(
                {
                    "order_line_id": str(bought.id) if bought else "1",
                    "sku": f"SKU-{number}",
                    "quantity": units,
                    "unit_price": str(self.price),
                    "total": str(self.price * units),
                }
            )
        asked = {"order_id": str(order.id) if order else "", "currency": self.currency, "items": items, **details}
        return_id = self.w.platform.create_return(is_silent=True, **asked)
        self.w.platform.authorise(return_id, is_silent=True)
        return return_id

    def judge(self, return_id: str, disposition: str = "sellable", *, units: int = 1, is_final: bool = True) -> None:
        """Every item of the return alike."""
        self.w.shift(600)
        items = self.w.platform.account.returns[return_id]["items"]
        verdicts = [
            {
                "item_id": item["id"],
                "quantity": units,
                "outcome": "accepted",
                "disposition": disposition,
                "disposition_final": is_final,
            }
            for item in items
        ]
        self.w.platform.complete_inspection(return_id, verdicts, is_silent=True)

    def decide(self, return_id: str, amount: Decimal, *, by: str = "commerce_platform", **details: Any) -> str:
        """A refund of the platform, for the first item."""
        self.w.shift(600)
        item = {"item_id": self.w.item_id(return_id), "quantity": 1, "amount": str(amount)}
        given = {"amount": str(amount), "items": [item], "executed_by": by, "is_silent": True, **details}
        return self.w.platform.issue_refund(return_id, **given)

    def close(self, return_id: str) -> None:
        """Nothing more to do there."""
        self.w.shift(600)
        self.w.platform.close(return_id, is_silent=True)

    def done(self, order: Order, *, units: int = 1, by: str = "commerce_platform", close: bool = True) -> str:
        """A return as it should be: judged sellable, decided, refunded in the shop, back in stock."""
        return_id = self.ask(order, units)
        self.judge(return_id, units=units)
        self.decide(return_id, self.price * units, by=by)
        self.refund(order, self.price * units, units=units, restock=True)
        if close:
            self.close(return_id)
        return return_id

    def well(self, count: int = 1) -> None:
        """So many more healthy returns were played."""
        self.healthy += count


@contextmanager
def history(currency: str = "EUR", **settings: Any) -> Iterator[History]:
    """Both systems with an empty past; the platform's pull API is on."""
    with world(is_live=False) as w:
        w.shop.settings.currency = currency
        w.shop.settings.price_decimals = DECIMALS[currency]
        row = Connection.objects.get(name="reveni")
        row.settings = {"pull_api": True, **settings}
        row.save(update_fields=["settings"])
        with mock.patch.object(reading, "PAUSE", w.shift):
            yield History(w=w, currency=currency)


def days(count: int) -> float:
    """In seconds."""
    return timedelta(days=count).total_seconds()
