"""How many calls a thousand returns cost at Shopify and ReBound, and what reading in bulk saves (S5-23).

Counted on a part and scaled; a call costs the same however many went before it.
"""

import pytest

from connectors.shopify.catalogue import read_catalogue
from connectors.shopify.history import list_orders
from connectors.shopify.reading import read_order
from connectors.simulators.calls import CallLog
from tests.benchmarks.measuring import keep
from tests.connectors.shopify.served import START, id_of, stage
from tests.journeys.rebound_world import ShopifyPair, shopify_pair

RETURNS = 20
ORDERS = 200
ARTICLES = 1_000
PACE_S = 10  # between two pages, so that the bucket is never empty


def per_thousand(calls: int, of: int) -> int:
    """Calls of a part, for a thousand."""
    return round(calls * 1_000 / of)


@pytest.mark.django_db
def test_calls_of_a_thousand_returns() -> None:
    with shopify_pair() as p:
        tee = p.w.variant(stock=500)
        orders = [p.w.sale((tee, 1)) for _ in range(RETURNS)]
        returns = [p.ask(order, tee) for order in orders]
        play(p, returns)
        shop, rebound = len(p.w.store.calls.all()), len(p.account.calls.all())
        p.account.calls.clear()
        p.poll()
        quiet = len(p.account.calls.all())
        assert [len(p.w.paid_back(order)) for order in orders] == [1] * RETURNS
        points = round(float(p.w.store.bucket.spent) * 1_000 / RETURNS)
    keep(
        what="calls to Shopify for 1,000 returns, each refunded, restocked, marked",
        value=f"{per_thousand(shop, RETURNS):,}",
        note=f"counted on {RETURNS}; {points:,} points of its bucket",
    )
    keep(
        what="calls to ReBound for 1,000 returns, three rounds with news",
        value=f"{per_thousand(rebound, RETURNS):,}",
        note=f"a round without news: {per_thousand(quiet, RETURNS):,}; V1 publishes no bulk call",
    )


def play(p: ShopifyPair, returns: list[str]) -> None:
    """Asked for, at the hub, judged: a round of reading each."""
    p.poll()
    for return_id in returns:
        p.account.track(return_id, "Arrived at Our Hub")
    p.poll()
    for return_id in returns:
        p.account.dispose(return_id, "GRADE A")
    p.poll()


def test_calls_of_reading_a_thousand_orders_and_articles() -> None:
    with stage(bulk_duration_s=60) as own:
        orders = [own.place(1) for _ in range(ORDERS)]
        for number in range(ARTICLES - 2):
            own.shop.add_product(f"P{number}", sku=f"P-{number}", price=own.mug.price)
        calls: CallLog = own.shop.calls
        for order in orders[:RETURNS]:
            assert read_order(own.link, id_of(order)) is not None
            own.clock.advance(PACE_S)
        alone = per_thousand(len(calls.all()), RETURNS)
        calls.clear()
        page = list_orders(own.link, START, "")
        found = len(page.orders)
        while page.cursor:
            own.clock.advance(PACE_S)
            page = list_orders(own.link, START, page.cursor)
            found += len(page.orders)
        paged = per_thousand(len(calls.all()), ORDERS)
        calls.clear()
        assert found == ORDERS
        catalogue = read_catalogue(own.link, "")
        while catalogue.cursor:
            own.clock.advance(30)
            catalogue = read_catalogue(own.link, catalogue.cursor)
        bulk = len(calls.all())
        calls.clear()
        catalogue = read_catalogue(own.link, "pages ")
        while catalogue.cursor:
            own.clock.advance(PACE_S)
            catalogue = read_catalogue(own.link, catalogue.cursor)
        pages = len(calls.all())
    keep(what="calls to Shopify, orders of 1,000 returns by pages", value=f"{paged:,}", floor=f"{alone:,} one by one")
    keep(what="calls to Shopify, 1,000 articles by one bulk operation", value=f"{bulk:,}", floor=f"{pages:,} by pages")
