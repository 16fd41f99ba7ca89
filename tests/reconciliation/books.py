"""Books of one order as pure data: a refund of 30.00 EUR and a restock of one unit, both done and in the shop."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from reconciliation.books import JudgedItem, KnownRefund, LedgerEffect, Mark, OrderBook, Payout, ReturnedUnits
from returnsops import states
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund, RemoteRefundLine

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
REFUND_KEY, RESTOCK_KEY = "refund:reveni/ret_1:rfd_1", "restock:reveni/ret_1:item_1:1"


def money_effect(**changes: Any) -> LedgerEffect:
    """Refund 30.00 EUR, confirmed as record 12."""
    effect = LedgerEffect(
        effect_id=1,
        key=REFUND_KEY,
        kind=states.REFUND,
        state=states.CONFIRMED,
        is_settled=True,
        is_moving=False,
        amount=Decimal("30.0000"),
        currency="EUR",
        remote_id="12",
        return_id=7,
    )
    return replace(effect, **changes)


def stock_effect(**changes: Any) -> LedgerEffect:
    """Restock of one unit of line 5, confirmed as record 13."""
    effect = LedgerEffect(
        effect_id=2,
        key=RESTOCK_KEY,
        kind=states.RESTOCK,
        state=states.CONFIRMED,
        is_settled=True,
        is_moving=False,
        quantity=1,
        line_id="5",
        item_id="item_1",
        remote_id="13",
        return_id=7,
    )
    return replace(effect, **changes)


def unsettled(effect: LedgerEffect, state: str) -> LedgerEffect:
    """The same effect, not done."""
    return replace(effect, state=state, is_settled=False, is_moving=state in states.IN_FLIGHT)


def money_record(**changes: Any) -> RemoteRefund:
    """The shop's record of the refund."""
    record = RemoteRefund(refund_id="12", amount=Decimal("30.00"), currency="EUR", created_at=AT, key=REFUND_KEY)
    return replace(record, **changes)


def stock_record(*, units: int = 1, line_id: str = "5", **changes: Any) -> RemoteRefund:
    """The shop's record of the restock."""
    lines = (RemoteRefundLine(line_id=line_id, quantity=units, net=Decimal(0)),)
    record = RemoteRefund(
        refund_id="13", amount=Decimal(0), currency="EUR", created_at=AT, key=RESTOCK_KEY, lines=lines
    )
    return replace(record, **changes)


def known(**changes: Any) -> KnownRefund:
    """A refund of 5.00 EUR made outside, as our rows know it."""
    refund = KnownRefund(refund_id="20", amount=Decimal("5.00"), currency="EUR", author="WordPress user 1")
    return replace(refund, **changes)


def outside_record(**changes: Any) -> RemoteRefund:
    """The shop's record of it."""
    record = RemoteRefund(
        refund_id="20", amount=Decimal("5.00"), currency="EUR", created_at=AT, author="WordPress user 1"
    )
    return replace(record, **changes)


def judged(**changes: Any) -> JudgedItem:
    """One unit of line 5, sellable for good."""
    return replace(JudgedItem(return_id=7, item_id="item_1", line_id="5", name="Tee", sellable=1), **changes)


def payout(**changes: Any) -> Payout:
    """The platform's refund of 30.00 EUR, done here by the money effect."""
    made = Payout(
        return_id=7,
        refund_id="rfd_1",
        amount=Decimal("30.00"),
        currency="EUR",
        stage="served",
        effect_id=1,
        effect_key=REFUND_KEY,
        sent=Decimal("30.0000"),
        is_overdue=True,
    )
    return replace(made, **changes)


def returned_units(**changes: Any) -> ReturnedUnits:
    """One unit of line 5, worth 30.00 EUR, comes back with return A."""
    made = ReturnedUnits(
        return_id=7, label="A", line_id="5", name="Tee", units=1, worth=Decimal("30.00"), currency="EUR"
    )
    return replace(made, **changes)


def mark(**changes: Any) -> Mark:
    """The note that the return is authorised, written."""
    made = Mark(
        effect_id=4,
        return_id=7,
        kind="note",
        name="[A/authorised]",
        text="Return A authorised. [A/authorised]",
        state=states.DONE,
        is_settled=True,
        is_moving=False,
    )
    return replace(made, **changes)


def snapshot(
    *records: RemoteRefund,
    total: str = "60.00",
    currency: str = "EUR",
    reduced: int | None = 1,
    **changes: Any,
) -> OrderSnapshot:
    """Two units of one line; ``reduced``: how many of them the line still holds as taken from stock."""
    line = OrderLineSnapshot(
        line_id="5", kind="item", name="Tee", quantity=2, net=Decimal(total), reduced_stock=reduced
    )
    made = OrderSnapshot(
        order_id="11",
        number="11",
        status="completed",
        currency=currency,
        total=Decimal(total),
        lines=(line,),
        refunds=records,
        placed_at=AT,
        modified_at=AT,
    )
    return replace(made, **changes)


def book(**changes: Any) -> OrderBook:
    """Both books agree."""
    made = OrderBook(
        order_id=3,
        name="shop/11",
        label="order 11",
        currency="EUR",
        paid=Decimal("60.00"),
        snapshot=snapshot(money_record(), stock_record()),
        effects=(money_effect(), stock_effect()),
        judged=(judged(),),
        return_ids=(7,),
    )
    return replace(made, **changes)
