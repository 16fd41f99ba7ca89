"""Money as Shopify's answers carry it: bags of two currencies, of which we use what the customer paid in. Pure.

The presentment currency is the one on the customer's receipt and bank statement, the one the returns platform states
its amounts in, and the one ``refundCreate`` takes amounts in; the shop's own is a conversion at a rate of the day of
sale. So every amount of ours is ``presentmentMoney`` (shopify.md sections 1, 5 and 7).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from returnsops.facts import TaxShare
from returnsops.money import MoneyError, allocate, parse_amount, rounded

Json = Any
ZERO: Final = Decimal(0)


def paid(bag: Json) -> Decimal:
    """The presentment amount of a MoneyBag, 0 for none. Raises MoneyError where it is no amount."""
    money = bag.get("presentmentMoney") if isinstance(bag, Mapping) else None
    if money is None:
        return ZERO
    amount = parse_amount(money.get("amount"))
    return abs(amount) if amount == 0 else amount


def rate_id(tax: Json) -> str:
    """What tells one tax of an order from another: Shopify gives its rates no ids."""
    rate = tax.get("rate")
    return f"{tax.get('title') or ''}:{'' if rate is None else Decimal(str(rate)).normalize():f}"[:120]


def shares(total: Decimal, weights: Mapping[str, Decimal], *, currency: str) -> tuple[TaxShare, ...]:
    """A tax total spread over rates in proportion, to the last digit; without any weight it is one nameless share."""
    total = rounded(total, currency=currency)
    if not any(weights.values()):
        return (TaxShare(rate_id=next(iter(weights), ""), amount=total),) if total else ()
    parts = allocate(total, weights=list(weights.values()), currency=currency)
    return tuple(TaxShare(rate_id=rate, amount=part) for rate, part in zip(weights, parts, strict=True))


def weights_of(taxes: Iterable[Json]) -> dict[str, Decimal]:
    """Tax lines by rate, those of one rate together."""
    found: dict[str, Decimal] = {}
    for tax in taxes:
        rate = rate_id(tax)
        found[rate] = found.get(rate, ZERO) + paid(tax.get("priceSet"))
    return found


def required(money: Json, *, what: str) -> Decimal:
    """The presentment amount of a bag that must be there. Raises MoneyError naming what is missing."""
    if not isinstance(money, Mapping) or not isinstance(money.get("presentmentMoney"), Mapping):
        raise MoneyError(f"{what} has no amount in the customer's currency.")
    return paid(money)
