"""Amounts, units and states as findings say them. Pure."""

from decimal import Decimal

from reconciliation.books import LedgerEffect
from returnsops import money


def amount(value: Decimal, currency: str) -> str:
    """All digits of the currency and no fewer than the amount has: '30.00 EUR', '3000 JPY', '1.250 KWD'."""
    return f"{plain_amount(value, currency)} {currency}".strip()


def plain_amount(value: Decimal, currency: str) -> str:
    """The same without the currency."""
    try:
        exact = money.rounded(value, currency=currency)
    except money.MoneyError:  # a currency of a plugin: what the shop stores is all there is
        exact = value
    return f"{exact if exact == value else value.normalize():f}"


def units(count: int) -> str:
    """'1 unit', '2 units'."""
    return f"{count} unit{'' if count == 1 else 's'}"


def state_words(state: str) -> str:
    """A state code as words."""
    return state.replace("_", " ")


def effect_words(effect: LedgerEffect) -> str:
    """Which effect a finding is about."""
    record = f" (record {effect.remote_id})" if effect.remote_id else ""
    return f"{effect.kind.capitalize()} {effect.key.rpartition(':')[2] or effect.effect_id}{record}"
