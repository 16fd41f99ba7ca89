"""Refunds: what is sent, to which payments it goes back, what counts as ours, and what became of the money."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.ports import Contradicted, Found, Lookup, OutcomeUnknown, Rejected
from connectors.shopify import keyed, refunds
from tests.connectors.shopify import documents_of_orders as docs
from tests.connectors.shopify.intents import REFUND_KEY, Shop, refund_intent, refund_line
from tests.connectors.shopify.scripted import failed

KEY = keyed.key_of(REFUND_KEY)
ABSENT = Lookup(found=Found.ABSENT)
Json = dict[str, Any]


def paid_order(*payments: Json, **changes: Any) -> Json:
    """An order of one jacket for 100.00 GBP; paid by card unless said otherwise."""
    jacket = docs.line(11, "100.0", quantity=2, currentQuantity=2)
    given = {"transactions": list(payments) or [docs.movement(21, "SALE", "100.0")], "shippingLines": None}
    shipping = {"nodes": [docs.postage("5.0")]}
    return (
        docs.order(jacket, **{**given, "shippingLines": shipping, "currentSubtotalPriceSet": docs.bag("100.0")})
        | changes
    )


def made(number: int = 501, *movements: Json, note: str = f"{REFUND_KEY} Return RMA-77", **changes: Any) -> Json:
    """A refund of ours as the shop holds it."""
    rows = movements or (docs.movement(31, "REFUND", "25.0", parent=21),)
    return docs.refund(number, *rows, note=note, **changes)


def shop(order: Json | None = None, *, answer: Any = None, **settings: Any) -> Shop:
    good = {"refundCreate": {"refund": made(), "userErrors": []}}
    answers = {"OrderFinalState": {"order": order or paid_order()}, "RefundAuthors": {"order": None}}
    return Shop(answers={**answers, "RefundCreate": answer or good}, settings=settings)


def user_error(message: str, field: list[str] | None = None) -> Json:
    return {"refundCreate": {"refund": None, "userErrors": [{"field": field, "message": message}]}}


# --- what is sent ------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S5-15")
def test_a_refund_is_keyed_never_restocks_and_goes_back_to_what_it_was_paid_with() -> None:
    cards = (
        docs.movement(
            21, "SALE", "30.0", gateway="gift_card", maximumRefundableV2={"amount": "20.0", "currencyCode": "GBP"}
        ),
        docs.movement(22, "SALE", "20.0", status="FAILURE"),
        docs.movement(23, "AUTHORIZATION", "70.0"),
        docs.movement(24, "CAPTURE", "70.0", parent=23),
        docs.movement(25, "REFUND", "10.0", parent=24, status="PENDING"),
    )
    asked = shop(paid_order(*cards))
    lines = [refund_line(11, 1, "50.00", "10.00"), refund_line(91, 0, "4.00", "1.00", kind="ShippingLine")]
    sent = refunds.send(asked.link, refund_intent("65.00", lines=lines), ABSENT)
    ((name, variables),) = asked.written()
    assert (name, variables["key"]) == ("RefundCreate", KEY)
    assert variables["input"] == {
        "orderId": docs.ORDER_ID,
        "note": f"{REFUND_KEY} Return RMA-77: 1 x Jacket",
        "notify": False,
        "currency": "GBP",
        "refundLineItems": [{"lineItemId": "gid://shopify/LineItem/11", "quantity": 1, "restockType": "NO_RESTOCK"}],
        "shipping": {"amount": "5.00"},
        "transactions": [
            {
                "orderId": docs.ORDER_ID,
                "parentId": f"gid://shopify/OrderTransaction/{number}",
                "kind": "REFUND",
                "gateway": gateway,
                "amount": amount,
            }
            for number, gateway, amount in ((21, "gift_card", "20.0"), (24, "shopify_payments", "45.00"))
        ],
    }
    assert sent.remote_id == "gid://shopify/Refund/501"
    assert sent.remote_url == "https://shop.example/admin/orders/1001"
    assert sent.evidence["tenders"] == ["gift_card", "shopify_payments"]


@pytest.mark.parametrize(("net", "named"), [("5.00", True), ("3.00", False)])
def test_a_duty_is_named_whole_and_the_rest_of_one_is_money_alone(net: str, named: bool) -> None:
    """``RefundDutyInput`` knows no amount: naming the rest of a duty would give all of it back."""
    duty = {"id": "gid://shopify/Duty/71", "price": docs.bag("5.00"), "taxLines": [docs.vat("1.00")]}
    order = paid_order()
    order["lineItems"]["nodes"][0]["duties"] = [duty]
    asked = shop(order)
    lines = [refund_line(11, 1, "20.00"), refund_line(71, 0, net, "1.00", kind="Duty")]
    refunds.send(asked.link, refund_intent("25.00", lines=lines), ABSENT)
    given = asked.written()[0][1]["input"]
    assert given.get("refundDuties") == ([{"dutyId": "gid://shopify/Duty/71", "refundType": "FULL"}] if named else None)
    assert [one["amount"] for one in given["transactions"]] == ["25.00"]


def test_what_somebody_else_paid_is_recorded_with_lines_and_without_money() -> None:
    note = f"{REFUND_KEY} recorded 25.00 GBP Return RMA-77: 1 x Jacket"
    recorded = docs.refund(501, note=note)
    asked = shop(answer={"refundCreate": {"refund": recorded, "userErrors": []}})
    intent = refund_intent(executed_by="returns_platform", lines=[refund_line(11, 1, "25.00")])
    refunds.send(asked.link, intent, ABSENT)
    given = asked.written()[0][1]["input"]
    assert (given["note"], "transactions" in given) == (note, False)

    there = refunds.look_up(shop(paid_order(refunds=[recorded])).link, intent)
    assert (there.found, there.is_pending, there.failed_because) == (Found.COMPLETE, False, "")
    assert there.order is not None
    assert [(refund.amount, refund.key) for refund in there.order.refunds] == [(Decimal("25.00"), REFUND_KEY)]
    other = docs.refund(501, note=note.replace("25.00", "24.00"))
    assert refunds.look_up(shop(paid_order(refunds=[other])).link, intent).found is Found.AMBIGUOUS


@pytest.mark.parametrize(
    ("changes", "order", "code"),
    [
        ({"currency": "EUR"}, {}, "currency_mismatch"),
        ({"amount": "0.00"}, {}, "amount_not_positive"),
        ({"amount": "100.01"}, {}, "would_over_refund"),
        (
            {},
            {"transactions": [docs.movement(21, "SALE", "100.0", manualPaymentGateway=True)]},
            "gateway_cannot_refund",
        ),
        ({}, {"transactions": []}, "would_over_refund"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_sent(changes: Json, order: Json, code: str) -> None:
    asked = shop(paid_order() | order)
    amount = changes.pop("amount", "25.00")
    with pytest.raises(Rejected) as refusal:
        refunds.send(asked.link, refund_intent(amount, **changes), ABSENT)
    assert (refusal.value.code, asked.written()) == (code, [])


def test_a_manual_payment_is_paid_back_to_where_the_connection_says_so() -> None:
    manual = docs.movement(21, "SALE", "100.0", manualPaymentGateway=True, gateway="manual")
    asked = shop(paid_order(manual), refund_manual_gateways=True)
    assert refunds.send(asked.link, refund_intent(), ABSENT).evidence["tenders"] == ["manual"]


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (user_error("Refund amount £25.00 is greater than net payment received £15.00"), Rejected, "would_over_refund"),
        (user_error("Quantity cannot refund more items than were purchased"), Rejected, "too_many_units"),
        (user_error("Order does not exist", ["orderId"]), Rejected, "user_error"),
        ({"refundCreate": {"refund": None, "userErrors": []}}, OutcomeUnknown, ""),
        ({"refundCreate": {"refund": made(note="another"), "userErrors": []}}, OutcomeUnknown, ""),
        (user_error("Another request with the same idempotency key is still being processed."), OutcomeUnknown, ""),
        (user_error("The idempotency key was already used with different parameters."), Contradicted, ""),
        (failed({"message": "no", "extensions": {"code": keyed.OTHER_CONTENT}}), Contradicted, ""),
        (failed({"message": "wait", "extensions": {"code": keyed.RUNNING}}), OutcomeUnknown, ""),
        (failed({"message": "boom", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}), OutcomeUnknown, ""),
    ],
)
def test_what_the_shop_says_of_a_refund(answer: Any, kind: type[Exception], code: str) -> None:
    with pytest.raises(kind) as refusal:
        refunds.send(shop(answer=answer).link, refund_intent(), ABSENT)
    assert getattr(refusal.value, "code", "") == code


def test_after_an_attempt_that_failed_there_the_next_key_is_used_and_no_more_than_three() -> None:
    gone = user_error("The previous attempt with this idempotency key failed.")
    keys = [keyed.key_of(REFUND_KEY, number=number) for number in (1, 2, 3)]
    good = {"refundCreate": {"refund": made(), "userErrors": []}}
    asked = shop(answer=lambda variables: good if variables["key"] == keys[1] else gone)
    refunds.send(asked.link, refund_intent(), ABSENT)
    assert [variables["key"] for _, variables in asked.written()] == keys[:2]
    asked = shop(answer=gone)
    with pytest.raises(Rejected):
        refunds.send(asked.link, refund_intent(), ABSENT)
    assert [variables["key"] for _, variables in asked.written()] == keys


# --- what counts as ours -----------------------------------------------------------------------------------------


@pytest.mark.requirement("S5-15")
@pytest.mark.parametrize(
    ("refund", "found", "is_pending", "failure"),
    [
        (made(), Found.COMPLETE, False, ""),
        (made(note=f"{REFUND_KEY}#2 again"), Found.ABSENT, False, ""),
        (made(note=f"see {REFUND_KEY}"), Found.ABSENT, False, ""),
        (made(note=f"{REFUND_KEY}1 x"), Found.ABSENT, False, ""),
        (made(501, docs.movement(31, "REFUND", "24.0")), Found.AMBIGUOUS, False, ""),
        (made(501, docs.movement(31, "REFUND", "25.0", status="PENDING")), Found.COMPLETE, True, ""),
        (
            made(501, docs.movement(31, "REFUND", "25.0", status="FAILURE", errorCode="CARD_CLOSED")),
            Found.COMPLETE,
            False,
            "The shop's gateway did not pay £25.00 of this refund (CARD_CLOSED).",
        ),
        (
            made(
                501,
                docs.movement(31, "REFUND", "10.0"),
                docs.movement(32, "REFUND", "15.0", status="ERROR"),
            ),
            Found.COMPLETE,
            False,
            "The shop's gateway did not pay £15.00 of this refund. £10.00 of it were paid.",
        ),
        (
            made(
                501,
                docs.movement(31, "REFUND", "10.0", status="PENDING"),
                docs.movement(32, "REFUND", "15.0", status="ERROR"),
            ),
            Found.COMPLETE,
            True,
            "",
        ),
    ],
)
def test_a_refund_is_ours_by_the_first_word_of_its_note_and_done_is_not_paid(
    refund: Json, found: Found, is_pending: bool, failure: str
) -> None:
    seen = refunds.look_up(shop(paid_order(refunds=[refund])).link, refund_intent())
    assert (seen.found, seen.is_pending, seen.failed_because) == (found, is_pending, failure)
    assert seen.order is not None


def test_an_older_generation_is_ours_too_and_two_of_them_are_a_persons_question() -> None:
    intent = refund_intent(remote_key=f"{REFUND_KEY}#2", earlier_remote_keys=(REFUND_KEY,))
    assert refunds.look_up(shop(paid_order(refunds=[made()])).link, intent).found is Found.COMPLETE
    both = [made(), made(502, note=f"{REFUND_KEY}#2 again")]
    seen = refunds.look_up(shop(paid_order(refunds=both)).link, intent)
    assert (seen.found, len(seen.evidence["candidates"])) == (Found.AMBIGUOUS, 2)
