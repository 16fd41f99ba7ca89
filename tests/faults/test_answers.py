"""Answers that are lost, late, or contradict each other: one record, or a case; never a second record."""

from decimal import Decimal

import pytest

from connectors import delivery
from connectors.jobs import perform
from connectors.simulators.faults import Fault, FaultKind
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.services import effects
from tests.faults.ledger import World, purposes

LOST = Fault(kind=FaultKind.LOST_ANSWER, method="POST")


def cases() -> list[str]:
    """Kinds of the active cases."""
    return sorted(ExceptionCase.objects.active().values_list("kind_code", flat=True))


def test_lost_answer_is_looked_up_and_adopted(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(LOST)

    world.pump()
    effect.refresh_from_db()
    assert effect.state == states.UNKNOWN
    world.play()

    effect.refresh_from_db()
    assert effect.state == states.CONFIRMED
    assert world.posted == [("refund", "20.00")]
    assert purposes(effect) == [("send", "unknown"), ("look_up", "found"), ("confirm", "confirmed")]
    assert cases() == []


def test_lost_request_is_sent_again_only_after_it_counts_as_absent(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(Fault(kind=FaultKind.LOST_REQUEST, method="POST"))
    world.pump()

    world.clock.advance(59)
    world.pump()
    effect.refresh_from_db()
    assert effect.state == states.UNKNOWN
    assert world.sent == 1
    world.play()

    effect.refresh_from_db()
    assert effect.state == states.CONFIRMED
    assert world.posted == [("refund", "20.00")]
    assert world.sent == 2
    assert "superseded" in [outcome for _, outcome in purposes(effect)]


def test_commit_after_the_client_gave_up_is_found(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(Fault(kind=FaultKind.LATE_COMMIT, method="POST", delay_s=50))

    world.play()

    effect.refresh_from_db()
    assert effect.state == states.CONFIRMED
    assert world.posted == [("refund", "20.00")]
    assert world.sent == 1


def test_5xx_after_commit_is_looked_up(world: World) -> None:
    effect = world.refund()
    world.simulator.faults.script(Fault(kind=FaultKind.SERVER_ERROR_AFTER_COMMIT, method="POST", status=502))

    world.play()

    effect.refresh_from_db()
    assert effect.state == states.CONFIRMED
    assert world.posted == [("refund", "20.00")]


@pytest.mark.parametrize("lost", range(1, 6))
def test_lost_answers_and_lost_look_ups_in_a_row(world: World, lost: int) -> None:
    effect = world.refund()
    world.simulator.faults.script(LOST, Fault(kind=FaultKind.LOST_ANSWER, method="GET", after=1, times=lost))

    world.play()

    effect.refresh_from_db()
    assert effect.state == states.CONFIRMED
    assert world.posted == [("refund", "20.00")]
    assert cases() == []


def test_record_without_our_key_is_never_sent_again_while_it_could_be_ours(world: World) -> None:
    """The ledger cannot tell; the basis check sees a refund that was not there, and no plan asks for another."""
    effect = world.refund(origin=states.ORIGIN_RECONCILIATION)
    world.ledger.is_key_lost = True
    world.simulator.faults.script(LOST)

    world.pump()
    world.clock.advance(61)
    world.pump()

    effect.refresh_from_db()
    assert world.posted == [("refund", "20.00")]
    assert effect.state != states.CONFIRMED


def test_late_answer_of_a_lost_claim_is_adopted(world: World) -> None:
    effect = world.refund()
    runtime = world.runtime()
    job = delivery.open_job(effect_id=effect.pk, purpose=effects.SEND, runtime=runtime)
    assert job is not None
    job = delivery.settle(job, perform(job), runtime=runtime)
    assert job is not None
    answer = perform(job)
    world.clock.advance(120)
    assert effects.recover_lapsed(connection_id=world.order.connection_id, at=world.clock.now()) == 1
    # Another worker has it by now.
    other = delivery.open_job(effect_id=effect.pk, purpose=effects.LOOK_UP, runtime=runtime)
    assert other is not None

    delivery.settle(job, answer, runtime=runtime)

    effect.refresh_from_db()
    assert effect.state == states.DONE
    assert effect.remote_id == "1"
    assert delivery.settle(other, perform(other), runtime=runtime) is None
    world.play()
    effect.refresh_from_db()
    assert effect.state == states.CONFIRMED
    assert world.posted == [("refund", "20.00")]
    assert cases() == []


def test_commit_later_than_any_vendor_may_take_is_a_case(world: World) -> None:
    """Beyond settle_s nothing can be promised: two records are found by the read-back and go to finance."""
    effect = world.refund()
    world.simulator.faults.script(Fault(kind=FaultKind.LATE_COMMIT, method="POST"))
    world.play()
    assert world.posted == [("refund", "20.00")]
    world.simulator.release()
    assert world.posted == [("refund", "20.00")] * 2

    effects_again = effect.__class__.objects.filter(pk=effect.pk)
    effects_again.update(state=states.DONE, confirm_after_at=world.clock.now(), confirmed_at=None)
    world.pump()

    case = ExceptionCase.objects.active().get(kind_code=states.CASE_OVER_REFUNDED)
    assert case.evidence["unexplained"] == "£20.00"
    assert case.money_at_risk == Decimal("20.00")
    assert world.sent == 2


def test_two_records_under_our_key_are_ambiguous(world: World) -> None:
    effect = world.refund()
    for number in (1, 2):
        world.ledger.postings.append(
            {"id": str(number), "order": "1", "kind": "refund", "key": effect.key, "amount": "20.00"}
        )

    world.pump()

    effect.refresh_from_db()
    assert effect.state == states.UNKNOWN
    assert cases() == [states.CASE_AMBIGUOUS_OUTCOME]
    assert world.sent == 0
    world.ledger.postings.pop()
    world.play()
    effect.refresh_from_db()
    assert effect.state == states.CONFIRMED
    assert cases() == []
