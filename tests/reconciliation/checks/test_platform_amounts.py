"""The platform's amount against what was refunded for it, to the minor unit."""

from decimal import Decimal

import pytest

from reconciliation import causes
from reconciliation.books import Total
from reconciliation.checks.platform_amounts import compare
from tests.reconciliation.books import book, payout


@pytest.mark.parametrize(
    ("amount", "tolerance", "is_accepted", "found"),
    [
        ("30.00", "0", False, []),
        ("30.01", "0", False, [Decimal("0.01")]),
        ("30.01", "0.01", False, []),
        ("29.98", "0.01", False, [Decimal("0.02")]),
        ("99.00", "0", True, []),
    ],
)
def test_one_cent_beyond_the_tolerance(amount: str, tolerance: str, is_accepted: bool, found: list[Decimal]) -> None:
    told = payout(amount=Decimal(amount), tolerance=Decimal(tolerance), is_accepted=is_accepted)
    comparison = compare(orders=[book(payouts=(told,))])
    assert [one.amount for one in comparison.findings] == found
    assert {one.cause for one in comparison.findings} <= {causes.PLATFORM_AMOUNT_DIFFERS}
    assert comparison.totals == {"EUR": Total(here=Decimal(amount), there=Decimal("30.00"))}


def test_what_is_not_done_yet_is_not_compared() -> None:
    told = payout(stage="going", amount=Decimal("99.00"), sent=None)
    assert compare(orders=[book(payouts=(told,))]).findings == ()
