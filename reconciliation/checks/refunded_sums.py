"""What our ledger says was refunded on an order, against what the shop shows, to the minor unit. Pure.

Compared record by record, so that two mistakes never cancel each other out in a sum. Refunds made outside that
nobody explained yet, or that were deleted, are the matter of ``refunds_outside`` and in its sums.
"""

from collections.abc import Sequence
from decimal import Decimal

from reconciliation import causes
from reconciliation.books import Comparison, Difference, LedgerEffect, OrderBook, Total, joined, owners
from reconciliation.wording import amount, effect_words, state_words
from returnsops import states
from returnsops.facts import RemoteRefund


def compare(*, orders: Sequence[OrderBook]) -> Comparison:
    """Every refund of ours and every attributed one here, against the records with money there."""
    return joined(_of_order(book) for book in orders)


def _of_order(book: OrderBook) -> Comparison:
    owner_of = owners(book, states.MONEY_KINDS)
    records = [record for record in book.records if not record.is_zero_money]
    parts = [
        _of_effect(book, effect, [record for record in records if owner_of.get(record.refund_id) == effect.key])
        for effect in book.effects
        if effect.kind in states.MONEY_KINDS
    ]
    parts.extend(_of_foreign(book, record) for record in records if record.refund_id not in owner_of)
    return joined(parts)


def _of_effect(book: OrderBook, effect: LedgerEffect, records: list[RemoteRefund]) -> Comparison:
    """One effect and the records that carry its key."""
    if effect.is_moving:
        return Comparison()
    there = sum((record.amount for record in records), Decimal(0))
    if not effect.is_settled:
        if not records:
            return Comparison()
        found = _difference(book, effect, records, cause=causes.NOT_SETTLED_HERE, side="only_there")
        return _part(there=there, currency=effect.currency, found=found)
    here = effect.amount or Decimal(0)
    if not records:
        found = _difference(book, effect, records, cause=_why_missing(book, effect), side="only_here")
        return _part(here=here, currency=effect.currency, found=found)
    foreign = next((record for record in records if record.currency != effect.currency), None)
    if len(records) == 1 and there == here and foreign is None:
        return _part(here=here, there=there, currency=effect.currency)
    cause = causes.RECORDED_TWICE if len(records) > 1 else causes.AMOUNT_DIFFERS
    return _part(
        here=here,
        there=there,
        currency=effect.currency,
        found=_difference(book, effect, records, cause=cause, side="mismatched"),
    )


def _why_missing(book: OrderBook, effect: LedgerEffect) -> str:
    if book.snapshot is None:
        return causes.ORDER_GONE
    gone = {refund.refund_id for refund in book.refunds if refund.is_vanished}
    return causes.RECORD_DELETED if effect.remote_id in gone else causes.RECORD_MISSING


def _difference(
    book: OrderBook, effect: LedgerEffect, records: Sequence[RemoteRefund], *, cause: str, side: str
) -> Difference:
    here = effect.amount or Decimal(0)
    there = sum((record.amount for record in records), Decimal(0))
    is_done = effect.is_settled
    return Difference(
        order_id=book.order_id,
        subject=f"effect:{effect.effect_id}",
        cause=cause,
        side=side,  # type: ignore[arg-type]
        about=effect_words(effect),
        here=amount(here, effect.currency) if is_done else state_words(effect.state),
        there=", ".join(amount(record.amount, record.currency) for record in records) or "nothing",
        amount=abs(here - there) if is_done and here != there else max(here, there),
        currency=effect.currency,
        effect_id=effect.effect_id,
        refund_id=records[0].refund_id if records else effect.remote_id,
        return_id=effect.return_id or book.only_return_id,
        evidence={
            "amounts": {
                "here": {"amount": amount(here, effect.currency), "state": state_words(effect.state)},
                "in_the_shop": {"amount": amount(there, effect.currency), "records": len(records)},
            },
            "key": effect.key,
            "records": [shown(record) for record in records] or "none",
        },
    )


def _of_foreign(book: OrderBook, record: RemoteRefund) -> Comparison:
    """A record that no effect of ours made: where it is explained it is in our book too."""
    known = next((refund for refund in book.refunds if refund.refund_id == record.refund_id), None)
    if known is None or known.explanation in ("", "in_flight"):
        return Comparison()
    return _part(here=record.amount, there=record.amount, currency=record.currency)


def _part(
    *, currency: str, here: Decimal = Decimal(0), there: Decimal = Decimal(0), found: Difference | None = None
) -> Comparison:
    return Comparison(
        matched=0 if found else 1,
        findings=(found,) if found else (),
        totals={currency: Total(here=here, there=there)},
    )


def shown(record: RemoteRefund) -> dict[str, str]:
    """A record as evidence."""
    return {
        "refund": record.refund_id,
        "amount": amount(record.amount, record.currency),
        "made_at": record.created_at.isoformat(),
        "author": record.author,
        "reason": record.reason[:200],
    }
