"""The cost arithmetic of the bucket."""

import pytest

from connectors.shopify.pacing import LONGEST_WAIT_S, SHORTEST_WAIT_S, UNKNOWN_WAIT_S, cost_of, wait_s
from tests.connectors.shopify.scripted import answered, cost


def test_the_cost_of_an_answer_is_read_and_anything_else_is_none() -> None:
    said = cost_of(answered({"extensions": {"cost": cost(25, 1977.5, actual=23)}}).json)
    assert said is not None
    assert (said.requested, said.actual, said.most, said.left, said.restored_per_s) == (25, 23, 2000, 1977.5, 100)
    nothing: tuple[object, ...] = (
        None,
        [],
        {},
        {"extensions": None},
        {"extensions": {"cost": {"requestedQueryCost": 3}}},
    )
    for document in nothing:
        assert cost_of(document) is None


@pytest.mark.parametrize(
    ("requested", "left", "waits"),
    [(752, 666, 0.86), (1000, 0, 10.0), (10, 500, SHORTEST_WAIT_S), (1000, -90_000, LONGEST_WAIT_S)],
)
def test_a_throttled_request_waits_until_it_fits(requested: float, left: float, waits: float) -> None:
    said = cost_of({"extensions": {"cost": cost(requested, left)}})
    assert wait_s(said) == pytest.approx(waits)


def test_a_bucket_that_is_never_filled_does_not_divide_by_nothing() -> None:
    table = cost(10, 0)
    table["throttleStatus"]["restoreRate"] = 0
    assert wait_s(cost_of({"extensions": {"cost": table}})) == UNKNOWN_WAIT_S
    assert wait_s(None) == UNKNOWN_WAIT_S
