"""One order against its returns, where a journey would need too many words: what pays what, and what counts as back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciliation.audit import gaps, orders
from reconciliation.audit.books import Decided, Returned, returned
from reconciliation.audit.matching import Index, contradicts
from reconciliation.audit.money import Frame
from reconciliation.audit.orders import OrderFound
from returnsops.facts import (
    CreditIssued,
    ExchangeCancelled,
    ExchangeRequested,
    InspectedItem,
    InspectionCompleted,
    ItemsInspected,
    OrderLineSnapshot,
    OrderSnapshot,
    RefundFailed,
    RefundIssued,
    RemoteRefund,
    RemoteRefundLine,
    ReturnItem,
    ReturnSeen,
    ReturnSnapshot,
)

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
FRAME = Frame(since=AT - timedelta(days=30), overdue_before=AT - timedelta(days=7), apart_words=("goodwill",))
TEN = Decimal("10.00")


def order(*records: RemoteRefund, sold: int = 4, held: int | None = 4) -> OrderSnapshot:
    """Two lines of 10.00 a unit, and shipping."""
    goods = [
        OrderLineSnapshot(
            line_id=line_id, kind="item", name=f"Tee {line_id}", quantity=sold, net=TEN * sold, reduced_stock=held
        )
        for line_id in ("1", "2")
    ]
    shipping = OrderLineSnapshot(line_id="9", kind="shipping", name="Post", quantity=1, net=Decimal("5.00"))
    return OrderSnapshot(
        order_id="70",
        number="70",
        status="completed",
        currency="EUR",
        total=TEN * 8 + 5,
        lines=(*goods, shipping),
        refunds=records,
        placed_at=AT - timedelta(days=25),
        modified_at=AT,
    )


def record(amount: str, *, id: str = "r1", units: int = 0, line: str = "1", days: int = 8, **more: Any) -> RemoteRefund:
    """A refund of so many days ago, naming units of a line."""
    lines = (RemoteRefundLine(line_id=line, quantity=units, net=Decimal(amount)),) if units else ()
    return RemoteRefund(
        refund_id=id,
        amount=Decimal(amount),
        currency="EUR",
        created_at=AT - timedelta(days=days),
        **{"lines": lines, **more},
    )


def back(
    *amounts: str, id: str = "ret_1", units: int = 1, line: str = "1", by: str = "commerce_platform", **more: Any
) -> Returned:
    """A closed return of units of a line, with refunds decided nine days ago."""
    item = ReturnItem(item_id="i1", sku="", quantity=units, order_line_id=line, total=TEN * units)
    decided = tuple(
        Decided(
            refund_id=f"rfd_{id}_{number}",
            amount=Decimal(amount),
            currency="EUR",
            executed_by=by,
            issued_at=AT - timedelta(days=9),
        )
        for number, amount in enumerate(amounts)
    )
    made = Returned(
        return_id=id,
        number=f"RMA-{id}",
        platform="reveni",
        order_id="70",
        order_number="",
        channel="",
        currency="EUR",
        status="closed",
        created_at=AT - timedelta(days=10),
        updated_at=AT - timedelta(days=9),
        items=(item,),
        decided=decided,
    )
    return replace(made, **more)


def found(shown: OrderSnapshot, *returns: Returned) -> list[tuple[str, Decimal | None, int | None]]:
    """Cause, amount and units of each gap."""
    result: OrderFound = orders.compare(shown, returns, FRAME)
    return [(gap.cause, gap.amount, gap.quantity) for gap in result.gaps]


def test_one_record_pays_three_refunds_and_three_records_pay_one() -> None:
    three = [back("10.00", id=f"ret_{number}") for number in range(3)]
    assert found(order(record("30.00")), *three) == []
    parts = (record("3.00", id="a"), record("3.00", id="b"), record("4.00", id="c"))
    assert found(order(*parts), back("10.00")) == []


def test_a_record_that_names_the_refund_is_that_refund_whatever_is_nearer() -> None:
    near = record("10.00", id="near", days=9)
    named = record("10.00", id="named", reason="Reveni rfd_ret_1_0", days=1)
    result = orders.compare(order(near, named), [back("10.00")], FRAME)
    assert [(gap.cause, gap.refund_id) for gap in result.gaps] == [(gaps.REFUNDED_TWICE, "near")]


def test_a_second_record_that_names_the_refund_is_one_too_many() -> None:
    first, second = (record("10.00", id=id, key="refund:reveni/ret_1:rfd_ret_1_0") for id in ("a", "b"))
    result = orders.compare(order(first, second), [back("10.00")], FRAME)
    assert [(gap.cause, gap.refund_id) for gap in result.gaps] == [(gaps.REFUNDED_TWICE, "b")]


def test_an_id_inside_another_id_names_nothing() -> None:
    twenty = record("20.00", reason="for ret_10", units=2, line="2")
    assert found(order(twenty), back("10.00")) == [
        (gaps.NOT_EXPLAINED, Decimal("20.00"), None),
        (gaps.NOT_IN_SHOP, TEN, None),
    ]


def test_a_record_from_before_the_window_explains_and_is_never_a_gap() -> None:
    old = record("10.00", days=40)
    assert found(order(old), back("10.00")) == []
    assert found(order(old)) == []
    assert found(order(old, record("10.00", id="new")), back("10.00")) == [(gaps.REFUNDED_TWICE, TEN, None)]


def test_a_return_from_before_the_window_explains_and_is_never_a_gap() -> None:
    old = back("10.00", updated_at=AT - timedelta(days=40))
    assert found(order(record("10.00")), old) == []
    assert found(order(), old) == []


def test_goods_that_came_back_explain_partial_refunds_up_to_their_units_and_value() -> None:
    bare = back(units=2)
    halves = (record("10.00", id="a", units=1), record("8.00", id="b", units=1))
    assert found(order(*halves), bare) == []
    third = record("2.00", id="c", units=1)
    assert found(order(*halves, third), bare) == [(gaps.MORE_THAN_DECIDED, Decimal("2.00"), None)]
    assert found(order(record("21.00", units=2)), bare) == [(gaps.NOT_EXPLAINED, Decimal("21.00"), None)]


@pytest.mark.parametrize("status", ["declined", "cancelled", "expired"])
def test_an_ended_return_explains_nothing_by_its_goods(status: str) -> None:
    assert found(order(record("10.00", units=1)), back(status=status)) == [(gaps.NOT_EXPLAINED, TEN, None)]


def test_the_gateways_payment_beside_the_platforms_is_a_double_even_where_amounts_agree() -> None:
    paid = record("10.00", is_gateway_paid=True)
    assert found(order(paid), back("10.00", by="returns_platform")) == [(gaps.PAID_BY_BOTH, TEN, None)]
    assert found(order(paid), back("10.00")) == []


def test_goodwill_is_set_apart_unless_it_names_units() -> None:
    apart = orders.compare(order(record("5.00", reason="Goodwill, late parcel")), [], FRAME)
    assert (apart.gaps, [one.why for one in apart.apart]) == ((), ["its reason says 'goodwill'"])
    assert found(order(record("5.00", reason="goodwill", units=1))) == [(gaps.NOT_EXPLAINED, Decimal("5.00"), None)]


def test_more_units_back_than_were_sold_is_found_without_any_return() -> None:
    shown = order(record("10.00", units=1), held=-1)
    assert [(gap.cause, gap.quantity) for gap in orders.shop_side(shown, FRAME).gaps] == [
        (gaps.RESTOCKED_TOO_OFTEN, 1),
        (gaps.RESTOCKED_TOO_OFTEN, 1),
    ]


def test_the_shops_side_alone_finds_more_refunded_than_paid() -> None:
    shown = order(record("60.00", id="a", units=4), record("30.00", id="b", units=1, line="2"))
    assert [(gap.cause, gap.amount) for gap in orders.shop_side(shown, FRAME).gaps] == [
        (gaps.OVER_REFUNDED, Decimal("5.00"))
    ]


def test_two_returns_of_one_line_share_what_went_back_the_oldest_first() -> None:
    judged: dict[str, Any] = {"sellable": {"i1": 1}, "judged_at": AT - timedelta(days=9)}
    first = back("10.00", id="ret_1", **judged)
    second = back("10.00", id="ret_2", created_at=AT - timedelta(days=9), **judged)
    shown = order(record("10.00", id="a"), record("10.00", id="b"), held=3)
    result = orders.compare(shown, [first, second], FRAME)
    assert [(gap.cause, gap.return_id, gap.quantity) for gap in result.gaps] == [(gaps.NOT_RESTOCKED, "ret_2", 1)]


def test_what_an_open_return_would_send_is_said_in_words() -> None:
    wanted = back("10.00", status="inspected", exchanges_wanted=1, credits_wanted=((Decimal("12.50"), "EUR"),))
    (gap,) = orders.compare(order(), [replace(wanted, updated_at=AT, decided=_fresh(wanted))], FRAME).gaps
    assert gap.text == (
        "Return RMA-ret_1 is inspected: refunds of 10.00 EUR, 1 replacement order(s), credit of 12.50 EUR."
    )
    assert (gap.kind, gap.amount) == (gaps.OPEN_RETURN, Decimal("22.50"))


def _fresh(found: Returned) -> tuple[Decided, ...]:
    return tuple(replace(decided, issued_at=AT - timedelta(days=1)) for decided in found.decided)


# --- which return means which order ---------------------------------------------------------------------------------


def test_the_id_decides_and_a_number_only_where_no_other_id_is_told() -> None:
    index = Index()
    for id, order_id, number in (
        ("by-id", "70", ""),
        ("by-number", "", "#70"),
        ("number-as-id", "70", "70"),
        ("other-id", "71", "70"),
    ):
        index.add(back(id=id, order_id=order_id, order_number=number))
    assert {one.return_id for one in index.of(order())} == {"by-id", "by-number", "number-as-id"}
    index.assign("70", back(id="other-id", order_id="71", order_number="70"))
    assert len(index.of(order())) == 4


def test_a_return_read_again_with_another_order_leaves_the_first() -> None:
    index = Index()
    index.add(back())
    index.add(back(order_id="71"))
    assert index.of(order()) == ()
    assert index.count == 1


def test_an_id_with_a_foreign_number_is_a_contradiction() -> None:
    assert contradicts(order(), back(order_number="#77"))
    assert not contradicts(order(), back(order_number="# 70"))
    assert not contradicts(order(), back(order_id="71", order_number="77"))


# --- verdicts ---------------------------------------------------------------------------------------------------------


def _told(*facts_told: Any) -> Returned:
    snapshot = ReturnSnapshot(
        return_id="ret_1",
        revision=3,
        status="inspected",
        mode="on_receipt",
        order_id="70",
        currency="EUR",
        items=(ReturnItem(item_id="i1", sku="", quantity=3, order_line_id="1", total=None),),
        created_at=AT,
        updated_at=AT,
    )
    seen = ReturnSeen(return_id="ret_1", revision=3, occurred_at=AT, snapshot=snapshot)
    made = returned([seen, *facts_told], platform="reveni")
    assert made is not None
    return made


def _verdict(disposition: str, quantity: int, **more: Any) -> InspectedItem:
    given = {"outcome": "accepted", "is_final": True, "inspected_at": AT, **more}
    return InspectedItem(item_id="i1", quantity=quantity, disposition=disposition, **given)


def test_verdicts_count_once_final_only_and_never_more_than_came_back() -> None:
    sellable, damaged = _verdict("sellable", 1), _verdict("damaged", 9)
    parts = [sellable, sellable, damaged, _verdict("sellable", 5, is_final=False)]
    told = [ItemsInspected(return_id="ret_1", occurred_at=AT, items=(part,), source="platform") for part in parts]
    assert (_told(*told).sellable, _told(*told).unsellable) == ({"i1": 1}, {"i1": 3})
    refused = _verdict("sellable", 2, outcome="rejected")
    whole = InspectionCompleted(return_id="ret_1", occurred_at=AT, items=(refused,), source="platform")
    assert (_told(*told, whole).sellable, _told(*told, whole).unsellable) == ({}, {"i1": 2})


def test_what_the_platform_only_plans_or_took_back_is_no_refund() -> None:
    issued = RefundIssued(
        return_id="ret_1", occurred_at=AT, refund_id="a", amount=TEN, currency="EUR", executed_by="returns_platform"
    )
    failed = RefundFailed(return_id="ret_1", occurred_at=AT, refund_id="a", code="account_closed")
    assert [decided.refund_id for decided in _told(issued).decided] == ["a"]
    assert _told(issued, failed).decided == ()
    assert _told(replace(issued, amount=Decimal(0))).decided == ()
    wanted = ExchangeRequested(return_id="ret_1", occurred_at=AT, exchange_id="e", lines=())
    gone = ExchangeCancelled(return_id="ret_1", occurred_at=AT, exchange_id="e")
    assert (_told(wanted).exchanges_wanted, _told(wanted, gone).exchanges_wanted) == (1, 0)
    credit = CreditIssued(
        return_id="ret_1", occurred_at=AT, credit_id="c", kind="gift_card", amount=TEN, currency="EUR", bonus=Decimal(1)
    )
    assert _told(credit).credits_wanted == ()
    assert _told(replace(credit, executed_by="commerce_platform")).credits_wanted == ((Decimal("11.00"), "EUR"),)


def test_a_return_whose_facts_do_not_show_it_cannot_be_compared() -> None:
    assert returned([], platform="reveni") is None
