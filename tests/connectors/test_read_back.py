"""What the shop holds under our keys beyond the ledger."""

from decimal import Decimal

import pytest

from connectors.read_back import unexplained
from returnsops import states
from returnsops.facts import OrderSnapshot, RemoteRefund
from tests.factories import NOW

D = Decimal
KEY = "refund:reveni/ret-1:1"


def order(*refunds: tuple[str, str, str]) -> OrderSnapshot:
    """An order of 60.00 GBP with refunds: id, amount, key."""
    return OrderSnapshot(
        order_id="1",
        number="1",
        status="completed",
        currency="GBP",
        total=D("60.00"),
        lines=(),
        refunds=tuple(
            RemoteRefund(refund_id=number, amount=D(amount), currency="GBP", created_at=NOW, key=key)
            for number, amount, key in refunds
        ),
        placed_at=NOW,
        modified_at=NOW,
    )


@pytest.mark.parametrize("state", states.EFFECT_STATES)
def test_a_refund_under_our_key_is_explained_only_by_an_effect_that_was_sent(state: str) -> None:
    found = unexplained(order=order(("901", "20.00", KEY)), ledger={KEY: (D("20.00"), "", state)})
    is_ours = state in states.COMMITTED
    assert found["amount"] == (D(0) if is_ours else D("20.00"))
    assert found["records"] == ([] if is_ours else [{"refund": "901", "amount": "20.00", "key": KEY}])
