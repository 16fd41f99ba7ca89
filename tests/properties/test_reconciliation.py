"""Books that say the same never differ, whatever they say; one planted change is always found."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciliation.books import JudgedItem, KnownRefund, LedgerEffect, OrderBook
from reconciliation.checks import CHECKS
from returnsops import money, states
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund, RemoteRefundLine
from tests.reconciliation.books import AT

CURRENCIES = ("EUR", "JPY", "KWD")
EXPLANATIONS = ("return", "unrelated", "policy", "before_us")


@st.composite
def equal_books(draw: st.DrawFn) -> OrderBook:
    """An order with refunds and restocks of ours, refunds made outside that are explained, all in both books."""
    currency = draw(st.sampled_from(CURRENCIES))
    amounts = draw(st.lists(st.integers(1, 10**6), max_size=5))
    outside = draw(st.lists(st.integers(1, 10**6), max_size=3))
    units = draw(st.lists(st.integers(1, 4), max_size=4))
    paid = [money.from_minor(minor, currency=currency) for minor in amounts]
    effects = [_money(index, amount, currency) for index, amount in enumerate(paid)]
    known = [
        KnownRefund(
            refund_id=f"out{index}",
            amount=money.from_minor(minor, currency=currency),
            currency=currency,
            explanation=draw(st.sampled_from(EXPLANATIONS)),
        )
        for index, minor in enumerate(outside)
    ]
    restocks = [_restock(index, count) for index, count in enumerate(units)]
    unsent = draw(st.lists(st.sampled_from(sorted(states.UNSENT)), max_size=2))
    waiting = [
        replace(_money(100 + index, Decimal(1), currency), state=state, is_settled=False)
        for index, state in enumerate(unsent)
    ]
    shown = [_shown(effect, draw(st.booleans())) for effect in (*effects, *restocks)]
    shown += [_outside(refund) for refund in known]
    return OrderBook(
        order_id=1,
        name="shop/1",
        label="order 1",
        currency=currency,
        paid=Decimal(10**9),
        snapshot=_order(currency, draw(st.permutations(shown)), units),
        effects=tuple(draw(st.permutations([*effects, *restocks, *waiting]))),
        refunds=tuple(known),
        judged=tuple(
            JudgedItem(return_id=1, item_id=f"i{index}", line_id=f"l{index}", name="Tee", sellable=count)
            for index, count in enumerate(units)
        ),
        return_ids=(1,),
    )


@given(equal_books())
def test_equal_books_never_differ(book: OrderBook) -> None:
    for check in CHECKS:
        comparison = check.compare(orders=[book])
        assert comparison.findings == ()
        assert all(total.here == total.there for total in comparison.totals.values())


@given(equal_books(), st.data())
def test_one_change_in_the_shop_is_always_found(book: OrderBook, data: st.DataObject) -> None:
    assert book.snapshot is not None
    records = [record for record in book.records if record.key or record.refund_id.startswith("p")]
    if not records:
        return
    victim = data.draw(st.sampled_from(records))
    is_kept = data.draw(st.booleans()) and not victim.is_zero_money
    smallest = money.quantum(book.currency)
    others = [record for record in book.records if record is not victim]
    changed = [*others, replace(victim, amount=victim.amount + smallest)] if is_kept else others
    planted = replace(book, snapshot=replace(book.snapshot, refunds=tuple(changed)))
    found = [one for check in CHECKS for one in check.compare(orders=[planted]).findings]
    assert len(found) == 1
    if is_kept:
        assert found[0].amount == smallest


def _money(index: int, amount: Decimal, currency: str) -> LedgerEffect:
    return LedgerEffect(
        effect_id=index,
        key=f"refund:reveni/r:{index}",
        kind=states.REFUND,
        state=states.CONFIRMED,
        is_settled=True,
        is_moving=False,
        amount=amount,
        currency=currency,
        remote_id=f"m{index}",
        return_id=1,
    )


def _restock(index: int, units: int) -> LedgerEffect:
    return LedgerEffect(
        effect_id=1000 + index,
        key=f"restock:reveni/r:i{index}:{units}",
        kind=states.RESTOCK,
        state=states.DONE,
        is_settled=True,
        is_moving=False,
        quantity=units,
        line_id=f"l{index}",
        item_id=f"i{index}",
        remote_id=f"p{index}",
        return_id=1,
    )


def _shown(effect: LedgerEffect, is_second: bool) -> RemoteRefund:
    lines = (RemoteRefundLine(line_id=effect.line_id, quantity=effect.quantity, net=Decimal(0)),)
    return RemoteRefund(
        refund_id=effect.remote_id,
        amount=effect.amount or Decimal(0),
        currency=effect.currency or "EUR",
        created_at=AT,
        key=f"{effect.key}#2" if is_second else effect.key,
        lines=lines if effect.kind == states.RESTOCK else (),
    )


def _outside(refund: KnownRefund) -> RemoteRefund:
    return RemoteRefund(refund_id=refund.refund_id, amount=refund.amount, currency=refund.currency, created_at=AT)


def _order(currency: str, records: list[RemoteRefund], units: list[int]) -> OrderSnapshot:
    lines = tuple(
        OrderLineSnapshot(line_id=f"l{index}", kind="item", name="Tee", quantity=5, net=Decimal(1), reduced_stock=5 - n)
        for index, n in enumerate(units)
    )
    return OrderSnapshot(
        order_id="1",
        number="1",
        status="completed",
        currency=currency,
        total=Decimal(10**9),
        lines=lines,
        refunds=tuple(records),
        placed_at=AT,
        modified_at=AT,
    )
