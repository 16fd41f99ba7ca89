"""Decimal rules and allocation (design section 7). Standard library and babel only, never floats."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, lru_cache

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision

MAX_AMOUNT = Decimal("999999999999")
_DIGITS = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")


class MoneyError(ValueError):
    """An amount or a currency that cannot be right; the text says which."""


@cache
def exponent(currency: str) -> int:
    """Digits after the point of a currency: 2 for EUR, 0 for JPY, 3 for KWD. Raises MoneyError if unknown."""
    if currency not in get_global("all_currencies"):
        raise MoneyError(f"{currency!r} is not an ISO 4217 currency code.")
    return get_currency_precision(currency)


@cache
def quantum(currency: str) -> Decimal:
    """The smallest unit of a currency, Decimal('0.01') for EUR."""
    return Decimal(1).scaleb(-exponent(currency))


def parse_amount(text: object) -> Decimal:
    """A decimal amount from a foreign system's string or integer.

    Raises MoneyError for floats, empty text, NaN, infinities and amounts past a trillion.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | Decimal):
        raise MoneyError(f"An amount must be a decimal string, not {type(text).__name__}.")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise MoneyError(f"{str(text)[:40]!r} is not a decimal amount.") from None
    if not amount.is_finite() or abs(amount) > MAX_AMOUNT:
        raise MoneyError(f"{str(text)[:40]!r} is not a usable amount.")
    return amount


def typed_amount(text: str) -> Decimal:
    """A decimal amount that a person typed: digits and a point, as 1e2 is a slip rather than a hundred.

    Raises MoneyError as ``parse_amount``, and for exponents, underscores and digits of other scripts.
    """
    amount = parse_amount(text)
    if not is_in_digits(text):
        raise MoneyError(f"{text[:40]!r} is not written in digits.")
    return amount


def is_in_digits(text: str) -> bool:
    """Whether a number is written in plain digits, with at most a sign and a point."""
    return _DIGITS.fullmatch(text.strip()) is not None


def rounded(amount: Decimal, *, currency: str) -> Decimal:
    """``amount`` to the currency's digits, halves away from zero (what shops print)."""
    return amount.quantize(quantum(currency), rounding=ROUND_HALF_UP)


def is_exact(amount: Decimal, *, currency: str) -> bool:
    """Whether the amount has no digits beyond the currency's."""
    return amount == rounded(amount, currency=currency)


def to_minor(amount: Decimal, *, currency: str) -> int:
    """Minor units of an exact amount. Raises MoneyError where digits would be lost."""
    if not is_exact(amount, currency=currency):
        raise MoneyError(f"{amount} has more digits than {currency} allows.")
    return int(amount.scaleb(exponent(currency)))


def from_minor(amount_minor: int, *, currency: str) -> Decimal:
    """The amount in major units."""
    return Decimal(amount_minor).scaleb(-exponent(currency))


def allocate(total: Decimal, *, weights: Sequence[Decimal], currency: str) -> tuple[Decimal, ...]:
    """Split an exact total in proportion to weights by largest remainder: the parts always sum to the total.

    Ties go to the earlier part. Raises MoneyError for negative weights or a non-zero total without weight.
    """
    if any(weight < 0 for weight in weights):
        raise MoneyError("Weights must not be negative.")
    whole = sum(weights, Decimal(0))
    if whole == 0:
        if total != 0:
            raise MoneyError("There is nothing to spread the amount over.")
        return tuple(Decimal(0) for _ in weights)
    total_minor = to_minor(total, currency=currency)
    sign = -1 if total_minor < 0 else 1
    return tuple(
        from_minor(sign * part, currency=currency) for part in _largest_remainder(abs(total_minor), weights, whole)
    )


def _largest_remainder(total_minor: int, weights: Sequence[Decimal], whole: Decimal) -> list[int]:
    ratios = [weight.as_integer_ratio() for weight in weights]
    whole_n, whole_d = whole.as_integer_ratio()
    numerators = [(total_minor * n * whole_d, d * whole_n) for n, d in ratios]
    floors = [n // d for n, d in numerators]
    order = sorted(range(len(weights)), key=lambda i: (-_fraction(numerators[i]), i))
    for i in order[: total_minor - sum(floors)]:
        floors[i] += 1
    return floors


def _fraction(ratio: tuple[int, int]) -> Decimal:
    numerator, denominator = ratio
    return Decimal(numerator % denominator) / Decimal(denominator)


def share_of_units(total: Decimal, *, quantity: int, first: int, count: int, currency: str) -> Decimal:
    """What units ``first+1 … first+count`` of ``quantity`` carry of a line total.

    Cumulative rounding: any cut of the units into refunds adds up to the total exactly.
    """
    if not 0 <= first <= first + count <= quantity:
        raise MoneyError(f"Units {first + 1} to {first + count} do not exist on a line of {quantity}.")
    return _cumulative(total, quantity, first + count, currency) - _cumulative(total, quantity, first, currency)


def _cumulative(total: Decimal, quantity: int, units: int, currency: str) -> Decimal:
    if units == quantity:
        return total
    return rounded(total * units / quantity, currency=currency)


def display(amount: Decimal, *, currency: str) -> str:
    """The amount as people read it, in British English."""
    return _displayed(str(amount), currency)


# By its text, not by the number: 0 and -0 are equal and read differently. A page says the same few amounts many times.
@lru_cache(maxsize=4096)
def _displayed(amount: str, currency: str) -> str:
    return format_currency(Decimal(amount), currency, locale="en_GB")
