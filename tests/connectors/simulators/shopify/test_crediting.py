"""Store credit and gift cards: no key exists, so the second call really pays twice, and a code guards itself."""

from decimal import Decimal

from connectors.simulators.shopify.state import gid
from tests.connectors.simulators.shopify.asking import Bench, bench

CREDIT = """
mutation Credit($id: ID!, $given: StoreCreditAccountCreditInput!) {
  storeCreditAccountCredit(id: $id, creditInput: $given) {
    storeCreditAccountTransaction { id event balanceAfterTransaction { amount currencyCode } account { id } }
    userErrors { field message code }
  }
}
"""
SEEN = """
query Seen($id: ID!) { customer(id: $id) { storeCreditAccounts(first: 5) { nodes { balance { amount }
  transactions(first: 5, reverse: true) { nodes { __typename amount { amount } event } } } } } }
"""
CARD = """
mutation Card($input: GiftCardCreateInput!) {
  giftCardCreate(input: $input) {
    giftCard { id lastCharacters balance { amount currencyCode } enabled }
    giftCardCode
    userErrors { field message code }
  }
}
"""


def credit(own: Bench, amount: str) -> None:
    given = {"creditAmount": {"amount": amount, "currencyCode": "GBP"}}
    own.data(CREDIT, id=gid("Customer", own.customer.id), given=given)


def test_credit_given_twice_is_there_twice_and_spending_is_seen() -> None:
    own = bench()
    credit(own, "10.00")
    credit(own, "10.00")
    own.shop.spend_credit(own.customer, Decimal("5.00"))
    account = own.data(SEEN, id=gid("Customer", own.customer.id))["customer"]["storeCreditAccounts"]["nodes"][0]
    assert account["balance"] == {"amount": "15.0"}
    assert [(one["__typename"], one["amount"]["amount"], one["event"]) for one in account["transactions"]["nodes"]] == [
        ("StoreCreditAccountDebitTransaction", "-5.0", "ORDER_PAYMENT"),
        ("StoreCreditAccountCreditTransaction", "10.0", "ADJUSTMENT"),
        ("StoreCreditAccountCreditTransaction", "10.0", "ADJUSTMENT"),
    ]


def test_a_refund_to_store_credit_is_on_the_order_and_keyed() -> None:
    own = bench()
    order = own.order()
    method = {"storeCreditRefund": {"amount": {"amount": "25.00", "currencyCode": "GBP"}}}
    first = own.refund(order, "", lines=1, refundMethods=[method])
    again = own.refund(order, "", lines=1, refundMethods=[method])
    assert first == again
    assert first["refund"]["totalRefundedSet"]["shopMoney"] == {"amount": "25.0"}
    assert own.shop.credit_of(own.customer) == Decimal("25.00")
    account = own.data(SEEN, id=gid("Customer", own.customer.id))["customer"]["storeCreditAccounts"]["nodes"][0]
    assert account["transactions"]["nodes"][0]["event"] == "ORDER_REFUND"


def test_a_code_the_caller_chose_can_make_one_card_only() -> None:
    own = bench()
    given = {"initialAmount": {"amount": "25.00", "currencyCode": "GBP"}, "code": "RETURNS42ABC", "note": "RET-42"}
    first = own.data(CARD, input=given)["giftCardCreate"]
    assert (first["giftCardCode"], first["giftCard"]["lastCharacters"]) == ("returns42abc", "2abc")
    again = own.data(CARD, input=given)["giftCardCreate"]
    assert again == {
        "giftCard": None,
        "giftCardCode": None,
        "userErrors": [{"field": ["input", "code"], "message": "Code has already been taken", "code": None}],
    }
    assert len(own.shop.gift_cards()) == 1
