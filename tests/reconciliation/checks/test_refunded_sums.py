"""Refunded sums: each planted mismatch is found with its cause and amount, and nothing else is."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciliation import causes
from reconciliation.books import KnownRefund, OrderBook, Total
from reconciliation.checks.refunded_sums import compare
from returnsops import states
from tests.reconciliation.books import (
    REFUND_KEY,
    book,
    known,
    money_effect,
    money_record,
    outside_record,
    snapshot,
    unsettled,
)


def found(made: OrderBook) -> list[tuple[str, str, str]]:
    """Cause, side and amount of what is found."""
    return [(one.cause, one.side, f"{one.amount:f}") for one in compare(orders=[made]).findings]


def test_equal_books_match_with_equal_sums() -> None:
    comparison = compare(orders=[book()])
    assert (comparison.matched, comparison.findings) == (1, ())
    assert comparison.totals == {"EUR": Total(here=Decimal("30.00"), there=Decimal("30.00"))}


@pytest.mark.parametrize(
    ("effect", "records", "expected"),
    [
        (money_effect(), (), (causes.RECORD_MISSING, "only_here", "30.0000")),
        (money_effect(), (money_record(amount=Decimal("29.99")),), (causes.AMOUNT_DIFFERS, "mismatched", "0.0100")),
        (
            money_effect(),
            (money_record(), money_record(refund_id="14")),
            (causes.RECORDED_TWICE, "mismatched", "30.0000"),
        ),
        (money_effect(), (money_record(currency="USD"),), (causes.AMOUNT_DIFFERS, "mismatched", "30.0000")),
        (
            unsettled(money_effect(remote_id=""), states.EFFECT_CANCELLED),
            (money_record(),),
            (causes.NOT_SETTLED_HERE, "only_there", "30.0000"),
        ),
        (
            unsettled(money_effect(remote_id=""), states.FAILED),
            (money_record(),),
            (causes.NOT_SETTLED_HERE, "only_there", "30.0000"),
        ),
    ],
    ids=["missing", "one cent", "twice", "currency", "cancelled here", "failed here"],
)
def test_planted_mismatches(effect: object, records: tuple[object, ...], expected: tuple[str, str, str]) -> None:
    made = book(effects=(effect,), snapshot=snapshot(*records))  # type: ignore[arg-type]
    assert found(made) == [expected]


def test_two_mistakes_do_not_cancel_each_other_out_in_the_sum() -> None:
    more = replace(money_effect(), effect_id=9, key="refund:reveni/ret_2:rfd_2", remote_id="99")
    made = book(
        effects=(money_effect(), more),
        snapshot=snapshot(
            money_record(amount=Decimal("31.00")),
            money_record(refund_id="99", key="refund:reveni/ret_2:rfd_2", amount=Decimal("29.00")),
        ),
    )
    comparison = compare(orders=[made])
    assert comparison.totals["EUR"] == Total(here=Decimal("60.00"), there=Decimal("60.00"))
    assert [one.cause for one in comparison.findings] == [causes.AMOUNT_DIFFERS, causes.AMOUNT_DIFFERS]


def test_a_deleted_record_is_told_from_one_that_never_was() -> None:
    gone = known(refund_id="12", amount=Decimal("30.00"), is_vanished=True)
    assert found(book(effects=(money_effect(),), snapshot=snapshot(), refunds=(gone,))) == [
        (causes.RECORD_DELETED, "only_here", "30.0000")
    ]


def test_an_order_that_is_gone_takes_every_refund_with_it() -> None:
    assert found(book(snapshot=None)) == [(causes.ORDER_GONE, "only_here", "30.0000")]


@pytest.mark.parametrize("state", [states.SENDING, states.UNKNOWN])
@pytest.mark.parametrize("records", [(), (money_record(),)])
def test_what_is_on_its_way_proves_nothing(state: str, records: tuple[object, ...]) -> None:
    made = book(effects=(unsettled(money_effect(), state),), snapshot=snapshot(*records))  # type: ignore[arg-type]
    assert found(made) == []


@pytest.mark.parametrize("state", sorted(states.UNSENT | states.NEEDS_PERSON))
def test_what_was_never_sent_is_no_difference(state: str) -> None:
    assert found(book(effects=(unsettled(money_effect(), state),), snapshot=snapshot())) == []


def test_a_later_generation_and_an_adopted_record_are_the_effect() -> None:
    assert found(book(snapshot=snapshot(money_record(key=f"{REFUND_KEY}#2")), effects=(money_effect(),))) == []
    assert found(book(snapshot=snapshot(money_record(key="")), effects=(money_effect(),))) == []


@pytest.mark.parametrize("explanation", ["return", "unrelated", "policy", "before_us"])
def test_an_explained_refund_made_outside_is_in_both_books(explanation: str) -> None:
    made = book(
        effects=(money_effect(),),
        snapshot=snapshot(money_record(), outside_record()),
        refunds=(known(explanation=explanation),),
    )
    comparison = compare(orders=[made])
    assert comparison.findings == ()
    assert comparison.totals["EUR"] == Total(here=Decimal("35.00"), there=Decimal("35.00"))


@pytest.mark.parametrize("outside", [known(), known(explanation="return", is_vanished=True)])
def test_what_nobody_explained_or_somebody_deleted_is_left_to_its_own_check(outside: KnownRefund) -> None:
    records = (money_record(),) if outside.is_vanished else (money_record(), outside_record())
    made = book(effects=(money_effect(),), snapshot=snapshot(*records), refunds=(outside,))
    comparison = compare(orders=[made])
    assert comparison.findings == ()
    assert comparison.totals["EUR"] == Total(here=Decimal("30.00"), there=Decimal("30.00"))


@pytest.mark.parametrize(
    ("currency", "ours", "theirs", "difference", "here"),
    [
        ("JPY", "3000.0000", "3001", "1.0000", "3000 JPY"),
        ("KWD", "1.2500", "1.251", "0.0010", "1.250 KWD"),
        ("EUR", "30.0000", "30.01", "0.0100", "30.00 EUR"),
    ],
)
def test_one_minor_unit_is_enough_in_every_currency(
    currency: str, ours: str, theirs: str, difference: str, here: str
) -> None:
    made = book(
        currency=currency,
        effects=(money_effect(amount=Decimal(ours), currency=currency),),
        snapshot=snapshot(money_record(amount=Decimal(theirs), currency=currency), currency=currency),
    )
    (one,) = compare(orders=[made]).findings
    assert one.cause == causes.AMOUNT_DIFFERS
    assert one.amount == Decimal(difference)
    assert one.here == here
    exact = replace(made, snapshot=snapshot(money_record(amount=Decimal(ours), currency=currency), currency=currency))
    assert found(exact) == []
