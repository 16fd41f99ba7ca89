"""order_snapshot on what a real store answered, and on what no store should."""

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.woocommerce.orders import Product, Reading, amount_of, order_snapshot, reading_of, remote_refund
from returnsops.facts import OrderLineSnapshot, RemoteRefundLine, TaxShare
from returnsops.money import MoneyError
from tests.connectors.woocommerce.recordings import answer_of, load

D = Decimal
PLAIN = Reading()


@pytest.fixture
def order() -> Any:
    return answer_of("orders/get_order")


def test_the_recorded_order_line_by_line(order: Any) -> None:
    snapshot = order_snapshot(order, [], products={}, reading=PLAIN)

    assert snapshot.lines == (
        OrderLineSnapshot(
            line_id="1",
            kind="item",
            name="Linen shirt",
            quantity=3,
            net=D("71.22"),
            taxes=(TaxShare(rate_id="1", amount=D("14.96")),),
            sku="SHIRT-1",
            product_id="10",
            reduced_stock=3,
        ),
        OrderLineSnapshot(
            line_id="2",
            kind="item",
            name="Guide book",
            quantity=2,
            net=D("25.33"),
            taxes=(TaxShare(rate_id="2", amount=D("2.53")),),
            sku="BOOK-1",
            product_id="11",
            reduced_stock=2,
        ),
        OrderLineSnapshot(
            line_id="3",
            kind="shipping",
            name="Flat rate",
            quantity=1,
            net=D("5.00"),
            taxes=(TaxShare(rate_id="1", amount=D("1.05")),),
        ),
    )
    assert sum(line.net + sum(t.amount for t in line.taxes) for line in snapshot.lines) == snapshot.total == D("120.09")


def test_the_recorded_order_as_a_whole(order: Any) -> None:
    snapshot = order_snapshot(order, [], products={}, reading=PLAIN)

    assert (snapshot.order_id, snapshot.number, snapshot.status, snapshot.currency) == ("18", "18", "processing", "EUR")
    assert snapshot.placed_at == datetime(2026, 11, 20, 20, 59, 10, tzinfo=UTC)
    assert snapshot.modified_at == snapshot.paid_at == datetime(2026, 11, 20, 20, 59, 11, tzinfo=UTC)
    assert (snapshot.customer_id, snapshot.customer_email) == ("", "ana@example.test")
    assert (snapshot.channel, snapshot.payment_method) == ("rest-api", "bacs")
    assert (snapshot.is_locked, snapshot.lock_reason, snapshot.is_gone) == (False, "", False)
    assert snapshot.meta == {}, "meta of others may hold customer data and is not kept"


def test_a_fee_of_the_order_and_what_was_given_back_of_it_count() -> None:
    row = answer_of("orders/create_order_line_discount")
    given_back = answer_of("refunds/shipping_line_refund") | {"amount": "1.21", "shipping_lines": []}
    given_back["fee_lines"] = [
        row["fee_lines"][0]
        | {
            "id": 40,
            "total": "-1.00",
            "total_tax": "-0.21",
            "taxes": [{"id": 1, "total": "-0.21", "subtotal": ""}],
            "meta_data": [{"id": 251, "key": "_refunded_item_id", "value": "18"}],
        }
    ]

    snapshot = order_snapshot(row, [given_back], products={}, reading=PLAIN)

    fees = [(line.line_id, line.name, line.quantity, line.net) for line in snapshot.lines if line.kind == "fee"]
    assert fees == [("18", "Gift wrap", 1, D("3.00"))]
    assert sum(line.net + sum(t.amount for t in line.taxes) for line in snapshot.lines) == snapshot.total == D("58.08")
    assert snapshot.refunds[0].lines == (
        RemoteRefundLine(line_id="18", quantity=0, net=D("1.00"), taxes=(TaxShare(rate_id="1", amount=D("0.21")),)),
    )


def test_a_refund_is_positive_and_names_the_order_line() -> None:
    refund = remote_refund(answer_of("refunds/partial_by_line_restock_true_meta"), currency="EUR", reading=PLAIN)

    assert refund.amount == D("28.73")
    assert refund.lines == (
        RemoteRefundLine(line_id="1", quantity=1, net=D("23.74"), taxes=(TaxShare(rate_id="1", amount=D("4.99")),)),
    )
    assert refund.created_at == datetime(2026, 11, 20, 21, 0, 25, tzinfo=UTC)
    assert (refund.author, refund.reason, refund.key, refund.is_gateway_paid) == ("WordPress user 1", "size", "", False)


