"""The plan of faults: order, counting, and repeatable chance."""

import pytest

from connectors.simulators.base import Fault, FaultKind, FaultPlan, WebhookFault


def kinds(plan: FaultPlan, *, method: str = "POST", path: str = "/orders/1/refunds", times: int = 4) -> list[str]:
    found = [plan.take(method, path) for _ in range(times)]
    return [str(fault.kind) if fault else "" for fault in found]


def test_a_fault_skips_and_then_hits_as_often_as_scripted() -> None:
    plan = FaultPlan()
    plan.script(Fault(kind="lost_answer", after=1, times=2))
    assert kinds(plan, times=5) == ["", "lost_answer", "lost_answer", "", ""]


def test_a_fault_concerns_its_method_and_path_only() -> None:
    plan = FaultPlan()
    plan.script(Fault(kind="rate_limited", method="POST", path_pattern=r"/refunds$"))
    assert kinds(plan, method="GET", times=1) == [""]
    assert kinds(plan, path="/orders/1", times=1) == [""]
    assert kinds(plan, times=2) == ["rate_limited", ""]


def test_the_first_fault_that_matches_is_used_up_first() -> None:
    plan = FaultPlan()
    plan.script(Fault(kind="server_error"), Fault(kind="lost_request"))
    assert kinds(plan, times=3) == ["server_error", "lost_request", ""]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="explode"):
        FaultPlan().script(Fault(kind="explode"))


def test_chance_is_repeatable_and_of_the_asked_size() -> None:
    first, second = FaultPlan(), FaultPlan()
    for plan in (first, second):
        plan.randomise(seed=7, probabilities={"lost_answer": 0.2, "server_error": 0.1}, path_pattern="/refunds")
    drawn = kinds(first, times=1000)
    assert drawn == kinds(second, times=1000)
    assert 150 < drawn.count("lost_answer") < 250
    assert 60 < drawn.count(FaultKind.SERVER_ERROR) < 140
    assert kinds(first, path="/orders", times=50) == [""] * 50
    first.clear()
    assert kinds(first, times=50) == [""] * 50


def test_probabilities_over_one_are_refused() -> None:
    with pytest.raises(ValueError, match="may not pass 1"):
        FaultPlan().randomise(seed=1, probabilities={"slow": 0.6, "lost_answer": 0.6})


def test_a_webhook_fault_counts_by_topic() -> None:
    plan = FaultPlan()
    plan.script(WebhookFault(kind="drop", topic_pattern="^order", after=1))
    assert plan.take_webhook("product.updated") is None
    assert plan.take_webhook("order.updated") is None
    hit = plan.take_webhook("order.updated")
    assert hit is not None
    assert hit.kind == "drop"
    assert plan.take_webhook("order.updated") is None
