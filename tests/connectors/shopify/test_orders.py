"""The final state of an order: edits, discounts, tax, refunds by anyone, both currencies (S1-27)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.shopify.orders import Reading, order_snapshot
from connectors.shopify.tenders import tenders_of
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefundLine, TaxShare
from returnsops.money import MoneyError
from tests.connectors.shopify.documents_of_orders import (
    ORDER_ID,
    bag,
    line,
    movement,
    order,
    postage,
    refund,
    refunded_line,
    vat,
)

VAT = "VAT:0.2"


def read(document: Any, **reading: Any) -> OrderSnapshot:
    return order_snapshot(document, authors={}, reading=Reading(**reading))


def figures(found: OrderLineSnapshot | RemoteRefundLine) -> tuple[int, Decimal, list[tuple[str, Decimal]]]:
    return found.quantity, found.net, [(share.rate_id, share.amount) for share in found.taxes]


# --- edits ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S1-27")
def test_an_order_edited_from_two_units_to_one_is_worth_one_with_the_tax_of_one() -> None:
    """Numbers of the recording order-edit-money-math: the line keeps quantity 2 and the tax of both."""
    edited = line(11, "100.0", quantity=2, currentQuantity=1, taxLines=[vat("26.0", "0.13", "HST")])
    found = read(
        order(
            edited,
            edited=True,
            currentSubtotalPriceSet=bag("100.0"),
            currentTotalTaxSet=bag("13.0"),
            totalReceivedSet=bag("226.0"),
            totalOutstandingSet=bag("-113.0"),
        )
    )
    assert figures(found.lines[0]) == (1, Decimal(100), [("HST:0.13", Decimal(13))])
    assert (found.total, found.meta["edited"], found.meta["owed_to_customer"]) == (Decimal(226), "yes", "113.0")


def test_a_line_removed_by_an_edit_is_there_with_nothing_left() -> None:
    removed = line(11, "0.0", quantity=3, currentQuantity=0, taxLines=[vat("6.0")])
    found = read(order(removed, line(12, "40.0"), edited=True, currentSubtotalPriceSet=bag("40.0")))
    assert [figures(item)[:2] for item in found.lines] == [(0, Decimal(0)), (1, Decimal(40))]


def test_tax_that_an_edit_changed_comes_from_the_orders_own_total() -> None:
    """A discount given by an edit: the lines still name the tax of the full price."""
    lines = (line(11, "50.0", taxLines=[vat("20.0")]), line(12, "50.0", taxLines=[vat("10.0")]))
    found = read(order(*lines, currentSubtotalPriceSet=bag("100.0"), currentTotalTaxSet=bag("20.0")))
    assert [item.taxes for item in found.lines] == [
        (TaxShare(rate_id=VAT, amount=Decimal("13.33")),),
        (TaxShare(rate_id=VAT, amount=Decimal("6.67")),),
    ]


@pytest.mark.parametrize("total_tax", ["6.0", "7.0"])
def test_tax_of_postage_counted_or_not_the_lines_keep_their_own(total_tax: str) -> None:
    shipping = {"nodes": [postage("5.0", vat("1.0"))]}
    sent = order(line(11, "30.0", taxLines=[vat("6.0")]), currentTotalTaxSet=bag(total_tax), shippingLines=shipping)
    item, carriage = read(sent).lines
    assert figures(item) == (1, Decimal(30), [(VAT, Decimal(6))])
    assert (carriage.kind, *figures(carriage)) == ("shipping", 1, Decimal(5), [(VAT, Decimal(1))])


# --- prices with tax inside ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("price", "subtotal"), [("25.0", "25.0"), ("20.83", "25.0")])
def test_prices_that_include_tax_are_told_apart_by_the_orders_subtotal(price: str, subtotal: str) -> None:
    """Whether the field leaves tax out is in no recording: what the order itself sums up to decides."""
    inside = line(11, price, taxLines=[vat("4.17")])
    totals = {"currentSubtotalPriceSet": bag(subtotal), "currentTotalTaxSet": bag("4.17")}
    shipping = {"nodes": [postage("6.0", vat("1.0"))]}
    item, carriage = read(order(inside, taxesIncluded=True, shippingLines=shipping, **totals)).lines
    assert figures(item) == (1, Decimal("20.83"), [(VAT, Decimal("4.17"))])
    assert figures(carriage) == (1, Decimal("5.0"), [(VAT, Decimal("1.0"))])


def test_an_order_whose_prices_do_not_add_up_is_not_guessed_at() -> None:
    inside = line(11, "22.0", taxLines=[vat("4.17")])
    totals = {"currentSubtotalPriceSet": bag("25.0"), "currentTotalTaxSet": bag("4.17")}
    with pytest.raises(MoneyError, match="do not add up"):
        read(order(inside, taxesIncluded=True, **totals))


# --- refunds by anyone ---------------------------------------------------------------------------------------------


def test_what_was_refunded_stands_beside_the_line_and_is_still_part_of_it() -> None:
    standing = line(11, "20.0", quantity=2, currentQuantity=1, taxLines=[vat("8.0")])
    by_hand = refund(
        501,
        movement(701, "REFUND", "29.0", parent=21),
        lines=[refunded_line(11, 1, "20.0", "4.0")],
        note="customer complained",
        refundShippingLines={
            "nodes": [
                {
                    "shippingLine": {"id": "gid://shopify/ShippingLine/91"},
                    "subtotalAmountSet": bag("4.17"),
                    "taxAmountSet": bag("0.83"),
                }
            ]
        },
    )
    found = order_snapshot(
        order(
            standing,
            refunds=[by_hand],
            shippingLines={"nodes": [postage("4.17", vat("0.83"), now="0.0")]},
            currentSubtotalPriceSet=bag("20.0"),
            currentTotalTaxSet=bag("4.0"),
        ),
        authors={"gid://shopify/Refund/501": "Jo (Shopify staff 7)"},
        reading=Reading(),
    )
    assert figures(found.lines[0]) == (2, Decimal(40), [(VAT, Decimal(8))])
    (made,) = found.refunds
    assert (made.amount, made.currency, made.key, made.author) == (Decimal(29), "GBP", "", "Jo (Shopify staff 7)")
    assert (made.reason, made.is_gateway_paid) == ("customer complained", True)
    assert made.created_at == datetime(2026, 11, 5, 9, tzinfo=UTC)
    assert [figures(part) for part in made.lines] == [
        (1, Decimal(20), [(VAT, Decimal(4))]),
        (0, Decimal("4.17"), [(VAT, Decimal("0.83"))]),
    ]


@pytest.mark.parametrize("status", ["PENDING", "AWAITING_RESPONSE", "FAILURE", "ERROR"])
def test_money_that_has_not_moved_is_nothing_yet(status: str) -> None:
    waiting = refund(
        501, movement(701, "REFUND", "25.0", parent=21, status=status), note="refund:RET-42:1 by returnsops"
    )
    (found,) = read(order(line(11, "25.0"), refunds=[waiting])).refunds
    assert (found.amount, found.is_gateway_paid, found.key) == (Decimal(0), False, "refund:RET-42:1")


def test_cash_handed_back_is_a_refund_that_no_gateway_paid() -> None:
    cash = refund(501, movement(701, "REFUND", "25.0", manualPaymentGateway=True, gateway="cash"))
    (found,) = read(order(line(11, "25.0"), refunds=[cash])).refunds
    assert (found.amount, found.is_gateway_paid) == (Decimal(25), False)


# --- payments ------------------------------------------------------------------------------------------------------


def test_split_payments_are_kept_with_what_went_back_to_each() -> None:
    document = order(
        line(11, "100.0"),
        transactions=[
            movement(20, "AUTHORIZATION", "60.0"),
            movement(21, "CAPTURE", "60.0", parent=20),
            movement(22, "SALE", "40.0", gateway="gift_card"),
            movement(23, "SALE", "40.0", status="FAILURE"),
            movement(31, "REFUND", "10.0", parent=21),
            movement(32, "REFUND", "5.0", parent=21, status="PENDING"),
            movement(33, "REFUND", "7.0", parent=22, status="FAILURE"),
        ],
    )
    tenders = tenders_of(document)
    assert [(tender.transaction_id[-2:], tender.gateway, tender.left) for tender in tenders] == [
        ("21", "shopify_payments", Decimal(45)),
        ("22", "gift_card", Decimal(40)),
    ]
    assert read(document).payment_method == "shopify_payments, gift_card"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"displayFinancialStatus": "AUTHORIZED"}, "The order is authorized in the shop."),
        ({"cancelledAt": "2026-11-03T10:00:00Z"}, "The order is cancelled in the shop."),
        ({"tags": ["VIP", "Do-Not-Refund"]}, "The order carries the tag do-not-refund in the shop."),
        ({"displayFinancialStatus": "PARTIALLY_REFUNDED"}, ""),
    ],
)
def test_what_locks_an_order(changes: dict[str, Any], reason: str) -> None:
    found = read(order(line(11, "1.0"), **changes), locked_tags=frozenset({"do-not-refund"}))
    assert (found.is_locked, found.lock_reason) == (bool(reason), reason)


# --- the rest ------------------------------------------------------------------------------------------------------


def test_everything_else_that_is_carried() -> None:
    unsent = line(11, "10.0", quantity=2, currentQuantity=2, unfulfilledQuantity=2, variantTitle="Blue", sku=None)
    duty = {"id": "gid://shopify/Duty/3", "price": bag("2.5"), "taxLines": [vat("0.5")]}
    found = read(
        order(
            unsent | {"duties": [duty]},
            displayFulfillmentStatus="UNFULFILLED",
            returns={"nodes": [{"id": "x", "name": "#1001-R1", "status": "OPEN"}]},
            totalTipReceivedSet=bag("3.0"),
        )
    )
    item, fee, tip = found.lines
    assert (tip.kind, tip.line_id, *figures(tip)) == ("tip", "tip", 1, Decimal("3.0"), [])
    assert (item.name, item.sku, item.is_sku_ambiguous) == ("Article 11 - Blue", "", True)
    assert (item.product_id, item.variation_id) == ("gid://shopify/Product/11", "gid://shopify/ProductVariant/11")
    assert (fee.kind, fee.line_id, *figures(fee)) == (
        "duty",
        "gid://shopify/Duty/3",
        1,
        Decimal("2.5"),
        [(VAT, Decimal("0.5"))],
    )
    assert found.meta == {
        "fulfilment": "UNFULFILLED",
        "unfulfilled_units": "2",
        "return_status": "NO_RETURN",
        "returns": "#1001-R1 OPEN",
        "shop_currency": "EUR",
        "tip": "3.0",
    }
    assert (found.order_id, found.number, found.currency, found.channel) == (ORDER_ID, "#1001", "GBP", "web")
    assert (found.customer_id, found.customer_email) == ("gid://shopify/Customer/5", "shopper@example.com")
    assert (found.placed_at.isoformat(), found.paid_at) == ("2026-11-01T10:00:00+00:00", found.placed_at)
    assert found.modified_at.isoformat() == "2026-11-06T10:00:00+00:00"


@pytest.mark.parametrize(("tracked", "left"), [(True, 2), (False, None), (None, None)])
def test_units_that_a_refund_restocked_are_no_longer_out_and_untracked_stock_says_nothing(
    tracked: bool | None, left: int | None
) -> None:
    item = None if tracked is None else {"tracked": tracked}
    jacket = line(11, "50.0", quantity=3, currentQuantity=1, variant={"id": "v", "inventoryItem": item})
    rows = [refunded_line(11, 1, "50.0") | {"restocked": True}, refunded_line(11, 1, "50.0")]
    (found,) = read(order(jacket, refunds=[refund(501, lines=rows)], currentSubtotalPriceSet=bag("50.0"))).lines
    assert (found.quantity, found.reduced_stock) == (3, left)
