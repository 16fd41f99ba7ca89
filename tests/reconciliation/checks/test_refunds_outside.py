"""Refunds made outside: unexplained, deleted, and orders refunded beyond what was paid."""

from decimal import Decimal

import pytest

from reconciliation import causes
from reconciliation.books import OrderBook
from reconciliation.checks.refunds_outside import compare
from tests.reconciliation.books import book, known, money_effect, money_record, outside_record, snapshot


def found(made: OrderBook) -> list[tuple[str, str, str]]:
    """Cause, side and amount of what is found."""
    return [(one.cause, one.side, f"{one.amount:f}") for one in compare(orders=[made]).findings]


def test_our_own_refunds_need_no_explanation() -> None:
    assert found(book()) == []


def test_a_refund_that_nobody_explained() -> None:
    made = book(snapshot=snapshot(money_record(), outside_record()), refunds=(known(),))
    (one,) = compare(orders=[made]).findings
    assert (one.cause, one.side, one.amount) == (causes.MADE_OUTSIDE, "only_there", Decimal("5.00"))
    assert one.refund_id == "20"
    assert "user 1" in one.about


def test_a_reference_that_nobody_knows_is_named() -> None:
    strange = outside_record(key="refund:reveni/ret_9:rfd_9")
    (one,) = compare(orders=[book(snapshot=snapshot(money_record(), strange), refunds=(known(),))]).findings
    assert (one.cause, one.evidence["reference"]) == (causes.REFERENCE_UNKNOWN, "refund:reveni/ret_9:rfd_9")


@pytest.mark.parametrize("explanation", ["return", "unrelated", "policy", "before_us", "in_flight"])
def test_an_explained_one_is_none(explanation: str) -> None:
    made = book(snapshot=snapshot(money_record(), outside_record()), refunds=(known(explanation=explanation),))
    assert found(made) == []


@pytest.mark.parametrize("explanation", ["", "return", "unrelated", "before_us"])
def test_a_deleted_one_is_found_whoever_explained_it(explanation: str) -> None:
    made = book(refunds=(known(explanation=explanation, is_vanished=True),))
    assert found(made) == [(causes.OUTSIDE_DELETED, "only_here", "5.00")]


def test_our_own_deleted_refund_is_left_to_the_sums() -> None:
    gone = known(refund_id="12", amount=Decimal("30.00"), is_vanished=True)
    assert found(book(snapshot=snapshot(), refunds=(gone,))) == []


def test_more_refunded_than_paid() -> None:
    big = outside_record(amount=Decimal("30.01"))
    made = book(snapshot=snapshot(money_record(), big), refunds=(known(explanation="unrelated"),))
    (one,) = compare(orders=[made]).findings
    assert (one.cause, one.amount, one.here, one.there) == (
        causes.OVER_REFUNDED,
        Decimal("0.01"),
        "60.00 EUR",
        "60.01 EUR",
    )


def test_an_excess_that_people_accepted_is_no_difference() -> None:
    big = outside_record(amount=Decimal("30.01"))
    made = book(
        snapshot=snapshot(money_record(), big),
        refunds=(known(explanation="unrelated"),),
        is_over_refund_accepted=True,
    )
    assert found(made) == []


def test_two_currencies_are_never_added() -> None:
    made = book(
        effects=(money_effect(),),
        snapshot=snapshot(money_record(), outside_record(currency="JPY", amount=Decimal(500))),
        refunds=(known(explanation="unrelated", currency="JPY", amount=Decimal(500)),),
    )
    assert set(compare(orders=[made]).totals) == {"JPY"}
