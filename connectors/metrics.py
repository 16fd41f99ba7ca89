"""Figures of the connections for /metrics: calls, pauses, the breaker, and how fresh polling is."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from connectors import points, queues
from connectors.models import ConnectionBudget, SyncCursor

LABELS = ("connection",)


def budget_figures(at: datetime) -> Iterable[Metric]:
    """Each connection's budget row."""
    calls = CounterMetricFamily("returnsops_vendor_calls", "Calls that took from the budget.", labels=LABELS)
    throttled = CounterMetricFamily("returnsops_vendor_throttled", "Answers that asked us to slow down.", labels=LABELS)
    wait = GaugeMetricFamily(
        "returnsops_budget_wait_seconds", "Until the next call would be let through.", labels=LABELS
    )
    is_open = GaugeMetricFamily("returnsops_breaker_open", "1 while the connection counts as down.", labels=LABELS)
    left = GaugeMetricFamily("returnsops_points_left", "Points left, where the vendor counts them.", labels=LABELS)
    most = GaugeMetricFamily("returnsops_points_most", "How many points fit.", labels=LABELS)
    for row in ConnectionBudget.objects.select_related("connection").order_by("connection__name"):
        name = [row.connection.name]
        calls.add_metric(name, row.call_count)
        throttled.add_metric(name, row.throttled_count)
        wait.add_metric(name, _seconds_until(row.blocked_until_at, at))
        is_open.add_metric(name, int(row.open_until_at is not None))
        level = points.known_level(row, at=at)
        if level is not None:
            left.add_metric(name, level.left)
            most.add_metric(name, level.most)
    return calls, throttled, wait, is_open, left, most


def lane_figures(at: datetime) -> Iterable[Metric]:
    """How many effects of each lane wait to be sent or looked up, per connection (S5-24)."""
    depth = GaugeMetricFamily(
        "returnsops_lane_queue", "Effects that wait, by lane; the lowest goes first.", labels=["connection", "lane"]
    )
    for connection, lane, count in queues.by_lane():
        depth.add_metric([connection, str(lane)], count)
    return (depth,)


def polling_figures(at: datetime) -> Iterable[Metric]:
    """How long ago each connection was polled to the end, and failures in a row."""
    age = GaugeMetricFamily("returnsops_poll_age_seconds", "Since the last whole round of polling.", labels=LABELS)
    failures = GaugeMetricFamily("returnsops_poll_failures", "Rounds of polling that failed in a row.", labels=LABELS)
    for row in SyncCursor.objects.filter(stream="main").select_related("connection").order_by("connection__name"):
        name = [row.connection.name]
        failures.add_metric(name, row.failure_count)
        if row.polled_at is not None:
            age.add_metric(name, max(0.0, (at - row.polled_at).total_seconds()))
    return age, failures


def _seconds_until(moment: datetime | None, at: datetime) -> float:
    return max(0.0, (moment - at).total_seconds()) if moment else 0.0
