"""Refunded at the platform and still open: by how far each refund came, and by the order's state."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciliation import causes
from reconciliation.books import OrderBook, Stage
from reconciliation.checks.orders_left_open import NO_STATE, OTHER_CURRENCY, compare
from tests.reconciliation.books import REFUND_KEY, book, money_effect, money_record, outside_record, payout, snapshot


def found(made: OrderBook) -> list[tuple[str, str]]:
    """Cause and what the shop shows."""
    return [(one.cause, one.there) for one in compare(orders=[made]).findings]


@pytest.mark.parametrize(
    ("stage", "is_overdue", "is_found"),
    [
        ("going", True, False),
        ("waiting", True, False),
        ("served", True, False),  # its record is missing: the matter of the sums
        ("platform_writes", False, False),
        ("platform_writes", True, True),
        ("missing", False, False),
        ("missing", True, True),
        ("held", False, True),
        ("refused", False, True),
    ],
)
def test_a_refund_that_the_order_does_not_show(stage: Stage, is_overdue: bool, is_found: bool) -> None:
    made = book(effects=(), snapshot=snapshot(), payouts=(payout(stage=stage, is_overdue=is_overdue),))
    expected = [(causes.REFUND_NOT_SHOWN, "0.00 EUR for its return, order completed")]
    assert found(made) == (expected if is_found else [])


def test_what_pays_for_the_return_counts_whoever_wrote_it() -> None:
    record = outside_record(amount=Decimal("30.00"))
    standing = payout(stage="platform_writes")
    made = book(effects=(), snapshot=snapshot(record), payouts=(standing,))
    assert found(made) == [(causes.REFUND_NOT_SHOWN, "0.00 EUR for its return, order completed")]
    paid = replace(made, paying=((7, "20"),))
    assert compare(orders=[paid]).matched == 1
    assert found(replace(paid, paying=((8, "20"),))) == found(made)  # another return's
    less = replace(paid, snapshot=snapshot(outside_record(amount=Decimal("29.99"))))
    assert found(less) == [(causes.REFUND_NOT_SHOWN, "29.99 EUR for its return, order completed")]
    assert found(replace(less, payouts=(replace(standing, tolerance=Decimal("0.01")),))) == []


def test_another_currency_is_not_compared() -> None:
    made = book(effects=(), snapshot=snapshot(), payouts=(payout(stage="missing", currency="USD"),))
    assert compare(orders=[made]).not_comparable == {OTHER_CURRENCY: 1}


def whole(*, is_open: bool | None, status: str = "processing") -> OrderBook:
    """An order of 30.00 EUR, refunded in full."""
    made = snapshot(money_record(), total="30.00", is_open=is_open, status=status)
    return book(snapshot=made, effects=(money_effect(),), payouts=(payout(),))


def test_refunded_in_full_and_open() -> None:
    assert found(whole(is_open=True)) == [(causes.ORDER_LEFT_OPEN, "processing")]
    assert found(whole(is_open=False, status="refunded")) == []
    unknown = compare(orders=[whole(is_open=None)])
    assert (unknown.findings, unknown.not_comparable) == ((), {NO_STATE: 1})


def test_a_part_refunded_order_may_be_open_and_one_refunded_too_often_has_worse() -> None:
    made = whole(is_open=True)
    assert made.snapshot is not None
    assert found(replace(made, snapshot=replace(made.snapshot, total=Decimal("30.01")))) == []
    twice = (money_record(), money_record(refund_id="14", key=f"{REFUND_KEY}#2"))
    assert found(replace(made, snapshot=replace(made.snapshot, refunds=twice, total=Decimal("60.00")))) == []
    assert found(replace(made, snapshot=replace(made.snapshot, refunds=twice))) == []
    assert found(replace(made, payouts=(), effects=())) == []  # of no return
