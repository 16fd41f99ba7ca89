"""Every cause has words, a suggestion and a case kind that somebody owns."""

from exceptions_queue.kinds import find_kind
from reconciliation import causes
from reconciliation.checks.refunds_outside import compare
from tests.reconciliation.books import book, known, outside_record, snapshot


def test_every_cause_leads_to_a_registered_kind_and_every_kind_has_a_cause() -> None:
    kinds = {value for name, value in vars(causes).items() if name.startswith("CASE_")}
    assert {cause.case_kind for cause in causes.CAUSES.values()} | {causes.CASE_RUN_FAILED} == kinds
    assert all(find_kind(code) is not None for code in kinds)


def test_the_words_name_order_record_and_amount() -> None:
    made = book(effects=(), snapshot=snapshot(outside_record()), refunds=(known(),))
    (found,) = compare(orders=[made]).findings
    text = causes.words(found, order="Order 11")
    assert text == "Order 11: Refund 20 by WordPress user 1 of 5.00 EUR was made outside, and no return explains it."


def test_every_text_can_be_filled() -> None:
    for cause in causes.CAUSES.values():
        assert "{" not in cause.text.format(about="A", here="B", there="C")
        assert cause.suggestion.endswith(".")