def test_a_shipping_refund_names_the_shipping_line() -> None:
    refund = remote_refund(answer_of("refunds/shipping_line_refund"), currency="EUR", reading=PLAIN)

    assert refund.lines == (
        RemoteRefundLine(line_id="3", quantity=0, net=D("5.00"), taxes=(TaxShare(rate_id="1", amount=D("1.05")),)),
    )


def test_a_refund_without_amount_and_one_without_money() -> None:
    empty = remote_refund(answer_of("refunds/no_amount_no_lines"), currency="EUR", reading=PLAIN)
    restock = remote_refund(answer_of("stock/zero_money_refund_restocks_one"), currency="EUR", reading=PLAIN)

    assert (empty.amount, empty.lines) == (D(0), ())
    assert restock.is_zero_money
    assert restock.lines == (RemoteRefundLine(line_id="70", quantity=1, net=D(0)),)


def test_reduced_stock_falls_with_a_restock() -> None:
    snapshot = order_snapshot(answer_of("stock/order_after_zero_money_refund"), [], products={}, reading=PLAIN)
    assert [(line.line_id, line.quantity, line.reduced_stock) for line in snapshot.lines] == [("70", 2, 1)]


def test_all_refunds_of_the_recorded_list_are_read() -> None:
    rows = answer_of("refunds/list_refunds_per_page_100")
    snapshot = order_snapshot(answer_of("orders/get_order"), rows, products={}, reading=PLAIN)

    assert len(snapshot.refunds) == len(rows) == 14
    assert sum(refund.amount for refund in snapshot.refunds) == sum((amount_of(row["amount"]) for row in rows), D(0))


def test_variations_that_show_their_parents_sku_are_ambiguous() -> None:
    parent = {"13": Product(product_id="13", kind="variable", sku="TRAIN")}
    order = answer_of("orders/create_paid_order_variations")

    snapshot = order_snapshot(order, [], products=parent, reading=PLAIN)

    flags = {line.name: line.is_sku_ambiguous for line in snapshot.lines if line.kind == "item"}
    assert flags["Trainer - 40"] is False
    assert flags["Trainer - 41"] is flags["Trainer - 42"] is True


def test_a_line_that_booked_the_parent_itself_is_ambiguous() -> None:
    parent = {"13": Product(product_id="13", kind="variable", sku="TRAIN")}
    snapshot = order_snapshot(answer_of("orders/get_order_by_inherited_sku"), [], products=parent, reading=PLAIN)
    assert [line.is_sku_ambiguous for line in snapshot.lines] == [True]


def test_a_line_without_product_or_sku_is_ambiguous() -> None:
    snapshot = order_snapshot(answer_of("orders/order_unknown_product"), [], products={}, reading=PLAIN)
    assert [(line.sku, line.product_id, line.is_sku_ambiguous) for line in snapshot.lines] == [("", "", True)]


def test_a_product_that_was_deleted_since_leaves_its_sku_in_doubt_only_if_it_has_none(order: Any) -> None:
    order["line_items"][0]["sku"] = None
    snapshot = order_snapshot(order, [], products=None, reading=PLAIN)
    assert [line.is_sku_ambiguous for line in snapshot.lines] == [True, False, False]


@pytest.mark.parametrize("value", ["", "-", None, "-0.00", "0", 0])
def test_amounts_that_mean_nothing(value: object) -> None:
    amount = amount_of(value)
    assert amount == 0
    assert str(amount).lstrip("0.") == "", "never minus zero"


@pytest.mark.parametrize("value", ["12,50", "NaN", "free", [], 1e400])
def test_amounts_that_are_none(value: object) -> None:
    with pytest.raises(MoneyError):
        amount_of(value)


def test_unrounded_taxes_of_older_versions_add_up_to_the_stored_total(order: Any) -> None:
    line = order["line_items"][0]
    line["taxes"] = [{"id": 1, "total": "7.4781"}, {"id": 2, "total": "7.4781"}, {"id": 3, "total": ""}]

    taxes = order_snapshot(order, [], products={}, reading=PLAIN).lines[0].taxes

    assert taxes == (TaxShare(rate_id="1", amount=D("7.48")), TaxShare(rate_id="2", amount=D("7.48")))
    line["taxes"] = [{"id": 1, "total": "7.475"}, {"id": 2, "total": "7.485"}]
    taxes = order_snapshot(order, [], products={}, reading=PLAIN).lines[0].taxes
    assert sum(share.amount for share in taxes) == D("14.96")


