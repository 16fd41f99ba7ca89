"""Shares of order lines, the last unit's remainder, spreading an amount over lines."""

from decimal import Decimal

import pytest

from returnsops.facts import RemoteRefundLine, TaxShare
from returnsops.money import MoneyError
from returnsops.planning import amounts

from .views import order, order_line, refund_line, shipping_line


def test_the_last_unit_takes_what_is_left() -> None:
    line = order_line(quantity=3, net=Decimal("71.22"), taxes=(TaxShare(rate_id="1", amount=Decimal("14.96")),))
    by_hand = [refund_line(quantity=1, net="23.74", tax="4.99")] * 2
    share = amounts.unit_share(line, count=1, taken=by_hand, currency="EUR")
    assert (share.net, share.taxes[0].amount) == (Decimal("23.74"), Decimal("4.98"))
    assert amounts.gross([*by_hand, share]) == Decimal("86.18")


def test_the_last_unit_makes_good_what_others_rounded_down() -> None:
    line = order_line(quantity=3, net=Decimal("71.22"), taxes=(TaxShare(rate_id="1", amount=Decimal("14.96")),))
    by_hand = [refund_line(quantity=1, net="23.74", tax="4.98")] * 2
    share = amounts.unit_share(line, count=1, taken=by_hand, currency="EUR")
    assert (share.net, share.taxes[0].amount) == (Decimal("23.74"), Decimal("5.00"))
    assert amounts.gross([*by_hand, share]) == Decimal("86.18")


def test_a_fee_kept_from_one_unit_is_not_paid_with_the_next() -> None:
    with_fee = refund_line(quantity=1, net="15.87", tax="3.33")
    share = amounts.unit_share(order_line(), count=1, taken=[with_fee], currency="EUR")
    assert (share.net, share.taxes[0].amount) == (Decimal("20.00"), Decimal("4.20"))


def test_goodwill_paid_before_is_not_paid_again() -> None:
    goodwill = refund_line(quantity=0, net="30.00", tax="0")
    assert amounts.unit_share(order_line(), count=1, taken=[goodwill], currency="EUR").net == Decimal("10.00")
    assert amounts.unit_share(order_line(), count=2, taken=[goodwill], currency="EUR").net == Decimal("10.00")


def test_other_lines_and_rates_take_nothing() -> None:
    other = RemoteRefundLine(
        line_id="99", quantity=1, net=Decimal(9), taxes=(TaxShare(rate_id="2", amount=Decimal(1)),)
    )
    share = amounts.unit_share(order_line(), count=2, taken=[other], currency="EUR")
    assert amounts.gross([share]) == amounts.line_gross(order_line()) == Decimal("48.40")
    assert amounts.units_left(order_line(), [other, refund_line()]) == 1
    assert amounts.units_left(order_line(), [refund_line(quantity=5)]) == 0


def test_units_that_do_not_exist_have_no_share() -> None:
    with pytest.raises(MoneyError):
        amounts.unit_share(order_line(), count=3, taken=[], currency="EUR")


def test_either_rounding_of_a_unit_is_in_the_span() -> None:
    line = order_line(quantity=3, net=Decimal("20.00"), taxes=())
    assert amounts.span(line, count=1, currency="EUR") == (Decimal("6.66"), Decimal("6.67"))
    assert amounts.span(line, count=3, currency="EUR") == (Decimal("20.00"), Decimal("20.00"))


def test_shipping_left_is_what_nobody_refunded() -> None:
    left = amounts.shipping_left(order(), [refund_line("13", 0, "2.00", "0.42")])
    assert [(line.line_id, line.quantity, line.net) for line in left] == [("13", 0, Decimal("3.00"))]
    assert amounts.gross(left) == Decimal("3.63")
    assert amounts.money_left(shipping_line(), []) == Decimal("6.05")


def test_scaled_lines_are_exactly_the_amount() -> None:
    lines = (refund_line(), refund_line("12", 1, "10.00", "2.10"))
    scaled = amounts.scaled(lines, Decimal("30.01"), currency="EUR")
    assert amounts.gross(scaled) == Decimal("30.01")
    assert [line.quantity for line in scaled] == [1, 1]
    assert amounts.scaled(lines, Decimal("36.30"), currency="EUR") == lines


def test_lines_without_worth_carry_no_amount() -> None:
    assert amounts.scaled([refund_line(net="0", tax="0")], Decimal("5.00"), currency="EUR") == ()


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("24.2000", "EUR", "24.20"), ("1E+3", "JPY", "1000"), ("1.5", "KWD", "1.500"), ("0.005", "EUR", "0.005")],
)
def test_payloads_carry_plain_decimals(amount: str, currency: str, text: str) -> None:
    assert amounts.text(Decimal(amount), currency=currency) == text
