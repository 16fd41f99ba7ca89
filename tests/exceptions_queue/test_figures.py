"""Backlog, ages and burn rate."""

from datetime import timedelta

import pytest

from exceptions_queue import services
from exceptions_queue.figures import age_bucket, queue_figures
from tests.exceptions_queue.conftest import NOW, OpenCase


@pytest.mark.requirement("S1-20")
def test_figures_per_team(open_case: OpenCase) -> None:
    open_case(fingerprint="old", at=NOW - timedelta(days=8))
    open_case(fingerprint="new", at=NOW - timedelta(hours=1))
    closed = open_case(fingerprint="closed", at=NOW - timedelta(hours=3))
    services.auto_resolve(case=closed, at=NOW - timedelta(hours=2))
    finance, warehouse = queue_figures(NOW)
    assert (finance.team, finance.open_count, finance.overdue_count) == ("FIN", 2, 1)
    assert finance.age_buckets == {"under 4 h": 1, "4 to 24 h": 0, "1 to 3 d": 0, "3 to 7 d": 0, "over 7 d": 1}
    assert finance.oldest_age == timedelta(days=8)
    assert (finance.opened_24h, finance.closed_24h, finance.is_growing) == (2, 1, True)
    assert (warehouse.team, warehouse.open_count, warehouse.is_growing) == ("WH", 0, False)


def test_a_bucket_begins_at_its_limit() -> None:
    assert age_bucket(timedelta(hours=4)) == "4 to 24 h"
    assert age_bucket(timedelta(hours=4) - timedelta(seconds=1)) == "under 4 h"
    assert age_bucket(timedelta(days=7)) == "over 7 d"
