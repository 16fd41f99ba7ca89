"""Decimal rules: digits of currencies, exactness, allocation without loss."""

from decimal import Decimal

import pytest

from returnsops import money


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_digits_of_currencies(currency: str, digits: int) -> None:
    assert money.exponent(currency) == digits
    assert money.quantum(currency) == Decimal(1).scaleb(-digits)


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(money.MoneyError, match="'XQQ' is not an ISO 4217"):
        money.exponent("XQQ")


@pytest.mark.parametrize(("given", "amount"), [("10.50", "10.50"), (3, "3"), (Decimal("1.2"), "1.2"), ("-4", "-4")])
def test_amounts_are_read_from_text_and_integers(given: object, amount: str) -> None:
    assert money.parse_amount(given) == Decimal(amount)


@pytest.mark.parametrize("given", [1.5, True, None, "", "-", "NaN", "Infinity", "1000000000000", [], "1,50"])
def test_what_is_no_amount_is_refused(given: object) -> None:
    with pytest.raises(money.MoneyError):
        money.parse_amount(given)


@pytest.mark.parametrize(("given", "amount"), [("10.50", "10.50"), (" 7 ", "7"), (".5", "0.5"), ("-4.", "-4")])
def test_amounts_that_people_type_are_digits(given: str, amount: str) -> None:
    assert money.typed_amount(given) == Decimal(amount)


@pytest.mark.parametrize("given", ["1e2", "1E+2", "0e0", "1_000", "\u0661\u0662"])
def test_what_people_mistype_is_not_read_as_another_amount(given: str) -> None:
    with pytest.raises(money.MoneyError, match="is not written in digits"):
        money.typed_amount(given)
    with pytest.raises(money.MoneyError, match="'ten' is not a decimal amount"):
        money.typed_amount("ten")


def test_halves_are_rounded_away_from_zero() -> None:
    assert money.rounded(Decimal("0.125"), currency="EUR") == Decimal("0.13")
    assert money.rounded(Decimal("-0.125"), currency="EUR") == Decimal("-0.13")
    assert money.rounded(Decimal("0.5"), currency="JPY") == Decimal(1)


def test_minor_units_there_and_back() -> None:
    assert money.to_minor(Decimal("12.34"), currency="EUR") == 1234
    assert money.from_minor(1234, currency="KWD") == Decimal("1.234")
    with pytest.raises(money.MoneyError, match="more digits than EUR"):
        money.to_minor(Decimal("0.001"), currency="EUR")


def test_allocation_gives_ties_to_the_earlier_part() -> None:
    parts = money.allocate(Decimal("10.00"), weights=[Decimal(1)] * 3, currency="EUR")
    assert parts == (Decimal("3.34"), Decimal("3.33"), Decimal("3.33"))
    assert money.allocate(Decimal("-10.00"), weights=[Decimal(1)] * 3, currency="EUR")[0] == Decimal("-3.34")


def test_allocation_over_nothing() -> None:
    assert money.allocate(Decimal(0), weights=[Decimal(0)] * 2, currency="EUR") == (Decimal(0), Decimal(0))
    with pytest.raises(money.MoneyError, match="nothing to spread"):
        money.allocate(Decimal(1), weights=[Decimal(0)], currency="EUR")
    with pytest.raises(money.MoneyError, match="negative"):
        money.allocate(Decimal(1), weights=[Decimal(-1)], currency="EUR")


def test_units_share_a_line_cumulatively() -> None:
    shares = [
        money.share_of_units(Decimal("20.00"), quantity=3, first=first, count=1, currency="EUR") for first in range(3)
    ]
    assert shares == [Decimal("6.67"), Decimal("6.66"), Decimal("6.67")]
    with pytest.raises(money.MoneyError, match="Units 3 to 4 do not exist on a line of 3"):
        money.share_of_units(Decimal("20.00"), quantity=3, first=2, count=2, currency="EUR")


def test_amounts_are_shown_in_british_english() -> None:
    assert money.display(Decimal("1234.5"), currency="GBP") == "£1,234.50"
    assert money.display(Decimal("1200"), currency="JPY") == "JP¥1,200"
