"""Money of the simulated shop: pairs of shop and presentment amounts, rounding, and how amounts are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ZERO = Decimal(0)
_CENT = Decimal("0.01")
_SYMBOLS = {"GBP": "£", "EUR": "€", "JPY": "¥"}


@dataclass(frozen=True, kw_only=True)
class Bag:
    """The same amount in the shop's and in the customer's currency."""

    shop: Decimal = ZERO
    presentment: Decimal = ZERO

    def __add__(self, other: "Bag") -> "Bag":
        return Bag(shop=self.shop + other.shop, presentment=self.presentment + other.presentment)

    def __sub__(self, other: "Bag") -> "Bag":
        return Bag(shop=self.shop - other.shop, presentment=self.presentment - other.presentment)

    def times(self, factor: Decimal | int) -> "Bag":
        """Multiplied and rounded to cents."""
        return Bag(shop=cents(self.shop * factor), presentment=cents(self.presentment * factor))

    def part(self, some: int, whole: int) -> "Bag":
        """The share of `some` units of `whole`, rounded to cents; nothing of nothing."""
        return self.times(Decimal(some) / whole) if whole else NOTHING

    def at_most(self, limit: "Bag") -> "Bag":
        """The smaller of both, by what the customer sees."""
        return self if self.presentment <= limit.presentment else limit


NOTHING = Bag()


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to two places."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)


def total(bags: Iterable[Bag]) -> Bag:
    """The sum of these."""
    return sum(bags, NOTHING)


def converted(amount: Decimal, rate: Decimal) -> Bag:
    """A shop amount with its presentment twin; `rate` is presentment per unit of shop currency."""
    return Bag(shop=cents(amount), presentment=cents(amount * rate))


def converted_back(amount: Decimal, rate: Decimal) -> Bag:
    """An amount in the customer's currency with its twin in the shop's."""
    return Bag(shop=cents(amount / rate), presentment=cents(amount))


def written(amount: Decimal) -> str:
    """An amount as Shopify writes it: no padding beyond one place ("15.0", "999.99")."""
    text = f"{amount:f}"
    whole, _, places = text.partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}"


def in_words(amount: Decimal, currency: str) -> str:
    """An amount inside a message, for instance "$25.00"."""
    return f"{_SYMBOLS.get(currency, '$')}{cents(amount):,.2f}"


def money(amount: Decimal, currency: str) -> dict[str, Any]:
    """A MoneyV2."""
    return {"amount": amount, "currencyCode": currency}


def money_bag(bag: Bag, currency: str, presentment_currency: str) -> dict[str, Any]:
    """A MoneyBag."""
    return {"shopMoney": money(bag.shop, currency), "presentmentMoney": money(bag.presentment, presentment_currency)}


def bag_of_input(given: Mapping[str, Any] | None, rate: Decimal) -> Bag:
    """A MoneyBagInput; without presentment money the rate makes it."""
    if not given:
        return NOTHING
    shop = Decimal(given["shopMoney"]["amount"])
    presentment = given.get("presentmentMoney")
    if presentment is None:
        return converted(shop, rate)
    return Bag(shop=shop, presentment=Decimal(presentment["amount"]))
