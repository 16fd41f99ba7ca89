"""What the platform says about money: the highest statement counts, and what was sent is never sent otherwise."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import CreditRequest, PlatformRefund, ReturnAuthorisation
from returnsops.planning.keys import business_key
from returnsops.services.apply_facts import apply_facts
from tests.factories import NOW, EffectFactory, ReturnFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def rma() -> ReturnAuthorisation:
    """A return."""
    made: ReturnAuthorisation = ReturnFactory()
    return made


def _issued(rma: ReturnAuthorisation, amount: str = "30.00", **more: Any) -> facts.RefundIssued:
    given: dict[str, Any] = {"revision": 4, "occurred_at": NOW, "executed_by": "commerce_platform"}
    return facts.RefundIssued(
        return_id=rma.external_id, refund_id="rfd_1", amount=Decimal(amount), currency="GBP", **given | more
    )


def _tell(rma: ReturnAuthorisation, *told: facts.Fact) -> PlatformRefund:
    apply_facts(connection=rma.connection, new_facts=told, at=NOW)
    return PlatformRefund.objects.get()


def test_a_higher_revision_replaces_and_a_lower_one_does_not(rma: ReturnAuthorisation) -> None:
    assert _tell(rma, _issued(rma), _issued(rma, "25.00", revision=5)).amount == 25
    assert _tell(rma, _issued(rma, "20.00", revision=3, occurred_at=NOW + timedelta(days=1))).amount == 25


def test_the_same_content_at_a_later_revision_counts_as_the_later(rma: ReturnAuthorisation) -> None:
    again = _issued(rma, revision=9)
    assert _tell(rma, _issued(rma), again, _issued(rma, "25.00", revision=6)).amount == 30


def test_a_failure_first_and_the_refund_after_it_is_a_failed_refund(rma: ReturnAuthorisation) -> None:
    failed = facts.RefundFailed(
        return_id=rma.external_id, refund_id="rfd_1", code="closed", occurred_at=NOW + timedelta(hours=1), revision=5
    )
    row = _tell(rma, _issued(rma, revision=5), failed, _issued(rma))
    assert (row.failure_code, row.failed_at, row.issued_at) == ("closed", NOW + timedelta(hours=1), NOW)
    reissued = _tell(rma, _issued(rma, revision=6, occurred_at=NOW + timedelta(hours=2)))
    assert reissued.failed_at is not None
    assert reissued.failed_at < reissued.issued_at


def test_what_a_person_decided_is_not_undone_by_the_platform(rma: ReturnAuthorisation) -> None:
    row = _tell(rma, _issued(rma))
    PlatformRefund.objects.update(executed_by="merchant", executed_by_decided_by="fiona")
    row = _tell(rma, _issued(rma, "25.00", revision=5, executed_by="returns_platform"))
    assert (str(row.amount.normalize()), row.executed_by) == ("25", "merchant")


@pytest.mark.parametrize(("state", "cases"), [(states.READY, 0), (states.SENDING, 1), (states.CONFIRMED, 1)])
def test_only_what_was_sent_is_a_conflict_and_only_if_the_newer_word_differs(
    rma: ReturnAuthorisation, state: str, cases: int
) -> None:
    _tell(rma, _issued(rma))
    EffectFactory(rma=rma, key=business_key(states.REFUND, rma.ref, "rfd_1"), state=state)
    _tell(rma, _issued(rma, "20.00", revision=3))
    assert not ExceptionCase.objects.exists()
    _tell(rma, _issued(rma, "25.00", revision=5))
    _tell(rma, _issued(rma, "25.00", revision=5))
    assert ExceptionCase.objects.filter(kind_code=states.CASE_REVISION_CONFLICT).count() == cases


def test_a_refund_id_belongs_to_one_return(rma: ReturnAuthorisation) -> None:
    other = ReturnFactory(route=rma.route)
    _tell(rma, _issued(rma))
    row = _tell(other, replace(_issued(other, "99.00"), revision=50))
    assert (row.rma, row.amount) == (rma, Decimal(30))
    assert ExceptionCase.objects.get().subject_id == str(other.pk)


def test_a_credit_id_belongs_to_one_return_and_what_a_person_decided_stands(rma: ReturnAuthorisation) -> None:
    other = ReturnFactory(route=rma.route)
    told: dict[str, Any] = {"credit_id": "cr_1", "kind": "store_credit", "currency": "GBP"}
    stated: list[tuple[ReturnAuthorisation, str]] = [(rma, "30"), (other, "30"), (rma, "20")]
    for number, (about, amount) in enumerate(stated):
        fact = facts.CreditIssued(
            return_id=about.external_id, occurred_at=NOW + timedelta(hours=number), amount=Decimal(amount), **told
        )
        apply_facts(connection=rma.connection, new_facts=[fact], at=NOW)
        rma.credits.update(executed_by="merchant", executed_by_decided_by="fiona")
    row = CreditRequest.objects.get()
    assert (row.rma, row.amount, row.executed_by) == (rma, Decimal(20), "merchant")
    case = ExceptionCase.objects.get()
    assert (case.kind_code, case.subject_id) == (states.CASE_REVISION_CONFLICT, str(other.pk))
    assert "names store credit cr_1 for this return" in case.cause


def test_a_hold_placed_again_after_its_release_stands_whatever_comes_last(rma: ReturnAuthorisation) -> None:
    about: dict[str, Any] = {"return_id": rma.external_id, "risk_id": "rsk_1"}
    released = facts.RiskHoldReleased(occurred_at=NOW + timedelta(hours=1), **about)
    first, again = (facts.RiskHoldPlaced(occurred_at=NOW + timedelta(hours=hours), **about) for hours in (0, 2))
    apply_facts(connection=rma.connection, new_facts=[again, released, first], at=NOW)
    rma.refresh_from_db()
    assert rma.is_on_risk_hold


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0, 1)])
def test_of_a_wish_the_latest_word_counts_whichever_arrived_first(order: tuple[int, ...]) -> None:
    rma: ReturnAuthorisation = ReturnFactory()
    line = facts.ExchangeLine(sku="L", quantity=1)
    words: list[tuple[Any, dict[str, Any]]] = [
        (facts.ExchangeRequested, {"lines": (line,)}),
        (facts.ExchangeCancelled, {}),
        (facts.ExchangeRequested, {"lines": (line,)}),
        (facts.ExchangeCancelled, {}),
    ]
    told = [
        kind(return_id=rma.external_id, exchange_id="i1", is_wish=True, occurred_at=NOW + timedelta(hours=hour), **more)
        for hour, (kind, more) in enumerate(words)
    ]
    apply_facts(connection=rma.connection, new_facts=[told[place] for place in order], at=NOW)
    row = rma.exchanges.get()
    assert (row.cancelled_at, row.is_renewed, row.lines[0]["sku"]) == (None, True, "L")
    apply_facts(connection=rma.connection, new_facts=[told[3]], at=NOW)
    row.refresh_from_db()
    assert (row.cancelled_at, row.is_renewed) == (NOW + timedelta(hours=3), False)


def test_a_wish_read_again_brings_back_no_exchange_that_was_ended_before_wishes_were_told_apart() -> None:
    rma: ReturnAuthorisation = ReturnFactory()
    line = facts.ExchangeLine(sku="L", quantity=1)
    said = {"return_id": rma.external_id, "exchange_id": "i1"}
    asked = facts.ExchangeRequested(lines=(line,), occurred_at=NOW, **said)  # type: ignore[arg-type]
    ended = facts.ExchangeCancelled(occurred_at=NOW + timedelta(hours=1), **said)  # type: ignore[arg-type]
    wish = facts.ExchangeRequested(lines=(line,), is_wish=True, occurred_at=NOW, **said)  # type: ignore[arg-type]
    apply_facts(connection=rma.connection, new_facts=[asked, ended, wish], at=NOW)
    assert rma.exchanges.get().cancelled_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize("is_told_first", [True, False])
@pytest.mark.parametrize(
    ("made_after", "is_repeat", "expected"), [(2, False, (False, 0)), (0, False, (True, 1)), (0, True, (True, 0))]
)
def test_a_wish_found_standing_counts_from_when_it_can_have_been_made(
    rma: ReturnAuthorisation, made_after: int, is_repeat: bool, expected: tuple[bool, int], is_told_first: bool
) -> None:
    """Taken back at one o'clock, read at three. What is told in the other order, and once more, comes to the same."""
    about: dict[str, Any] = {"return_id": rma.external_id, "exchange_id": "i1", "is_wish": True}
    line = facts.ExchangeLine(sku="L", quantity=1)
    known = facts.ExchangeRequested(lines=(line,), occurred_at=NOW, **about)
    gone = facts.ExchangeCancelled(occurred_at=NOW + timedelta(hours=1), **about)
    read = facts.ExchangeRequested(
        lines=(line,),
        occurred_at=NOW + timedelta(hours=3),
        made_after=NOW + timedelta(hours=made_after),
        is_repeat=is_repeat,
        **about,
    )
    order = (known, gone, read) if is_told_first else (known, read, gone)
    if is_repeat and not is_told_first:
        expected = (True, 1)  # told of late: what was read in between may have been sent for, so a person looks
    apply_facts(connection=rma.connection, new_facts=[*order, gone, read], at=NOW)
    assert (rma.exchanges.get().cancelled_at is not None, ExceptionCase.objects.count()) == expected
    for case in ExceptionCase.objects.all():
        assert (case.kind_code, case.occurrences) == (states.CASE_EXCHANGE_WISH_UNCLEAR, 1)
