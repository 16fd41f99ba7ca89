"""The same proof for Shopify: right where the day is right, and wrong where something of the shop's own is planted."""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from connectors.management.demo.market_shopify import ShopifyMarket, ShopifyReboundMarket
from connectors.management.demo.programme import Telling
from connectors.management.demo.verification import verify
from tests.connectors.management.demo.played import Day, installed, play

pytestmark = pytest.mark.django_db

WITH_REBOUND = tuple(
    Telling(story=story, market="us")
    for story in ("judged_item_by_item", "fewer_units_than_announced", "error_inside_200")
)
WITH_REVENI = tuple(
    Telling(story=story, market="uk")
    for story in ("split_tender", "foreign_customer", "refunded_by_staff", "instant_exchange", "credit_of_the_shop")
)


def _market(day: Day) -> ShopifyMarket:
    (market,) = day.markets.values()
    assert isinstance(market, ShopifyMarket)
    return market


def _second_refund(day: Day) -> None:
    market = _market(day)
    first = next(one for one in market.shop.state.refunds.values() if one.note.startswith("refund:"))
    market.shop.state.refunds[1] = replace(first, id=1, transaction_ids=list(first.transaction_ids))


def _second_payout(day: Day) -> None:
    state = _market(day).shop.state
    first = next(one for one in state.transactions.values() if one.kind == "REFUND" and one.gateway == "gift_card")
    state.transactions[1] = replace(first, id=1)


def _second_restock(day: Day) -> None:
    state = _market(day).shop.state
    first = next(one for one in state.groups.values() if (one.reference_uri or "").startswith("gid://returnsops/"))
    state.groups[1] = replace(first, id=1)


def _second_replacement(day: Day) -> None:
    state = _market(day).shop.state
    first = next(one for one in state.orders.values() if "exchange_of" in dict(one.attributes))
    state.orders[1] = replace(first, id=1)


def _second_credit(day: Day) -> None:
    (account,) = _market(day).shop.credit_accounts()
    account.movements.append(account.movements[0])


def _put_aside(day: Day) -> None:
    market = _market(day)
    market.shop.staff_adjust(market.variants["tee"], market.main, delta=1, name="damaged")


def _left_open(day: Day) -> None:
    next(iter(_market(day).shop.state.returns.values())).status = "OPEN"


PLANTED: tuple[tuple[Callable[[Day], None], int, str], ...] = (
    (_second_refund, 2, r"2 records carry the key refund:reveni-uk/.*order \d+ has 1 refund record\(s\) too many"),
    (_second_payout, 2, r"refund \d+ to payment \d+ was paid 2 times.*was paid back 20.00? too much"),
    (_second_restock, 1, r"order \d+ has 1 restock record\(s\) too many"),
    (_second_replacement, 1, r"2 orders carry the key exchange:.*2 exchanges instead of 1"),
    (_second_credit, 0, r"credits .* instead of"),
    (_put_aside, 0, r"1 units of \d+ are damaged instead of 0"),
    (_left_open, 0, r"order \d+ has 1 return\(s\) \(1, 'OPEN'\) too many.*lacks 1 return\(s\) \(1, 'CLOSED'\)"),
)


def test_a_day_of_shopify_with_reveni_is_equal_on_both_sides_and_whatever_is_planted_is_found() -> None:
    with installed("uk") as day:
        play(day, WITH_REVENI)
        verdict = verify(day.markets, day.book, seconds=1.0)
        assert verdict.problems == []
        summary = verdict.summary
        # 69.90 to two tenders, 25.00 by Anna, and 55.00 in the customer's own francs.
        assert {name: row["shop"] for name, row in summary["money"].items()} == {"GBP": "94.90", "CHF": "61.60"}
        assert summary["money"]["CHF"]["pair"] == "shopify-reveni"
        assert summary["pairs"] == {
            "shopify-reveni": {
                "title": "Shopify with Reveni",
                "returns": 5,
                "money": {"GBP": "94.90 = 94.90", "CHF": "61.60 = 61.60"},
                "stock": summary["stock"],
                "doubles": 0,
                "lost": 0,
                "ok": True,
            }
        }
        assert (summary["credits"], summary["exchanges"]) == (
            {"expected": 1, "issued": 1},
            {"expected": 1, "placed": 1},
        )
        state = _market(day).shop.state
        kept = ("refunds", "transactions", "groups", "orders", "accounts", "levels", "returns")
        for plant, doubles, words in PLANTED:
            before = deepcopy({name: getattr(state, name) for name in kept})
            plant(day)
            verdict = verify(day.markets, day.book, seconds=1.0)
            assert verdict.summary["doubles"] == doubles, (plant.__name__, verdict.problems)
            assert re.search(words, " ".join(verdict.problems)), (plant.__name__, verdict.problems)
            assert verdict.summary["pairs"]["shopify-reveni"]["ok"] is False
            for name, rows in before.items():
                setattr(state, name, rows)
        assert verify(day.markets, day.book, seconds=1.0).problems == []


def test_a_day_of_shopify_with_rebound_is_equal_and_a_return_that_was_never_read_is_missed() -> None:
    with installed("us") as day:
        play(day, WITH_REBOUND)
        verdict = verify(day.markets, day.book, seconds=1.0)
        assert verdict.problems == []
        # With 8.25 per cent on top: 28.00 and 88.00 of the first, 72.00 of the second without the missing 12.00, 32.00.
        assert verdict.summary["money"]["USD"]["shop"] == "238.15"
        assert verdict.summary["pairs"]["shopify-rebound"]["ok"] is True
        assert verdict.summary["cases"] == {"goods_missing": 1}
        market = _market(day)
        assert isinstance(market, ShopifyReboundMarket)
        market.account.create_return(order_reference="#1001", items=[{"sku_code": "TEE-BLK-M"}])
        verdict = verify(day.markets, day.book, seconds=1.0)
        assert verdict.summary["lost"] == 1
        assert re.search(r"return \d+ was never read", verdict.problems[0])
