"""Refunded at the returns platform, order still open in the shop (S4-6). Pure.

Open is what the shop shows: no refund that pays for the return, or a state in which something is still to be done
though all of the order is refunded. What was done here and is missing there is the matter of ``refunded_sums``.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from reconciliation import causes
from reconciliation.books import Comparison, Difference, OrderBook, Payout, joined, owners, silent
from reconciliation.wording import amount, state_words
from returnsops import states

NO_STATE: Final = "The shop does not say whether an order in this state is still open."
OTHER_CURRENCY: Final = "The platform refunded in another currency than the order's."
# Standing still: at once, or once the shop had time to follow.
_AT_ONCE: Final = frozenset({"held", "refused"})
_WHEN_OVERDUE: Final = frozenset({"missing", "platform_writes"})


def compare(*, orders: Sequence[OrderBook]) -> Comparison:
    """The platform's refunds against those the order shows, and orders refunded in full against their state."""
    return joined(_of_order(book) for book in orders)


def _of_order(book: OrderBook) -> Comparison:
    if book.snapshot is None:
        return Comparison()
    returns = dict.fromkeys(payout.return_id for payout in book.payouts)
    return joined([*(_of_return(book, return_id) for return_id in returns), *_state(book)])


def _of_return(book: OrderBook, return_id: int) -> Comparison:
    payouts = [payout for payout in book.payouts if payout.return_id == return_id]
    if any(payout.currency != book.currency for payout in payouts):
        return silent(OTHER_CURRENCY, count=len(payouts))
    shown = _shown_for(book, return_id)
    left = sum((payout.amount for payout in payouts), Decimal(0)) - shown
    if left <= max(payout.tolerance for payout in payouts):
        return Comparison(matched=len(payouts))
    still = [payout for payout in payouts if _stands_still(payout)]
    return Comparison(
        matched=sum(payout.stage == "served" for payout in payouts),
        findings=tuple(_not_shown(book, payout, shown) for payout in still),
    )


def _shown_for(book: OrderBook, return_id: int) -> Decimal:
    """The sum of refunds in the shop that are this return's: made by us, or by others to pay for it."""
    owner_of = owners(book, states.MONEY_KINDS)
    mine = {effect.key for effect in book.effects if effect.return_id == return_id}
    paying = {refund_id for owner, refund_id in book.paying if owner == return_id}
    return sum(
        (
            record.amount
            for record in book.records
            if owner_of.get(record.refund_id) in mine or record.refund_id in paying
        ),
        Decimal(0),
    )


def _stands_still(payout: Payout) -> bool:
    return payout.stage in _AT_ONCE or (payout.stage in _WHEN_OVERDUE and payout.is_overdue)


def _not_shown(book: OrderBook, payout: Payout, shown: Decimal) -> Difference:
    assert book.snapshot is not None  # the caller asked
    return Difference(
        order_id=book.order_id,
        subject=f"payout:{payout.return_id}:{payout.refund_id}",
        cause=causes.REFUND_NOT_SHOWN,
        side="only_here",
        about=f"Refund {payout.refund_id} of the platform",
        here=amount(payout.amount, payout.currency),
        there=f"{amount(shown, book.currency)} for its return, order {state_words(book.snapshot.status)}",
        amount=payout.amount,
        currency=payout.currency,
        effect_id=payout.effect_id,
        return_id=payout.return_id,
        evidence={
            "amounts": {
                "platform": {"amount": amount(payout.amount, payout.currency)},
                "in_the_shop": {"amount": amount(shown, book.currency)},
            },
            "order_in_the_shop": book.snapshot.status,
            **({"waits": payout.waits} if payout.waits else {}),
        },
    )


def _state(book: OrderBook) -> Iterable[Comparison]:
    """An order with nothing left of what was paid is finished; one refunded beyond that has worse to be settled."""
    assert book.snapshot is not None  # the caller asked
    refunded = sum((record.amount for record in book.records), Decimal(0))
    is_of_return = bool(book.payouts) or any(effect.kind in states.MONEY_KINDS for effect in book.effects)
    is_in_full = _once_each(book) == refunded == book.snapshot.total
    if not is_of_return or not is_in_full or not refunded:
        return
    if book.snapshot.is_open is None:
        yield silent(NO_STATE)
    elif not book.snapshot.is_open:
        yield Comparison(matched=1)
    else:
        yield Comparison(findings=(_left_open(book, refunded),))


def _once_each(book: OrderBook) -> Decimal:
    """What the records come to where each refund of ours counts once, however often it stands there."""
    owner_of = owners(book, states.MONEY_KINDS)
    kept = {owner_of.get(record.refund_id, record.refund_id): record.amount for record in book.records}
    return sum(kept.values(), Decimal(0))


def _left_open(book: OrderBook, refunded: Decimal) -> Difference:
    assert book.snapshot is not None  # the caller asked
    return Difference(
        order_id=book.order_id,
        subject="state",
        cause=causes.ORDER_LEFT_OPEN,
        side="mismatched",
        about="The whole order",
        here=f"refunded with {amount(refunded, book.currency)}",
        there=state_words(book.snapshot.status),
        return_id=book.only_return_id,
        evidence={
            "amounts": {
                "paid": {"amount": amount(book.snapshot.total, book.currency)},
                "refunded": {"amount": amount(refunded, book.currency)},
            },
            "order_in_the_shop": book.snapshot.status,
        },
    )
