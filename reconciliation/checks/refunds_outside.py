"""Refunds in the shop without a return (S4-25), refunds deleted there, and orders refunded beyond what was paid. Pure.

Without a return is what no effect of ours made and nobody explained, or what names in its data a return or refund that
does not exist here.

A deleted refund moves no date and fires no webhook (woocommerce-observed.md 4.13): only reading the order again and
comparing with what was there before finds it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from reconciliation import causes
from reconciliation.books import Comparison, Difference, KnownRefund, OrderBook, Total, joined, owners
from reconciliation.checks.refunded_sums import shown
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
        findings=() if explanation else (_made_outside(book, record),),
        totals={record.currency: Total(here=here, there=record.amount)},
    )


def _of_deleted(book: OrderBook, refund: KnownRefund) -> Comparison:
    return Comparison(
        findings=(_outside_deleted(book, refund),),
        totals={refund.currency: Total(here=refund.amount)},
    )


def _made_outside(book: OrderBook, record: RemoteRefund) -> Difference:
    """A refund in the shop that nothing here explains; one with a key like ours names what does not exist here."""
    return Difference(
        order_id=book.order_id,
        subject=f"refund:{record.refund_id}",
        cause=causes.REFERENCE_UNKNOWN if record.key else causes.MADE_OUTSIDE,
        side="only_there",
        about=f"Refund {record.refund_id}" + (f" by {record.author}" if record.author else ""),
        here="nothing",
        there=amount(record.amount, record.currency),
        amount=record.amount,
        currency=record.currency,
        refund_id=record.refund_id,
        return_id=book.only_return_id,
        evidence={"record": shown(record), **({"reference": record.key} if record.key else {})},
    )


def _outside_deleted(book: OrderBook, refund: KnownRefund) -> Difference:
    """A refund made outside that is gone; with ``is_gateway_paid`` the money went out all the same."""
    return Difference(
        order_id=book.order_id,
        subject=f"refund:{refund.refund_id}",
        cause=causes.OUTSIDE_DELETED,
        side="only_here",
        about=f"Refund {refund.refund_id}",
        here=amount(refund.amount, refund.currency),
        there="nothing",
        amount=refund.amount,
        currency=refund.currency,
        refund_id=refund.refund_id,
        return_id=refund.return_id or book.only_return_id,
        evidence={
            "record": {
                "refund": refund.refund_id,
                "amount": amount(refund.amount, refund.currency),
                "author": refund.author,
                "reason": refund.reason,
                "paid_by_the_gateway": refund.is_gateway_paid,
            }
        },
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
