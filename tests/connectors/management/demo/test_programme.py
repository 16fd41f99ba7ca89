"""The played day: large enough, numbered as the README says, and every story of it known."""

from connectors.management.demo.expectations import Book
from connectors.management.demo.markets import ReveniMarket
from connectors.management.demo.programme import DAY, EVER_AFTER, FIRST, STORIES, TOURS, YESTERDAY, step, told
from connectors.management.demo.world import build_markets


def test_every_story_is_told_and_every_telling_is_a_story() -> None:
    day = [*YESTERDAY, FIRST, *TOURS, *DAY]
    assert {telling.story for telling in day} == set(STORIES)
    assert {telling.story for telling in EVER_AFTER} <= set(STORIES)
    assert len(day) >= 40


def test_the_tours_have_the_numbers_of_the_readme() -> None:
    markets, book = build_markets(), Book()
    step(told((FIRST,), markets=markets, book=book))
    step(told(TOURS, markets=markets, book=book))
    market = markets["eu"]
    assert isinstance(market, ReveniMarket)
    numbers = [row["number"] for row in market.platform.whole_returns()]
    assert numbers == ["EU-RMA-1001", "EU-RMA-1002", "EU-RMA-1003", "EU-RMA-1004"]
    assert [telling.story for telling in TOURS] == ["no_refund_yet", "paid_by_hand", "inspect_next"]
