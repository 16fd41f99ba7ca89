"""Refunds made outside, explained: 10,000 labelled orders, with the share solved and nothing applied wrongly."""

import time

from tests.benchmarks.attribution_orders import labelled
from tests.benchmarks.attribution_scoring import scored
from tests.benchmarks.measuring import keep

ORDERS = 10_000
SEED = 20261121


def test_ten_thousand_labelled_orders() -> None:
    began = time.thread_time()
    score = scored(labelled(SEED, ORDERS))
    spent_s = time.thread_time() - began
    keep(
        what="refunds made outside: explained in the one way there is",
        value=f"{score.solved} of {score.unique} ({score.share_solved:.1%})",
        floor="95 %",
        note=f"of {score.orders} labelled orders (seed {SEED}); without named lines {score.solved_by_amount} of "
        f"{score.unique_by_amount}; {spent_s / score.orders * 1000:.1f} ms of CPU an order with the second opinion",
    )
    keep(
        what="refunds made outside: applied without a person",
        value=f"{score.applied}, {len(score.wrong)} of them wrong",
        floor="0 wrong",
        note=", ".join(f"{kind}: {count}" for kind, count in sorted(score.applied_by_kind.items())),
    )
    assert score.wrong == []
    assert score.unfounded == []
    assert score.share_solved >= 0.95
