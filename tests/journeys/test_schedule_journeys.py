"""Random faults and crashes over a whole journey: whatever happens, nothing happens twice (``make prove N=…``)."""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from connectors.jobs import CHECKPOINTS
from connectors.simulators.base import Fault, FaultKind
from returnsops import states
from tests.faults.ledger import Crash
from tests.journeys.test_crash_journeys import check_each_once, returned
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db

SHARES: dict[str, float] = {
    FaultKind.LOST_ANSWER: 0.08,
    FaultKind.LOST_REQUEST: 0.04,
    FaultKind.RATE_LIMITED: 0.04,
    FaultKind.SERVER_ERROR: 0.04,
    FaultKind.SERVER_ERROR_AFTER_COMMIT: 0.04,
    FaultKind.LATE_COMMIT: 0.04,
}
CRASH_SHARE = 0.04
MOST_CRASHES = 6


def _play(w: World, chance: random.Random) -> None:
    """Settle, with workers that die now and then; in the end the weather clears up."""
    crashes = MOST_CRASHES

    def checkpoint(name: str) -> None:
        nonlocal crashes
        if crashes and name in CHECKPOINTS and chance.random() < CRASH_SHARE:
            crashes -= 1
            raise Crash(name)

    w.runtime = replace(w.runtime, checkpoint=checkpoint)
    for _ in range(MOST_CRASHES + 1):
        try:
            w.settle()
        except Crash:
            continue
        break
    w.shop.faults.clear()
    crashes = 0
    w.settle(horizon=timedelta(hours=12))


@pytest.mark.requirement("S4-22")
def test_no_schedule_of_faults_makes_anything_happen_twice(schedules: int) -> None:
    unclear = 0
    for seed in range(schedules):
        point = transaction.savepoint()  # each schedule begins with an empty database
        with world(is_telling=True) as w:
            unclear += _one(w, seed)
        transaction.savepoint_rollback(point)
    assert unclear < schedules


def _one(w: World, seed: int) -> int:
    """One schedule; 1 where it ends with a person, who has to look at the payment provider."""
    template = Fault(kind=FaultKind.SLOW, delay_s=20)
    w.shop.faults.randomise(seed=seed, probabilities=SHARES, template=template, path_pattern=r"/(orders|products)/")
    order, return_id, product_id = returned(w)
    _play(w, random.Random(seed))  # noqa: S311 - a repeatable schedule, no secret
    said = f"schedule {seed}"
    money = [refund.amount for refund in w.money_refunds(order)]
    paid = [payout.amount for payout in w.shop.gateway_payouts]
    assert len(money) <= 1, said
    assert len(paid) <= 1, said
    assert len(w.restock_records(order)) <= 1, said
    if w.effect(return_id, states.REFUND).state == states.CONFIRMED:
        assert money == paid == [Decimal("30.00")], said
        check_each_once(w, order, return_id, product_id)
        return 0
    assert w.effect(return_id, states.REFUND).state == states.UNKNOWN, said
    assert states.CASE_AMBIGUOUS_OUTCOME in w.open_cases(), said
    return 1
