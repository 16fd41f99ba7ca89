"""The leaky bucket by the clock: spent, refused, refilled, given back, never above its size."""

from connectors.simulators.base import SimulatedClock
from connectors.simulators.shopify.bucket import Bucket
from tests.connectors.simulators.shopify.asking import START, bench

SHOP = "query Shop { shop { name } currentAppInstallation { id } }"


def test_points_are_spent_refused_and_restored_at_the_plan_s_rate() -> None:
    clock = SimulatedClock(START)
    bucket = Bucket(clock=clock, size=1000, restore_rate=50)
    assert bucket.take(990)
    assert not bucket.take(20)
    assert bucket.throttled == 1
    clock.advance(0.2)
    assert bucket.take(20)
    assert bucket.status() == {"maximumAvailable": 1000, "currentlyAvailable": 0, "restoreRate": 50}
    clock.advance(3600)
    bucket.give_back(10)
    assert bucket.status()["currentlyAvailable"] == 1000


def test_a_throttled_answer_is_http_200_with_the_arithmetic_in_it_and_nothing_done() -> None:
    own = bench()
    own.shop.bucket.drain(left=1)
    answer = own.send(SHOP)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "errors": [
                {
                    "message": "Throttled",
                    "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
                }
            ],
            "extensions": {
                "cost": {
                    "requestedQueryCost": 2,
                    "actualQueryCost": None,
                    "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 1, "restoreRate": 100},
                }
            },
        },
    )
    assert own.shop.throttled == 1
    own.clock.advance(0.01)
    assert own.ask(SHOP)["data"]["shop"] == {"name": "Returnsops test"}


def test_a_query_dearer_than_a_thousand_points_is_refused_whatever_the_bucket_has() -> None:
    own = bench()
    dear = """query Dear { orders(first: 250) { nodes { lineItems(first: 250) { nodes {
      variant { inventoryItem { inventoryLevels(first: 250) { nodes { location { id } } } } } } } } } }"""
    errors = own.ask(dear)["errors"]
    assert errors[0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert own.shop.bucket.spent == 0
