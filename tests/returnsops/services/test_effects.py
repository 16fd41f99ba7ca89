"""The machine's side of the ledger by itself: what may be claimed, what a claim still allows, how long a try waits.

How a delivery goes through these steps is in ``tests/connectors/test_delivery.py`` and ``tests/faults``.
"""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import Q

from returnsops import states
from returnsops.models import Effect
from returnsops.services import effect_reads, effects
from returnsops.services.effect_rows import Claim, TransitionRefusedError, move
from tests.factories import NOW, AttemptFactory, EffectFactory, ReturnFactory, UserFactory

LEASE = timedelta(seconds=50)


def ready(**fields: Any) -> Effect:
    effect: Effect = EffectFactory(rma=ReturnFactory(is_dirty=False), state=states.READY, **fields)
    return effect


def claimed(effect: Effect) -> Claim | None:
    return effects.claim(effect_id=effect.pk, purpose=effects.SEND, lease_until_at=NOW + LEASE, at=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("is_older_approved", [False, True])
def test_a_refund_a_person_proposed_is_never_claimed_without_an_approval_of_this_payload(
    is_older_approved: bool,
) -> None:
    """Whatever made the row ``ready``: the claim asks once more, of the row itself."""
    older = {"approved_by": UserFactory(), "approved_at": NOW, "approved_revision": 1}
    proposed = {"origin": states.ORIGIN_PERSON, "proposed_by": UserFactory(), "payload_revision": 2}
    effect = ready(**proposed, **(older if is_older_approved else {}))
    assert claimed(effect) is None
    effect.refresh_from_db()
    assert (effect.state, effect.attempts.count()) == (states.READY, 0)
    Effect.objects.filter(pk=effect.pk).update(**older | {"approved_revision": 2})
    assert claimed(effect) is not None


@pytest.mark.django_db
def test_a_claim_whose_lease_ended_sends_nothing_though_nobody_took_it() -> None:
    effect = ready()
    claim = claimed(effect)
    assert claim is not None
    longer = NOW + 3 * LEASE
    assert not effects.begin_send(claim=claim, lease_until_at=longer, at=NOW + LEASE)
    effect.refresh_from_db()
    assert (effect.claim_token, effect.first_attempt_at) == (claim.token, None)
    assert not effect.attempts.get().has_sent
    assert effects.begin_send(claim=claim, lease_until_at=longer, at=NOW + LEASE - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_claim_that_cannot_be_written_down_is_undone_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not mistaken for another effect of the order being on its way, which is nothing to report."""
    taken, effect = AttemptFactory(), ready()
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(hex=taken.token))
    with pytest.raises(IntegrityError):
        claimed(effect)
    effect.refresh_from_db()
    assert (effect.state, effect.claim_token, effect.attempts.count()) == (states.READY, "", 0)


@pytest.mark.django_db
def test_of_two_that_find_the_same_lapsed_claim_one_recovers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    effect = ready()
    assert claimed(effect)
    later: dict[str, Any] = {"connection_id": effect.connection_id, "at": NOW + LEASE}
    seen_by_both = effect_reads.LAPSED_CLAIMS.rows(**later)
    monkeypatch.setattr(effect_reads.LAPSED_CLAIMS, "rows", lambda **_: seen_by_both)
    assert (effects.recover_lapsed(**later), effects.recover_lapsed(**later)) == (1, 0)
    effect.refresh_from_db()
    assert (effect.state, effect.attempts.get().outcome) == (states.UNKNOWN, "lapsed")


@pytest.mark.parametrize(("source", "target"), [(states.CONFIRMED, states.SENDING), (states.UNKNOWN, states.HELD)])
def test_a_change_the_table_does_not_permit_is_refused_before_anything_is_written(source: str, target: str) -> None:
    with pytest.raises(TransitionRefusedError, match=f"cannot go from {source} to {target}"):
        move(Q(pk=1), (source,), target)


@pytest.mark.django_db
def test_a_late_answer_shows_that_what_was_cancelled_is_there_all_the_same() -> None:
    effect = EffectFactory(state=states.EFFECT_CANCELLED)
    attempt = AttemptFactory(effect=effect, outcome="absent")
    claim = Claim(effect_id=effect.pk, token=attempt.token, purpose=effects.SEND)
    assert effects.record_late_success(claim=claim, remote_id="901", at=NOW) == "adopted"
    effect.refresh_from_db()
    assert (effect.state, effect.remote_id, effect.done_at) == (states.DONE, "901", NOW)


@pytest.mark.parametrize(
    ("tries", "part", "seconds"),
    [(1, 1.0, 10), (3, 1.0, 40), (3, 0.25, 10), (11, 1.0, 1800), (11, 0.5, 900), (5, 0, 1)],
)
def test_a_try_waits_a_random_part_of_a_doubling_time(tries: int, part: float, seconds: int) -> None:
    """Full jitter: what failed together does not come back together."""
    assert effects.back_off(tries=tries, random=lambda: part) == timedelta(seconds=seconds)