def test_a_currency_without_digits(order: Any) -> None:
    order["currency"] = "JPY"
    order["line_items"][0] |= {"total": "712", "total_tax": "71", "taxes": [{"id": 1, "total": "71.2"}]}
    line = order_snapshot(order, [], products={}, reading=PLAIN).lines[0]
    assert (line.net, line.taxes) == (D(712), (TaxShare(rate_id="1", amount=D(71)),))


@pytest.mark.parametrize(
    ("status", "locked", "gone"),
    [
        ("completed", False, False),
        ("processing", False, False),
        ("refunded", False, False),
        ("shipped-by-plugin", False, False),
        ("cancelled", True, False),
        ("on-hold", True, False),
        ("checkout-draft", True, False),
        ("trash", True, True),
    ],
)
def test_statuses(order: Any, status: str, locked: bool, gone: bool) -> None:
    order["status"] = status
    snapshot = order_snapshot(order, [], products={}, reading=PLAIN)
    assert (snapshot.is_locked, snapshot.is_gone) == (locked, gone)


def test_statuses_that_lock_are_a_setting(order: Any) -> None:
    order["status"] = "on-hold"
    reading = reading_of({"locked_statuses": ["processing"]})
    assert order_snapshot(order, [], products={}, reading=reading).is_locked is False


def test_statuses_that_are_open_or_closed_are_settings_and_others_say_nothing(order: Any) -> None:
    def is_open(status: str, **settings: list[str]) -> bool | None:
        return order_snapshot({**order, "status": status}, [], products={}, reading=reading_of(settings)).is_open

    assert [is_open(one) for one in ("processing", "completed", "refunded", "trash", "at-the-tailor")] == [
        True,
        False,
        False,
        False,
        None,
    ]
    assert is_open("at-the-tailor", open_statuses=["at-the-tailor"]) is True
    assert is_open("processing", open_statuses=["at-the-tailor"]) is None


@pytest.mark.parametrize(("value", "locked"), [("1", True), ("yes", True), ("no", False), ("", False), ("0", False)])
def test_an_order_meta_may_lock(order: Any, value: str, locked: bool) -> None:
    order["meta_data"].append({"id": 9, "key": "_edit_frozen", "value": value})
    reading = reading_of({"locked_meta": "_edit_frozen"})
    assert order_snapshot(order, [], products={}, reading=reading).is_locked is locked


def test_kept_meta_is_ours_and_what_settings_name(order: Any) -> None:
    order["meta_data"] += [
        {"id": 9, "key": "_returnsops_status", "value": "received"},
        {"id": 10, "key": "_billing_note", "value": "private"},
        {"id": 11, "key": "_returnsops_list", "value": ["a"]},
    ]
    reading = reading_of({"kept_meta": ["erp_ref"]})
    snapshot = order_snapshot(order, [], products={}, reading=reading)
    assert snapshot.meta == {"erp_ref": "SO-1", "_returnsops_status": "received"}
    assert snapshot.mirrored == {"status": "received"}


@pytest.mark.parametrize(
    ("meta", "reason", "key"),
    [
        ([{"key": "_returnsops_key", "value": "refund:a/b:1"}], "", "refund:a/b:1"),
        ([], "refund:a/b:1#2 too small", "refund:a/b:1#2"),
        ([], "restock:a/b:i1:2", "restock:a/b:i1:2"),
        ([], "Goodwill refund: broken", ""),
        ([], "", ""),
        ([{"key": "_returnsops_key", "value": "refund:x"}], "refund:y", "refund:x"),
    ],
)
def test_our_key(meta: list[dict[str, str]], reason: str, key: str) -> None:
    row = answer_of("refunds/partial_by_line_restock_true_meta") | {"meta_data": meta, "reason": reason}
    assert remote_refund(row, currency="EUR", reading=PLAIN).key == key


def test_missing_fields_do_not_break_a_snapshot() -> None:
    snapshot = order_snapshot({"id": 5}, [{"id": 6}], products=None, reading=PLAIN)
    assert (snapshot.order_id, snapshot.total, snapshot.lines, snapshot.currency) == ("5", D(0), (), "")
    assert snapshot.refunds[0].amount == 0
    assert snapshot.placed_at.year == 1970


def test_a_snapshot_leaves_its_input_alone(order: Any) -> None:
    before = deepcopy(order)
    order_snapshot(order, [], products={}, reading=PLAIN)
    assert order == before == load("orders/get_order")["response"]["body"]
