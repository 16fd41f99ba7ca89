"""Refunds in the shop that no return explains, refunds deleted there, and orders refunded beyond what was paid. Pure.

A deleted refund moves no date and fires no webhook (woocommerce-observed.md 4.13): only reading the order again and
comparing with what was there before finds it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from reconciliation import causes
from reconciliation.books import Comparison, Difference, KnownRefund, OrderBook, Total, joined, owners
from reconciliation.checks.refunded_sums import made_outside, outside_deleted
from reconciliation.wording import amount
from returnsops import states
from returnsops.facts import RemoteRefund


def compare(*, orders: Sequence[OrderBook]) -> Comparison:
    """Records made outside against their explanations, the sum of all records against what was paid."""
    return joined(_of_order(book) for book in orders)


def _of_order(book: OrderBook) -> Comparison:
    owner_of = owners(book, states.MONEY_KINDS)
    standing = [record for record in book.records if not record.is_zero_money]
    outside = [record for record in standing if record.refund_id not in owner_of]
    ours = {effect.remote_id for effect in book.effects} | set(owner_of)
    # A record under our key is the sums' matter: deleting the second of two is what people were asked to do.
    outside_ones = [refund for refund in book.refunds if refund.explanation != "ours" and refund.refund_id not in ours]
    gone = [refund for refund in outside_ones if refund.is_vanished and refund.amount]
    parts = [*(_of_record(book, record) for record in outside), *(_of_deleted(book, refund) for refund in gone)]
    parts.extend(_over_refunded(book, standing))
    return joined(parts)


def _of_record(book: OrderBook, record: RemoteRefund) -> Comparison:
    known = next((refund for refund in book.refunds if refund.refund_id == record.refund_id), None)
    explanation = known.explanation if known else ""
    if explanation == "in_flight":
        return Comparison()
    here = record.amount if explanation else Decimal(0)
    return Comparison(
        matched=1 if explanation else 0,
        findings=() if explanation else (made_outside(book, record),),
        totals={record.currency: Total(here=here, there=record.amount)},
    )


def _of_deleted(book: OrderBook, refund: KnownRefund) -> Comparison:
    return Comparison(
        findings=(outside_deleted(book, refund),),
        totals={refund.currency: Total(here=refund.amount)},
    )


def _over_refunded(book: OrderBook, standing: Sequence[RemoteRefund]) -> Iterable[Comparison]:
    """The shop itself does not stop two refunds at the same moment from passing the total (observed 4.5)."""
    if book.snapshot is None or book.is_over_refund_accepted:
        return
    refunded = sum((record.amount for record in standing), Decimal(0))
    paid = book.snapshot.total
    if refunded <= paid:
        return
    found = Difference(
        order_id=book.order_id,
        subject="order",
        cause=causes.OVER_REFUNDED,
        side="mismatched",
        about="Whole order",
        here=amount(paid, book.currency),
        there=amount(refunded, book.currency),
        amount=refunded - paid,
        currency=book.currency,
        return_id=book.only_return_id,
        evidence={
            "amounts": {"paid": {"amount": amount(paid, book.currency)}},
            "records": [
                {"refund": record.refund_id, "amount": amount(record.amount, record.currency), "key": record.key}
                for record in standing
            ],
        },
    )
    yield Comparison(findings=(found,))
