"""What planning one return costs, beside building its view anew."""

from dataclasses import fields, replace

from returnsops.planning.plan import plan
from returnsops.planning.policy import Policy
from returnsops.planning.view import ReturnView
from tests.benchmarks.measuring import keep, median_s
from tests.returnsops.planning import views

ROUNDS = 2000


def test_planning_one_return() -> None:
    view, policy = a_view()
    assert plan(view, policy, views.NOW).effects

    def planned() -> None:
        for _ in range(ROUNDS):
            plan(view, policy, views.NOW)

    def built() -> None:
        for _ in range(ROUNDS):
            rebuilt(view)

    plan_us = median_s(planned) / ROUNDS * 1e6
    floor_us = median_s(built) / ROUNDS * 1e6
    note = f"{plan_us / floor_us:.0f} times the floor, which copies the view and its lines"
    keep(what="planning one return", value=f"{plan_us:.0f} µs", floor=f"{floor_us:.1f} µs", note=note)


def a_view() -> tuple[ReturnView, Policy]:
    """A received and inspected return with a refund to pay."""
    return views.view(payouts=(views.payout(),), verdicts=(views.verdict(),)), Policy()


def rebuilt(view: ReturnView) -> ReturnView:
    """The same view from the same values."""
    lines = tuple(replace(line) for line in view.lines)
    return ReturnView(**{item.name: getattr(view, item.name) for item in fields(view)} | {"lines": lines})
