"""Labelled synthetic orders with a refund made by hand: what it really was for is known, since it was made up so.

Prices, taxes, discounts, shipping, fees, earlier refunds and open returns come from one seeded generator. Half of what
staff refund names its lines, as the shop's form does; the rest is a bare amount.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefundLine, TaxShare
from returnsops.planning.attribution import OpenReturn, Question
from returnsops.planning.view import ShopRefundView

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
DIGITS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
TRUTHS = (
    ("whole return", 36),
    ("part of a return", 16),
    ("whole return with shipping", 8),
    ("shipping", 8),
    ("goodwill, round", 8),
    ("goodwill, a share", 4),
    ("goodwill, odd", 4),
    ("other lines", 9),
    ("two returns", 4),
    ("before the return", 3),
)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A question with what really happened; ``truth`` is the return's ref, '' for none, None for more than one."""

    kind: str
    question: Question
    truth: str | None


def labelled(seed: int, count: int, *, most_lines: int = 12) -> Iterator[Labelled]:
    """That many orders, always the same for a seed."""
    for number in range(count):
        maker = _Maker(random.Random(f"{seed}:{number}"), most_lines=most_lines)  # noqa: S311 - to be the same again
        yield maker.made()


class _Maker:
    """One order being made up; amounts in minor units until the end."""

    def __init__(self, dice: random.Random, *, most_lines: int) -> None:
        self.dice = dice
        self.currency = dice.choices(["EUR", "USD", "JPY", "KWD"], [5, 2, 2, 1])[0]
        self.digits = DIGITS[self.currency]
        rate = dice.choice([0, 10, 20, 21])
        discount = dice.choice([0, 0, 0, 10, 15, 20])
        self.lines = [self._item(str(10 + n), rate, discount) for n in range(dice.randint(1, most_lines))]
        if dice.random() < 0.7:
            self.lines.append(self._extra("90", "shipping", rate))
        if dice.random() < 0.15:
            self.lines.append(self._extra("95", "fee", rate))
        self.taken = tuple(self._earlier())

    def made(self) -> Labelled:
        """The order, its returns, and a refund by hand of one of the kinds."""
        returns = self._returns()
        kind = self.dice.choices([name for name, _ in TRUTHS], [weight for _, weight in TRUTHS])[0]
        kind, lines, minor, truth, is_before = self._refund(kind, returns)
        is_named = bool(lines) and self.dice.random() < 0.5
        refund = ShopRefundView(
            refund_id="900",
            amount=self._money(minor),
            currency=self.currency,
            refunded_at=NOW - timedelta(days=9 if is_before else 1),
            attribution="unattributed",
            lines=tuple(lines) if is_named else (),
        )
        question = Question(order=self._order(), refund=refund, taken=self.taken, returns=tuple(returns))
        return Labelled(kind=kind, question=question, truth=truth)

    # --- the order ------------------------------------------------------------------------------------------------

    def _price(self) -> int:
        whole = self.dice.randint(3, 180)
        if not self.digits:
            return whole * 100 + self.dice.choice([0, 80, 90, self.dice.randint(0, 99)])
        cents = self.dice.choice([0, 50, 90, 95, 99, self.dice.randint(0, 99)])
        thousandths = 10 if self.digits == 3 else 1
        return (whole * 100 + cents) * thousandths

    def _item(self, line_id: str, rate: int, discount: int) -> OrderLineSnapshot:
        quantity = self.dice.choices([1, 2, 3, 4], [70, 18, 8, 4])[0]
        net = self._price() * quantity * (100 - discount) // 100
        return self._line(line_id, "item", quantity, net, rate)

    def _extra(self, line_id: str, kind: str, rate: int) -> OrderLineSnapshot:
        return self._line(line_id, kind, 1, self._price() // 12 + 1, rate)

    def _line(self, line_id: str, kind: str, quantity: int, net: int, rate: int) -> OrderLineSnapshot:
        tax = (net * rate + 50) // 100
        return OrderLineSnapshot(
            line_id=line_id,
            kind=kind,  # type: ignore[arg-type]
            name=f"{kind} {line_id}",
            quantity=quantity,
            net=self._money(net),
            taxes=(TaxShare(rate_id="1", amount=self._money(tax)),) if rate else (),
        )

    def _order(self) -> OrderSnapshot:
        return OrderSnapshot(
            order_id="500",
            number="500",
            status="processing",
            currency=self.currency,
            total=sum((line.net + sum(tax.amount for tax in line.taxes) for line in self.lines), Decimal(0)),
            lines=tuple(self.lines),
            refunds=(),
            placed_at=NOW - timedelta(days=20),
            modified_at=NOW - timedelta(days=1),
        )

    def _earlier(self) -> Iterator[RemoteRefundLine]:
        """A refund of one unit that is known already."""
        items = [line for line in self.lines if line.kind == "item" and line.quantity > 1]
        if items and self.dice.random() < 0.25:
            yield self._share(self.dice.choice(items), 1)

    def _left(self, line: OrderLineSnapshot) -> int:
        return line.quantity - sum(one.quantity for one in self.taken if one.line_id == line.line_id)

    # --- returns --------------------------------------------------------------------------------------------------

    def _returns(self) -> list[OpenReturn]:
        free = {line.line_id: self._left(line) for line in self.lines if line.kind == "item"}
        made = []
        for number in range(self.dice.choices([1, 2, 3], [70, 22, 8])[0]):
            ids = [line_id for line_id, left in free.items() if left > 0]
            if not ids:
                break
            chosen = self.dice.sample(ids, min(len(ids), self.dice.choices([1, 2, 3], [60, 30, 10])[0]))
            wanted = {line_id: self.dice.randint(1, free[line_id]) for line_id in chosen}
            for line_id, units in wanted.items():
                free[line_id] -= units
            made.append(
                OpenReturn(
                    ref=f"reveni/ret_{number}",
                    number=f"RMA-{number}",
                    wanted=tuple(sorted(wanted.items())),
                    lines=frozenset(wanted),
                    requested_at=NOW - timedelta(days=4),
                )
            )
        return made

    # --- the refund by hand ---------------------------------------------------------------------------------------

    def _refund(
        self, kind: str, returns: Sequence[OpenReturn]
    ) -> tuple[str, list[RemoteRefundLine], int, str | None, bool]:
        chosen = self.dice.choice(returns)
        shipping = [line for line in self.lines if line.kind == "shipping"]
        touched = {line_id for other in returns for line_id in other.lines}
        others = [line for line in self.lines if line.kind == "item" and line.line_id not in touched]
        others = [line for line in others if self._left(line) > 0]
        if kind == "part of a return" and sum(units for _, units in chosen.wanted) > 1:
            lines = self._units(self._part(chosen))
            return kind, lines, self._worth(lines), chosen.ref, False
        if kind == "whole return with shipping" and shipping:
            lines = [*self._units(chosen.wanted), self._share(shipping[0], 1)]
            return kind, lines, self._worth(lines), chosen.ref, False
        if kind == "shipping" and shipping:
            lines = [self._share(shipping[0], 1)]
            return kind, lines, self._worth(lines), "", False
        if kind == "other lines" and others:
            lines = self._units([(line.line_id, 1) for line in others[: self.dice.randint(1, 2)]])
            return kind, lines, self._worth(lines), "", False
        if kind == "two returns" and len(returns) > 1:
            lines = self._merged([*self._units(returns[0].wanted), *self._units(returns[1].wanted)])
            return kind, lines, self._worth(lines), None, False
        if kind.startswith("goodwill"):
            return kind, [], self._goodwill(kind), "", False
        lines = self._units(chosen.wanted)
        if kind == "before the return":
            return kind, lines, self._worth(lines), None, True
        return "whole return", lines, self._worth(lines), chosen.ref, False

    def _part(self, chosen: OpenReturn) -> list[tuple[str, int]]:
        every = [line_id for line_id, units in chosen.wanted for _ in range(units)]
        kept = self.dice.sample(every, self.dice.randint(1, len(every) - 1))
        return sorted((line_id, kept.count(line_id)) for line_id in set(kept))

    def _goodwill(self, kind: str) -> int:
        whole = self._minor(self._order().total)
        if kind == "goodwill, round":
            step = 5 * 10**self.digits if self.digits else 500
            return step * self.dice.randint(1, 8)
        if kind == "goodwill, a share":
            return max(1, (2 * whole * self.dice.choice([5, 10, 15, 20, 25]) + 100) // 200)
        return self.dice.randint(1, max(2, whole // 3))

    def _units(self, wanted: Sequence[tuple[str, int]]) -> list[RemoteRefundLine]:
        lines = {line.line_id: line for line in self.lines}
        return [self._share(lines[line_id], units) for line_id, units in wanted]

    def _share(self, line: OrderLineSnapshot, units: int) -> RemoteRefundLine:
        """What the shop's form fills in for some units: each figure in proportion, rounded by itself."""
        return RemoteRefundLine(
            line_id=line.line_id,
            quantity=units if line.kind == "item" else 0,
            net=self._in_proportion(line.net, units, line.quantity),
            taxes=tuple(
                TaxShare(rate_id=tax.rate_id, amount=self._in_proportion(tax.amount, units, line.quantity))
                for tax in line.taxes
            ),
        )

    def _in_proportion(self, figure: Decimal, units: int, quantity: int) -> Decimal:
        return self._money((2 * self._minor(figure) * units + quantity) // (2 * quantity))

    def _merged(self, lines: Sequence[RemoteRefundLine]) -> list[RemoteRefundLine]:
        units: dict[str, int] = {}
        for line in lines:
            units[line.line_id] = units.get(line.line_id, 0) + line.quantity
        return self._units(sorted(units.items()))

    def _worth(self, lines: Sequence[RemoteRefundLine]) -> int:
        return sum(self._minor(line.net + sum((tax.amount for tax in line.taxes), Decimal(0))) for line in lines)

    def _money(self, minor: int) -> Decimal:
        return Decimal(minor).scaleb(-self.digits)

    def _minor(self, amount: Decimal) -> int:
        return int(amount.scaleb(self.digits))
