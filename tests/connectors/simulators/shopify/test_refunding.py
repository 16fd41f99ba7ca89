"""refundCreate: caps, keys, tenders, pending money, adjustments, refunds by staff between two of ours."""

from decimal import Decimal

import pytest

from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.shopify import CartLine, Payment
from connectors.simulators.shopify.amounts import Bag
from connectors.simulators.shopify.state import gid
from tests.connectors.simulators.shopify.asking import REFUND, bench, refund_input


def test_the_same_key_pays_once_and_other_parameters_under_it_are_refused() -> None:
    own = bench()
    order = own.order()
    first = own.refund(order, "25.00", lines=1)
    assert first["userErrors"] == []
    assert first["order"] == {
        "displayFinancialStatus": "PARTIALLY_REFUNDED",
        "netPaymentSet": {"shopMoney": {"amount": "25.0"}},
    }
    assert own.refund(order, "25.00", lines=1) == first
    other = own.refund(order, "24.00", lines=1)
    assert other["refund"] is None
    assert other["userErrors"][0]["message"] == "The idempotency key was already used with different parameters."
    assert len(own.shop.refunds_of(order)) == 1
    assert own.shop.refunded_total(order) == Decimal("25.00")


def test_without_a_key_and_while_another_holds_it_nothing_is_done() -> None:
    own = bench()
    order = own.order()
    keyless = REFUND.replace(", $key: String!", "").replace("@idempotent(key: $key)", "")
    body = own.ask(keyless, input=refund_input(order, "25.00"))
    assert (body["data"], body["errors"][0]["extensions"]) == ({"refundCreate": None}, {"code": "BAD_REQUEST"})
    assert body["errors"][0]["path"] == ["refundCreate"]
    own.shop.state.keys.held.add("key-1")
    held = own.refund(order, "25.00")
    assert held["userErrors"][0]["message"] == (
        "Another request with the same idempotency key is still being processed."
    )
    assert own.shop.refunds_of(order) == []


def test_a_refused_attempt_may_spend_its_key() -> None:
    """Which of both Shopify does is not known, so it is a setting."""
    for is_spent, messages in ((False, []), (True, ["The previous attempt with this idempotency key failed."])):
        own = bench(are_failed_keys_spent=is_spent)
        order = own.order()
        assert own.refund(order, "60.00")["userErrors"] != []
        order.transactions[0].amount = Bag(shop=Decimal(60), presentment=Decimal(60))
        again = own.refund(order, "60.00")
        assert [one["message"] for one in again["userErrors"]] == messages
        assert len(own.shop.refunds_of(order)) == int(not is_spent)


def test_an_answer_lost_after_the_effect_is_given_again_under_the_same_key() -> None:
    own = bench()
    order = own.order()
    own.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR_AFTER_COMMIT, path_pattern="graphql"))
    lost = own.send(REFUND, {"key": "key-1", "input": refund_input(order, "25.00")})
    assert lost.status_code == 503
    assert own.refund(order, "25.00")["refund"]["totalRefundedSet"]["shopMoney"] == {"amount": "25.0"}
    assert own.shop.refunded_total(order) == Decimal("25.00")


TOO_MANY = "Quantity cannot refund more items than were purchased"


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"orderId": gid("Order", 1)}, ["orderId"], "Order does not exist"),
        ({"refundLineItems": 3}, ["refundLineItems", "0", "quantity"], TOO_MANY),
        ({"amount": "60.00"}, None, "Refund amount £60.00 is greater than net payment received £50.00"),
        ({"kind": "AUTHORIZATION"}, None, "Kind authorization is not a valid transaction"),
        ({"parentId": None}, ["transactions"], "Transactions require a parent_id associated with the order"),
    ],
)  # fmt: skip
def test_what_shopify_refuses(change: dict[str, object], field: list[str] | None, message: str) -> None:
    own = bench()
    order = own.order()
    given = refund_input(order, "25.00", lines=1, allowOverRefunding=True)
    for name, value in change.items():
        if name == "refundLineItems":
            given[name][0]["quantity"] = value
        elif name == "orderId":
            given[name] = value
        else:
            given["transactions"][0][name] = value
    payload = own.data(REFUND, key="key-1", input=given)["refundCreate"]
    assert (payload["refund"], payload["userErrors"]) == (None, [{"field": field, "message": message}])
    assert own.shop.refunds_of(order) == []


def test_money_of_a_pending_refund_shows_as_zero_until_the_gateway_settles_it() -> None:
    own = bench()
    own.shop.set_gateway("shopify_payments", "PENDING")
    order = own.order()
    refund = own.refund(order, "25.00", lines=1)["refund"]
    assert refund["totalRefundedSet"]["shopMoney"] == {"amount": "0.0"}
    assert refund["transactions"]["nodes"][0]["status"] == "PENDING"
    own.shop.settle(order.transactions[-1])
    assert own.shop.refunded_total(order) == Decimal("25.00")
    failed = own.refund(order, "25.00", key="key-2", lines=1)["refund"]
    own.shop.settle(order.transactions[-1], "FAILURE")
    assert failed["transactions"]["nodes"][0]["status"] == "PENDING"
    assert own.shop.refunded_total(order) == Decimal("25.00")


