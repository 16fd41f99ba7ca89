"""What the returns platform says it refunded, against what was refunded for it here and in the shop (S4-10). Pure.

A record that differs from our own book is the matter of ``refunded_sums``, a refund that is not there that of
``orders_left_open``: here both of our books agree, and the platform says another amount, to the minor unit beyond the
tolerance of the policy.
"""

from collections.abc import Sequence

from reconciliation import causes
from reconciliation.books import Comparison, Difference, OrderBook, Payout, Total, joined
from reconciliation.wording import amount


def compare(*, orders: Sequence[OrderBook]) -> Comparison:
    """Every refund of the platform that is done here."""
    return joined(_of_payout(book, payout) for book in orders for payout in book.payouts if payout.stage == "served")


def _of_payout(book: OrderBook, payout: Payout) -> Comparison:
    assert payout.sent is not None  # served
    totals = {payout.currency: Total(here=payout.amount, there=payout.sent)}
    if payout.is_accepted or abs(payout.amount - payout.sent) <= payout.tolerance:
        return Comparison(matched=1, totals=totals)
    found = Difference(
        order_id=book.order_id,
        subject=f"payout:{payout.return_id}:{payout.refund_id}",
        cause=causes.PLATFORM_AMOUNT_DIFFERS,
        side="mismatched",
        about=f"Refund {payout.refund_id}",
        here=amount(payout.amount, payout.currency),
        there=amount(payout.sent, payout.currency),
        amount=abs(payout.amount - payout.sent),
        currency=payout.currency,
        effect_id=payout.effect_id,
        return_id=payout.return_id,
        evidence={
            "amounts": {
                "platform": {"amount": amount(payout.amount, payout.currency)},
                "refunded": {"amount": amount(payout.sent, payout.currency)},
            },
            "tolerance": amount(payout.tolerance, payout.currency),
        },
    )
    return Comparison(findings=(found,), totals=totals)
