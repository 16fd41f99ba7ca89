"""Store credit and gift cards: what is sent, what is refused, what counts as ours, and taking a card back."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.ports import Found, Intent, Lookup, OutcomeUnknown, Rejected
from connectors.shopify import credits, gift_cards
from returnsops import states
from tests.connectors.shopify import documents_of_orders as docs
from tests.connectors.shopify.intents import Shop, refund_intent
from tests.connectors.shopify.scripted import TOKEN

KEY = "store_credit:reveni/ret-1:gift_card:c-1"
CARD = "gid://shopify/GiftCard/7"
ABSENT = Lookup(found=Found.ABSENT)
Json = dict[str, Any]


def credit(kind: str = "gift_card", **changes: Any) -> Intent:
    payload = {"amount": "25.00", "bonus": changes.pop("bonus", "0"), "currency": "GBP", "credit_kind": kind}
    payload |= {"valid_days": 30, "reason": "Return RMA-77", "rma_number": "RMA-77"}
    intent = replace(refund_intent(), kind="store_credit", key=KEY, remote_key=KEY, payload=payload)
    return replace(intent, **changes)


def card(left: str = "25.0", **changes: Any) -> Json:
    first = {"amount": "25.0", "currencyCode": "GBP"}
    code = gift_cards.code_of("made-up", KEY)
    shown = {"id": CARD, "note": f"{KEY} Return RMA-77", "lastCharacters": code[-4:], "enabled": True}
    return shown | {"expiresOn": "2026-12-20", "initialValue": first, "balance": {**first, "amount": left}} | changes


def shop(answers: Json | None = None, *, cards: list[Json] | None = None, **order: Any) -> Shop:
    shown = docs.order(docs.line(11, "100.0"), currentSubtotalPriceSet=docs.bag("100.0"), **order)
    known = {
        "OrderFinalState": {"order": shown},
        "RefundAuthors": {"order": None},
        "GiftCards": {"giftCards": {"pageInfo": {"hasNextPage": False}, "nodes": cards or []}},
        "GiftCardById": {"giftCard": cards[0] if cards else None},
        "GiftCardCreate": {"giftCardCreate": {"giftCard": card(), "userErrors": []}},
    }
    made = Shop(answers={**known, **(answers or {})})
    secrets = {**TOKEN, gift_cards.KEY_SECRET: ("made-up",)}
    made.link = replace(made.link, config=replace(made.link.config, secrets=secrets))
    return made


def test_a_card_has_a_code_of_its_key_and_never_shows_it() -> None:
    asked = shop()
    sent = credits.send(asked.link, credit(), ABSENT)
    given = dict(asked.asked)["GiftCardCreate"]["input"]
    code = gift_cards.code_of("made-up", KEY)
    assert given == {
        "initialAmount": {"amount": "25.00", "currencyCode": "GBP"},
        "code": code,
        "note": f"{KEY} Return RMA-77",
        "customerId": "gid://shopify/Customer/5",
        "expiresOn": "2026-12-20",
    }
    assert (sent.remote_id, code in str(sent.evidence)) == (CARD, False)
    assert (len(code), gift_cards.code_of("other", KEY) != code) == (16, True)
    seen = gift_cards.read_credit(shop(cards=[card("5.0")]).link, CARD)
    assert (seen.code, str(seen.amount), seen.usage_count, seen.is_usable) == (code.upper(), "5.0", 1, True)
    with pytest.raises(Rejected, match="has no code"):
        gift_cards.read_credit(asked.link, "gid://shopify/Refund/1")


def test_a_code_that_is_taken_means_that_ours_is_there() -> None:
    taken = {"field": ["input", "code"], "message": "Code has already been taken", "code": None}
    answer = {"GiftCardCreate": {"giftCardCreate": {"giftCard": None, "userErrors": [taken]}}}
    with pytest.raises(OutcomeUnknown, match="already"):
        credits.send(shop(answer).link, credit(), ABSENT)


@pytest.mark.parametrize(
    ("cards", "found"),
    [
        ([], Found.ABSENT),
        ([card()], Found.COMPLETE),
        ([card(note="somebody's")], Found.ABSENT),
        ([card(), card(id="gid://shopify/GiftCard/8")], Found.AMBIGUOUS),
        ([card(initialValue={"amount": "24.0", "currencyCode": "GBP"})], Found.AMBIGUOUS),
    ],
)
def test_a_card_is_found_by_our_key_in_its_note(cards: list[Json], found: Found) -> None:
    assert credits.look_up(shop(cards=cards).link, credit()).found is found


def void(**changes: Any) -> Intent:
    return replace(credit(), kind="void_credit", payload={"remote_credit_id": CARD, "credit_keys": [KEY], **changes})


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (card(), Found.ABSENT),
        (card(enabled=False), Found.COMPLETE),
        (card(note="somebody's"), Found.AMBIGUOUS),
        (None, Found.COMPLETE),
    ],
)
def test_a_card_is_over_when_it_is_off_and_only_ours_is_touched(shown: Json | None, found: Found) -> None:
    assert gift_cards.look_up_void(shop({"GiftCardById": {"giftCard": shown}}).link, void()).found is found


def test_what_was_spent_or_lies_on_an_account_is_not_taken_back() -> None:
    spent = shop({"GiftCardById": {"giftCard": card("5.0")}})
    with pytest.raises(Rejected) as refusal:
        gift_cards.look_up_void(spent.link, void())
    assert refusal.value.code == states.CASE_CREDIT_SPENT
    with pytest.raises(Rejected) as refusal:
        gift_cards.look_up_void(spent.link, void(remote_credit_id="gid://shopify/Refund/1"))
    assert refusal.value.code == "not_supported"
    off = {"GiftCardDeactivate": {"giftCardDeactivate": {"giftCard": card("5.0", enabled=False), "userErrors": []}}}
    with pytest.raises(OutcomeUnknown, match="spent meanwhile"):
        gift_cards.send_void(shop(off).link, void(), ABSENT)


@pytest.mark.parametrize(
    ("changes", "order", "code"),
    [
        ({"bonus": "3.00"}, {}, "bonus_not_possible"),
        ({"currency": "EUR"}, {}, "currency_mismatch"),
        ({}, {"customer": None}, "no_customer"),
    ],
)
def test_store_credit_that_the_order_cannot_give_is_refused_before_it_is_sent(
    changes: Json, order: Json, code: str
) -> None:
    asked = shop(**order)
    with pytest.raises(Rejected) as refusal:
        credits.send(asked.link, credit("store_credit", **changes), ABSENT)
    assert refusal.value.code == code
    assert [name for name, _ in asked.asked if name == "RefundCreate"] == []


def test_store_credit_is_a_keyed_refund_without_lines_and_counts_as_no_money_of_the_order() -> None:
    made = docs.refund(501, docs.movement(31, "REFUND", "25.0"), note=f"{KEY} store credit 25.00 GBP Return RMA-77")
    answer = {"RefundCreate": {"refundCreate": {"refund": made, "userErrors": []}}}
    asked = shop(answer)
    credits.send(asked.link, credit("store_credit"), ABSENT)
    given = dict(asked.asked)["RefundCreate"]["input"]
    assert given["refundMethods"] == [
        {
            "storeCreditRefund": {
                "amount": {"amount": "25.00", "currencyCode": "GBP"},
                "expiresAt": "2026-12-20T21:55:00Z",
            }
        }
    ]
    seen = credits.look_up(shop(refunds=[made]).link, credit("store_credit"))
    assert seen.found is Found.COMPLETE
    assert seen.order is not None
    assert [refund.amount for refund in seen.order.refunds] == [0]
    other = made | {"note": made["note"].replace("25.00", "24.00")}
    assert credits.look_up(shop(refunds=[other]).link, credit("store_credit")).found is Found.AMBIGUOUS