def test_an_amount_without_lines_and_lines_without_money_leave_an_adjustment() -> None:
    own = bench()
    order = own.order()
    amount_only = own.refund(order, "5.00")["refund"]
    record_only = own.refund(order, "", key="key-2", lines=1)["refund"]
    adjustments = [one["orderAdjustments"]["nodes"] for one in (amount_only, record_only)]
    assert adjustments == [
        [{"reason": "REFUND_DISCREPANCY", "amountSet": {"shopMoney": {"amount": "-5.0"}}}],
        [{"reason": "REFUND_DISCREPANCY", "amountSet": {"shopMoney": {"amount": "25.0"}}}],
    ]
    assert record_only["transactions"]["nodes"] == []
    assert own.shop.refunded_total(order) == Decimal("5.00")


def test_split_tenders_are_suggested_in_order_each_up_to_what_it_paid() -> None:
    own = bench()
    order = own.order(payments=(Payment(gateway="gift_card", amount=Decimal("20.00")), Payment()))
    asked = """query Suggest($id: ID!, $lines: [RefundLineItemInput!]) { order(id: $id) {
      suggestedRefund(refundLineItems: $lines) { amountSet { shopMoney { amount } }
        totalTaxSet { shopMoney { amount } }
        suggestedTransactions { gateway amountSet { shopMoney { amount } } } } } }"""
    lines = [{"lineItemId": gid("LineItem", order.lines[0].id), "quantity": 1}]
    suggested = own.data(asked, id=gid("Order", order.id), lines=lines)["order"]["suggestedRefund"]
    assert suggested == {
        "amountSet": {"shopMoney": {"amount": "25.0"}},
        "totalTaxSet": {"shopMoney": {"amount": "4.17"}},
        "suggestedTransactions": [
            {"gateway": "gift_card", "amountSet": {"shopMoney": {"amount": "20.0"}}},
            {"gateway": "shopify_payments", "amountSet": {"shopMoney": {"amount": "5.0"}}},
        ],
    }


def test_duties_and_postage_are_given_back_beside_the_lines() -> None:
    own = bench()
    order = own.shop.place([CartLine(variant=own.jacket, quantity=2, duty=Decimal("6.00"))], shipping=Decimal("5.00"))
    duty = {"dutyId": gid("Duty", order.lines[0].duties[0].id), "refundType": "PROPORTIONAL"}
    refund = own.refund(order, "33.00", lines=1, shipping={"fullRefund": True}, refundDuties=[duty])["refund"]
    assert refund["orderAdjustments"]["nodes"] == []
    seen = own.data(
        """query Seen($id: ID!) { order(id: $id) { totalOutstandingSet { shopMoney { amount } }
          currentTotalDutiesSet { shopMoney { amount } } totalRefundedShippingSet { shopMoney { amount } } } }""",
        id=gid("Order", order.id),
    )["order"]
    assert {name: value["shopMoney"]["amount"] for name, value in seen.items()} == {
        "totalOutstandingSet": "0.0",
        "currentTotalDutiesSet": "3.0",
        "totalRefundedShippingSet": "5.0",
    }


def test_a_refund_by_staff_is_seen_with_its_author_and_lowers_what_may_be_refunded() -> None:
    own = bench()
    order = own.order()
    staff = own.shop.add_staff("Grace Example", email="grace@example.test")
    own.shop.staff_refund(order, Decimal("40.00"), lines={order.lines[0].id: 1}, note="by hand", staff=staff)
    refused = own.refund(order, "25.00")
    assert refused["userErrors"][0]["message"] == ("Refund amount £25.00 is greater than net payment received £10.00")
    seen = own.data(
        "query Seen($id: ID!) { order(id: $id) { refunds(first: 5) { note staffMember { name } } } }",
        id=gid("Order", order.id),
    )
    assert seen["order"]["refunds"] == [{"note": "by hand", "staffMember": {"name": "Grace Example"}}]
    own.shop.remove_scope("read_users")
    denied = own.ask("query Seen($id: ID!) { order(id: $id) { refunds(first: 5) { staffMember { name } } } }",
                     id=gid("Order", order.id))  # fmt: skip
    assert denied["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_the_customer_s_currency_is_converted_at_the_payment_s_rate() -> None:
    own = bench(rates={"EUR": Decimal("1.2")})
    order = own.order(presentment_currency="EUR")
    nameless = own.refund(order, "30.00")
    assert nameless["userErrors"][0]["field"] == ["currency"]
    paid = own.refund(order, "30.00", lines=1, currency="EUR")["refund"]
    assert paid["totalRefundedSet"] == {"shopMoney": {"amount": "25.0"}, "presentmentMoney": {"amount": "30.0"}}
